"""The manifest of a parcel: what is in it, under which law and permit, and how anybody checks that; for people too."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from onshore.border import life
from onshore.border.rows import transforms
from onshore.site import Site
from onshore.words.catalogue import Signal
from onshore.words.described import described
from onshore.words.permit import Permit, Transfer

FORM = "parcel/1"
_VERIFY = (
    "the sealed file and the log, offline: onshore verify FILE.parcel --key VKEY (the log's verifier key)",
    "what is inside as well: onshore verify FILE.parcel --key VKEY --identity KEYFILE",
    "by hand: age --decrypt --identity KEYFILE --output parcel.tar FILE.parcel && tar --extract --file parcel.tar",
    "then sha256sum permit.note parts/*.parquet gives the digests that stand here",
    "sha256sum FILE.parcel manifest.json gives those in the log's entry: line 'extra' of FILE.tlog-proof, in base64",
)
_BASE = {
    "vehicle": ("", "", "a number for the car that this recipient alone knows it by"),
    "time": ("", "ms", "when it was so, UTC"),
}


def head(site: Site, transfer: Transfer, permit: Permit, parcel: str, persons: int) -> dict[str, Any]:
    """What is known of a parcel before its rows are read; `persons`: as many as the meter counted for it."""
    recipient = site.recipient(transfer.recipient)
    return {
        "onshore": FORM,
        "parcel": parcel,
        "transfer": transfer.id,
        "request": life.named(transfer),
        "site": site.id,
        "jurisdiction": site.settings.site.jurisdiction,
        "recipient": recipient.name,
        "dest": recipient.jurisdiction,
        "purpose": transfer.purpose,
        "method": transfer.method,
        "categories": list(transfer.categories),
        "start": transfer.start,
        "until": transfer.until,
        "period": f"from {_instant(transfer.start)} to before {_instant(transfer.until)}",
        "pack": site.pack.id,
        "packs": _packs(site, recipient.jurisdiction, transfer.produced_in),
        "subjects": persons,
        "transforms": [{"name": name, "says": transforms.said(name)} for name in _done(permit)],
        "verify": list(_VERIFY),
    }


def columns(schema: pa.Schema, catalogue: Mapping[str, Signal], masked: frozenset[str]) -> list[dict[str, str]]:
    """Each column of a category's parts: `name`, `arrow` and `vss` type, `unit`, and what it says."""
    return [_column(field, catalogue, masked) for field in schema]


def written(manifest: Mapping[str, Any]) -> bytes:
    """The manifest's bytes, whose digest the ledger names: JSON, in the order in which a person reads it."""
    return (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()


def _column(field: pa.Field, catalogue: Mapping[str, Signal], masked: frozenset[str]) -> dict[str, str]:
    said = {"name": field.name, "arrow": str(field.type)}
    if field.name in _BASE:
        vss, unit, says = _BASE[field.name]
        return said | {"vss": vss, "unit": unit, "says": says}
    signal = catalogue[field.name]
    says = described(signal) + (f"; in steps of {signal.precision}" if signal.precision else "")
    says += "; masked: its values were left out" if field.name in masked else ""
    return said | {"vss": signal.type, "unit": signal.unit or "", "says": says}


def _done(permit: Permit) -> Sequence[str]:
    return [*(name for name in permit.transforms if name != transforms.PSEUDONYM), transforms.PSEUDONYM]


def _packs(site: Site, to: str, produced_in: str) -> list[dict[str, str]]:
    """The packs that were asked, each with the digest of its bytes: the site's own, and those of others concerned."""
    others = site.law.concerned({to, produced_in or to})
    digests = site.law.digests(site.today(), others)
    return [
        {"id": pack.id, "digest": f"sha256:{digest}"}
        for pack, digest in zip((site.pack, *others), digests, strict=True)
    ]


def _instant(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
