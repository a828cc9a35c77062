"""Tables of what cars are told to send, what they say that they obey, and what is on its way to a platform."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)


def tables(metadata: MetaData) -> tuple[Table, Table, Table, Table, Table]:
    """The tables `policies`, `checkins`, `forwards`, `forward_notes` and `forward_marks` of the papers."""
    policies = Table(
        "policies",
        metadata,
        Column("vehicle", ForeignKey("vehicles.id"), primary_key=True),
        Column("version", Integer, primary_key=True, autoincrement=False),  # counted per vehicle, from 1 on
        Column("made", BigInteger, nullable=False),
        Column("until", BigInteger, nullable=False),  # exclusive: from then on the car sends nothing by it
        Column("content", String(71), nullable=False),  # digest of what a car must do by it
        Column("note", Text, nullable=False),  # signed; random ids and names of signals alone
        Column("salt", String(32), nullable=False),
        Column("entry", ForeignKey("entries.id"), nullable=False),
    )
    checkins = Table(
        "checkins",
        metadata,
        Column("vehicle", BigInteger, primary_key=True, autoincrement=False),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("first", BigInteger, nullable=False),  # when the car first said that it obeys this version
        Column("last", BigInteger, nullable=False),
        ForeignKeyConstraint(["vehicle", "version"], ["policies.vehicle", "policies.version"]),
    )
    return policies, checkins, *_lanes(metadata)


def _lanes(metadata: MetaData) -> tuple[Table, Table, Table]:
    forwards = Table(
        "forwards",
        metadata,
        Column("number", Integer, primary_key=True),  # order in which they are to be sent
        Column("id", String(32), nullable=False, unique=True),  # random, hex; the file's name
        Column("endpoint", String(20), nullable=False, index=True),  # of [forward.<name>] in the settings
        Column("wrapped", LargeBinary, nullable=False),
        Column("rows", Integer, nullable=False),
        Column("sent", Integer, nullable=False),  # rows that the platform acknowledged: those before the others
        Column("refused", Integer, nullable=False),  # of these, rows that it would not have
        Column("queued", BigInteger, nullable=False),
    )
    notes = Table(
        "forward_notes",  # of lanes that were written anew, or whose rows were refused before
        metadata,
        Column("id", String(32), primary_key=True),  # of forwards
        Column("first", String(32), nullable=False, index=True),  # the id that it had before it was ever written anew
        Column("tries", Integer, nullable=False),  # how often the platform would not have its rows
        Column("due", BigInteger),  # not to be sent before (ms UTC); null: set apart, for a person to decide
        Column("gone", Integer, nullable=False),  # rows that were erased before they were sent
    )
    marks = Table(
        "forward_marks",
        metadata,
        Column("first", String(32), primary_key=True),
        Column("kind", String(8), primary_key=True),  # "refused" or "erased"
        Column("number", BigInteger, primary_key=True, autoincrement=False),  # a row's place, or a vehicle's id
    )
    return forwards, notes, marks
