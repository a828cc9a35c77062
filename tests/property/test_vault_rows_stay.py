"""Drained, merged, restricted, lifted and erased in whatever order: what is read are the rows that should be.

The reference is a plain list of rows. One reader is begun somewhere on the way and goes on between what happens: it
gives no row twice, none that is hidden at that moment, and every row that was there all along.
"""

import os
import tempfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onshore.vault import looks, papers, segments
from onshore.vault.compact import QUIET, compact
from onshore.vault.read import read
from onshore.vault.restrictions import Scope, lift, restrict
from vault_makers import DAY, NOON, SITE, USE, Room, new_room, sieved

CARS = (1, 17, 33, 2)
CATEGORIES = ("track", "vehicle-operation")
Row = tuple[str, int, int]

cars = st.sampled_from(CARS)
moments = st.integers(0, 20)
drains = st.lists(st.tuples(cars, moments), min_size=1, max_size=12)
scopes = st.builds(
    Scope,
    cars,
    categories=st.none() | st.frozensets(st.sampled_from(CATEGORIES), min_size=1),
    start=st.none() | moments.map(lambda moment: NOON + moment * DAY // 10),
    until=st.none() | moments.map(lambda moment: NOON + moment * DAY // 10),
)
acts = st.one_of(
    st.tuples(st.just("drain"), drains),
    st.tuples(st.just("compact"), st.booleans()),
    st.tuples(st.just("restrict"), scopes),
    st.tuples(st.just("erase"), st.lists(scopes, min_size=1, max_size=3)),
    st.tuples(st.just("lift"), st.integers(0, 3)),
    st.tuples(st.just("read"), st.integers(1, 3)),
)


class Story:
    """A room, and beside it what should be in it."""

    def __init__(self, folder: Path) -> None:
        self.room: Room = new_room(folder)
        for car in CARS:
            self.room.add_vehicle(car)
            self.room.consent(car)
        self.rows: Counter[Row] = Counter()
        self.restricted: dict[str, Scope] = {}
        self.serial = 0
        self.running = None
        self.given: Counter[Row] = Counter()
        self.should: Counter[Row] = Counter()

    def hidden(self, row: Row) -> bool:
        return any(means(scope, row) for scope in self.restricted.values())

    def drain(self, some: list[tuple[int, int]]) -> None:
        times = []
        for _, moment in some:
            self.serial += 1
            times.append(NOON + moment * DAY // 10 + self.serial)
        self.room.keep(sieved([car for car, _ in some], times, received=times))
        self.rows.update(
            (category, car, at) for (car, _), at in zip(some, times, strict=True) for category in CATEGORIES
        )

    def compact(self, settled: bool) -> None:
        self.room.clock.now += QUIET if settled else 0
        said = {"clock": self.room.clock, "randomness": os.urandom, "announce": lambda *_: None}
        compact(self.room.engine, self.room.shelf, **said)

    def restrict(self, scope: Scope) -> int:
        self.serial += 1
        case = f"case {self.serial}"
        row = {"id": case, "vehicle": 1, "kind": "restrict", "asked": 0, "asked_by": "", "state": "asked"}
        with papers.writing(self.room.engine) as conn:
            conn.execute(papers.rights_cases.insert().values(row))
            restrict(conn, scope, since=NOON, case=case)
        self.restricted[case] = scope
        self.should = Counter(row for row in self.should if not means(scope, row))
        return 0

    def erase(self, some: list[Scope]) -> None:
        for scope in some:
            self.restrict(scope)
        going = {scope: sum(means(scope, row) for row in self._segments()) for scope in some}
        said = {"clock": self.room.clock, "randomness": os.urandom}
        done = self.room.erase_all(some, turn=0, **said)
        assert {scope: one.rows_removed for scope, one in done.items()} == going
        self.rows = Counter(row for row in self.rows if not any(means(scope, row) for scope in some))

    def _segments(self) -> list[Row]:
        """Rows as segments hold them: what the law itself has kept is there under both grounds."""
        return [row for row in self.rows for _ in range(2 if row[0] == "vehicle-operation" else 1)]

    def lift(self, which: int) -> None:
        if which < len(self.restricted):
            case = sorted(self.restricted)[which]
            with papers.writing(self.room.engine) as conn:
                lift(conn, case)
            del self.restricted[case]

    def read(self, many: int) -> None:
        if self.running is None:
            self.running = self.reader()
            self.should = Counter(row for row in self.rows if not self.hidden(row))
        for _ in range(many):
            found = next(self.running, None)
            if found is None:
                return
            rows = rows_of(found)
            assert not any(self.hidden(row) for row in rows)
            assert all(row in self.rows for row in rows)
            self.given.update(rows)

    def reader(self):
        said = {"use": USE, "categories": CATEGORIES, "start": 0, "until": 2 * NOON}
        return read(self.room.engine, self.room.root, self.room.vault, SITE, **said)

    def end(self) -> None:
        self.read(10_000)
        assert not [row for row, count in self.given.items() if count > 1]
        assert self.should <= self.given
        found = Counter(row for table in self.reader() for row in rows_of(table))
        assert found == Counter(row for row in self.rows if not self.hidden(row))


def means(scope: Scope, row: Row) -> bool:
    category, car, at = row
    return (
        car == scope.vehicle
        and (scope.categories is None or category in scope.categories)
        and (scope.start is None or at >= scope.start)
        and (scope.until is None or at < scope.until)
    )


def rows_of(table: pa.Table) -> list[Row]:
    category = "track" if any("Location" in name for name in table.column_names) else "vehicle-operation"
    both = (table.column(name).cast(pa.int64()).to_pylist() for name in ("vehicle", "time"))
    return [(category, car, at) for car, at in zip(*both, strict=True)]


@settings(max_examples=30, deadline=None)
@given(st.lists(drains, min_size=2, max_size=3), st.lists(acts, min_size=2, max_size=8))
def test_rows_are_those_that_should_be(first, asked):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as small:
        small.setattr(looks, "PIECE", 4)
        small.setattr(looks, "_FEW", 0)
        small.setattr(segments, "ROW_GROUP", 3)
        story = Story(Path(folder))
        try:
            for some in first:
                story.drain(some)
            for act, what in asked:
                getattr(story, act)(what)
            story.end()
        finally:
            story.room.engine.dispose()
