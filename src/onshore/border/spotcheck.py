"""The regulator's spot check: one request with all that belongs to it, readable as it stands (Provisions Art. 12)."""

import json
from dataclasses import asdict
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, select

from onshore.border import meter, requests
from onshore.site import Site
from onshore.vault.papers import parcels, permits, reading, transfer_papers


def bundle(site: Site, transfer_id: str) -> dict[str, Any]:
    """Request, verdict, papers, permits and parcels with their manifests and proofs; not a row of data."""
    standing = requests.find(site, transfer_id)
    with reading(site.engine) as conn:
        papers, notes, left = (_of(conn, table, transfer_id) for table in (transfer_papers, permits, parcels))
    return {
        "site": site.id,
        "jurisdiction": site.settings.site.jurisdiction,
        "pack": site.pack.id,
        "log": site.ledger.vkey,
        "request": msgspec.to_builtins(standing.transfer),
        "state": standing.state,
        "verdict": msgspec.to_builtins(standing.verdict),
        "papers": papers,
        "permits": notes,
        "parcels": [_parcel(site, p) for p in left],
    }


def overview(site: Site, transfer_id: str) -> dict[str, Any]:
    """A request as its people look at it: state, verdict, and what is on file, without notes, manifests and proofs."""
    standing = requests.find(site, transfer_id)
    with reading(site.engine) as conn:
        papers, notes, left = (_of(conn, table, transfer_id) for table in (transfer_papers, permits, parcels))
        granted = [{k: p[k] for k in ("id", "granted", "revoked")} | {"used": meter.used(conn, p["id"])} for p in notes]
        parcels_ = [
            {k: p[k] for k in ("id", "permit", "state", "reserved", "left")}
            | {"persons": meter.of_parcel(conn, p["id"])}
            for p in left
        ]
    return {
        "id": transfer_id,
        "state": standing.state,
        **asdict(standing.verdict),
        "request": msgspec.to_builtins(standing.transfer),
        "papers": [{k: p[k] for k in ("kind", "number", "until", "filed", "filed_by")} for p in papers],
        "permits": granted,
        "parcels": parcels_,
    }


def _of(conn: Connection, table: Table, transfer_id: str) -> list[dict[str, Any]]:
    return [dict(row) for row in conn.execute(select(table).where(table.c.transfer == transfer_id)).mappings()]


def _parcel(site: Site, parcel: dict[str, Any]) -> dict[str, Any]:
    manifest, entry = parcel.pop("manifest"), parcel["entry"]
    return parcel | {
        "manifest": json.loads(manifest) if manifest else None,
        "proof": site.proof(entry) if entry is not None else None,
    }
