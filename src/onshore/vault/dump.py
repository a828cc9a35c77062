"""Dump: the papers' rows, sealed, in one form for SQLite and PostgreSQL; without the wrapping keys."""

import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec
from sqlalchemy import BigInteger, Connection, Integer, Table, func, insert, inspect, select

from onshore.vault.keys import Randomness, open_sealed, seal
from onshore.vault.papers import meta, metadata, wrapping_keys
from onshore.words.errors import Broken

RESTORING = "restoring"
"""Where `meta` names the restore that fills, or filled, these papers."""

_ROWS = 2000
_LEN = 4
_MOST = 1 << 28  # bytes of a piece; a longer one was never written

Piece = tuple[str, list[str], list[list[Any]]]
"""A table, its columns, and rows of it."""


def write_dump(conn: Connection, out: BinaryIO, key: bytes, name: str, randomness: Randomness) -> dict[str, int]:
    """Write every row that this look at the papers sees, in pieces sealed under `key`; how many of each table.

    A piece is bound to the dump's name and its number, and the last one says that it is, so none can be moved or cut
    off. Wrapping keys are left out: they make the other part of a backup.
    """
    counts: dict[str, int] = {}
    number = 0
    for table in metadata.sorted_tables:
        counts[table.name] = 0
        for rows in _pieces(conn, table):
            _put(out, seal(key, _packed(table, rows), f"{name}/{number}", randomness))
            number, counts[table.name] = number + 1, counts[table.name] + len(rows)
    _put(out, seal(key, b"", f"{name}/{number}/end", randomness))
    return counts


def _pieces(conn: Connection, table: Table) -> Iterator[list[list[Any]]]:
    if table is wrapping_keys:
        return
    asked = select(table).order_by(*table.primary_key.columns)
    found = conn.execution_options(yield_per=_ROWS).execute(asked)
    for part in found.partitions(_ROWS):
        yield [list(row) for row in part]


def _packed(table: Table, rows: list[list[Any]]) -> bytes:
    return zlib.compress(msgspec.msgpack.encode((str(table.name), [str(c.name) for c in table.columns], rows)), 1)


def _put(out: BinaryIO, piece: bytes) -> None:
    out.write(len(piece).to_bytes(_LEN, "big") + piece)


def read_dump(source: BinaryIO, key: bytes, name: str) -> Iterator[Piece]:
    """The pieces of a dump in order; Broken where one was altered, moved or cut off."""
    number = 0
    while True:
        size = int.from_bytes(source.read(_LEN), "big")
        piece = source.read(size) if 0 < size <= _MOST else b""
        if not piece:
            raise Broken("the papers of this backup end too early: take another copy of it")
        try:
            packed = open_sealed(key, piece, f"{name}/{number}")
        except Broken:
            open_sealed(key, piece, f"{name}/{number}/end")
            return
        yield msgspec.msgpack.decode(zlib.decompress(packed), type=Piece)
        number += 1


def load_dump(conn: Connection, pieces: Iterator[Piece]) -> None:
    """Enter the rows of a dump into papers that are laid out and empty; what said of gates that they run is left out.

    Broken where it names what these papers do not have.
    """
    for name, columns, rows in pieces:
        table = metadata.tables.get(name)
        if table is None or set(columns) - set(table.columns.keys()):
            raise Broken(f"the backup has a table '{name}' that these papers do not have")
        values = [dict(zip(columns, row, strict=True)) for row in rows]
        if table is meta:
            values = [one for one in values if one["name"] != RESTORING and not one["name"].startswith("turn/")]
        if values:
            conn.execute(insert(table), values)
    go_on_counting(conn)


def is_empty(conn: Connection) -> bool:
    """Whether the papers are laid out and hold nothing but their own marks."""
    return not any(
        conn.execute(select(table).limit(1)).first() for table in metadata.sorted_tables if table is not meta
    )


def go_on_counting(conn: Connection) -> None:
    """Have PostgreSQL number new rows after those that were entered with their numbers; SQLite does so by itself."""
    if conn.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None and isinstance(column.type, Integer | BigInteger):
            sequence = conn.scalar(select(func.pg_get_serial_sequence(table.name, column.name)))
            if sequence is not None and (last := conn.scalar(select(func.max(column)))) is not None:
                conn.execute(select(func.setval(sequence, last)))


def tables_there(conn: Connection) -> bool:
    """Whether any table of ours is laid out."""
    return inspect(conn).has_table(meta.name)
