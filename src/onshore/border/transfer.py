"""What happens to every export: permit now, sieve again, meter, seal, ledger, and only then out."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from onshore.border import fallen, grants, life, moves, requests
from onshore.border.approvals import refuse_halted
from onshore.border.metering import meter
from onshore.border.permits import clocks
from onshore.border.readiness import in_force, refuse_unready
from onshore.border.rows.arrivals import Arrived, arrived
from onshore.border.rows.selection import Touched, touched
from onshore.border.sealing import digest, seal, staged
from onshore.border.send import give_up, send
from onshore.border.sending import accounts, destinations
from onshore.site import Site
from onshore.vault import papers
from onshore.vault.lock import hold
from onshore.vault.papers import parcels, reading, writing
from onshore.words.errors import Broken, Malformed, Refusal
from onshore.words.permit import Permit, Transfer

_OPEN = ("reserved", "leaving", "sending")


@dataclass(frozen=True)
class Shipped:
    """A parcel that left: its id, where it is as the other side calls it, its manifest, distinct persons and rows."""

    id: str
    where: str
    manifest: dict[str, Any]
    persons: int
    rows: int

    @property
    def file(self) -> Path:
        """Its file, where it was laid into the outbox."""
        return Path(self.where)


def ship(site: Site, transfer_id: str) -> Shipped:
    """Ship what a request asks for and its permit allows, as of now; refuses, or leaves nothing behind.

    What an earlier call had begun to send, and what a crash kept from being noted, is that call's parcel, not another.
    """
    with hold(site.folder / "locks" / "border", "border"):
        if transfer_id in (done := resume(site)):
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
            _take_up(site, going.id)
            raise


def resume(site: Site) -> dict[str, Shipped]:
    """After a crash: what nothing left of is unwound, what was being sent goes on; the parcels that left, by request.

    Permit, consent and restriction count at the moment of leaving, so the next `ship` asks for all of them anew. Where
    some of a parcel is with the recipient already, its rest follows if nothing fell meanwhile; else it ends there. The
    caller holds the border's lock.
    """
    life.expire(site)
    with reading(site.engine) as conn:
        ask = select(parcels.c.id, parcels.c.transfer, papers.transfers.c.body).join(papers.transfers)
        found = conn.execute(ask.where(parcels.c.state.in_(_OPEN))).all()
    open_ones = [row for row in found if json.loads(row.body)["method"] != "view"]  # `viewing` takes those up
    done = {row.transfer: shipped for row in open_ones if (shipped := _go_on(site, row.id)) is not None}
    life.settle(site, _left_last)
    for left_over in (site.folder / "staging").glob("*.parcel"):
        if _state(site, left_over.stem) not in _OPEN:
            left_over.unlink()
    return done


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
    with writing(site.engine) as conn:
        verdict = requests.judged_under(site, conn, transfer, permit, found)
        if verdict.verdict != "allow":
            first = verdict.reasons[0]
            raise Refusal(first.code, first.says, article=first.article, remedy=first.remedy)
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
        _move(conn, going.id, "leaving", **values)
        site.recall(
            conn,
            (papers.transfers, papers.transfers.c.id == transfer.id),
            (papers.permits, papers.permits.c.id == permit.id),
            (parcels, parcels.c.id == going.id),
            (papers.meter, papers.meter.c.parcel == going.id),
            (papers.meter_vehicles, papers.meter_vehicles.c.parcel == going.id),
        )


def _leave(site: Site, transfer: Transfer, going: _Going) -> Shipped:
    """Send what was sealed, once its entry is under a checkpoint, unless something fell since: asked last of all.

    The move to `sending` is committed together with the last look at permit, consents and restrictions, and before
    the file moves: whoever revokes, withdraws or restricts after that commit comes after the parcel, or stops it
    between two parts.
    """
    row = _row(site, going.id)
    proof = site.witnessed_proof(row.entry)
    clocks.refuse_apart(site)
    destination = destinations.of(site, transfer.recipient)
    _refuse_altered(site, row)
    grants.in_force(site, transfer, row.permit)
    with writing(site.engine) as conn:
        _refuse_stopped(site, conn, transfer, row)
        meter.refuse_turned(conn, going.id, clocks.year(site, conn))
        _move(conn, going.id, "sending")
        accounts.begin(site, conn, going.id, destination, staged(site, going.id).stat().st_size)
    return _send(site, transfer, row, proof)


def _send(site: Site, transfer: Transfer, row: Row[Any], proof: str) -> Shipped:
    def may_go() -> None:
        grants.in_force(site, transfer, row.permit)
        with reading(site.engine) as conn:
            _refuse_stopped(site, conn, transfer, row)

    destination, account = destinations.of(site, transfer.recipient), accounts.Account(site, row.id)
    sent = send(staged(site, row.id), proof, destination, may_go=may_go, account=account)
    return _note_left(site, row.id, sent.where)


def _go_on(site: Site, parcel: str) -> Shipped | None:
    """Take up what a crash, or a host that was not there, left halfway; the parcel, if it is out by now."""
    if not _is_partly_there(site, parcel):
        return _take_up(site, parcel)
    row = _row(site, parcel)
    transfer = requests.find(site, row.transfer).transfer
    try:
        _refuse_altered(site, row)
        return _send(site, transfer, row, site.witnessed_proof(row.entry))
    except (Refusal, Malformed, Broken):
        return _take_up(site, parcel)


def _take_up(site: Site, parcel: str) -> Shipped | None:
    """End what stopped halfway: what is not staged any more left, even if somebody fetched it since; else unwind.

    What is partly with the recipient waits for the rest to follow, or is cut where that may not.
    """
    row, there = _row(site, parcel), staged(site, parcel).exists()
    if row.state == "sending" and _is_partly_there(site, parcel):
        if not there or _is_stopped(site, row):
            _cut(site, row)
    elif row.state == "sending" and not there:
        return _note_left(site, parcel, str(site.folder / "outbox" / f"{parcel}.parcel"))
    elif row.state in _OPEN:
        _unwind(site, parcel)
    return None


def _is_partly_there(site: Site, parcel: str) -> bool:
    with reading(site.engine) as conn:
        return accounts.handed_over(conn, parcel) > 0


def _is_stopped(site: Site, row: Row[Any]) -> bool:
    """Whether what is left of a parcel may not follow."""
    try:
        _refuse_altered(site, row)
        transfer = requests.find(site, row.transfer).transfer
        grants.in_force(site, transfer, row.permit)
        with reading(site.engine) as conn:
            _refuse_stopped(site, conn, transfer, row)
    except (Refusal, Broken):
        return True
    return False


def _refuse_stopped(site: Site, conn: Connection, transfer: Transfer, row: Row[Any]) -> None:
    """Refuse what took away, as of this transaction, what a sealed parcel rests on: asked before each part of it."""
    grants.refuse_revoked(site, conn, row.permit)
    fallen.refuse(site, conn, transfer, row.id)
    refuse_halted(conn, transfer.id, "leaving")


def _note_left(site: Site, parcel: str, where: str) -> Shipped:
    row = _row(site, parcel)
    with writing(site.engine) as conn:
        _move(conn, parcel, "left", left=site.clock())
        accounts.whole(site, conn, parcel)
        if life.state_of(conn, row.transfer) == "leaving":
            life.move(site, conn, row.transfer, "left")
        persons = meter.of_parcel(conn, parcel)
    staged(site, parcel).unlink(missing_ok=True)
    manifest = json.loads(row.manifest)
    return Shipped(parcel, where, manifest, persons, sum(part["rows"] for part in manifest["parts"]))


def _unwind(site: Site, parcel: str) -> None:
    """Nothing of this parcel left: give its persons back to the meter, and say so where the ledger said it would.

    The staged file goes last: as long as it is there, a crash in here is taken up as what it is.
    """
    (site.folder / "outbox" / f"{parcel}.tlog-proof").unlink(missing_ok=True)
    row = _row(site, parcel)
    with writing(site.engine) as conn:
        _move(conn, parcel, "unsent")
        meter.give_back(conn, parcel)
        life.unwind(site, conn, row.transfer, "unwound")
        if row.entry is not None:
            site.hand_in(conn, site.entry("release", obj=f"sha256:{row.sha256}", state="unsent"))
    staged(site, parcel).unlink(missing_ok=True)


def _cut(site: Site, row: Row[Any]) -> None:
    """Some of this parcel is abroad and the rest does not follow: its persons stay on the meter, the ledger has it."""
    transfer = requests.find(site, row.transfer).transfer
    account = accounts.Account(site, row.id)
    give_up(destinations.of(site, transfer.recipient), account)
    with writing(site.engine) as conn:
        _move(conn, row.id, "cut", left=site.clock())
        life.unwind(site, conn, row.transfer, "cut")
        most = accounts.handed_over(conn, row.id)
        site.hand_in(conn, site.entry("release", obj=f"sha256:{row.sha256}", state="cut", bytes=most))
    staged(site, row.id).unlink(missing_ok=True)


def _refuse_altered(site: Site, row: Row[Any]) -> None:
    path = staged(site, row.id)
    if not path.exists() or digest(path) != row.sha256:
        raise Broken(
            f"the staged file of parcel {row.id} was altered or taken away after it was sealed; nothing was sent. "
            "Look for who writes in the folder 'staging', then ship again"
        )


def _move(conn: Connection, parcel: str, state: str, **values: Any) -> None:
    old = conn.execute(select(parcels.c.state).where(parcels.c.id == parcel)).scalar_one()
    moves.check(moves.PARCEL, old, state)
    conn.execute(update(parcels).where(parcels.c.id == parcel).values(state=state, **values))


def _row(site: Site, parcel: str) -> Row[Any]:
    with reading(site.engine) as conn:
        return conn.execute(select(parcels).where(parcels.c.id == parcel)).one()


def _state(site: Site, parcel: str) -> str | None:
    with reading(site.engine) as conn:
        return conn.execute(select(parcels.c.state).where(parcels.c.id == parcel)).scalar()


def _left_last(conn: Connection, transfer_id: str) -> bool:
    """Whether the newest parcel of a request is out."""
    mine = select(parcels.c.state).where(parcels.c.transfer == transfer_id).order_by(parcels.c.reserved.desc())
    return conn.execute(mine.limit(1)).scalar() == "left"
