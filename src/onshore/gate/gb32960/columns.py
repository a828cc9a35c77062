"""The columns that real-time data becomes: names, types, and how the raw numbers become values."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from onshore.gate.gb32960 import layout
from onshore.gate.gb32960.layout import PARTS, Bytes
from onshore.words.batch import BASE

Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[Any]

BEGINS = dict(zip(PARTS, accumulate(PARTS.values(), initial=0), strict=False))
WIDTH = sum(PARTS.values())
"""A row of all fixed parts side by side has WIDTH bytes; BEGINS says where each begins."""

F4, U1, U2, I2 = pa.float32(), pa.uint8(), pa.uint16(), pa.int16()
_BATTERY, _ONSHORE = "Vehicle.Powertrain.TractionBattery.", "Vehicle.Onshore."
_MOTOR, _OUR_MOTOR = "Vehicle.Powertrain.ElectricMotor.", _ONSHORE + "ElectricMotor."
_CELL, _OUR_CELL = _ONSHORE + "FuelCell.", _ONSHORE + "TractionBattery."


@dataclass(frozen=True)
class Number:
    """A column that is (raw - zero) / per of `size` (1 or 2) bytes at `at` of a part.

    Where `codes`, the two highest raw values are abnormal and invalid, and become null.
    """

    name: str
    part: str
    at: int
    size: int
    type: pa.DataType = U1
    zero: int = 0
    per: int = 1
    codes: bool = True


NUMBERS = (
    Number(_ONSHORE + "VehicleStatus", "vehicle", 0, 1),
    Number(_ONSHORE + "ChargingStatus", "vehicle", 1, 1),
    Number(_ONSHORE + "RunningMode", "vehicle", 2, 1),
    Number("Vehicle.Speed", "vehicle", 3, 2, F4, per=10),
    Number(_BATTERY + "CurrentVoltage", "vehicle", 9, 2, F4, per=10),
    Number(_BATTERY + "CurrentCurrent", "vehicle", 11, 2, F4, zero=10000, per=10),
    Number(_BATTERY + "StateOfCharge.Current", "vehicle", 13, 1, F4),
    Number(_ONSHORE + "DcDcStatus", "vehicle", 14, 1),
    Number(_ONSHORE + "InsulationResistance", "vehicle", 16, 2, U2, codes=False),
    Number("Vehicle.Chassis.Accelerator.PedalPosition", "vehicle", 18, 1),
    Number("Vehicle.Chassis.Brake.PedalPosition", "vehicle", 19, 1),
    Number(_OUR_MOTOR + "Status", "motor", 1, 1),
    Number(_OUR_MOTOR + "ControllerTemperature", "motor", 2, 1, I2, zero=40),
    Number(_MOTOR + "Speed", "motor", 3, 2, F4, zero=20000),
    Number(_MOTOR + "Torque", "motor", 5, 2, F4, zero=20000, per=10),
    Number(_MOTOR + "Temperature", "motor", 7, 1, F4, zero=40),
    Number(_OUR_MOTOR + "ControllerVoltage", "motor", 8, 2, F4, per=10),
    Number(_OUR_MOTOR + "ControllerCurrent", "motor", 10, 2, F4, zero=10000, per=10),
    Number(_CELL + "Voltage", "fuel cell", 0, 2, F4, per=10),
    Number(_CELL + "Current", "fuel cell", 2, 2, F4, per=10),
    Number(_CELL + "Consumption", "fuel cell", 4, 2, F4, per=100),
    Number(_CELL + "HydrogenMaxTemperature", "hydrogen", 0, 2, F4, zero=400, per=10),
    Number(_CELL + "HydrogenMaxTemperatureProbe", "hydrogen", 2, 1),
    Number(_CELL + "HydrogenMaxConcentration", "hydrogen", 3, 2, U2),
    Number(_CELL + "HydrogenMaxConcentrationSensor", "hydrogen", 5, 1),
    Number(_CELL + "HydrogenMaxPressure", "hydrogen", 6, 2, F4, per=10),
    Number(_CELL + "HydrogenMaxPressureSensor", "hydrogen", 8, 1),
    Number(_CELL + "HighVoltageDcDcStatus", "hydrogen", 9, 1),
    Number(_ONSHORE + "CombustionEngine.State", "engine", 0, 1),
    Number("Vehicle.Powertrain.CombustionEngine.Speed", "engine", 1, 2, F4),
    Number("Vehicle.Powertrain.FuelSystem.InstantConsumption", "engine", 3, 2, F4, per=100),
    Number(_OUR_CELL + "MaxVoltageSubsystem", "extremes", 0, 1),
    Number(_BATTERY + "CellVoltage.IdMax", "extremes", 1, 1, U2),
    Number(_BATTERY + "CellVoltage.Max", "extremes", 2, 2, F4, per=1000),
    Number(_OUR_CELL + "MinVoltageSubsystem", "extremes", 4, 1),
    Number(_BATTERY + "CellVoltage.IdMin", "extremes", 5, 1, U2),
    Number(_BATTERY + "CellVoltage.Min", "extremes", 6, 2, F4, per=1000),
    Number(_OUR_CELL + "MaxTemperatureSubsystem", "extremes", 8, 1),
    Number(_OUR_CELL + "MaxTemperatureProbe", "extremes", 9, 1),
    Number(_BATTERY + "Temperature.Max", "extremes", 10, 1, F4, zero=40),
    Number(_OUR_CELL + "MinTemperatureSubsystem", "extremes", 11, 1),
    Number(_OUR_CELL + "MinTemperatureProbe", "extremes", 12, 1),
    Number(_BATTERY + "Temperature.Min", "extremes", 13, 1, F4, zero=40),
    Number(_ONSHORE + "Alarm.Level", "alarm", 0, 1),
)

Made = Callable[[Bytes], tuple[Values, Mask | np.bool_]]
"""From the bytes of a part (bytes, rows) to values and which of them count."""


def _four(part: Bytes, at: int) -> npt.NDArray[np.uint32]:
    return np.ascontiguousarray(part[at : at + 4].T).view(">u4").ravel().astype(np.uint32)


def _odometer(part: Bytes) -> tuple[Values, Mask]:
    """0.1 km to the metres of VSS; above 999,999.9 km, the standard's most, there is no value."""
    raw = _four(part, 5)
    return raw * np.uint32(100), raw <= 9_999_999


def _gear(part: Bytes) -> tuple[Values, np.bool_]:
    """The gear in VSS terms: 0 neutral, 1 to 12, -1 reverse, 127 drive, 126 park."""
    return _GEARS[part[15] & 15], _ALWAYS


def _gear_flags(part: Bytes) -> tuple[Values, np.bool_]:
    return part[15] >> 4 & 3, _ALWAYS


def _valid(part: Bytes) -> tuple[Values, np.bool_]:
    return part[0] & 1 == 0, _ALWAYS


def _longitude(part: Bytes) -> tuple[Values, Mask]:
    return _coordinate(part, 1, west_or_south=4, most=180_000_000)


def _latitude(part: Bytes) -> tuple[Values, Mask]:
    return _coordinate(part, 5, west_or_south=2, most=90_000_000)


def _coordinate(part: Bytes, at: int, west_or_south: int, most: int) -> tuple[Values, Mask]:
    """Degrees, signed by a bit of the state; what lies beyond the globe is no value."""
    raw = _four(part, at)
    degrees = raw / 1e6
    return np.where(part[0] & west_or_south, -degrees, degrees), raw <= most


def _alarm_flags(part: Bytes) -> tuple[Values, Mask]:
    raw = _four(part, 1)
    return raw, raw < 0xFFFFFFFE


_GEARS = np.array((0, *range(1, 13), -1, 127, 126), np.int8)
_ALWAYS = np.bool_(True)  # these bits have no invalid code in 2016

SPECIAL: tuple[tuple[str, str, pa.DataType, Made], ...] = (
    ("Vehicle.TraveledDistance", "vehicle", pa.uint32(), _odometer),
    ("Vehicle.Powertrain.Transmission.CurrentGear", "vehicle", pa.int8(), _gear),
    (_ONSHORE + "GearFlags", "vehicle", U1, _gear_flags),
    ("Vehicle.CurrentLocation.Longitude", "position", pa.float64(), _longitude),
    ("Vehicle.CurrentLocation.Latitude", "position", pa.float64(), _latitude),
    (_ONSHORE + "PositionValid", "position", pa.bool_(), _valid),
    (_ONSHORE + "Alarm.Flags", "alarm", pa.uint32(), _alarm_flags),
)
LISTS = {
    0x02: (layout.MOTOR_RECORDS,),
    0x03: (layout.PROBES,),
    0x07: layout.FAULTS,
    0x08: (layout.CELLS, layout.CELL_HEADERS),
    0x09: (layout.TEMPERATURES, layout.TEMPERATURE_HEADERS),
    layout.CUSTOM: (layout.CUSTOM_UNITS,),
}
_PARTS_OF = {
    0x01: ("vehicle",),
    0x02: ("motor",),
    0x03: ("fuel cell", "hydrogen"),
    0x04: ("engine",),
    0x05: ("position",),
    0x06: ("extremes",),
    0x07: ("alarm",),
}
_PART = {name: i for i, name in enumerate(PARTS)}


class Columns:
    """The columns of batches that carry certain unit types, computed all at once."""

    def __init__(self, kinds: frozenset[int]) -> None:
        parts = {part for kind in kinds for part in _PARTS_OF.get(kind, ())}
        numbers = [n for n in NUMBERS if n.part in parts]
        self.numbers = numbers
        self.special = [s for s in SPECIAL if s[1] in parts]
        self.lists = [name for kind in sorted(kinds) for name in LISTS.get(kind, ())]
        self.schema = pa.schema(
            [
                *BASE,
                *(pa.field(n.name, n.type) for n in numbers),
                *(pa.field(name, kind) for name, _, kind, _ in self.special),
                *(pa.field(name, pa.binary()) for name in self.lists),
            ]
        )
        low = np.array([BEGINS[n.part] + n.at + n.size - 1 for n in numbers], np.intp)
        self._low = low
        self._high = np.array([lo if n.size == 2 else WIDTH for n, lo in zip(numbers, low - 1, strict=True)], np.intp)
        self._part = np.array([_PART[n.part] for n in numbers], np.intp)
        self._limit = _column(256**n.size - 2 * n.codes for n in numbers)
        self._zero = _column(n.zero for n in numbers)
        self._per = _column(n.per for n in numbers)

    def values(self, rows: Bytes, has: Mask) -> list[pa.Array]:
        """Arrays of numbers and special columns, in the schema's order.

        `rows`: (WIDTH + 1, rows) bytes of the fixed parts, the last line zero; `has`: (parts, rows). What is
        invalid, abnormal or absent is null, and zero beneath.
        """
        raw = rows[self._high].astype(np.float32)
        raw *= 256
        raw += rows[self._low]
        good = raw < self._limit
        good &= has[self._part]
        raw -= self._zero
        raw /= self._per
        np.copyto(raw, 0, where=~good)
        arrays = pack(raw, good, [n.type for n in self.numbers])
        for _, part, kind, made in self.special:
            values, counts = made(rows[BEGINS[part] : BEGINS[part] + PARTS[part]])
            there = has[_PART[part]] & counts
            arrays += pack(np.where(there, values, values.dtype.type(0))[None], there[None], [kind])
        return arrays


@lru_cache(maxsize=1024)
def columns(kinds: frozenset[int]) -> Columns:
    """The columns for these unit types; there are no more combinations than are kept."""
    return Columns(kinds)


def pack(values: Values, good: Mask, types: list[pa.DataType]) -> list[pa.Array]:
    """Arrow arrays of the lines of `values`, null where not `good`."""
    size = values.shape[1]
    full = np.logical_and.reduce(good, axis=1)
    bits = np.packbits(good, axis=1, bitorder="little")
    arrays = []
    for line, kind, whole, valid in zip(values, types, full, bits, strict=True):
        if kind == pa.bool_():
            data = np.packbits(line, bitorder="little")
        else:
            data = line.astype(kind.to_pandas_dtype(), copy=False)
        buffers = [None if whole else pa.py_buffer(valid), pa.py_buffer(data)]
        arrays.append(pa.Array.from_buffers(kind, size, buffers))
    return arrays


def _column(numbers: Iterable[int]) -> npt.NDArray[np.float32]:
    return np.array(list(numbers), np.float32)[:, None]
