"""The table of restrictions: rows that a person asked nobody to read, or that the law has kept unread."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, MetaData, String, Table, Text


def table(metadata: MetaData) -> Table:
    """The table `restrictions` of the papers; `vault.restrictions` reads and writes it."""
    return Table(
        "restrictions",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("vehicle", ForeignKey("vehicles.id"), nullable=False, index=True),
        Column("driver", BigInteger),  # whose rows: `drivers.id`, or the vehicle's own for its owner's; null: anybody's
        Column("categories", Text),  # JSON list; null: every category
        Column("start", BigInteger),  # of the rows' own time, [start, until); null: open
        Column("until", BigInteger),
        Column("since", BigInteger, nullable=False),  # when it was asked for
        Column("case", ForeignKey("rights_cases.id"), index=True),
        Column("reason", String(80), nullable=False),  # a word or an article; "" where nobody gave one
        sqlite_autoincrement=True,  # an id says which came later, so none is given twice
    )
