"""Drives that cars of the demo and of `replay` make: a recorded one from a file, or one computed here."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from onshore.words.errors import Malformed

COLUMNS = ("Date", "Time", "Soc", "Speed", "Mode", "LAT", "LON")
_SEED = 32960


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
        missing = [c for c in COLUMNS if c not in (rows.fieldnames or ())]
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
    """A modelled drive through Shanghai from a trip's beginning on, a moment a second; each car has its own."""
    from onshore.cli.driving.cars import SHANGHAI, cars
    from onshore.cli.driving.measured import measured, units

    one = cars(SHANGHAI, 1, 1, _SEED, first=car)
    said = measured(one, np.zeros(seconds, np.intp), one.departure()[0] + np.arange(seconds))
    for second in range(seconds):
        yield Moment(second * 1000, units(said, second))


def sparse(seconds: int) -> list[Moment]:
    """A computed drive in the shape of a recorded one: speed, charge, gear and position, nothing else."""
    return [Moment(m.offset, _sparse(m.units)) for m in computed(0, seconds)]


def _sparse(units: dict[str, Any]) -> dict[str, Any]:
    vehicle = {name: units["vehicle"][name] for name in ("speed_kmh", "soc_pct", "gear")}
    return {"vehicle": vehicle, "position": units["position"]}
