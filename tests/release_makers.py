"""A release as the ledger has it, and what its entry names: sealed file, manifest, permit, parts."""

from hashlib import sha256

from onshore.ledger import verify
from onshore.ledger.entry import digest, entry

HEAD = {"at": 1_766_000_000_123, "site": "a1", "jurisdiction": "CN"}
SEALED = b"age-encryption.org/v1 ..."
TERMS = {
    "site": "a1",
    "transfer": "t1",
    "request": "sha256:00",
    "purpose": "warranty-analysis",
    "categories": ["track", "cabin"],
    "recipient": "stuttgart",
    "recipient_jurisdiction": "DE",
    "persons": 2,
    "start": "2025-12-17",
    "until": "2025-12-17",
    "events_from": 5,
    "events_until": 9,
}


def permit_of(**change):
    return verify.canonical(TERMS | change) + b"\n\n\xe2\x80\x94 regulator AAAA\n"


PERMIT = permit_of()
PARTS = {"parts/0.parquet": sha256(b"0").hexdigest(), "parts/1.parquet": sha256(b"1").hexdigest()}
LISTED = [{"name": n, "category": "track", "sha256": f"sha256:{h}", "rows": 1} for n, h in PARTS.items()]
SAID = {n: TERMS[n] for n in ("site", "transfer", "request", "purpose", "recipient")} | {
    "dest": "DE",
    "start": 5,
    "until": 9,
    "subjects": 1,
    "categories": ["track"],
    "permit": digest(PERMIT),
    "parts": LISTED,
}
MANIFEST = verify.canonical(SAID)


def release(**fields):
    said = {
        "obj": digest(SEALED),
        "state": "leaving",
        "manifest": digest(MANIFEST),
        "permit": digest(PERMIT),
        "parts": [p["sha256"] for p in LISTED],
        "dest": "DE",
        "subjects": 1,
        "rows": 2,
        "bytes": len(SEALED),
    }
    return entry("release", **HEAD, **(said | fields))
