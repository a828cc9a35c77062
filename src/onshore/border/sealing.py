"""A parcel is sealed to its recipient's key in the staging folder, inside the site, before anything says it leaves."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from onshore.border import grants
from onshore.border.rows import manifest
from onshore.border.rows.arrivals import Arrived
from onshore.border.rows.parcel import Hashed, Packing, interval_seed, pseudonyms
from onshore.border.rows.selection import Touched, leaving, sought
from onshore.site import Site
from onshore.vault.age import seal_stream
from onshore.words.permit import Permit, Transfer


@dataclass(frozen=True)
class Sealed:
    """What was sealed: digests in hex of the file, of the manifest, the permit and each part; its rows and bytes."""

    sha256: str
    manifest: str
    rows: int
    entry: dict[str, Any]


def staged(site: Site, parcel: str) -> Path:
    """Where a parcel lies until it leaves."""
    return site.folder / "staging" / f"{parcel}.parcel"


def seal(
    site: Site,
    transfer: Transfer,
    permit: Permit,
    parcel: str,
    *,
    found: Touched,
    arrived: Arrived | None,
    may_go: Callable[[], None],
) -> Sealed:
    """Read, transform and seal what leaves; `may_go` is asked before each table and raises where it may not.

    `found`: what the meter counted; of nobody else, and of no other category of theirs, anything leaves.
    """
    path = staged(site, parcel)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    head = manifest.head(site, transfer, permit, parcel, len(found.persons))
    head |= {} if arrived is None else {"arrived_from": arrived.start, "arrived_until": arrived.until}
    how = sought(site, transfer, permit).how
    note, names = grants.note_of(site, permit.id), pseudonyms(site, transfer.recipient)
    packing = Packing(head, note, site.catalogue, names, how)
    seed = interval_seed(site, transfer.recipient)
    tables = leaving(site, transfer, permit, site.clock(), found, seed, arrived)
    with path.open("wb") as file:
        hashed = Hashed(file)
        seal_stream(packing.flow(_each(tables, may_go)), hashed, permit.recipient_key)
    entry = {
        "manifest": packing.manifest_digest,
        "permit": packing.permit_digest,
        "parts": [part["sha256"] for part in packing.parts],
        "subjects": len(found.persons),
        "rows": packing.rows,
        "bytes": hashed.size,
    }
    return Sealed(hashed.digest(), packing.manifest.decode(), packing.rows, entry)


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _each(tables: Iterator[tuple[str, pa.Table]], may_go: Callable[[], None]) -> Iterator[tuple[str, pa.Table]]:
    for table in tables:
        may_go()
        yield table
