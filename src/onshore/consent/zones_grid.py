"""A raster over polygons: cells wholly inside or outside are answered by looking, border cells by their edges.

Cells are 1/128 of a degree wide, in tiles of 128 by 128, held only where a border runs. A border cell knows the
polygons whose border or margin touches it, and each polygon its edges in every row of cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onshore.words.errors import Malformed
from onshore.words.place import Polygon

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

UNITS = 10_000_000
"""Whole numbers to a degree: about a centimetre."""

METRES = 110_574.0
"""To a degree of latitude where it is shortest (WGS-84, at the equator), so that no margin falls short."""

OUTSIDE, INSIDE, BORDER = range(3)
"""What a cell is; OUTSIDE and INSIDE are also the numbers of the two tiles that are nothing else."""

PER_DEGREE = 128
CELL = UNITS // PER_DEGREE
TILE = PER_DEGREE**2
ACROSS, UP = 361, 181  # tiles; the last ones hold nothing but the meridian 180 and the pole
EAST, NORTH = 180 * UNITS, 90 * UNITS
ROWS, COLUMNS = 180 * PER_DEGREE, 360 * PER_DEGREE

_SLACK = 16  # units by which a border is widened, so that rounding never puts a position beyond it
_MOST = 1 << 23
"""Cells along all borders, rows of all edges: what a site's zones may have of each."""

_TOO_LONG = "the borders of the zones are too long to be held; simplify them, or leave the largest out"
_MOST_TILES = 1 << 13
_RUNS = 1 << 14  # runs of at most 128 cells that are filled together


@dataclass(frozen=True, eq=False)
class Edges:
    """Edges between corners in whole units, the lower end first.

    Per edge its polygon, its margin in metres and the metres to a unit of longitude there.
    """

    x1: Ints
    y1: Ints
    x2: Ints
    y2: Ints
    polygon: Ints
    margin: Floats
    along: Floats
    polygons: int


@dataclass(frozen=True, eq=False)
class Grid:
    """`tiles`: number of each tile in `cells`; `cells`: a line of TILE cells for each.

    `border`: numbers of the border cells, sorted; of the i-th the entries `first[i]` to `first[i + 1]` name
    polygons: their edges in this row of cells are `listed[begin:begin + length]` of the edges.
    """

    tiles: NDArray[np.int32]
    cells: NDArray[np.uint8]
    border: Ints
    first: Ints
    begin: Ints
    length: Ints
    listed: Ints
    edges: Edges


def rasterise(polygons: Sequence[tuple[Polygon, float]]) -> Grid:
    """The grid of polygons with margins in metres. Malformed where their borders are too long to be held."""
    edges = _edges(polygons)
    above = _units_up(edges.margin)
    edge, row = _bands((edges.y1 - above + NORTH) // CELL, (edges.y2 + above + NORTH) // CELL)
    touched = _touched(edges, edge, row)
    cell, polygon = np.divmod(touched, edges.polygons)
    tiles, tile = np.unique(cell // TILE, return_inverse=True)
    if len(tiles) > _MOST_TILES:
        raise Malformed(_TOO_LONG)
    directory = np.zeros(ACROSS * UP, np.int32)
    directory[tiles] = np.arange(2, 2 + len(tiles))
    cells = np.zeros((2 + len(tiles), TILE), np.uint8)
    cells[INSIDE] = INSIDE
    cells[tile + 2, cell % TILE] = BORDER
    _fill(edges, directory, cells, touched)
    band = edges.polygon[edge] * ROWS + row
    order = np.argsort(band, kind="stable")
    bands, begins, lengths = np.unique(band[order], return_index=True, return_counts=True)
    place = np.searchsorted(bands, polygon * ROWS + cell // TILE // ACROSS * PER_DEGREE + cell % TILE // PER_DEGREE)
    border, first = np.unique(cell, return_index=True)
    entries = np.append(first, len(cell))
    return Grid(directory, cells.ravel(), border, entries, begins[place], lengths[place], edge[order], edges)


def spread(lengths: Ints) -> tuple[Ints, Ints]:
    """For runs of these lengths: of each member its run, and its place in the run."""
    run = np.repeat(np.arange(len(lengths)), lengths)
    return run, np.arange(len(run)) - (np.cumsum(lengths) - lengths)[run]


def _edges(polygons: Sequence[tuple[Polygon, float]]) -> Edges:
    """All edges, those of polygons near the meridian 180 again on the other side of it."""
    found: list[Ints] = []
    number: list[Ints] = []
    margins: list[Floats] = []
    for polygon, margin in polygons:
        lines = np.concatenate([_lines(np.rint(np.array(ring) * UNITS).astype(np.int64)) for ring in polygon])
        along = _along(lines[:, [1, 3]], margin)
        reach = margin / along.min() + 2 * _SLACK
        for turn in (0, -2 * EAST, 2 * EAST):
            turned = lines + np.array([turn, 0, turn, 0])
            if turned[:, [0, 2]].min() - reach <= EAST and turned[:, [0, 2]].max() + reach >= -EAST:
                found.append(turned)
                number.append(np.full(len(lines), len(number)))
                margins.append(np.full(len(lines), float(margin)))
    x1, y1, x2, y2 = np.concatenate(found).T
    margin_of = np.concatenate(margins)
    ups = y1 <= y2
    return Edges(
        np.where(ups, x1, x2),
        np.where(ups, y1, y2),
        np.where(ups, x2, x1),
        np.where(ups, y2, y1),
        np.concatenate(number),
        margin_of,
        _along(np.stack([y1, y2], axis=1), margin_of),
        len(number),
    )


def _lines(corners: Ints) -> Ints:
    return np.hstack([corners[:-1], corners[1:]])


def _along(latitudes: Ints, margin: Floats | float) -> Floats:
    """Metres to a unit of longitude where an edge with its margin is farthest from the equator."""
    farthest = np.abs(latitudes).max(axis=1) / UNITS + margin / METRES
    found: Floats = METRES * np.cos(np.radians(farthest)) / UNITS
    return found


def _units_up(margin: Floats) -> Ints:
    found: Ints = np.ceil(margin / METRES * UNITS).astype(np.int64) + _SLACK
    return found


def _bands(lowest: Ints, highest: Ints) -> tuple[Ints, Ints]:
    """A line for each edge and each row of cells between its lowest and highest: edge, row."""
    edge, up = spread(_held(highest - lowest + 1))
    return edge, lowest[edge] + up


def _held(lengths: Ints) -> Ints:
    if lengths.sum() > _MOST:
        raise Malformed(_TOO_LONG)
    return lengths


def _touched(edges: Edges, edge: Ints, row: Ints) -> Ints:
    """Cells that a polygon's border or margin touches: number of the cell times polygons plus the polygon; sorted."""
    margin, low = edges.margin[edge], row * CELL - NORTH
    above = _units_up(margin)
    beside = np.ceil(margin / edges.along[edge]) + _SLACK
    ends = _at(edges, edge, low - above, 0), _at(edges, edge, low + CELL + above, 1)
    west = np.maximum((np.minimum(*ends) - beside + EAST) // CELL, 0).astype(np.int64)
    east = np.minimum((np.maximum(*ends) + beside + EAST) // CELL, COLUMNS).astype(np.int64)
    band, over = spread(_held(np.maximum(east - west + 1, 0)))
    return np.unique(numbers(row[band], west[band] + over) * edges.polygons + edges.polygon[edge[band]])


def _at(edges: Edges, edge: Ints, y: Ints, level: int) -> Floats:
    """Where edges are at a latitude, or at their nearer end; `level`: which end where both are at one latitude."""
    x1, y1, x2, y2 = (line[edge] for line in (edges.x1, edges.y1, edges.x2, edges.y2))
    share = np.where(y1 < y2, (np.clip(y, y1, y2) - y1) / np.maximum(y2 - y1, 1), level)
    found: Floats = x1 + share * (x2 - x1)
    return found


def numbers(row: Ints, column: Ints) -> Ints:
    """The numbers of cells: that of the tile in the directory times TILE, plus the place in the tile."""
    tile = row // PER_DEGREE * ACROSS + column // PER_DEGREE
    return tile * TILE + row % PER_DEGREE * PER_DEGREE + column % PER_DEGREE


def _fill(edges: Edges, directory: NDArray[np.int32], cells: NDArray[np.uint8], touched: Ints) -> None:
    """Mark what lies in a polygon and clear of its border: cells of the tiles there are, and whole tiles."""
    polygon, row, west, east = _runs(edges)
    run, over = spread(_held(east // PER_DEGREE - west // PER_DEGREE + 1))
    polygon, row, west, east = (of_run[run] for of_run in (polygon, row, west, east))
    column = (west // PER_DEGREE + over) * PER_DEGREE
    west, east = np.maximum(west, column), np.minimum(east, column + PER_DEGREE - 1)
    place = row // PER_DEGREE * ACROSS + column // PER_DEGREE
    directory[place[directory[place] == OUTSIDE]] = INSIDE
    there = np.flatnonzero(directory[place] > INSIDE)
    for some in np.split(there, range(_RUNS, len(there), _RUNS)):
        run, over = spread(east[some] - west[some] + 1)
        cell = numbers(row[some][run], west[some][run] + over)
        key = cell * edges.polygons + polygon[some][run]
        found = np.searchsorted(touched, key)
        cell = cell[touched[np.minimum(found, len(touched) - 1)] != key]
        cells[directory[cell // TILE], cell % TILE] = INSIDE


def _runs(edges: Edges) -> tuple[Ints, Ints, Ints, Ints]:
    """Runs of cells whose centres lie in a polygon: polygon, row, and the columns of the first and the last."""
    half = CELL // 2  # and half a unit more: no corner is ever level with a centre
    edge, row = _bands((edges.y1 + NORTH + half) // CELL, (edges.y2 + NORTH - half - 1) // CELL)
    centre = row * CELL + half + 0.5 - NORTH
    x1, y1, x2, y2 = (line[edge] for line in (edges.x1, edges.y1, edges.x2, edges.y2))
    crossing = x1 + (centre - y1) / (y2 - y1) * (x2 - x1)
    order = np.lexsort((crossing, row, edges.polygon[edge]))
    column = (crossing[order] + EAST - half - 0.5) / CELL
    west = np.clip(np.ceil(column[::2]), 0, COLUMNS).astype(np.int64)
    east = np.clip(np.floor(column[1::2]), -1, COLUMNS - 1).astype(np.int64)
    some = np.flatnonzero(west <= east)
    first = order[::2][some]
    return edges.polygon[edge[first]], row[first], west[some], east[some]
