"""Requests to send something abroad, as an officer sees them: what waits, and one with all that stands on its file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from onshore.border import life, moves, steps
from onshore.border import requests as asked_for
from onshore.border.metering import counters
from onshore.border.requests import Standing
from onshore.border.views import asking, spotcheck
from onshore.desk import why
from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Page
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.register import views
from onshore.rules.articles import EXPORT_ITEMS, PAPERS
from onshore.site import Site
from onshore.vault.papers import reading
from onshore.words.permit import Transfer


@dataclass(frozen=True)
class Listed:
    """A request in the list. `waits`: its step (`border.steps`), where that is an officer's; else empty."""

    id: str
    state: str
    waits: str
    purpose: str
    categories: tuple[str, ...]
    recipient: str
    jurisdiction: str
    asked_by: str


@dataclass(frozen=True)
class Toward:
    """A count of a verdict, this request included, on its way to the threshold of a rule; None: it has no limit."""

    name: str
    says: str
    article: str
    used: int
    threshold: int | None


def listing(site: Site, _who: Who, _asked: Asked) -> Answer:
    """All requests, those that wait for an officer first."""
    found = listed(site)
    return Page("officer/requests.html", {"requests": found, "waits": sum(bool(one.waits) for one in found)})


def request(site: Site, who: Who, asked: Asked) -> Answer:
    """One request with all that stands on its file."""
    return Page("officer/request.html", data(site, who, asked.where["request"]))


def listed(site: Site) -> list[Listed]:
    """All requests, those that wait for an officer first, each part newest first."""
    found = [_listed(site, one) for one in reversed(asked_for.listed(site))]
    return sorted(found, key=lambda one: not one.waits)


def data(site: Site, who: Who, number: str) -> dict[str, Any]:
    """What the page of a request shows; refuses an unknown one. Somebody abroad sees no count of persons."""
    standing, seen = asked_for.find(site, number), spotcheck.overview(site, number, by=who.name)
    abroad, verdict = views.is_abroad(site, who.name), standing.verdict
    if abroad:
        verdict = asking.without_counts(site, standing.transfer, verdict)
    with reading(site.engine) as conn:
        held, approved = life.is_held(conn, number), life.approved_by(conn, number)
    missing = [one for one in PAPERS if one in standing.verdict.missing]
    return {
        "id": number,
        "state": standing.state,
        "next": steps.after(standing).act,
        "request": _said(site, standing.transfer),
        "decision": why.of_verdict(site, verdict),
        "route": standing.verdict.route,
        "counted": not abroad,
        "toward": [] if abroad else list(_toward(site, standing)),
        "counts": [] if abroad else counters.standing(site)["counts"],
        "papers": seen["papers"],
        "missing": missing,
        "kinds_of_paper": missing + [one for one in PAPERS if one not in missing],
        "items": EXPORT_ITEMS,
        "approvals": seen["approvals"],
        "approved": len(approved),
        "needed": life.NEEDED,
        "mine": _mine(who, standing, approved),
        "permits": [one | {"used": None} if abroad else one for one in seen["permits"]],
        "parcels": [one | {"persons": None} if abroad else one for one in seen["parcels"]],
        "moves": seen["moves"],
        "acts": list(_acts(standing.state, held=held)),
        "over": not moves.LIFE[standing.state],
    }


def _waits(one: Standing) -> str:
    """The step that only an officer takes; what was refused, or goes on by itself, waits for none."""
    step = steps.after(one)
    rests = one.state == "refused" or one.state in moves.UNDER_WAY or step.act == "receipt"
    return "" if rests or step.role != "officer" else step.act


def _mine(who: Who, standing: Standing, approved: set[str]) -> str:
    """Why whoever looks approves this no more (four-eyes): "asked", "approved", or nothing stands against it."""
    if who.name == standing.transfer.asked_by:
        return "asked"
    return "approved" if who.name in approved else ""


def _acts(state: str, *, held: bool) -> Iterator[str]:
    """What an officer may do to a request in a state, but for papers: by the table of moves."""
    if state == "completed":
        yield "approve"
    if held and moves.LIFE[state]:
        yield "resume"
    for act, to in (("suspend", "suspended"), ("refuse", "refused"), ("close", "closed")):
        if to in moves.LIFE[state]:
            yield act


def _toward(site: Site, standing: Standing) -> Iterator[Toward]:
    """The counts of this year by the route that each leads to, then those of volumes by their rules."""
    packs = (*site.law.others, site.pack)
    bulk = {rule.id: rule for pack in packs for rule in pack.transfer.bulk}
    for one in standing.verdict.counters:
        steps = [(getattr(route, f"{one.name}_from", None), route) for route in site.pack.transfer.route]
        routes = [route for start, route in steps if start is not None and start == one.threshold]
        rule = bulk.get(one.name) or next(iter(routes), None)
        told = (rule.says, rule.article) if rule else ("", "")
        yield Toward(one.name, *told, one.used, one.threshold)


def _listed(site: Site, one: Standing) -> Listed:
    asked = one.transfer
    return Listed(
        id=asked.id,
        state=one.state,
        waits=_waits(one),
        purpose=asked.purpose,
        categories=asked.categories,
        recipient=asked.recipient,
        jurisdiction=_jurisdiction(site, asked),
        asked_by=asked.asked_by,
    )


def _said(site: Site, asked: Transfer) -> dict[str, Any]:
    """What is asked for; of vehicles how many, none: all."""
    same = ("purpose", "categories", "signals", "recipient", "start", "until", "method", "ground", "produced_in")
    return {name: getattr(asked, name) for name in same} | {
        "jurisdiction": _jurisdiction(site, asked),
        "vehicles": len(asked.vehicles),
        "asked_by": asked.asked_by,
    }


def _jurisdiction(site: Site, asked: Transfer) -> str:
    """Where a recipient stands; empty where site.toml names it no more."""
    known = site.settings.recipients.get(asked.recipient)
    return known.jurisdiction if known else ""


ROUTES = (
    Route("/officer/requests", listing, ("officer",), nav=T("Requests")),
    Route("/officer/requests/{request}", request, ("officer",)),
)
