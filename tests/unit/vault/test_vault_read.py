"""A reader sees the rows that may serve its purpose, and not one other."""

import contextlib
import os
from pathlib import Path

import pyarrow as pa
import pytest

from onshore.vault import papers
from onshore.vault.compact import QUIET, compact
from onshore.vault.read import batches, read, read_all_of
from onshore.vault.restrictions import Scope
from onshore.vault.segments import path_of
from onshore.words.batch import BASE_NAMES, PURPOSES
from onshore.words.errors import Broken, Refusal
from onshore.words.vocabulary import STATUTORY
from vault_makers import DAY, NOON, SITE, USE, new_room, sieved


@pytest.fixture
def room(tmp_path):
    room = new_room(tmp_path)
    for vehicle in (1, 2, 17):
        room.add_vehicle(vehicle)
    room.consent(1)
    room.consent(2, "insurance")
    return room


def seen(tables):
    return sorted(
        (car, time)
        for table in tables
        for car, time in zip(
            table.column("vehicle").to_pylist(), table.column("time").cast(pa.int64()).to_pylist(), strict=True
        )
    )


def test_each_purpose_sees_its_own_rows(room):
    room.keep(
        sieved([1], [NOON], operation=0b001, track=0),
        sieved([1], [NOON + 1], operation=0b010, track=0),
        sieved([1], [NOON + 2], operation=0b100, track=0),
        sieved([1], [NOON + 3], operation=0b111, track=0),
    )
    assert seen(room.read(use=STATUTORY)) == [(1, NOON), (1, NOON + 3)]
    assert seen(room.read(use=USE)) == [(1, NOON + 1), (1, NOON + 3)]
    assert seen(room.read(use="insurance")) == [(1, NOON + 2), (1, NOON + 3)]


def test_statutory_reader_sees_statutory_signals_alone(room):
    room.keep(sieved([1], [NOON]))
    tables = room.read(use=STATUTORY)
    assert [set(t.schema.names) for t in tables] == [BASE_NAMES | {PURPOSES, "Vehicle.Speed"}]
    assert [t.column(PURPOSES).to_pylist() for t in tables] == [[1]]


def test_unknown_purpose_is_refused_at_once(room):
    room.keep(sieved([1], [NOON]))
    with pytest.raises(Refusal) as no:
        read(room.engine, room.root, room.vault, SITE, use="resale", categories=["track"], start=0, until=NOON)
    assert no.value.reason == "purpose-not-consented"


def test_purpose_that_a_segment_does_not_know_sees_nothing_there(room):
    room.keep(sieved([1], [NOON], purposes=(STATUTORY, "repair", "research")))
    assert room.read() == []


def test_empty_site_reads_empty(room):
    assert room.read() == []
    assert room.read(vehicles=[1]) == []
    assert room.all_of(1) == []


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({"start": NOON + 1}, {(2, NOON + 1), (17, NOON + DAY)}),
        ({"until": NOON + 1}, {(1, NOON)}),
        ({"start": NOON + 1, "until": NOON + DAY}, {(2, NOON + 1)}),
        ({"start": NOON + 1, "until": NOON + 1}, set()),
        ({"vehicles": [17]}, {(17, NOON + DAY)}),
        ({"vehicles": [1, 2]}, {(1, NOON), (2, NOON + 1)}),
        ({"vehicles": [33]}, set()),
        ({"vehicles": []}, set()),
        ({"categories": ["health"]}, set()),
    ],
)
def test_narrowing(room, more, wanted):
    room.keep(sieved([1, 2, 17], [NOON, NOON + 1, NOON + DAY]))
    assert set(seen(room.read(**{"categories": ["track"]} | more))) == wanted


def test_columns_are_narrowed_and_unknown_ones_ignored(room):
    room.keep(sieved([1], [NOON]))
    tables = room.read(columns=["Vehicle.Speed", "Vehicle.NoSuchThing"])
    assert {n for t in tables for n in t.schema.names} == BASE_NAMES | {PURPOSES, "Vehicle.Speed"}


def test_restricted_vehicles_are_never_seen_not_even_halfway(room):
    room.keep(sieved([1, 2, 17], [NOON, NOON, NOON + DAY]))
    said = {"use": USE, "categories": ["track"], "start": 0, "until": 2 * NOON}
    running = read(room.engine, room.root, room.vault, SITE, **said)
    assert seen([next(running)]) == [(1, NOON)]
    room.restrict(2)
    assert seen(running) == [(17, NOON + DAY)]
    room.restrict(17)
    assert seen(room.read()) == [(1, NOON)] * 2
    assert seen(room.read(use=STATUTORY)) == [(1, NOON)]


def test_an_erasure_in_mid_read_neither_hides_nor_doubles_rows(room):
    room.keep(sieved([1, 17, 2], [NOON, NOON, NOON]))
    said = {"use": USE, "categories": ["track", "vehicle-operation"], "start": 0, "until": 2 * NOON}
    running = read(room.engine, room.root, room.vault, SITE, **said)
    first = next(running)
    turn = room.restrict(17)
    room.erase(17, turn=turn)
    room.keep(sieved([33], [NOON]))
    assert seen([first]) == [(1, NOON), (17, NOON)]
    rest = seen(running)
    assert rest.count((1, NOON)) == 1
    assert (17, NOON) not in rest
    assert rest.count((2, NOON)) == 2


def test_missing_or_altered_segments_are_named_by_id_alone(room):
    segment = room.keep(sieved([1], [NOON], operation=0)).segments[0]
    path = room.vault / path_of(segment.place, segment.id)
    data = path.read_bytes()
    path.write_bytes(data[:-1] + b"x")
    with pytest.raises(Broken) as altered:
        room.read()
    path.unlink()
    with pytest.raises(Broken) as missing:
        room.read()
    for broken in (altered, missing):
        assert segment.id in str(broken.value)
        assert not any(part in str(broken.value) for part in ("track", "2026", str(Path(room.vault))))


def test_all_of_a_vehicle_comes_under_every_ground(room):
    room.keep(sieved([1, 17], [NOON, NOON + 1]))
    assert room.all_of(1) == [
        ("track/consent", NOON),
        ("vehicle-operation/consent", NOON),
        ("vehicle-operation/statutory", NOON),
    ]
    room.restrict(1)
    with pytest.raises(Refusal) as no:
        read_all_of(room.engine, room.root, room.vault, SITE, 1)
    assert no.value.reason == "restricted"
    assert len(room.all_of(1, even_restricted=True)) == 3


def test_row_groups_of_other_vehicles_are_not_decoded(room, monkeypatch):
    monkeypatch.setattr("onshore.vault.segments.ROW_GROUP", 10)
    room.keep(sieved(sorted([1, 17, 33] * 20), list(range(NOON, NOON + 60)), operation=0))
    assert len(seen(room.read(vehicles=[17]))) == 20
    assert seen(room.read(vehicles=[17], start=NOON + 25, until=NOON + 27)) == [(17, NOON + 25), (17, NOON + 26)]


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr("onshore.vault.looks.PIECE", 12)
    monkeypatch.setattr("onshore.vault.looks._FEW", 0)
    monkeypatch.setattr("onshore.vault.segments.ROW_GROUP", 5)


def merge(room):
    room.clock.now += QUIET
    told = {"announce": lambda _conn, _replaced: None}
    assert compact(room.engine, room.shelf, clock=room.clock, randomness=os.urandom, **told)


def test_pieces_are_bounded_and_sorted(room, small):
    cars = range(1, 16 * 40, 16)
    room.keep(sieved([car for car in cars for _ in range(3)], [NOON + i for i in range(3)] * 40, operation=0))
    tables = room.read()
    assert len(tables) > 10
    assert max(table.num_rows for table in tables) <= 12
    assert [row for table in tables for row in seen([table])] == [(car, NOON + i) for car in cars for i in range(3)]


def test_without_order_the_same_rows_come_file_by_file(room):
    for later in (0, 1):
        room.keep(sieved([1, 17], [NOON + later] * 2, operation=0))
    said = {"use": USE, "categories": ["track"], "start": 0, "until": 2 * NOON}
    (ordered,), (apart,) = (
        list(read(room.engine, room.root, room.vault, SITE, **said, in_order=wanted)) for wanted in (True, False)
    )
    assert ordered.column("vehicle").to_pylist() == [1, 1, 17, 17]
    assert apart.column("vehicle").to_pylist() == [1, 17, 1, 17]
    assert seen([ordered]) == seen([apart])


def test_segments_merged_in_mid_read_give_each_row_once(room, small):
    cars = range(1, 16 * 20, 16)
    for i in range(3):
        room.keep(sieved(cars, [NOON + i] * 20, operation=0))
    said = {"use": USE, "categories": ["track"], "start": 0, "until": 2 * NOON}
    running = read(room.engine, room.root, room.vault, SITE, **said)
    first = seen([next(running)])
    assert 0 < len(first) < 60
    merge(room)
    assert sorted(first + seen(running)) == [(car, NOON + i) for car in cars for i in range(3)]


def test_rows_erased_in_mid_read_are_not_given_though_nothing_hides_them_any_more(room, small):
    cars = range(1, 16 * 20, 16)
    for i in range(3):
        room.keep(sieved(cars, [NOON + i] * 20, operation=0))
    said = {"use": USE, "categories": ["track"], "start": 0, "until": 2 * NOON}
    running = read(room.engine, room.root, room.vault, SITE, **said)
    first = seen([next(running)])
    last = Scope(cars[-1])
    room.add_vehicle(last.vehicle)
    room.erase(last, turn=room.restrict(last.vehicle))
    with papers.writing(room.engine) as conn:
        conn.execute(papers.restrictions.delete())
    assert sorted(first + seen(running)) == [(car, NOON + i) for car in cars[:-1] for i in range(3)]


def test_batches_are_what_tables_are(room):
    room.keep(sieved([1, 2], [NOON, NOON]))
    found = list(batches(iter(room.read())))
    assert all(isinstance(batch, pa.RecordBatch) for batch in found)
    assert [batch.num_rows for batch in found] == [table.num_rows for table in room.read()]


def test_a_flipped_byte_in_what_is_read_is_found_without_the_digest(room):
    """Each page is sealed by itself: a reader that opens parts of a file needs no digest of the whole."""
    segment = room.keep(sieved(range(1, 1601, 16), [NOON + i for i in range(100)], operation=0)).segments[0]
    path = room.vault / path_of(segment.place, segment.id)
    whole, found = path.read_bytes(), 0
    wanted = [(car, NOON + i) for i, car in enumerate(range(1, 1601, 16))]
    for place in range(0, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with contextlib.suppress(Broken):
            assert seen(room.read()) == wanted, "a byte that nobody reads"
            found += 1
    assert found < 20
