"""Permits at the site: granted, revoked, and whether one stands at this moment."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, select, update

from onshore.border import life, moves, requests
from onshore.border.metering import meter
from onshore.border.permits import clocks, logged, permit, scans, signing, terms
from onshore.ledger.entry import digest
from onshore.ledger.signer import Signer
from onshore.site import Site
from onshore.vault.papers import parcels, permits, reading, transfers, writing
from onshore.words.errors import Broken, Malformed, Refusal
from onshore.words.permit import Permit, Transfer


def draft(
    site: Site,
    request: Transfer,
    *,
    persons: int,
    start: date,
    until: date,
    by: str,
    route: str,
    signals: tuple[str, ...] = (),
    rows: int = 0,
    transforms: tuple[str, ...] = (),
) -> Permit:
    """A permit in the words of a request, with the limits of `by`, a regulator of site.toml.

    `signals`: those of the request where none are named; `rows`: no cap where 0.
    """
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
        request=life.named(request),
        events_from=request.start,
        events_until=request.until,
        recipient_jurisdiction=recipient.jurisdiction,
        signals=signals or request.signals,
        method=request.method,
        rows=rows,
        transforms=transforms,
    )


def grant(site: Site, draft: Permit, signer: Signer) -> Permit:
    """Sign a permit with the regulator's key and put it on file."""
    return put_on_file(site, permit.signed(draft, signer.sign))


def put_on_file(site: Site, note: str, scan: bytes | None = None) -> Permit:
    """Take in a permit that the regulator signed, once, or one on paper that an officer did, with its `scan`.

    Broken without such a signature. Refused where it is for another site, names other terms than the request that it
    permits (`outside-permit`), was on file before (`permit-known`), or the clock is in doubt (`clock-in-doubt`).
    """
    if not permit.is_one(note):
        raise Malformed(
            "this is no permit: a line of JSON just as 'onshore permit draft' prints it, a blank line, a signature",
            where="note",
        )
    granted = signing.opened(site, note)
    if granted.site != site.id:
        raise Refusal("outside-permit", "this permit is for another site", remedy="ask the regulator for one for here")
    terms.refuse_other(site, requests.find(site, granted.transfer).transfer, granted)
    signing.refuse_unaccepted(site, granted)
    if granted.scan and (scan is None or scans.digest_of(scan) != granted.scan):
        raise Malformed("a permit on paper comes with the scan that it names, byte for byte", where="scan")
    on_paper = scans.prepared(site, scan, granted.granted_by) if granted.scan and scan else None
    with writing(site.engine) as conn:
        if on_paper:
            scans.keep(conn, on_paper)
        clocks.believed(site, conn)
        _refuse_known(site, conn, granted, note)
        conn.execute(permits.insert().values(id=granted.id, transfer=granted.transfer, note=note, granted=site.clock()))
        if (state := life.state_of(conn, granted.transfer)) == "completed":
            life.refuse_unapproved(conn, granted.transfer)
        if state not in moves.UNDER_PERMIT:
            life.move(site, conn, granted.transfer, "permitted", by=granted.granted_by)
        how = {"state": "recorded", "scan": granted.scan, "number": granted.number} if granted.scan else {}
        site.hand_in(conn, site.entry("permit", obj=digest(note), **({"state": "granted"} | how)))
        clocks.note(site, conn)
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
            life.end(site, conn, row.transfer, "revoked")
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
    """A permit on file: its words, the signed note, when granted and revoked, distinct persons and rows used of it."""

    permit: Permit
    note: str
    granted: int
    revoked: int | None
    used: int
    rows: int


def show(site: Site, permit_id: str) -> Shown:
    """A permit as it stands."""
    row = _row(site, permit_id)
    with reading(site.engine) as conn:
        used, rows = meter.used(conn, permit_id), meter.rows_used(conn, permit_id)
    return Shown(signing.opened(site, row.note), row.note, row.granted, row.revoked, used, rows)


def listed(site: Site) -> list[str]:
    """Ids of all permits, oldest first."""
    with reading(site.engine) as conn:
        return list(conn.execute(select(permits.c.id).order_by(permits.c.granted)).scalars())


def _struck(site: Site, permit_id: str) -> Broken:
    """What is wrong where the ledger knows of a revocation and the papers do not, unless they do by now: Refusal."""
    with reading(site.engine) as conn:
        refuse_revoked(site, conn, permit_id)
    return Broken("the ledger says that this permit was revoked, the papers say that it stands; nothing leaves")


def _standing(site: Site, request: Transfer, row: Row[Any]) -> Permit:
    granted = signing.opened(site, row.note)
    if (granted.id, granted.transfer, granted.site) != (row.id, row.transfer, site.id):
        raise Broken("a permit is filed under another id, request or site than it was signed for; somebody moved it")
    with reading(site.engine) as conn:
        refuse_revoked(site, conn, row.id)
        if "revoked" in logged.of_permit(site, conn, digest(row.note)):
            raise _struck(site, row.id)
        today = clocks.today(site, conn)
    if not granted.start <= today <= granted.until:
        raise Refusal(
            "permit-expired",
            f"the permit holds from {granted.start} to {granted.until}, both included; today is {today}",
            article=site.pack.transfer.permit.permit_expired.article,
            remedy="ask the regulator for a permit that holds today",
        )
    signing.refuse_unaccepted(site, granted)
    if granted.scan:
        scans.opened(site, granted.scan)  # Broken where it is lost, or another
    terms.refuse_other(site, request, granted)
    return granted


def _refuse_known(site: Site, conn: Connection, granted: Permit, note: str) -> None:
    """A permit is taken in once: neither its id nor its words come again, not even where the papers forgot them."""
    known = conn.execute(select(permits.c.id).where(permits.c.id == granted.id)).first() is not None
    if known or logged.of_permit(site, conn, digest(note)):
        raise Refusal("permit-known", "this permit is on file already", remedy="'onshore permit show' shows it")


def _row(site: Site, permit_id: str) -> Row[Any]:
    with reading(site.engine) as conn:
        row = conn.execute(select(permits).where(permits.c.id == permit_id)).one_or_none()
    if row is None:
        raise Refusal("permit-unknown", "there is no such permit", remedy="'onshore permit show' lists them")
    return row
