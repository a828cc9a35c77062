"""Space: how much room the disk has, and which gates take nothing in for want of it or because it is slow."""

import errno
import json
import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, delete, insert, select

from onshore.vault.journal_files import FOLDER, LOCK, in_use
from onshore.vault.papers import meta, reading, writing

_NOTE = "held/"  # of meta, behind it the gate


@dataclass(frozen=True)
class Held:
    """A gate that takes nothing in: why ("full" or "slow"), and since when (ms UTC)."""

    gate: str
    why: str
    since: int


def free_bytes(folder: Path) -> int:
    """Bytes that this process may still write where the folder lies."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def must_stay(folder: Path, least: int) -> None:
    """OSError (ENOSPC) where fewer than `least` bytes are free: these are for erasing, draining and papers.

    To erase is to write anew before the old may go, so that a disk which what arrives has filled could not forget.
    """
    if least and free_bytes(folder) < least:
        raise OSError(errno.ENOSPC, "too little of the disk is free for more to be taken in")


def note_held(engine: Engine, gate: str, why: str, at: int) -> None:
    """Note for `onshore check` that a gate takes nothing in since an instant (ms UTC); that it does, where no `why`."""
    name = _NOTE + gate
    with writing(engine) as conn:
        conn.execute(delete(meta).where(meta.c.name == name))
        if why:
            conn.execute(insert(meta).values(name=name, value=json.dumps([why, at])))


def held(engine: Engine, folder: Path) -> list[Held]:
    """The gates that run and take nothing in; one that ended holds its lock no more."""
    with reading(engine) as conn:
        rows = conn.execute(select(meta).where(meta.c.name.like(f"{_NOTE}%")).order_by(meta.c.name)).all()
    found = [Held(row.name.removeprefix(_NOTE), *json.loads(row.value)) for row in rows]
    return [one for one in found if in_use(folder / FOLDER / one.gate / LOCK)]
