"""Table of judgements: what the judge was asked, of requests, queries, consents and more, so that it can be again."""

from sqlalchemy import BigInteger, Column, ForeignKey, MetaData, String, Table, Text


def table(metadata: MetaData) -> Table:
    """The table `judgements` of the papers; the ledger's entry has the digest of what stands here."""
    return Table(
        "judgements",
        metadata,
        Column("facts", String(71), primary_key=True),  # the digest, as the ledger's entry names it
        Column("about", String(32), index=True),  # id of a request or a court's request; null: of neither
        Column("at", BigInteger, nullable=False),
        Column("judged", Text, nullable=False),  # JSON list of acts and facts, as `rules.acts` has them, with packs
        Column("salt", String(32), nullable=False),
        Column("entry", ForeignKey("entries.id"), unique=True),  # null: recalled into papers that were restored
    )
