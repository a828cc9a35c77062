"""What doors heard lately, by digest: it outlives a stop and a crash, so that what comes again then is stored once."""

from pathlib import Path

from sqlalchemy import Connection, Engine, delete, func, insert, select

from onshore.vault.journal_files import Closed, path_of, read_journal
from onshore.vault.keys import RootKey
from onshore.vault.papers import heard, journals, reading
from onshore.words.errors import Broken

SIZE = 8
"""Bytes of a digest. It is keyed with a key of the site, so that nobody can try out what it is of."""

MOST = 1 << 18
"""Digests that are kept: some minutes of ten thousand cars."""

_ROWS = 1440  # drains whose digests are kept: a day of minutes


def note(conn: Connection, digests: bytes) -> None:
    """Let papers know the digests, oldest first, of journals that are drained with the same commit."""
    if not digests:
        return
    conn.execute(insert(heard).values(digests=digests[-MOST * SIZE :]))
    sizes = conn.execute(select(heard.c.id, func.length(heard.c.digests)).order_by(heard.c.id.desc())).all()
    kept = 0
    for row, (id_, size) in enumerate(sizes):
        if row >= _ROWS or kept >= MOST * SIZE:
            conn.execute(delete(heard).where(heard.c.id <= id_))
            return
        kept += size


def last(engine: Engine, root: RootKey, folder: Path, site: str) -> bytes:
    """The digests, oldest first, of what was kept last: MOST of them, or what there is.

    Journals are read before papers: one that is drained meanwhile is known there.
    """
    waiting = b""
    with reading(engine) as conn:
        rows = conn.execute(select(journals.c.id, journals.c.wrapped).order_by(journals.c.opened.desc())).all()
    for row in rows:
        if len(waiting) >= MOST * SIZE:
            break
        gate, number = row.id.split("/")
        closed = Closed(gate, int(number), path_of(folder, gate, int(number)), row.wrapped)
        waiting = _of(closed, root, site) + waiting
    with reading(engine) as conn:
        drained = conn.scalars(select(heard.c.digests).order_by(heard.c.id)).all()
    return (b"".join(drained) + waiting)[-MOST * SIZE :]


def _of(closed: Closed, root: RootKey, site: str) -> bytes:
    """Of one file; nothing of one that is gone, or damaged, of which `keep` says so."""
    try:
        return b"".join(record.heard for record in read_journal(closed, root, site))
    except (FileNotFoundError, Broken):
        return b""
