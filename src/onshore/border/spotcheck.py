"""The regulator's spot check: one request with all that belongs to it, readable as it stands (Provisions Art. 12)."""

import json
from typing import Any

import msgspec
from sqlalchemy import select

from onshore.border import requests
from onshore.site import Site
from onshore.vault.papers import parcels, permits, reading, transfer_papers


def bundle(site: Site, transfer_id: str) -> dict[str, Any]:
    """Request, verdict, papers, permits and parcels with their manifests and proofs; not a row of data."""
    standing = requests.find(site, transfer_id)
    with reading(site.engine) as conn:
        papers = conn.execute(select(transfer_papers).where(transfer_papers.c.transfer == transfer_id)).mappings().all()
        notes = conn.execute(select(permits).where(permits.c.transfer == transfer_id)).mappings().all()
        left = conn.execute(select(parcels).where(parcels.c.transfer == transfer_id)).mappings().all()
    return {
        "site": site.id,
        "jurisdiction": site.settings.site.jurisdiction,
        "pack": site.rulebook.pack,
        "log": site.ledger.vkey,
        "request": msgspec.to_builtins(standing.transfer),
        "state": standing.state,
        "verdict": msgspec.to_builtins(standing.verdict),
        "papers": [dict(p) for p in papers],
        "permits": [dict(p) for p in notes],
        "parcels": [_parcel(site, dict(p)) for p in left],
    }


def _parcel(site: Site, parcel: dict[str, Any]) -> dict[str, Any]:
    manifest, entry = parcel.pop("manifest"), parcel["entry"]
    return parcel | {
        "manifest": json.loads(manifest) if manifest else None,
        "proof": site.proof(entry) if entry is not None else None,
    }
