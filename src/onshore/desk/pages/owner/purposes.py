"""One purpose: what exactly, for whom, until when; allow and withdraw, each one press on the same line."""

from collections.abc import Iterable
from dataclasses import dataclass

from onshore.desk import why
from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Moved, Page
from onshore.desk.pages.owner import counts, mine
from onshore.desk.pages.owner.mine import Mine
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.desk.why import Decision
from onshore.register import consents
from onshore.rights import floors, received
from onshore.rules.acts import Collect, Facts, StandingConsent
from onshore.rules.local import local_midnight, years_later
from onshore.site import Site
from onshore.words.consent import Consent
from onshore.words.errors import Refusal
from onshore.words.vocabulary import STATUTORY

UNTIL = {"open": 0, "year": 1, "two-years": 2}
"""For how long one may allow something: years from today; 0: until they withdraw it."""


@dataclass(frozen=True)
class Signal:
    """What a car measures: its name in the catalogue, its unit, how finely."""

    name: str
    unit: str
    precision: str


@dataclass(frozen=True)
class Term:
    """Until when (ms UTC) what is sent now may, or must, be kept, by which article."""

    until: int
    article: str
    says: str


@dataclass(frozen=True)
class Category:
    """One category for a purpose: whether it is `sent`, why so, rows of the last day, who abroad may have it.

    `asked_alone`: the law has it asked for on its own. `until`: when the consent ends; None: when it is withdrawn.
    """

    category: str
    sent: bool
    decided: Decision
    rows: int
    since: int | None
    until: int | None
    recipients: list[str]
    asked_alone: bool
    may_be_kept: Term | None
    must_be_kept: Term | None
    signals: list[Signal]


@dataclass(frozen=True)
class Abroad:
    """Somebody abroad who may be named: their name here, and the jurisdiction."""

    name: str
    jurisdiction: str


@dataclass(frozen=True)
class Act:
    """Something they allowed or withdrew: of which category, when (ms UTC); `consent` and `state` name its receipt."""

    consent: str
    state: str
    category: str
    at: int


def purpose(site: Site, who: Who, asked: Asked) -> Answer:
    """One purpose, and what stands of it."""
    return Page("owner/purpose.html", _data(site, who, mine.one_of(site, who, asked), asked.where["purpose"]))


def allow(site: Site, who: Who, asked: Asked) -> Answer:
    """Allow one category for one purpose: on its own line, so that nothing is agreed to along with it."""
    one, code = mine.one_of(site, who, asked), _known(site, asked.where["purpose"])
    wish = consents.Wish(
        purposes=(code,),
        categories=(asked.one_of("category", mine.categories(site, code)),),
        notice=notice(site),
        until=_until(site, asked.one_of("until", tuple(UNTIL), "open")),
        separate=True,
        recipients=frozenset(asked.all("recipient")),
    )
    for name in wish.recipients:
        site.recipient(name)
    try:
        done = consents.give(site, one.vehicle, wish, driver=one.driver)
    except Refusal as refused:
        data = _data(site, who, one, code) | {"refused": why.of_refusal(site, refused)}
        return Page("owner/purpose.html", data, status=409)
    said = T("You allow it from now on. Your receipt is below.")
    return Moved(path(one, code), said, data={"receipts": [_act(given.consent, "given") for given in done]})


def withdraw(site: Site, who: Who, asked: Asked) -> Answer:
    """Withdraw one category, or all of a purpose, at once."""
    one, code = mine.one_of(site, who, asked), _known(site, asked.where["purpose"])
    category = asked.text("category", "") or None
    gone = consents.withdraw(site, one.vehicle, purpose=code, category=category, driver=one.driver)
    to = "/owner" if asked.text("from", "") == "first" else path(one, code)
    said = T("Withdrawn: from this moment nothing more is kept for it.")
    return Moved(to, said, data={"receipts": [_act(given.consent, "withdrawn") for given in gone]})


def path(one: Mine, code: str) -> str:
    """Where a purpose of a car is shown."""
    return f"/owner/purposes/{code}?car={one.id}"


def notice(site: Site) -> str:
    """The version of the notice that is shown now: the newest; empty where the settings have none."""
    return max(site.settings.notices, default="")


def standing(given: Iterable[Consent], code: str, now: int) -> dict[str, Consent]:
    """What of these is allowed for a purpose at an instant (ms UTC), by category; of two for one the later."""
    return {c.category: c for c in given if c.purpose == code and c.holds(now)}


def decided(site: Site, category: str, code: str, consent: Consent | None) -> Decision:
    """What the judge says of collecting a category for a purpose, as it stands now."""
    ground = "statutory" if code == STATUTORY else "consent"
    act = Collect(category=category, purpose=code, ground=ground, biometric_necessity_memo=True)
    facts = Facts(at=site.clock())
    if consent is not None:
        said = StandingConsent(
            purposes=(code,),
            categories=(category,),
            recipients=tuple(sorted(consent.recipients)),
            start=consent.start,
            until=consent.until,
            separate=consent.separate,
        )
        facts = Facts(at=site.clock(), consent=said, driver_setting="on")
    return why.of_verdict(site, site.judge(act, facts))


def _known(site: Site, code: str) -> str:
    if code not in mine.purposes(site):
        raise Refusal("purpose-unknown", "this site asks nobody's consent for such a purpose")
    return code


def _data(site: Site, who: Who, one: Mine, code: str) -> dict[str, object]:
    if code != STATUTORY:
        _known(site, code)
    given = mine.given(site, one)
    stand, by_law = standing(given, code, site.clock()), code == STATUTORY
    rows = {kept.category: kept.rows for kept in counts.last_day(site, one) if kept.purpose == code}
    found = [_category(site, name, code, stand.get(name), rows.get(name, 0)) for name in mine.categories(site, code)]
    named = sorted({name for c in stand.values() for name in c.recipients})
    parcels = [parcel for parcel in received.parcels_of(site, one.person) if parcel.purpose == code]
    return {
        "car": mine.shown(site, who, one),
        "purpose": code,
        "by_law": by_law,
        "categories": sorted(found, key=lambda one: (not one.sent, one.category)),
        "named": named,
        "abroad": [Abroad(name, r.jurisdiction) for name, r in sorted(site.settings.recipients.items())],
        "parcels": sorted(parcels, key=lambda parcel: parcel.left or 0, reverse=True),
        "acts": acts([c for c in given if c.purpose == code]),
        "notice": notice(site),
        "ends": list(UNTIL),
        "refused": None,
    }


def acts(given: list[Consent]) -> list[Act]:
    """Each act on these consents that has a receipt, newest first."""
    found = [_act(c, "given") for c in given] + [_act(c, "withdrawn") for c in given if c.withdrawn is not None]
    return sorted(found, key=lambda act: (act.at, act.state), reverse=True)


def _act(consent: Consent, state: str) -> Act:
    at = consent.withdrawn if state == "withdrawn" else consent.start
    return Act(f"{consent.id:016x}", state, consent.category, at or consent.start)


def _category(site: Site, name: str, code: str, consent: Consent | None, rows: int) -> Category:
    by_law, book = code == STATUTORY, site.rulebook
    ground = "statutory" if by_law else "consent"
    must, may = floors.stay(site, name, ground, site.clock())
    lawful = frozenset[str]().union(*book.statutory.values())
    names = sorted(n for n, its in book.category.items() if its == name and n in site.catalogue)
    signals = [site.catalogue[n] for n in names if not by_law or n in lawful]
    return Category(
        category=name,
        sent=by_law or consent is not None,
        decided=decided(site, name, code, consent),
        rows=rows,
        since=None if consent is None else consent.start,
        until=None if consent is None else consent.until,
        recipients=[] if consent is None else sorted(consent.recipients),
        asked_alone=not by_law and name in book.separate,
        may_be_kept=None if may is None else Term(may.until, may.article, may.says),
        must_be_kept=None if must is None else Term(must.until, must.article, must.says),
        signals=[Signal(s.name, s.unit or "", s.precision) for s in signals],
    )


def _until(site: Site, word: str) -> int | None:
    years = UNTIL[word]
    return local_midnight(years_later(site.today(), years), site.pack.zone) if years else None


ROUTES = (
    Route("/owner/purposes/{purpose}", purpose, ("owner",)),
    Route("/owner/purposes/{purpose}/allow", allow, ("owner",), "POST"),
    Route("/owner/purposes/{purpose}/withdraw", withdraw, ("owner",), "POST"),
)
