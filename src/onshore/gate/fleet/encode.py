"""Payloads as cars write them, from JSON objects such as `said` gives: for simulated cars and for tests."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from onshore.gate.fleet import tables
from onshore.gate.fleet.wire import put

_KINDS = {name: number for number, name in (tables.PLAIN | tables.ENUM_FIELDS).items()}
_SMALL: Mapping[int, tuple[str, ...]] = {
    tables.LOCATION: ("latitude", "longitude"),
    tables.DOORS: tables.DOOR_NAMES,
    tables.TIRES: tables.TIRE_NAMES,
    tables.TIME: tables.TIME_NAMES,
}
_TYPES: Mapping[int, type] = {
    tables.STRING: str,
    tables.FLOAT: float,
    tables.DOUBLE: float,
    tables.INT: int,
    tables.LONG: int,
    tables.BOOLEAN: bool,
    tables.INVALID: bool,
}


def payload(said: Mapping[str, Any]) -> bytes:
    """A payload of topic `V`, its fields in the order of their numbers; the bytes that a car's encoder writes."""
    out = b"".join(put(1, datum(one)) for one in said.get("data", ()))
    out += put(2, instant(said["created_at"])) if "created_at" in said else b""
    out += put(3, said["vin"]) if said.get("vin") else b""
    return out + (put(4, True) if said.get("is_resend") else b"")


def datum(said: Mapping[str, Any]) -> bytes:
    """A field by name (or number) and its value."""
    key = said.get("key", 0)
    number = key if isinstance(key, int) else tables.FIELDS.index(key)
    out = put(1, number) if number else b""
    for name, raw in said.get("value", {}).items():
        out += put(2, value(_KINDS[name], raw))
    return out


def value(kind: int, raw: Any) -> bytes:
    """A value of a kind (tables): states by name or number."""
    if kind in tables.ENUMS:
        return put(
            kind, raw if isinstance(raw, int) else tables.ENUMS[kind].index(raw.removeprefix(tables.PREFIXES[kind]))
        )
    if kind in _SMALL:
        return put(kind, b"".join(put(n, raw[name]) for n, name in enumerate(_SMALL[kind], 1) if raw.get(name)))
    return put(kind, _TYPES[kind](raw), single=kind == tables.FLOAT)


def alerts(said: Mapping[str, Any]) -> bytes:
    """A payload of topic `alerts`."""
    out = b"".join(put(1, _alert(one)) for one in said.get("alerts", ()))
    return out + (put(2, instant(said["created_at"])) if "created_at" in said else b"")


def _alert(said: Mapping[str, Any]) -> bytes:
    audiences = b"".join(bytes([tables.AUDIENCES.index(name)]) for name in said.get("audiences", ()))
    out = put(1, said["name"]) if said.get("name") else b""
    out += put(2, audiences) if audiences else b""
    for number, name in ((3, "started_at"), (4, "ended_at")):
        out += put(number, instant(said[name])) if name in said else b""
    return out


def errors(said: Mapping[str, Any]) -> bytes:
    """A payload of topic `errors`."""
    out = b"".join(put(1, _failure(one)) for one in said.get("errors", ()))
    return out + (put(2, instant(said["created_at"])) if "created_at" in said else b"")


def _failure(said: Mapping[str, Any]) -> bytes:
    out = put(1, instant(said["created_at"])) if "created_at" in said else b""
    out += put(2, said["name"]) if said.get("name") else b""
    out += b"".join(put(3, put(1, key) + put(2, text)) for key, text in said.get("tags", {}).items())
    return out + (put(4, said["body"]) if said.get("body") else b"")


def instant(said: str | int) -> bytes:
    """A time: RFC 3339 in UTC, or ms UTC."""
    if isinstance(said, int):
        seconds, nanos = said // 1000, said % 1000 * 1_000_000
    else:
        whole, _, rest = said.removesuffix("Z").partition(".")
        seconds, nanos = int(datetime.fromisoformat(whole + "+00:00").timestamp()), int(rest.ljust(9, "0") or 0)
    return (put(1, seconds) if seconds else b"") + (put(2, nanos) if nanos else b"")
