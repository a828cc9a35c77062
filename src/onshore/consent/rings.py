"""Rings that enclose what they seem to: once round, with some area, and with holes that leave something of it."""

from itertools import pairwise
from math import atan2, tau

from onshore.words.errors import Malformed
from onshore.words.place import Point, Polygon

_UNITS = 10_000_000  # to a degree: zones are read so finely, about a centimetre
_THIN = 10  # of these units: what is narrower is read as nothing


def check_rings(rings: Polygon, where: str) -> None:
    """Malformed for a polygon of which nobody is inside, though whoever drew it may well believe so.

    That is a ring that crosses itself or goes round twice, and one of which its holes leave nothing that is wider
    than about ten centimetres (RFC 7946, 3.1.6: linear rings, an exterior and holes).
    """
    shell, *holes = (_doubled(ring) for ring in rings)
    if shell - sum(holes) <= _THIN * _length(rings[0]):
        raise Malformed("nothing is left inside: the ring encloses no area, or its holes take all of it", where=where)
    for i, ring in enumerate(rings):
        if _turns(ring) != 1:
            raise Malformed("the ring crosses itself, turns back on itself or goes round twice", where=f"{where}[{i}]")


def _whole(ring: tuple[Point, ...]) -> list[tuple[int, int]]:
    return [(round(x * _UNITS), round(y * _UNITS)) for x, y in ring]


def _doubled(ring: tuple[Point, ...]) -> int:
    """Twice the area, in square units; halves of a ring that runs both ways take each other away."""
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(_whole(ring))))


def _length(ring: tuple[Point, ...]) -> int:
    return sum(abs(x2 - x1) + abs(y2 - y1) for (x1, y1), (x2, y2) in pairwise(_whole(ring)))


def _turns(ring: tuple[Point, ...]) -> int:
    """How many times the way along a ring turns round: once where it crosses itself nowhere; 0 where it goes back."""
    steps = [(x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in pairwise(ring) if (x1, y1) != (x2, y2)]
    turned = 0.0
    for (ax, ay), (bx, by) in pairwise([*steps, *steps[:1]]):
        across, ahead = ax * by - bx * ay, ax * bx + ay * by
        if across == 0 and ahead < 0:
            return 0
        turned += atan2(across, ahead)
    return abs(round(turned / tau))
