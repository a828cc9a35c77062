"""Scans of permits on paper: kept sealed, named by their digest in the permit and the ledger."""

import hashlib
from typing import Any

from sqlalchemy import Connection, select

from onshore.site import Site
from onshore.vault.keys import open_sealed, seal
from onshore.vault.papers import reading, scans
from onshore.words.errors import Broken, Malformed

MOST = 16 << 20
"""Bytes of a scan at most."""


def digest_of(raw: bytes) -> str:
    """The name of a scan; Malformed where it is empty or too large."""
    if not 0 < len(raw) <= MOST:
        raise Malformed(f"a scan has 1 to {MOST} bytes; this one has {len(raw)}", where="scan")
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def prepared(site: Site, raw: bytes, by: str) -> dict[str, Any]:
    """A scan as it is put on file, sealed; outside of any transaction, as the first one makes the key."""
    sha256 = digest_of(raw).removeprefix("sha256:")
    sealed = seal(site.key("scans"), raw, _context(sha256), site.randomness)
    return {"sha256": sha256, "sealed": sealed, "filed": site.clock(), "filed_by": by}


def keep(conn: Connection, scan: dict[str, Any]) -> None:
    """Put one on file, inside a writing transaction; the same one twice is kept once."""
    if conn.execute(select(scans.c.sha256).where(scans.c.sha256 == scan["sha256"])).first() is None:
        conn.execute(scans.insert().values(**scan))


def opened(site: Site, digest: str) -> bytes:
    """A scan, in the clear; Broken where it is not on file, or is not the one of that digest."""
    sha256 = digest.removeprefix("sha256:")
    with reading(site.engine) as conn:
        sealed = conn.execute(select(scans.c.sealed).where(scans.c.sha256 == sha256)).scalar()
    if sealed is None:
        raise Broken("the scan of a permit on paper is not on file any more: restore the papers from a backup")
    raw = open_sealed(site.key("scans"), bytes(sealed), _context(sha256))
    if digest_of(raw) != digest:
        raise Broken("the scan on file is not the one that the permit names: restore the papers from a backup")
    return raw


def _context(sha256: str) -> str:
    return f"scan/{sha256}"
