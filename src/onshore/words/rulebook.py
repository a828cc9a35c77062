"""Rulebook: a pack's verdicts on collecting, compiled to what the sieve needs per row."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Rulebook:
    """`pack`: id and version, e.g. "cn/2026-02", and `digest`: sha256 of its bytes, hex.

    `category`: signal name to category; a signal without one is withheld (`not-in-catalogue`).
    `statutory`: door to the signals which the law itself has kept there, readable for `statutory-monitoring` alone.
    `separate`: categories whose consent counts only when asked for separately (reason `not-separate`).
    `only_for`: category to the purposes that a consent for it may serve at all; a category absent here has no limit
    (reason `biometric-not-for-safety`).
    `zoned`: categories of which nothing is kept inside a restricted zone, on any ground (reason `restricted-zone`).
    `places`: signal to the place that it tells of (words.place), where that is not the one where the car is.
    """

    pack: str
    digest: str
    category: Mapping[str, str]
    statutory: Mapping[str, frozenset[str]]
    separate: frozenset[str]
    only_for: Mapping[str, frozenset[str]]
    zoned: frozenset[str] = frozenset()
    places: Mapping[str, str] = field(default_factory=dict)
