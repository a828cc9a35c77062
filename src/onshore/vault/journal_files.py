"""Journal files: where a gate's files lie, which are closed, and asking every gate to begin a new one."""

import fcntl
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Engine, delete, insert, select, update

from onshore.vault.keys import RootKey
from onshore.vault.papers import journals, meta, reading, writing
from onshore.vault.records import JournalName, Record, Survey, records

FOLDER = "journal"
LOCK = "lock"  # held by the one process that writes into a gate's folder
MAKING = "new"  # a file before papers hold its key, locked by its writer from the start
SUFFIX = ".journal"
GATE = re.compile(r"[a-z0-9-]{1,20}")


@dataclass(frozen=True)
class Closed:
    """A journal file that nobody writes any more, its key still wrapped."""

    gate: str
    number: int
    path: Path
    wrapped: bytes
    records: int | None = None  # that it held when its gate closed it; None: it never did, as far as papers know

    @property
    def id(self) -> str:
        """As papers know it: "<gate>/<number>"."""
        return f"{self.gate}/{self.number}"


def path_of(folder: Path, gate: str, number: int) -> Path:
    """Where a journal file lies below the vault's folder."""
    return folder / FOLDER / gate / f"{number}{SUFFIX}"


def numbers_in(folder: Path, gate: str) -> list[int]:
    """Numbers of the files of a gate, lowest first."""
    return sorted(int(path.stem) for path in (folder / FOLDER / gate).glob(f"*{SUFFIX}"))


def numbers_of(conn: Connection, gate: str) -> list[int]:
    """Numbers of the files of a gate whose keys papers hold."""
    ids = conn.execute(select(journals.c.id).where(journals.c.id.like(f"{gate}/%"))).scalars()
    return [int(id_.rpartition("/")[2]) for id_ in ids]


def closed_journals(engine: Engine, folder: Path, before: int | None = None) -> list[Closed]:
    """Files that no gate is writing, oldest first by gate; open ones are locked by their writer.

    `before`: only those of earlier turns.
    """
    with reading(engine) as conn:
        known = _known(conn, folder, before)
    return [closed for closed in known if closed.path.exists() and not in_use(closed.path)]


def lost_journals(conn: Connection, folder: Path, before: int | None = None) -> list[Closed]:
    """Those whose file is gone although papers hold its key: its batches were acknowledged.

    Not the last one of a gate that is making it, or died of that: nothing was ever acknowledged that lies in it.
    """
    known = _known(conn, folder)
    making = {
        path.parent.name for path in (folder / FOLDER).glob(f"*/{MAKING}")
    }  # before the names they would be given
    last = {closed.gate: closed.number for closed in known}
    asked = known if before is None else _known(conn, folder, before)
    return [c for c in asked if not (c.gate in making and c.number == last[c.gate]) and not c.path.exists()]


def _known(conn: Connection, folder: Path, before: int | None = None) -> list[Closed]:
    asked = select(journals) if before is None else select(journals).where(journals.c.turn < before)
    found = []
    for row in conn.execute(asked):
        gate, number = row.id.split("/")
        found.append(Closed(gate, int(number), path_of(folder, gate, int(number)), row.wrapped, row.records))
    return sorted(found, key=lambda closed: (closed.gate, closed.number))


def drained_files(engine: Engine, folder: Path) -> list[Path]:
    """Files whose key papers no longer hold: a drain was cut short before it removed them."""
    there = [(gate, n) for gate in _gates(folder) for n in numbers_in(folder, gate)]
    with reading(engine) as conn:
        known = set(conn.execute(select(journals.c.id)).scalars())
    return [path_of(folder, gate, n) for gate, n in there if f"{gate}/{n}" not in known]


def read_journal(closed: Closed, root: RootKey, site: str, survey: Survey | None = None) -> Iterator[Record]:
    """The records of a closed file in order; Broken as `records` says, or where its key does not open."""
    key = root.unwrap(closed.wrapped, key_context(closed.id))
    name = JournalName(site, closed.gate, closed.number)
    yield from records(closed.path.read_bytes(), AESGCM(key), name, survey)


def note_closed(engine: Engine, id_: str, records: int) -> None:
    """Note how many records a file held when its gate closed it: none can be cut off its end unseen."""
    with writing(engine) as conn:
        conn.execute(update(journals).where(journals.c.id == id_).values(records=records))


def key_context(id_: str) -> str:
    """What a journal's key is bound to when it is wrapped."""
    return f"journal/{id_}"


def ask_rotate(engine: Engine) -> int:
    """Ask every gate to close its file at its next tick; the turn that its files belong to from that tick on."""
    with writing(engine) as conn:
        return raise_counter(conn, "rotate")


def turn_of(conn: Connection) -> int:
    """How often a rotation was asked for."""
    said = conn.execute(select(meta.c.value).where(meta.c.name == "rotate")).scalar()
    return int(said) if said else 0


def journals_before(engine: Engine, folder: Path, turn: int) -> list[str]:
    """Ids of files opened before that turn and not drained yet, be they open or closed."""
    asked = select(journals.c.id).where(journals.c.turn < turn).order_by(journals.c.id)
    with reading(engine) as conn:
        ids = list(conn.execute(asked).scalars())
    return [id_ for id_ in ids if _exists(folder, id_)]


def reach(conn: Connection, gate: str) -> int:
    """Note that a gate holds nothing that it received before now outside its files; the turn it has reached."""
    turn = turn_of(conn)
    _leave(conn, gate)
    conn.execute(insert(meta).values(name=f"turn/{gate}", value=str(turn)))
    return turn


def depart(engine: Engine, gate: str) -> None:
    """Note that a gate was closed: nobody need wait for it."""
    with writing(engine) as conn:
        _leave(conn, gate)


def gates_behind(engine: Engine, folder: Path, turn: int) -> list[str]:
    """Gates that run and have not reached that turn: they may still hold frames from before it.

    One that ended without a word holds its lock no more. One that starts notes its turn before it hears a frame.
    """
    with reading(engine) as conn:
        rows = conn.execute(select(meta).where(meta.c.name.like("turn/%"))).all()
    behind = [row.name.removeprefix("turn/") for row in rows if int(row.value) < turn]
    return [gate for gate in sorted(behind) if in_use(folder / FOLDER / gate / LOCK)]


def _leave(conn: Connection, gate: str) -> None:
    conn.execute(delete(meta).where(meta.c.name == f"turn/{gate}"))


def _exists(folder: Path, id_: str) -> bool:
    # Under its first name, then under its last one: it may be renamed between the two looks, never back. A
    # key without either belongs to a file that a crash kept from being made.
    gate, number = id_.split("/")
    return in_use(folder / FOLDER / gate / MAKING) or path_of(folder, gate, int(number)).exists()


def raise_counter(conn: Connection, name: str, least: int = 0) -> int:
    """Add one to a counter of the table meta, or take it to `least` where that is more; its new value."""
    row = conn.execute(select(meta.c.value).where(meta.c.name == name)).scalar()
    value = max(int(row or 0) + 1, least)
    if row is None:
        conn.execute(insert(meta).values(name=name, value=str(value)))
    else:
        conn.execute(update(meta).where(meta.c.name == name).values(value=str(value)))
    return value


def in_use(path: Path) -> bool:
    """Whether a live process holds the file's lock; a lock goes with its process, however that ends."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(fd)


def _gates(folder: Path) -> list[str]:
    there = folder / FOLDER
    return sorted(path.name for path in there.iterdir() if GATE.fullmatch(path.name)) if there.is_dir() else []
