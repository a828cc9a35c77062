"""The sieve as a caller meets it: the kept batch, its metadata, and what is refused."""

import numpy as np
import pyarrow as pa
import pytest

from onshore.consent.columns import compile_consents
from onshore.consent.reference import reference_sieve
from onshore.consent.sieve import sieve
from onshore.words.batch import BASE, BASE_NAMES, DOOR, TIME, categories, purposes_of, signals
from onshore.words.consent import Consent
from onshore.words.errors import Malformed
from onshore.words.rulebook import Rulebook
from onshore.words.use import Use

PURPOSES = ("statutory-monitoring", "repair", "insurance")
LAT = 31.230416
BOOK = Rulebook(
    "cn/test",
    "",
    {"Latitude": "track", "Speed": "vehicle-operation", "Odometer": "vehicle-operation"},
    {"gb32960": frozenset({"Speed", "Latitude"}), "gb32960-2025": frozenset({"Speed", "Latitude"})},
    frozenset({"track"}),
    {},
)


def consent(vehicle=1, purpose="repair", category="vehicle-operation", **more):
    terms = {"start": 0, "until": None, "withdrawn": None, "separate": False, "recipients": frozenset()} | more
    return Consent(id=3, person=5, vehicle=vehicle, purpose=purpose, category=category, notice="1", **terms)


def batch(door="mqtt", vehicles=(1, 2, 1), doors=None, **columns):
    columns = columns or {"Latitude": [LAT, LAT, None], "Speed": [1.0, 2.0, 3.0], "Odometer": [None, 7, 9]}
    rows = len(vehicles)
    arrays = [
        pa.array(vehicles, pa.int64()),
        pa.array(range(5, 5 + rows), pa.int64()).cast(TIME),
        pa.array(range(100, 100 + rows), pa.int64()).cast(TIME),
        pa.array(doors or [door] * rows).dictionary_encode().cast(DOOR),
        *map(pa.array, columns.values()),
    ]
    fields = [*BASE, *(pa.field(n, a.type) for n, a in zip(columns, arrays[4:], strict=True))]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def sieved(arrived, *consents, only=None, now=50):
    return sieve(arrived, compile_consents(consents, PURPOSES), BOOK, now, only=only)


def test_the_kept_batch_says_what_its_cells_may_serve():
    said = sieved(batch("gb32960"), consent(), consent(purpose="insurance", start=7))
    kept = said.kept
    assert purposes_of(kept.schema) == PURPOSES
    assert signals(kept.schema) == ["Latitude", "Speed", "Odometer"]
    assert categories(kept.schema) == ["track", "vehicle-operation"]
    assert kept.schema.field("Latitude").metadata == {b"category": b"track", b"statutory": b"1"}
    assert kept.schema.field("Odometer").metadata == {b"category": b"vehicle-operation", b"statutory": b"0"}
    assert kept.column("purposes:track").to_pylist() == [1, 1, 0]
    assert kept.column("purposes:vehicle-operation").to_pylist() == [0b011, 0b001, 0b111]
    assert kept.column("Odometer").to_pylist() == [None, None, 9]
    assert kept.column("received").cast(pa.int64()).to_pylist() == [100, 101, 102]
    assert said.tally.as_rows() == [
        ("track", "consent", "default-off", 1),
        ("track", "consent", "no-consent", 1),
        ("track", "statutory", "statutory", 2),
        ("vehicle-operation", "consent", "consented", 3),
        ("vehicle-operation", "consent", "default-off", 2),
        ("vehicle-operation", "statutory", "statutory", 3),
    ]


def test_rows_and_columns_without_a_kept_cell_are_left_out():
    said = sieved(batch(), consent())
    assert (said.tally.rows_in, said.tally.rows_kept) == (3, 2)
    assert signals(said.kept.schema) == ["Speed", "Odometer"]
    assert categories(said.kept.schema) == ["vehicle-operation"]


@pytest.mark.parametrize("arrived", [batch(), batch(vehicles=(), Speed=pa.array([], pa.float32()))])
def test_nothing_kept_is_no_batch(arrived):
    said = sieved(arrived)
    assert said.kept is None
    assert (said.tally.rows_in, said.tally.rows_kept) == (arrived.num_rows, 0)


def test_not_a_withheld_coordinate_is_written_out():
    secret = np.float64(LAT).tobytes()
    arrived = batch("gb32960", Latitude=[1.0, 2.0, LAT], Speed=[1.0, 2.0, 3.0])
    assert secret in ipc(arrived)
    kept = sieved(arrived, consent(vehicle=1), only=Use("repair")).kept
    assert kept.num_rows == 2
    assert secret not in ipc(kept)
    part = sieved(arrived.slice(0, 2)).kept
    assert part.num_rows == 2
    assert secret not in ipc(part)


def ipc(arrived: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, arrived.schema) as stream:
        stream.write_batch(arrived)
    return sink.getvalue().to_pybytes()


def test_statutory_rows_serve_nothing_else():
    kept = sieved(batch("gb32960")).kept
    assert kept.column("purposes:track").to_pylist() == [1, 1, 0]
    compiled = compile_consents([], PURPOSES)
    assert sieve(kept, compiled, BOOK, 50, only=Use("repair")).kept is None
    assert sieve(kept, compiled, BOOK, 50, only=Use("statutory-monitoring")).kept.equals(kept)


def test_purposes_columns_that_arrive_are_not_believed():
    forged = batch().append_column("purposes:track", pa.array([6, 6, 6])).append_column("purposes", pa.array([6] * 3))
    assert sieved(forged).kept is None
    kept = sieved(forged, consent(separate=True, category="track")).kept
    assert kept.column("purposes:track").to_pylist() == [2]


def test_doors_may_mix_where_the_law_keeps_the_same_there():
    both = batch(doors=["gb32960", "gb32960-2025", "gb32960"])
    kept = sieved(both).kept
    assert kept.column("door").to_pylist() == ["gb32960", "gb32960-2025", "gb32960"]
    mixed = batch(doors=["gb32960", "mqtt", "gb32960"])
    assert sieved(mixed, consent(), only=Use("repair")).kept.column("door").to_pylist() == ["gb32960"] * 2
    with pytest.raises(Malformed, match="several doors"):
        sieved(mixed)
    with pytest.raises(Malformed, match="several doors"):
        reference_sieve(mixed, [], PURPOSES, BOOK, 50)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("vehicle", pa.array([1, None, 1], pa.int64())),
        ("vehicle", pa.array([1, 2, 1], pa.int32())),
        ("time", pa.array([1, 2, 3])),
        ("door", pa.array(["mqtt"] * 3)),
    ],
)
def test_a_wrong_base_column_is_refused(name, array):
    wrong = batch().set_column(batch().schema.names.index(name), name, array)
    with pytest.raises(Malformed) as caught:
        sieved(wrong)
    assert caught.value.where == name


@pytest.mark.parametrize("name", sorted(BASE_NAMES))
def test_a_missing_base_column_is_refused(name):
    with pytest.raises(Malformed, match=name):
        sieved(batch().drop_columns([name]))


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(Malformed, match="same name"):
        sieved(batch().append_column("Speed", pa.array([1, 2, 3])))


@pytest.mark.parametrize("purpose", ["statutory-monitoring", "advertising"])
def test_the_reference_too_refuses_consents_that_nobody_can_give(purpose):
    with pytest.raises(Malformed, match="nobody can consent"):
        reference_sieve(batch(), [consent(purpose=purpose)], PURPOSES, BOOK, 50)
