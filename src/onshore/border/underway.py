"""A parcel under way: sent, gone on with after a crash or a host that was not there, unwound, or cut."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, select

from onshore.border import fallen, grants, life, requests
from onshore.border.approvals import refuse_halted
from onshore.border.metering import meter
from onshore.border.permits import clocks
from onshore.border.sealing import digest, staged
from onshore.border.send import give_up, send
from onshore.border.sending import accounts, destinations
from onshore.site import Site
from onshore.vault.papers import parcels, reading, transfers, writing
from onshore.words.errors import Broken, Malformed, Refusal
from onshore.words.permit import Transfer

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


def resume(site: Site) -> dict[str, Shipped]:
    """After a crash: what nothing left of is unwound, what was being sent goes on; the parcels that left, by request.

    Permit, consent and restriction count at the moment of leaving, so the next `ship` asks for all of them anew. Where
    some of a parcel is with the recipient already, its rest follows if nothing fell meanwhile; else it ends there. The
    caller holds the border's lock.
    """
    life.expire(site)
    with reading(site.engine) as conn:
        ask = select(parcels.c.id, parcels.c.transfer, transfers.c.body).join(transfers)
        found = conn.execute(ask.where(parcels.c.state.in_(_OPEN))).all()
    open_ones = [row for row in found if json.loads(row.body)["method"] != "view"]  # `viewing` takes those up
    done = {row.transfer: shipped for row in open_ones if (shipped := _go_on(site, row.id)) is not None}
    life.settle(site, _left_last)
    for left_over in (site.folder / "staging").glob("*.parcel"):
        if _state(site, left_over.stem) not in _OPEN:
            left_over.unlink()
    return done


def follow(site: Site, transfer: Transfer, parcel: Row[Any], proof: str) -> Shipped:
    """Send a sealed parcel that is marked as being sent, or the rest of it, and note that it left.

    All that it rests on is asked again before each part; refused as `send` and `refuse_stopped` say.
    """

    def may_go() -> None:
        grants.in_force(site, transfer, parcel.permit)
        with reading(site.engine) as conn:
            refuse_stopped(site, conn, transfer, parcel)

    destination, account = destinations.of(site, transfer.recipient), accounts.Account(site, parcel.id)
    sent = send(staged(site, parcel.id), proof, destination, may_go=may_go, account=account)
    return _note_left(site, parcel.id, sent.where)


def take_up(site: Site, parcel: str) -> Shipped | None:
    """End what stopped halfway: what is not staged any more left, even if somebody fetched it since; else unwind.

    What is partly with the recipient waits for the rest to follow, or is cut where that may not.
    """
    row, there = row_of(site, parcel), staged(site, parcel).exists()
    if row.state == "sending" and _is_partly_there(site, parcel):
        if not there or _is_stopped(site, row):
            _cut(site, row)
    elif row.state == "sending" and not there:
        return _note_left(site, parcel, str(site.folder / "outbox" / f"{parcel}.parcel"))
    elif row.state in _OPEN:
        _unwind(site, parcel)
    return None


def refuse_stopped(site: Site, conn: Connection, transfer: Transfer, parcel: Row[Any]) -> None:
    """Refuse what took away, as of this transaction, what a sealed parcel rests on: asked before each part of it.

    So is the year in which its persons are counted: what still goes at New Year would leave uncounted in the new one.
    """
    grants.refuse_revoked(site, conn, parcel.permit)
    fallen.refuse(site, conn, transfer, parcel.id)
    refuse_halted(conn, transfer.id, "leaving")
    meter.refuse_turned(conn, parcel.id, clocks.year(site, conn))
    accounts.refuse_lower(site, conn)


def refuse_altered(site: Site, parcel: Row[Any]) -> None:
    """Broken where the staged file is not, or not any more, the one that was sealed."""
    path = staged(site, parcel.id)
    if not path.exists() or digest(path) != parcel.sha256:
        raise Broken(
            f"the staged file of parcel {parcel.id} was altered or taken away after it was sealed; nothing was sent. "
            "Look for who writes in the folder 'staging', then ship again"
        )


def row_of(site: Site, parcel: str) -> Row[Any]:
    """A parcel as its papers have it."""
    with reading(site.engine) as conn:
        return conn.execute(select(parcels).where(parcels.c.id == parcel)).one()


def _go_on(site: Site, parcel: str) -> Shipped | None:
    """Take up what a crash, or a host that was not there, left halfway; the parcel, if it is out by now."""
    if not _is_partly_there(site, parcel):
        return take_up(site, parcel)
    row = row_of(site, parcel)
    transfer = requests.find(site, row.transfer).transfer
    try:
        refuse_altered(site, row)
        return follow(site, transfer, row, site.witnessed_proof(row.entry))
    except (Refusal, Malformed, Broken):
        return take_up(site, parcel)


def _is_partly_there(site: Site, parcel: str) -> bool:
    with reading(site.engine) as conn:
        return accounts.handed_over(conn, parcel) > 0


def _is_stopped(site: Site, row: Row[Any]) -> bool:
    """Whether what is left of a parcel may not follow."""
    try:
        refuse_altered(site, row)
        transfer = requests.find(site, row.transfer).transfer
        grants.in_force(site, transfer, row.permit)
        with reading(site.engine) as conn:
            refuse_stopped(site, conn, transfer, row)
    except (Refusal, Broken):
        return True
    return False


def _note_left(site: Site, parcel: str, where: str) -> Shipped:
    row = row_of(site, parcel)
    with writing(site.engine) as conn:
        life.move_parcel(conn, parcel, "left", left=site.clock())
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
    row = row_of(site, parcel)
    with writing(site.engine) as conn:
        life.move_parcel(conn, parcel, "unsent")
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
        life.move_parcel(conn, row.id, "cut", left=site.clock())
        life.unwind(site, conn, row.transfer, "cut")
        most = accounts.handed_over(conn, row.id)
        site.hand_in(conn, site.entry("release", obj=f"sha256:{row.sha256}", state="cut", bytes=most))
    staged(site, row.id).unlink(missing_ok=True)


def _state(site: Site, parcel: str) -> str | None:
    with reading(site.engine) as conn:
        return conn.execute(select(parcels.c.state).where(parcels.c.id == parcel)).scalar()


def _left_last(conn: Connection, transfer_id: str) -> bool:
    """Whether the newest parcel of a request is out."""
    mine = select(parcels.c.state).where(parcels.c.transfer == transfer_id).order_by(parcels.c.reserved.desc())
    return conn.execute(mine.limit(1)).scalar() == "left"
