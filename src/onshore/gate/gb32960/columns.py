"""The columns of a batch: which they are, and their values from the bytes of many frames at once.

What a source of a column says of rows that lack it is zero, so a column is the sum of its sources.
"""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from onshore.gate.gb32960.layout import PARTS, Bytes
from onshore.gate.gb32960.sources import LISTS, NUMBERS, PARTS_OF, SPECIAL, Made, Mask, Values
from onshore.words.batch import BASE

SIGNATURE_STATE = "Vehicle.Onshore.SignatureState"
"""Column of `signatures.State`: of frames of the 2025 edition whose signature somebody looked at."""

Written = tuple[pa.DataType, "np.dtype[np.generic] | None"]
"""A type of Arrow's and its numbers in numpy's words; none for truth, which Arrow writes as bits."""

_PART = {name: i for i, name in enumerate(PARTS)}


class Columns:
    """The columns of batches that carry certain unit types, computed all at once.

    `begins`: per part of PARTS where it begins in a row of all fixed parts side by side; `width`: the bytes of it.
    """

    def __init__(self, kinds: frozenset[int]) -> None:
        parts = {part for kind in kinds for part in PARTS_OF.get(kind, ())}
        self.begins, self.width = _side_by_side(parts)
        found = [n for n in NUMBERS if n.part in parts]
        first = {n.name: n for n in reversed(found)}
        numbers = [n for n in found if first[n.name] is n]
        place = {n.name: i for i, n in enumerate(numbers)}
        second = [n for n in found if first[n.name] is not n]
        self._firsts = np.array([place[n.name] for n in second], np.intp)
        self._types = [_written(n.type) for n in numbers]
        special = [s for s in SPECIAL if s[1] in parts]
        self._added = [(place[name], part, made) for name, part, _, made in special if name in place]
        also: dict[tuple[str, pa.DataType], list[tuple[str, Made]]] = {}
        for name, part, kind, made in special:
            if name not in place:
                also.setdefault((name, kind), []).append((part, made))
        self._special = [(_written(kind), sources) for (_, kind), sources in also.items()]
        self.lists = list(dict.fromkeys(name for kind in sorted(kinds) for name in LISTS.get(kind, ())))
        self.schema = pa.schema(
            [
                *BASE,
                *(pa.field(n.name, n.type) for n in numbers),
                *(pa.field(name, kind) for name, kind in also),
                *(pa.field(name, pa.binary()) for name in self.lists),
            ]
        )
        self.signed = self.schema.append(pa.field(SIGNATURE_STATE, pa.uint8()))
        numbers += second
        low = np.array([self.begins[_PART[n.part]] + n.at + n.size - 1 for n in numbers], np.intp)
        self._low = low
        high = [lo if n.size == 2 else self.width for n, lo in zip(numbers, low - 1, strict=True)]
        self._high = np.array(high, np.intp)
        self._part = np.array([_PART[n.part] for n in numbers], np.intp)
        self._limit = _column(256**n.size - 2 * n.codes for n in numbers)
        self._zero = _column(n.zero for n in numbers)
        self._per = _column(n.per for n in numbers)

    def values(self, rows: Bytes, has: Mask) -> list[pa.Array]:
        """Arrays of numbers and special columns, in the schema's order.

        `rows`: (width + 1, rows) bytes of the fixed parts, the last line zero; `has`: (parts, rows). What is
        invalid, abnormal or absent is null, and zero beneath.
        """
        raw = rows[self._high].astype(np.float32)
        raw *= 256
        raw += rows[self._low]
        good = raw < self._limit
        good &= has[self._part]
        raw -= self._zero
        raw /= self._per
        np.copyto(raw, 0, where=~good)
        count = len(self._types)
        raw[self._firsts] += raw[count:]
        good[self._firsts] |= good[count:]
        for place, part, made in self._added:
            values, there = self._made(part, made, rows, has)
            raw[place] += values
            good[place] |= there
        arrays = pack(raw[:count], good[:count], self._types)
        for kind, sources in self._special:
            values, there = self._made(*sources[0], rows, has)
            for part, made in sources[1:]:
                more, where = self._made(part, made, rows, has)
                values, there = values + more, there | where
            arrays += pack(values[None], there[None], [kind])
        return arrays

    def _made(self, part: str, made: Made, rows: Bytes, has: Mask) -> tuple[Values, Mask]:
        begin = self.begins[_PART[part]]
        values, counts = made(rows[begin : begin + PARTS[part]])
        there = has[_PART[part]] & counts
        return np.where(there, values, values.dtype.type(0)), there


@lru_cache(maxsize=1024)
def columns(kinds: frozenset[int]) -> Columns:
    """The columns for these unit types. A fleet has a few combinations; what others cost is bounded by a batch."""
    return Columns(kinds)


def _written(kind: pa.DataType) -> Written:
    return kind, None if kind == pa.bool_() else np.dtype(kind.to_pandas_dtype())


def pack(values: Values, good: Mask, types: list[Written]) -> list[pa.Array]:
    """Arrow arrays of the lines of `values`, null where not `good`."""
    size = values.shape[1]
    full = np.logical_and.reduce(good, axis=1)
    bits = np.packbits(good, axis=1, bitorder="little")
    arrays = []
    for line, (kind, numbers), whole, valid in zip(values, types, full.tolist(), bits, strict=True):
        data = np.packbits(line, bitorder="little") if numbers is None else line.astype(numbers, copy=False)
        buffers = [None if whole else pa.py_buffer(valid), pa.py_buffer(data)]
        arrays.append(pa.Array.from_buffers(kind, size, buffers))
    return arrays


def _side_by_side(parts: set[str]) -> tuple[tuple[int, ...], int]:
    begins, at = [], 0
    for name, size in PARTS.items():
        begins.append(at)
        at += size if name in parts else 0
    return tuple(begins), at


def _column(numbers: Iterable[int]) -> npt.NDArray[np.float32]:
    return np.array(list(numbers), np.float32)[:, None]
