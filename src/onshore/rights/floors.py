"""Floors: what the law has kept although a person asks for its erasure, by which article, and until when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onshore.rules.acts import Facts, Store
from onshore.rules.keeping import Term, cap_of, floor_of
from onshore.rules.local import DAY_MS
from onshore.site import Site
from onshore.words.vocabulary import STATUTORY

Ints = npt.NDArray[np.int64]
Bits = npt.NDArray[np.bool_]

BELOW = "below-retention-floor"
"""The judge's reason for not purging yet; any other is none against what a person asks."""


@dataclass(frozen=True)
class Held:
    """What a floor holds: the article, the rule in its own words, and until when the last row of it (ms UTC)."""

    article: str
    says: str
    until: int


class Floors:
    """What the pack of today's law holds, asked row by row as `vault.erase` asks; it remembers what it found."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._now = site.clock()
        self._judged: dict[tuple[str, str, int], Held | None] = {}

    def __call__(self, category: str, ground: str, times: Ints) -> Iterator[tuple[str, Bits]]:
        """Per article which of these rows it holds; a row is judged with the others of its day (UTC), by the last."""
        days = times // DAY_MS
        for day in np.unique(days).tolist():
            found = self._held(category, ground, day)
            if found is not None:
                yield found.article, days == day

    def until(self, article: str, latest: Mapping[tuple[str, str, str], int]) -> Held:
        """What an article holds of one person's rows, with the time at which the last of them may go.

        `latest`: of their held rows, by article, category and ground, the time of the last (ms UTC): others' rows, that
        were asked about in the same pass, say nothing of it.
        """
        mine = [(category, ground, last // DAY_MS) for (by, category, ground), last in latest.items() if by == article]
        return max(filter(None, (self._held(*one) for one in mine)), key=lambda held: held.until)

    def _held(self, category: str, ground: str, day: int) -> Held | None:
        key = category, ground, day
        if key not in self._judged:
            made = (day + 1) * DAY_MS
            age = max(self._now - made, 0)  # of a day that goes on, nothing may go yet
            self._judged[key] = self._judge(asked(self._site, category, ground, age), made)
        return self._judged[key]

    def _judge(self, act: Store, made: int) -> Held | None:
        verdict = self._site.judge(act, Facts(at=self._now))
        below = next((reason for reason in verdict.reasons if reason.code == BELOW), None)
        if verdict.verdict != "refuse" or below is None:
            return None
        term = floor_of(act, made, self._site.pack)
        return Held(below.article, below.says, self._now if term is None else term.until)


def asked(site: Site, category: str, ground: str, age: int = 0) -> Store:
    """What the judge is asked of rows of a category under a ground: whether they may be purged, `age` ms old."""
    return Store(
        category=category,
        place=site.settings.site.jurisdiction[:2],
        age=f"{age // 1000}s",
        ask="purge",
        exception=STATUTORY if ground == "statutory" else "none",
    )


def stay(site: Site, category: str, ground: str, last: int) -> tuple[Term | None, Term | None]:
    """Until when rows must be kept, and may be kept, reckoned from the last of them (ms UTC), by the pack of today."""
    act = asked(site, category, ground)
    return floor_of(act, last, site.pack), cap_of(act, last, site.pack)
