"""A plausible road network about any centre: a grid with arterials, ring roads with ramps. No map is behind it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onshore.words.errors import Malformed

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Flags = NDArray[np.bool_]

SPACING = 800.0  # metres between parallel streets
STREET, ARTERIAL, RING, RAMP = 50 / 3.6, 70 / 3.6, 90 / 3.6, 40 / 3.6
"""Speed limits, m/s."""

_ARTERIAL_EVERY = 4
_GAPS = 0.12  # of the streets are not there
_RINGS = ((0.45, 16), (0.9, 28))  # shares of the radius, and junctions
_MOST_LATITUDE = 80.0


@dataclass(frozen=True)
class Roads:
    """Junctions and the roads between them, each once in either direction.

    `at`: metres east and north of the centre, (junctions, 2). Of each road `begin` and `end` (junctions), `length`
    (m), `limit` (m/s) and `way` (unit vector). `signals`: where one may have to stop. `hop[a, b]`: the next junction
    on the quickest way from a to b; `road[a, b]`: the road between neighbours; -1 where there is none.
    """

    centre: tuple[float, float]
    at: Floats
    begin: Ints
    end: Ints
    length: Floats
    limit: Floats
    way: Floats
    signals: Flags
    hop: NDArray[np.int32]
    road: NDArray[np.int32]
    places: Ints
    """Junctions that can be reached from one another: where trips begin and end."""

    def route(self, begin: int, end: int) -> Ints:
        """The roads of the quickest way between two junctions, in order; none where they are the same."""
        found = []
        while begin != end:
            following = int(self.hop[begin, end])
            found.append(int(self.road[begin, following]))
            begin = following
        return np.array(found, np.intp)

    def degrees(self, east: Floats, north: Floats) -> tuple[Floats, Floats]:
        """Longitude and latitude (WGS-84, degrees) of metres from the centre, on the ellipsoid's radii there."""
        longitude, latitude = self.centre
        sine = np.sin(np.radians(latitude))
        flat = 1 - 0.00669437999014 * sine**2
        meridian, across = 6335439.327 / flat**1.5, 6378137.0 / flat**0.5
        wide = across * np.cos(np.radians(latitude))
        return longitude + np.degrees(east / wide), latitude + np.degrees(north / meridian)


def roads(centre: tuple[float, float], radius: float, rng: np.random.Generator) -> Roads:
    """The roads of a city: `centre` longitude and latitude in degrees, `radius` in metres, 1,000 to 20,000.

    Malformed where the centre is no place on Earth, or nearer to a pole than cities are.
    """
    longitude, latitude = centre
    if not (-180 <= longitude <= 180 and -_MOST_LATITUDE <= latitude <= _MOST_LATITUDE and 1000 <= radius <= 20_000):
        what = "longitude is -180 to 180 and latitude -80 to 80 degrees, the radius 1 to 20 km"
        raise Malformed(what, where="city")
    half = max(2, int(radius / SPACING))
    size = 2 * half + 1
    grid, streets = _grid(half, rng)
    at, more = _rings(grid, radius)
    one = np.array(streets + more)
    pairs, limit = one[:, :2].astype(np.intp), one[:, 2]
    begin, end = np.concatenate([pairs[:, 0], pairs[:, 1]]), np.concatenate([pairs[:, 1], pairs[:, 0]])
    between = at[end] - at[begin]
    length = np.hypot(between[:, 0], between[:, 1])
    limit = np.concatenate([limit, limit])
    hop, road, reached = _ways(len(at), begin, end, length / limit, size * half + half)
    met = np.bincount(begin, minlength=len(at)) >= 3
    met[size * size :] = False
    way = between / length[:, None]
    return Roads(centre, at, begin, end, length, limit, way, met, hop, road, np.flatnonzero(reached))


def _grid(half: int, rng: np.random.Generator) -> tuple[Floats, list[tuple[int, int, float]]]:
    """Junctions of a grid that is not quite straight, and its streets as (junction, junction, limit)."""
    size = 2 * half + 1
    lines = (np.arange(size) - half) * SPACING
    at = np.stack(np.meshgrid(lines, lines), axis=-1).reshape(-1, 2) + rng.uniform(-120, 120, (size * size, 2))
    streets = []
    for row in range(size):
        for column in range(size):
            here = row * size + column
            for there, last, line in ((here + 1, column, row), (here + size, row, column)):
                wide = (line - half) % _ARTERIAL_EVERY == 0
                if last < size - 1 and (wide or rng.random() >= _GAPS):
                    streets.append((here, there, ARTERIAL if wide else STREET))
    return at, streets


def _rings(grid: Floats, radius: float) -> tuple[Floats, list[tuple[int, int, float]]]:
    """All junctions, those of the rings last; the ring roads and their ramps to the nearest street."""
    at, found = [grid], []
    first = len(grid)
    for share, count in _RINGS:
        turn = 2 * np.pi * np.arange(count) / count
        ring = share * radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        nearest = ((grid[None] - ring[:, None]) ** 2).sum(axis=2).argmin(axis=1)
        found += [(first + i, first + (i + 1) % count, RING) for i in range(count)]
        found += [(first + i, int(nearest[i]), RAMP) for i in range(count)]
        at.append(ring)
        first += count
    return np.concatenate(at), found


def _ways(
    count: int, begin: Ints, end: Ints, seconds: Floats, middle: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], Flags]:
    """Quickest ways between all junctions (Floyd and Warshall); which of them the middle one reaches."""
    took = np.full((count, count), np.inf, np.float32)
    hop, road = np.full((count, count), -1, np.int32), np.full((count, count), -1, np.int32)
    took[begin, end], hop[begin, end], road[begin, end] = seconds, end, np.arange(len(begin))
    np.fill_diagonal(took, 0)
    for by in range(count):
        other = took[:, by, None] + took[by]
        shorter = other < took
        took = np.where(shorter, other, took)
        hop = np.where(shorter, hop[:, by, None], hop)
    return hop, road, np.isfinite(took[middle])
