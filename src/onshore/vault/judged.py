"""Table of every judgement on a request: the act and the facts, and the packs that it was judged by."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, MetaData, String, Table, Text


def table(metadata: MetaData) -> Table:
    """The table `judgements` of the papers; the ledger's entry has the digest of what stands here."""
    return Table(
        "judgements",
        metadata,
        Column("number", Integer, primary_key=True),
        Column("transfer", ForeignKey("transfers.id"), nullable=False, index=True),
        Column("at", BigInteger, nullable=False),
        Column("judged", Text, nullable=False),  # JSON of act and facts, as `rules.acts` has them
        Column("lenient", Text, nullable=False),  # JSON list of switches that counsel had turned
        Column("salt", String(32), nullable=False),
        Column("entry", ForeignKey("entries.id"), nullable=False, unique=True),
    )
