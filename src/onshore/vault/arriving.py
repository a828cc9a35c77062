"""Files that arrive piece by piece: what papers know of each, and how far it was taken in."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import BigInteger, Boolean, Column, Connection, LargeBinary, MetaData, String, Table, update

COMING = "coming"
"""The fate of a file that is still on its way."""


class Mark(NamedTuple):
    """How far a file that a car uploads was taken in with this very record: bytes of it, and the reader's sealed state.

    `step`: counts the marks of an upload; the last one counts, though it may be at the same offset as the one before.
    It lies in the record so that rows and mark are durable together: after a crash no row is there twice or missing.
    """

    upload: str
    step: int
    offset: int
    state: bytes


def tables(metadata: MetaData) -> tuple[Table, Table]:
    """The tables of uploads, and of what a car sent in a day: no name, place or time of a drive in the clear."""
    uploads = Table(
        "uploads",
        metadata,
        Column("id", String(32), primary_key=True),  # random, hex
        Column("vehicle", BigInteger, nullable=False, index=True),
        Column("until", BigInteger, nullable=False),  # when it expires unless it goes on
        Column("size", BigInteger, nullable=False),
        Column("manifest", LargeBinary, nullable=False),  # sealed
        Column("offset", BigInteger, nullable=False),  # taken in up to there, as far as papers know
        Column("step", BigInteger, nullable=False),  # of the mark that said so
        Column("state", LargeBinary, nullable=False),  # sealed: of the reader at that mark
        Column("open", Boolean, nullable=False),  # journals may know of a later mark
        Column("fate", String(12), nullable=False),  # COMING, "done", or why it is over
    )
    days = Table(
        "upload_days",
        metadata,
        Column("vehicle", BigInteger, primary_key=True, autoincrement=False),
        Column("day", BigInteger, primary_key=True, autoincrement=False),  # days since 1970, UTC; only the last ones
        Column("bytes", BigInteger, nullable=False),  # as its files unpack
    )
    return uploads, days


def advance(conn: Connection, uploads: Table, marks: Iterable[Mark]) -> None:
    """Let papers know the marks that a journal held, but for those that they are past."""
    for mark in marks:
        later = update(uploads).where(uploads.c.id == mark.upload, uploads.c.step < mark.step)
        conn.execute(later.values(step=mark.step, offset=mark.offset, state=mark.state))
