"""Patterns: every part that pages are put together from, shown once, so that all look and speak alike."""

from onshore.desk import why
from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Page
from onshore.desk.route import EVERYBODY, Route
from onshore.desk.who import Who
from onshore.site import Site
from onshore.words.errors import Refusal
from onshore.words.verdict import Verdict

_HOUR = 3_600_000  # milliseconds


def patterns(site: Site, _who: Who, _asked: Asked) -> Answer:
    """The living guide to the desk's style: figures are made up, parts are those of every page."""
    law = site.pack.transfer.permit.outside_permit
    decided = Verdict("refuse", (law.reason("outside-permit"),))
    refusal = Refusal("four-eyes", "whoever asked does not approve", remedy="have another officer do it")
    data = {
        "decided": why.of_verdict(site, decided),
        "refused": why.of_refusal(site, refusal),
        "days": [(f"2026-09-{day:02}", value) for day, value in zip(range(1, 8), (3, 5, 0, 8, 13, 9, 4), strict=True)],
        "counts": [("track", 1200), ("vehicle-operation", 3400), ("driving-behaviour", 90)],
        "used": 8_200,
        "thresholds": [10_000, 100_000],
        "now": site.clock(),
        "due": site.clock() + 50 * _HOUR,
    }
    return Page("patterns.html", data)


ROUTES = (Route("/patterns", patterns, EVERYBODY),)
