"""An engineer's first page: what is here, and what it would take to have it."""

from dataclasses import dataclass

from onshore.border.views import catalogue
from onshore.desk import why
from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Page
from onshore.desk.pages.engineer import mine
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.site import Site
from onshore.words.errors import Refusal

_FEW = 5
"""Requests of theirs on the first page."""


@dataclass(frozen=True)
class Way:
    """What a transfer for one purpose takes: the judge's word with its reasons, the route, papers that lack."""

    purpose: str
    decided: why.Decision
    route: str
    missing: list[str]


@dataclass(frozen=True)
class Category:
    """A category: its signals, since which month rows are here, rounded counts; None: too few cars to tell.

    `open`: purposes for which it may leave as things stand; `shut`: those for which something stands against it.
    """

    category: str
    signals: int
    since: str | None
    rows: int | None
    vehicles: int | None
    open: list[str]
    shut: list[str]


def first(site: Site, who: Who, _asked: Asked) -> Answer:
    """The catalogue, as it is for whoever asks: where they sit, and for whom they work."""
    to, recipient = catalogue.destination(site, who.name)
    found = [_category(one) for one in catalogue.catalogue(site, to, recipient)]
    own = [mine.line(one) for one in mine.mine(site, who)]
    data = {"to": to, "recipient": recipient, "categories": found, "requests": own[:_FEW]}
    return Page("engineer/first.html", data | {"more": max(0, len(own) - _FEW)})


def category(site: Site, who: Who, asked: Asked) -> Answer:
    """One category: for each purpose what a transfer of it would take, and why."""
    to, recipient = catalogue.destination(site, who.name)
    code = asked.where["category"]
    found = next((one for one in catalogue.catalogue(site, to, recipient) if one.category == code), None)
    if found is None:
        raise Refusal("category-unknown", "no signal of such a category is known here")
    ways = [_way(site, way) for way in found.ways]
    return Page(
        "engineer/category.html",
        {"to": to, "recipient": recipient, "category": code, "signals": found.signals, "ways": ways},
    )


def _category(one: catalogue.Listed) -> Category:
    free = [way.purpose for way in one.ways if way.verdict.verdict == "allow"]
    shut = [way.purpose for way in one.ways if way.purpose not in free]
    return Category(one.category, len(one.signals), one.since, one.rows, one.vehicles, free, shut)


def _way(site: Site, way: catalogue.Way) -> Way:
    verdict = way.verdict
    return Way(way.purpose, why.of_verdict(site, verdict), verdict.route or "none", list(verdict.missing))


ROUTES = (
    Route("/engineer", first, ("engineer",), nav=T("Catalogue")),
    Route("/engineer/catalogue/{category}", category, ("engineer",)),
)
