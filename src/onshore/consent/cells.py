"""Cells in Arrow buffers: which are present, and a column anew with nothing left of those withheld.

Arrow keeps a value under the bit that marks it null, and IPC writes it out. Here every buffer is made anew,
and a withheld cell is zero in it, or no bytes at all. Masks of many rows are held as bits in 64-bit words.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from onshore.words.errors import Malformed

Bits = NDArray[np.uint64]
Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]

_BYTES = frozenset(t.id for t in (pa.binary(), pa.string()))
_LARGE_BYTES = frozenset(t.id for t in (pa.large_binary(), pa.large_string()))
_BOOLEAN, _DICTIONARY, _NULL = pa.bool_().id, pa.dictionary(pa.int8(), pa.string()).id, pa.null().id
_FIXED = frozenset(
    t.id
    for t in (
        *(pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
        *(pa.float16(), pa.float32(), pa.float64(), pa.decimal128(1), pa.decimal256(1), pa.binary(1)),
        *(pa.date32(), pa.date64(), pa.time32("s"), pa.time64("us"), pa.timestamp("ms"), pa.duration("ms")),
    )
)


def to_bits(mask: Mask) -> Bits:
    """A mask of n rows as ⌈n/64⌉ words, lowest bit first, the rest clear."""
    packed = np.packbits(mask, bitorder="little")
    return _whole(packed, len(mask))


def to_mask(bits: Bits, rows: int) -> Mask:
    """The reverse of `to_bits`."""
    return np.unpackbits(bits.view(np.uint8), count=rows, bitorder="little").view(np.bool_)


def count(bits: Bits) -> int:
    """How many bits are set."""
    return int(np.bitwise_count(bits).sum(dtype=np.int64))


def present(array: pa.Array) -> Bits:
    """Which cells have a value: not null, nor pointing at a null in a dictionary. Refuses nested columns."""
    _check(array.type)
    if array.null_count == len(array):
        return np.zeros((len(array) + 63) // 64, np.uint64)
    if array.type.id == _DICTIONARY and array.dictionary.null_count:
        named = to_mask(present(array.dictionary), len(array.dictionary))
        mask = to_mask(present(array.indices), len(array))
        mask[mask] = named[_fixed(array.indices)[mask]]
        return to_bits(mask)
    if array.null_count:
        return to_bits(_unpacked(array.buffers()[0], array))
    every = np.full((len(array) + 63) // 64, ~np.uint64(0))
    every[-1] >>= np.uint64(-len(array) % 64)
    return every


def again(array: pa.Array, rows: Ints | None, mask: Mask | None) -> pa.Array:
    """The column of the given rows (all when None), null and zero where the mask of those rows is false."""
    kind = array.type.id
    if kind == _DICTIONARY:
        return _again_dictionary(array, rows, mask)
    if kind in _BYTES or kind in _LARGE_BYTES:
        return _again_bytes(array, rows, mask)
    if kind == _BOOLEAN:
        values = _chosen(_unpacked(array.buffers()[1], array), rows)
        data = np.packbits(values if mask is None else values & mask, bitorder="little")
    else:
        data = _zeroed(_chosen(_fixed(array), rows), mask)
    return _array(array.type, len(array) if rows is None else len(rows), mask, data)


def _check(kind: pa.DataType) -> None:
    value = (kind.value_type if kind.id == _DICTIONARY else kind).id
    if value not in _FIXED | _BYTES | _LARGE_BYTES | {_BOOLEAN, _NULL}:
        raise Malformed(f"a signal's column is {kind}; numbers, bytes, text and dictionaries of them pass")


def _whole(packed: NDArray[np.uint8], rows: int) -> Bits:
    words = np.zeros((rows + 63) // 64, np.uint64)
    words.view(np.uint8)[: len(packed)] = packed
    return words


def _unpacked(buffer: pa.Buffer, array: pa.Array) -> Mask:
    """The bits of a buffer that belong to an array, which may be a slice."""
    bits = np.unpackbits(np.frombuffer(buffer, np.uint8), count=array.offset + len(array), bitorder="little")
    return bits[array.offset :].view(np.bool_)


def _fixed(array: pa.Array) -> NDArray[Any]:
    """Values of fixed width as unsigned integers, for a float times zero may keep its sign, or be no number."""
    width = array.type.bit_width // 8
    raw = np.frombuffer(array.buffers()[1], np.uint8, len(array) * width, array.offset * width)
    return raw.view(f"u{width}") if width in {1, 2, 4, 8} else raw.reshape(len(array), width)


def _chosen(values: NDArray[Any], rows: Ints | None) -> NDArray[Any]:
    return values.copy() if rows is None else values.take(rows, axis=0)


def _zeroed(values: NDArray[Any], mask: Mask | None) -> NDArray[Any]:
    if mask is None:
        return values
    np.multiply(values, mask if values.ndim == 1 else mask[:, None], out=values)
    return values


def _array(kind: pa.DataType, rows: int, mask: Mask | None, *data: NDArray[Any] | pa.Buffer) -> pa.Array:
    nulls = 0 if mask is None else rows - int(np.count_nonzero(mask))
    validity = None if mask is None or not nulls else pa.py_buffer(np.packbits(mask, bitorder="little"))
    return pa.Array.from_buffers(kind, rows, [validity, *map(pa.py_buffer, data)], nulls)


def _again_bytes(array: pa.Array, rows: Ints | None, mask: Mask | None) -> pa.Array:
    """Copies the bytes of kept cells alone: no withheld one is ever looked at."""
    rows = np.arange(len(array)) if rows is None else rows
    kept = slice(None) if mask is None else np.flatnonzero(mask)
    copied = pc.take(array, pa.array(rows[kept]), boundscheck=False)
    width = np.dtype(np.int64 if array.type.id in _LARGE_BYTES else np.int32)
    ends: NDArray[Any] = np.frombuffer(copied.buffers()[1], width, len(copied) + 1, copied.offset * width.itemsize)
    lengths, offsets = np.zeros(len(rows), width), np.zeros(len(rows) + 1, width)
    lengths[kept] = ends[1:] - ends[:-1]
    np.cumsum(lengths, out=offsets[1:])
    data = (copied.buffers()[2] or pa.py_buffer(b"")).slice(int(ends[0]), int(ends[-1] - ends[0]))
    return _array(array.type, len(rows), mask, offsets, data)


def _again_dictionary(array: pa.Array, rows: Ints | None, mask: Mask | None) -> pa.Array:
    """The dictionary keeps only what kept cells say."""
    kind = array.type
    codes = _zeroed(_chosen(_fixed(array.indices), rows), mask)
    places = codes.astype(np.intp)
    used = np.flatnonzero(np.bincount(places if mask is None else places[mask], minlength=len(array.dictionary)))
    if len(used) < len(array.dictionary):
        anew = np.zeros(len(array.dictionary), codes.dtype)
        anew[used] = np.arange(len(used))
        codes = _zeroed(anew.take(places), mask)
    indices = _array(kind.index_type, len(codes), mask, codes)
    words = again(array.dictionary, used, None)
    return pa.DictionaryArray.from_arrays(indices, words, ordered=kind.ordered)
