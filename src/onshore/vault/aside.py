"""Aside: what crashes and damage did to journal files, and the damaged files, kept aside until somebody has looked."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    insert,
    select,
)

from onshore.vault.disk import make_folder, sync_folder

FOLDER = "aside"
MISSING = "all of it, as the file is gone,"
"""What is `lost` of a journal without a file; it is read after all where somebody puts the file back."""


@dataclass(frozen=True)
class Mishap:
    """What a drain found: records that were `read`, bytes `torn` off the end by a crash, and what was `lost`, in words.

    `wrapped`: the key of the file where it was damaged; it lies in the folder `aside` then. Without damage it is empty:
    the gate ended without closing the file, and nothing that it had acknowledged is missing.
    """

    journal: str
    at: int
    read: int
    torn: int
    lost: str = ""
    wrapped: bytes = b""

    @property
    def path(self) -> Path:
        """Where a damaged file is kept, below the vault's folder."""
        return Path(FOLDER) / f"{self.journal.replace('/', '-')}.journal"


def table(metadata: MetaData) -> Table:
    """The table `mishaps` of the papers."""
    return Table(
        "mishaps",
        metadata,
        Column("id", Integer, primary_key=True),  # order in which they were found
        Column("journal", String(40), nullable=False),  # "<gate>/<number>"
        Column("at", BigInteger, nullable=False),  # when it was drained
        Column("read", BigInteger, nullable=False),  # records
        Column("torn", BigInteger, nullable=False),  # bytes
        Column("lost", Text, nullable=False),  # which records, in words; empty: none
        Column("wrapped", LargeBinary, nullable=False),  # of the file kept aside; empty: none is
    )


def note(conn: Connection, mishaps: Table, found: Iterable[Mishap]) -> None:
    """Note them in the commit that strikes their journals."""
    for one in found:
        conn.execute(insert(mishaps).values(vars(one)))


def put_aside(folder: Path, mishap: Mishap, file: Path) -> None:
    """Move a damaged journal, once it is noted, out of the way of what is still to be drained."""
    target = folder / mishap.path
    make_folder(target.parent)
    file.rename(target)
    sync_folder(target.parent)
    sync_folder(file.parent)


def told(conn: Connection, mishaps: Table, since: int) -> list[Mishap]:
    """Those found since an instant (ms UTC), and those whose file is still kept aside."""
    t = mishaps.c
    rows = conn.execute(select(mishaps).where((t.at >= since) | (t.wrapped != b"")).order_by(t.id))
    return [_mishap(row) for row in rows]


def kept(conn: Connection, mishaps: Table) -> list[Mishap]:
    """Those whose file is kept aside."""
    rows = conn.execute(select(mishaps).where(mishaps.c.wrapped != b"").order_by(mishaps.c.id))
    return [_mishap(row) for row in rows]


def _mishap(row: Any) -> Mishap:
    return Mishap(row.journal, row.at, row.read, row.torn, row.lost, row.wrapped)
