"""An officer's first page: which clock runs out next, what waits for an officer, and whether what goes out is well."""

from collections.abc import Iterator
from dataclasses import dataclass

from onshore.border.cases import courts, filing, tasks
from onshore.border.sending import attempts
from onshore.desk.asked import Asked
from onshore.desk.looks.status import Line, looks
from onshore.desk.page import Answer, Moved, Page
from onshore.desk.pages.officer import requests
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.register import complaints, incidents, policies
from onshore.rights import clocks
from onshore.rules.local import DAY_MS, local_midnight
from onshore.site import Site

GOES_OUT = (
    "sinks",
    "egress",
    "unexplained bytes",
    "attempt",
    "receipts",
    "blocked",
    "forward",
    "bridge",
    "witness",
    "witnesses",
)
"""The looks that say whether what goes out is as it should be."""

_SHOWN = 20  # cars that are named by their ids


@dataclass(frozen=True)
class Clock:
    """Something that waits: `what` it is, of which case or task, until when (ms UTC, exclusive), by which article.

    `page`: where it is dealt with. `state`: "late", "near", "in time", "held" or "no clock". `sure`: False where a
    calendar does not reach.
    """

    what: str
    id: str
    page: str
    due: int | None
    sure: bool
    state: str
    article: str
    says: str


@dataclass(frozen=True)
class Wait:
    """A case that nobody but an officer brings further: `what` it waits for, and what it is about."""

    what: str
    id: str
    page: str
    purpose: str


@dataclass(frozen=True)
class Car:
    """A car that has not said that it obeys: since when (ms UTC); `ended`: what it obeys is over."""

    vehicle: str
    since: int
    version: int
    obeys: int | None
    ended: bool


@dataclass(frozen=True)
class Lag:
    """How many cars lag, how many of them obey something that is over, and those that do so for longest."""

    cars: int
    ended: int
    longest: list[Car]


@dataclass(frozen=True)
class Incident:
    """An incident that goes on, without its words."""

    id: str
    kind: str
    severity: str
    state: str
    known: int
    persons: int | None
    owed: int


def first(site: Site, _who: Who, _asked: Asked) -> Answer:
    """Every clock that runs, the next to run out first; then what waits without a clock, and what goes out."""
    found = sorted(running(site), key=lambda one: (one.due is None, one.due or 0, one.id))
    lines = [_line(one) for one in looks(site) if one.what in GOES_OUT]
    data = {
        "clocks": found,
        "late": sum(one.state == "late" for one in found),
        "waits": list(waiting(site)),
        "lag": _lag(site),
        "incidents": _incidents(site),
        "lines": sorted(lines, key=lambda one: bool(one["good"])),
        "unseen": len(attempts.unseen(site)),
    }
    return Page("officer/first.html", data)


def running(site: Site) -> Iterator[Clock]:
    """The clocks of persons' cases, of tasks, of reports on incidents, of complaints, of papers that run out."""
    for one in clocks.queue(site):
        by, page = one.due, f"/officer/rights/{one.case.id}"
        told = (by.article, by.says) if by else ("", "")
        due, sure = (by.until, by.sure) if by else (None, True)
        yield Clock(one.case.kind, one.case.id, page, due, sure, one.state, *told)
    for task in tasks.listed(site):
        told = (task.article, task.says)
        yield Clock(task.what, task.id, "/officer/tasks", task.due, task.sure, task.state, *told)
    for incident, report in incidents.due(site):
        told = (report.article, report.says)
        page = f"/officer/incidents/{incident}"
        yield Clock("incident-report", incident, page, report.due, report.sure, report.state, *told)
    for complaint in complaints.listed(site):
        page = f"/officer/complaints/{complaint.id}"
        yield Clock("complaint", complaint.id, page, complaint.due, True, complaint.state, "", "")
    yield from _papers(site)


def waiting(site: Site) -> Iterator[Wait]:
    """What no clock runs for, and nobody but an officer brings further."""
    for one in requests.listed(site):
        if one.waits:
            yield Wait(one.waits, one.id, f"/officer/requests/{one.id}", one.purpose)
    for court in courts.listed(site):
        if court.state == "waiting":
            yield Wait("court", court.id, f"/officer/courts/{court.id}", "")


def acknowledge(site: Site, who: Who, _asked: Asked) -> Answer:
    """Say that they looked at what tried to get out past the one door."""
    count = attempts.acknowledge(site, who.name)
    return Moved("/officer", T("Noted: you looked at it. The ledger keeps that it was."), data={"acknowledged": count})


def _papers(site: Site) -> Iterator[Clock]:
    """A paper that runs out is due when its renewal is to be asked for, where the law says when; else by its end."""
    for one in filing.endings(site):
        until = local_midnight(one.renewal or one.last, site.pack.zone) + DAY_MS
        state = "late" if one.state == "over" or until <= site.clock() else "near"
        page = f"/officer/requests/{one.paper.transfer}"
        yield Clock("paper", one.paper.transfer, page, until, True, state, one.article, one.paper.kind)


def _lag(site: Site) -> Lag:
    found = policies.lagging(site)
    longest = [Car(f"{one.vehicle:016x}", one.since, one.version, one.obeys, one.ended) for one in found[:_SHOWN]]
    return Lag(len(found), sum(one.ended for one in found), longest)


def _incidents(site: Site) -> list[Incident]:
    return [
        Incident(
            one.id, one.kind, one.severity, one.state, one.known, one.persons, sum(each.owed for each in one.reports)
        )
        for one in incidents.listed(site)
    ]


def _line(one: Line) -> dict[str, object]:
    return {"what": one.what, "good": one.good, "says": one.says}


ROUTES = (
    Route("/officer", first, ("officer",), nav=T("Today")),
    Route("/officer/attempts/acknowledge", acknowledge, ("officer",), "POST"),
)
