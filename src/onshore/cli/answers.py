"""Answers: rows as a person or a program reads them: a table, CSV, or a JSON object a line."""

import csv
import io
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from math import isfinite
from typing import Any

import click
import pyarrow as pa

from onshore.cli.common import put

Write = Callable[[pa.RecordBatch], None]
_WIDEST = 60


def writer(form: str, schema: pa.Schema) -> Write:
    """What writes batches to stdout as they come; `form`: "table", "csv" or "json"."""
    if form == "json":
        return _json
    return _csv(schema) if form == "csv" else _Table(schema)


def plain(value: Any) -> Any:
    """A value as JSON has it: instants in ISO 8601 (UTC), spans in seconds, bytes in hex, NaN and infinity as null."""
    for kinds, told in _PLAIN:
        if isinstance(value, kinds):
            return told(value)
    return str(value)


_PLAIN: tuple[tuple[tuple[type, ...], Callable[[Any], Any]], ...] = (
    ((type(None), bool, int, str), lambda value: value),
    ((float,), lambda value: value if isfinite(value) else None),
    ((datetime,), lambda value: value.isoformat(timespec="milliseconds").replace("+00:00", "Z")),
    ((date, time), lambda value: value.isoformat()),
    ((timedelta,), lambda value: value.total_seconds()),
    ((bytes,), lambda value: value.hex()),
    ((dict,), lambda value: {str(key): plain(held) for key, held in value.items()}),
    ((list, tuple), lambda value: [plain(held) for held in value]),
)


def _json(batch: pa.RecordBatch) -> None:
    for row in _rows(batch):
        put(dict(zip(batch.schema.names, row, strict=True)))


def _csv(schema: pa.Schema) -> Write:
    _line(schema.names)

    def write(batch: pa.RecordBatch) -> None:
        for row in _rows(batch):
            _line("" if value is None else value for value in row)

    return write


def _line(values: Iterable[Any]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    click.echo(text.getvalue())


class _Table:
    """Columns as wide as the first batch needs; a later value that is wider is not cut, it only stands out."""

    def __init__(self, schema: pa.Schema) -> None:
        self._names = [_printable(name) for name in schema.names]
        self._widths: list[int] = []

    def __call__(self, batch: pa.RecordBatch) -> None:
        rows = [[_printable("" if value is None else value) for value in row] for row in _rows(batch)]
        if not self._widths:
            columns = zip(self._names, *rows, strict=True)
            self._widths = [min(_WIDEST, max(map(len, column))) for column in columns]
            self._echo(self._names)
            self._echo(["-" * width for width in self._widths])
        for row in rows:
            self._echo(row)

    def _echo(self, row: list[str]) -> None:
        click.echo("  ".join(f"{value:{width}}" for value, width in zip(row, self._widths, strict=True)).rstrip())


def _rows(batch: pa.RecordBatch) -> Iterable[tuple[Any, ...]]:
    columns = [[plain(value) for value in _short(column).to_pylist()] for column in batch.columns]
    return zip(*columns, strict=True)


def _short(column: pa.Array) -> pa.Array:
    """Floats of 32 bits by the fewest digits that tell them apart: 35.7, not 35.70000076."""
    return column.cast(pa.string()).cast(pa.float64()) if column.type == pa.float32() else column


def _printable(value: Any) -> str:
    """A value without what would steer a terminal: a car may have sent anything."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(value))
