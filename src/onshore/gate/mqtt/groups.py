"""Rows of messages that were read the same way, and the columns that they make."""

from collections.abc import Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

import msgspec
import pyarrow as pa

from onshore.gate.mqtt.shapes import LATEST, MOST_ROWS, TIME, Shape, Shapes
from onshore.words.errors import Malformed

Row = Any
Columns = dict[str, pa.Array]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_OBJECTS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_INSTANT = msgspec.json.Decoder(TIME)
_NOTHING = (b"", b"null")


class Group:
    """Rows of one shape, each with the place of its message in the batch and its instant (ms UTC)."""

    def __init__(self, shape: Shape) -> None:
        self._fields, self._lists = shape.plain, shape.lists
        self.messages: list[int] = []
        self.times: list[int] = []
        self.rows: list[Row] = []

    def add(self, message: int, rows: Sequence[Row]) -> bool:
        """Add the rows of a message, unless one's time is before 1970 or after the year 9999."""
        times = [row.time if type(row.time) is int else _milliseconds(row.time) for row in rows]
        if not all(0 <= time <= LATEST for time in times):
            return False
        self._add(message, times, rows)
        return True

    def _add(self, message: int, times: list[int], rows: Sequence[Row]) -> None:
        if self._fields or self._lists:
            self.messages += [message] * len(rows)
            self.times += times
            self.rows += rows

    def columns(self, shapes: Shapes, rejected: dict[int, str]) -> Columns:
        """A column of each signal that any row has; messages with a list that cannot be are rejected and go."""
        lists = {signal.name: self._packed(shapes, field, signal.name, rejected) for field, signal in self._lists}
        plain = {signal: self._values(field) for field, signal in self._fields}
        keep = [at for at, message in enumerate(self.messages) if message not in rejected]
        if len(keep) < len(self.rows):
            self.messages, self.times = ([column[at] for at in keep] for column in (self.messages, self.times))
            lists = {name: [column[at] for at in keep] for name, column in lists.items()}
            plain = {signal: [column[at] for at in keep] for signal, column in plain.items()}
        found = {signal.name: pa.array(column, signal.arrow) for signal, column in plain.items()}
        found |= {name: pa.array(column, pa.binary()) for name, column in lists.items()}
        return {name: column for name, column in found.items() if column.null_count < len(column)}

    def _values(self, field: str) -> list[Any]:
        """What each row has of a field, None where it lacks it."""
        return list(map(attrgetter(field), self.rows))

    def _packed(self, shapes: Shapes, field: str, name: str, rejected: dict[int, str]) -> list[bytes | None]:
        raws = [bytes(raw or b"") for raw in self._values(field)]
        there = [at for at, raw in enumerate(raws) if raw not in _NOTHING]
        column: list[bytes | None] = [None] * len(raws)
        for at, packed in zip(there, shapes.packers[name].pack([raws[at] for at in there]), strict=True):
            column[at] = packed
            if packed is None:
                rejected[self.messages[at]] = f"{name} is no list of what its signal takes"
        return column


class Loose(Group):
    """Rows that were read name by name: what each has, by the name of the signal."""

    def __init__(self, shapes: Shapes) -> None:
        super().__init__(Shape((), {}))
        self._shapes = shapes
        self._columns: dict[str, list[Any]] | None = None
        self._seen: set[str] = set()

    def read(self, message: int, payload: bytes, vehicle: int) -> int:
        """Add the rows of a message and learn its shape; how many values were dropped that no catalogue knows.

        Raises what is in `lists.ERRORS`, or Malformed where a time is missing or cannot be.
        """
        found = _OBJECTS.decode(payload) if payload.lstrip()[:1] == b"[" else [_OBJECT.decode(payload)]
        if len(found) > MOST_ROWS:
            raise Malformed("a message has too many rows")
        known, rows, times, dropped = self._shapes.catalogue, [], [], 0
        for row in found:
            times.append(_instant(row.pop("time", msgspec.Raw(b"null"))))
            mine = {name: self._value(name, raw) for name, raw in row.items() if name in known}
            dropped += len(row) - len(mine)
            rows.append(mine)
        names = [name for row in found for name in row]
        self._shapes.learn(vehicle, names)
        for name in names:
            if name in known and name not in self._seen:
                self._seen.add(name)
                signal = known[name]
                where = self._lists if signal.storage == "binary" else self._fields
                where.append((name, signal))
        self._add(message, times, rows)
        return dropped

    def _values(self, field: str) -> list[Any]:
        if self._columns is None:  # by what rows have, as what they lack may be many times that
            self._columns = {signal.name: [None] * len(self.rows) for _, signal in (*self._fields, *self._lists)}
            for at, row in enumerate(self.rows):
                for name, value in row.items():
                    self._columns[name][at] = value
        return self._columns[field]

    def _value(self, name: str, raw: msgspec.Raw) -> Any:
        reader = self._shapes.readers.get(name)
        return raw if reader is None else None if bytes(raw) == b"null" else reader.decode(raw)


def _instant(raw: msgspec.Raw) -> int:
    said = _INSTANT.decode(raw)
    time = said if isinstance(said, int) else _milliseconds(said)
    if not 0 <= time <= LATEST:
        raise Malformed("a time is before 1970 or after the year 9999")
    return time


def _milliseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // _MILLISECOND


_MILLISECOND = datetime(1970, 1, 1, 0, 0, 0, 1000, tzinfo=UTC) - _EPOCH
