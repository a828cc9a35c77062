"""Strays: files noted before they are made or removed, so that a crash leaves none behind for good."""

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection, Engine, Select, delete, insert, select

from onshore.vault.papers import reading, segments, strays, writing
from onshore.words.errors import Broken


def note(conn: Connection, paths: Iterable[Path]) -> None:
    """Note files (below the vault's folder) about to be written, or to be removed once this is committed."""
    rows = [{"path": path.as_posix()} for path in paths]
    if rows:
        conn.execute(insert(strays), rows)


def noted(path: Path) -> Select[tuple[str]]:
    """Asks for the note of a file, where it was not cleared away."""
    return select(strays.c.path).where(strays.c.path == path.as_posix())


def strike(conn: Connection, paths: Iterable[Path]) -> None:
    """Strike files from the note: papers list them now. Broken where somebody struck one before: its file is gone."""
    for path in paths:
        if conn.execute(delete(strays).where(strays.c.path == path.as_posix())).rowcount != 1:
            raise Broken("a file being written was cleared away meanwhile: two processes keep one site; stop one")


def clear(engine: Engine, folder: Path) -> int:
    """Remove every noted file that papers do not list, then the notes; how many notes there were.

    Under the write lock, so that nobody lists a file between the look and its removal.
    """
    with reading(engine) as conn:
        if conn.execute(select(strays.c.path).limit(1)).first() is None:
            return 0
    with writing(engine) as conn:
        noted = list(conn.execute(select(strays.c.path)).scalars())
        for path in noted:
            if not _is_listed(conn, Path(path).stem):
                (folder / path).unlink(missing_ok=True)
        strike(conn, map(Path, noted))
    return len(noted)


def _is_listed(conn: Connection, id_: str) -> bool:
    return conn.execute(select(segments.c.id).where(segments.c.id == id_)).first() is not None
