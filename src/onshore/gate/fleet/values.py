"""What a value means for a signal: numbers in its unit, states by name, old text forms as the typed ones of today."""

import re
from collections.abc import Callable, Mapping

from onshore.gate.fleet import tables
from onshore.gate.fleet.reference import Raw

Value = float | int | bool | str
Reader = Callable[[int, Raw], Value | None]
"""Of the kind of a value (tables) and the value: what is stored; None where it means nothing for the signal."""

LIMITS = {
    "float": (-3.4028234663852886e38, 3.4028234663852886e38),
    "double": (-1.7976931348623157e308, 1.7976931348623157e308),
    "int8": (-128, 127),
    "uint8": (0, 255),
    "uint16": (0, 65_535),
    "uint32": (0, 4_294_967_295),
}
"""Least and largest value of each type of number that a signal may have."""

LONGEST = 256
"""Characters of a text that is stored; what is longer is no name."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_PLACE = re.compile(r"\((-?[0-9]{1,3}(?:\.[0-9]{1,15})?) ([NS]), (-?[0-9]{1,3}(?:\.[0-9]{1,15})?) ([EW])\)", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_.:/+()-]{1,64}", re.ASCII)
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{13}[0-9]{4}", re.ASCII | re.IGNORECASE)
_NUMBERS = (tables.INT, tables.LONG, tables.FLOAT, tables.DOUBLE)
_FLAGS = {"true": True, "false": False}


def reader(reading: str, kind: str, factor: float) -> Reader:
    """The reader that a line of the table of signals asks for: `signals` says how lines are written."""
    how, _, told = reading.partition(":")
    if how == "number":
        return _number(kind, factor)
    return _MADE[how](told) if told else _FIXED[how]


def measured(kind: int, raw: Raw) -> float | None:
    """A number, typed or as text; None where it is none."""
    if kind in _NUMBERS:
        assert isinstance(raw, int | float)
        return float(raw)
    if kind == tables.STRING and _NUMBER.fullmatch(str(raw)):
        return float(str(raw))
    return None


def fitted(value: float, kind: str, factor: float) -> float | int | None:
    """A number in the signal's unit and type; None where it does not fit."""
    value *= factor
    least, most = LIMITS[kind]
    if kind in {"float", "double"}:
        return value if least <= value <= most else None
    if not least - 1 < value < most + 1:
        return None
    whole = round(value)
    return whole if least <= whole <= most else None


def place(kind: int, raw: Raw) -> tuple[float, float] | None:
    """Latitude and longitude in degrees, typed or as text such as "(37.412374 S, 122.145867 E)"."""
    if kind == tables.LOCATION:
        assert isinstance(raw, tuple)
        latitude, longitude = float(raw[0]), float(raw[1])
    else:
        said = _PLACE.fullmatch(raw) if isinstance(raw, str) else None
        if said is None:
            return None
        latitude, longitude = float(said[1]), float(said[3])
        latitude, longitude = -latitude if said[2] == "S" else latitude, -longitude if said[4] == "W" else longitude
    return (latitude, longitude) if -90 <= latitude <= 90 and -180 <= longitude <= 180 else None


def named(kinds: tuple[int, ...], kind: int, raw: Raw) -> str | None:
    """The name of a state without what all names of its enumeration begin with, typed or as text."""
    if kind in kinds:
        names = tables.ENUMS[kind]
        assert isinstance(raw, int)
        return names[raw] if 0 <= raw < len(names) else None
    if kind == tables.STRING:
        for one in kinds:
            name = str(raw).removeprefix(tables.PREFIXES[one])
            if name in tables.ENUMS[one]:
                return name
    return None


def flag(kind: int, raw: Raw) -> bool | None:
    """Yes or no, typed or as text."""
    if kind == tables.BOOLEAN:
        return bool(raw)
    return _FLAGS.get(str(raw).lower()) if kind == tables.STRING else None


def name(text: str) -> bool:
    """Whether a text is a name that makers give, such as an alert's: one word, and no VIN in it (ISO 3779).

    A sentence may hold anything, of anybody, and its signal's category would not say so.
    """
    return bool(_NAME.fullmatch(text)) and not _VIN.search(text)


def _number(type_: str, factor: float) -> Reader:
    def read(kind: int, raw: Raw) -> float | int | None:
        value = measured(kind, raw)
        return None if value is None else fitted(value, type_, factor)

    return read


def _half(*, longitude: bool) -> Reader:
    def read(kind: int, raw: Raw) -> float | None:
        found = place(kind, raw)
        return None if found is None else found[longitude]

    return read


def _door(name: str) -> Reader:
    at = tables.DOOR_NAMES.index(name)

    def read(kind: int, raw: Raw) -> bool | None:
        if kind == tables.DOORS:
            assert isinstance(raw, tuple)
            return bool(raw[at])
        if kind != tables.STRING:
            return None
        doors = set(str(raw).split("|"))
        return name in doors if doors <= _DOORS else None

    return read


_DOORS = frozenset(tables.DOOR_NAMES)


def _tire(name: str) -> Reader:
    at = tables.TIRE_NAMES.index(name)

    def read(kind: int, raw: Raw) -> bool | None:
        if kind != tables.TIRES:
            return None
        assert isinstance(raw, tuple)
        return bool(raw[at])

    return read


def _name(kinds: str) -> Reader:
    allowed = _kinds(kinds)
    return lambda kind, raw: named(allowed, kind, raw)


def _among(told: str) -> Reader:
    kinds, yes, no = told.split(":")
    return _picked(kinds, dict.fromkeys(yes.split("|"), True) | dict.fromkeys(no.split("|"), False))


def _code(told: str) -> Reader:
    kinds, codes = told.split(":")
    return _picked(kinds, {name: int(code) for name, code in (one.split("=") for one in codes.split("|"))})


def _picked(kinds: str, meanings: Mapping[str, int | bool]) -> Reader:
    allowed = _kinds(kinds)

    def read(kind: int, raw: Raw) -> int | bool | None:
        state = named(allowed, kind, raw)
        return None if state is None else meanings.get(state)

    return read


def _kinds(told: str) -> tuple[int, ...]:
    return tuple(int(kind) for kind in told.split("|"))


def _occupied(kind: int, raw: Raw) -> str | None:
    found = flag(kind, raw)
    return None if found is None else "OCCUPIED" if found else "EMPTY"


def _text(kind: int, raw: Raw) -> str | None:
    return str(raw) if kind == tables.STRING and 0 < len(str(raw)) <= LONGEST else None


def _label(kind: int, raw: Raw) -> str | None:
    """A name, or two: a version may have its build behind it."""
    return str(raw) if kind == tables.STRING and all(map(name, str(raw).split(" ", 1))) else None


def _clock(kind: int, raw: Raw) -> int | None:
    """Seconds since the day began."""
    if kind != tables.TIME:
        return None
    assert isinstance(raw, tuple)
    hour, minute, second = (int(part) for part in raw)
    whole = 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60
    return hour * 3600 + minute * 60 + second if whole else None


_MADE: Mapping[str, Callable[[str], Reader]] = {
    "named": _name,
    "among": _among,
    "code": _code,
    "door": _door,
    "tire": _tire,
}
_FIXED: Mapping[str, Reader] = {
    "flag": flag,
    "text": _text,
    "label": _label,
    "clock": _clock,
    "occupied": _occupied,
    "latitude": _half(longitude=False),
    "longitude": _half(longitude=True),
}
