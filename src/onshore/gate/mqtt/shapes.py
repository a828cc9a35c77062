"""Shapes: which signals the messages of a car have, compiled to a reader, since a car sends the same ones each time.

What is compiled is bounded: a new shape takes the place of the one that was used longest ago, and a car whose messages
keep changing is read name by name, which costs more and says the same.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any
from weakref import ref

import msgspec

from onshore.gate.mqtt.lists import Packer, packer
from onshore.words.catalogue import Signal

MOST_ROWS = 1000
"""Rows of one message."""

_NAME = re.compile(r"[!#-\[\]-~]{1,128}")
"""Names that may be compiled; others are in no catalogue."""

_SHAPES, _NAMES, _CHANGES, _CARS = 512, 256, 8, 1 << 17
_MOST = 3.4028234e38
_INTEGERS = {
    "int8": (-(1 << 7), (1 << 7) - 1),
    "int16": (-(1 << 15), (1 << 15) - 1),
    "int32": (-(1 << 31), (1 << 31) - 1),
    "uint8": (0, (1 << 8) - 1),
    "uint16": (0, (1 << 16) - 1),
    "uint32": (0, (1 << 32) - 1),
}
_OTHERS: dict[str, Any] = {
    "bool": bool,
    "float32": Annotated[float, msgspec.Meta(ge=-_MOST, le=_MOST)],
    "float64": float,
    "string": Annotated[str, msgspec.Meta(max_length=1024)],
}
LATEST = 253_402_300_799_999
"""The last millisecond of the year 9999."""
TIME: Any = Annotated[int, msgspec.Meta(ge=0, le=LATEST)] | Annotated[datetime, msgspec.Meta(tz=True)]
"""Milliseconds UTC, or a date and time with its offset (RFC 3339)."""

ABSENT = msgspec.Raw(b"")


class Shape:
    """A set of names, compiled: objects with these names and a time, any but the time absent."""

    def __init__(self, names: Iterable[str], catalogue: Mapping[str, Signal]) -> None:
        self.names = tuple(names)
        self.used = 0
        fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [("time", TIME)]
        self.plain: list[tuple[str, Signal]] = []
        self.lists: list[tuple[str, Signal]] = []
        self.unknown: list[str] = []
        for place, name in enumerate(self.names):
            field, signal = f"f{place}", catalogue.get(name)
            if signal is None:
                self.unknown.append(field)
                fields.append((field, msgspec.Raw, ABSENT))
            elif signal.storage == "binary":
                self.lists.append((field, signal))
                fields.append((field, msgspec.Raw, ABSENT))
            else:
                self.plain.append((field, signal))
                fields.append((field, kind_of(signal) | None, None))
        rename = {f"f{place}": name for place, name in enumerate(self.names)}
        row = msgspec.defstruct(
            "Row", fields, rename=rename, kw_only=True, frozen=True, forbid_unknown_fields=True, gc=False
        )
        self._one = msgspec.json.Decoder(row)
        self._many = msgspec.json.Decoder(Annotated[list[row], msgspec.Meta(max_length=MOST_ROWS)])  # type: ignore[valid-type]

    def rows(self, payload: bytes) -> list[Any]:
        """The rows of a message, an object or a list of them; raises what is in `lists.ERRORS`."""
        return self._many.decode(payload) if payload.lstrip()[:1] == b"[" else [self._one.decode(payload)]


def kind_of(signal: Signal) -> Any:
    """What a value of a signal that is no list must be: its type and range."""
    if signal.storage in _INTEGERS:
        low, high = _INTEGERS[signal.storage]
        return Annotated[int, msgspec.Meta(ge=low, le=high)]
    return _OTHERS[signal.storage]


class Shapes:
    """What is known of cars' messages; bounded. Cars refer to shapes and do not hold them, so that they can go."""

    def __init__(self, catalogue: Mapping[str, Signal]) -> None:
        self.catalogue = catalogue
        self.packers: dict[str, Packer] = {n: packer(s) for n, s in catalogue.items() if s.storage == "binary"}
        self.readers = {n: msgspec.json.Decoder(kind_of(s)) for n, s in catalogue.items() if s.storage != "binary"}
        self._compiled: dict[tuple[str, ...], Shape] = {}
        self._of: dict[int, tuple[ref[Shape], int]] = {}
        self._turn = 0

    def of(self, vehicle: int) -> Shape | None:
        """The shape of a car's messages so far."""
        found = self._of.get(vehicle)
        shape = found[0]() if found else None
        if shape is not None:
            self._turn = shape.used = self._turn + 1
        return shape

    def learn(self, vehicle: int, names: Iterable[str]) -> None:
        """A car sent a message with these names: its shape has them too from now on, within bounds."""
        shape, changes = self.of(vehicle), self._of[vehicle][1] if vehicle in self._of else 0
        if changes >= _CHANGES:
            return
        before = shape.names if shape else ()
        known = set(before)
        together = (*before, *(name for name in dict.fromkeys(names) if name not in known))
        if len(together) > _NAMES or together == before or not all(map(_NAME.fullmatch, together)):
            return
        found = self._compiled.get(together)
        if found is None:
            if len(self._compiled) >= _SHAPES:
                del self._compiled[min(self._compiled.values(), key=attrgetter("used")).names]
            found = self._compiled[together] = Shape(together, self.catalogue)
        if len(self._of) >= _CARS:
            self._of.clear()
        self._of[vehicle] = ref(found), changes + 1
        self._turn = found.used = self._turn + 1
