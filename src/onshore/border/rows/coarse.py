"""Coarsening in space and time: cells on a globe, intervals of time, and which row speaks for one."""

import numpy as np
from numpy.typing import NDArray

from onshore.consent.zones_grid import METRES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_EQUATOR = 111_319.0
"""Metres to a degree of longitude at the equator, rounded down (WGS-84: 6,378,137 m). Times the cosine of the latitude
it falls short of the ellipsoid's own everywhere else, and so does METRES (NIMA TR8350.2, 2000, Table 3.1)."""

_DIGITS = 6  # of a degree: a decimetre, and the step in which positions are kept


def cell_centres(longitude: Floats, latitude: Floats, metres: int) -> tuple[Floats, Floats]:
    """The centre of the cell in which each position lies, in degrees; not a number where it is none on the globe.

    Bands of latitude of equal height, each cut into cells of equal width as they are at its end nearer to a pole, so
    that no cell is lower or narrower than asked anywhere in it. Cells depend on nothing but `metres`.
    """
    bands = max(int(180 * METRES / metres), 1)
    placed = (np.abs(longitude) <= 180) & (np.abs(latitude) <= 90)
    x, y = np.where(placed, longitude, 0.0), np.where(placed, latitude, 0.0)
    band = np.minimum(np.floor((y + 90) * (bands / 180)), bands - 1)
    south = band * (180 / bands) - 90
    end = np.maximum(np.abs(south), np.abs(south + 180 / bands))
    across = np.maximum(np.floor(360 * _EQUATOR / metres * np.cos(np.radians(np.minimum(end, 90)))), 1)
    cell = np.mod(np.floor((x + 180) * (across / 360)), across)
    centres = (cell + 0.5) * (360 / across) - 180, south + 90 / bands
    east, north = (np.where(placed, np.round(values, _DIGITS), np.nan) for values in centres)
    return east, north


def interval_starts(time: Ints, seconds: int) -> Ints:
    """The start of the interval in which each instant lies, milliseconds UTC; intervals begin with 1970."""
    step = seconds * 1000
    starts: Ints = time - np.mod(time, step)
    return starts


def drawn(present: Mask, first: Ints, vehicle: Ints, start: Ints, seed: int) -> tuple[Ints, Mask]:
    """For each group of rows one that has a value, and whether none has.

    `first`: where each group begins; `vehicle` and `start` of each group and the secret `seed` decide which row it is,
    so that columns that have values in the same rows are drawn from one row.
    """
    having = np.flatnonzero(present)
    if not len(having):
        return np.zeros(len(first), np.int64), np.ones(len(first), np.bool_)
    before = np.searchsorted(having, first)
    many = np.diff(np.r_[before, len(having)])
    turn = _mixed(_mixed(vehicle.astype(np.uint64) ^ np.uint64(seed)) ^ start.astype(np.uint64))
    chosen = before + (turn % np.maximum(many, 1).astype(np.uint64)).astype(np.int64)
    rows: Ints = having[np.minimum(chosen, len(having) - 1)]
    return rows, many == 0


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Every bit of a number spread over all of them (the finaliser of SplitMix64, Steele, Lea, Flood 2014)."""
    for shift, by in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(by)
    return bits ^ (bits >> np.uint64(31))
