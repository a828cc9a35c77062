"""Papers: the site's tables. VINs, names and contacts stand in them sealed, and are looked up by HMAC."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from onshore.vault import (
    arriving,
    aside,
    asked,
    departures,
    desks,
    exports,
    filed,
    judged,
    keyed,
    lives,
    metered,
    queried,
    registers,
    told,
    wished,
)
from onshore.vault.forgetting import forget_freed_pages
from onshore.vault.transactions import reading, writing

__all__ = ["forget_freed_pages", "reading", "writing"]  # who names a table needs these as well

metadata = MetaData()

# Ids of vehicles and persons are random positive 63-bit integers. Instants are milliseconds UTC.

meta = Table(
    "meta",
    metadata,
    # "format", "consents", "zones", "identities", "drives" and "rotate" (change counters), "buckets", "switches" and
    # "witnesses" (as the ledger was told of them), "journal/<gate>" (its last file's number), "turn/<gate>" (the turn
    # that a gate which runs has reached), "clock" (the newest instant that the ledger knows), "clock-doubted" (what
    # one of two officers said of it)
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

site_keys = Table(
    "site_keys",
    metadata,
    Column("name", String(40), primary_key=True),  # "lookup", "column", "ledger", "authority/1"
    Column("wrapped", LargeBinary, nullable=False),
)

vehicles = Table(
    "vehicles",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("vin_mac", LargeBinary(32), nullable=False, unique=True),
    Column("vin_sealed", LargeBinary, nullable=False),
    Column("added", BigInteger, nullable=False),
)

persons = Table(
    "persons",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name_sealed", LargeBinary),
    Column("contact_sealed", LargeBinary),
)

keepers = Table(
    "keepers",
    metadata,
    Column("vehicle", ForeignKey("vehicles.id"), primary_key=True),
    Column("person", ForeignKey("persons.id"), primary_key=True),
    Column("role", String(12), nullable=False),  # "owner" or "driver"
    Column("start", BigInteger, nullable=False),
    Column("until", BigInteger),
)

consents = Table(
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
    Column("recipients", Text, nullable=False, default="[]"),  # JSON list of names
)

receipts = Table(
    "receipts",
    metadata,
    Column("entry", ForeignKey("entries.id"), primary_key=True),
    Column("consent", ForeignKey("consents.id"), nullable=False, index=True),
    Column("paper", Text, nullable=False),  # JSON: what the entry's digest is of; random ids alone
)

zones = Table(
    "zones",
    metadata,
    Column("id", String(32), primary_key=True),  # random, hex
    Column("name", String(200), nullable=False),  # of the list, as the officer calls it
    Column("kind", String(12), nullable=False),  # words.place.KINDS
    Column("source", String(400), nullable=False),  # which authority's list, and of when
    Column("datum", String(12), nullable=False),
    Column("margin_m", Integer, nullable=False),
    Column("geojson", LargeBinary, nullable=False),  # sealed: where the army is, is important data by itself
    Column("features", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),  # of the file
    Column("imported", BigInteger, nullable=False),
    Column("imported_by", String(80), nullable=False),
    Column("removed", BigInteger),
)

authorities = Table(
    "authorities",
    metadata,
    Column("number", Integer, primary_key=True),  # its key is derived from the site key "authority/<number>"
    Column("certificate", LargeBinary, nullable=False),  # DER
    Column("until", BigInteger, nullable=False),
)

certificates = Table(
    "certificates",
    metadata,
    Column("serial", String(40), primary_key=True),  # hex
    Column("vehicle", ForeignKey("vehicles.id"), nullable=False, index=True),
    Column("sha256", LargeBinary(32), nullable=False, unique=True),  # of the DER
    Column("key", LargeBinary(32), nullable=False, index=True),  # SHA-256 of the subject's public key
    Column("authority", ForeignKey("authorities.number"), nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),  # exclusive
    Column("revoked", BigInteger),
)

chips = Table(
    "chips",
    metadata,
    Column("vehicle", ForeignKey("vehicles.id"), primary_key=True),
    Column("chip_mac", LargeBinary(32), nullable=False, unique=True),  # of the security chip's id
    Column("key_sealed", LargeBinary, nullable=False),  # public, but as good as a name for the car
    Column("at", BigInteger, nullable=False),
)

drivers = Table(
    "drivers",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # under which their consents are compiled
    Column("vehicle", ForeignKey("vehicles.id"), nullable=False),
    Column("person", ForeignKey("persons.id"), nullable=False),
    Column("mark_mac", LargeBinary(32), nullable=False),  # of what the car calls them
    Index("drivers_by_vehicle", "vehicle", "person", unique=True),
)

drives = Table(
    "drives",
    metadata,
    Column("id", Integer, primary_key=True),  # order in which they were heard
    Column("vehicle", ForeignKey("vehicles.id"), nullable=False),
    Column("at", BigInteger, nullable=False),  # from when on the car says that this driver drives
    Column("driver", ForeignKey("drivers.id")),  # null: nobody known, so the drive is the owner's
    Index("drives_by_vehicle", "vehicle", "at", unique=True),
)

retirements = Table(
    "retirements",
    metadata,
    Column("vehicle", ForeignKey("vehicles.id"), primary_key=True),
    Column("at", BigInteger, nullable=False),  # from then on no door knows it
)

identity_changes = Table(
    "identity_changes",
    metadata,
    Column("vehicle", ForeignKey("vehicles.id"), primary_key=True),
    Column("turn", BigInteger, nullable=False, index=True),  # "identities" of meta when it last lost an identity
)

vehicle_acts = Table(
    "vehicle_acts",
    metadata,
    Column("entry", ForeignKey("entries.id"), primary_key=True),
    Column("vehicle", ForeignKey("vehicles.id"), nullable=False, index=True),
    Column("paper", Text, nullable=False),  # JSON: what the entry's digest is of; random ids alone
)

consent_changes = Table(
    "consent_changes",
    metadata,
    Column("vehicle", ForeignKey("vehicles.id"), primary_key=True),
    Column("turn", BigInteger, nullable=False, index=True),  # "consents" of meta when its consents changed last
)

journals = Table(
    "journals",
    metadata,
    Column("id", String(40), primary_key=True),  # "<gate>/<number>", as the file is named
    Column("wrapped", LargeBinary, nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("turn", BigInteger, nullable=False),  # the counter "rotate" of meta that its gate had reached
    Column("records", BigInteger),  # that it held when its gate closed it in order; null: that has not happened
)

segments = Table(
    "segments",
    metadata,
    Column("id", String(32), primary_key=True),  # random, hex; the file's name
    Column("category", String(40), nullable=False),
    Column("ground", String(12), nullable=False),
    Column("day", String(10), nullable=False),  # local day of the site's pack, YYYY-MM-DD
    Column("bucket", Integer, nullable=False),
    Column("pack", String(40), nullable=False),
    Column("exception", String(24), nullable=False, server_default=""),  # from the longest time of keeping; empty: none
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("first", BigInteger, nullable=False),  # earliest and latest event time
    Column("last", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Index("segments_by_place", "category", "ground", "day", "bucket"),
)

strays = Table(
    "strays",
    metadata,
    Column("path", Text, primary_key=True),  # below vault/: a segment's file being written or to be unlinked
)

entries = Table(
    "entries",
    metadata,
    Column("id", Integer, primary_key=True),  # order in which they were handed in
    Column("body", LargeBinary, nullable=False),
    Column("leaf", BigInteger, unique=True),  # index in the log once written; null: still waiting
)

transfers, transfer_papers, permits = exports.requests(metadata)
parcels, meter = exports.parcels(metadata)
meter_vehicles, meter_totals, counted, declared, scans = metered.tables(metadata)
sendings, attempts, recipient_receipts = departures.tables(metadata)
tasks, court_requests = filed.tables(metadata)
transfer_moves, transfer_approvals = lives.tables(metadata)
accounts, account_acts, account_tries, desk_sessions = desks.tables(metadata)
incidents, incident_reports, incident_acts, complaints, complaint_acts = registers.tables(metadata)

rights_cases = Table(
    "rights_cases",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("vehicle", ForeignKey("vehicles.id"), nullable=False),
    Column("kind", String(12), nullable=False),  # access, restrict, erase
    Column("asked", BigInteger, nullable=False),
    Column("asked_by", String(80), nullable=False),
    Column("turn", BigInteger),  # of an erasure: what lies in journals of turns before it goes
    Column("state", String(16), nullable=False),
    Column("done", BigInteger),
    Column("entry", ForeignKey("entries.id")),
    Column("certificate", Text),
)

judgements = judged.table(metadata)
policies, checkins, forwards, forward_notes, forward_marks = told.tables(metadata)
queries = queried.table(metadata)
uploads, upload_days = arriving.tables(metadata)
wrapping_keys = keyed.table(metadata)
mishaps = aside.table(metadata)
restrictions = asked.table(metadata)
wishes = wished.table(metadata)
heard = Table(
    "heard",
    metadata,
    Column("id", Integer, primary_key=True),  # order in which journals were drained
    Column("digests", LargeBinary, nullable=False),  # keyed, 8 bytes each, of what those held
)
