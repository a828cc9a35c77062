"""What the ledger says of permits: read whole once in a process, and from then on only what was added."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, or_, select

from onshore.ledger.entry import read
from onshore.site import Site
from onshore.vault.papers import entries

_PERMIT = b'"t":"permit"'
"""Stands in each entry of a permit, whose bytes are canonical JSON; most entries are of something else."""


@dataclass
class _Read:
    """How far papers and log were read, the log's last entry then, and what was said of which permit."""

    papers: int = 0
    leaves: int = 0
    last: bytes = b""
    said: dict[str, set[str]] = field(default_factory=dict)


_read: dict[Path, _Read] = {}


def of_permit(site: Site, conn: Connection, note: str) -> frozenset[str]:
    """The states that the ledger has of a permit, by the digest of its note: granted or recorded, revoked.

    Of what was handed in to the ledger and of what stands in it: neither of the two alone is enough to hide an entry.
    """
    where = site.folder.resolve() / "ledger"
    known = _read.get(where)
    if known is None or not _goes_on(site, known):
        known = _read[where] = _Read()
    for body in _new(site, conn, known):
        if _PERMIT in body:
            fields = read(body)
            known.said.setdefault(str(fields.get("obj")), set()).add(str(fields.get("state")))
    return frozenset(known.said.get(note, ()))


def _goes_on(site: Site, known: _Read) -> bool:
    """Whether the log is the one that was read, or that with more in it."""
    size = site.ledger.size
    return known.leaves <= size and (not known.leaves or site.ledger.entry_at(known.leaves - 1) == known.last)


def _new(site: Site, conn: Connection, known: _Read) -> Iterator[bytes]:
    """What was not read yet. What waits to be written is read again: until it is, it may still be taken back."""
    e = entries.c
    for row in conn.execute(select(e.id, e.leaf, e.body).where(or_(e.id > known.papers, e.leaf.is_(None)))):
        if row.leaf is not None:
            known.papers = max(known.papers, row.id)
        yield bytes(row.body)
    for body in site.ledger.entries(known.leaves):
        known.leaves, known.last = known.leaves + 1, body
        yield body
