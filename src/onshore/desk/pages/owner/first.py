"""An owner's first page: what my car sends and why, what ends next, who received what."""

from dataclasses import dataclass

from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Page
from onshore.desk.pages.owner import cases, counts, mine, purposes
from onshore.desk.pages.owner.mine import Mine
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.desk.why import Decision
from onshore.register import policies
from onshore.rights import clocks, moves, received
from onshore.site import Site
from onshore.words.consent import Consent
from onshore.words.vocabulary import STATUTORY

_FEW = 3  # parcels that the first page tells of


@dataclass(frozen=True)
class Purpose:
    """A purpose: whether anything is `sent` for it and why, which categories, rows of the last day, for whom, until.

    `until`: ms UTC; None: open. `recipients`: who abroad may have it.
    """

    purpose: str
    by_law: bool
    sent: bool
    decided: Decision
    categories: list[str]
    rows: int
    recipients: list[str]
    until: int | None


@dataclass(frozen=True)
class Clock:
    """Something that ends or falls due: `what` it is, of which case or purpose, when (ms UTC), by which article.

    `state`: "late", "near", "in time", "held", or "ends" for what one allowed until then.
    """

    what: str
    id: str
    due: int | None
    state: str
    article: str
    says: str


@dataclass(frozen=True)
class Received:
    """Something that left: when (ms UTC; None: on its way), to whom, what for."""

    left: int | None
    recipient: str
    purpose: str


@dataclass(frozen=True)
class Car:
    """A car of theirs: its random id as text, the last letters of its VIN, their role, and what stands of it now.

    `obeys`: whether the car said that it sends by what stands; None: it was never told what to send.
    """

    id: str
    vin_ends: str
    role: str
    obeys: bool | None
    purposes: list[Purpose]
    clocks: list[Clock]


def first(site: Site, who: Who, _asked: Asked) -> Answer:
    """The cars of this person, and of no other."""
    cars = [_car(site, one) for one in mine.all_of(site, who)]
    parcels = [] if who.person is None else received.parcels_of(site, who.person)
    left = sorted(parcels, key=lambda parcel: (parcel.left is None, parcel.left or 0), reverse=True)
    told = [Received(parcel.left, parcel.recipient, parcel.purpose) for parcel in left[:_FEW]]
    said = {"allowed": sum(p.sent and not p.by_law for car in cars for p in car.purposes), "parcels": len(parcels)}
    return Page("owner/first.html", {"cars": cars, "received": told, **said})


def _car(site: Site, one: Mine) -> Car:
    rows = {(kept.purpose, kept.category): kept.rows for kept in counts.last_day(site, one)}
    given = mine.given(site, one)
    found = [_purpose(site, given, code, rows) for code in (STATUTORY, *mine.purposes(site))]
    ends = sorted(running(site, one, found), key=lambda clock: (clock.due is None, clock.due or 0, clock.id))
    return Car(one.id, one.vin_ends, one.role, _obeys(site, one, given), found, ends)


def _obeys(site: Site, one: Mine, given: list[Consent]) -> bool | None:
    last, obeyed = policies.latest(site, one.vehicle.id), policies.obeyed(site, one.vehicle.id)
    if last is None:
        return None
    changed = max((c.withdrawn or c.start for c in given), default=0)
    return obeyed is not None and obeyed.version == last.version and last.made >= changed


def _purpose(site: Site, given: list[Consent], code: str, rows: dict[tuple[str, str], int]) -> Purpose:
    stand = purposes.standing(given, code, site.clock())
    by_law = code == STATUTORY
    names = mine.categories(site, code) if by_law else sorted(stand)
    some = (names or mine.categories(site, code))[0]
    untils = [c.until for c in stand.values() if c.until is not None]
    return Purpose(
        purpose=code,
        by_law=by_law,
        sent=by_law or bool(stand),
        decided=purposes.decided(site, some, code, stand.get(some)),
        categories=names,
        rows=sum(count for (purpose, _), count in rows.items() if purpose == code),
        recipients=sorted({name for c in stand.values() for name in c.recipients}),
        until=min(untils, default=None),
    )


def running(site: Site, one: Mine, found: list[Purpose]) -> list[Clock]:
    """What runs out of a car: their own open requests, and what they allowed until a day."""
    ends = [Clock("consent", p.purpose, p.until, "ends", "", "") for p in found if p.until is not None]
    now = site.clock()
    for case in cases.of_car(site, one):
        if case.state in moves.OPEN and case.kind != "restrict":
            open_ = clocks.standing(site, case, now)
            by = open_.due
            due = case.held_until if open_.state == "held" else by.until if by else None
            told = (by.article, by.says) if by else ("", "")
            ends.append(Clock(case.kind, case.id, due, open_.state, *told))
    return ends


ROUTES = (Route("/owner", first, ("owner",), nav=T("My cars")),)
