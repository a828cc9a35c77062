"""Transactions of the papers: one writer at a time, who sees the latest, and readers with one consistent look each."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, event

WRITER = 0x6F6E73686F7265  # "onshore": the advisory lock of a PostgreSQL database that its one writer holds

_WRITE = f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({WRITER})"
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

# PostgreSQL, Appendix A: the server goes down, or is not up yet. The connection is of no use any more.
_GOING = frozenset({"57P01", "57P02", "57P03", "57P05"})


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that may write: all of it or nothing. It takes the one write lock at once, then sees the latest.

    Waits 10 seconds at most for whoever writes.
    """
    with engine.connect().execution_options(writes=True) as conn, conn.begin():
        yield conn


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent look."""
    with engine.connect() as conn:
        yield conn


def made_strict(engine: Engine) -> Engine:
    """The engine, whose transactions begin as the two above say: SQLite in WAL mode, synced in full, or PostgreSQL."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _strict_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgresql)
        event.listen(engine, "handle_error", _short)
    return engine


def _strict_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are ours: see _begin_sqlite
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "secure_delete=ON",
        "foreign_keys=ON",
        "busy_timeout=10000",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    # One message without parameters, hence one round trip. The lock is a statement of its own: the snapshots of those
    # that follow it are taken once it is held (PostgreSQL, 13.2.1).
    connection.exec_driver_sql(_WRITE if connection.get_execution_options().get("writes") else _READ)


def _short(context: ExceptionContext) -> None:
    """Say what PostgreSQL said without the row that it names as a detail; leave a connection that it takes away."""
    failed = context.original_exception
    said = failed.args[0] if failed.args else None
    if isinstance(said, dict):
        failed.args = (f"{said.get('M', 'no reason given')} ({said.get('C', '-----')})",)
        context.is_disconnect = context.is_disconnect or said.get("C") in _GOING
