"""Moving: the papers of a site that stands still, copied from one database into another that is laid out and empty."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, Integer, Table, func, insert, select

from onshore.vault.papers import meta, metadata, reading, writing
from onshore.words.errors import Broken, Refusal

_AT_ONCE = 1000  # rows
_LAYOUT = "site"  # of `meta`: what a database says of itself, whatever is copied into it


def copy_papers(source: Engine, target: Engine) -> dict[str, int]:
    """Copy every row, in one transaction that is read back; how many rows each table has.

    Nobody may write to either meanwhile: hold the site's roads (`opening.alone`). Refused (`papers-there`) where the
    target holds papers already; Broken, with nothing copied, where what lies there then is not what was to be copied.
    """
    with reading(source) as old, writing(target) as new:
        if any(new.execute(select(table).limit(1)).first() for table in metadata.sorted_tables if table is not meta):
            raise Refusal(
                "papers-there",
                "the database holds papers already",
                remedy="name an empty database in [papers] of site.toml",
            )
        found = {}
        for table in metadata.sorted_tables:
            for some in _rows(old, table):
                new.execute(insert(table), some)
            _go_on_counting(new, table)
            if sorted(_told(old, table)) != sorted(_told(new, table)):
                raise Broken(f"what was copied of the table '{table.name}' is not what it was; nothing was changed")
            found[table.name] = int(new.execute(select(func.count()).select_from(table)).scalar_one())
    return found


def _rows(conn: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    asked = select(table)
    if table is meta:
        asked = asked.where(meta.c.name != _LAYOUT)
    for some in conn.execute(asked).mappings().partitions(_AT_ONCE):
        yield [dict(row) for row in some]


def _told(conn: Connection, table: Table) -> Iterator[str]:
    """Every row in words: the same of the same row in whichever database."""
    for some in _rows(conn, table):
        yield from (repr(tuple(row.values())) for row in some)


def _go_on_counting(conn: Connection, table: Table) -> None:
    """Let the next number that the database gives be higher than those that were copied."""
    column = table.autoincrement_column
    if conn.dialect.name != "postgresql" or column is None or not isinstance(column.type, Integer):
        return
    sequence = func.pg_get_serial_sequence(f'"{table.name}"', column.name)
    highest = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
    conn.execute(select(func.setval(sequence, highest, False)))
