"""Soundness: whether the papers' database keeps what it is told, and keeps nothing that was struck."""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Engine

_COPIES = """
SELECT current_setting('archive_mode') <> 'off' OR EXISTS (SELECT 1 FROM pg_replication_slots)
    OR EXISTS (SELECT 1 FROM pg_stat_replication)
"""


class Told(NamedTuple):
    """What a database says of itself: whether that is well, and each thing that is not, with what to do."""

    good: bool
    says: str


def look(engine: Engine, *, archive_days: int, backup_days: int | None) -> Told:
    """Look at the settings that a site's promises rest on; of SQLite each connection sets them itself.

    `archive_days`: how long copies of the write-ahead log are kept, as the operator says (0: nothing was said);
    `backup_days`: how long copies of keys may live, None where none may be made.
    """
    if engine.dialect.name != "postgresql":
        return Told(good=True, says="papers.sqlite, every commit synced")
    with engine.connect() as conn:
        wrong = list(_wrong(lambda asked: conn.exec_driver_sql(asked).scalar_one(), archive_days, backup_days))
        version = conn.exec_driver_sql("SHOW server_version").scalar_one()
    return Told(not wrong, "; ".join(wrong) or f"PostgreSQL {version}, every commit synced")


def _wrong(ask: Callable[[str], object], archive_days: int, backup_days: int | None) -> list[str]:
    wrong = []
    for name, why in (
        ("fsync", "what was acknowledged is lost when the machine stops"),
        ("full_page_writes", "a page that is half written when the machine stops is lost"),
        ("synchronous_commit", "a commit is told before it is durable"),
    ):
        if ask(f"SHOW {name}") == "off":
            wrong.append(f"{name} is off: {why}; switch it on")
    if _logs_values(ask):
        wrong.append(
            "the server writes statements with their values, wrapped keys too, to its log: set "
            "log_parameter_max_length = 0"
        )
    if ask(_COPIES):
        wrong += _copies(archive_days, backup_days)
    return wrong


def _logs_values(ask: Callable[[str], object]) -> bool:
    logs = ask("SHOW log_statement") in ("mod", "all") or any(
        ask(f"SHOW {name}") != "-1" for name in ("log_min_duration_statement", "log_min_duration_sample")
    )
    return (logs or ask("SHOW log_transaction_sample_rate") != "0") and ask("SHOW log_parameter_max_length") != "0"


def _copies(archive_days: int, backup_days: int | None) -> list[str]:
    """What is wrong with copies of the write-ahead log: they hold keys that are struck here."""
    made = "copies of the write-ahead log are made, which hold old keys"
    if not archive_days:
        return [f"{made}: say in [papers] archive_days for how long they are kept"]
    if backup_days is None:
        return [f"{made}, and [keys] backup_days lets no copy of keys be made: set it, or stop archiving"]
    if archive_days > backup_days:
        return [f"{made}, for {archive_days} days, and copies of keys may live for {backup_days} ([keys] backup_days)"]
    return []
