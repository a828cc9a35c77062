"""The regulator's spot check: one request with all that belongs to it, readable as it stands (Provisions Art. 12)."""

import json
from dataclasses import asdict
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, select

from onshore.border import life, requests
from onshore.border.cases import filing
from onshore.border.metering import meter
from onshore.border.views import asking, sample
from onshore.register import views
from onshore.site import Site
from onshore.vault.papers import parcels, permits, reading
from onshore.words.permit import Transfer
from onshore.words.settings import Role

SEERS: tuple[Role, ...] = ("regulator", "officer")


def bundle(site: Site, transfer_id: str, *, by: str = "") -> dict[str, Any]:
    """Request, verdict, papers, permits, schema, counts and parcels with their manifests and proofs.

    `by`: a regulator or officer who looks from home; they see a sample of rows as well, and the ledger says so. Without
    a name there is no row in it. Refused: another role (`not-your-act`), a look from abroad (`view-is-export`).
    """
    standing = requests.find(site, transfer_id)
    if by:
        site.person(by, *SEERS)
        views.refuse_abroad(site, by, "spot-check", purpose=standing.transfer.purpose)
    with reading(site.engine) as conn:
        papers = filing.of_request(conn, transfer_id)
        notes, left = (_of(conn, table, transfer_id) for table in (permits, parcels))
    found = [_parcel(site, p) for p in left]
    return {
        "site": site.id,
        "jurisdiction": site.settings.site.jurisdiction,
        "pack": site.pack.id,
        "log": site.ledger.vkey,
        "request": msgspec.to_builtins(standing.transfer),
        "state": standing.state,
        "verdict": msgspec.to_builtins(standing.verdict),
        "papers": [said(one, standing.transfer, site.today()) for one in papers],
        "permits": notes,
        "schema": sample.schema(site, standing.transfer),
        "counts": _counts(site, notes, found),
        "parcels": found,
        "sample": sample.taken(site, standing.transfer, by) if by else None,
    }


def without_names(found: dict[str, Any]) -> dict[str, Any]:
    """A bundle for whoever is to see no car and nobody's name: vehicles are counted, who asked or filed left out."""
    asked = {name: value for name, value in found["request"].items() if name != "asked_by"}
    papers = [{name: value for name, value in one.items() if name != "filed_by"} for one in found["papers"]]
    return found | {"request": asked | {"vehicles": len(asked["vehicles"])}, "papers": papers, "sample": None}


def said(paper: filing.Paper, transfer: Transfer, today: date) -> dict[str, Any]:
    """A paper on file for programs; its scan stays sealed."""
    return {
        "paper": paper.id,
        "kind": paper.kind,
        "number": paper.number,
        "state": paper.state(transfer, today),
        "from": paper.start and paper.start.isoformat(),
        "until": paper.until and paper.until.isoformat(),
        "scope": msgspec.to_builtins(paper.scope),
        "items": paper.items,
        "missing_items": paper.missing,
        "filed": paper.filed,
        "filed_by": paper.filed_by,
        "withdrawn": paper.withdrawn,
        "sha256": paper.sha256,
        "scan_kept": paper.kept,
    }


def _counts(site: Site, notes: list[dict[str, Any]], found: list[dict[str, Any]]) -> dict[str, Any]:
    """What left, in figures: parcels, rows as sealed or read for a view, distinct persons of each permit."""
    gone = [one for one in found if one["state"] in ("left", "cut")]
    rows = sum(one["rows"] or 0 for one in gone)
    with reading(site.engine) as conn:
        persons = {note["id"]: meter.used(conn, note["id"]) for note in notes}
    return {"parcels": len(gone), "rows": rows, "persons_by_permit": persons}


def overview(site: Site, transfer_id: str, *, by: str = "") -> dict[str, Any]:
    """A request as its people look at it: state, verdict, and what is on file, without notes, manifests and proofs.

    `by`: who looks; somebody abroad sees no count of the verdict.
    """
    standing = requests.find(site, transfer_id)
    verdict = standing.verdict
    if views.is_abroad(site, by):
        verdict = asking.without_counts(site, standing.transfer, verdict)
    with reading(site.engine) as conn:
        papers = filing.of_request(conn, transfer_id)
        notes, left = (_of(conn, table, transfer_id) for table in (permits, parcels))
        granted = [{k: p[k] for k in ("id", "granted", "revoked")} | {"used": meter.used(conn, p["id"])} for p in notes]
        parcels_ = [
            {k: p[k] for k in ("id", "permit", "state", "reserved", "left")}
            | {"persons": meter.of_parcel(conn, p["id"])}
            for p in left
        ]
        moves, approvals = life.told(conn, transfer_id), life.approvals(conn, transfer_id)
    return {
        "id": transfer_id,
        "state": standing.state,
        **asdict(verdict),
        "request": msgspec.to_builtins(standing.transfer),
        "papers": [said(one, standing.transfer, site.today()) for one in papers],
        "approvals": [{k: getattr(a, k) for k in ("by", "at", "lapsed", "why")} for a in approvals],
        "permits": granted,
        "parcels": parcels_,
        "moves": [{k: getattr(m, k) for k in ("at", "old", "new", "by", "why")} for m in moves],
    }


def _of(conn: Connection, table: Table, transfer_id: str) -> list[dict[str, Any]]:
    return [dict(row) for row in conn.execute(select(table).where(table.c.transfer == transfer_id)).mappings()]


def _parcel(site: Site, parcel: dict[str, Any]) -> dict[str, Any]:
    manifest, entry = parcel.pop("manifest"), parcel["entry"]
    return parcel | {
        "manifest": json.loads(manifest) if manifest else None,
        "proof": site.proof(entry) if entry is not None else None,
    }
