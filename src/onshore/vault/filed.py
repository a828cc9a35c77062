"""Tables of what people must still do about exports, and of what foreign courts and police ask for."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, LargeBinary, MetaData, String, Table, Text


def tables(metadata: MetaData) -> tuple[Table, Table]:
    """The tables `tasks` and `court_requests` of the papers."""
    tasks = Table(
        "tasks",
        metadata,
        Column("id", String(32), primary_key=True),  # random, hex
        Column("what", String(40), nullable=False),  # a clock of the packs, or "emergency-review"
        Column("transfer", ForeignKey("transfers.id"), nullable=False, index=True),
        Column("began", BigInteger, nullable=False),
        Column("due", BigInteger),  # exclusive (ms UTC); null: the pack has no clock for it
        Column("sure", Boolean, nullable=False),  # whether the calendar reaches so far
        Column("article", String(200), nullable=False),
        Column("says", Text, nullable=False),
        Column("done", BigInteger),
        Column("done_by", String(80)),
        Column("number", String(80)),  # of the paper that shows that it was done
    )
    court_requests = Table(
        "court_requests",
        metadata,
        Column("id", String(32), primary_key=True),  # random, hex
        Column("kind", String(8), nullable=False),  # "court" or "police"
        Column("recipient", String(80), nullable=False),  # of [recipients.<name>]
        Column("jurisdiction", String(12), nullable=False),
        Column("body", Text, nullable=False),  # JSON: categories, vehicles (random ids), from, until
        Column("sealed", LargeBinary, nullable=False),  # who asks and under which number: it may name people
        Column("asked", BigInteger, nullable=False),
        Column("asked_by", String(80), nullable=False),
        Column("state", String(12), nullable=False),  # waiting, approved, refused
        Column("verdict", Text, nullable=False),  # JSON of the last words.verdict.Verdict
        Column("decided", BigInteger),
        Column("decided_by", String(80)),
        Column("number", String(80)),  # of the approval
        Column("start", String(10)),  # its local days, both inclusive; null: no bound
        Column("until", String(10)),
        Column("sha256", String(64)),  # of its scan
        Column("answer", LargeBinary),  # sealed: the approval's scan, or the words of the refusal
    )
    return tasks, court_requests
