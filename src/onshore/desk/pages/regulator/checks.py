"""Spot check: one request with all that belongs to it, to read and to save; evidence to carry away and verify."""

from dataclasses import dataclass
from typing import Any

from onshore.border import requests, steps
from onshore.border.views import evidence, permitted, spotcheck, spotpage
from onshore.desk import why
from onshore.desk.asked import Asked
from onshore.desk.page import Answer, File, Page
from onshore.desk.render import json
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.site import Site

_EACH = 50
_MOST = 200
"""Requests that one pack of evidence holds at most, the newest."""


@dataclass(frozen=True)
class Line:
    """A request in the list; `next`: the act that brings it further."""

    id: str
    purpose: str
    categories: tuple[str, ...]
    recipient: str
    to: str
    state: str
    verdict: str
    next: str


def listed(site: Site, _who: Who, asked: Asked) -> Answer:
    """Every request, the newest first."""
    found, page = requests.listed(site)[::-1], asked.page()
    shown = found[(page - 1) * _EACH : page * _EACH]
    lines = [_line(site, standing) for standing in shown]
    return Page("regulator/requests.html", {"requests": lines, "number": page, "more": len(found) > page * _EACH})


def _line(site: Site, one: requests.Standing) -> Line:
    asked = one.transfer
    to = site.settings.recipients.get(asked.recipient)
    return Line(
        asked.id,
        asked.purpose,
        asked.categories,
        asked.recipient,
        to.jurisdiction if to else "",
        one.state,
        one.verdict.verdict,
        steps.after(one).act,
    )


def spot_check(site: Site, _who: Who, asked: Asked) -> Answer:
    """All of one request: asked, judged, papers, permits, moves, what left; no row, no car, nobody's name."""
    transfer_id = asked.where["request"]
    standing, seen = requests.find(site, transfer_id), spotcheck.overview(site, transfer_id)
    found: dict[str, Any] = spotcheck.without_names(seen)
    data = {name: found[name] for name in ("id", "state", "route", "missing", "counters", "request", "papers")}
    data |= {
        "to": site.recipient(standing.transfer.recipient).jurisdiction,
        "decided": why.of_verdict(site, standing.verdict),
        "step": steps.after(standing).act,
        "approvals": [{k: one[k] for k in ("at", "lapsed", "why")} for one in found["approvals"]],
        "permits": [permitted.standing(site, one["id"]) for one in found["permits"]],
        "parcels": permitted.of_requests(site, [transfer_id]),
        "moves": [{k: one[k] for k in ("at", "old", "new", "why")} for one in found["moves"]],
    }
    return Page("regulator/check.html", data)


def bundle(site: Site, _who: Who, asked: Asked) -> Answer:
    """The spot check as one document, for programs."""
    transfer_id = asked.where["request"]
    found = spotcheck.without_names(spotcheck.bundle(site, transfer_id))
    return File(f"spot-check-{transfer_id}.json", "application/json", json(found))


def text(site: Site, _who: Who, asked: Asked) -> Answer:
    """The spot check as a page to keep."""
    transfer_id = asked.where["request"]
    page = spotpage.page(spotcheck.bundle(site, transfer_id))
    return File(f"spot-check-{transfer_id}.md", "text/markdown; charset=utf-8", page.encode())


def pack_of_one(site: Site, _who: Who, asked: Asked) -> Answer:
    """Evidence of one request."""
    found = requests.find(site, asked.where["request"]).transfer.id
    return File(f"evidence-{found}.zip", "application/zip", evidence.pack(site, [found]))


def pack_of_all(site: Site, _who: Who, _asked: Asked) -> Answer:
    """Evidence of every request that is on file."""
    found = [one.transfer.id for one in requests.listed(site)][-_MOST:]
    name = f"evidence-{site.settings.site.name}-{site.today().isoformat()}.zip"
    return File(name, "application/zip", evidence.pack(site, found))


_HERE = "/regulator/requests/{request}"
ROUTES = (
    Route("/regulator/requests", listed, ("regulator",), nav=T("Requests")),
    Route(_HERE, spot_check, ("regulator",)),
    Route(f"{_HERE}/bundle", bundle, ("regulator",), file=True),
    Route(f"{_HERE}/text", text, ("regulator",), file=True),
    Route(f"{_HERE}/evidence", pack_of_one, ("regulator",), file=True),
    Route("/regulator/evidence", pack_of_all, ("regulator",), file=True),
)
