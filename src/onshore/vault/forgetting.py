"""Forgetting: no byte of the papers' files holds what was struck from them; what may hold it elsewhere is said."""

import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from onshore.vault.transactions import WRITER

_IMPATIENT = 100  # milliseconds

_BACKUP = "a backup of papers taken before this moment still holds the old wrapped keys"

# Keys are struck from columns `wrapped`, what the site's own key sealed from columns `..._sealed`.
_TABLES = r"""
SELECT DISTINCT quote_ident(c.relname) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND NOT a.attisdropped
AND (a.attname = 'wrapped' OR a.attname LIKE '%\_sealed') ORDER BY 1
"""
_MAY = """
SELECT has_function_privilege('pg_switch_wal()', 'EXECUTE') AND has_function_privilege('pg_ls_waldir()', 'EXECUTE')
AND (current_setting('is_superuser') = 'on'
     OR EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'pg_checkpoint' AND pg_has_role(oid, 'USAGE')))
"""
_KEPT = """
SELECT current_setting('wal_keep_size') <> '0'
    OR EXISTS (SELECT 1 FROM pg_replication_slots WHERE restart_lsn IS NOT NULL)
"""
_COPIED = """
SELECT current_setting('archive_mode') <> 'off' OR EXISTS (SELECT 1 FROM pg_stat_replication)
    OR EXISTS (SELECT 1 FROM pg_replication_slots)
"""
_LOGS = "SELECT name FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'"
_NOW = "SELECT pg_walfile_name(pg_current_wal_insert_lsn())"
_ON = "SELECT pg_logical_emit_message(false, 'onshore', ''), pg_switch_wal()"


def forget_freed_pages(engine: Engine, *, rebuild: bool = False) -> bool:
    """See that no struck key stays in the papers' files. True once it is done.

    SQLite: empty its write-ahead log into its file. `rebuild` writes the file anew as well, as erasing needs:
    `secure_delete` zeroes what is struck, but not the copies that rows leave behind when SQLite moves them between
    pages. PostgreSQL: with `rebuild` alone, write the tables anew, and its log where the role may.

    False where another connection was in the way or the disk is full: ask again. Writers wait meanwhile, so it is not
    patient; and it rebuilds only once nobody is in the way, lest the log grow with every try.
    """
    if engine.dialect.name == "sqlite":
        return _forget_sqlite(engine, rebuild=rebuild)
    return engine.dialect.name == "postgresql" and rebuild and _forget_postgresql(engine)


def remains(engine: Engine, *, archive_days: int = 0, copies: int | None = None) -> str:
    """What still holds keys that were struck and forgotten: a sentence of the certificate of an erasure.

    `archive_days`: how long copies of PostgreSQL's write-ahead log are kept, where that is known. `copies`: the
    instant (ms UTC) at which the last copy of keys in a backup ends (`copies.copies_end`), None where there are none.
    """
    day = None if copies is None else datetime.fromtimestamp(copies // 1000, UTC).isoformat()
    backup = _BACKUP if day is None else f"{_BACKUP}, which a copy of keys may open until {day}"
    if engine.dialect.name != "postgresql":
        return backup
    with engine.connect() as conn:
        may, kept, copied = (conn.exec_driver_sql(asked).scalar_one() for asked in (_MAY, _KEPT, _COPIED))
    said = [backup]
    said += ["so does the database's write-ahead log, until its files are written over"] if kept or not may else []
    span = f"for {archive_days} days" if archive_days else "for as long as those are kept"
    said += [f"so do archives of that log and the database's standbys, {span}"] if copied else []
    return "; ".join(said)


def _forget_sqlite(engine: Engine, *, rebuild: bool) -> bool:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        patience = conn.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
        conn.exec_driver_sql(f"PRAGMA busy_timeout={_IMPATIENT}")
        try:
            emptied = _empty_log(conn)
            if rebuild and emptied:
                conn.exec_driver_sql("VACUUM")  # through memory: temp_store says so
                emptied = _empty_log(conn)
        except OperationalError:
            return False
        finally:
            conn.exec_driver_sql(f"PRAGMA busy_timeout={patience}")
        return emptied


def _empty_log(conn: Connection) -> bool:
    return not conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()


def _forget_postgresql(engine: Engine) -> bool:
    """Write anew the tables that hold what may be struck: VACUUM leaves the bytes of rows where they were.

    A row that somebody's snapshot still sees is copied along, and counted; False then.
    """
    raw = engine.raw_connection()  # outside of a transaction: VACUUM takes its own
    cursor = raw.cursor()
    try:
        if not _one(cursor, f"SELECT pg_try_advisory_lock({WRITER})"):
            return False
        cursor.execute(f"SET lock_timeout = {_IMPATIENT}")
        cursor.execute(_TABLES)
        forgotten = all(_rewritten(raw.driver_connection, cursor, name) for (name,) in cursor.fetchall())
        if forgotten and _one(cursor, _MAY):
            _overwrite_log(cursor)
    except engine.dialect.loaded_dbapi.Error:
        return False
    else:
        return forgotten
    finally:
        raw.invalidate()  # with its connection go its lock and its settings, whatever happened
        raw.close()


def _rewritten(connection: Any, cursor: Any, name: str) -> bool:
    connection.notices.clear()
    cursor.execute(f"VACUUM (FULL, VERBOSE) {name}")
    details = [notice.get(b"D", b"") for notice in connection.notices]
    seen = [int(found[0]) for detail in details if (found := re.search(rb"\d+", detail))]  # in whatever language
    return bool(seen) and not any(seen)


def _overwrite_log(cursor: Any) -> None:
    """Begin a new file of the write-ahead log, let go of those before it, and write over what those are recycled as.

    What is left of a file when the next is begun is written full of zeros (since PostgreSQL 11).
    """
    cursor.execute(_ON)
    cursor.execute("CHECKPOINT")
    cursor.execute(f"{_LOGS} ORDER BY name DESC LIMIT 1")
    last = cursor.fetchone()[0]
    while _one(cursor, _NOW) <= last:
        cursor.execute(_ON)
    cursor.execute("CHECKPOINT")


def _one(cursor: Any, asked: str) -> Any:
    cursor.execute(asked)
    return cursor.fetchone()[0]
