"""Tracks: ways that were driven as SVG, on no map: north is up, a bar says how far."""

from collections.abc import Sequence
from math import cos, radians

from markupsafe import Markup

from onshore.desk.draw import picture, tag

Line = Sequence[tuple[float, float]]

_WIDE, _HIGH, _EDGE = 480.0, 360.0, 26.0  # units of the picture
_FOOT = 30.0  # room for the bar below
_METRES = 111_195.0  # of a degree of latitude
_LEAST = 200.0  # metres that a picture shows at least: nobody's parking is drawn as a journey
_THIRD = 3


def tracks(caption: str, lines: Sequence[Line], metres: str, kilometres: str) -> Markup:
    """Lines of (longitude, latitude), each with its number from 1 on where it begins; a bar of a round length.

    `metres`, `kilometres`: what the units are called.
    """
    flat = _flat(lines)
    every = [point for line in flat for point in line] or [(0.0, 0.0)]
    (left, right), (low, top) = ((min(axis), max(axis)) for axis in zip(*every, strict=True))
    across, up = max(right - left, _LEAST), max(top - low, _LEAST)
    scale = min((_WIDE - 2 * _EDGE) / across, (_HIGH - 2 * _EDGE) / up)
    aside = (_WIDE - (right - left) * scale) / 2 - left * scale
    high = max(up * scale, (top - low) * scale) + 2 * _EDGE
    above = (high - (top - low) * scale) / 2 + top * scale
    placed = [[(aside + x * scale, above - y * scale) for x, y in line] for line in flat]
    drawn = [part for number, line in enumerate(placed, 1) if line for part in _drawn(number, line)]
    return picture(caption, _WIDE, high + _FOOT, [*drawn, *_bar(scale, high, metres, kilometres)])


def _flat(lines: Sequence[Line]) -> list[list[tuple[float, float]]]:
    """Metres east and north of the middle; a degree of longitude is as long as there."""
    every = [y for line in lines for _, y in line]
    middle = (min(every) + max(every)) / 2 if every else 0.0
    wide = _METRES * cos(radians(middle))
    return [[(x * wide, y * _METRES) for x, y in line] for line in lines]


def _drawn(number: int, line: Sequence[tuple[float, float]]) -> list[Markup]:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in line)
    (x, y), (end_x, end_y) = line[0], line[-1]
    return [
        tag("polyline", points=points, _class="line"),
        tag("circle", cx=end_x, cy=end_y, r=4, _class="point"),
        tag("circle", cx=x, cy=y, r=9, _class="begin"),
        tag("text", str(number), x=x, y=y + 4, text_anchor="middle", _class="number"),
    ]


def _bar(scale: float, high: float, metres: str, kilometres: str) -> list[Markup]:
    """The longest bar of 1, 2 or 5 times a power of ten that takes up to a third of the picture."""
    room = _WIDE / _THIRD / scale
    power = 10 ** (len(str(int(room))) - 1)
    far = max(step * power for step in (1, 2, 5) if step * power <= max(room, 1))
    long, y = far * scale, high + 8
    said = f"{far // 1000} {kilometres}" if far >= 1000 else f"{far} {metres}"
    path = f"M{_EDGE} {y - 5}V{y + 5}M{_EDGE} {y}H{_EDGE + long:.1f}M{_EDGE + long:.1f} {y - 5}V{y + 5}"
    return [tag("path", d=path, _class="scale"), tag("text", said, x=_EDGE + long + 8, y=y + 4)]
