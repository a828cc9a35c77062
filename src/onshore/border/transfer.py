"""What happens to every export: permit now, sieve again, meter, seal, ledger, and only then out."""

from dataclasses import dataclass

from sqlalchemy import func, select

from onshore.border import fallen, grants, life, requests, underway
from onshore.border.approvals import refuse_halted
from onshore.border.metering import meter
from onshore.border.permits import clocks
from onshore.border.readiness import in_force, refuse_unready
from onshore.border.rows.arrivals import Arrived, arrived
from onshore.border.rows.selection import Touched, touched
from onshore.border.sealing import seal, staged
from onshore.border.sending import accounts, destinations
from onshore.site import Site
from onshore.vault import papers
from onshore.vault.lock import hold
from onshore.vault.papers import parcels, reading, writing
from onshore.words.errors import Refusal
from onshore.words.permit import Permit, Transfer


def ship(site: Site, transfer_id: str) -> underway.Shipped:
    """Ship what a request asks for and its permit allows, as of now; refuses, or leaves nothing behind.

    What an earlier call had begun to send, and what a crash kept from being noted, is that call's parcel, not another.
    """
    with hold(site.folder / "locks" / "border", "border"):
        if transfer_id in (done := underway.resume(site)):
            return done[transfer_id]
        transfer = requests.find(site, transfer_id).transfer
        _refuse_view(transfer)
        refuse_unready(site, transfer)
        permit = in_force(site, transfer)
        destinations.of(site, transfer.recipient)
        going = _reserve(site, transfer, permit)
        try:
            _seal(site, transfer, permit, going)
            return _leave(site, transfer, going)
        except BaseException:
            underway.take_up(site, going.id)
            raise


@dataclass(frozen=True)
class _Going:
    id: str
    found: Touched
    arrived: Arrived | None


def _refuse_view(transfer: Transfer) -> None:
    if transfer.method == "view":
        raise Refusal(
            "not-a-parcel",
            "this request is for a view, and no file is made of one",
            remedy=f"look: 'onshore query SELECT… --transfer {transfer.id}'; or ask for a file",
        )


def _reserve(site: Site, transfer: Transfer, permit: Permit) -> _Going:
    stood, turn = fallen.standing(site), arrived(site, transfer)
    found = touched(site, transfer, site.clock(), permit, arrived=turn)
    if not found.rows:
        raise Refusal(
            "nothing-to-send",
            "no row of this request is covered by a consent that stands now and names this recipient"
            + ("" if turn is None else ", and arrived since the last parcel"),
            article=site.pack.consent.no_consent.article,
            remedy="'onshore transfer ask --dry-run' shows what is withheld and why",
        )
    parcel = ""
    with writing(site.engine) as conn:
        verdict = requests.judged_under(site, conn, transfer, permit, found)
        if verdict.verdict == "allow":
            refuse_halted(conn, transfer.id, "permitted", "left")
            count = select(func.count()).select_from(parcels).where(parcels.c.transfer == transfer.id)
            parcel = f"{transfer.id}-{conn.execute(count).scalar_one() + 1}"
            row = {"id": parcel, "transfer": transfer.id, "permit": permit.id, "state": "reserved", "stood": stood}
            conn.execute(
                parcels.insert().values(**row, reserved=site.clock(), arrived=None if turn is None else turn.until)
            )
            meter.reserve(
                conn,
                parcel=parcel,
                permit=permit,
                article=site.pack.transfer.permit.outside_permit.article,
                year=clocks.today(site, conn).year,
                load=requests.load(site, found),
            )
            life.move(site, conn, transfer.id, "reserved")
            clocks.note(site, conn)
    requests.refuse_by(site, verdict)
    return _Going(parcel, found, turn)


def _seal(site: Site, transfer: Transfer, permit: Permit, going: _Going) -> None:
    """Seal into the staging folder, and hand the release to the ledger with the digests of all of it."""

    def may_go() -> None:
        with reading(site.engine) as conn:
            grants.refuse_revoked(site, conn, permit.id)
            refuse_halted(conn, transfer.id, "reserved")

    sealed = seal(
        site,
        transfer,
        permit,
        going.id,
        found=going.found,
        arrived=going.arrived,
        may_go=may_go,
    )
    dest = site.recipient(transfer.recipient).jurisdiction
    with writing(site.engine) as conn:
        grants.refuse_revoked(site, conn, permit.id)
        refuse_halted(conn, transfer.id, "reserved")
        meter.reserve_rows(
            conn,
            parcel=going.id,
            permit=permit,
            article=site.pack.transfer.permit.outside_permit.article,
            rows=sealed.rows,
        )
        life.move(site, conn, transfer.id, "leaving")
        body = site.entry("release", obj=f"sha256:{sealed.sha256}", state="leaving", dest=dest, **sealed.entry)
        values = {"manifest": sealed.manifest, "sha256": sealed.sha256, "entry": site.hand_in(conn, body)}
        life.move_parcel(conn, going.id, "leaving", **values)
        site.recall(
            conn,
            (papers.transfers, papers.transfers.c.id == transfer.id),
            (papers.permits, papers.permits.c.id == permit.id),
            (parcels, parcels.c.id == going.id),
            (papers.meter, papers.meter.c.parcel == going.id),
            (papers.meter_vehicles, papers.meter_vehicles.c.parcel == going.id),
            requests.judged_for(transfer.id, going.id),
        )


def _leave(site: Site, transfer: Transfer, going: _Going) -> underway.Shipped:
    """Send what was sealed, once its entry is under a checkpoint, unless something fell since: asked last of all.

    The move to `sending` is committed together with the last look at permit, consents and restrictions, and before
    the file moves: whoever revokes, withdraws or restricts after that commit comes after the parcel, or stops it
    between two parts.
    """
    row = underway.row_of(site, going.id)
    proof = site.witnessed_proof(row.entry)
    clocks.refuse_apart(site)
    destination = destinations.of(site, transfer.recipient)
    underway.refuse_altered(site, row)
    grants.in_force(site, transfer, row.permit)
    with writing(site.engine) as conn:
        underway.refuse_stopped(site, conn, transfer, row)
        life.move_parcel(conn, going.id, "sending")
        accounts.begin(site, conn, going.id, destination, staged(site, going.id).stat().st_size)
    return underway.follow(site, transfer, row, proof)
