"""The meter's figures: a reservation of 1,000 persons where a million are counted, beside bare inserts of as many."""

import random
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median

from sqlalchemy import BigInteger, Column, Engine, MetaData, Table

from onshore.border.metering import meter
from onshore.border.metering.meter import Load
from onshore.vault import papers
from onshore.vault.opening import open_papers, sqlite_url
from onshore.vault.papers import reading, writing
from onshore.words.permit import Permit

PERSONS, AT_ONCE, TURNS = 1_000_000, 1_000, 25
YEAR = 2026
PERMIT = Permit(
    id="p",
    site="s",
    transfer="t",
    route="assessment",
    purpose="warranty-analysis",
    categories=("track",),
    recipient="stuttgart",
    recipient_key="age1x",
    persons=10 * PERSONS,
    start=date(YEAR, 1, 1),
    until=date(YEAR, 12, 31),
    granted_by="regulator",
    request="sha256:00",
    events_from=0,
    events_until=1,
    recipient_jurisdiction="DE",
)
BARE = Table(
    "bare",
    MetaData(),
    Column("parcel", BigInteger, primary_key=True, autoincrement=False),
    Column("person", BigInteger, primary_key=True, autoincrement=False),
)


def run() -> dict[str, float]:
    """Figures by name, milliseconds each, the commit to the disk included; medians."""
    with tempfile.TemporaryDirectory() as folder:
        return figures(open_papers(sqlite_url(Path(folder) / "papers.sqlite")), "SQLite")


def figures(engine: Engine, where: str) -> dict[str, float]:
    """The same of papers that lie elsewhere."""
    rng = random.Random(1)
    known = [rng.getrandbits(62) for _ in range(PERSONS)]
    with writing(engine) as conn:
        conn.execute(papers.transfers.insert().values(id="t", state="permitted", asked=1, body='{"recipient":"x"}'))
        conn.execute(papers.permits.insert().values(id="p", transfer="t", note="", granted=1))
        BARE.metadata.create_all(conn)
    for start in range(0, PERSONS, PERSONS // 10):
        some = known[start : start + PERSONS // 10]
        _reserve(engine, f"fill{start}", some)
        _settle(engine)
        _bare(engine, -start - 1, some)
    fresh = [[rng.getrandbits(62) for _ in range(AT_ONCE)] for _ in range(TURNS)]
    met = [rng.sample(known, AT_ONCE) for _ in range(TURNS)]
    more = [rng.getrandbits(62) for _ in range(AT_ONCE)]
    found = {
        "bare inserts": _timed(lambda n: _bare(engine, n + 1, fresh[n])),
        "of persons who are all new": _timed(lambda n: _reserve(engine, f"new{n}", fresh[n]), lambda: _settle(engine)),
        "of persons who were counted before": _timed(
            lambda n: _reserve(engine, f"met{n}", met[n]), lambda: _settle(engine)
        ),
        "reserved and given back": _timed(lambda n: _back(engine, f"back{n}", more)),
        "totals of year and permit": _timed(lambda _: _totals(engine)),
    }
    with reading(engine) as conn:
        assert meter.wrong(conn) == []
    engine.dispose()
    return {f"{where}, {AT_ONCE} at {PERSONS} counted: {name}, ms": figure for name, figure in found.items()}


def _settle(engine: Engine) -> None:
    with writing(engine) as conn:
        conn.execute(papers.parcels.update().values(state="left", left=1))


def _reserve(engine: Engine, parcel: str, persons: list[int]) -> None:
    load = Load(frozenset(persons), sensitive=frozenset(persons), ordinary=frozenset(persons), rows=len(persons))
    with writing(engine) as conn:
        values = {"id": parcel, "transfer": "t", "permit": "p", "state": "reserved", "reserved": 1}
        conn.execute(papers.parcels.insert().values(**values))
        meter.reserve(conn, parcel=parcel, permit=PERMIT, article="", year=YEAR, load=load)


def _back(engine: Engine, parcel: str, persons: list[int]) -> None:
    _reserve(engine, parcel, persons)
    with writing(engine) as conn:
        meter.give_back(conn, parcel)


def _bare(engine: Engine, parcel: int, persons: list[int]) -> None:
    with writing(engine) as conn:
        conn.execute(BARE.insert(), [{"parcel": parcel, "person": person} for person in persons])


def _totals(engine: Engine) -> None:
    with reading(engine) as conn:
        meter.exported(conn, YEAR)
        meter.used(conn, PERMIT.id)


def _timed(act: Callable[[int], None], between: Callable[[], None] = lambda: None) -> float:
    """The median of so many turns, in milliseconds; what is done between them is not timed."""
    took = []
    for turn in range(TURNS):
        start = time.perf_counter()
        act(turn)
        took.append(time.perf_counter() - start)
        between()
    return median(took) * 1000


if __name__ == "__main__":
    for name, figure in run().items():
        print(f"{name:70} {figure:10,.2f}")
