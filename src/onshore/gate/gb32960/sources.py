"""Where columns come from: which bytes of which part of a frame, and how raw numbers become values.

A column may have a source in each edition: the same meaning has the same name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from onshore.gate.gb32960 import layout
from onshore.gate.gb32960.layout import EDITION_2025, Bytes
from onshore.words.place import LATITUDE, LONGITUDE
from onshore.words.place import ROW_DATUM as DATUM

Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[Any]

F4, U1, U2, I2 = pa.float32(), pa.uint8(), pa.uint16(), pa.int16()
_BATTERY, _ONSHORE = "Vehicle.Powertrain.TractionBattery.", "Vehicle.Onshore."
_MOTOR, _OUR_MOTOR = "Vehicle.Powertrain.ElectricMotor.", _ONSHORE + "ElectricMotor."
_CELL, _OUR_CELL = _ONSHORE + "FuelCell.", _ONSHORE + "TractionBattery."
_CAPACITOR = _ONSHORE + "Supercapacitor."


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
    Number(_ONSHORE + "VehicleStatus", "vehicle 2025", 0, 1),
    Number(_ONSHORE + "ChargingStatus", "vehicle 2025", 1, 1),
    Number(_ONSHORE + "RunningMode", "vehicle 2025", 2, 1),
    Number("Vehicle.Speed", "vehicle 2025", 3, 2, F4, per=10),
    Number(_BATTERY + "CurrentVoltage", "vehicle 2025", 9, 2, F4, per=10),
    Number(_BATTERY + "CurrentCurrent", "vehicle 2025", 11, 2, F4, zero=30000, per=10),
    Number(_BATTERY + "StateOfCharge.Current", "vehicle 2025", 13, 1, F4),
    Number(_ONSHORE + "DcDcStatus", "vehicle 2025", 14, 1),
    Number(_ONSHORE + "InsulationResistance", "vehicle 2025", 16, 2, U2),
    Number(_OUR_MOTOR + "Status", "motor 2025", 1, 1),
    Number(_OUR_MOTOR + "ControllerTemperature", "motor 2025", 2, 1, I2, zero=40),
    Number(_MOTOR + "Speed", "motor 2025", 3, 2, F4, zero=32000),
    Number(_MOTOR + "Temperature", "motor 2025", 9, 1, F4, zero=40),
    Number(_CELL + "HydrogenMaxTemperature", "hydrogen 2025", 0, 2, F4, zero=400, per=10),
    Number(_CELL + "HydrogenMaxTemperatureProbe", "hydrogen 2025", 2, 1),
    Number(_CELL + "HydrogenMaxConcentrationByVolume", "hydrogen 2025", 3, 2, U2),
    Number(_CELL + "HydrogenMaxConcentrationSensor", "hydrogen 2025", 5, 1),
    Number(_CELL + "HydrogenMaxPressure", "hydrogen 2025", 6, 2, F4, per=10),
    Number(_CELL + "HydrogenMaxPressureSensor", "hydrogen 2025", 8, 1),
    Number(_CELL + "HighVoltageDcDcStatus", "hydrogen 2025", 9, 1),
    Number(_CELL + "HydrogenRemaining", "hydrogen 2025", 10, 1),
    Number(_CELL + "HighVoltageDcDcTemperature", "hydrogen 2025", 11, 1, I2, zero=40),
    Number("Vehicle.Powertrain.CombustionEngine.Speed", "engine 2025", 0, 2, F4),
    Number(DATUM, "position 2025", 1, 1),
    Number(_CELL + "StackVoltage", "stack", 1, 2, F4, per=10),
    Number(_CELL + "StackCurrent", "stack", 3, 2, F4, per=10),
    Number(_CELL + "HydrogenInletPressure", "stack", 5, 2, F4, zero=1000, per=10),
    Number(_CELL + "AirInletPressure", "stack", 7, 2, F4, zero=1000, per=10),
    Number(_CELL + "AirInletTemperature", "stack", 9, 1, I2, zero=40),
    Number(_CAPACITOR + "Voltage", "capacitor", 1, 2, F4, per=10),
    Number(_CAPACITOR + "Current", "capacitor", 3, 2, F4, zero=30000, per=10),
    Number(_CAPACITOR + "MaxVoltageSystem", "capacitor extremes", 0, 1),
    Number(_CAPACITOR + "MaxVoltageCell", "capacitor extremes", 1, 2, U2),
    Number(_CAPACITOR + "MaxVoltage", "capacitor extremes", 3, 2, F4, per=1000),
    Number(_CAPACITOR + "MinVoltageSystem", "capacitor extremes", 5, 1),
    Number(_CAPACITOR + "MinVoltageCell", "capacitor extremes", 6, 2, U2),
    Number(_CAPACITOR + "MinVoltage", "capacitor extremes", 8, 2, F4, per=1000),
    Number(_CAPACITOR + "MaxTemperatureSystem", "capacitor extremes", 10, 1),
    Number(_CAPACITOR + "MaxTemperatureProbe", "capacitor extremes", 11, 2, U2),
    Number(_CAPACITOR + "MaxTemperature", "capacitor extremes", 13, 1, F4, zero=40),
    Number(_CAPACITOR + "MinTemperatureSystem", "capacitor extremes", 14, 1),
    Number(_CAPACITOR + "MinTemperatureProbe", "capacitor extremes", 15, 2, U2),
    Number(_CAPACITOR + "MinTemperature", "capacitor extremes", 17, 1, F4, zero=40),
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


def _gear_2025(part: Bytes) -> tuple[Values, Mask]:
    """The same, but where bit 7 says that the gear is not valid."""
    return _GEARS[part[15] & 15], part[15] < 0x80


def _torque_2025(part: Bytes) -> tuple[Values, Mask]:
    """0.1 N*m from -20,000 on; above 20,000 N*m, the standard's most, there is no value."""
    raw = _four(part, 5)
    return ((raw.astype(np.float32) - np.float32(200_000)) / np.float32(10)), raw <= 400_000


def _gear_flags(part: Bytes) -> tuple[Values, np.bool_]:
    return part[15] >> 4 & 3, _ALWAYS


def _valid(part: Bytes) -> tuple[Values, np.bool_]:
    return part[0] & 1 == 0, _ALWAYS


def _coordinate(at: int, west_or_south: int, most: int) -> Made:
    """Degrees, signed by a bit of the state; what lies beyond the globe is no value."""

    def made(part: Bytes) -> tuple[Values, Mask]:
        raw = _four(part, at)
        degrees = raw / 1e6
        return np.where(part[0] & west_or_south, -degrees, degrees), raw <= most

    return made


def _alarm_flags(part: Bytes) -> tuple[Values, Mask]:
    raw = _four(part, 1)
    return raw, raw < 0xFFFFFFFE


_GEARS = np.array((0, *range(1, 13), -1, 127, 126), np.int8)
_ALWAYS = np.bool_(True)  # these bits have no invalid code in 2016

_F8, _BOOL = pa.float64(), pa.bool_()
_WEST, _SOUTH = (4, 180_000_000), (2, 90_000_000)

SPECIAL: tuple[tuple[str, str, pa.DataType, Made], ...] = (
    ("Vehicle.TraveledDistance", "vehicle", pa.uint32(), _odometer),
    ("Vehicle.Powertrain.Transmission.CurrentGear", "vehicle", pa.int8(), _gear),
    (_ONSHORE + "GearFlags", "vehicle", U1, _gear_flags),
    (LONGITUDE, "position", _F8, _coordinate(1, *_WEST)),
    (LATITUDE, "position", _F8, _coordinate(5, *_SOUTH)),
    (_ONSHORE + "PositionValid", "position", _BOOL, _valid),
    (_ONSHORE + "Alarm.Flags", "alarm", pa.uint32(), _alarm_flags),
    ("Vehicle.TraveledDistance", "vehicle 2025", pa.uint32(), _odometer),
    ("Vehicle.Powertrain.Transmission.CurrentGear", "vehicle 2025", pa.int8(), _gear_2025),
    (_ONSHORE + "GearFlags", "vehicle 2025", U1, _gear_flags),
    (_MOTOR + "Torque", "motor 2025", F4, _torque_2025),
    (LONGITUDE, "position 2025", _F8, _coordinate(2, *_WEST)),
    (LATITUDE, "position 2025", _F8, _coordinate(6, *_SOUTH)),
    (_ONSHORE + "PositionValid", "position 2025", _BOOL, _valid),
)
LISTS = {
    0x02: (layout.MOTOR_RECORDS,),
    0x03: (layout.PROBES,),
    0x07: layout.FAULTS,
    0x08: (layout.CELLS, layout.CELL_HEADERS),
    0x09: (layout.TEMPERATURES, layout.TEMPERATURE_HEADERS),
    layout.CUSTOM: (layout.CUSTOM_UNITS,),
    EDITION_2025 | 0x02: (layout.MOTOR_RECORDS_2025,),
    EDITION_2025 | 0x06: (*layout.FAULTS, layout.LEVELS),
    EDITION_2025 | 0x07: (layout.CELLS, layout.CELL_HEADERS_2025),
    EDITION_2025 | 0x08: (layout.TEMPERATURES, layout.TEMPERATURE_HEADERS),
    EDITION_2025 | 0x30: (layout.STACKS, layout.COOLANT),
    EDITION_2025 | 0x31: (layout.CAPACITORS, layout.CAPACITOR_CELLS, layout.CAPACITOR_PROBES),
}
PARTS_OF = {
    0x01: ("vehicle",),
    0x02: ("motor",),
    0x03: ("fuel cell", "hydrogen"),
    0x04: ("engine",),
    0x05: ("position",),
    0x06: ("extremes",),
    0x07: ("alarm",),
    EDITION_2025 | 0x01: ("vehicle 2025",),
    EDITION_2025 | 0x02: ("motor 2025",),
    EDITION_2025 | 0x03: ("hydrogen 2025",),
    EDITION_2025 | 0x04: ("engine 2025",),
    EDITION_2025 | 0x05: ("position 2025",),
    EDITION_2025 | 0x06: ("alarm",),
    EDITION_2025 | 0x30: ("stack",),
    EDITION_2025 | 0x31: ("capacitor",),
    EDITION_2025 | 0x32: ("capacitor extremes",),
}
