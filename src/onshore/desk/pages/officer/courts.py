"""What foreign courts and police ask for: set down, approved by the competent authority here, or refused."""

from typing import Any

from onshore.border.cases import courts
from onshore.border.cases.courts import Court
from onshore.desk import problems, why
from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Moved, Page
from onshore.desk.pages.officer.days import period
from onshore.desk.pages.officer.filing import MOST
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.register import vehicles, views
from onshore.site import Site
from onshore.words.errors import Malformed, Refusal
from onshore.words.vocabulary import CATEGORIES

_CARS = 200  # that one form names


def listing(site: Site, who: Who, _asked: Asked) -> Answer:
    """The queue, what waits on top, and the form to set a request down."""
    views.refuse_abroad(site, who.name, "court-list")
    found = [_said(site, one) for one in courts.listed(site)]
    named = [name for name, one in site.settings.recipients.items() if one.authority]
    waits = sum(one["state"] == "waiting" for one in found)
    data = {"courts": found, "waits": waits, "authorities": named, "categories": CATEGORIES, "kinds": courts.KINDS}
    return Page("officer/courts.html", data)


def one(site: Site, who: Who, asked: Asked) -> Answer:
    """One request, with the rules on authorities told of it."""
    views.refuse_abroad(site, who.name, "court-list")
    return Page("officer/court.html", {"court": _said(site, courts.find(site, asked.where["court"]))})


def ask(site: Site, who: Who, asked: Asked) -> Answer:
    """Set down what an authority asks for; the rules are told at once."""
    start, until = period(site, asked)
    vins = tuple(dict.fromkeys(asked.text("vehicles", "").upper().split()))
    if len(vins) > _CARS:
        raise Malformed(f"one request names at most {_CARS} cars", where="vehicles")
    wanted = courts.Wanted(asked.all("category"), start, until, tuple(vehicles.find(site, vin).id for vin in vins))
    done = courts.ask(
        site,
        asked.one_of("kind", courts.KINDS),
        asked.text("recipient"),
        wanted,
        authority=asked.text("authority"),
        reference=asked.text("reference"),
        by=who.name,
    )
    said = T("Set down. Nothing is disclosed by this.")
    return Moved(f"/officer/courts/{done.id}", said, data={"id": done.id, "state": done.state})


def approve(site: Site, who: Who, asked: Asked) -> Answer:
    """File the approval of the competent authority here; not from abroad, as what is refused shows the request."""
    views.refuse_abroad(site, who.name, "court-list")
    court, scan = courts.find(site, asked.where["court"]), asked.files.get("scan")
    try:
        done = courts.approve(
            site,
            court.id,
            who.name,
            number=asked.text("number", longest=80),
            start=asked.text("from", "") or None,
            until=asked.text("until", "") or None,
            file=scan.body if scan and scan.body else None,
        )
    except Refusal as refusal:
        return _refused(site, court, refusal)
    said = T("The approval is on file. A request to that recipient can be asked for now; nothing left by this.")
    return Moved(f"/officer/courts/{done.id}", said, data={"id": done.id, "state": done.state})


def refuse(site: Site, who: Who, asked: Asked) -> Answer:
    """Refuse it, in words that are sealed with it; not from abroad either."""
    views.refuse_abroad(site, who.name, "court-list")
    court = courts.find(site, asked.where["court"])
    try:
        done = courts.refuse(site, court.id, who.name, asked.text("says"))
    except Refusal as refusal:
        return _refused(site, court, refusal)
    return Moved(f"/officer/courts/{done.id}", T("It is refused."), data={"id": done.id, "state": done.state})


def _refused(site: Site, court: Court, refusal: Refusal) -> Page:
    shown = {"court": _said(site, court), "refused": why.of_refusal(site, refusal)}
    return Page("officer/court.html", shown, problems.of_error(refusal).status)


def _said(site: Site, found: Court) -> dict[str, Any]:
    same = ("id", "kind", "recipient", "jurisdiction", "authority", "reference", "asked", "asked_by", "state")
    rest = ("decided", "decided_by", "number", "start", "until")
    return {name: getattr(found, name) for name in (*same, *rest)} | {
        "categories": found.wanted.categories,
        "wanted_from": found.wanted.start,
        "wanted_until": found.wanted.until,
        "vehicles": len(found.wanted.vehicles),
        "decision": why.of_verdict(site, found.verdict),
    }


ROUTES = (
    Route("/officer/courts", listing, ("officer",), nav=T("Courts")),
    Route("/officer/courts", ask, ("officer",), "POST"),
    Route("/officer/courts/{court}", one, ("officer",)),
    Route("/officer/courts/{court}/approve", approve, ("officer",), "POST", most=MOST),
    Route("/officer/courts/{court}/refuse", refuse, ("officer",), "POST"),
)
