"""What retention drops is what the judge says, row by row, is to be purged: no more and no less."""

import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from law import ms, pack
from onshore.rights.retention import Limits, kept
from onshore.rules.acts import Facts
from onshore.rules.judge import judge
from onshore.rules.pack_store import Cap, Exempted, Floor
from onshore.vault import papers, retire
from onshore.vault.segments import open_segment, segments_where
from vault_makers import DAY, ZONE, new_room, sieved

RULE = {"article": "Test Act, Art. 1", "mark": "mem-H", "kind": "LAW", "says": "It is so."}
CATEGORIES = ("track", "vehicle-operation")
START = ms("2026-05-29T12:00:00+08:00")
LENGTHS = st.sampled_from(["0d", "1d", "36h", "7d", "1mo", "90061s", "2mo3d"])
SOME = st.lists(st.sampled_from(CATEGORIES), min_size=1, unique=True).map(tuple)
CAPS = st.lists(st.builds(lambda c, m: Cap(id="cap", categories=c, max=m, **RULE), SOME, LENGTHS), max_size=3).map(
    tuple
)
FLOORS = st.lists(
    st.builds(lambda c, m: Floor(id="floor", records=("observation",), categories=c, min=m, **RULE), SOME, LENGTHS),
    max_size=2,
).map(tuple)
EXCEPTIONS = st.lists(
    st.builds(
        lambda n, c: Exempted(id="exception", name=n, categories=c, **RULE),
        st.sampled_from(["statutory-monitoring", "road-test"]),
        SOME,
    ),
    max_size=2,
).map(tuple)
ROWS = st.lists(
    st.tuples(st.integers(1, 3), st.integers(0, 80 * DAY), st.sampled_from([0, 0, 0, -500 * DAY, 90 * DAY])),
    min_size=1,
    max_size=12,
)


def rows_of(room):
    """(category, ground, vehicle, time) to when each row was made, by the day that it lies under."""
    found = {}
    with papers.reading(room.engine) as conn:
        listed = segments_where(conn)
    for one in listed:
        table = open_segment(one, room.shelf).read()
        when = retire.made(table, one.place.day, ZONE).tolist()
        cars, times = (table.column(name).cast("int64").to_pylist() for name in ("vehicle", "time"))
        for car, time, made in zip(cars, times, when, strict=True):
            found[retire.kind_of(one), car, time, made] = found.get((retire.kind_of(one), car, time, made), 0) + 1
    return found


@settings(max_examples=40, deadline=None)
@given(CAPS, FLOORS, EXCEPTIONS, ROWS, st.integers(0, 120 * DAY))
def test_the_dropped_rows_are_those_that_the_judge_purges(caps, floors, exceptions, rows, later):
    shipped = pack("cn/2026-02")
    store = msgspec.structs.replace(shipped.store, cap=caps, floor=floors, exception=exceptions)
    law = msgspec.structs.replace(shipped, store=store)
    at = START + later
    version = SimpleNamespace(pack=law, digest="0" * 64, lenient=frozenset())
    site = SimpleNamespace(
        law=SimpleNamespace(zone=ZONE, on=lambda _day: version),
        settings=SimpleNamespace(site=SimpleNamespace(jurisdiction="CN")),
    )
    with tempfile.TemporaryDirectory() as folder:
        room = new_room(Path(folder))
        arrived = [START + since for _, since, _ in rows]
        claimed = [at_ + off for at_, (_, _, off) in zip(arrived, rows, strict=True)]
        room.keep(sieved([car for car, _, _ in rows], claimed, received=arrived))
        before = rows_of(room)
        purged = {row for row in before if _purges(site, law, row, at)}
        limits = Limits(site, at)
        said = {"clock": room.clock, "randomness": os.urandom}
        while retire.retire(room.engine, room.shelf, ZONE, limits, **said):
            pass
        assert rows_of(room) == {row: count for row, count in before.items() if row not in purged}
        room.engine.dispose()


def _purges(site, law, row, at):
    kind, _, _, made = row
    act = msgspec.structs.replace(kept(site, kind), age=f"{max(at - made, 0) // 1000}s")
    return judge(act, Facts(at=at), law, ()).verdict == "purge"
