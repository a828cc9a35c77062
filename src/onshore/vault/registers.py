"""Tables of the registers: incidents with the reports that they owe, complaints, and the papers behind the ledger."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, MetaData, String, Table, Text


def tables(metadata: MetaData) -> tuple[Table, Table, Table, Table, Table]:
    """The tables `incidents`, `incident_reports`, `incident_acts`, `complaints` and `complaint_acts` of the papers."""
    return *_incidents(metadata), *_complaints(metadata)


def _incidents(metadata: MetaData) -> tuple[Table, Table, Table]:
    incidents = Table(
        "incidents",
        metadata,
        Column("id", String(16), primary_key=True),  # random, hex
        Column("kind", String(24), nullable=False),
        Column("severity", String(24), nullable=False),
        Column("known", BigInteger, nullable=False),  # when somebody at the site knew of it: the clocks run from here
        Column("opened", BigInteger, nullable=False),
        Column("opened_by", String(80), nullable=False),
        Column("categories", Text, nullable=False),  # JSON list
        Column("persons", BigInteger),  # null: nobody knows yet
        Column("vehicles", BigInteger),
        Column("sealed", LargeBinary, nullable=False),  # what happened, in words: they may name people
        Column("state", String(12), nullable=False),  # of register.lives.INCIDENT
        Column("ended", BigInteger),
        Column("ended_by", String(80)),
        Column("why_sealed", LargeBinary),  # what was done, or why it was none
    )
    reports = Table(
        "incident_reports",
        metadata,
        Column("incident", ForeignKey("incidents.id"), primary_key=True),
        Column("jurisdiction", String(12), primary_key=True),
        Column("pack", String(40), nullable=False),  # that the clock is of; empty: no pack is known there
        Column("zone", String(40), nullable=False),  # in which its end is told
        Column("due", BigInteger),  # exclusive (ms UTC); null: the pack has no clock for it
        Column("sure", Boolean, nullable=False),  # whether the calendar reaches so far
        Column("article", String(200), nullable=False),
        Column("says", Text, nullable=False),
        Column("reported", BigInteger),
        Column("reported_by", String(80)),
        Column("number", String(80)),  # under which the authority has it
    )
    acts = Table(
        "incident_acts",
        metadata,
        Column("entry", Integer, ForeignKey("entries.id"), primary_key=True),
        Column("incident", ForeignKey("incidents.id"), nullable=False, index=True),
        Column("paper", Text, nullable=False),  # JSON: what the entry's digest is of; nobody's name
    )
    return incidents, reports, acts


def _complaints(metadata: MetaData) -> tuple[Table, Table]:
    complaints = Table(
        "complaints",
        metadata,
        Column("id", String(16), primary_key=True),  # random, hex
        Column("about", String(24), nullable=False),
        Column("vehicle", ForeignKey("vehicles.id")),  # null: about no one car
        Column("purpose", String(80), nullable=False),  # empty: about no one purpose
        Column("opened", BigInteger, nullable=False),
        Column("opened_by", String(80), nullable=False),
        Column("due", BigInteger, nullable=False),  # exclusive (ms UTC)
        Column("sealed", LargeBinary, nullable=False),  # what it says, and who wants an answer
        Column("state", String(12), nullable=False),  # of register.lives.COMPLAINT
        Column("answered", BigInteger),
        Column("answered_by", String(80)),
        Column("answer_sealed", LargeBinary),
    )
    acts = Table(
        "complaint_acts",
        metadata,
        Column("entry", Integer, ForeignKey("entries.id"), primary_key=True),
        Column("complaint", ForeignKey("complaints.id"), nullable=False, index=True),
        Column("paper", Text, nullable=False),  # JSON: what the entry's digest is of; nobody's name
    )
    return complaints, acts
