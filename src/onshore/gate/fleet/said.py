"""Payloads as JSON objects: what protobuf's own JSON mapping makes of them, with the names of the .proto files.

What is at its default is left out; enumerations are named; a number of 64 bits is text (developers' guide, ProtoJSON).
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from onshore.gate.fleet import reference, tables
from onshore.gate.fleet.reference import Instant, Raw
from onshore.words.errors import Malformed

Said = dict[str, Any]

PROTO = {
    "V": "telemetry.vehicle_data.Payload",
    "alerts": "telemetry.vehicle_alerts.VehicleAlerts",
    "errors": "telemetry.vehicle_error.VehicleErrors",
    "connectivity": "telemetry.vehicle_connectivity.VehicleConnectivity",
}
"""The message that a record of each topic carries."""


def payload(topic: str, data: bytes) -> Said | None:
    """What a record's payload says, before any transform of ours; None of a topic that nobody knows.

    Malformed where the bytes are no such message.
    """
    match topic:
        case "V":
            return _vehicle(reference.payload(data))
        case "alerts":
            listed = reference.alerts(data)
            return _filled(alerts=[_alert(one) for one in listed.alerts], **_when(listed.created), vin=listed.vin)
        case "errors":
            listed = reference.failures(data)
            return _filled(errors=[_failure(one) for one in listed.failures], **_when(listed.created), vin=listed.vin)
        case "connectivity":
            return _connectivity(reference.connectivity(data))
        case _:
            return None


def _vehicle(found: reference.Payload) -> Said:
    data = [_datum(*one) for one in found.data]
    return _filled(data=data, **_when(found.created), vin=found.vin, is_resend=found.resend)


def _datum(key: int, kind: int, raw: Raw | None) -> Said:
    said = _filled(key=_named(tables.FIELDS, key) if key else "")
    if kind:
        name = tables.PLAIN.get(kind) or tables.ENUM_FIELDS[kind]
        said["value"] = {name: _value(kind, raw)}
    return said


def _value(kind: int, raw: Any) -> Any:
    if kind in tables.ENUMS:
        prefix, names = tables.PREFIXES[kind], tables.ENUMS[kind]
        return prefix + names[raw] if 0 <= raw < len(names) else raw
    if kind in _PARTS:
        return {name: _plain(x) for name, x in zip(_PARTS[kind], raw, strict=True) if x}
    if kind == tables.LONG:
        return str(raw)
    return _plain(float(str(np.float32(raw))) if kind == tables.FLOAT else raw)


_PARTS: Mapping[int, tuple[str, ...]] = {
    tables.LOCATION: ("latitude", "longitude"),
    tables.DOORS: tables.DOOR_NAMES,
    tables.TIRES: tables.TIRE_NAMES,
    tables.TIME: tables.TIME_NAMES,
}


def _plain(value: Any) -> Any:
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _alert(one: reference.Alert) -> Said:
    audiences = [_named(tables.AUDIENCES, number) for number in one.audiences]
    times = {"started_at": one.started, "ended_at": one.ended}
    said = _filled(name=one.name, audiences=audiences)
    return said | {name: _time(at) for name, at in times.items() if at is not None}


def _failure(one: reference.Failure) -> Said:
    return _filled(**_when(one.created), name=one.name, tags=one.tags, body=one.body)


def _connectivity(found: reference.Connectivity) -> Said:
    status = _named(tables.CONNECTIVITY, found.status) if found.status else ""
    said = _filled(vin=found.vin, connection_id=found.connection, status=status, **_when(found.created))
    return said | _filled(network_interface=found.interface)


def _named(names: tuple[str, ...] | list[str], number: int) -> str | int:
    return names[number] if 0 <= number < len(names) else number


def _when(at: Instant | None) -> Said:
    return {} if at is None else {"created_at": _time(at)}


def _time(at: Instant) -> str | Said:
    """RFC 3339 with 0, 3, 6 or 9 digits after the point; the two numbers where they are no time."""
    seconds, nanos = at
    try:
        reference.milliseconds(at)
        day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except (Malformed, OverflowError):
        return {"seconds": str(seconds), "nanos": nanos}
    digits = f"{nanos:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f"{day:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + (f".{digits}" if digits else "") + "Z"


def _filled(**said: Any) -> Said:
    return {name: value for name, value in said.items() if value}
