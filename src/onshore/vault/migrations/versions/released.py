"""Format 0001: the tables as release 0.1.0 laid them out."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

revision = "0001"
down_revision = None

metadata = MetaData()

Table(
    "meta",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)
Table(
    "site_keys",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)
Table(
    "vehicles",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("vin_mac", LargeBinary(32), nullable=False, unique=True),
    Column("vin_sealed", LargeBinary, nullable=False),
    Column("added", BigInteger, nullable=False),
    Column("restricted", BigInteger),
)
Table(
    "persons",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name_sealed", LargeBinary),
    Column("contact_sealed", LargeBinary),
)
Table(
    "keepers",
    metadata,
    Column("vehicle", ForeignKey("vehicles.id"), primary_key=True),
    Column("person", ForeignKey("persons.id"), primary_key=True),
    Column("role", String(12), nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("until", BigInteger),
)
Table(
    "consents",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("person", ForeignKey("persons.id"), nullable=False),
    Column("vehicle", ForeignKey("vehicles.id"), nullable=False, index=True),
    Column("purpose", String(80), nullable=False),
    Column("category", String(40), nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("until", BigInteger),
    Column("withdrawn", BigInteger),
    Column("notice", String(40), nullable=False),
    Column("separate", Boolean, nullable=False),
    Column("recipients", Text, nullable=False, default="[]"),
)
Table(
    "receipts",
    metadata,
    Column("entry", ForeignKey("entries.id"), primary_key=True),
    Column("consent", ForeignKey("consents.id"), nullable=False, index=True),
    Column("paper", Text, nullable=False),
)
Table(
    "zones",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("source", String(400), nullable=False),
    Column("datum", String(12), nullable=False),
    Column("margin_m", Integer, nullable=False),
    Column("geojson", LargeBinary, nullable=False),
    Column("features", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("imported", BigInteger, nullable=False),
    Column("imported_by", String(80), nullable=False),
    Column("removed", BigInteger),
)
Table(
    "authorities",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("certificate", LargeBinary, nullable=False),
    Column("until", BigInteger, nullable=False),
)
Table(
    "certificates",
    metadata,
    Column("serial", String(40), primary_key=True),
    Column("vehicle", ForeignKey("vehicles.id"), nullable=False, index=True),
    Column("sha256", LargeBinary(32), nullable=False, unique=True),
    Column("key", LargeBinary(32), nullable=False, index=True),
    Column("authority", ForeignKey("authorities.number"), nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("revoked", BigInteger),
)
Table(
    "chips",
    metadata,
    Column("vehicle", ForeignKey("vehicles.id"), primary_key=True),
    Column("chip_mac", LargeBinary(32), nullable=False, unique=True),
    Column("key_sealed", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
)
Table(
    "drivers",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("vehicle", ForeignKey("vehicles.id"), nullable=False),
    Column("person", ForeignKey("persons.id"), nullable=False),
    Column("mark_mac", LargeBinary(32), nullable=False),
    Index("drivers_by_vehicle", "vehicle", "person", unique=True),
)
Table(
    "drives",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("vehicle", ForeignKey("vehicles.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("driver", ForeignKey("drivers.id")),
    Index("drives_by_vehicle", "vehicle", "at", unique=True),
)
Table(
    "retirements",
    metadata,
    Column("vehicle", ForeignKey("vehicles.id"), primary_key=True),
    Column("at", BigInteger, nullable=False),
)
Table(
    "identity_changes",
    metadata,
    Column("vehicle", ForeignKey("vehicles.id"), primary_key=True),
    Column("turn", BigInteger, nullable=False, index=True),
)
Table(
    "vehicle_acts",
    metadata,
    Column("entry", ForeignKey("entries.id"), primary_key=True),
    Column("vehicle", ForeignKey("vehicles.id"), nullable=False, index=True),
    Column("paper", Text, nullable=False),
)
Table(
    "consent_changes",
    metadata,
    Column("vehicle", ForeignKey("vehicles.id"), primary_key=True),
    Column("turn", BigInteger, nullable=False, index=True),
)
Table(
    "journals",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("turn", BigInteger, nullable=False),
)
Table(
    "segments",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("category", String(40), nullable=False),
    Column("ground", String(12), nullable=False),
    Column("day", String(10), nullable=False),
    Column("bucket", Integer, nullable=False),
    Column("pack", String(40), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Index("segments_by_place", "category", "ground", "day", "bucket"),
)
Table(
    "strays",
    metadata,
    Column("path", Text, primary_key=True),
)
Table(
    "entries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("leaf", BigInteger, unique=True),
)
Table(
    "transfers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("asked", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("verdict", Text),
    Column("judged", Text),
)
Table(
    "transfer_papers",
    metadata,
    Column("transfer", ForeignKey("transfers.id"), primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("number", String(80), nullable=False),
    Column("filed", BigInteger, nullable=False),
    Column("filed_by", String(80), nullable=False),
    Column("until", String(10)),
    Column("sha256", String(64)),
)
Table(
    "permits",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("transfer", ForeignKey("transfers.id"), nullable=False),
    Column("note", Text, nullable=False),
    Column("granted", BigInteger, nullable=False),
    Column("revoked", BigInteger),
)
Table(
    "parcels",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("transfer", ForeignKey("transfers.id"), nullable=False),
    Column("permit", ForeignKey("permits.id"), nullable=False),
    Column("state", String(12), nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("left", BigInteger),
    Column("manifest", Text),
    Column("sha256", String(64)),
    Column("entry", ForeignKey("entries.id")),
)
Table(
    "meter",
    metadata,
    Column("parcel", ForeignKey("parcels.id"), primary_key=True),
    Column("person", BigInteger, primary_key=True, autoincrement=False),
    Column("permit", ForeignKey("permits.id"), nullable=False, index=True),
    Column("year", Integer, nullable=False, index=True),
    Column("sensitive", Boolean, nullable=False),
)
Table(
    "rights_cases",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("vehicle", ForeignKey("vehicles.id"), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("asked", BigInteger, nullable=False),
    Column("asked_by", String(80), nullable=False),
    Column("turn", BigInteger),
    Column("state", String(16), nullable=False),
    Column("done", BigInteger),
    Column("entry", ForeignKey("entries.id")),
    Column("certificate", Text),
)
Table(
    "policies",
    metadata,
    Column("vehicle", ForeignKey("vehicles.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("made", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("content", String(71), nullable=False),
    Column("note", Text, nullable=False),
    Column("salt", String(32), nullable=False),
    Column("entry", ForeignKey("entries.id"), nullable=False),
)
Table(
    "checkins",
    metadata,
    Column("vehicle", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    ForeignKeyConstraint(["vehicle", "version"], ["policies.vehicle", "policies.version"]),
)
Table(
    "forwards",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("endpoint", String(20), nullable=False, index=True),
    Column("wrapped", LargeBinary, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("sent", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("queued", BigInteger, nullable=False),
)
Table(
    "uploads",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("vehicle", BigInteger, nullable=False, index=True),
    Column("until", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("manifest", LargeBinary, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("fate", String(12), nullable=False),
)
Table(
    "forward_notes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("first", String(32), nullable=False, index=True),
    Column("tries", Integer, nullable=False),
    Column("due", BigInteger),
    Column("gone", Integer, nullable=False),
)
Table(
    "forward_marks",
    metadata,
    Column("first", String(32), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
)
Table(
    "upload_days",
    metadata,
    Column("vehicle", BigInteger, primary_key=True, autoincrement=False),
    Column("day", BigInteger, primary_key=True, autoincrement=False),
    Column("bytes", BigInteger, nullable=False),
)
Table(
    "heard",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digests", LargeBinary, nullable=False),
)


def upgrade() -> None:
    """Lay out what is not there: the release did so whenever it opened a site, so an early one may lack the last."""
    metadata.create_all(op.get_bind())
