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


def tables(metadata: MetaData) -> tuple[Table, Table, Table]:
    """The tables `policies`, `checkins` and `forwards` of the papers."""
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
    return policies, checkins, forwards
