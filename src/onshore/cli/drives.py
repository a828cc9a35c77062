"""Drives that cars of the demo and of `replay` make: a recorded one from a file, or one computed here."""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from onshore.words.errors import Malformed

_COLUMNS = ("Date", "Time", "Soc", "Speed", "Mode", "LAT", "LON")
_CELLS = 96


@dataclass(frozen=True)
class Moment:
    """One second of a drive: milliseconds since its start, and GB/T 32960 units by name, values in their units."""

    offset: int
    units: dict[str, Any]


def recorded(path: Path) -> list[Moment]:
    """A drive from a CSV with Date, Time, Soc (%), Speed (km/h), Mode (gear), LAT and LON (degrees).

    Only these fields are sent; what GB/T 32960 asks beyond them carries the invalid code.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        missing = [c for c in _COLUMNS if c not in (rows.fieldnames or ())]
        if missing:
            raise Malformed(f"columns missing: {', '.join(missing)}", where=path.name)
        moments = [_moment(row, f"{path.name}, line {number}") for number, row in enumerate(rows, 2)]
    if not moments:
        raise Malformed("the file holds no moment of a drive", where=path.name)
    first = moments[0].offset
    return [Moment(m.offset - first, m.units) for m in moments]


def _moment(row: dict[str, str], where: str) -> Moment:
    try:
        at = datetime.strptime(f"{row['Date']} {row['Time']}", "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC)
        speed, soc = float(row["Speed"]), float(row["Soc"])
        position = {"valid": True, "longitude": float(row["LON"]), "latitude": float(row["LAT"])}
    except (TypeError, ValueError) as error:
        raise Malformed(f"not readable: {error}", where=where) from None
    gear = {
        "position": row["Mode"] if row["Mode"] in ("N", "D", "R", "P") else "N",
        "braking": False,
        "driving": False,
    }
    vehicle = {"speed_kmh": round(speed, 1), "soc_pct": round(soc), "gear": gear}
    return Moment(int(at.timestamp() * 1000), {"vehicle": vehicle, "position": position})


def computed(car: int, seconds: int) -> Iterator[Moment]:
    """A drive through Shanghai, a moment a second; each car has its own speed, way and battery."""
    for second in range(seconds):
        yield Moment(second * 1000, _units(car, second))


def _units(car: int, second: int) -> dict[str, Any]:
    phase = second / 60 + car
    speed = round(max(0.0, 38 + 22 * math.sin(phase) - 8 * math.cos(3 * phase)), 1)
    volts = round(360.0 - second / 100 - car % 7, 1)
    amps = round(speed / 2 - 4, 1)
    return {
        "vehicle": {
            "status": "started",
            "charging": "not_charging",
            "mode": "electric",
            "speed_kmh": speed,
            "odometer_km": round(15000 + 100 * car + second / 90, 1),
            "voltage_v": volts,
            "current_a": amps,
            "soc_pct": 90 - second // 60 % 80,
            "dcdc": "working",
            "gear": {"position": "D", "braking": False, "driving": speed > 0},
            "insulation_kohm": 6500,
            "accelerator_pct": round(speed / 3),
            "brake_pct": 0 if speed > 20 else 12,
        },
        "motors": [
            {
                "no": 1,
                "status": "consuming",
                "controller_temp_c": 31 + car % 5,
                "speed_rpm": round(speed * 90),
                "torque_nm": round(speed * 1.5, 1),
                "motor_temp_c": 40 + car % 9,
                "controller_voltage_v": volts,
                "controller_current_a": amps,
            }
        ],
        "position": {
            "valid": True,
            "longitude": round(121.4737 + 0.02 * math.sin(phase / 5) + car / 1000, 6),
            "latitude": round(31.2304 + 0.02 * math.cos(phase / 5) + car / 1500, 6),
        },
        "voltages": [
            {
                "subsystem": 1,
                "voltage_v": volts,
                "current_a": amps,
                "cell_total": _CELLS,
                "first_cell": 1,
                "cell_v": [round(3.75 - second / 40000 + (car + cell) % 9 / 1000, 3) for cell in range(_CELLS)],
            }
        ],
        "temperatures": [{"subsystem": 1, "probe_c": [24 + (car + probe) % 6 for probe in range(16)]}],
    }


def sparse(seconds: int) -> list[Moment]:
    """A computed drive in the shape of a recorded one: speed, charge, gear and position, nothing else."""
    return [Moment(m.offset, _sparse(m.units)) for m in computed(0, seconds)]


def _sparse(units: dict[str, Any]) -> dict[str, Any]:
    vehicle = {name: units["vehicle"][name] for name in ("speed_kmh", "soc_pct", "gear")}
    return {"vehicle": vehicle, "position": units["position"]}
