"""Restricted zones, compiled: which of many positions lie in one, at millions a second.

The meaning is that of `reference_contains`, to which tests hold it; here a grid answers, and edges are looked at
for positions near a border alone.
"""

from collections.abc import Sequence

import numpy as np

from onshore.consent.zones_grid import (
    ACROSS,
    BORDER,
    INSIDE,
    METRES,
    PER_DEGREE,
    TILE,
    UNITS,
    Floats,
    Grid,
    Ints,
    Mask,
    rasterise,
    spread,
)
from onshore.words.place import DATUMS, Zone

OTHER_DATUM = 1_000
"""Metres by which a zone reaches further for positions in another or an unknown datum.

An interpretation, not law: GCJ-02 is off WGS-84 by several hundred metres, and no converter is shipped. No other zone
takes it back, or a list more would let through what was held back before.
"""

_BLOCK = 1 << 15  # positions looked at together, so that what is worked out of them stays in the cache
_PAIRS = 1 << 20  # positions times edges tested together


class Zones:
    """Zones, with a grid for each datum that positions are in, made when first asked for."""

    def __init__(self, zones: Sequence[Zone]) -> None:
        self._zones = tuple(zones)
        self._grids: dict[tuple[int, ...], Grid] = {}

    def __len__(self) -> int:
        return len(self._zones)

    def contains(self, longitude: Floats, latitude: Floats, datum: str | None = None) -> Mask:
        """For positions in degrees whether they are in a zone or its margin; `datum`: None where nobody knows.

        What is no place on the globe (not a number, infinite, beyond it) counts as inside where there is any zone.
        """
        found = np.zeros(len(longitude), np.bool_)
        if not self._zones:
            return found
        grid = self._grid(datum)
        for start in range(0, len(found), _BLOCK):
            block = slice(start, start + _BLOCK)
            found[block] = _look(grid, longitude[block], latitude[block])
        return found

    def compile(self) -> None:
        """Make the grids for all data now; Malformed where the borders are too long to be held."""
        for datum in (None, *DATUMS) if self._zones else ():
            self._grid(datum)

    def _grid(self, datum: str | None) -> Grid:
        """The grid for positions of a datum. Often those of two data are one."""
        margins = tuple(zone.margin + OTHER_DATUM * (zone.datum != datum) for zone in self._zones)
        if margins not in self._grids:
            reaching = zip(self._zones, margins, strict=True)
            self._grids[margins] = rasterise([(p, margin) for zone, margin in reaching for p in zone.polygons])
        return self._grids[margins]


def _look(grid: Grid, longitude: Floats, latitude: Floats) -> Mask:
    placed = (np.abs(longitude) <= 180) & (np.abs(latitude) <= 90)
    if not placed.all():
        longitude, latitude = np.where(placed, longitude, 0), np.where(placed, latitude, 0)
    column = (longitude * PER_DEGREE + 180 * PER_DEGREE).astype(np.int32)
    row = (latitude * PER_DEGREE + 90 * PER_DEGREE).astype(np.int32)
    tile = (row >> _SHIFT) * ACROSS + (column >> _SHIFT)
    place = (row & _REST) << _SHIFT | column & _REST
    cell = grid.cells.take((grid.tiles.take(tile) << 2 * _SHIFT) + place)
    near = np.flatnonzero(cell == BORDER)
    inside: Mask = cell == INSIDE
    if near.size:
        number = tile[near].astype(np.int64) * TILE + place[near]
        inside[near] = _exactly(grid, number, longitude[near], latitude[near])
    inside |= ~placed
    return inside


_SHIFT = PER_DEGREE.bit_length() - 1
_REST = PER_DEGREE - 1


def _exactly(grid: Grid, cell: Ints, longitude: Floats, latitude: Floats) -> Mask:
    """Positions in border cells, each held against the polygons that its cell names."""
    x, y = np.rint(longitude * UNITS).astype(np.int64), np.rint(latitude * UNITS).astype(np.int64)
    place = np.searchsorted(grid.border, cell)
    first = grid.first[place]
    position, over = spread(grid.first[place + 1] - first)
    entry = first[position] + over
    inside = np.zeros(len(cell), np.bool_)
    pairs = np.cumsum(grid.length[entry])
    ends = np.searchsorted(pairs, range(_PAIRS, int(pairs[-1]) + _PAIRS, _PAIRS), "left")
    for some in np.split(np.arange(len(entry)), ends):
        at = position[some]
        inside[at[_in_polygons(grid, entry[some], x[at], y[at])]] = True
    return inside


def _in_polygons(grid: Grid, entry: Ints, x: Ints, y: Ints) -> Mask:
    """For positions in whole units whether each is in, on or near the polygon of its entry."""
    which, over = spread(grid.length[entry])
    edge = grid.listed[grid.begin[entry][which] + over]
    edges, x, y = grid.edges, x[which], y[which]
    x1, y1, x2, y2 = edges.x1[edge], edges.y1[edge], edges.x2[edge], edges.y2[edge]
    west, east = np.minimum(x1, x2), np.maximum(x1, x2)
    clipped = np.clip(x, west - 1, east + 1)  # or the products might not fit into 64 bits
    to, way = (clipped - x1) * (y2 - y1), (y - y1) * (x2 - x1)
    level = (y1 <= y) & (y <= y2)
    hit = level & (clipped == x) & (west <= x) & (x <= east) & (to == way)
    hit |= _within(edges.margin[edge], edges.along[edge], x - x1, y - y1, x2 - x1, y2 - y1)
    crosses = level & (y < y2) & (to < way)
    odd: Mask = np.bincount(which, crosses, len(entry)) % 2 == 1
    odd |= np.bincount(which, hit, len(entry)) > 0
    return odd


def _within(margin: Floats, along: Floats, dx: Ints, dy: Ints, ex: Ints, ey: Ints) -> Mask:
    """Whether a position is within an edge's margin, without those that have none."""
    up = METRES / UNITS
    px, py, wx, wy = dx * along, dy * up, ex * along, ey * up
    length = wx * wx + wy * wy
    share = np.clip((px * wx + py * wy) / np.where(length, length, 1), 0, 1)
    found: Mask = (margin > 0) & ((px - share * wx) ** 2 + (py - share * wy) ** 2 <= margin * margin)
    return found
