"""Values of a file's channels become columns of the catalogue's signals, and rows become one batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from onshore.gate.upload.reading import Rows
from onshore.words.batch import BASE, DOOR, TIME
from onshore.words.catalogue import Signal

NAME = "upload"
LATEST = 253_402_300_799_999  # the last millisecond of the year 9999
_RANGES = {f"{sign}int{bits}": np.iinfo(f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32)}


@dataclass(frozen=True)
class Target:
    """What a channel is: signal = value * scale + offset; `values` says what words (or numbers as text) stand for."""

    signal: Signal
    scale: float = 1.0
    offset: float = 0.0
    values: Mapping[str, float | str | bool] = field(default_factory=dict)


def numbers(target: Target, values: NDArray[np.float64]) -> pa.Array:
    """A column of numbers, NaN for absent; what its signal's type cannot hold is absent too."""
    storage = target.signal.storage
    if storage == "binary":
        return pa.nulls(len(values), pa.binary())
    if target.values:
        return texts(target, [None if np.isnan(v) else f"{v:g}" for v in values.tolist()])
    if storage == "string":
        return pa.array([None if np.isnan(v) else f"{v:g}" for v in values.tolist()], pa.string())
    with np.errstate(all="ignore"):  # what a file makes too large is absent, as below
        scaled = values * target.scale + target.offset
    absent = ~np.isfinite(scaled)
    if storage == "bool":
        return pa.array(np.nan_to_num(scaled) != 0, mask=absent)
    if storage in _RANGES:
        whole = np.rint(np.where(absent, 0, scaled))
        absent |= (whole < _RANGES[storage].min) | (whole > _RANGES[storage].max)
        return pa.array(np.where(absent, 0, whole).astype(storage), mask=absent)
    kind = np.dtype(storage)
    absent |= np.abs(scaled) > np.finfo(kind).max
    return pa.array(np.where(absent, 0, scaled).astype(kind), mask=absent)


def texts(target: Target, values: Sequence[str | None]) -> pa.Array:
    """A column of text cells, None and blank for absent; what is no value of its signal is absent too."""
    said = [None if value is None or not value.strip() else value.strip() for value in values]
    if target.values:
        found = [None if value is None else target.values.get(value) for value in said]
        if target.signal.storage == "string":
            return pa.array([None if v is None else str(v) for v in found], pa.string())
        return numbers(_plain(target), np.array([np.nan if v is None else _number(str(v)) for v in found], np.float64))
    if target.signal.storage == "string":
        return pa.array(said, pa.string())
    return numbers(target, np.array([np.nan if v is None else _number(v) for v in said], np.float64))


def batch(vehicle: int, received: int, parts: Sequence[Rows]) -> pa.RecordBatch:
    """One batch of all rows, `received` ms UTC; a row without any value, or out of all time, is none."""
    tables = [pa.table({"time": pa.array(part.times, pa.int64()), **part.columns}) for part in parts if part.columns]
    if not tables:
        return _whole(vehicle, received, pa.table({"time": pa.array([], pa.int64())}))
    whole = pa.concat_tables(tables, promote_options="default")
    names = [name for name in whole.column_names if name != "time"]
    some = pc.is_valid(whole.column(names[0]))
    for name in names[1:]:
        some = pc.or_(some, pc.is_valid(whole.column(name)))
    times = whole.column("time")
    kept = whole.filter(pc.and_(some, pc.and_(pc.greater_equal(times, 0), pc.less_equal(times, LATEST))))
    return _whole(vehicle, received, kept)


def _whole(vehicle: int, received: int, rows: pa.Table) -> pa.RecordBatch:
    count, rows = rows.num_rows, rows.combine_chunks()
    found = {
        name: rows.column(name).combine_chunks()
        for name in rows.column_names
        if name != "time" and rows.column(name).null_count < count
    }
    columns = {name: array.chunk(0) if isinstance(array, pa.ChunkedArray) else array for name, array in found.items()}
    times = rows.column("time").combine_chunks().to_numpy() if count else np.zeros(0, np.int64)
    base = [
        pa.array(np.full(count, vehicle, np.int64)),
        pa.array(times, pa.int64()).cast(TIME),
        pa.array(np.full(count, received, np.int64)).cast(TIME),
        pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int8)), pa.array([NAME], DOOR.value_type)),
    ]
    fields = [pa.field(name, column.type) for name, column in columns.items()]
    return pa.RecordBatch.from_arrays([*base, *columns.values()], schema=pa.schema([*BASE, *fields]))


def _plain(target: Target) -> Target:
    return Target(target.signal, target.scale, target.offset)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return {"true": 1.0, "false": 0.0}.get(text.lower(), np.nan)
