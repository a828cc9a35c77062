"""Permits and parcels as they stand, in figures: what was permitted, how much of it was used, what left under it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Connection, func, select

from onshore.border import grants
from onshore.rules.local import local_midnight
from onshore.site import Site
from onshore.vault.papers import meter, parcels, reading, recipient_receipts
from onshore.words.errors import Refusal
from onshore.words.permit import Permit

GONE = ("left", "cut")
"""States of a parcel of which rows are abroad, or seen."""


@dataclass(frozen=True)
class Parcel:
    """What left, or was to: of which request, under which permit; rows and distinct persons, never one of them.

    `state`: of `border.moves.PARCEL`. `sha256`: of the sealed file, empty where there is none. `receipt`: when the
    recipient signed for it, as it says; instants are ms UTC.
    """

    id: str
    request: str
    permit: str
    state: str
    reserved: int
    left: int | None
    rows: int | None
    persons: int
    sha256: str
    entry: int | None
    receipt: int | None


@dataclass(frozen=True)
class Standing:
    """A permit: `state` is "stands", "later" (it begins on another day), "over" or "revoked".

    `ends`: the instant (ms UTC) from which it is over. `signals` empty: all of its categories. `rows_limit` 0: no cap.
    `number`: of the paper, where no regulator signed it.
    """

    id: str
    request: str
    purpose: str
    categories: tuple[str, ...]
    recipient: str
    to: str
    route: str
    method: str
    signals: tuple[str, ...]
    transforms: tuple[str, ...]
    start: date
    until: date
    ends: int
    persons: int
    persons_limit: int
    rows: int
    rows_limit: int
    granted: int
    revoked: int | None
    state: str
    number: str


def permits(site: Site) -> list[Standing]:
    """Every permit on file, the newest first."""
    return [standing(site, one) for one in reversed(grants.listed(site))]


def standing(site: Site, permit_id: str) -> Standing:
    """One permit; refuses an unknown one."""
    shown = grants.show(site, permit_id)
    one = shown.permit
    return Standing(
        id=one.id,
        request=one.transfer,
        purpose=one.purpose,
        categories=one.categories,
        recipient=one.recipient,
        to=one.recipient_jurisdiction,
        route=one.route,
        method=one.method,
        signals=one.signals,
        transforms=one.transforms,
        start=one.start,
        until=one.until,
        ends=local_midnight(one.until + timedelta(days=1), site.law.zone),
        persons=shown.used,
        persons_limit=one.persons,
        rows=shown.rows,
        rows_limit=one.rows,
        granted=shown.granted,
        revoked=shown.revoked,
        state="revoked" if shown.revoked else _state(site, one),
        number=one.number,
    )


def _state(site: Site, one: Permit) -> str:
    today = site.today()
    return "later" if today < one.start else "over" if today > one.until else "stands"


def of_requests(site: Site, requests: Collection[str]) -> list[Parcel]:
    """The parcels of some requests, the newest first."""
    return _parcels(site, parcels.c.transfer.in_(requests))


def under(site: Site, permit_id: str) -> list[Parcel]:
    """What left, or was to, under a permit, the newest first."""
    return _parcels(site, parcels.c.permit == permit_id)


def left_last(site: Site, most: int) -> list[Parcel]:
    """What left last, the newest first."""
    return _parcels(site, parcels.c.state.in_(GONE), most)


def parcel(site: Site, parcel_id: str) -> Parcel:
    """One parcel; refuses an unknown one."""
    found = _parcels(site, parcels.c.id == parcel_id)
    if not found:
        raise Refusal("parcel-unknown", "there is no such parcel", remedy="'onshore transfer show' lists a request's")
    return found[0]


def proof(site: Site, one: Parcel) -> str:
    """The `.tlog-proof` of a parcel's release, for a file beside it; refuses where it has no entry yet."""
    if one.entry is None:
        raise Refusal("not-in-ledger", "this parcel never came so far that the ledger speaks of it")
    return site.proof(one.entry)


def _parcels(site: Site, which: ColumnElement[bool], most: int | None = None) -> list[Parcel]:
    p, r = parcels.c, recipient_receipts.c
    ask = select(parcels, r.received).outerjoin(recipient_receipts, r.parcel == p.id).where(which)
    with reading(site.engine) as conn:
        rows = conn.execute(ask.order_by(p.reserved.desc(), p.id.desc()).limit(most)).all()
        persons = _persons(conn, [row.id for row in rows])
    return [
        Parcel(
            id=row.id,
            request=row.transfer,
            permit=row.permit,
            state=row.state,
            reserved=row.reserved,
            left=row.left,
            rows=row.rows,
            persons=persons.get(row.id, 0),
            sha256=row.sha256 or "",
            entry=row.entry,
            receipt=row.received,
        )
        for row in rows
    ]


def _persons(conn: Connection, ids: list[str]) -> dict[str, int]:
    ask = select(meter.c.parcel, func.count()).where(meter.c.parcel.in_(ids)).group_by(meter.c.parcel)
    return {parcel: int(count) for parcel, count in conn.execute(ask).all()}
