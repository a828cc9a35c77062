"""Where everything stands in a real-time frame: one is walked, so that its likes need no walk."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onshore.gate.gb32960.protocol import HEADER, MAX_UNITS, START_2025, TIME
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
    "vehicle 2025": 18,
    "motor 2025": 10,
    "hydrogen 2025": 12,
    "engine 2025": 2,
    "position 2025": 10,
    "stack": 10,
    "capacitor": 5,
    "capacitor extremes": 18,
}
"""Bytes of the parts that have one size in every frame, in the order in which `Layout.fixed` numbers them."""

EDITION_2025 = 0x100
"""Added to a unit type of the 2025 edition where types of both stand together: the numbers mean other units."""

CUSTOM = 0x80
"""The first unit type that the carmaker defines; it stands for all of them, up to 0xFE, in both editions."""

CUSTOM_UNITS = "gb32960.custom"
"""Column of such units as sent, type and length included: one, so that no sender decides how many columns
there are, and in no catalogue, so that the sieve withholds and counts it."""

_NUMBER = {name: i for i, name in enumerate(PARTS)}


@dataclass(frozen=True, slots=True)
class Layout:
    """What frames of one shape share.

    `numbers`: where the bytes are that make the shape (edition, unit types and counts), equal in every such frame.
    `fixed`: (number of the part, where it begins). `lists`: name of a binary column to the ranges of bytes
    that fill it, in order; a list whose count is invalid is absent. `kinds`: the unit types carried, CUSTOM
    for all that the carmaker defined, those of the 2025 edition with EDITION_2025. `signature`: where FF and the
    signature begin (2025), None where there is none.
    """

    numbers: list[int]
    fixed: list[tuple[int, int]]
    lists: dict[str, list[tuple[int, int]]]
    kinds: frozenset[int]
    signature: int | None


@dataclass(frozen=True, slots=True)
class Stuck:
    """A walk that came to no end: `why`, and the bytes (`numbers`) that led there. Who has them alike fails alike."""

    numbers: list[int]
    why: Malformed


def walk(frame: bytes) -> Layout:
    """The layout of a whole real-time frame of either edition; Malformed where its units cannot be told apart."""
    found = attempt(frame)
    if isinstance(found, Stuck):
        raise found.why
    return found


def attempt(frame: bytes) -> Layout | Stuck:
    """The same, but where a walk comes to no end a value says so."""
    steps = _Steps(frame)
    try:
        return _walk(frame, steps)
    except Malformed as why:
        return Stuck(steps.shape, why)


def _walk(frame: bytes, steps: "_Steps") -> Layout:
    later = frame[:2] == START_2025
    units, may_repeat, edition = (_UNITS_2025, _MAY_REPEAT_2025, EDITION_2025) if later else (_UNITS, _MAY_REPEAT, 0)
    seen: set[int] = set()
    kinds: set[int] = set()
    count = 0
    signature = None
    while steps.at < steps.end:
        begin = steps.at
        kind = steps.kind = steps.structure(1)
        if kind == _SIGNATURE and later:
            signature = begin
            _signature(steps)
            break
        count += 1
        if count > MAX_UNITS:
            raise Malformed(f"more than {MAX_UNITS} units", where=f"byte {begin}")
        if kind in seen and kind not in may_repeat:
            raise Malformed(f"unit 0x{kind:02x} twice", where=f"byte {steps.at}")
        seen.add(kind)
        if CUSTOM <= kind <= 0xFE:
            kinds.add(CUSTOM)
            steps.pass_over(steps.structure(2))
            steps.note(CUSTOM_UNITS, begin)
        elif kind in units:
            kinds.add(kind | edition)
            units[kind](steps)
        else:
            raise Malformed(f"unknown unit 0x{kind:02x}", where=f"byte {steps.at}")
    return Layout(steps.shape, steps.fixed, steps.lists, frozenset(kinds), signature)


class _Steps:
    """Walks one frame and notes what it passes."""

    def __init__(self, frame: bytes) -> None:
        self.at = HEADER + TIME
        self.end = len(frame) - 1
        self.kind = 0
        self.shape: list[int] = [0]  # the start mark: the same numbers mean other units in the other edition
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
        """A part of fixed size; of those that come several times the first counts."""
        begin, number = self.pass_over(PARTS[name]), _NUMBER[name]
        if all(number != known for known, _ in self.fixed):
            self.fixed.append((number, begin))

    def again(self, name: str) -> None:
        """A part whose bytes stand among records that are listed too: the walk stays where it is."""
        self.part(name)
        self.at -= PARTS[name]

    def listed(self, name: str, size: int) -> None:
        """Bytes that a binary column takes as they are."""
        self.note(name, self.pass_over(size))

    def note(self, name: str, begin: int) -> None:
        """The bytes from `begin` up to here belong to a binary column."""
        ranges = self.lists.setdefault(name, [])
        if ranges and ranges[-1][1] == begin:
            begin = ranges.pop()[0]
        ranges.append((begin, self.at))


def _signature(steps: _Steps) -> None:
    """Algorithm, R and S; nothing may follow."""
    steps.structure(1)
    for _ in "rs":
        steps.pass_over(steps.structure(2))
    if steps.at < steps.end:
        raise Malformed("bytes after the data unit", where=f"byte {steps.at}")


def _motors(steps: _Steps, part: str, records: str) -> None:
    count = steps.count(1)
    if count is None:
        return
    if count:
        steps.again(part)
    steps.listed(records, PARTS[part] * count)


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


def _alarms_2025(steps: _Steps) -> None:
    _alarms(steps)
    count = steps.count(1)
    if count is not None:
        steps.listed(LEVELS, 2 * count)


def _subsystems(steps: _Steps, headers: str, values: str, header: int, size: int, width: int, first: str = "") -> None:
    """Per subsystem a header that ends in a count of `size` bytes, then that many values of `width` bytes.

    `first`: the part that the first header begins with, where its fields are columns of their own.
    """
    for i in range(_begin(steps, headers, values)):
        if first and i == 0:
            steps.again(first)
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


def _capacitor(steps: _Steps) -> None:
    """A header in two pieces, each of which ends in a count; after each that many values."""
    begin = steps.at
    steps.part("capacitor")
    for name, width in ((CAPACITOR_CELLS, 2), (CAPACITOR_PROBES, 1)):
        count = steps.count(2)
        steps.note(CAPACITORS, begin)
        steps.listed(name, width * (count or 0))
        begin = steps.at


MOTOR_RECORDS = "Vehicle.Onshore.ElectricMotor.Records"
MOTOR_RECORDS_2025 = "Vehicle.Onshore.ElectricMotor.Records2025"
PROBES = "Vehicle.Onshore.FuelCell.ProbeTemperatures"
FAULTS = tuple(f"Vehicle.Onshore.Alarm.{of}Faults" for of in ("Battery", "Motor", "Engine", "Other"))
LEVELS = "Vehicle.Onshore.Alarm.Levels"
CELLS = "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"
CELL_HEADERS = "Vehicle.Onshore.TractionBattery.VoltageSubsystems"
CELL_HEADERS_2025 = "Vehicle.Onshore.TractionBattery.VoltageSubsystems2025"
TEMPERATURES = "Vehicle.Powertrain.TractionBattery.Temperature.CellTemperature"
TEMPERATURE_HEADERS = "Vehicle.Onshore.TractionBattery.TemperatureSubsystems"
STACKS = "Vehicle.Onshore.FuelCell.Stacks"
COOLANT = "Vehicle.Onshore.FuelCell.CoolantTemperatures"
CAPACITORS = "Vehicle.Onshore.Supercapacitor.Systems"
CAPACITOR_CELLS = "Vehicle.Onshore.Supercapacitor.CellVoltages"
CAPACITOR_PROBES = "Vehicle.Onshore.Supercapacitor.ProbeTemperatures"

_SIGNATURE = 0xFF
_MAY_REPEAT = frozenset((0x08, 0x09))
_MAY_REPEAT_2025 = frozenset((0x07, 0x08, 0x31))
_UNITS: dict[int, Callable[[_Steps], None]] = {
    0x01: lambda steps: steps.part("vehicle"),
    0x02: lambda steps: _motors(steps, "motor", MOTOR_RECORDS),
    0x03: _fuel_cell,
    0x04: lambda steps: steps.part("engine"),
    0x05: lambda steps: steps.part("position"),
    0x06: lambda steps: steps.part("extremes"),
    0x07: _alarms,
    0x08: lambda steps: _subsystems(steps, CELL_HEADERS, CELLS, 10, 1, 2),
    0x09: lambda steps: _subsystems(steps, TEMPERATURE_HEADERS, TEMPERATURES, 3, 2, 1),
}
_UNITS_2025: dict[int, Callable[[_Steps], None]] = {
    0x01: lambda steps: steps.part("vehicle 2025"),
    0x02: lambda steps: _motors(steps, "motor 2025", MOTOR_RECORDS_2025),
    0x03: lambda steps: steps.part("hydrogen 2025"),
    0x04: lambda steps: steps.part("engine 2025"),
    0x05: lambda steps: steps.part("position 2025"),
    0x06: _alarms_2025,
    0x07: lambda steps: _subsystems(steps, CELL_HEADERS_2025, CELLS, 7, 2, 2),
    0x08: lambda steps: _subsystems(steps, TEMPERATURE_HEADERS, TEMPERATURES, 3, 2, 1),
    0x30: lambda steps: _subsystems(steps, STACKS, COOLANT, 12, 2, 1, "stack"),
    0x31: _capacitor,
    0x32: lambda steps: steps.part("capacitor extremes"),
}
