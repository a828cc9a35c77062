"""Incidents: what happened to data here, which authorities must hear of it and by when, and which did."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update

from onshore.ledger.entry import JURISDICTION, REFERENCE, digest
from onshore.register import lives, reports
from onshore.register.reports import Report
from onshore.rules.acts import MOST
from onshore.site import Site
from onshore.vault.keys import open_sealed, seal
from onshore.vault.papers import incident_acts, incident_reports, incidents, reading, writing
from onshore.words.errors import Malformed, Refusal
from onshore.words.vocabulary import CATEGORIES

KINDS = ("leak", "access", "misuse", "alteration", "loss", "outage")
SEVERITIES = ("general", "serious", "grave")
"""As an officer judges it; no pack asks from which on its clock runs, so it runs whatever is said here."""

_WORDS = 20_000  # characters of what is sealed
_EARLIEST = 946_684_800_000  # the year 2000: there was no data of cars to lose before, so it is a slip of the pen


@dataclass(frozen=True)
class Happened:
    """What is known of an incident. `known`: since when somebody at the site knew (ms UTC); `says`: in words, sealed.

    `categories`: of data; `persons`, `vehicles`: how many, None where nobody knows yet. `concerns`: jurisdictions
    besides the site's own whose people it concerns.
    """

    kind: str
    severity: str
    known: int
    says: str
    categories: tuple[str, ...]
    persons: int | None = None
    vehicles: int | None = None
    concerns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Learnt:
    """What is learnt later: None leaves it as it is; categories and jurisdictions are added; `says` takes its place."""

    severity: str | None = None
    says: str | None = None
    categories: tuple[str, ...] = ()
    persons: int | None = None
    vehicles: int | None = None
    concerns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Incident:
    """An incident as it stands, what is sealed of it opened; `state` of `lives.INCIDENT`. Instants are ms UTC."""

    id: str
    kind: str
    severity: str
    known: int
    opened: int
    opened_by: str
    categories: tuple[str, ...]
    persons: int | None
    vehicles: int | None
    says: str
    state: str
    ended: int | None
    ended_by: str | None
    why: str
    reports: tuple[Report, ...]


def open_(site: Site, happened: Happened, by: str) -> Incident:
    """Set an incident down and start the clocks, from when the site knew of it, of every jurisdiction concerned.

    The site's own is always one. Malformed: words, figures or codes that are none, an incident of the future, or of
    before the year 2000.
    """
    _acceptable(happened)
    if happened.known > site.clock():
        raise Malformed("an incident was known by now, or it is none yet", where="--known")
    if happened.known < _EARLIEST:
        raise Malformed("an incident was known in the year 2000 or later", where="--known")
    row: dict[str, Any] = {
        "id": site.randomness(8).hex(),
        "kind": happened.kind,
        "severity": happened.severity,
        "known": happened.known,
        "opened": site.clock(),
        "opened_by": by,
        "categories": json.dumps(sorted(set(happened.categories))),
        "persons": happened.persons,
        "vehicles": happened.vehicles,
        "state": "open",
    }
    row["sealed"] = _sealed(site, row["id"], "sealed", happened.says)
    with writing(site.engine) as conn:
        conn.execute(incidents.insert().values(**row))
        _concern(site, conn, row["id"], happened.known, (site.settings.site.jurisdiction, *happened.concerns))
        _recorded(site, conn, row["id"], "opened", by)
    site.settle()
    return find(site, row["id"])


def amend(site: Site, incident_id: str, learnt: Learnt, by: str) -> Incident:
    """Set down what was learnt later; one that was found to be none is open again, a closed one stays (`illegal-move`).

    Jurisdictions that turn out to be concerned start their clocks from when the site knew of the incident.
    """
    with writing(site.engine) as conn:
        one = _one(site, conn, incident_id)
        _acceptable(_with(one, learnt))
        values: dict[str, Any] = {
            "severity": learnt.severity or one.severity,
            "categories": json.dumps(sorted({*one.categories, *learnt.categories})),
            "persons": one.persons if learnt.persons is None else learnt.persons,
            "vehicles": one.vehicles if learnt.vehicles is None else learnt.vehicles,
        }
        if learnt.says is not None:
            values["sealed"] = _sealed(site, one.id, "sealed", learnt.says)
        _concern(site, conn, one.id, one.known, learnt.concerns)
        owes = any(report.owed for report in _reports(site, conn, one.id, one.known))
        state = "open" if owes or one.state == "unfounded" else one.state
        if one.state == "closed" or state != one.state:
            lives.check(lives.INCIDENT, one.state, "open")
        ended = {"ended": None, "ended_by": None, "why_sealed": None} if state == "open" else {}
        conn.execute(update(incidents).where(incidents.c.id == one.id).values(**values, **ended, state=state))
        _recorded(site, conn, one.id, "amended", by)
    site.settle()
    return find(site, incident_id)


def report(site: Site, incident_id: str, jurisdiction: str, by: str, number: str) -> Incident:
    """Set down that a jurisdiction's authority was told, under its number; with the last that is owed it is `reported`.

    Refused: a jurisdiction that is not concerned (`report-unknown`), one that was told already (`report-made`).
    """
    if not REFERENCE[1](number):
        raise Malformed("a report's number has letters, digits and . _ / - alone", where="--number")
    with writing(site.engine) as conn:
        one = _one(site, conn, incident_id)
        found = {each.jurisdiction: each for each in one.reports}.get(jurisdiction)
        if found is None:
            raise Refusal(
                "report-unknown",
                f"as it stands, {jurisdiction} is not concerned",
                remedy=f"'onshore incident amend {one.id} --concerns {jurisdiction} --as NAME' first, where it is",
            )
        if found.reported is not None:
            raise Refusal("report-made", "this report was made already", remedy="see 'onshore incident show'")
        owes = any(each.owed for each in one.reports if each.jurisdiction != jurisdiction)
        state = one.state if owes or one.state == "reported" else lives.check(lives.INCIDENT, one.state, "reported")
        mine = (incident_reports.c.incident == one.id) & (incident_reports.c.jurisdiction == jurisdiction)
        said = {"reported": site.clock(), "reported_by": by, "number": number}
        conn.execute(update(incident_reports).where(mine).values(**said))
        conn.execute(update(incidents).where(incidents.c.id == one.id).values(state=state))
        _recorded(site, conn, one.id, "reported", by, to=jurisdiction, number=number)
    site.settle()
    return find(site, incident_id)


def close(site: Site, incident_id: str, by: str, says: str, *, unfounded: bool = False) -> Incident:
    """End an incident, with what was done, in words that are sealed; or because it was none (`unfounded`).

    Refused while a report is owed (`report-owed`), and where whoever opened it finds that it was none (`four-eyes`).
    """
    _refuse_wordless(says)
    state = "unfounded" if unfounded else "closed"
    with writing(site.engine) as conn:
        one = _one(site, conn, incident_id)
        lives.check(lives.INCIDENT, one.state, state)
        if not unfounded:
            _refuse_owed(one.reports, one.id)
        elif by == one.opened_by:
            raise Refusal(
                "four-eyes",
                "whoever opened an incident does not find alone that it was none: a clock of the law ends with it",
                remedy="have another officer of site.toml do it: --as NAME",
            )
        why = _sealed(site, one.id, "why", says)
        ended = {"state": state, "ended": site.clock(), "ended_by": by, "why_sealed": why}
        conn.execute(update(incidents).where(incidents.c.id == one.id).values(**ended))
        _recorded(site, conn, one.id, state, by)
    site.settle()
    return find(site, incident_id)


def find(site: Site, incident_id: str) -> Incident:
    """An incident by its id; refuses an unknown one (`incident-unknown`)."""
    with reading(site.engine) as conn:
        return _one(site, conn, incident_id)


def listed(site: Site, *, every: bool = False) -> list[Incident]:
    """Incidents that go on, what is due first on top; `every`: those that ended as well, behind them."""
    with reading(site.engine) as conn:
        ask = select(incidents) if every else select(incidents).where(incidents.c.state.in_(("open", "reported")))
        found = [_read(site, conn, row) for row in conn.execute(ask).all()]
    return sorted(found, key=lambda one: (one.ended is not None, _next(one) is None, _next(one) or 0, one.opened))


def due(site: Site) -> list[tuple[str, Report]]:
    """The reports that are owed, each with its incident's id, earliest due first."""
    owed = [(one.id, each) for one in listed(site) for each in one.reports if each.owed]
    return sorted(owed, key=lambda pair: pair[1].due or 0)


def told(site: Site) -> tuple[bool, str]:
    """Whether no report of an incident is past its clock, and a line on those that are owed."""
    goes_on, owed = listed(site), due(site)
    counted = {state: sum(each.state == state for _, each in owed) for state in ("late", "near", "in time")}
    said = ", ".join(f"{count} {state}" for state, count in counted.items() if count)
    first = next((f"; next to {each.jurisdiction} by {each.by} ({each.article})" for _, each in owed), "")
    owes = f", {len(owed)} reports owed ({said}){first}" if owed else ""
    return not counted["late"], f"{len(goes_on)} go on{owes}"


def _next(one: Incident) -> int | None:
    return min((each.due for each in one.reports if each.owed and each.due is not None), default=None)


def _with(one: Incident, learnt: Learnt) -> Happened:
    return Happened(
        kind=one.kind,
        severity=learnt.severity or one.severity,
        known=one.known,
        says=one.says if learnt.says is None else learnt.says,
        categories=(*one.categories, *learnt.categories),
        persons=learnt.persons,
        vehicles=learnt.vehicles,
        concerns=learnt.concerns,
    )


def _acceptable(happened: Happened) -> None:
    if happened.kind not in KINDS or happened.severity not in SEVERITIES:
        what = f"one of {', '.join(KINDS)}, and one of {', '.join(SEVERITIES)}"
        raise Malformed(f"an incident's kind and severity are {what}", where="incident")
    if not happened.categories or not set(happened.categories) <= set(CATEGORIES):
        raise Malformed(f"say which data: {', '.join(CATEGORIES)}", where="--category")
    if any(not 0 <= count <= MOST for count in (happened.persons or 0, happened.vehicles or 0)):
        raise Malformed(f"persons and vehicles are counted from 0 to {MOST}", where="incident")
    if not all(JURISDICTION[1](code) for code in happened.concerns):
        raise Malformed("a jurisdiction is named by its code, such as DE", where="--concerns")
    _refuse_wordless(happened.says)


def _refuse_wordless(says: str) -> None:
    if not 0 < len(says.strip()) <= _WORDS:
        raise Malformed(f"say it in words, {_WORDS} characters at most; they are sealed here", where="--says")


def _refuse_owed(owed: Iterable[Report], incident: str) -> None:
    first = next((each for each in owed if each.owed), None)
    if first is not None:
        raise Refusal(
            "report-owed",
            f"the report to {first.jurisdiction} was due by {first.by} or is yet, and nobody made it",
            article=first.article,
            remedy=f"make it, then 'onshore incident report {incident} --to {first.jurisdiction} --number N --as NAME'",
        )


def _concern(site: Site, conn: Connection, incident: str, known: int, codes: Iterable[str]) -> None:
    """Start the clocks of jurisdictions whose clocks do not run yet."""
    there = set(conn.scalars(select(incident_reports.c.jurisdiction).where(incident_reports.c.incident == incident)))
    for code in dict.fromkeys(codes):
        if code not in there:
            conn.execute(incident_reports.insert().values(incident=incident, **reports.owed(site, code, known)))


def _recorded(site: Site, conn: Connection, incident: str, state: str, by: str, **more: str) -> None:
    """Record an act inside its transaction: a salted paper here, its digest in the ledger, and both in no backup less.

    A site is restored because of an incident, so what was written of it since the backup is kept beside.
    """
    one = _one(site, conn, incident)
    said = {
        "kind": "incident",
        "state": state,
        "site": site.id,
        "incident": incident,
        "at": site.clock(),
        "role": site.settings.people[by].role if by in site.settings.people else "officer",
        "what": {"kind": one.kind, "severity": one.severity, "categories": list(one.categories), "known": one.known},
        "counts": _said(persons=one.persons, vehicles=one.vehicles),
        "words": [digest(one.says), digest(one.why)],
        "reports": [
            {"to": each.jurisdiction, "pack": each.pack} | _said(due=each.due, reported=each.reported)
            for each in one.reports
        ],
    }
    paper = said | {"salt": site.randomness(16).hex()}
    entry = site.hand_in(conn, site.entry("incident", obj=digest(paper), state=state, **more))
    conn.execute(incident_acts.insert().values(entry=entry, incident=incident, paper=json.dumps(paper)))
    site.recall(
        conn, (incidents, incidents.c.id == incident), (incident_reports, incident_reports.c.incident == incident)
    )


def _said(**counts: int | None) -> dict[str, int]:
    """What is known of them."""
    return {name: count for name, count in counts.items() if count is not None}


def _one(site: Site, conn: Connection, incident_id: str) -> Incident:
    row = conn.execute(select(incidents).where(incidents.c.id == incident_id)).one_or_none()
    if row is None:
        raise Refusal("incident-unknown", "there is no such incident", remedy="'onshore incident list' shows them")
    return _read(site, conn, row)


def _read(site: Site, conn: Connection, row: Row[Any]) -> Incident:
    names = ("id", "kind", "severity", "known", "opened", "opened_by", "persons", "vehicles", "state")
    return Incident(
        **{name: getattr(row, name) for name in names},
        categories=tuple(json.loads(row.categories)),
        says=_opened(site, row.id, "sealed", row.sealed),
        ended=row.ended,
        ended_by=row.ended_by,
        why="" if row.why_sealed is None else _opened(site, row.id, "why", row.why_sealed),
        reports=_reports(site, conn, row.id, row.known),
    )


def _reports(site: Site, conn: Connection, incident: str, known: int) -> tuple[Report, ...]:
    r = incident_reports.c
    rows = conn.execute(select(incident_reports).where(r.incident == incident).order_by(r.jurisdiction)).all()
    return tuple(reports.read(row, known, site.clock()) for row in rows)


def _sealed(site: Site, incident: str, column: str, words: str) -> bytes:
    return seal(site.key("column"), words.encode(), f"incidents/{incident}/{column}", site.randomness)


def _opened(site: Site, incident: str, column: str, sealed: bytes) -> str:
    return open_sealed(site.key("column"), sealed, f"incidents/{incident}/{column}").decode()
