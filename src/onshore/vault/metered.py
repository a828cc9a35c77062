"""Tables of the meter beside the persons of each parcel: who was counted already, the totals, what others declared."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, MetaData, String, Table


def tables(metadata: MetaData) -> tuple[Table, Table, Table, Table, Table]:
    """The tables `meter_vehicles`, `meter_totals`, `metered`, `declared` and `scans` of the papers."""
    vehicles = Table(
        "meter_vehicles",
        metadata,
        Column("parcel", ForeignKey("parcels.id"), primary_key=True),
        Column("vehicle", BigInteger, primary_key=True, autoincrement=False),
    )
    totals = Table(
        "meter_totals",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("name", String(48), nullable=False, unique=True),  # "permit/<id>", "<year>/sensitive", "<year>/ordinary"
        Column("persons", BigInteger, nullable=False),  # distinct; as many as the runs of `metered` hold under it
    )
    metered = Table(
        "metered",
        metadata,
        Column("number", Integer, primary_key=True),  # order in which they were counted
        Column("scope", ForeignKey("meter_totals.id"), nullable=False, index=True),
        Column("parcel", ForeignKey("parcels.id"), index=True),  # whose new persons they are; null: of several, settled
        Column("size", Integer, nullable=False),
        Column("mark", String(32), nullable=False),  # of the persons' bytes: half of their SHA-256, in hex
        Column("persons", LargeBinary, nullable=False),  # ids, sorted, 8 bytes each, the least first
        sqlite_autoincrement=True,
    )
    return vehicles, totals, metered, *_papers(metadata)


def _papers(metadata: MetaData) -> tuple[Table, Table]:
    declared = Table(
        "declared",  # what sister companies say that they sent; of each the newest counts
        metadata,
        Column("number", Integer, primary_key=True),
        Column("by", String(80), nullable=False),  # the sister company's name
        Column("year", Integer, nullable=False, index=True),
        Column("recipient", String(80), nullable=False),  # of [recipients.<name>]; "" for any
        Column("purpose", String(80), nullable=False),  # "" for any
        Column("sensitive", BigInteger, nullable=False),
        Column("ordinary", BigInteger, nullable=False),
        Column("paper", String(80), nullable=False),  # its number
        Column("filed", BigInteger, nullable=False),
        Column("filed_by", String(80), nullable=False),
        Column("entry", ForeignKey("entries.id"), nullable=False),
    )
    scans = Table(
        "scans",
        metadata,
        Column("sha256", String(64), primary_key=True),  # of the file, in hex
        Column("sealed", LargeBinary, nullable=False),  # a permit on paper may name people
        Column("filed", BigInteger, nullable=False),
        Column("filed_by", String(80), nullable=False),
    )
    return declared, scans
