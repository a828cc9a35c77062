"""Received: who got something of theirs, when, under which permit, and why that was allowed."""

from dataclasses import dataclass

from onshore.border import grants, requests
from onshore.desk import why
from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Page
from onshore.desk.pages.owner import mine
from onshore.desk.pages.owner.mine import Mine
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.desk.why import Decision
from onshore.register import persons
from onshore.rights import received
from onshore.rights.received import Parcel
from onshore.site import Site
from onshore.words.vocabulary import STATUTORY


@dataclass(frozen=True)
class Left:
    """A parcel that left: when (ms UTC; None: on its way), to whom and where, what, under which permit, and why.

    `granted_by`, `holds_from`, `holds_until`: of the permit, days inclusive; `revoked`: since when it holds no more.
    """

    parcel: str
    left: int | None
    recipient: str
    jurisdiction: str
    purpose: str
    categories: list[str]
    permit: str
    granted_by: str
    holds_from: str
    holds_until: str
    revoked: int | None
    decided: Decision


@dataclass(frozen=True)
class Platform:
    """A platform to which the law has what it asks for sent on; `last`: when it last said that it got some (ms UTC)."""

    name: str
    jurisdiction: str
    last: int | None


@dataclass(frozen=True)
class Question:
    """Something that was asked here of the kind that theirs is of; nobody keeps whose rows a question saw."""

    at: int
    by: str
    purpose: str
    categories: list[str]


def everybody(site: Site, who: Who, asked: Asked) -> Answer:
    """Everybody who received something, the newest first."""
    one = mine.one_of(site, who, asked)
    parcels = sorted(received.parcels_of(site, one.person), key=lambda p: (p.left is None, p.left or 0), reverse=True)
    data = {
        "car": mine.shown(site, who, one),
        "parcels": [_left(site, parcel) for parcel in parcels],
        "platforms": _platforms(site),
        "questions": list(reversed(_questions(site, one))),
    }
    return Page("owner/received.html", data)


def _left(site: Site, parcel: Parcel) -> Left:
    permit, request = grants.show(site, parcel.permit), requests.find(site, parcel.transfer)
    return Left(
        parcel=parcel.id,
        left=parcel.left,
        recipient=parcel.recipient,
        jurisdiction=permit.permit.recipient_jurisdiction,
        purpose=parcel.purpose,
        categories=parcel.categories,
        permit=permit.permit.number or permit.permit.id,
        granted_by=permit.permit.granted_by,
        holds_from=permit.permit.start.isoformat(),
        holds_until=permit.permit.until.isoformat(),
        revoked=permit.revoked,
        decided=why.of_verdict(site, request.verdict),
    )


def _platforms(site: Site) -> list[Platform]:
    told = received.by_platforms(site, {"statutory"})
    return [Platform(one["platform"], one["jurisdiction"], one["last_acknowledged"]) for one in told]


def _questions(site: Site, one: Mine) -> list[Question]:
    """Questions in their time with the car that saw a category which they allowed, or the law has kept."""
    since, until = persons.span(site, one.vehicle.id, one.person)
    theirs = {c.category for c in mine.given(site, one)} | set(mine.categories(site, STATUTORY))
    found = received.by_queries(site, theirs, since, until)
    return [Question(q["at"], q["by"] or "", q["purpose"] or "", list(q["categories"] or ())) for q in found]


ROUTES = (Route("/owner/received", everybody, ("owner",), nav=T("Who received it")),)
