"""Columns made anew: whatever is withheld is gone from every buffer, and from what IPC writes."""

import decimal
import struct

import numpy as np
import pyarrow as pa
import pytest

from onshore.consent.cells import Shown, again, count, present, to_bits, to_mask
from onshore.words.errors import Malformed

LEAK = 0x5EC2E75EC2E75EC2
BYTES = b"sentinel of a withheld cell"
NAN = struct.unpack("<d", LEAK.to_bytes(8, "little"))[0]

COLUMNS = {
    "int64": (pa.int64(), [LEAK, 1], LEAK.to_bytes(8, "little")),
    "uint32": (pa.uint32(), [LEAK & 0xFFFFFFFF, 1], (LEAK & 0xFFFFFFFF).to_bytes(4, "little")),
    "uint16": (pa.uint16(), [0xA5A5, 1], b"\xa5\xa5"),
    "uint8": (pa.uint8(), [0xA5, 1], b"\xa5"),
    "float64": (pa.float64(), [NAN, 1.0], LEAK.to_bytes(8, "little")),
    "float32": (pa.float32(), [-31.25, 1.0], struct.pack("<f", -31.25)),
    "minus zero": (pa.float64(), [-0.0, 1.0], struct.pack("<d", -0.0)),
    "timestamp": (pa.timestamp("ms"), [0x0123456789A, 1], (0x0123456789A).to_bytes(8, "little")),
    "string": (pa.string(), [BYTES.decode(), "kept"], BYTES),
    "binary": (pa.binary(), [BYTES, b""], BYTES),
    "large string": (pa.large_string(), [BYTES.decode(), "kept"], BYTES),
    "large binary": (pa.large_binary(), [BYTES, b"kept"], BYTES),
    "fixed binary": (pa.binary(27), [BYTES, bytes(27)], BYTES),
    "decimal": (pa.decimal128(30), [decimal.Decimal(LEAK), decimal.Decimal(1)], LEAK.to_bytes(8, "little")),
    "long dictionary": (pa.dictionary(pa.int64(), pa.binary()), [BYTES, b"kept"], BYTES),
    "dictionary": (pa.dictionary(pa.int8(), pa.string()), [BYTES.decode(), "kept"], BYTES),
}


def anywhere(sentinel: bytes, array: pa.Array) -> bool:
    """Whether a sentinel lies in any buffer, or in what IPC writes (whose own frame may hold a short one)."""
    parts = [array.indices, array.dictionary] if pa.types.is_dictionary(array.type) else [array]
    buffers = [b.to_pybytes() for part in parts for b in part.buffers() if b is not None]
    sink = pa.BufferOutputStream()
    batch = pa.RecordBatch.from_arrays([array], ["x"])
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    written = [sink.getvalue().to_pybytes()] if len(sentinel) > 2 else []
    return any(sentinel in some for some in buffers + written)


def planted(kind: pa.DataType, leak: object, good: object) -> pa.Array:
    return pa.array([leak, good, leak, good, None, good, leak], kind)


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("chosen", [None, [0, 2, 3, 5]])
def test_nothing_withheld_is_left(name, start, chosen):
    kind, (leak, good), sentinel = COLUMNS[name]
    array = planted(kind, leak, good).slice(start)
    assert anywhere(sentinel, array)
    rows = None if chosen is None else np.array(chosen)
    taken = array if rows is None else array.take(pa.array(rows))
    good = pa.array([good], kind)[0].as_py()
    mask = np.array([value == good for value in taken.to_pylist()])
    anew = again(array, rows, Shown(mask))
    anew.validate(full=True)
    assert anew.type == kind
    assert anew.to_pylist() == [good if kept else None for kept in mask]
    assert not anywhere(sentinel, anew)


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("rows", [None, np.array([0, 2])])
def test_rows_kept_whole_are_all_there_and_no_other(name, rows):
    kind, (leak, good), sentinel = COLUMNS[name]
    array = pa.array([leak, good, good, good, leak], kind).slice(1, 3)
    anew = again(array, rows, None)
    anew.validate(full=True)
    assert anew.to_pylist() == array.slice(0, 3 if rows is None else 2).to_pylist()
    assert anew.null_count == 0
    assert not anywhere(sentinel, anew)


@pytest.mark.parametrize("name", ["uint16", "float64", "string", "binary", "fixed binary"])
def test_a_column_that_is_kept_whole_stays_as_it_is(name):
    kind, (_, good), _ = COLUMNS[name]
    array = pa.array([good] * 3, kind)
    assert [b and b.address for b in again(array, None, None).buffers()] == [b and b.address for b in array.buffers()]


@pytest.mark.parametrize("ends", [[10, 11, 12], [0, 1, 2]])
def test_bytes_beside_those_of_the_cells_do_not_survive(ends):
    buffers = [None, pa.py_buffer(np.array(ends, np.int32)), pa.py_buffer(b"ab" + b"sentinel" + b"ab")]
    array = pa.Array.from_buffers(pa.binary(), 2, buffers)
    anew = again(array, None, None)
    assert anew.to_pylist() == array.to_pylist()
    assert not anywhere(b"sentinel", anew)


def test_a_value_under_a_null_bit_does_not_survive():
    array = pa.array(np.array([7, LEAK, 9]), mask=np.array([False, True, False]))
    assert anywhere(LEAK.to_bytes(8, "little"), array)
    anew = again(array, None, Shown(to_mask(present(array), 3)))
    assert anew.to_pylist() == [7, None, 9]
    assert not anywhere(LEAK.to_bytes(8, "little"), anew)


@pytest.mark.parametrize("start", [0, 1, 9])
def test_withheld_bits_of_a_boolean_column_are_clear(start):
    array = pa.array([True] * 20 + [None]).slice(start)
    mask = np.arange(len(array)) % 3 == 0
    mask[-1] = False
    anew = again(array, None, Shown(mask))
    assert anew.to_pylist() == [True if kept else None for kept in mask]
    bits = np.unpackbits(np.frombuffer(anew.buffers()[1], np.uint8), bitorder="little")
    assert (bits[: len(mask)] == mask).all()
    assert not bits[len(mask) :].any()
    assert again(array.slice(0, 3), np.array([2, 0]), None).to_pylist() == [True, True]


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 65, 200])
def test_bits_and_masks_are_each_other(rows):
    mask = np.arange(rows) % 3 == 1
    assert (to_mask(to_bits(mask), rows) == mask).all()
    assert count(to_bits(mask)) == mask.sum()


@pytest.mark.parametrize("rows", [1, 63, 64, 65])
@pytest.mark.parametrize("start", [0, 1, 8])
def test_present_counts_the_rows_and_none_beyond(rows, start):
    assert count(present(pa.array([1] * (rows + start)).slice(start))) == rows
    assert count(present(pa.array([None, 1] * (rows + start)).slice(start, 2 * rows))) == rows
    assert count(present(pa.nulls(rows, pa.int8()))) == 0
    assert count(present(pa.nulls(rows))) == 0


def test_a_code_for_a_null_in_the_dictionary_is_no_value():
    codes = pa.array([0, 1, None, 0], pa.int8())
    array = pa.DictionaryArray.from_arrays(codes, pa.array(["here", None]))
    assert to_mask(present(array), 4).tolist() == [True, False, False, True]
    assert again(array, None, Shown(to_mask(present(array), 4))).to_pylist() == ["here", None, None, "here"]


@pytest.mark.parametrize("kind", [pa.list_(pa.int8()), pa.struct({"a": pa.int8()}), pa.string_view()])
def test_nested_columns_are_refused(kind):
    with pytest.raises(Malformed, match="a signal's column is"):
        present(pa.array([], kind))
