"""Giving up: what nobody can tell whose rows it holds, damaged journals and lost ones, is destroyed with its keys."""

from pathlib import Path

from sqlalchemy import Engine, delete, update

from onshore.vault import aside, strays
from onshore.vault.journal_files import lost_journals
from onshore.vault.papers import journals, mishaps, reading, writing


def give_up(engine: Engine, folder: Path, before: int | None = None) -> int:
    """Destroy the keys of journals kept aside or lost, found `before` an instant or all, then the files; how many.

    Nobody can tell whose rows a damaged record holds: so an erasure destroys them all, and time does. Should a lost
    file come back after that, it opens nowhere. A crash leaves a note of the files (`strays`); whoever holds the keep
    road next removes them.
    """
    with writing(engine) as conn:
        gone = [one for one in aside.kept(conn, mishaps) if before is None or one.at < before]
        strays.note(conn, [one.path for one in gone])
        for one in gone:
            conn.execute(update(mishaps).where(mishaps.c.journal == one.journal).values(wrapped=b""))
        known = {one.journal: one.at for one in aside.told(conn, mishaps, 0)}
        lost = [one.id for one in lost_journals(conn, folder) if before is None or known.get(one.id, before) < before]
        conn.execute(delete(journals).where(journals.c.id.in_(lost)))
        conn.execute(delete(mishaps).where(mishaps.c.wrapped == b"", mishaps.c.at < (before or 0)))
    for one in gone:
        (folder / one.path).unlink(missing_ok=True)
    with writing(engine) as conn:
        strays.strike(conn, [one.path for one in gone])
    return len(gone) + len(lost)


def lost(engine: Engine, folder: Path) -> set[str]:
    """Ids of journals whose files are gone and whose keys are still here: one that is put back is read."""
    with reading(engine) as conn:
        return {one.id for one in lost_journals(conn, folder)}
