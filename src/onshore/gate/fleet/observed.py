"""What records mean, read plainly one by one: the fast decoder gives exactly this, and uses it for what is odd."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from onshore.gate.fleet import reference, signals, tables
from onshore.gate.fleet.reference import Raw, in_seconds, milliseconds
from onshore.gate.fleet.values import Value, name


@dataclass
class Observed:
    """Rows of one record: when (ms UTC) and the values by signal; a row without values is none.

    `timed`: the record says itself when it was made. `unknown`: data that no signal stands for; `unreadable`: values
    that mean nothing for the signal of their field. Neither is kept anywhere but in a count.
    """

    rows: list[tuple[int, Mapping[str, Value]]] = field(default_factory=list)
    timed: bool = True
    unknown: int = 0
    unreadable: int = 0


def observe(topic: str, data: bytes, created: int) -> Observed:
    """The rows of a record's payload; `created`: ms UTC that its envelope gives, for where the payload gives none.

    `vin` is not looked at: who the car is, its certificate has said. A topic that nobody knows has no rows, and
    neither has `connectivity`, of which a car has nothing to say. Malformed where the payload cannot be read.
    """
    match topic:
        case "V":
            return _vehicle(reference.payload(data), created)
        case "alerts":
            return _alerts(reference.alerts(data), created)
        case "errors":
            return _failures(reference.failures(data), created)
        case _:
            return Observed(unknown=1)


def _vehicle(payload: reference.Payload, created: int) -> Observed:
    when = milliseconds(payload.created)
    found = Observed(timed=when is not None)
    values: dict[str, Value] = {}
    latest: dict[int, tuple[int, Raw | None]] = {}
    for key, kind, raw in payload.data:
        if key in signals.TARGETS:
            latest[key] = kind, raw
        else:
            found.unknown += 1
    for key in sorted(latest):
        kind, raw = latest[key]
        if raw is None or kind == tables.INVALID:
            continue
        for target in signals.TARGETS[key]:
            value = target.read(kind, raw)
            if value is None:
                found.unreadable += 1
            else:
                values[target.signal] = value
    if values:
        found.rows.append((created if when is None else when, values))
    return found


def _alerts(listed: reference.Listed, created: int) -> Observed:
    at = milliseconds(listed.created)
    found = Observed(timed=at is not None)
    for one in listed.alerts:
        started = milliseconds(in_seconds(one.started))
        ended = milliseconds(in_seconds(one.ended))
        if not name(one.name):
            found.unreadable += 1
            continue
        values: dict[str, Value] = {signals.ALERT: one.name}
        audiences = [tables.AUDIENCES[number] for number in one.audiences if 0 < number < len(tables.AUDIENCES)]
        if audiences:
            values[signals.ALERT_AUDIENCES] = ",".join(dict.fromkeys(audiences))
        if ended is not None:
            values[signals.ALERT_ENDED] = iso(ended)
        found.rows.append((_first(started, at, created), values))
    return found


def _failures(listed: reference.Listed, created: int) -> Observed:
    """Errors by name; their text and tags are free, may hold anything, and are not kept."""
    at = milliseconds(listed.created)
    found = Observed(timed=at is not None)
    for one in listed.failures:
        when = milliseconds(one.created)
        found.unknown += len(one.tags) + bool(one.body)
        if name(one.name):
            found.rows.append((_first(when, at, created), {signals.FAILURE: one.name}))
        else:
            found.unreadable += 1
    return found


def _first(*times: int | None) -> int:
    return next(at for at in times if at is not None)


def iso(at: int) -> str:
    """An instant (ms UTC) as ISO 8601 writes it, as VSS has times."""
    days, rest = divmod(at, 86_400_000)
    year, month, day = _date(days)
    seconds, millis = divmod(rest, 1000)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{millis:03d}"
    return f"{year:04d}-{month:02d}-{day:02d}T{clock}Z"


def _date(days: int) -> tuple[int, int, int]:
    found = date.fromordinal(days + 719_163)  # of 1970-01-01
    return found.year, found.month, found.day
