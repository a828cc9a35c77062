"""Small segments become few: the same rows under new keys, no byte rewritten without end, and nothing in a hurry."""

import math
import os

import pytest

from onshore.vault import papers
from onshore.vault.compact import GOOD, QUIET, Small, chosen, compact, waiting
from onshore.vault.segments import Place, path_of, segments_where
from onshore.words.batch import PURPOSES, purposes_of
from onshore.words.errors import Broken
from onshore.words.vocabulary import MAX_PURPOSES, STATUTORY
from vault_makers import DAY, NOON, PACK, USE, new_room, sieved

PLACE = Place(PACK, "track", "consent", "2026-05-29", 1)


@pytest.fixture
def room(tmp_path):
    room = new_room(tmp_path)
    for vehicle in (1, 2, 17):
        room.add_vehicle(vehicle)
        room.consent(vehicle)
    return room


def run(room, **more):
    said = {"clock": room.clock, "randomness": os.urandom, "announce": lambda _conn, _replaced: None}
    return compact(room.engine, room.shelf, **said | more)


def listed(room):
    with papers.reading(room.engine) as conn:
        return segments_where(conn)


def small(*rows, created=NOON):
    return [Small(PLACE, f"{i:04}", count, count * 10, created) for i, count in enumerate(rows)]


def seen(room, **more):
    return {vehicle: room.all_of(vehicle, **more) for vehicle in (1, 2, 17)}


def test_a_place_is_merged_once_it_has_eight(room):
    for i in range(7):
        room.keep(sieved([1, 17], [NOON + i, NOON + i]))
    assert waiting(room.engine, room.clock()) == 0
    assert run(room) is None
    room.keep(sieved([17, 1, 1], [NOON + 7, NOON + 8, NOON - 5]))
    before, old = seen(room), listed(room)
    assert waiting(room.engine, room.clock()) == 24
    told = []
    done = run(room, announce=lambda _conn, replaced: told.append(replaced))
    assert told == [done]
    assert (len(done.old), len(done.new)) == (24, 3)
    assert {segment.wrapped for segment in done.old} == {b""}
    assert seen(room) == before
    assert [segment.id for segment in listed(room)] == [
        segment.id for segment in sorted(done.new, key=lambda s: s.place)
    ]
    assert not {segment.wrapped for segment in old} & {segment.wrapped for segment in listed(room)}
    assert {path.stem for path in room.vault.rglob("*.parquet")} == {segment.id for segment in done.new}
    assert waiting(room.engine, room.clock()) == 0
    for table in room.read():
        order = list(zip(table.column("vehicle").to_pylist(), table.column("time").to_pylist(), strict=True))
        assert order == sorted(order)


def test_a_settled_place_is_merged_whatever_it_has(room):
    room.keep(sieved([1], [NOON]))
    room.keep(sieved([17], [NOON]))
    assert run(room) is None
    room.clock.now += QUIET
    assert len(run(room).new) == 3
    room.clock.now += QUIET
    assert run(room) is None, "one is left of each"


def test_packs_and_days_stay_apart(room):
    for pack in (PACK, "cn/2027-01"):
        for day in (0, DAY):
            for i in range(2):
                room.keep(sieved([1], [NOON + day + i]), pack=pack)
    room.clock.now += QUIET
    done = run(room)
    assert len(done.new) == 12
    assert len({segment.place for segment in done.new}) == 12


def test_purposes_are_brought_under_one_meaning(room):
    room.keep(sieved([1], [NOON], purposes=(STATUTORY, USE, "insurance"), operation=0b010, track=0b100))
    room.keep(sieved([17], [NOON], purposes=(STATUTORY, "insurance", USE), operation=0b010, track=0b100))
    room.add_vehicle(3)
    room.consent(3, "insurance")
    both = [sum(t.num_rows for t in room.read(use=use)) for use in (USE, "insurance")]
    room.clock.now += QUIET
    assert run(room) is not None
    assert [sum(t.num_rows for t in room.read(use=use)) for use in (USE, "insurance")] == both == [2, 2]
    (table,) = room.read(use=USE, categories=["track"])
    assert table.column("vehicle").to_pylist() == [17]
    assert purposes_of(table.schema) == (STATUTORY, USE, "insurance")
    assert table.column(PURPOSES).to_pylist() == [0b010]


def test_more_purposes_than_bits_stay_in_two_segments(room):
    some = [tuple(f"p{n}-{i}" for i in range(MAX_PURPOSES // 2 + 1)) for n in range(2)]
    for i, purposes in enumerate(some):
        room.keep(sieved([1], [NOON + i], purposes=(STATUTORY, *purposes), track=0, operation=0b10))
    room.clock.now += QUIET
    assert run(room) is None


def test_missing_columns_become_null(room):
    room.keep(sieved([1], [NOON], track=0), sieved([1], [NOON + 1], track=0, without=lambda n: n == "Vehicle.Speed"))
    room.keep(sieved([1], [NOON + 2], track=0, without=lambda n: n == "Vehicle.Speed"))
    before = seen(room)
    room.clock.now += QUIET
    run(room)
    assert seen(room) == before


def test_an_altered_segment_is_named_and_nothing_is_replaced(room):
    for vehicle in (1, 17):
        segment = room.keep(sieved([vehicle], [NOON], track=0, operation=0b10)).segments[0]
    path = room.vault / path_of(segment.place, segment.id)
    path.write_bytes(path.read_bytes()[:-9] + b"x" * 9)
    room.clock.now += QUIET
    with pytest.raises(Broken, match=segment.id):
        run(room)
    assert len(listed(room)) == 2


def test_what_the_ledger_is_not_told_does_not_happen(room):
    room.keep(sieved([1], [NOON]))
    room.keep(sieved([1], [NOON]))
    room.clock.now += QUIET
    before = listed(room)

    def fails(_conn, _replaced):
        raise KeyError("no words")

    with pytest.raises(KeyError, match="no words"):
        run(room, announce=fails)
    assert listed(room) == before
    assert run(room) is not None
    assert {path.stem for path in room.vault.rglob("*.parquet")} == {segment.id for segment in listed(room)}


def test_a_turn_is_bounded(room, monkeypatch):
    for i in range(2):
        room.keep(sieved([1, 2], [NOON + i] * 2))
    monkeypatch.setattr("onshore.vault.compact._FILES", 4)
    room.clock.now += QUIET
    assert [len(one.old) for one in iter(lambda: run(room), None)] == [4, 4, 4]


def test_large_ones_are_left_alone_and_small_ones_wait_for_company():
    assert chosen(small(*[1] * 7), NOON) == []
    assert len(chosen(small(*[1] * 8), NOON)) == 8
    assert len(chosen(small(*[1] * 8, 100), NOON)) == 8, "the large one would be rewritten for little"
    assert len(chosen(small(*[20] * 8, 100), NOON)) == 9
    assert chosen(small(1, 100), NOON + QUIET) == []
    assert len(chosen(small(20, 100), NOON + QUIET)) == 2
    assert chosen([], NOON) == []
    assert sum(one.rows for one in chosen(small(*[GOOD - 1] * 20), NOON + QUIET)) <= 2 * GOOD


@pytest.mark.parametrize("count", [100, 1440])
def test_no_row_is_rewritten_without_end(count):
    """A day of drains a minute each, compaction after each: what is read and written again, row for row."""
    have, rewritten, most = [], 0, 0
    for minute in range(count):
        have.append(Small(PLACE, f"{minute:06}", 87, 870, NOON + minute * 60_000))
        while group := chosen([one for one in have if one.rows < GOOD], NOON + minute * 60_000):
            rows = sum(one.rows for one in group)
            rewritten += rows
            have = [one for one in have if one not in group]
            have.append(Small(PLACE, f"{minute:06}x", rows, rows * 10, NOON + minute * 60_000))
        most = max(most, len(have))
    assert rewritten <= count * 87 * math.log2(count)
    assert most < 8 * math.log2(count)
    end = NOON + count * 60_000 + QUIET
    group = chosen(have, end)
    assert len(have) - len(group) + 1 <= 2
