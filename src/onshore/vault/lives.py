"""Tables of how a request to send something abroad went on its way: its moves, and who approved it."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, MetaData, String, Table


def tables(metadata: MetaData) -> tuple[Table, Table]:
    """The tables `transfer_moves` and `transfer_approvals` of the papers."""
    moves = Table(
        "transfer_moves",
        metadata,
        Column("number", Integer, primary_key=True),  # order in which they were made
        Column("transfer", ForeignKey("transfers.id"), nullable=False, index=True),
        Column("at", BigInteger, nullable=False),
        Column("old", String(16), nullable=False),  # "" where it began
        Column("new", String(16), nullable=False),
        Column("by", String(80), nullable=False),  # a name of site.toml; "" where the site itself moved it
        Column("why", String(40), nullable=False),  # a word; "" where the states say it
        Column("entry", ForeignKey("entries.id")),  # null: entered again from a record beside the ledger
    )
    approvals = Table(
        "transfer_approvals",
        metadata,
        Column("number", Integer, primary_key=True),
        Column("transfer", ForeignKey("transfers.id"), nullable=False, index=True),
        Column("by", String(80), nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("basis", String(71), nullable=False),  # digest of request, verdict and papers: what was approved
        Column("lapsed", BigInteger),
        Column("why", String(40), nullable=False),  # why it lapsed; "" while it stands
        Column("entry", ForeignKey("entries.id")),
    )
    return moves, approvals
