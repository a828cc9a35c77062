"""Writes the fields of a data unit; what both editions have in common when they are built. The reverse of `reading`."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from onshore.gate.gb32960 import tables as t
from onshore.gate.gb32960.protocol import time6
from onshore.gate.gb32960.reading import GEARS
from onshore.words.errors import Malformed

Data = Mapping[str, Any]


def code_of(words: Mapping[int, str | None], word: str | int | None) -> int:
    """The code of a word; a number that has none stands for itself."""
    return word if isinstance(word, int) else next(code for code, name in words.items() if name == word)


def text(said: str, size: int) -> bytes:
    """ASCII, filled up with zeros; Malformed where it does not fit."""
    raw = said.encode("ascii")
    if len(raw) > size:
        raise Malformed(f"more than {size} characters")
    return raw.ljust(size, b"\0")


def two(number: int) -> bytes:
    """Two bytes, big endian."""
    return number.to_bytes(2, "big")


def time(said: str) -> bytes:
    """Six bytes of an instant in ISO 8601."""
    return time6(round(datetime.fromisoformat(said).timestamp() * 1000))


def value(field: t.Field, said: Any) -> bytes:
    """One field; None is the invalid code, "abnormal" the abnormal one."""
    top = (1 << 8 * field.size) - 1
    if said is None or said == "abnormal":
        return (top if said is None else top - 1).to_bytes(field.size, "big")
    if isinstance(said, str):
        said = code_of(field.words, said)
    raw: int = round(said * field.per) + field.zero
    if not 0 <= raw <= top:
        raise Malformed(f"{field.name} does not fit")
    return raw.to_bytes(field.size, "big")


def fields(listed: Sequence[t.Field], data: Data) -> bytes:
    """Several fields by name; one that is left out is invalid."""
    return b"".join(_gear(data.get("gear")) if f in GEARS else value(f, data.get(f.name)) for f in listed)


def _gear(gear: Data | None) -> bytes:
    if gear is None:
        return b"\0"
    position = {"N": 0, "R": 13, "D": 14, "P": 15}.get(gear["position"])
    low: int = int(gear["position"]) if position is None else position
    return bytes((low | gear["braking"] << 4 | gear["driving"] << 5 | (not gear.get("valid", True)) << 7,))


def several(size: int, items: Any, item: Callable[[Any], bytes]) -> bytes:
    """A count of `size` bytes and that many items, or the code that says there are none to count."""
    if not isinstance(items, list | tuple):
        return value(t.Field("count", size), items)
    return value(t.Field("count", size), len(items)) + b"".join(map(item, items))


def custom(kind: int, said: str) -> bytes:
    """A unit of the carmaker's, given in hex: it carries its own length."""
    raw = bytes.fromhex(said)
    return bytes((kind,)) + two(len(raw)) + raw


def position(data: Data, datum: Sequence[t.Field] = ()) -> bytes:
    """State bit 0 set is *invalid*, bit 1 south, bit 2 west."""
    coordinates = [data.get("longitude"), data.get("latitude")]
    west, south = (isinstance(c, float) and c < 0 for c in coordinates)
    state = (not data.get("valid")) | south << 1 | west << 2
    magnitudes = [abs(c) if isinstance(c, float) else c for c in coordinates]
    return bytes((state,)) + fields(datum, data) + b"".join(map(value, t.COORDINATES, magnitudes))


def alarms(data: Data) -> bytes:
    """The alarms that both editions have."""
    faults = (several(1, data.get(name), bytes.fromhex) for name in t.FAULTS)
    return fields(t.ALARM_FIELDS, data) + b"".join(faults)


def degrees(said: Any) -> bytes:
    """One temperature."""
    return value(t.DEGREES, said)


def probes(data: Data) -> bytes:
    """One subsystem's temperatures, alike in both editions."""
    return fields(t.PROBES, data) + several(2, data.get("probe_c"), degrees)


def cells(size: int, said: Any) -> bytes:
    """Cell voltages, their count of `size` bytes before them."""
    return several(size, said, lambda volts: value(t.CELL, volts))
