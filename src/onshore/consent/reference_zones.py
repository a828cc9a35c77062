"""The reference test of zones: slow and plain, one position, every edge; what it says is what a zone means."""

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise

from onshore.words.place import Polygon, Zone

_UNITS = 10_000_000  # to a degree: about a centimetre
_METRES = 110_574.0  # to a degree of latitude where it is shortest, at the equator (WGS-84)
_OTHER_DATUM = 1_000.0  # metres: see `reference_contains`

_Segment = tuple[int, int, int, int]


def reference_contains(zones: Sequence[Zone], longitude: float, latitude: float, datum: str | None) -> bool:
    """Whether a position (degrees; NaN where one half of it is missing) is in a zone or in its margin.

    1. Without zones: no. With zones, a position that is no place (not a number, beyond the globe) is in one: it
       was given, and nobody can say that it lies outside.
    2. Positions and vertices are rounded to 1e-7 degree. A polygon is where an odd number of its rings
       surrounds the position, edges and vertices included.
    3. The margin reaches its metres from every edge, or up to a few per cent further, never less far: a degree
       of latitude is taken as 110,574 m, one of longitude as that times the cosine at the edge's end that is
       farther from the equator, the margin added.
    4. A zone in another datum than the position's, or any zone where the position's datum is not known,
       reaches 1,000 m further: GCJ-02 is off WGS-84 by several hundred metres, and nothing converts them here.
    5. Each zone is asked alone: one zone more never lets a position go.
    """
    if not zones:
        return False
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        return True
    x, y = round(longitude * _UNITS), round(latitude * _UNITS)
    for zone in zones:
        margin = zone.margin if datum == zone.datum else zone.margin + _OTHER_DATUM
        if any(_in_polygon(polygon, x + shift, y, margin) for polygon in zone.polygons for shift in _turns()):
            return True
    return False


def _turns() -> Iterable[int]:
    """The globe goes round."""
    return (0, 360 * _UNITS, -360 * _UNITS)


def _in_polygon(polygon: Polygon, x: int, y: int, margin: float) -> bool:
    inside = False
    for ring in polygon:
        corners = [(round(a * _UNITS), round(b * _UNITS)) for a, b in ring]
        for (x1, y1), (x2, y2) in pairwise(corners):
            edge = (x1, y1, x2, y2)
            if _on(edge, x, y) or (margin and _distance(edge, x, y, margin) <= margin):
                return True
            if (y1 <= y) != (y2 <= y) and x < x1 + Fraction((y - y1) * (x2 - x1), y2 - y1):
                inside = not inside
    return inside


def _on(edge: _Segment, x: int, y: int) -> bool:
    x1, y1, x2, y2 = edge
    between = min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2)
    return between and (x - x1) * (y2 - y1) == (y - y1) * (x2 - x1)


def _distance(edge: _Segment, x: int, y: int, margin: float) -> float:
    """Metres, never too many, between a position and an edge."""
    x1, y1, x2, y2 = edge
    farthest = max(abs(y1), abs(y2)) / _UNITS + margin / _METRES
    along = _METRES * math.cos(math.radians(farthest)) / _UNITS
    up = _METRES / _UNITS
    to, way = ((x - x1) * along, (y - y1) * up), ((x2 - x1) * along, (y2 - y1) * up)
    length = way[0] ** 2 + way[1] ** 2
    share = min(1.0, max(0.0, (to[0] * way[0] + to[1] * way[1]) / length)) if length else 0.0
    return math.hypot(to[0] - share * way[0], to[1] - share * way[1])
