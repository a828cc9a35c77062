"""Recall: what a site decided since a backup and must not forget, for whoever restores that backup.

While the key part of a backup lives, each act that takes something away (a consent, a permit, the sight of rows, rows
themselves) leaves a record beside the ledger: the rows of papers that it wrote, sealed. The ledger gets the record's
digest in the act's own commit, so a record that is missing is missed. A record opens with the site's keys
`recall/<until>` alone: the first backup under a wrapping key makes one, every later backup holds it, and it is
destroyed with the end of that key part, when nothing is left that a record could be needed for.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, Engine, Table, and_, delete, insert, select, update

from onshore.vault.disk import make_folder, sync_folder, write_new
from onshore.vault.forgetting import forget_freed_pages
from onshore.vault.journal_files import raise_counter
from onshore.vault.keys import KEY_BYTES, Randomness, RootKey, open_sealed, seal
from onshore.vault.papers import entries, metadata, reading, rights_cases, site_keys, wishes, writing
from onshore.words.errors import Broken

FOLDER = "recall"
_PREFIX = "recall/"
_LEFT = {"parcels": {"state": "left"}}
"""What a row says once it is entered again: of a parcel nobody knows here how far it came, so it counts as gone."""

What = tuple[Table, ColumnElement[bool]]
"""Rows of a table, as they stand in the transaction that asks."""


Gone = Mapping[Table, Mapping[str, Any]]
"""Of each table the columns that tell the row which is no more."""


class _Record(msgspec.Struct, frozen=True):
    """`keys`: the record's own key, sealed by each key of the site that opened it then, by the instant of its end."""

    keys: dict[int, bytes]
    body: bytes


class _Rows(msgspec.Struct, frozen=True):
    table: str
    rows: list[dict[str, Any]]
    gone: dict[str, Any] | None = None


def key_name(until: int) -> str:
    """The name of the site's key that opens records for backups whose key part ends at that instant (ms UTC)."""
    return f"{_PREFIX}{until}"


def note(
    conn: Connection,
    root: RootKey,
    folder: Path,
    what: Iterable[What],
    *,
    now: int,
    randomness: Randomness,
    gone: Gone | None = None,
) -> str | None:
    """Write a record of rows as this writing transaction sees them, and of rows `gone`; its digest for the ledger.

    `folder`: the site's. None, with nothing written, where no backup lives that would need it. A record whose
    transaction is not committed stays until its keys end: no entry names it.
    """
    keys = _living(conn, now)
    if not keys:
        return None
    said = [_Rows(str(table.name), _rows(conn, table, where)) for table, where in what]
    said += [_Rows(str(table.name), [], dict(one)) for table, one in (gone or {}).items()]
    own = randomness(KEY_BYTES)
    sealed = {
        until: seal(root.unwrap(wrapped, f"site-key/{key_name(until)}"), own, f"recall/{until}", randomness)
        for until, wrapped in keys.items()
    }
    raw = msgspec.msgpack.encode(_Record(sealed, seal(own, msgspec.msgpack.encode(said), "recall", randomness)))
    digest = hashlib.sha256(raw).hexdigest()
    make_folder(folder / FOLDER)
    write_new(folder / FOLDER / digest, raw)
    return f"sha256:{digest}"


def replay(conn: Connection, raw: bytes, key: bytes, until: int) -> int:
    """Enter the rows of a record again, inside a writing transaction; how many there were.

    `key`: the site's, by `key_name(until)`. Rows about what these papers do not know (a car registered since) are left
    out: nothing of it is here. Broken where the record does not open.
    """
    try:
        record = msgspec.msgpack.decode(raw, type=_Record)
    except msgspec.MsgspecError:
        raise Broken("a record of what was decided since the backup cannot be read: take another copy of it") from None
    if until not in record.keys:
        raise Broken("a record of what was decided since does not open with the keys of this backup")
    own = open_sealed(key, record.keys[until], f"recall/{until}")
    done = 0
    for said in msgspec.msgpack.decode(open_sealed(own, record.body, "recall"), type=list[_Rows]):
        table = metadata.tables[said.table]
        if said.gone is not None:
            conn.execute(delete(table).where(*(table.c[name] == value for name, value in said.gone.items())))
        for row in said.rows:
            done += _entered(conn, table, row | _LEFT.get(said.table, {}))
    return done


def end_keys(engine: Engine, folder: Path, now: int) -> int:
    """Destroy what served backups whose key parts have ended: keys, and records that nothing else opens; how many."""
    with reading(engine) as conn:
        ended = [name for name in _names(conn) if int(name.removeprefix(_PREFIX)) <= now]
    files = [path for path in sorted((folder / FOLDER).glob("*")) if _has_ended(path, now)]
    if not ended and not files:
        return 0
    with writing(engine) as conn:
        conn.execute(delete(site_keys).where(site_keys.c.name.in_(ended)))
    forget_freed_pages(engine)
    for path in files:
        path.unlink()
    if files:
        sync_folder(folder / FOLDER)
    return len(ended) + len(files)


def later_turns(conn: Connection, turns: Sequence[int]) -> None:
    """Take the gates' turn past those that replayed cases name, so that what cars send from now on is new to them."""
    if turns:
        raise_counter(conn, "rotate", max(turns))


def _names(conn: Connection) -> list[str]:
    return list(conn.scalars(select(site_keys.c.name).where(site_keys.c.name.like(f"{_PREFIX}%"))))


def _living(conn: Connection, now: int) -> dict[int, bytes]:
    rows = conn.execute(select(site_keys).where(site_keys.c.name.like(f"{_PREFIX}%"))).all()
    keys = {int(row.name.removeprefix(_PREFIX)): row.wrapped for row in rows}
    return {until: wrapped for until, wrapped in keys.items() if until > now}


def _has_ended(path: Path, now: int) -> bool:
    try:
        record = msgspec.msgpack.decode(path.read_bytes(), type=_Record)
    except (msgspec.MsgspecError, OSError):
        return False
    return all(until <= now for until in record.keys)


def _rows(conn: Connection, table: Table, where: ColumnElement[bool]) -> list[dict[str, Any]]:
    """Rows without the numbers of entries: the ledger goes on, and numbers them anew."""
    told = {c.name for c in table.columns if any(key.column.table is entries for key in c.foreign_keys)}
    found = conn.execute(select(table).where(where)).mappings()
    return [{str(name): None if name in told else value for name, value in row.items()} for row in found]


def _entered(conn: Connection, table: Table, row: dict[str, Any]) -> int:
    if _is_undone(conn, table, row) or not all(_known(conn, column, row[column.name]) for column in table.columns):
        return 0
    keys = [column.name for column in table.primary_key.columns]
    mine = and_(*(table.c[name] == row[name] for name in keys))
    rest = {name: value for name, value in row.items() if name not in keys}
    there = conn.execute(select(*table.primary_key.columns).where(mine)).first() is not None
    if there and rest:
        conn.execute(update(table).where(mine).values(rest))
    elif not there:
        conn.execute(insert(table).values(row))
    return 1


def _is_undone(conn: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Whether a row tells of an erasure that was certified, and that has not been done in these papers yet."""
    if table not in (rights_cases, wishes) or row.get("certificate") is row.get("struck") is None:
        return False
    return conn.scalar(select(rights_cases.c.certificate).where(rights_cases.c.id == row["id"])) is None


def _known(conn: Connection, column: Column[Any], value: Any) -> bool:
    """Whether what a row refers to is there."""
    return value is None or all(
        conn.execute(select(key.column).where(key.column == value)).first() is not None for key in column.foreign_keys
    )
