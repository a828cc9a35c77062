"""Trips: where a car went, as its keeper alone sees it; rows of positions with no long gap between them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onshore.register import views
from onshore.rights.whose import some_of
from onshore.site import Site
from onshore.vault.read import read_all_of
from onshore.vault.restrictions import Scope
from onshore.words.place import LATITUDE, LONGITUDE

GAP = 10 * 60_000
"""Milliseconds without a position after which another trip begins."""

_CATEGORY = "track"
_RADIUS = 6_371_000.0  # metres; a sphere is near enough for a sum of short ways
_FEWEST = 2  # positions that make a way
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trip:
    """A trip: from, to (ms UTC), how far (metres), how many positions; `line`: some, as (longitude, latitude)."""

    start: int
    end: int
    metres: int
    positions: int
    line: list[tuple[float, float]]


def trips(site: Site, by: str, scope: Scope, start: int, until: int, most: int = 200) -> list[Trip]:
    """The trips that a scope means of [start, until) (ms UTC), oldest first; nothing that is restricted.

    `by`: who looks; refused (`view-is-export`) where what they see would leave. Refused too (`restricted`) where all of
    the car is. `most`: positions of a line.
    """
    views.refuse_abroad(site, by, "rights-access", categories=[_CATEGORY])
    time, x, y = _positions(site, scope, start, until)
    ends = np.flatnonzero(np.diff(time) > GAP) + 1
    parts = zip(*(np.split(one, ends) for one in (time, x, y)), strict=True)
    return [_trip(at, east, north, most) for at, east, north in parts if len(at) >= _FEWEST]


def _positions(site: Site, scope: Scope, start: int, until: int) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Instants with longitude and latitude, in order; one that is kept on two grounds is there once."""
    found: dict[int, tuple[float, float]] = {}
    every = read_all_of(
        site.engine, site.root, site.vault, site.id, scope.vehicle, start=start, until=until, categories=[_CATEGORY]
    )
    for _, table in some_of(site, scope, every):
        if {LONGITUDE, LATITUDE} <= set(table.column_names):
            there = [table.column(name).cast("float64").to_numpy() for name in (LONGITUDE, LATITUDE)]
            at = table.column("time").cast("int64").to_numpy()
            known = np.isfinite(there[0]) & np.isfinite(there[1])
            found |= dict(
                zip(at[known].tolist(), zip(*(one[known].tolist() for one in there), strict=True), strict=True)
            )
    order = sorted(found)
    points = np.array([found[at] for at in order], np.float64).reshape(-1, 2)
    return np.array(order, np.int64), points[:, 0], points[:, 1]


def _trip(at: npt.NDArray[np.int64], east: Floats, north: Floats, most: int) -> Trip:
    some = np.unique(np.linspace(0, len(at) - 1, min(most, len(at))).round().astype(int))
    line = [(round(float(x), 6), round(float(y), 6)) for x, y in zip(east[some], north[some], strict=True)]
    return Trip(int(at[0]), int(at[-1]), round(float(_metres(east, north).sum())), len(at), line)


def _metres(east: Floats, north: Floats) -> Floats:
    """From each position to the next (haversine)."""
    x, y = np.radians(east), np.radians(north)
    half = np.sin(np.diff(y) / 2) ** 2 + np.cos(y[1:]) * np.cos(y[:-1]) * np.sin(np.diff(x) / 2) ** 2
    far: Floats = 2 * _RADIUS * np.arcsin(np.sqrt(half))
    return far
