"""Tables of what left by which road, byte by byte, of what tried to leave by another, and of recipients' receipts."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, MetaData, String, Table, Text


def tables(metadata: MetaData) -> tuple[Table, Table, Table]:
    """The tables `sendings`, `attempts` and `recipient_receipts` of the papers."""
    sendings = Table(
        "sendings",
        metadata,
        Column("parcel", ForeignKey("parcels.id"), primary_key=True),
        Column("jurisdiction", String(12), nullable=False),  # of the destination
        Column("began", BigInteger, nullable=False),
        Column("remote", Text, nullable=False),  # JSON: what the other side calls the upload; "{}" before it has begun
        Column("bytes", BigInteger, nullable=False),  # of the sealed file
        Column("payload", BigInteger, nullable=False),  # of it that are there for certain
        Column("most", BigInteger, nullable=False),  # of it that may be there: begun, be it answered or not
        Column("wire", BigInteger, nullable=False),  # that were handed to the kernel, TLS and all
        Column("kernel", BigInteger, nullable=False),  # that the kernel says it was handed on those connections
        Column("due", BigInteger, nullable=False),  # that may be going just now, uncounted yet
    )
    attempts = Table(
        "attempts",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("at", BigInteger, nullable=False),
        Column("module", String(80), nullable=False),  # of ours that tried; "" for code of others
        Column("what", String(16), nullable=False),  # "connect", "place", "start": stopped; "uncounted": went past
        Column("bytes", BigInteger, nullable=False),  # that the kernel was handed
        Column("seen", Boolean, nullable=False),  # an officer has
        Column("seen_by", String(80), nullable=False),
    )
    received = Table(
        "recipient_receipts",
        metadata,
        Column("parcel", ForeignKey("parcels.id"), primary_key=True),
        Column("note", Text, nullable=False),  # as the recipient signed it
        Column("received", BigInteger, nullable=False),  # as it says
        Column("taken", BigInteger, nullable=False),  # when it was filed here
        Column("taken_by", String(80), nullable=False),
        Column("entry", ForeignKey("entries.id"), nullable=False),
    )
    return sendings, attempts, received
