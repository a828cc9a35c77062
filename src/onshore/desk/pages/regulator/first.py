"""A regulator's first page: what left, under which permit, what waits for one, and which ends next."""

from dataclasses import dataclass

from onshore.border import requests, steps
from onshore.border.metering import counters
from onshore.border.views import permitted
from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Page
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.site import Site

_FEW = 8


@dataclass(frozen=True)
class Waiting:
    """A request that waits for a permit: what for, and to whom."""

    id: str
    purpose: str
    categories: tuple[str, ...]
    recipient: str
    to: str
    method: str


def first(site: Site, _who: Who, _asked: Asked) -> Answer:
    """The counts of this year beside their thresholds, what left last, permits by when they end, and what waits."""
    found, permits = counters.standing(site), permitted.permits(site)
    live = sorted((one for one in permits if one.state in ("stands", "later")), key=lambda one: one.ends)
    over = [one for one in permits if one not in live]
    data = {name: found[name] for name in ("year", "pack", "counts", "windows")}
    shown = (live + over)[:_FEW]
    data |= {"permits": shown, "more": len(permits) - len(shown), "ends": live[0].ends if live else None}
    left, known = permitted.left_last(site, _FEW), {one.id: one for one in permits}
    data |= {"left": left, "under": {one.permit: known[one.permit] for one in left}, "waiting": waiting(site)}
    return Page("regulator/first.html", data)


def waiting(site: Site) -> list[Waiting]:
    """Requests that two officers approved and no permit carries."""
    return [
        Waiting(
            one.transfer.id,
            one.transfer.purpose,
            one.transfer.categories,
            one.transfer.recipient,
            site.recipient(one.transfer.recipient).jurisdiction,
            one.transfer.method,
        )
        for one in requests.listed(site)
        if one.state in steps.WAITS_FOR_PERMIT
    ]


ROUTES = (Route("/regulator", first, ("regulator",), nav=T("What left")),)
