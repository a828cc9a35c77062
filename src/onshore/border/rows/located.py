"""Whether and how exactly what would leave says where cars were, as the judge asks it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from onshore.border.rows.selection import Sought, Touched, located
from onshore.consent.zones_grid import METRES
from onshore.words.catalogue import Signal

_STEP = re.compile(r"([0-9.e-]+) degrees")
_SCENES = frozenset({"exterior-video", "exterior-video-anonymised", "point-cloud"})
"""Categories that hold what is around a car: beside positions of the same car and time they have coordinates."""


@dataclass(frozen=True)
class Located:
    """What rows say of where cars were.

    `precision_m`: how far from the place that is said a car was at most; None where none is said, or nobody knows how
    exactly. `beside_tracks`: whether other data than tracks carries coordinates. `devices`: cars that are located.
    """

    precision_m: float | None
    beside_tracks: bool
    devices: frozenset[int]


def whereabouts(catalogue: Mapping[str, Signal], found: Touched, wanted: Sought) -> Located:
    """What of the rows that were found, transformed as it is `wanted`, says of where cars were.

    A place is said to the finest step that the catalogue has of these signals, or, coarsened, to half the diagonal of
    a cell: whoever is told its centre knows the place to within that, whatever the cell is called.
    """
    saying = {
        category: names
        for category, part in found.parts.items()
        if (names := [n for n in located(catalogue, category) if n in part.signals and n not in wanted.how.mask])
    }
    scenes = {category for category, part in found.parts.items() if part.rows} & _SCENES
    steps = [_metres(catalogue[name]) for names in saying.values() for name in names]
    exact = min((step for step in steps if step is not None), default=None)
    coarse = wanted.how.metres / sqrt(2) if wanted.how.metres and saying else None
    devices = frozenset[int]().union(*(found.parts[category].vehicles for category in saying))
    return Located(coarse or exact, bool(saying.keys() - {"track"} or (saying and scenes)), devices)


def _metres(signal: Signal) -> float | None:
    said = _STEP.fullmatch(signal.precision)
    return float(said[1]) * METRES if said else None
