"""Cells in Arrow buffers: which are present, and a column anew with nothing left of those withheld.

Arrow keeps a value under the bit that marks it null, and IPC writes it out. Here every buffer is made anew,
and a withheld cell is zero in it, or no bytes at all; a column stays as it is where its buffers hold kept cells and
nothing else. Masks of many rows are held as bits in 64-bit words.
"""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
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


_KNOWN = _FIXED | _BYTES | _LARGE_BYTES | {_BOOLEAN, _NULL}


class Shown:
    """Which cells of a column show their value; columns that are alike share it, and the buffer that says so."""

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self.nulls = len(mask) - int(np.count_nonzero(mask))
        self.validity = pa.py_buffer(np.packbits(mask, bitorder="little")) if self.nulls else None
        self._ones: dict[int, NDArray[Any]] = {}

    def ones(self, kind: np.dtype[Any]) -> NDArray[Any]:
        """Per cell all bits of an unsigned integer, or none."""
        if kind.itemsize not in self._ones:
            self._ones[kind.itemsize] = np.negative(self.mask.astype(kind))
        return self._ones[kind.itemsize]


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
        return _validity(array)
    return _every(len(array))


def _validity(array: pa.Array) -> Bits:
    """The validity bits of an array that has some: copied, or shifted where a slice begins inside a byte."""
    buffer = array.buffers()[0]
    if array.offset % 8:
        return to_bits(_unpacked(buffer, array))
    packed = np.frombuffer(buffer, np.uint8, (len(array) + 7) // 8, array.offset // 8)
    return _whole(packed, len(array)) & _every(len(array))


@lru_cache(maxsize=64)
def _every(rows: int) -> Bits:
    every = np.full((rows + 63) // 64, ~np.uint64(0))
    every[-1] >>= np.uint64(-rows % 64)
    every.setflags(write=False)
    return every


def alike(cells: Iterable[Bits]) -> list[tuple[Bits, int]]:
    """Each of these arrays once, and how many times it is there; one that is equal but another is another."""
    times = Counter(map(id, cells := list(cells)))
    return [(cell, times[key]) for key, cell in {id(cell): cell for cell in cells}.items()]


def whole(values: Ints) -> pa.Array:
    """A column of 64-bit integers without nulls."""
    return _array(pa.int64(), len(values), None, values)


def again(array: pa.Array, rows: Ints | None, shown: Shown | None) -> pa.Array:
    """The column of the given rows (all when None), null and zero where those rows do not show it (None: all do)."""
    kind = array.type.id
    if rows is None and shown is None and _bare(array):
        return array
    if kind == _DICTIONARY:
        return _again_dictionary(array, rows, shown)
    if kind in _BYTES or kind in _LARGE_BYTES:
        return _again_bytes(array, rows, shown)
    if kind == _BOOLEAN:
        values = _chosen(_unpacked(array.buffers()[1], array), rows)
        data = np.packbits(values if shown is None else values & shown.mask, bitorder="little")
    else:
        data = _zeroed(_chosen(_fixed(array), rows), shown)
    return _array(array.type, len(array) if rows is None else len(rows), shown, data)


def _bare(array: pa.Array) -> bool:
    """Whether the buffers of a column without nulls hold the values of its cells, and nothing beside them."""
    rows, kind, buffers = len(array), array.type, array.buffers()
    if kind.id in _FIXED:
        return bool(buffers[1].size == rows * kind.bit_width // 8)
    if kind.id not in _BYTES:
        return False
    ends = np.frombuffer(buffers[1], np.int32)
    return bool(len(ends) == rows + 1 and ends[0] == 0 and ends[-1] == (buffers[2].size if buffers[2] else 0))


def _check(kind: pa.DataType) -> None:
    value = (kind.value_type if kind.id == _DICTIONARY else kind).id
    if value not in _KNOWN:
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


def _zeroed(values: NDArray[Any], shown: Shown | None) -> NDArray[Any]:
    if shown is None:
        return values
    if values.ndim == 1:
        np.bitwise_and(values, shown.ones(values.dtype), out=values)
    else:
        np.multiply(values, shown.mask[:, None], out=values)
    return values


def _array(kind: pa.DataType, rows: int, shown: Shown | None, *data: NDArray[Any] | pa.Buffer) -> pa.Array:
    validity, nulls = (None, 0) if shown is None else (shown.validity, shown.nulls)
    return pa.Array.from_buffers(kind, rows, [validity, *map(pa.py_buffer, data)], nulls)


def _again_bytes(array: pa.Array, rows: Ints | None, shown: Shown | None) -> pa.Array:
    """Copies the bytes of kept cells alone: no withheld one is ever looked at."""
    rows = np.arange(len(array)) if rows is None else rows
    kept = slice(None) if shown is None else np.flatnonzero(shown.mask)
    copied = pc.take(array, pa.array(rows[kept]), boundscheck=False)
    width = np.dtype(np.int64 if array.type.id in _LARGE_BYTES else np.int32)
    ends: NDArray[Any] = np.frombuffer(copied.buffers()[1], width, len(copied) + 1, copied.offset * width.itemsize)
    lengths, offsets = np.zeros(len(rows), width), np.zeros(len(rows) + 1, width)
    lengths[kept] = ends[1:] - ends[:-1]
    np.cumsum(lengths, out=offsets[1:])
    data = (copied.buffers()[2] or pa.py_buffer(b"")).slice(int(ends[0]), int(ends[-1] - ends[0]))
    return _array(array.type, len(rows), shown, offsets, data)


def _again_dictionary(array: pa.Array, rows: Ints | None, shown: Shown | None) -> pa.Array:
    """The dictionary keeps only what kept cells say."""
    kind = array.type
    codes = _zeroed(_chosen(_fixed(array.indices), rows), shown)
    places = codes.astype(np.intp)
    used = np.flatnonzero(np.bincount(places if shown is None else places[shown.mask], minlength=len(array.dictionary)))
    if len(used) < len(array.dictionary):
        anew = np.zeros(len(array.dictionary), codes.dtype)
        anew[used] = np.arange(len(used))
        codes = _zeroed(anew.take(places), shown)
    indices = _array(kind.index_type, len(codes), shown, codes)
    words = again(array.dictionary, used, None)
    return pa.DictionaryArray.from_arrays(indices, words, ordered=kind.ordered)
