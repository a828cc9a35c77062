"""Asking for data: a form that says the law's word while it is filled in, what is missing, and how far counters are."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from onshore.border import dryrun, requests
from onshore.border.views import asking
from onshore.desk import why
from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Moved, Page
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.register import views
from onshore.rules.local import local_midnight
from onshore.site import Site
from onshore.words.errors import Malformed, OnshoreError, Refusal
from onshore.words.permit import Method, Transfer
from onshore.words.verdict import Counter, Verdict
from onshore.words.vocabulary import CATEGORIES, STATUTORY

METHODS: tuple[Method, ...] = ("file", "feed", "view")
_ID = 8  # bytes of a request's number


@dataclass(frozen=True)
class Word:
    """What a request would be told: the verdict with its reasons, the route, papers that are missing, counters.

    There is no counter for whoever looks from abroad: by asking they learn of no car here.
    """

    decided: why.Decision
    route: str
    missing: tuple[str, ...]
    counters: tuple[Counter, ...]


def form(site: Site, who: Who, asked: Asked) -> Answer:
    """The form; what the address says is filled in."""
    return Page("engineer/ask.html", _shown(site, who, asked))


def verdict(site: Site, who: Who, asked: Asked) -> Answer:
    """What it would take: a part of the page for htmx, else the whole form again; nothing is set down."""
    site.person(who.name, "engineer")
    data = _judged(site, who, asked)
    if asked.part:
        return Page("engineer/verdict.html", data)
    return Page("engineer/ask.html", _shown(site, who, asked) | data)


def ask(site: Site, who: Who, asked: Asked) -> Answer:
    """Set the request down; the verdict, not an error, says whether the law would have it."""
    site.person(who.name, "engineer")
    try:
        standing = requests.ask(site, _transfer(site, who, asked))
    except (Refusal, Malformed) as error:
        data = _shown(site, who, asked) | {"wrong": _wrong(site, error)}
        return Page("engineer/ask.html", data, status=422 if isinstance(error, Malformed) else 409)
    site.settle()
    said = T("Asked. The rules would have it.")
    if standing.verdict.verdict != "allow":
        said = T("Asked. As things stand it is refused; see what is missing.")
    data = {"request": standing.transfer.id, "state": standing.state, "verdict": standing.verdict.verdict}
    return Moved(f"/engineer/requests/{standing.transfer.id}", said, data=data)


def word(site: Site, who: Who, transfer: Transfer, found: Verdict) -> Word:
    """A verdict as an engineer is told it."""
    told = asking.without_counts(site, transfer, found) if views.is_abroad(site, who.name) else found
    return Word(why.of_verdict(site, told), told.route or "none", tuple(told.missing), tuple(told.counters))


def _judged(site: Site, who: Who, asked: Asked) -> dict[str, Any]:
    try:
        transfer = _transfer(site, who, asked)
        abroad = views.is_abroad(site, who.name)
        found = asking.supposed(site, transfer) if abroad else dryrun.judged(site, transfer)
    except (Refusal, Malformed) as error:
        return {"word": None, "wrong": _wrong(site, error)}
    return {"word": word(site, who, transfer, found), "wrong": None}


def _wrong(site: Site, error: OnshoreError) -> why.Decision:
    """Why a request cannot be asked at all; what is not filled in yet among it."""
    return why.of_refusal(site, error if isinstance(error, Refusal) else Refusal("malformed", str(error)))


def _shown(site: Site, who: Who, asked: Asked) -> dict[str, Any]:
    works_for = views.looking(site, who.name).recipient
    known = {signal.category for signal in site.catalogue.values()}
    signals = {c: sorted(n for n, s in site.catalogue.items() if s.category == c) for c in CATEGORIES if c in known}
    return {
        "purposes": [one for one in site.settings.site.purposes if one != STATUTORY],
        "signals": signals,
        "recipients": {name: one.jurisdiction for name, one in site.settings.recipients.items()},
        "methods": METHODS,
        "said": {
            "purpose": asked.text("purpose", ""),
            "recipient": asked.text("recipient", works_for),
            "start": asked.text("start", ""),
            "until": asked.text("until", ""),
            "method": asked.text("method", "file"),
        },
        "chosen": {"category": asked.all("category"), "signal": asked.all("signal")},
        "word": None,
        "wrong": None,
    }


def _transfer(site: Site, who: Who, asked: Asked) -> Transfer:
    """The request that a form means: all cars that agreed, from the first day to the last one, both included."""
    start, last = _day(asked, "start"), _day(asked, "until")
    method = asked.one_of("method", METHODS, "file")
    return Transfer(
        id=site.randomness(_ID).hex(),
        purpose=asked.text("purpose"),
        categories=asked.all("category"),
        recipient=asked.text("recipient"),
        start=local_midnight(start, site.law.zone),
        until=local_midnight(last + timedelta(days=1), site.law.zone),
        asked_by=who.name,
        signals=asked.all("signal"),
        method=next(one for one in METHODS if one == method),
    )


def _day(asked: Asked, name: str) -> date:
    try:
        found = date.fromisoformat(asked.text(name))
    except ValueError:
        found = date.min
    if not 1970 <= found.year <= 9000:
        raise Malformed("it is a day, as 2026-11-22", where=name)
    return found


ROUTES = (
    Route("/engineer/ask", form, ("engineer",), nav=T("Ask for data")),
    Route("/engineer/ask", ask, ("engineer",), "POST"),
    Route("/engineer/ask/verdict", verdict, ("engineer",), "POST"),
)
