"""Permits at the site: granted, revoked, and whether one stands at this moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, select, update

from onshore.border import meter, moves, permit, requests
from onshore.ledger.entry import digest
from onshore.ledger.entry import read as read_entry
from onshore.ledger.signer import Signer
from onshore.site import Site
from onshore.vault.papers import entries, parcels, permits, reading, transfers, writing
from onshore.words.errors import Broken, Malformed, Refusal
from onshore.words.permit import Permit, Transfer


def draft(site: Site, request: Transfer, *, persons: int, start: date, until: date, by: str, route: str) -> Permit:
    """A permit in the words of a request, with the regulator's limits."""
    if until < start:
        raise Malformed(f"the last day, {until}, lies before the first, {start}", where="permit")
    recipient = site.recipient(request.recipient)
    return Permit(
        id=site.randomness(8).hex(),
        site=site.id,
        transfer=request.id,
        route=route,
        purpose=request.purpose,
        categories=request.categories,
        recipient=recipient.name,
        recipient_key=recipient.key,
        persons=persons,
        start=start,
        until=until,
        granted_by=by,
        request=requests.named(request),
        events_from=request.start,
        events_until=request.until,
        recipient_jurisdiction=recipient.jurisdiction,
    )


def grant(site: Site, draft: Permit, signer: Signer) -> Permit:
    """Sign a permit with the regulator's key and put it on file."""
    return put_on_file(site, permit.signed(draft, signer.sign))


def put_on_file(site: Site, note: str) -> Permit:
    """Take in a permit that the regulator signed, once; Broken without that signature.

    Refused (`outside-permit`) where it is for another site, or names other terms than the request that it permits.
    """
    if not permit.is_one(note):
        raise Malformed("this is no permit: a line of JSON, a blank line and the regulator's signature", where="note")
    granted = _opened(site, note)
    if granted.site != site.id:
        raise Refusal("outside-permit", "this permit is for another site", remedy="ask the regulator for one for here")
    _refuse_other_terms(site, requests.find(site, granted.transfer).transfer, granted)
    with writing(site.engine) as conn:
        if conn.execute(select(permits.c.id).where(permits.c.id == granted.id)).first():
            raise Refusal("permit-known", "this permit is on file already", remedy="'onshore permit show' shows it")
        moves.check(moves.REQUEST, _state(conn, granted.transfer), "permitted")
        conn.execute(permits.insert().values(id=granted.id, transfer=granted.transfer, note=note, granted=site.clock()))
        conn.execute(update(transfers).where(transfers.c.id == granted.transfer).values(state="permitted"))
        site.hand_in(conn, site.entry("permit", obj=digest(note), state="granted"))
    site.settle()
    return granted


def revoke(site: Site, permit_id: str) -> list[str]:
    """Revoke a permit, from this instant; returns the parcels under it that were past holding back.

    It never waits for the border and is never refused for its sake. This transaction and the one that marks a parcel
    as `sending` come one after the other: whichever commits first wins.
    """
    row = _row(site, permit_id)
    with writing(site.engine) as conn:
        refuse_revoked(
            site, conn, permit_id, remedy="nothing more leaves under it; 'onshore permit show' lists the others"
        )
        conn.execute(update(permits).where(permits.c.id == permit_id).values(revoked=site.clock()))
        if not requests.permit_stands(conn, row.transfer):
            moves.check(moves.REQUEST, _state(conn, row.transfer), "revoked")
            conn.execute(update(transfers).where(transfers.c.id == row.transfer).values(state="revoked"))
        site.recall(conn, (transfers, transfers.c.id == row.transfer), (permits, permits.c.id == permit_id))
        site.hand_in(conn, site.entry("permit", obj=digest(row.note), state="revoked"))
        going = (parcels.c.permit == permit_id) & (parcels.c.state == "sending")
        gone = list(conn.execute(select(parcels.c.id).where(going)).scalars())
    site.settle()
    return gone


def refuse_revoked(site: Site, conn: Connection, permit_id: str, remedy: str = "ask for a new one") -> None:
    """Refuse (`permit-revoked`) where the permit is revoked, as this transaction sees it."""
    if conn.execute(select(permits.c.revoked).where(permits.c.id == permit_id)).scalar_one() is not None:
        law = site.pack.transfer.permit.permit_revoked
        raise Refusal("permit-revoked", "the regulator revoked this permit", article=law.article, remedy=remedy)


def in_force(site: Site, request: Transfer, permit_id: str | None = None) -> Permit:
    """The permit under which a request may be shipped now; refuses where there is none, or it is over or revoked."""
    with reading(site.engine) as conn:
        newest = (permits.c.revoked.is_not(None), permits.c.granted.desc())  # one that stands before any revoked
        ask = select(permits).where(permits.c.transfer == request.id).order_by(*newest)
        row = conn.execute(ask if permit_id is None else ask.where(permits.c.id == permit_id)).first()
    if row is None:
        verdict = requests.find(site, request.id).verdict
        blocking = verdict.reasons[0] if verdict.verdict == "refuse" else None
        raise Refusal(
            blocking.code if blocking else "permit-missing",
            blocking.says if blocking else "no permit of the regulator is on file for this request",
            article=blocking.article if blocking else site.pack.transfer.permit.outside_permit.article,
            remedy=blocking.remedy if blocking else "have the regulator grant one: 'onshore permit grant'",
        )
    return _standing(site, request, row)


def note_of(site: Site, permit_id: str) -> str:
    """The signed note of a permit."""
    return str(_row(site, permit_id).note)


@dataclass(frozen=True)
class Shown:
    """A permit on file: its words, the signed note, when granted and revoked, distinct persons used of it."""

    permit: Permit
    note: str
    granted: int
    revoked: int | None
    used: int


def show(site: Site, permit_id: str) -> Shown:
    """A permit as it stands."""
    row = _row(site, permit_id)
    with reading(site.engine) as conn:
        used = meter.used(conn, permit_id)
    return Shown(_opened(site, row.note), row.note, row.granted, row.revoked, used)


def listed(site: Site) -> list[str]:
    """Ids of all permits, oldest first."""
    with reading(site.engine) as conn:
        return list(conn.execute(select(permits.c.id).order_by(permits.c.granted)).scalars())


def _standing(site: Site, request: Transfer, row: Row[Any]) -> Permit:
    granted = _opened(site, row.note)
    if (granted.id, granted.transfer, granted.site) != (row.id, row.transfer, site.id):
        raise Broken("a permit is filed under another id, request or site than it was signed for; somebody moved it")
    with reading(site.engine) as conn:
        refuse_revoked(site, conn, row.id)
        if any(_revokes(body, digest(row.note)) for body in _logged(site, conn)):
            raise Broken("the ledger says that this permit was revoked, the papers say that it stands; nothing leaves")
    today = site.today()
    if not granted.start <= today <= granted.until:
        raise Refusal(
            "permit-expired",
            f"the permit holds from {granted.start} to {granted.until}, both included; today is {today}",
            article=site.pack.transfer.permit.permit_expired.article,
            remedy="ask the regulator for a permit that holds today",
        )
    _refuse_other_terms(site, request, granted)
    return granted


def _refuse_other_terms(site: Site, request: Transfer, granted: Permit) -> None:
    if others := _other_terms(site, request, granted):
        raise Refusal(
            "outside-permit",
            f"not as the permit names it: {', '.join(others)}",
            article=site.pack.transfer.permit.outside_permit.article,
            remedy="ship what was permitted, or ask for a permit that names this",
        )


def _other_terms(site: Site, request: Transfer, granted: Permit) -> list[str]:
    """What of the request and its recipient in site.toml is not what the permit names."""
    recipient = site.recipient(request.recipient)
    held = {
        "the request's id": (request.id, granted.transfer),
        "the purpose": (request.purpose, granted.purpose),
        "the categories": (request.categories, granted.categories),
        "the recipient": (request.recipient, granted.recipient),
        "the recipient's key": (recipient.key, granted.recipient_key),
        "the recipient's jurisdiction": (recipient.jurisdiction, granted.recipient_jurisdiction),
        "the vehicles, the period or who asked": (requests.named(request), granted.request),
    }
    return [name for name, (now, then) in held.items() if now != then]


def _logged(site: Site, conn: Connection) -> Iterator[bytes]:
    """What was handed in to the ledger, and what stands in it: neither of the two alone is enough to hide an entry."""
    yield from conn.execute(select(entries.c.body)).scalars()
    yield from site.ledger.entries()


def _revokes(body: bytes, note: str) -> bool:
    if note.encode() not in body:  # most entries are of something else, and reading them takes its time
        return False
    fields = read_entry(body)
    return (fields.get("t"), fields.get("state"), fields.get("obj")) == ("permit", "revoked", note)


def _state(conn: Connection, transfer_id: str) -> str:
    return str(conn.execute(select(transfers.c.state).where(transfers.c.id == transfer_id)).scalar_one())


def _opened(site: Site, note: str) -> Permit:
    keys = [p.vkey for p in site.settings.people.values() if p.role == "regulator" and p.vkey]
    for vkey in keys:
        try:
            return permit.read(note, vkey)
        except Broken:
            continue
    raise Broken("no regulator of site.toml signed this permit; compare the vkey there with the regulator's own")


def _row(site: Site, permit_id: str) -> Row[Any]:
    with reading(site.engine) as conn:
        row = conn.execute(select(permits).where(permits.c.id == permit_id)).one_or_none()
    if row is None:
        raise Refusal("permit-unknown", "there is no such permit", remedy="'onshore permit show' lists them")
    return row
