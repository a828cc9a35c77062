"""Drawings: bars, sparklines and meters as SVG, from figures; each with the table that says the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

_WIDE, _ROW, _GAP = 480, 22, 6  # units of the picture; the stylesheet says how large one is
_LABEL, _VALUE = 168, 72  # room beside bars
_SPARK = 48  # height of a sparkline
_LONGEST = 24  # letters of a label that fit beside a bar
Shown = Callable[[float], str]


@dataclass(frozen=True)
class Drawing:
    """A picture with its caption, and the table beside it: its head and rows as texts."""

    caption: str
    svg: Markup
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def bars(
    caption: str, head: tuple[str, str], rows: Sequence[tuple[str, float]], shown: Shown = lambda v: f"{v:,.0f}"
) -> Drawing:
    """A bar for each row, as long as its value (0 or more) beside the largest."""
    most, room = max((value for _, value in rows), default=0) or 1, _WIDE - _LABEL - _VALUE
    drawn = []
    for number, (label, value) in enumerate(rows):
        y, long = number * (_ROW + _GAP), max(value, 0) / most * room
        middle = y + _ROW * 0.7
        short = label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…"
        drawn += [
            tag("text", short, x=_LABEL - 8, y=middle, text_anchor="end"),
            tag("rect", x=_LABEL, y=y, width=max(long, 1), height=_ROW, rx=3, _class="bar"),
            tag("text", shown(value), x=_LABEL + long + 6, y=middle),
        ]
    high = max(len(rows) * (_ROW + _GAP) - _GAP, _ROW)
    return Drawing(caption, picture(caption, _WIDE, high, drawn), head, _table(rows, shown))


def sparkline(
    caption: str, head: tuple[str, str], rows: Sequence[tuple[str, float]], shown: Shown = lambda v: f"{v:,.0f}"
) -> Drawing:
    """A line through values in order, from 0 up to the largest; a point at the last."""
    values = [max(value, 0) for _, value in rows] or [0]
    most, step = max(values) or 1, (_WIDE - 8) / max(len(values) - 1, 1)
    points = [(4 + n * step, 4 + (_SPARK - 8) * (1 - value / most)) for n, value in enumerate(values)]
    line = " ".join(f"{_short(x)},{_short(y)}" for x, y in points)
    under = f"{_short(points[0][0])},{_SPARK - 4} {line} {_short(points[-1][0])},{_SPARK - 4}"
    last = tag("circle", cx=points[-1][0], cy=points[-1][1], r=3, _class="point")
    drawn = [tag("polygon", points=under, _class="under"), tag("polyline", points=line, _class="line"), last]
    return Drawing(caption, picture(caption, _WIDE, _SPARK, drawn), head, _table(rows, shown))


def meter(
    caption: str,
    head: tuple[str, str],
    used: tuple[str, float],
    thresholds: Sequence[tuple[str, float]],
    shown: Shown = lambda v: f"{v:,.0f}",
) -> Drawing:
    """How far a count is on its way to thresholds: a bar toward the next of them, a mark for each that is in sight."""
    _, value = used
    steps = sorted(at for _, at in thresholds)
    to = next((at for at in steps if at > value), max([value, *steps], default=0)) or 1
    drawn = [
        tag("rect", x=0, y=4, width=_WIDE, height=_ROW, rx=3, _class="track"),
        tag("rect", x=0, y=4, width=min(value / to, 1) * _WIDE, height=_ROW, rx=3, _class=_how(value, to)),
    ]
    drawn += [
        tag("line", x1=at / to * _WIDE - 1, x2=at / to * _WIDE - 1, y1=0, y2=_ROW + 8, _class="threshold")
        for at in steps
        if at <= to
    ]
    under = _ROW + 24
    drawn.append(tag("text", shown(value), x=0, y=under))
    if to > value:
        drawn.append(tag("text", shown(to), x=_WIDE, y=under, text_anchor="end"))
    return Drawing(caption, picture(caption, _WIDE, _ROW + 30, drawn), head, _table([used, *thresholds], shown))


def _how(value: float, to: float) -> str:
    return "bar over" if value >= to else "bar near" if value >= 0.8 * to else "bar"


def _table(rows: Sequence[tuple[str, float]], shown: Shown) -> tuple[tuple[str, ...], ...]:
    return tuple((label, shown(value)) for label, value in rows)


def picture(caption: str, wide: float, high: float, drawn: Sequence[Markup]) -> Markup:
    """Elements as one picture of that size."""
    inside = Markup("").join([tag("title", caption), *drawn])
    named: dict[str, Any] = {"_class": "drawing", "role": "img", "preserveAspectRatio": "xMinYMin meet"}
    return tag("svg", inside, viewBox=f"0 0 {_short(wide)} {_short(high)}", aria_label=caption, **named)


def tag(name: str, inside: str = "", **attributes: object) -> Markup:
    """An element; "_" of attributes' names stands for "-"."""
    said = Markup("").join(
        Markup(' {}="{}"').format(key.lstrip("_").replace("_", "-"), _short(value) if _is_number(value) else value)
        for key, value in attributes.items()
    )
    return Markup("<{0}{1}>{2}</{0}>").format(name, said, escape(inside))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _short(value: Any) -> str:
    return f"{value:.1f}".removesuffix(".0")
