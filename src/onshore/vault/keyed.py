"""Keyed: the table of wrapping keys, the tables whose keys they wrap, and how a wrapped key names the one above it."""

from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, ColumnElement, LargeBinary, MetaData, String, Table, func

MARK = b"onw1"
ID_BYTES = 8
HEAD = len(MARK) + ID_BYTES
_DIRECT = 60  # bytes of a key that the root itself wrapped, as release 0.1 did: nonce, 32 bytes, tag


class Keyed(NamedTuple):
    """A table whose rows hold a wrapped key (or none: an empty one), and the column that tells its rows apart.

    `word`: the first of the context that its keys are bound to; `says`: what the keys are of.
    """

    table: str
    name: str
    word: str
    says: str


KEYED = (
    Keyed("site_keys", "name", "site-key", "keys of the site's own"),
    Keyed("journals", "id", "journal", "journal files"),
    Keyed("mishaps", "journal", "journal", "damaged journal files, kept aside"),
    Keyed("forwards", "id", "forward", "files on their way to a platform"),
    Keyed("segments", "id", "segment", "segments"),
)
"""Every table with a column `wrapped` but that of the wrapping keys; small ones first."""


def table(metadata: MetaData) -> Table:
    """The table of wrapping keys. One is current; a retired one opens what is not re-wrapped yet."""
    return Table(
        "wrapping_keys",
        metadata,
        Column("id", String(2 * ID_BYTES), primary_key=True),  # random, hex
        Column("month", String(7), nullable=False),  # YYYY-MM, UTC
        Column("made", BigInteger, nullable=False),
        Column("until", BigInteger),  # when the last copy of it in a backup ends; null: none may be made
        Column("retired", BigInteger),  # null: it wraps what is new
        Column("struck", BigInteger),  # since when `wrapped` is empty, and freed pages may still hold it
        Column("root", String(48), nullable=False),  # fingerprint of the root key that wraps it
        Column("wrapped", LargeBinary, nullable=False),
    )


def headed(id_: str, sealed: bytes) -> bytes:
    """A wrapped key that names the wrapping key it opens under."""
    return MARK + bytes.fromhex(id_) + sealed


def head_of(wrapped: bytes) -> str | None:
    """The id of the wrapping key that a wrapped key opens under; None where the root itself wrapped it."""
    if len(wrapped) == _DIRECT or not wrapped.startswith(MARK):
        return None
    return wrapped[len(MARK) : HEAD].hex()


def under(wrapped: ColumnElement[bytes], id_: str) -> ColumnElement[bool]:
    """SQL: whether a wrapped key opens under that wrapping key."""
    return func.substr(wrapped, 1, HEAD, type_=LargeBinary) == MARK + bytes.fromhex(id_)


def direct(wrapped: ColumnElement[bytes]) -> ColumnElement[bool]:
    """SQL: whether the root itself wrapped a key."""
    return (func.length(wrapped) == _DIRECT) | (func.substr(wrapped, 1, len(MARK), type_=LargeBinary) != MARK)


def names_in(context: str) -> list[tuple[Keyed, str]]:
    """The tables, and the row in each, that a context may speak of."""
    word, _, rest = context.partition("/")
    name = rest.rpartition("/")[2] if word == "forward" else rest
    return [(keyed, name) for keyed in KEYED if keyed.word == word]


def context_of(keyed: Keyed, row: Any, site: str) -> str:
    """What a row's key is bound to."""
    name = getattr(row, keyed.name)
    return f"forward/{site}/{row.endpoint}/{name}" if keyed.word == "forward" else f"{keyed.word}/{name}"
