"""Lanes: files of rows that wait for a platform, each listed, opened and struck by itself."""

import struct

import numpy as np
import pyarrow as pa
import pytest

from onshore.vault import blanks, lanes, strays, unsent
from onshore.vault.lanes import Sending
from onshore.vault.papers import writing
from onshore.vault.restrictions import Scope
from onshore.vault.segments import Shelf
from onshore.words.batch import BASE
from onshore.words.errors import Broken


def batch(*vehicles: int, statutory: str = "1") -> pa.RecordBatch:
    count = len(vehicles)
    times = pa.array(range(count), pa.int64()).cast(BASE[1].type)
    door = pa.array(["gb32960"] * count).dictionary_encode().cast(BASE[3].type)
    fields = [*BASE, pa.field("Speed", pa.float32(), metadata={"statutory": statutory}), pa.field("Note", pa.string())]
    values = [1.0 if n else None for n in range(count)]
    columns = [
        pa.array(vehicles, pa.int64()),
        times,
        times,
        door,
        pa.array(values, pa.float32()),
        pa.array(["x"] * count),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields))


@pytest.fixture
def shelf(hands) -> Shelf:
    return Shelf(hands.site.root, hands.site.vault, hands.site.id)


def queued(hands, shelf, *batches):
    sending = Sending(["national"])
    list(sending.watching(lambda _kept, pack: iter(()))(batches, pack="cn"))
    with writing(hands.site.engine) as conn:
        planned = sending.planned(hands.site.randomness)
        strays.note(conn, planned)
    sending.write(shelf, hands.site.clock, hands.site.randomness)
    with writing(hands.site.engine) as conn:
        sending.list_(conn)
        strays.strike(conn, planned)
    return lanes.waiting(hands.site.engine)


def test_only_what_the_law_has_kept_is_queued(hands, shelf):
    [lane] = queued(hands, shelf, batch(1, 2, 3), batch(4, 5, statutory="0"))
    table = lanes.rows_of(lane, shelf)
    assert table.column_names == ["vehicle", "time", "received", "Speed"]
    assert table.column("vehicle").to_pylist() == [2, 3]  # the first has no cell
    assert (lane.rows, lane.left) == (2, 2)
    sealed = (shelf.folder / lanes.path_of("national", lane.id)).read_bytes()
    assert b"Speed" not in sealed


def test_nothing_statutory_makes_no_file(hands, shelf):
    assert queued(hands, shelf, batch(4, 5, statutory="0")) == []
    assert lanes.backlog(hands.site.engine, "national") == 0
    assert lanes.last_answer(hands.site.engine, "national") is None


def test_a_lane_goes_with_its_key_when_all_is_acknowledged(hands, shelf):
    [lane] = queued(hands, shelf, batch(1, 2, 3))
    said = []
    left = lanes.acknowledged(hands.site.engine, lane, 1, [], 5)
    assert left is not None
    assert (left.sent, left.refused, lanes.rows_of(left, shelf).num_rows) == (1, 0, 1)
    assert lanes.backlog(hands.site.engine, "national") == 1
    lanes.clear(hands.site.engine, shelf.folder, left)  # still listed: its file stays
    left = lanes.acknowledged(hands.site.engine, left, 2, [], 6)
    assert left is not None
    assert settled(hands, shelf, left, said) is None
    assert said == [(2, 0)]
    lanes.clear(hands.site.engine, shelf.folder, left)
    assert lanes.last_answer(hands.site.engine, "national") == 6
    assert list(shelf.folder.rglob("*.lane")) == []
    assert lanes.acknowledged(hands.site.engine, left, 1, [], 7) is None  # struck meanwhile
    assert settled(hands, shelf, left, said) is None
    assert said == [(2, 0)]


def settled(hands, shelf, lane, said, due=0):
    site = hands.site
    return unsent.settle(site.engine, shelf, lane, due, lambda _, *counts: said.append(counts), site.randomness)


def test_what_is_refused_becomes_a_lane_of_its_own(hands, shelf):
    [lane] = queued(hands, shelf, batch(9, 1, 2, 3, 4))
    engine, said = hands.site.engine, []
    left = lanes.acknowledged(engine, lane, 3, [0, 2], 5)
    left = lanes.acknowledged(engine, left, 4, [3], 5)
    again = settled(hands, shelf, left, said, due=60)
    assert said == [(1, 0)]
    assert (again.rows, again.tries, again.due) == (3, 1, 60)
    assert lanes.rows_of(again, shelf).column("vehicle").to_pylist() == [1, 3, 4]
    assert [one.id for one in lanes.waiting(engine)] == [again.id]
    assert lanes.first(engine, "national", 59) is None
    [again] = lanes.waiting(engine)
    assert lanes.first(engine, "national", 60) == again
    assert lanes.first(engine, "national", 60, {again.id}) is None
    lanes.clear(engine, shelf.folder, lane)
    assert [path.stem for path in shelf.folder.rglob("*.lane")] == [again.id]
    left = lanes.acknowledged(engine, again, 3, [1], 6)
    apart = settled(hands, shelf, left, said, due=None)
    assert said == [(1, 0), (3, 1)]  # rows that are settled, and how many of these were refused for good
    assert lanes.first(engine, "national", 1 << 50) is None
    assert [one.id for one in unsent.set_apart(engine, "national")] == [apart.id]
    assert unsent.once_more(engine, "national", 70) == 1
    assert lanes.first(engine, "national", 70).id == apart.id
    assert unsent.set_apart(engine) == []


def test_a_drain_that_clears_away_what_is_not_listed_yet_loses_nothing(hands, shelf, monkeypatch):
    [lane] = queued(hands, shelf, batch(1, 2, 3))
    left = lanes.acknowledged(hands.site.engine, lane, 2, [1], 5)
    rows, cleared = unsent._rows, []

    def clearing(*given):
        if not cleared:
            cleared.append(strays.clear(hands.site.engine, shelf.folder))
        return rows(*given)

    monkeypatch.setattr(unsent, "_rows", clearing)
    again = settled(hands, shelf, left, [])
    assert cleared == [1]
    assert lanes.rows_of(again, shelf).column("vehicle").to_pylist() == [3]


def test_an_erasure_keeps_the_place_in_the_lane(hands, shelf):
    site, engine = hands.site, hands.site.engine
    [lane] = queued(hands, shelf, batch(9, 1, 2, 3, 2, 3, 1))
    left = lanes.acknowledged(engine, lane, 3, [2], 5)  # 1, 2 and 3, of which it would not have 3
    assert blanks.erase(engine, shelf, [Scope(2)], site.randomness) == 2
    new = lanes.acknowledged(engine, left, 4, [], 5)  # what was on the wire meanwhile was the erased row
    assert (new.id != left.id, new.sent, new.number, new.first) == (True, 4, lane.number, lane.id)
    assert lanes.rows_of(new, shelf).column("vehicle").to_pylist() == [3, 1]
    said = []
    again = settled(hands, shelf, lanes.acknowledged(engine, new, 6, [4], 6), said)
    assert lanes.rows_of(again, shelf).column("vehicle").to_pylist() == [3, 3]
    assert said == [(3, 0)]  # two that were taken, and one that was sent and then erased


def test_a_row_that_was_refused_and_erased_is_not_tried_again(hands, shelf):
    site, engine = hands.site, hands.site.engine
    [lane] = queued(hands, shelf, batch(9, 1, 2))
    left = lanes.acknowledged(engine, lane, 2, [0], 5)
    assert blanks.erase(engine, shelf, [Scope(1)], site.randomness) == 1
    assert settled(hands, shelf, left, []) is None
    assert lanes.waiting(engine) == []


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_bytes(bytes(99))])
def test_a_file_that_is_lost_stops_no_erasure_and_comes_back_without_the_car(hands, shelf, harm):
    site, engine = hands.site, hands.site.engine
    queued(hands, shelf, batch(9, 1, 2))
    [lost, other] = queued(hands, shelf, batch(9, 1, 3))
    path = shelf.folder / lanes.path_of("national", lost.id)
    raw = path.read_bytes()
    harm(path)
    assert blanks.erase(engine, shelf, [Scope(1)], site.randomness) == 1
    assert blanks.erase(engine, shelf, [Scope(1)], site.randomness) == 0
    assert [lane.id for lane in unsent.lost(engine, shelf, deep=True)] == [lost.id]
    assert other.id not in {lane.id for lane in lanes.waiting(engine)}
    path.write_bytes(raw)
    [back, _] = lanes.waiting(engine)
    assert lanes.rows_of(back, shelf).column("vehicle").to_pylist() == [None, 2]
    assert blanks.erase(engine, shelf, [Scope(3)], site.randomness) == 2  # what was owed is done too
    [new] = lanes.waiting(engine)
    assert (new.owed, new.id != lost.id) == (frozenset(), True)
    assert not path.exists()


def test_what_a_person_gives_up_is_struck_with_its_key(hands, shelf):
    engine, said = hands.site.engine, []
    [lane] = queued(hands, shelf, batch(9, 1, 2))
    assert unsent.drop(engine, shelf, [lane], lambda _, rows: said.append(rows)) == 2
    assert unsent.drop(engine, shelf, [lane], lambda _, rows: said.append(rows)) == 0
    assert said == [2]
    assert lanes.waiting(engine) == []
    assert list(shelf.folder.rglob("*.lane")) == []


def test_a_file_that_is_gone_or_altered_is_broken(hands, shelf):
    [lane] = queued(hands, shelf, batch(1, 2))
    path = shelf.folder / lanes.path_of("national", lane.id)
    raw = path.read_bytes()
    path.write_bytes(raw[:-1] + bytes((raw[-1] ^ 1,)))
    with pytest.raises(Broken, match="does not open"):
        lanes.rows_of(lane, shelf)
    path.unlink()
    with pytest.raises(Broken, match="missing"):
        lanes.rows_of(lane, shelf)


def test_an_erased_car_leaves_no_row_and_no_key(hands, shelf):
    [lane] = queued(hands, shelf, batch(9, 1, 2, 1))
    queued(hands, shelf, batch(9, 1))
    assert blanks.erase(hands.site.engine, shelf, [Scope(1)], hands.site.randomness) == 3
    [new] = lanes.waiting(hands.site.engine)  # the other held nobody else
    assert new.number == lane.number
    assert lanes.rows_of(new, shelf).column("vehicle").to_pylist() == [None, 2, None]
    assert lanes.backlog(hands.site.engine, "national") == 1
    assert [path.stem for path in shelf.folder.rglob("*.lane")] == [new.id]


def two_categories(*vehicles: int) -> pa.RecordBatch:
    """A signal of each of two categories that the law has kept."""
    count = len(vehicles)
    plain = batch(*vehicles).select(["vehicle", "time", "received", "door"])
    fields = [
        pa.field("Speed", pa.float32(), metadata={"statutory": "1", "category": "vehicle-operation"}),
        pa.field("Place", pa.float64(), metadata={"statutory": "1", "category": "track"}),
    ]
    values = [pa.array([1.5] * count, pa.float32()), pa.array([31.25] * count, pa.float64())]
    return pa.RecordBatch.from_arrays([*plain.columns, *values], schema=pa.schema([*plain.schema, *fields]))


def test_a_category_goes_alone_and_its_values_with_it(hands, shelf):
    queued(hands, shelf, two_categories(1, 2, 1))
    scope = Scope(1, categories=frozenset({"track"}))
    assert blanks.erase(hands.site.engine, shelf, [scope], hands.site.randomness) == 2
    [new] = lanes.waiting(hands.site.engine)
    table = lanes.rows_of(new, shelf)
    assert table.column("Place").to_pylist() == [None, 31.25, None]
    assert table.column("Speed").to_pylist() == [1.5] * 3
    held = b"".join(bytes(buffer) for chunk in table.column("Place").chunks for buffer in chunk.buffers() if buffer)
    assert held.count(struct.pack("<d", 31.25)) == 1, "nothing lies under a null"
    rest = Scope(1, categories=frozenset({"vehicle-operation"}))
    assert blanks.erase(hands.site.engine, shelf, [rest], hands.site.randomness) == 2
    [last] = lanes.waiting(hands.site.engine)
    assert lanes.rows_of(last, shelf).column("vehicle").drop_null().to_pylist() == [2]


def test_a_period_goes_alone_and_what_a_floor_holds_stays(hands, shelf):
    queued(hands, shelf, two_categories(1, 1, 1, 1))

    def floor(category, ground, times):
        assert ground == "statutory"
        yield "Art. 9", (times == 2) if category == "track" else np.zeros(len(times), bool)

    scope = Scope(1, start=1, until=3)
    assert blanks.erase(hands.site.engine, shelf, [scope], hands.site.randomness, floor) == 2
    [new] = lanes.waiting(hands.site.engine)
    table = lanes.rows_of(new, shelf)
    table = table.filter(table.column("vehicle").is_valid())
    assert table.column("time").cast(pa.int64()).to_pylist() == [0, 2, 3]
    assert table.column("Speed").to_pylist() == [1.5, None, 1.5]
    assert table.column("Place").to_pylist() == [31.25] * 3


def test_where_a_lane_does_not_say_of_which_category_all_of_the_row_goes(hands, shelf):
    queued(hands, shelf, batch(9, 1, 2, 1))
    scope = Scope(1, categories=frozenset({"track"}))
    assert blanks.erase(hands.site.engine, shelf, [scope], hands.site.randomness) == 2
    [new] = lanes.waiting(hands.site.engine)
    assert lanes.rows_of(new, shelf).column("vehicle").to_pylist() == [None, 2, None]


def test_logins_are_counted_per_day(hands):
    days = [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert [lanes.serial(hands.site.engine, "national", day) for day, _ in days] == [n for _, n in days]
