"""Format 0002: restrictions of their own, wishes, wrapping keys, mishaps, queries, exceptions of segments."""

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Text, text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add what is new; each case that restricts a vehicle becomes a restriction of its own."""
    _restrictions()
    _wishes()
    _keys()
    _mishaps()
    _queries()
    op.add_column("segments", Column("exception", String(24), nullable=False, server_default=""))


def _restrictions() -> None:
    op.create_table(
        "restrictions",
        Column("id", Integer, primary_key=True),
        Column("vehicle", BigInteger, ForeignKey("vehicles.id"), nullable=False, index=True),
        Column("driver", BigInteger),
        Column("categories", Text),
        Column("start", BigInteger),
        Column("until", BigInteger),
        Column("since", BigInteger, nullable=False),
        Column("case", String(32), ForeignKey("rights_cases.id"), index=True),
        Column("reason", String(80), nullable=False),
        sqlite_autoincrement=True,
    )
    op.execute(
        text(
            """
            INSERT INTO restrictions (vehicle, since, "case", reason)
            SELECT v.id, coalesce(c.asked, v.restricted), c.id, '' FROM vehicles v
            LEFT JOIN rights_cases c ON c.vehicle = v.id AND c.kind IN ('restrict', 'erase') AND c.state = 'asked'
            WHERE v.restricted IS NOT NULL ORDER BY 2, v.id, c.id
            """
        )
    )
    op.drop_column("vehicles", "restricted")


def _wishes() -> None:
    op.create_table(
        "wishes",
        Column("id", String(32), ForeignKey("rights_cases.id"), primary_key=True),
        Column("person", BigInteger),
        Column("driver", BigInteger),
        Column("categories", Text),
        Column("start", BigInteger),
        Column("until", BigInteger),
        Column("identity", String(40), nullable=False),
        Column("detail", Text),
        Column("held_until", BigInteger),
        Column("struck", BigInteger),
    )


def _keys() -> None:
    op.create_table(
        "wrapping_keys",
        Column("id", String(16), primary_key=True),
        Column("month", String(7), nullable=False),
        Column("made", BigInteger, nullable=False),
        Column("until", BigInteger),
        Column("retired", BigInteger),
        Column("struck", BigInteger),
        Column("root", String(48), nullable=False),
        Column("wrapped", LargeBinary, nullable=False),
    )


def _mishaps() -> None:
    op.create_table(
        "mishaps",
        Column("id", Integer, primary_key=True),
        Column("journal", String(40), nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("read", BigInteger, nullable=False),
        Column("torn", BigInteger, nullable=False),
        Column("lost", Text, nullable=False),
        Column("wrapped", LargeBinary, nullable=False),
    )
    op.add_column("journals", Column("records", BigInteger))


def _queries() -> None:
    op.create_table(
        "queries",
        Column("entry", Integer, ForeignKey("entries.id"), primary_key=True),
        Column("paper", Text, nullable=False),
    )
