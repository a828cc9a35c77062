"""Tables of what was asked to leave, under which papers and permits, and what left."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    true,
)


def requests(metadata: MetaData) -> tuple[Table, Table, Table]:
    """The tables `transfers`, `transfer_papers` and `permits` of the papers."""
    transfers = Table(
        "transfers",
        metadata,
        Column("id", String(32), primary_key=True),
        Column("state", String(16), nullable=False),
        Column("asked", BigInteger, nullable=False),
        Column("body", Text, nullable=False),  # JSON of words.permit.Transfer
        Column("verdict", Text),  # JSON of the last words.verdict.Verdict
        Column("judged", Text),  # JSON [act, facts]: what that verdict was given on
    )
    transfer_papers = Table(
        "transfer_papers",
        metadata,
        Column("id", Integer, primary_key=True),  # order in which they were filed
        Column("transfer", ForeignKey("transfers.id"), nullable=False, index=True),
        Column("kind", String(40), nullable=False),  # a code of the scenario book's `papers`
        Column("number", String(80), nullable=False),
        Column("start", String(10)),  # first local day; null: from its filing on
        Column("until", String(10)),  # inclusive local date; null: no end
        Column("scope", Text, nullable=False),  # JSON of border.filing.Scope
        Column("said", Text),  # JSON list: what a notice says, item by item; null: nobody named them
        Column("filed", BigInteger, nullable=False),
        Column("filed_by", String(80), nullable=False),
        Column("withdrawn", BigInteger),
        Column("withdrawn_by", String(80)),
        Column("sha256", String(64)),  # of the file, where one was given
        Column("file", LargeBinary),  # sealed: a scan may name people
    )
    permits = Table(
        "permits",
        metadata,
        Column("id", String(32), primary_key=True),
        Column("transfer", ForeignKey("transfers.id"), nullable=False),
        Column("note", Text, nullable=False),  # the signed note, as the regulator signed it
        Column("granted", BigInteger, nullable=False),
        Column("revoked", BigInteger),
    )
    return transfers, transfer_papers, permits


def parcels(metadata: MetaData) -> tuple[Table, Table]:
    """The tables `parcels` and `meter` of the papers."""
    sent = Table(
        "parcels",
        metadata,
        Column("id", String(40), primary_key=True),  # "<transfer>-<number>"; the parcel's file name
        Column("transfer", ForeignKey("transfers.id"), nullable=False),
        Column("permit", ForeignKey("permits.id"), nullable=False),
        Column("state", String(12), nullable=False),  # of border.moves.PARCEL
        Column("reserved", BigInteger, nullable=False),
        Column("left", BigInteger),
        Column("manifest", Text),  # JSON, once sealed
        Column("sha256", String(64)),  # of the sealed file
        Column("entry", ForeignKey("entries.id")),  # the release entry
        Column("rows", BigInteger),  # reserved; once sealed, those that it holds; null: of an older release
        Column("arrived", BigInteger),  # of a feed: it holds what arrived before (ms UTC), since its last one that left
        Column("stood", Text),  # JSON of border.fallen.Then: what stood when it was begun; null: of an older release
    )
    meter = Table(
        "meter",
        metadata,
        Column("parcel", ForeignKey("parcels.id"), primary_key=True),
        Column("person", BigInteger, primary_key=True, autoincrement=False),
        Column("permit", ForeignKey("permits.id"), nullable=False),
        Column("year", Integer, nullable=False),  # calendar year in the pack's time zone
        Column("sensitive", Boolean, nullable=False),  # whether rows of such a category leave of this person
        Column("ordinary", Boolean, nullable=False, server_default=true()),  # likewise of other personal information
    )
    return sent, meter
