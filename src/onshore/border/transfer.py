"""What happens to every export: permit now, sieve again, meter, seal, ledger, and only then out."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, func, select, update

from onshore.border import grants, meter, moves, requests
from onshore.border.parcel import Packing
from onshore.border.selection import Then, cells, refuse_fallen, standing, touched
from onshore.border.send import send
from onshore.site import Site
from onshore.vault import papers
from onshore.vault.age import seal_stream
from onshore.vault.keys import mac
from onshore.vault.lock import hold
from onshore.vault.papers import parcels, reading, writing
from onshore.words.errors import Broken, Refusal
from onshore.words.permit import Permit, Transfer

_OPEN = ("reserved", "leaving", "sending")
_PART_ROWS = 250_000  # of a Parquet file in the parcel, give or take a segment


@dataclass(frozen=True)
class Shipped:
    """A parcel that left: its id, its file in the outbox, its manifest, distinct persons and rows."""

    id: str
    file: Path
    manifest: dict[str, Any]
    persons: int
    rows: int


def ship(site: Site, transfer_id: str) -> Shipped:
    """Ship what a request asks for and its permit allows, as of now; refuses, or leaves nothing behind."""
    with hold(site.folder / "locks" / "border", "border"):
        resume(site)
        transfer = requests.find(site, transfer_id).transfer
        permit = grants.in_force(site, transfer)
        going = _reserve(site, transfer, permit)
        try:
            _seal(site, transfer, permit, going)
            return _leave(site, transfer, going)
        except BaseException:
            _take_up(site, going.id)
            raise


def resume(site: Site) -> None:
    """After a crash: what is not in the outbox yet is unwound; nothing is sent on the word of an older look.

    Permit, consent and restriction count at the moment of leaving, so the next `ship` asks for all of them anew. The
    caller holds the border's lock.
    """
    with reading(site.engine) as conn:
        open_ones = list(conn.execute(select(parcels.c.id).where(parcels.c.state.in_(_OPEN))).scalars())
    for parcel in open_ones:
        _take_up(site, parcel)
    for left_over in (site.folder / "staging").glob("*.parcel"):
        left_over.unlink()


@dataclass(frozen=True)
class _Going:
    id: str
    vehicles: set[int]
    persons: int
    then: Then


def _reserve(site: Site, transfer: Transfer, permit: Permit) -> _Going:
    then = standing(site, transfer)
    found = touched(site, transfer, site.clock())
    if not found.rows:
        raise Refusal(
            "nothing-to-send",
            "no row of this request is covered by a consent that stands now and names this recipient",
            article=site.pack.consent.no_consent.article,
            remedy="'onshore transfer ask --dry-run' shows what is withheld and why",
        )
    now = site.clock()
    with writing(site.engine) as conn:
        verdict = requests.judged_under(site, conn, transfer, permit, found.persons)
        if verdict.verdict != "allow":
            first = verdict.reasons[0]
            raise Refusal(first.code, first.says, article=first.article, remedy=first.remedy)
        count = select(func.count()).select_from(parcels).where(parcels.c.transfer == transfer.id)
        parcel = f"{transfer.id}-{conn.execute(count).scalar_one() + 1}"
        conn.execute(
            parcels.insert().values(id=parcel, transfer=transfer.id, permit=permit.id, state="reserved", reserved=now)
        )
        meter.reserve(
            conn,
            parcel=parcel,
            permit=permit.id,
            limit=permit.persons,
            article=site.pack.transfer.permit.outside_permit.article,
            year=site.today().year,
            sensitive=requests.is_sensitive(site, transfer),
            persons=found.persons,
        )
    return _Going(parcel, found.vehicles, len(found.persons), then)


def _seal(site: Site, transfer: Transfer, permit: Permit, going: _Going) -> None:
    """Seal into the staging folder, and hand the release to the ledger with the digests of all of it."""
    staged = _staged(site, going.id)
    staged.parent.mkdir(mode=0o700, exist_ok=True)
    key = site.key("pseudonym")

    def pseudonym(vehicle: int) -> int:
        return int.from_bytes(mac(key, f"{transfer.recipient}/{vehicle}".encode())[:8], "big") >> 1

    packing = Packing(_head(site, transfer, going), grants.note_of(site, permit.id), site.catalogue, pseudonym)
    with staged.open("wb") as file:
        seal_stream(packing.flow(_parts(site, transfer, going)), file, permit.recipient_key)
    sealed = _digest(staged)
    body = site.entry(
        "release",
        obj=f"sha256:{sealed}",
        state="leaving",
        manifest=packing.manifest_digest,
        permit=packing.permit_digest,
        parts=[part["sha256"] for part in packing.parts],
        dest=site.recipient(transfer.recipient).jurisdiction,
        subjects=going.persons,
        rows=packing.rows,
        bytes=staged.stat().st_size,
    )
    with writing(site.engine) as conn:
        values = {"manifest": packing.manifest.decode(), "sha256": sealed, "entry": site.hand_in(conn, body)}
        _move(conn, going.id, "leaving", **values)
        site.recall(
            conn,
            (papers.transfers, papers.transfers.c.id == transfer.id),
            (papers.permits, papers.permits.c.id == permit.id),
            (parcels, parcels.c.id == going.id),
            (papers.meter, papers.meter.c.parcel == going.id),
        )


def _leave(site: Site, transfer: Transfer, going: _Going) -> Shipped:
    """Send what was sealed, once its entry is under a checkpoint, unless something fell since: asked last of all.

    The move to `sending` is committed together with the last look at permit, consents and restrictions, and before
    the file moves: whoever revokes, withdraws or restricts after that commit comes after the parcel.
    """
    with reading(site.engine) as conn:
        row = conn.execute(select(parcels).where(parcels.c.id == going.id)).one()
    proof = site.proof(row.entry)
    staged = _staged(site, going.id)
    if not staged.exists() or _digest(staged) != row.sha256:
        raise Broken(
            f"the staged file of parcel {going.id} was altered or taken away after it was sealed; nothing was sent. "
            "Look for who writes in the folder 'staging', then ship again"
        )
    grants.in_force(site, transfer, row.permit)
    with writing(site.engine) as conn:
        grants.refuse_revoked(site, conn, row.permit)
        refuse_fallen(site, conn, transfer, going.then, going.vehicles)
        _move(conn, going.id, "sending")
    gone = send(staged, proof, site.folder / "outbox")
    persons = _note_left(site, going.id)
    manifest = json.loads(row.manifest)
    return Shipped(going.id, gone, manifest, persons, sum(part["rows"] for part in manifest["parts"]))


def _take_up(site: Site, parcel: str) -> None:
    """End what stopped halfway: what is not staged any more left, even if somebody fetched it since; else unwind."""
    with reading(site.engine) as conn:
        state = conn.execute(select(parcels.c.state).where(parcels.c.id == parcel)).scalar_one()
    if state == "sending" and not _staged(site, parcel).exists():
        _note_left(site, parcel)
    elif state in _OPEN:
        _unwind(site, parcel)


def _note_left(site: Site, parcel: str) -> int:
    with writing(site.engine) as conn:
        _move(conn, parcel, "left", left=site.clock())
        return meter.of_parcel(conn, parcel)


def _unwind(site: Site, parcel: str) -> None:
    """Nothing of this parcel left: give its persons back to the meter, and say so where the ledger said it would.

    The staged file goes last: as long as it is there, a crash in here is taken up as what it is.
    """
    (site.folder / "outbox" / f"{parcel}.tlog-proof").unlink(missing_ok=True)
    with writing(site.engine) as conn:
        row = conn.execute(select(parcels).where(parcels.c.id == parcel)).one()
        _move(conn, parcel, "unsent")
        if row.entry is not None:
            site.hand_in(conn, site.entry("release", obj=f"sha256:{row.sha256}", state="unsent"))
    _staged(site, parcel).unlink(missing_ok=True)
    site.settle()


def _move(conn: Connection, parcel: str, state: str, **values: Any) -> None:
    old = conn.execute(select(parcels.c.state).where(parcels.c.id == parcel)).scalar_one()
    moves.check(moves.PARCEL, old, state)
    conn.execute(update(parcels).where(parcels.c.id == parcel).values(state=state, **values))


def _parts(site: Site, transfer: Transfer, going: _Going) -> Iterator[tuple[str, pa.Table]]:
    """The kept rows by category, in tables of a good size, of the vehicles whose persons are on the meter.

    Whoever came in between waits for the next parcel.
    """
    counted = pa.array(sorted(going.vehicles), pa.int64())
    for category, found in groupby(cells(site, transfer, site.clock()), key=itemgetter(0)):
        held: list[pa.Table] = []
        for _, _, kept in found:
            mine = None if kept is None else kept.filter(pc.is_in(kept.column("vehicle"), counted))
            if mine is not None and mine.num_rows:
                held.append(pa.table(mine))
            if sum(table.num_rows for table in held) >= _PART_ROWS:
                yield category, pa.concat_tables(held, promote_options="default")
                held = []
        if held:
            yield category, pa.concat_tables(held, promote_options="default")


def _head(site: Site, transfer: Transfer, going: _Going) -> dict[str, Any]:
    recipient = site.recipient(transfer.recipient)
    return {
        "onshore": "parcel/1",
        "parcel": going.id,
        "transfer": transfer.id,
        "request": requests.named(transfer),
        "site": site.id,
        "jurisdiction": site.settings.site.jurisdiction,
        "pack": site.pack.id,
        "recipient": recipient.name,
        "dest": recipient.jurisdiction,
        "purpose": transfer.purpose,
        "categories": list(transfer.categories),
        "start": transfer.start,
        "until": transfer.until,
        "subjects": going.persons,
        "verify": "onshore verify PARCEL --key VKEY --identity YOUR-AGE-KEY-FILE",
    }


def _staged(site: Site, parcel: str) -> Path:
    return site.folder / "staging" / f"{parcel}.parcel"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
