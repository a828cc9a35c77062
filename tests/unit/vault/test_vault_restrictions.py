"""What is restricted is seen by nobody: a vehicle, a driver's drives, a category, a period, any of them together."""

import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy import insert

from onshore.consent.drives import HOLDS, drives_of
from onshore.vault import papers
from onshore.vault.drives import COUNTER as DRIVES
from onshore.vault.journal_files import raise_counter
from onshore.vault.restrictions import (
    Scope,
    Standing,
    covered,
    hidden,
    lift,
    newest,
    restrict,
    restricted_after,
    restricted_since,
)
from vault_makers import DAY, NOON, new_room, sieved

DRIVER = 900


@pytest.fixture
def room(tmp_path):
    room = new_room(tmp_path)
    for vehicle in (1, 2, 17):
        room.add_vehicle(vehicle)
        room.consent(vehicle)
    with papers.writing(room.engine) as conn:
        conn.execute(insert(papers.keepers).values(vehicle=1, person=2, role="driver", start=0))
        conn.execute(insert(papers.drivers).values(id=DRIVER, vehicle=1, person=2, mark_mac=bytes(32)))
        drives = [{"vehicle": 1, "at": NOON + 10, "driver": DRIVER}, {"vehicle": 1, "at": NOON + 20, "driver": None}]
        conn.execute(insert(papers.drives), drives)
    return room


def seen(room, **more):
    return sorted(
        (car, time - NOON)
        for table in room.read(**{"categories": ["track"]} | more)
        for car, time in zip(
            table.column("vehicle").to_pylist(), table.column("time").cast(pa.int64()).to_pylist(), strict=True
        )
    )


ROWS = [(1, 5), (1, 10), (1, 15), (1, 20), (2, 15), (17, 15)]


@pytest.mark.parametrize(
    ("scope", "left"),
    [
        (Scope(1), [(2, 15), (17, 15)]),
        (Scope(1, driver=DRIVER), [(1, 5), (1, 20), (2, 15), (17, 15)]),
        (Scope(1, driver=1), [(1, 10), (1, 15), (2, 15), (17, 15)]),
        (Scope(1, categories=frozenset({"track"})), [(2, 15), (17, 15)]),
        (Scope(1, categories=frozenset({"health"})), ROWS),
        (Scope(1, start=NOON + 15), [(1, 5), (1, 10), (2, 15), (17, 15)]),
        (Scope(1, until=NOON + 15), [(1, 15), (1, 20), (2, 15), (17, 15)]),
        (Scope(1, DRIVER, frozenset({"track"}), NOON + 11, NOON + 99), [(1, 5), (1, 10), (1, 20), (2, 15), (17, 15)]),
    ],
)
def test_what_a_restriction_hides(room, scope, left):
    room.keep(sieved([car for car, _ in ROWS], [NOON + time for _, time in ROWS]))
    assert seen(room) == ROWS
    room.restrict(1, scope)
    assert seen(room) == left
    assert seen(room, categories=["vehicle-operation"]) == (left if scope.categories is None else ROWS), (
        "other categories stay to be seen"
    )


def test_a_standing_look_follows_the_papers(room):
    standing, mine = Standing(), np.array([1, 1])
    times = np.array([NOON + 15, NOON + 25])

    def mask():
        with papers.reading(room.engine) as conn:
            return standing.hidden(conn).mask(mine, times, "track").tolist()

    assert mask() == [False, False]
    room.restrict(1, Scope(1, driver=DRIVER))
    assert mask() == [True, False]
    with papers.writing(room.engine) as conn:
        conn.execute(insert(papers.drives).values(vehicle=1, at=NOON + 24, driver=DRIVER))
        raise_counter(conn, DRIVES)
    assert mask() == [True, True]


def test_lifting_ends_what_one_case_asked_for_and_no_other(room):
    with papers.writing(room.engine) as conn:
        for case in ("a", "b"):
            row = {"id": case, "vehicle": 1, "kind": "restrict", "asked": NOON, "asked_by": "x", "state": "asked"}
            conn.execute(insert(papers.rights_cases).values(row))
        first = newest(conn)
        restrict(conn, Scope(1), since=NOON + 2, case="a", reason="Art. 18")
        restrict(conn, Scope(1), since=NOON + 1, case="b")
        restrict(conn, Scope(2, start=5), since=NOON)
        assert restricted_since(conn, 1) == NOON + 1
        assert restricted_since(conn, 2) is None
        assert restricted_after(conn, first) == {1, 2}
        assert restricted_after(conn, newest(conn)) == set()
    with papers.writing(room.engine) as conn:
        assert lift(conn, "b") == 1
        assert restricted_since(conn, 1) == NOON + 2
        assert hidden(conn).holds(Scope(1))
        assert lift(conn, "a") == 1
        assert not hidden(conn).holds(Scope(1))
        last = newest(conn)
        restrict(conn, Scope(1), since=NOON)
        assert newest(conn) > last, "no id is given twice"


def test_a_part_is_not_the_whole(room):
    with papers.writing(room.engine) as conn:
        restrict(conn, Scope(1, driver=1), since=NOON)
        assert hidden(conn).scopes == (Scope(1, driver=1),)


SCOPES = [
    Scope(1),
    Scope(1, driver=7),
    Scope(1, categories=frozenset({"track"})),
    Scope(1, categories=frozenset({"track", "health"})),
    Scope(1, start=10),
    Scope(1, start=20),
    Scope(1, until=10),
    Scope(1, until=20),
    Scope(2),
    Scope(1, 7, frozenset({"track"}), 10, 20),
]


@pytest.mark.parametrize("one", SCOPES)
@pytest.mark.parametrize("other", SCOPES)
def test_within_is_what_the_rows_say(one, other):
    """Every row of `one` is one of `other`, tried on rows of each kind."""
    drives = drives_of([])
    vehicle = np.repeat([1, 2, 7], 6)
    time = np.tile([0, 9, 10, 19, 20, HOLDS + DAY], 3)

    def rows(scope, category):
        # whoever drives: a scope of a driver means no row here, so it is asked about as if it meant them all
        free = Scope(scope.vehicle, None, scope.categories, scope.start, scope.until)
        return {int(row) for _, some in covered([free], vehicle, time, category, drives) for row in some}

    inside = all(rows(one, category) <= rows(other, category) for category in ("track", "health", "else"))
    inside = inside and other.driver in (None, one.driver)
    assert one.within(other) == inside


def test_touching_is_by_category_and_time():
    scope = Scope(1, categories=frozenset({"track"}), start=10, until=20)
    assert scope.touches("track", 0, 10)
    assert scope.touches("track", 19, 30)
    assert not scope.touches("track", 20, 30)
    assert not scope.touches("track", 0, 9)
    assert not scope.touches("health", 0, 30)


def test_a_row_counts_from_its_arrival_where_its_clock_ran_ahead():
    vehicle, time, received = np.array([17] * 4), np.array([5, 15, 25, 5]), np.array([8, 8, 28, 28])
    for scope, rows in ((Scope(17, until=10), [0, 1, 3]), (Scope(17, start=10), [2])):
        ((_, found),) = covered([scope], vehicle, time, "track", drives_of(()), received)
        assert found.tolist() == rows


def test_what_arrived_before_is_erased_wherever_it_lies(tmp_path):
    room = new_room(tmp_path)
    room.add_vehicle(17)
    room.consent(17)
    later = NOON + 40 * DAY
    room.keep(sieved([17] * 4, [NOON, NOON + 500, later, later + 1], received=[NOON, NOON, NOON, later + 1]))
    scope = Scope(17, until=NOON + 100)
    turn = room.restrict(17, scope)
    assert sum(table.num_rows for table in room.read(until=2 * later)) == 2, "one row of two categories is seen"
    erased = room.erase(scope, turn=turn)
    assert erased.rows_removed == 9
    assert {time for _, time in room.all_of(17)} == {later + 1}
