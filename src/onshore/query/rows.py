"""Rows: a category as DuckDB scans it: only the columns, days and vehicles that the query needs are opened."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from onshore.query.narrow import Span, columns_in, spans, vehicles
from onshore.query.tables import BASE, Shown
from onshore.words.packed import packed

_FURTHEST = 1 << 52  # milliseconds; a time beyond has no microseconds in 64 bits


@dataclass(frozen=True)
class Scan:
    """What one scan opens: the signals read, spans of time, and vehicles (None: all)."""

    table: Shown
    columns: frozenset[str]
    spans: tuple[Span, ...]
    vehicles: frozenset[int] | None


Open = Callable[[Scan], Iterator[pa.RecordBatch]]
"""The kept batches of a scan, as `register.again` gives them; or none, where it is only noted what would be opened."""


class Rows(ds.Dataset):  # type: ignore[misc] # untyped; DuckDB asks a subclass's own `scanner`
    """A table that is read when DuckDB scans it, each time anew."""

    def __init__(self, table: Shown, cuts: list[int], opening: Open) -> None:
        """`cuts`: instants (ms UTC) between which segments lie; `opening` hands over the rows of a scan."""
        self._table = table
        self._schema = table.schema
        self._cuts = cuts
        self._opening = opening

    @property
    def schema(self) -> pa.Schema:
        """The table's columns."""
        return self._schema

    def scanner(
        self,
        columns: list[str] | None = None,
        filter: pc.Expression | None = None,  # noqa: A002 (the name by which DuckDB hands it over)
        **_hints: object,
    ) -> "_Reading":
        """What DuckDB reads: these columns of the rows that match."""
        wanted = self._schema.names if columns is None else columns
        needed = list(dict.fromkeys([*wanted, *columns_in(filter, self._schema)]))
        scan = Scan(
            self._table,
            frozenset(needed) - BASE.keys(),
            tuple(spans(filter, self._schema, self._cuts)),
            vehicles(filter, self._schema),
        )
        return _Reading(_schema_of(self._schema, wanted), self._matching(self._opening(scan), needed, wanted, filter))

    def _matching(
        self, rows: Iterator[pa.RecordBatch], needed: list[str], wanted: list[str], where: pc.Expression | None
    ) -> Iterator[pa.RecordBatch]:
        for kept in rows:
            table = pa.table([self._column(kept, name) for name in needed], schema=_schema_of(self._schema, needed))
            found = table if where is None else table.filter(where)
            yield from found.select(wanted).to_batches()

    def _column(self, kept: pa.RecordBatch, name: str) -> pa.Array:
        kind = self._schema.field(name).type
        if name not in kept.schema.names:
            return pa.nulls(kept.num_rows, kind)
        column = kept.column(name)
        if name in BASE:
            return _base(column, name)
        how = packed(self._table.signals[name])
        if how is not None:
            return how.lists(column)
        if pa.types.is_list(kind):
            return pa.array([None if v is None else msgspec.json.decode(v) for v in column.to_pylist()], kind)
        return column.cast(kind)


@dataclass(frozen=True)
class _Reading:
    """As much of Arrow's Scanner as DuckDB asks for; nothing is read before DuckDB takes it."""

    projected_schema: pa.Schema
    batches: Iterator[pa.RecordBatch]

    def to_reader(self) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(self.projected_schema, self.batches)


def _schema_of(schema: pa.Schema, names: list[str]) -> pa.Schema:
    return pa.schema([schema.field(name) for name in names])


def _base(column: pa.Array, name: str) -> pa.Array:
    if name == "vehicle":
        ids, places = np.unique(column.to_numpy(), return_inverse=True)
        return pa.array([f"{one:016x}" for one in ids.tolist()]).take(pa.array(places))
    if name == "door":
        return column.cast(pa.string())
    milliseconds = np.clip(column.cast(pa.int64()).to_numpy(), -_FURTHEST, _FURTHEST)
    return pa.array(milliseconds * 1000).cast(BASE[name])
