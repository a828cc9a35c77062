"""Where everything stands in a real-time frame: one is walked, so that its likes need no walk."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onshore.gate.gb32960.protocol import HEADER, MAX_UNITS, TIME
from onshore.words.errors import Malformed

Bytes = npt.NDArray[np.uint8]

PARTS = {
    "vehicle": 20,
    "motor": 12,
    "fuel cell": 6,
    "hydrogen": 10,
    "engine": 5,
    "position": 9,
    "extremes": 14,
    "alarm": 5,
}
"""Bytes of the parts that have one size in every frame, in the order in which `Layout.fixed` numbers them."""

CUSTOM = 0x80
"""The first unit type that the carmaker defines; it stands for all of them, up to 0xFE."""

CUSTOM_UNITS = "gb32960.custom"
"""Column of such units as sent, type and length included: one, so that no sender decides how many columns
there are, and in no catalogue, so that the sieve withholds and counts it."""

_NUMBER = {name: i for i, name in enumerate(PARTS)}


@dataclass(frozen=True, slots=True)
class Layout:
    """What frames of one shape share.

    `numbers`: where the bytes are that make the shape (unit types and counts), equal in every such frame.
    `fixed`: (number of the part, where it begins). `lists`: name of a binary column to the ranges of bytes
    that fill it, in order; a list whose count is invalid is absent. `kinds`: the unit types carried, CUSTOM
    for all that the carmaker defined.
    """

    numbers: list[int]
    fixed: list[tuple[int, int]]
    lists: dict[str, list[tuple[int, int]]]
    kinds: frozenset[int]

    def shape(self, frame: bytes) -> tuple[npt.NDArray[np.intp], Bytes]:
        """`numbers`, and what a frame of this shape says there."""
        at = np.array(self.numbers, np.intp)
        return at, np.frombuffer(frame, np.uint8)[at]


def walk(frame: bytes) -> Layout:
    """The layout of a whole real-time frame (2016); Malformed where its units cannot be told apart."""
    steps = _Steps(frame)
    seen: set[int] = set()
    kinds: set[int] = set()
    units = 0
    while steps.at < steps.end:
        begin = steps.at
        kind = steps.kind = steps.structure(1)
        units += 1
        if units > MAX_UNITS:
            raise Malformed(f"more than {MAX_UNITS} units", where=f"byte {begin}")
        if kind in seen and kind not in _MAY_REPEAT:
            raise Malformed(f"unit 0x{kind:02x} twice", where=f"byte {steps.at}")
        seen.add(kind)
        kinds.add(min(kind, CUSTOM))
        if CUSTOM <= kind <= 0xFE:
            steps.pass_over(steps.structure(2))
            steps.note(CUSTOM_UNITS, begin)
        elif kind in _UNITS:
            _UNITS[kind](steps)
        else:
            raise Malformed(f"unknown unit 0x{kind:02x}", where=f"byte {steps.at}")
    return Layout(steps.shape, steps.fixed, steps.lists, frozenset(kinds))


class _Steps:
    """Walks one frame and notes what it passes."""

    def __init__(self, frame: bytes) -> None:
        self.at = HEADER + TIME
        self.end = len(frame) - 1
        self.kind = 0
        self.shape: list[int] = []
        self.fixed: list[tuple[int, int]] = []
        self.lists: dict[str, list[tuple[int, int]]] = {}
        self._frame = frame

    def pass_over(self, size: int) -> int:
        """Go on by `size` bytes; where they begin."""
        begin = self.at
        if begin + size > self.end:
            raise Malformed(f"unit 0x{self.kind:02x} cut short", where=f"byte {begin}")
        self.at = begin + size
        return begin

    def structure(self, size: int) -> int:
        """A number that makes the shape."""
        begin = self.pass_over(size)
        self.shape.extend(range(begin, self.at))
        return int.from_bytes(self._frame[begin : self.at], "big")

    def count(self, size: int) -> int | None:
        """A count; None where it is invalid or abnormal, and then carries no list."""
        count = self.structure(size)
        return count if count < 256**size - 2 else None

    def part(self, name: str) -> None:
        """A part of fixed size."""
        self.fixed.append((_NUMBER[name], self.pass_over(PARTS[name])))

    def listed(self, name: str, size: int) -> None:
        """Bytes that a binary column takes as they are."""
        self.note(name, self.pass_over(size))

    def note(self, name: str, begin: int) -> None:
        """The bytes from `begin` up to here belong to a binary column."""
        ranges = self.lists.setdefault(name, [])
        if ranges and ranges[-1][1] == begin:
            begin = ranges.pop()[0]
        ranges.append((begin, self.at))


def _motors(steps: _Steps) -> None:
    count = steps.count(1)
    if count is None:
        return
    if count:
        steps.part("motor")
        steps.at -= PARTS["motor"]  # the first motor's fields again stand among all records
    steps.listed(MOTOR_RECORDS, 12 * count)


def _fuel_cell(steps: _Steps) -> None:
    steps.part("fuel cell")
    count = steps.count(2)
    if count is not None:
        steps.listed(PROBES, count)
    steps.part("hydrogen")


def _alarms(steps: _Steps) -> None:
    steps.part("alarm")
    for name in FAULTS:
        count = steps.count(1)
        if count is not None:
            steps.listed(name, 4 * count)


def _subsystems(steps: _Steps, headers: str, values: str, header: int, size: int, width: int) -> None:
    """Per subsystem a header that ends in a count of `size` bytes, then that many values of `width` bytes."""
    for _ in range(_begin(steps, headers, values)):
        begin = steps.pass_over(header - size)
        count = steps.count(size)
        steps.lists[headers].append((begin, steps.at))
        steps.listed(values, width * (count or 0))


def _begin(steps: _Steps, *names: str) -> int:
    count = steps.count(1)
    if count is None:
        return 0
    for name in names:
        steps.lists.setdefault(name, [])
    return count


MOTOR_RECORDS = "Vehicle.Onshore.ElectricMotor.Records"
PROBES = "Vehicle.Onshore.FuelCell.ProbeTemperatures"
FAULTS = tuple(f"Vehicle.Onshore.Alarm.{of}Faults" for of in ("Battery", "Motor", "Engine", "Other"))
CELLS = "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"
CELL_HEADERS = "Vehicle.Onshore.TractionBattery.VoltageSubsystems"
TEMPERATURES = "Vehicle.Powertrain.TractionBattery.Temperature.CellTemperature"
TEMPERATURE_HEADERS = "Vehicle.Onshore.TractionBattery.TemperatureSubsystems"

_MAY_REPEAT = frozenset((0x08, 0x09))
_UNITS: dict[int, Callable[[_Steps], None]] = {
    0x01: lambda steps: steps.part("vehicle"),
    0x02: _motors,
    0x03: _fuel_cell,
    0x04: lambda steps: steps.part("engine"),
    0x05: lambda steps: steps.part("position"),
    0x06: lambda steps: steps.part("extremes"),
    0x07: _alarms,
    0x08: lambda steps: _subsystems(steps, CELL_HEADERS, CELLS, 10, 1, 2),
    0x09: lambda steps: _subsystems(steps, TEMPERATURE_HEADERS, TEMPERATURES, 3, 2, 1),
}
