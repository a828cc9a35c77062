"""Columns of a batch, filled from data read together or cell by cell, and put into one Arrow batch."""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from onshore.gate.fleet import tables
from onshore.gate.fleet.data import Data
from onshore.gate.fleet.signals import TARGETS, TYPES, Target
from onshore.gate.fleet.values import LIMITS, Value
from onshore.gate.fleet.walk import Index, Mask

ARROW = {
    "float": pa.float32(),
    "double": pa.float64(),
    "int8": pa.int8(),
    "uint8": pa.uint8(),
    "uint16": pa.uint16(),
    "uint32": pa.uint32(),
    "boolean": pa.bool_(),
    "string": pa.string(),
}
_NUMPY: dict[str, type] = {
    "float": np.float32,
    "double": np.float64,
    "int8": np.int8,
    "uint8": np.uint8,
    "uint16": np.uint16,
    "uint32": np.uint32,
    "boolean": np.bool_,
    "string": np.object_,
}
_ORDER = list(TYPES)

Cells = npt.NDArray[np.generic]


class Columns:
    """So many rows of any signals of this door; `any`: which rows have a value at all."""

    def __init__(self, rows: int) -> None:
        self.any = np.zeros(rows, np.bool_)
        self.unreadable = 0
        self._rows = rows
        self._cells: dict[str, tuple[Cells, Mask]] = {}

    def put(self, row: int, signal: str, value: Value) -> None:
        """One cell."""
        cells, valid = self._column(signal)
        cells[row] = value
        valid[row] = self.any[row] = True

    def fill(self, data: Data) -> int:
        """All data of payloads whose rows are their lanes; how many data no signal stands for."""
        order = np.argsort(np.minimum(data.key, 1 << 15).astype(np.uint16), kind="stable")
        keys = data.key[order]
        starts = np.flatnonzero(np.concatenate([keys[:1] >= 0, keys[1:] != keys[:-1]]))
        unknown = 0
        for start, stop in pairwise([*starts.tolist(), len(keys)]):
            of = order[start:stop]
            targets = TARGETS.get(int(keys[start]))
            if targets is None:
                unknown += len(of)
            else:
                self._field(data, self._latest(data, of), targets)
        return unknown

    def batch(self, base: list[pa.Array], fields: Iterable[pa.Field], take: Index) -> pa.RecordBatch:
        """The rows to take, in that order, behind the columns of `base`."""
        names = [name for name in _ORDER if name in self._cells]
        schema = pa.schema([*fields, *(pa.field(name, ARROW[TYPES[name]]) for name in names)])
        return pa.RecordBatch.from_arrays([*base, *(self._array(name, take) for name in names)], schema=schema)

    def _array(self, name: str, take: Index) -> pa.Array:
        cells, valid = self._cells[name]
        return pa.array(cells[take], ARROW[TYPES[name]], mask=~valid[take])

    def _column(self, signal: str) -> tuple[Cells, Mask]:
        column = self._cells.get(signal)
        if column is None:
            cells: Cells = np.zeros(self._rows, _NUMPY[TYPES[signal]])
            column = self._cells[signal] = cells, np.zeros(self._rows, np.bool_)
        return column

    def _latest(self, data: Data, of: Index) -> Index:
        """Of a field that a payload gives twice, the last; and none where the value is none."""
        lanes = data.lane[of]
        last = np.zeros(self._rows, np.int64)
        last[lanes] = of
        latest: Index = of[(last[lanes] == of) & (data.kind[of] != tables.INVALID)]
        return latest

    def _field(self, data: Data, of: Index, targets: tuple[Target, ...]) -> None:
        if not of.size:
            return
        for target in targets:
            if target.plain:
                values, good = _measured(data.number[of], target)
                odd = np.flatnonzero(~good & (data.item[of] >= 0))
            elif target.place is not None and (data.kind[of] == tables.LOCATION).any():
                values, good = _half(data, of, target.place)
                odd = np.flatnonzero(data.item[of] >= 0)
            else:
                values, good = np.zeros(len(of), _NUMPY[target.type]), np.zeros(len(of), np.bool_)
                odd = np.arange(len(of))
            _each(data, of[odd], target, values, good, odd)
            self.unreadable += len(of) - int(good.sum())
            self._store(target.signal, data.lane[of], values, good)

    def _store(self, signal: str, rows: Index, values: Cells, good: Mask) -> None:
        rows = rows[good]
        if rows.size:
            cells, valid = self._column(signal)
            cells[rows] = values[good]
            valid[rows] = self.any[rows] = True


def _measured(number: npt.NDArray[np.float64], target: Target) -> tuple[Cells, Mask]:
    """Numbers in the signal's unit and type: `values.fitted` of many at once."""
    least, most = LIMITS[target.type]
    with np.errstate(invalid="ignore", over="ignore"):
        values = number * target.factor
        if target.type not in {"float", "double"}:
            values = np.rint(values)
        good = (values >= least) & (values <= most)
    return np.where(good, values, 0).astype(_NUMPY[target.type]), good


def _half(data: Data, of: Index, second: int) -> tuple[Cells, Mask]:
    first, last = data.first[of], data.second[of]
    good = (data.kind[of] == tables.LOCATION) & (data.item[of] < 0)
    good &= (np.abs(first) <= 90) & (np.abs(last) <= 180)
    return last if second else first, good


def _each(data: Data, of: Index, target: Target, values: Cells, good: Mask, places: Index) -> None:
    """Values of which there are few kinds: each distinct one is read once, as the plain reader reads it."""
    kind, item = data.kind[of], data.item[of]
    low = np.where(item >= 0, item, data.whole[of] & _LOW)
    codes, at = np.unique(kind << 33 | (item >= 0).astype(np.int64) << 32 | low, return_inverse=True)
    read = [_one(data, target, code) for code in codes.tolist()]
    there = np.array([value is not None for value in read], np.bool_)
    distinct = np.zeros(len(read), values.dtype)
    for number, value in enumerate(read):
        if value is not None:
            distinct[number] = value
    values[places], good[places] = distinct[at], there[at]


_LOW = (1 << 32) - 1


def _one(data: Data, target: Target, code: int) -> Value | None:
    kind, low = code >> 33, code & _LOW
    if kind in _NUMERIC:
        return None  # read as numbers, or mean nothing here
    if code >> 32 & 1:
        return target.read(kind, data.items[low])
    return target.read(kind, low == 1 if kind == tables.BOOLEAN else _signed(low))


_NUMERIC = frozenset((tables.INT, tables.LONG, tables.FLOAT, tables.DOUBLE))


def _signed(low: int) -> int:
    return low - (1 << 32) if low >> 31 else low
