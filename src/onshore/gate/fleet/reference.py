"""The plain reader of payloads, one datum at a time: what it says is what a payload means."""

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from onshore.gate.fleet import tables
from onshore.gate.fleet.wire import BYTES, FIXED32, FIXED64, VARINT, bad, fields, signed, text, varint

MAX_DATA = 512
"""Data of one payload, alerts of one record; a car has half as many fields. More is refused before any is read."""

Flags = tuple[bool, ...]
Raw = str | int | float | bool | tuple[float, float] | tuple[int, int, int] | Flags
Datum = tuple[int, int, Raw | None]
"""Number of the field, kind of its value (tables), the value; kind 0 and None where none is given."""

Instant = tuple[int, int]
"""Seconds since 1970 and nanoseconds, as sent."""


@dataclass
class Payload:
    """What a record of topic `V` says. `created`: None where it does not say when."""

    data: list[Datum] = field(default_factory=list)
    created: Instant | None = None
    vin: str = ""
    resend: bool = False


@dataclass
class Alert:
    """An alert; `audiences` by number (tables.AUDIENCES)."""

    name: str = ""
    audiences: list[int] = field(default_factory=list)
    started: Instant | None = None
    ended: Instant | None = None


@dataclass
class Failure:
    """An error of the stream's client."""

    created: Instant | None = None
    name: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass
class Connectivity:
    """A car came or went; `status` by number (tables.CONNECTIVITY)."""

    vin: str = ""
    connection: str = ""
    status: int = 0
    created: Instant | None = None
    interface: str = ""


@dataclass
class Listed:
    """Alerts or errors, with when and (which nobody believes) of which car."""

    alerts: list[Alert] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    created: Instant | None = None
    vin: str = ""


def payload(data: bytes) -> Payload:
    """Read a payload; what it gives twice counts as it was given last, as protobuf has it.

    Malformed ("bad protobuf: ...") where it is none, and where it holds more than MAX_DATA data.
    """
    found, parts = Payload(), list[bytes]()
    for number, kind, value, part in fields(data):
        if (number, kind) == (1, BYTES):
            _room(parts).append(part)
        elif (number, kind) == (2, BYTES):
            found.created = instant(part, found.created)
        elif (number, kind) == (3, BYTES):
            found.vin = text(part)
        elif (number, kind) == (4, VARINT):
            found.resend = value != 0
    found.data = [datum(part) for part in parts]
    return found


def _room(parts: list[bytes]) -> list[bytes]:
    """The list, where it may become longer."""
    if len(parts) == MAX_DATA:
        raise bad("too many data")
    return parts


def datum(data: bytes) -> Datum:
    """A field's number and its value."""
    key, found = 0, _NOTHING
    for number, kind, numeral, part in fields(data):
        if (number, kind) == (1, VARINT):
            key = signed(numeral, 32)
        elif (number, kind) == (2, BYTES):
            found = _value(part, found)
    return (key, *found)


Found = tuple[int, Raw | None]
_NOTHING: Found = (0, None)


def _value(data: bytes, before: Found) -> Found:
    """A value; a message that comes in parts is read part by part, or many small ones would cost their square."""
    found, raw = before
    for number, kind, numeral, part in fields(data):
        if number in _WIRE and kind == _WIRE[number]:
            merged = found == number and number in _MESSAGES
            raw = CONTENT[number](part, raw) if merged else _raw(number, numeral, part)
            found = number
    return found, raw


_MESSAGES = {tables.LOCATION, tables.DOORS, tables.TIME, tables.TIRES}
_WIRE = (
    dict.fromkeys((tables.INT, tables.LONG, tables.BOOLEAN, tables.INVALID, *tables.ENUMS), VARINT)
    | {tables.FLOAT: FIXED32, tables.DOUBLE: FIXED64, tables.STRING: BYTES}
    | dict.fromkeys(_MESSAGES, BYTES)
)


def _raw(kind: int, numeral: int, content: bytes) -> Raw:
    if kind in CONTENT:
        return CONTENT[kind](content)
    if kind in {tables.BOOLEAN, tables.INVALID}:
        return numeral != 0
    return signed(numeral, 64 if kind == tables.LONG else 32)


def location(data: bytes, before: tuple[float, float] = (0.0, 0.0)) -> tuple[float, float]:
    """Latitude and longitude, degrees; `before`, here and below: what parts that came earlier have said."""
    found = {1: before[0], 2: before[1]}
    for number, kind, _, part in fields(data):
        if number in found and kind == FIXED64:
            found[number] = struct.unpack("<d", part)[0]
    return found[1], found[2]


def flags(data: bytes, before: Flags) -> Flags:
    """As many booleans as there were before, numbered from 1."""
    found = list(before)
    for number, kind, value, _ in fields(data):
        if number <= len(found) and kind == VARINT:
            found[number - 1] = value != 0
    return tuple(found)


def clock(data: bytes, before: tuple[int, int, int] = (0, 0, 0)) -> tuple[int, int, int]:
    """Hour, minute, second."""
    found = list(before)
    for number, kind, value, _ in fields(data):
        if number <= 3 and kind == VARINT:
            found[number - 1] = signed(value, 32)
    return found[0], found[1], found[2]


_SHUT: Flags = (False,) * len(tables.DOOR_NAMES)
_FULL: Flags = (False,) * len(tables.TIRE_NAMES)
CONTENT: Mapping[int, Callable[..., Raw]] = {
    tables.STRING: text,
    tables.FLOAT: lambda data: float(struct.unpack("<f", data)[0]),
    tables.DOUBLE: lambda data: float(struct.unpack("<d", data)[0]),
    tables.LOCATION: location,
    tables.DOORS: lambda data, before=_SHUT: flags(data, before),
    tables.TIRES: lambda data, before=_FULL: flags(data, before),
    tables.TIME: clock,
}
"""What reads the bytes of a value, by its kind; all others are numbers of variable length."""


def instant(data: bytes, before: Instant | None) -> Instant:
    """Seconds and nanoseconds of google.protobuf.Timestamp, as they are."""
    seconds, nanos = before or (0, 0)
    for number, kind, value, _ in fields(data):
        if (number, kind) == (1, VARINT):
            seconds = signed(value)
        elif (number, kind) == (2, VARINT):
            nanos = signed(value, 32)
    return seconds, nanos


def _listed(data: bytes) -> tuple[list[bytes], Listed]:
    parts: list[bytes] = []
    found = Listed()
    for number, kind, _, part in fields(data):
        if kind != BYTES:
            continue
        if number == 1:
            _room(parts).append(part)
        elif number == 2:
            found.created = instant(part, found.created)
        elif number == 3:
            found.vin = text(part)
    return parts, found


def alerts(data: bytes) -> Listed:
    """Read a record of topic `alerts`; refuses as `payload`."""
    parts, found = _listed(data)
    found.alerts = [_alert(part) for part in parts]
    return found


def _alert(data: bytes) -> Alert:
    found = Alert()
    for number, kind, value, part in fields(data):
        if (number, kind) == (1, BYTES):
            found.name = text(part)
        elif (number, kind) == (2, VARINT):
            found.audiences.append(signed(value, 32))
        elif (number, kind) == (2, BYTES):
            found.audiences += _packed(part)
        elif (number, kind) == (3, BYTES):
            found.started = instant(part, found.started)
        elif (number, kind) == (4, BYTES):
            found.ended = instant(part, found.ended)
    return found


def _packed(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = varint(data, at)
        yield signed(value, 32)


def failures(data: bytes) -> Listed:
    """Read a record of topic `errors`; refuses as `payload`."""
    parts, found = _listed(data)
    found.failures = [_failure(part) for part in parts]
    return found


def _failure(data: bytes) -> Failure:
    found = Failure()
    for number, kind, _, part in fields(data):
        if kind != BYTES:
            continue
        if number == 1:
            found.created = instant(part, found.created)
        elif number == 2:
            found.name = text(part)
        elif number == 3:
            key, value = _tag(part)
            found.tags[key] = value
        elif number == 4:
            found.body = text(part)
    return found


def _tag(data: bytes) -> tuple[str, str]:
    found = {1: "", 2: ""}
    for number, kind, _, part in fields(data):
        if number in found and kind == BYTES:
            found[number] = text(part)
    return found[1], found[2]


def connectivity(data: bytes) -> Connectivity:
    """Read a record of topic `connectivity`; refuses as `payload`."""
    found = Connectivity()
    for number, kind, value, part in fields(data):
        if (number, kind) == (1, BYTES):
            found.vin = text(part)
        elif (number, kind) == (2, BYTES):
            found.connection = text(part)
        elif (number, kind) == (3, VARINT):
            found.status = signed(value, 32)
        elif (number, kind) == (4, BYTES):
            found.created = instant(part, found.created)
        elif (number, kind) == (5, BYTES):
            found.interface = text(part)
    return found


_LEAST, _MOST, _MILLIS = -62_135_596_800, 253_402_300_799, 315_576_000_000


def milliseconds(at: Instant | None) -> int | None:
    """Milliseconds UTC; None where no time is given. Malformed beyond the years 1 to 9999 (timestamp.proto)."""
    if at is None:
        return None
    seconds, nanos = at
    if not (_LEAST <= seconds <= _MOST and 0 <= nanos < 1_000_000_000):
        raise bad("a time beyond the years 1 to 9999")
    return seconds * 1000 + nanos // 1_000_000


def in_seconds(at: Instant | None) -> Instant | None:
    """The time of an alert: where cars send milliseconds for seconds, in seconds."""
    if at is None or at[0] < _MILLIS:
        return at
    seconds, millis = divmod(at[0], 1000)
    return seconds, millis * 1_000_000
