"""The table of queries: who asked what for which purpose, as the ledger holds the digest of; never the SQL itself."""

from sqlalchemy import Column, ForeignKey, MetaData, Table, Text


def table(metadata: MetaData) -> Table:
    """The table `queries` of the papers."""
    return Table(
        "queries",
        metadata,
        Column("entry", ForeignKey("entries.id"), primary_key=True),
        Column("paper", Text, nullable=False),  # JSON: what the entry's digest is of; salted, no SQL, no ids of cars
    )
