"""An engineer's own requests: where each stands, what comes next, what left, and how to open and verify that."""

from dataclasses import dataclass

from onshore.border import requests, steps
from onshore.border.requests import Standing
from onshore.border.views import permitted, spotcheck
from onshore.desk.asked import Asked
from onshore.desk.page import Answer, File, Page
from onshore.desk.pages.engineer.ask import word
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.site import Site
from onshore.words.errors import Refusal

_EACH = 50


@dataclass(frozen=True)
class Line:
    """A request of theirs: `next`: the act that brings it further, `role`: whose act that is."""

    id: str
    purpose: str
    categories: tuple[str, ...]
    recipient: str
    state: str
    verdict: str
    next: str
    role: str


@dataclass(frozen=True)
class Parcel:
    """A parcel of theirs, without its figures of persons. `file`: it is a sealed file; a view has none."""

    id: str
    request: str
    state: str
    left: int | None
    sha256: str
    file: bool
    receipt: int | None


def listed(site: Site, who: Who, asked: Asked) -> Answer:
    """Their requests, the newest first."""
    found, page = mine(site, who), asked.page()
    shown = [line(one) for one in found[(page - 1) * _EACH : page * _EACH]]
    return Page("engineer/requests.html", {"requests": shown, "number": page, "more": len(found) > page * _EACH})


def one(site: Site, who: Who, asked: Asked) -> Answer:
    """One of their requests: the verdict, what is missing, each step it took, and what left."""
    standing = _own(site, who, asked.where["request"])
    seen, transfer = spotcheck.overview(site, standing.transfer.id), standing.transfer
    data = {
        "line": line(standing),
        "word": word(site, who, transfer, standing.verdict),
        "request": {name: getattr(transfer, name) for name in ("start", "until", "method", "signals")},
        "papers": [{name: one[name] for name in ("kind", "until", "state")} for one in seen["papers"]],
        "moves": [{name: one[name] for name in ("at", "new", "why")} for one in seen["moves"]],
        "parcels": parcels(site, [standing]),
    }
    return Page("engineer/request.html", data)


def all_parcels(site: Site, who: Who, _asked: Asked) -> Answer:
    """What left of their requests, and how a recipient opens and verifies it."""
    vkey = site.ledger.vkey
    found = parcels(site, mine(site, who))
    return Page("engineer/parcels.html", {"parcels": found[:_EACH], "vkey": vkey, "more": len(found) - _EACH})


def proof(site: Site, who: Who, asked: Asked) -> Answer:
    """The proof that belongs beside a parcel of theirs."""
    found = permitted.parcel(site, asked.where["parcel"])
    try:
        _own(site, who, found.request)
    except Refusal:
        raise Refusal("parcel-unknown", "there is no such parcel of yours") from None
    text = permitted.proof(site, found)
    return File(f"{found.id}.tlog-proof", "text/plain; charset=utf-8", text.encode())


def vkey(site: Site, _who: Who, _asked: Asked) -> Answer:
    """The ledger's verifier keys."""
    return File("vkey", "text/plain; charset=utf-8", site.ledger.vkeys.encode())


def mine(site: Site, who: Who) -> list[Standing]:
    """The requests that somebody asked, the newest first."""
    return [one for one in reversed(requests.listed(site)) if one.transfer.asked_by == who.name]


def line(standing: Standing) -> Line:
    """A request as lists have it."""
    asked, step = standing.transfer, steps.after(standing)
    return Line(
        asked.id,
        asked.purpose,
        asked.categories,
        asked.recipient,
        standing.state,
        standing.verdict.verdict,
        step.act,
        step.role,
    )


def parcels(site: Site, of: list[Standing]) -> list[Parcel]:
    """What left, or is to, of some requests, the newest first."""
    found = permitted.of_requests(site, [one.transfer.id for one in of])
    return [Parcel(p.id, p.request, p.state, p.left, p.sha256, bool(p.sha256), p.receipt) for p in found]


def _own(site: Site, who: Who, transfer_id: str) -> Standing:
    found = requests.find(site, transfer_id)
    if found.transfer.asked_by != who.name:
        raise Refusal("transfer-unknown", "there is no such request", remedy="your own are listed under Requests")
    return found


ROUTES = (
    Route("/engineer/requests", listed, ("engineer",), nav=T("Your requests")),
    Route("/engineer/requests/{request}", one, ("engineer",)),
    Route("/engineer/parcels", all_parcels, ("engineer",), nav=T("Parcels")),
    Route("/engineer/parcels/{parcel}/proof", proof, ("engineer",), file=True),
    Route("/engineer/vkey", vkey, ("engineer",), file=True),
)
