"""The table of wishes: how wide a person's case is, who checked who asks, and what its kind needs besides."""

from sqlalchemy import BigInteger, Column, ForeignKey, MetaData, String, Table, Text


def table(metadata: MetaData) -> Table:
    """The table `wishes` of the papers: one row to a case of `rights_cases`; one of an older release has none."""
    return Table(
        "wishes",
        metadata,
        Column("id", ForeignKey("rights_cases.id"), primary_key=True),
        Column("person", BigInteger),  # whose rows; null: of everybody who ever kept the vehicle
        Column("driver", BigInteger),  # as in `restrictions`: the id under which that person's rows count
        Column("categories", Text),  # JSON list; null: every category
        Column("start", BigInteger),  # of the rows' own time, [start, until); null: open
        Column("until", BigInteger),
        Column("identity", String(40), nullable=False),  # how the desk checked who asks: a code, never a name
        Column("detail", Text),  # JSON: what its kind needs besides; random ids, keys and folders alone
        Column("held_until", BigInteger),  # until then the law has some of it kept
        Column("struck", BigInteger),  # when the salt of its certificate was handed out and struck here
    )
