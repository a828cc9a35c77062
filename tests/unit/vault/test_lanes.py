"""Lanes: files of rows that wait for a platform, each listed, opened and struck by itself."""

import pyarrow as pa
import pytest

from onshore.vault import lanes
from onshore.vault.lanes import Sending
from onshore.vault.papers import writing
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
    from onshore.vault import strays

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
    left = lanes.acknowledged(hands.site.engine, lane, 1, 1, 5, lambda _, refused: said.append(refused))
    assert left is not None
    assert (left.sent, left.refused, lanes.rows_of(left, shelf).num_rows) == (1, 1, 1)
    assert lanes.backlog(hands.site.engine, "national") == 1
    lanes.clear(hands.site.engine, shelf.folder, left)  # still listed: its file stays
    assert lanes.acknowledged(hands.site.engine, left, 2, 1, 6, lambda _, refused: said.append(refused)) is None
    assert said == [1]
    lanes.clear(hands.site.engine, shelf.folder, left)
    assert lanes.last_answer(hands.site.engine, "national") == 6
    assert list(shelf.folder.rglob("*.lane")) == []
    assert lanes.acknowledged(hands.site.engine, left, 1, 1, 7, lambda *_: said.append(0)) is None  # struck meanwhile
    assert lanes.acknowledged(hands.site.engine, left, 2, 1, 7, lambda *_: said.append(0)) is None
    assert said == [1]


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
    assert lanes.erase(hands.site.engine, shelf, 1, hands.site.randomness) == 3
    [new] = lanes.waiting(hands.site.engine)  # the other held nobody else
    assert new.number == lane.number
    assert lanes.rows_of(new, shelf).column("vehicle").to_pylist() == [2]
    assert [path.stem for path in shelf.folder.rglob("*.lane")] == [new.id]


def test_logins_are_counted_per_day(hands):
    days = [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert [lanes.serial(hands.site.engine, "national", day) for day, _ in days] == [n for _, n in days]
