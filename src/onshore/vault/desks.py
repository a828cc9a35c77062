"""Tables of the desk: who may sign in, who is signed in, and how often somebody tried in vain."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, MetaData, String, Table, Text


def tables(metadata: MetaData) -> tuple[Table, Table, Table, Table]:
    """The tables `accounts`, `account_acts`, `account_tries` and `desk_sessions` of the papers."""
    accounts = Table(
        "accounts",
        metadata,
        Column("id", String(16), primary_key=True),  # random, hex
        Column("name_mac", LargeBinary(32), nullable=False, unique=True),
        Column("name_sealed", LargeBinary, nullable=False),
        Column("role", String(12), nullable=False),
        Column("person", ForeignKey("persons.id")),  # of an owner's: whose cars it sees, and no other's
        Column("sits", String(12), nullable=False),  # a jurisdiction's code; empty: as site.toml has it, else here
        Column("employer", String(80), nullable=False),
        Column("password", String(200), nullable=False),  # argon2id, salted
        Column("code_sealed", LargeBinary),  # the secret of a second factor (RFC 6238); null: none is asked for
        Column("code_used", BigInteger, nullable=False),  # the newest step whose code was taken: none counts twice
        Column("added", BigInteger, nullable=False),
        Column("disabled", BigInteger),
    )
    acts = Table(
        "account_acts",
        metadata,
        Column("entry", ForeignKey("entries.id"), primary_key=True),
        Column("account", ForeignKey("accounts.id"), nullable=False, index=True),
        Column("paper", Text, nullable=False),  # JSON: what the entry's digest is of; random ids alone
    )
    return accounts, acts, *_signing_in(metadata)


def _signing_in(metadata: MetaData) -> tuple[Table, Table]:
    tries = Table(
        "account_tries",  # by names that were tried, be they anybody's or not: so nobody learns which there are
        metadata,
        Column("name_mac", LargeBinary(32), primary_key=True),
        Column("tries", Integer, nullable=False),  # since the last that was right
        Column("last", BigInteger, nullable=False),
        Column("until", BigInteger, nullable=False),  # locked until then; 0: not
    )
    sessions = Table(
        "desk_sessions",
        metadata,
        Column("digest", LargeBinary(32), primary_key=True),  # SHA-256 of a token that is with its holder alone
        Column("account", ForeignKey("accounts.id"), nullable=False, index=True),
        Column("began", BigInteger, nullable=False),
        Column("seen", BigInteger, nullable=False),  # to the minute
    )
    return tries, sessions
