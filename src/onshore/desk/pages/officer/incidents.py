"""Incidents with the reporting clocks of each jurisdiction: set down, amended, reported, ended."""

from collections.abc import Callable
from typing import Any

from onshore.desk import problems, why
from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Moved, Page
from onshore.desk.pages.officer.days import moment_of
from onshore.desk.route import Act, Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.register import incidents, views
from onshore.register.incidents import KINDS, SEVERITIES, Happened, Incident, Learnt
from onshore.site import Site
from onshore.words.errors import Refusal
from onshore.words.vocabulary import CATEGORIES

_WORDS = 20_000  # characters


def listing(site: Site, _who: Who, _asked: Asked) -> Answer:
    """Incidents, what is due first on top, without their words; and the form to set one down."""
    found = [_brief(one) for one in incidents.listed(site, every=True)]
    owed = incidents.due(site)
    due = None if not owed else {"jurisdiction": owed[0][1].jurisdiction, "due": owed[0][1].due}
    data = {"incidents": found, "next": due, "late": any(each.state == "late" for _, each in owed)}
    return Page("officer/incidents.html", data | {"kinds": KINDS, "severities": SEVERITIES, "categories": CATEGORIES})


def one(site: Site, who: Who, asked: Asked) -> Answer:
    """One incident, its words opened, with each report that it owes."""
    views.refuse_abroad(site, who.name, "incident-show")
    return Page("officer/incident.html", _data(incidents.find(site, asked.where["incident"])))


def set_down(site: Site, who: Who, asked: Asked) -> Answer:
    """Set an incident down; its clocks run from when somebody here knew of it."""
    known = moment_of(site, asked, "known")
    happened = Happened(
        kind=asked.one_of("kind", KINDS),
        severity=asked.one_of("severity", SEVERITIES),
        known=site.clock() if known is None else known,
        says=asked.text("says", longest=_WORDS),
        categories=asked.all("category"),
        persons=_count(asked, "persons"),
        vehicles=_count(asked, "vehicles"),
        concerns=_codes(asked),
    )
    done = incidents.open_(site, happened, who.name)
    said = T("Set down. The clocks run; Onshore reports nothing by itself.")
    return Moved(f"/officer/incidents/{done.id}", said, data=_brief(done))


def _amend(site: Site, who: Who, asked: Asked, incident: str) -> Incident:
    learnt = Learnt(
        severity=asked.one_of("severity", SEVERITIES, "") or None,
        says=asked.text("says", "", longest=_WORDS) or None,
        categories=asked.all("category"),
        persons=_count(asked, "persons"),
        vehicles=_count(asked, "vehicles"),
        concerns=_codes(asked),
    )
    return incidents.amend(site, incident, learnt, who.name)


def _report(site: Site, who: Who, asked: Asked, incident: str) -> Incident:
    return incidents.report(site, incident, asked.text("to"), who.name, asked.text("number"))


def _close(site: Site, who: Who, asked: Asked, incident: str) -> Incident:
    unfounded = asked.text("unfounded", "") == "yes"
    return incidents.close(site, incident, who.name, asked.text("says", longest=_WORDS), unfounded=unfounded)


def _doing(do: Callable[[Site, Who, Asked, str], Incident], says: str) -> Act:
    """An act on one incident; what is refused is shown on its page, with its words, so nobody acts from abroad."""

    def act(site: Site, who: Who, asked: Asked) -> Answer:
        views.refuse_abroad(site, who.name, "incident-show")
        incident = incidents.find(site, asked.where["incident"])
        try:
            done = do(site, who, asked, incident.id)
        except Refusal as refusal:
            shown = _data(incident) | {"refused": why.of_refusal(site, refusal)}
            return Page("officer/incident.html", shown, problems.of_error(refusal).status)
        return Moved(f"/officer/incidents/{done.id}", says, data=_brief(done))

    return act


def _data(found: Incident) -> dict[str, Any]:
    owed = [each for each in found.reports if each.owed]
    return {
        "incident": found,
        "owed": sorted(owed, key=lambda each: each.due or 0),
        "severities": SEVERITIES,
        "categories": CATEGORIES,
    }


def _brief(found: Incident) -> dict[str, Any]:
    """An incident without its words."""
    same = ("id", "kind", "severity", "known", "state", "persons", "vehicles", "categories", "reports")
    return {name: getattr(found, name) for name in same}


def _count(asked: Asked, name: str) -> int | None:
    return asked.number(name, most=10**12) if asked.text(name, "") else None


def _codes(asked: Asked) -> tuple[str, ...]:
    return tuple(dict.fromkeys(asked.text("concerns", "").replace(",", " ").upper().split()))


_ONE = "/officer/incidents/{incident}"
ROUTES = (
    Route("/officer/incidents", listing, ("officer",), nav=T("Incidents")),
    Route("/officer/incidents", set_down, ("officer",), "POST"),
    Route(_ONE, one, ("officer",)),
    Route(f"{_ONE}/amend", _doing(_amend, T("What was learnt is set down.")), ("officer",), "POST"),
    Route(f"{_ONE}/report", _doing(_report, T("Noted that the authority was told.")), ("officer",), "POST"),
    Route(f"{_ONE}/close", _doing(_close, T("It has ended.")), ("officer",), "POST"),
)
