"""Permits at the site: granted, revoked, and whether one stands at this moment."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, select, update

from onshore.border import meter, moves, permit, requests
from onshore.ledger.entry import digest
from onshore.ledger.signer import Signer
from onshore.site import Site
from onshore.vault.papers import permits, reading, transfers, writing
from onshore.words.errors import Broken, Malformed, Refusal
from onshore.words.permit import Permit, Transfer

_ARTICLE = "Automotive Data Provisions (Trial), Art. 12"


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
    )


def grant(site: Site, draft: Permit, signer: Signer) -> Permit:
    """Sign a permit with the regulator's key and put it on file."""
    return put_on_file(site, permit.signed(draft, signer.sign))


def put_on_file(site: Site, note: str) -> Permit:
    """Take in a permit that the regulator signed; Broken without that signature, refused for another site."""
    granted = _opened(site, note)
    request = requests.find(site, granted.transfer)
    if granted.site != site.id:
        raise Refusal("outside-permit", "this permit is for another site", remedy="ask the regulator for one for here")
    with writing(site.engine) as conn:
        moves.check(moves.REQUEST, request.state, "permitted")
        conn.execute(permits.insert().values(id=granted.id, transfer=granted.transfer, note=note, granted=site.clock()))
        conn.execute(update(transfers).where(transfers.c.id == granted.transfer).values(state="permitted"))
        site.hand_in(conn, site.entry("permit", obj=digest(note), state="granted"))
    site.settle()
    return granted


def revoke(site: Site, permit_id: str) -> None:
    """Revoke a permit, from this instant; what has not left does not leave."""
    row = _row(site, permit_id)
    if row.revoked is not None:
        raise Refusal(
            "permit-revoked",
            "this permit is revoked already",
            article=_ARTICLE,
            remedy="nothing more leaves under it; 'onshore permit show' lists the others",
        )
    with writing(site.engine) as conn:
        conn.execute(update(permits).where(permits.c.id == permit_id).values(revoked=site.clock()))
        others = (permits.c.transfer == row.transfer) & permits.c.revoked.is_(None)
        if conn.execute(select(permits.c.id).where(others)).first() is None:
            state = conn.execute(select(transfers.c.state).where(transfers.c.id == row.transfer)).scalar_one()
            moves.check(moves.REQUEST, state, "revoked")
            conn.execute(update(transfers).where(transfers.c.id == row.transfer).values(state="revoked"))
        site.hand_in(conn, site.entry("permit", obj=digest(row.note), state="revoked"))
    site.settle()


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
            article=blocking.article if blocking else _ARTICLE,
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
    article = _ARTICLE
    if row.revoked is not None:
        raise Refusal(
            "permit-revoked", "the regulator revoked this permit", article=article, remedy="ask for a new one"
        )
    today = site.today()
    if not granted.start <= today <= granted.until:
        raise Refusal(
            "permit-expired",
            f"the permit holds from {granted.start} to {granted.until}, both included; today is {today}",
            article=article,
            remedy="ask the regulator for a permit that holds today",
        )
    same = (request.purpose, request.categories, request.recipient)
    recipient = site.recipient(request.recipient)
    if same != (granted.purpose, granted.categories, granted.recipient) or recipient.key != granted.recipient_key:
        raise Refusal(
            "outside-permit",
            "the request, or the recipient's key in site.toml, is not what the permit names",
            article=article,
            remedy="ship what was permitted, or ask for a permit that names this",
        )
    return granted


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
