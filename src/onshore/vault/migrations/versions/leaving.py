"""Format 0003: what is asked to leave, and how it went."""

import hashlib
from collections.abc import Mapping

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Text,
    text,
    true,
)

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add what is new."""
    _papers()
    _tasks()
    _departures()
    _lives()
    _meter()
    _declared()
    _judgements()
    _desk()
    _incidents()
    _complaints()


def _lives() -> None:
    """Moves and approvals; what was cleared or permitted waits for two people to approve it, permit or not."""
    op.create_table(
        "transfer_moves",
        Column("number", Integer, primary_key=True),
        Column("transfer", String(32), ForeignKey("transfers.id"), nullable=False, index=True),
        Column("at", BigInteger, nullable=False),
        Column("old", String(16), nullable=False),
        Column("new", String(16), nullable=False),
        Column("by", String(80), nullable=False),
        Column("why", String(40), nullable=False),
        Column("entry", Integer, ForeignKey("entries.id")),
    )
    op.create_table(
        "transfer_approvals",
        Column("number", Integer, primary_key=True),
        Column("transfer", String(32), ForeignKey("transfers.id"), nullable=False, index=True),
        Column("by", String(80), nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("basis", String(71), nullable=False),
        Column("lapsed", BigInteger),
        Column("why", String(40), nullable=False),
        Column("entry", Integer, ForeignKey("entries.id")),
    )
    op.add_column("parcels", Column("arrived", BigInteger))
    op.add_column("parcels", Column("stood", Text))
    op.execute(text("UPDATE transfers SET state = 'completed' WHERE state IN ('cleared', 'permitted')"))


def _papers() -> None:
    """Papers of a request get a number of their own, so that a renewal stands beside what it renews."""
    asked = "SELECT transfer, kind, number, until, filed, filed_by, sha256 FROM transfer_papers ORDER BY 5, 1, 2"
    rows = [dict(row) | {"scope": "{}"} for row in op.get_bind().execute(text(asked)).mappings()]
    op.drop_table("transfer_papers")
    table = op.create_table(
        "transfer_papers",
        Column("id", Integer, primary_key=True),
        Column("transfer", String(32), ForeignKey("transfers.id"), nullable=False, index=True),
        Column("kind", String(40), nullable=False),
        Column("number", String(80), nullable=False),
        Column("start", String(10)),
        Column("until", String(10)),
        Column("scope", Text, nullable=False),
        Column("said", Text),
        Column("filed", BigInteger, nullable=False),
        Column("filed_by", String(80), nullable=False),
        Column("withdrawn", BigInteger),
        Column("withdrawn_by", String(80)),
        Column("sha256", String(64)),
        Column("file", LargeBinary),
    )
    op.bulk_insert(table, rows)


def _tasks() -> None:
    op.create_table(
        "tasks",
        Column("id", String(32), primary_key=True),
        Column("what", String(40), nullable=False),
        Column("transfer", String(32), ForeignKey("transfers.id"), nullable=False, index=True),
        Column("began", BigInteger, nullable=False),
        Column("due", BigInteger),
        Column("sure", Boolean, nullable=False),
        Column("article", String(200), nullable=False),
        Column("says", Text, nullable=False),
        Column("done", BigInteger),
        Column("done_by", String(80)),
        Column("number", String(80)),
    )
    op.create_table(
        "court_requests",
        Column("id", String(32), primary_key=True),
        Column("kind", String(8), nullable=False),
        Column("recipient", String(80), nullable=False),
        Column("jurisdiction", String(12), nullable=False),
        Column("body", Text, nullable=False),
        Column("sealed", LargeBinary, nullable=False),
        Column("asked", BigInteger, nullable=False),
        Column("asked_by", String(80), nullable=False),
        Column("state", String(12), nullable=False),
        Column("verdict", Text, nullable=False),
        Column("decided", BigInteger),
        Column("decided_by", String(80)),
        Column("number", String(80)),
        Column("start", String(10)),
        Column("until", String(10)),
        Column("sha256", String(64)),
        Column("answer", LargeBinary),
    )


def _meter() -> None:
    """Whom the meter counted, once for each count; of unsent parcels nobody; of which class nobody knows, both."""
    op.add_column("meter", Column("ordinary", Boolean, nullable=False, server_default=true()))
    op.add_column("parcels", Column("rows", BigInteger))
    op.create_table(
        "meter_vehicles",
        Column("parcel", String(40), ForeignKey("parcels.id"), primary_key=True),
        Column("vehicle", BigInteger, primary_key=True, autoincrement=False),
    )
    op.create_table(
        "meter_totals",
        Column("id", Integer, primary_key=True),
        Column("name", String(48), nullable=False, unique=True),
        Column("persons", BigInteger, nullable=False),
    )
    op.create_table(
        "metered",
        Column("number", Integer, primary_key=True),
        Column("scope", Integer, ForeignKey("meter_totals.id"), nullable=False, index=True),
        Column("parcel", String(40), ForeignKey("parcels.id"), index=True),
        Column("size", Integer, nullable=False),
        Column("mark", String(32), nullable=False),
        Column("persons", LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    for name in ("ix_meter_permit", "ix_meter_year"):
        op.drop_index(name, "meter")
    op.execute(text("DELETE FROM meter WHERE parcel IN (SELECT id FROM parcels WHERE state = 'unsent')"))
    _count()


def _count() -> None:
    """Count everybody anew, as this format has it: to each permit and class of a year runs of whom it had not met.

    Of parcels that may still be given back each has a run of its own; what all others hold is one.
    """
    conn = op.get_bind()
    ask = """SELECT CASE WHEN p.state IN ('reserved', 'leaving', 'sending') THEN p.id END AS parcel,
        m.person, m.permit, m.year, m.sensitive FROM meter m JOIN parcels p ON p.id = m.parcel
        ORDER BY p.state IN ('reserved', 'leaving', 'sending'), p.reserved, p.id"""
    runs: dict[str, dict[str | None, set[int]]] = {}
    for row in conn.execute(text(ask)).all():
        classes = ("ordinary", "sensitive") if row.sensitive else ("ordinary",)
        for name in (f"permit/{row.permit}", *(f"{row.year}/{one}" for one in classes)):
            runs.setdefault(name, {}).setdefault(row.parcel, set()).add(row.person)
    for name, of_parcels in sorted(runs.items()):
        total = {"name": name, "persons": len(set().union(*of_parcels.values()))}
        conn.execute(text("INSERT INTO meter_totals (name, persons) VALUES (:name, :persons)"), total)
        scope = conn.execute(text("SELECT id FROM meter_totals WHERE name = :name"), {"name": name}).scalar_one()
        _runs(conn, scope, of_parcels)


def _runs(conn: Connection, scope: int, of_parcels: Mapping[str | None, set[int]]) -> None:
    insert = "INSERT INTO metered (scope, parcel, size, mark, persons) VALUES (:scope, :parcel, :size, :mark, :raw)"
    met = set[int]()
    for parcel, persons in of_parcels.items():
        raw = b"".join(person.to_bytes(8, "little") for person in sorted(persons - met))
        mark = hashlib.sha256(raw).hexdigest()[:32]
        run = {"scope": scope, "parcel": parcel, "size": len(raw) // 8, "mark": mark, "raw": raw}
        conn.execute(text(insert), run)
        met |= persons


def _declared() -> None:
    op.create_table(
        "declared",
        Column("number", Integer, primary_key=True),
        Column("by", String(80), nullable=False),
        Column("year", Integer, nullable=False, index=True),
        Column("recipient", String(80), nullable=False),
        Column("purpose", String(80), nullable=False),
        Column("sensitive", BigInteger, nullable=False),
        Column("ordinary", BigInteger, nullable=False),
        Column("paper", String(80), nullable=False),
        Column("filed", BigInteger, nullable=False),
        Column("filed_by", String(80), nullable=False),
        Column("entry", Integer, ForeignKey("entries.id"), nullable=False),
    )
    op.create_table(
        "scans",
        Column("sha256", String(64), primary_key=True),
        Column("sealed", LargeBinary, nullable=False),
        Column("filed", BigInteger, nullable=False),
        Column("filed_by", String(80), nullable=False),
    )


def _departures() -> None:
    """What left by which road. What left before was laid into the outbox, by hand from there: its bytes are unknown."""
    op.create_table(
        "sendings",
        Column("parcel", String(40), ForeignKey("parcels.id"), primary_key=True),
        Column("jurisdiction", String(12), nullable=False),
        Column("began", BigInteger, nullable=False),
        Column("remote", Text, nullable=False),
        Column("bytes", BigInteger, nullable=False),
        Column("payload", BigInteger, nullable=False),
        Column("most", BigInteger, nullable=False),
        Column("wire", BigInteger, nullable=False),
        Column("kernel", BigInteger, nullable=False),
        Column("due", BigInteger, nullable=False),
    )
    op.create_table(
        "attempts",
        Column("id", Integer, primary_key=True),
        Column("at", BigInteger, nullable=False),
        Column("module", String(80), nullable=False),
        Column("what", String(16), nullable=False),
        Column("bytes", BigInteger, nullable=False),
        Column("seen", Boolean, nullable=False),
        Column("seen_by", String(80), nullable=False),
    )
    op.create_table(
        "recipient_receipts",
        Column("parcel", String(40), ForeignKey("parcels.id"), primary_key=True),
        Column("note", Text, nullable=False),
        Column("received", BigInteger, nullable=False),
        Column("taken", BigInteger, nullable=False),
        Column("taken_by", String(80), nullable=False),
        Column("entry", Integer, ForeignKey("entries.id"), nullable=False),
    )


def _judgements() -> None:
    """Every judgement; of what was judged before, the ledger has no digest of the facts."""
    op.create_table(
        "judgements",
        Column("facts", String(71), primary_key=True),
        Column("about", String(32), index=True),
        Column("at", BigInteger, nullable=False),
        Column("judged", Text, nullable=False),
        Column("salt", String(32), nullable=False),
        Column("entry", Integer, ForeignKey("entries.id"), unique=True),
    )


def _desk() -> None:
    """Who may sign in; nobody could before."""
    op.create_table(
        "accounts",
        Column("id", String(16), primary_key=True),
        Column("name_mac", LargeBinary(32), nullable=False, unique=True),
        Column("name_sealed", LargeBinary, nullable=False),
        Column("role", String(12), nullable=False),
        Column("person", BigInteger, ForeignKey("persons.id")),
        Column("sits", String(12), nullable=False),
        Column("employer", String(80), nullable=False),
        Column("password", String(200), nullable=False),
        Column("code_sealed", LargeBinary),
        Column("code_used", BigInteger, nullable=False),
        Column("added", BigInteger, nullable=False),
        Column("disabled", BigInteger),
    )
    op.create_table(
        "account_acts",
        Column("entry", Integer, ForeignKey("entries.id"), primary_key=True),
        Column("account", String(16), ForeignKey("accounts.id"), nullable=False, index=True),
        Column("paper", Text, nullable=False),
    )
    op.create_table(
        "account_tries",
        Column("name_mac", LargeBinary(32), primary_key=True),
        Column("tries", Integer, nullable=False),
        Column("last", BigInteger, nullable=False),
        Column("until", BigInteger, nullable=False),
    )
    op.create_table(
        "desk_sessions",
        Column("digest", LargeBinary(32), primary_key=True),
        Column("account", String(16), ForeignKey("accounts.id"), nullable=False, index=True),
        Column("began", BigInteger, nullable=False),
        Column("seen", BigInteger, nullable=False),
    )


def _incidents() -> None:
    """Incidents and the reports that they owe; nobody wrote them down here before."""
    op.create_table(
        "incidents",
        Column("id", String(16), primary_key=True),
        Column("kind", String(24), nullable=False),
        Column("severity", String(24), nullable=False),
        Column("known", BigInteger, nullable=False),
        Column("opened", BigInteger, nullable=False),
        Column("opened_by", String(80), nullable=False),
        Column("categories", Text, nullable=False),
        Column("persons", BigInteger),
        Column("vehicles", BigInteger),
        Column("sealed", LargeBinary, nullable=False),
        Column("state", String(12), nullable=False),
        Column("ended", BigInteger),
        Column("ended_by", String(80)),
        Column("why_sealed", LargeBinary),
    )
    op.create_table(
        "incident_reports",
        Column("incident", String(16), ForeignKey("incidents.id"), primary_key=True),
        Column("jurisdiction", String(12), primary_key=True),
        Column("pack", String(40), nullable=False),
        Column("zone", String(40), nullable=False),
        Column("due", BigInteger),
        Column("sure", Boolean, nullable=False),
        Column("article", String(200), nullable=False),
        Column("says", Text, nullable=False),
        Column("reported", BigInteger),
        Column("reported_by", String(80)),
        Column("number", String(80)),
    )
    _acts("incident")


def _complaints() -> None:
    """Complaints; nobody wrote them down here before either."""
    op.create_table(
        "complaints",
        Column("id", String(16), primary_key=True),
        Column("about", String(24), nullable=False),
        Column("vehicle", BigInteger, ForeignKey("vehicles.id")),
        Column("purpose", String(80), nullable=False),
        Column("opened", BigInteger, nullable=False),
        Column("opened_by", String(80), nullable=False),
        Column("due", BigInteger, nullable=False),
        Column("sealed", LargeBinary, nullable=False),
        Column("state", String(12), nullable=False),
        Column("answered", BigInteger),
        Column("answered_by", String(80)),
        Column("answer_sealed", LargeBinary),
    )
    _acts("complaint")


def _acts(of: str) -> None:
    """The papers behind the ledger's entries of a register."""
    op.create_table(
        f"{of}_acts",
        Column("entry", Integer, ForeignKey("entries.id"), primary_key=True),
        Column(of, String(16), ForeignKey(f"{of}s.id"), nullable=False, index=True),
        Column("paper", Text, nullable=False),
    )
