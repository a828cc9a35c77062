"""Lanes: what is on its way to a platform that the law names, sealed until that platform has acknowledged it.

What is kept on the statutory ground is put into a file for each endpoint in the step that makes segments of it, so that
nothing is lost or sent twice whatever crashes; and nothing else comes in, as nothing else was kept on that ground.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from onshore.vault import strays
from onshore.vault.disk import make_folder, write_new
from onshore.vault.keys import KEY_BYTES, Randomness, open_sealed, seal
from onshore.vault.papers import forwards, meta, reading, writing
from onshore.vault.segments import Place, Shelf, new_id
from onshore.words.batch import signals
from onshore.words.errors import Broken

FOLDER = "forward"
Cut = Callable[..., Iterator[tuple[Place, pa.Table]]]
_BASE = ("vehicle", "time", "received")
_ZSTD = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", 1), use_threads=False)


@dataclass(frozen=True)
class Lane:
    """A file of rows for an endpoint: how many there are, how many are done, when it was queued (ms UTC)."""

    number: int
    id: str
    endpoint: str
    wrapped: bytes
    rows: int
    sent: int
    refused: int
    queued: int

    @property
    def left(self) -> int:
        """Rows that are still to be acknowledged."""
        return self.rows - self.sent


def path_of(endpoint: str, id_: str) -> Path:
    """Where a lane's file lies, below the vault's folder."""
    return Path(FOLDER) / endpoint / f"{id_}.lane"


def statutory(batches: Iterable[pa.RecordBatch]) -> pa.Table | None:
    """The rows of kept batches with the signals that the law has kept (the sieve marked them), None where none is."""
    tables = [table for batch in batches if (table := _statutory(batch)).num_rows]
    return pa.concat_tables(tables, promote_options="default") if tables else None


def _statutory(batch: pa.RecordBatch) -> pa.Table:
    names = [n for n in signals(batch.schema) if (batch.schema.field(n).metadata or {}).get(b"statutory") == b"1"]
    table = pa.table({name: batch.column(name) for name in (*_BASE, *names)})
    present = [batch.column(name).is_valid().to_numpy(zero_copy_only=False) for name in names]
    return table.filter(pa.array(np.logical_or.reduce(present))) if present else table.slice(0, 0)


class Sending:
    """What one drain queues for each of the endpoints; with none it does nothing."""

    def __init__(self, endpoints: Sequence[str] = ()) -> None:
        self._endpoints = endpoints
        self._tables: list[pa.Table] = []
        self._planned: list[tuple[str, str]] = []
        self._rows: list[dict[str, object]] = []

    def watching(self, cut: Cut) -> Cut:
        """The same cut, which also takes note of what passes."""

        def both(kept: Sequence[pa.RecordBatch], *, pack: str) -> Iterator[tuple[Place, pa.Table]]:
            table = statutory(kept) if self._endpoints else None
            self._tables += [] if table is None else [table]
            return cut(kept, pack=pack)

        return both

    def planned(self, randomness: Randomness) -> list[Path]:
        """The files to be written, for their note (`strays`)."""
        if self._tables:
            self._planned = [(endpoint, new_id(randomness)) for endpoint in self._endpoints]
        return [path_of(*one) for one in self._planned]

    def write(self, shelf: Shelf, clock: Callable[[], int], randomness: Randomness) -> None:
        """Write the files, durably, each under a key of its own."""
        for endpoint, id_ in self._planned:
            table = pa.concat_tables(self._tables, promote_options="default")
            self._rows.append(_written(table, endpoint, id_, shelf, randomness) | {"queued": clock()})

    def list_(self, conn: Connection) -> None:
        """List them in the commit that strikes the journals they came from."""
        if self._rows:
            conn.execute(insert(forwards), self._rows)


def _written(table: pa.Table, endpoint: str, id_: str, shelf: Shelf, randomness: Randomness) -> dict[str, object]:
    context, key = _context(shelf.site, endpoint, id_), randomness(KEY_BYTES)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_ZSTD) as stream:
        stream.write_table(table)
    path = shelf.folder / path_of(endpoint, id_)
    make_folder(path.parent)
    write_new(path, seal(key, sink.getvalue().to_pybytes(), context, randomness))
    wrapped = shelf.root.wrap(key, context)
    return {"id": id_, "endpoint": endpoint, "wrapped": wrapped, "rows": table.num_rows, "sent": 0, "refused": 0}


def _context(site: str, endpoint: str, id_: str) -> str:
    return f"forward/{site}/{endpoint}/{id_}"


def waiting(engine: Engine, endpoint: str | None = None) -> list[Lane]:
    """The lanes of an endpoint (of all where None), in the order in which they are to be sent."""
    ask = select(forwards).order_by(forwards.c.number)
    with reading(engine) as conn:
        rows = conn.execute(ask if endpoint is None else ask.where(forwards.c.endpoint == endpoint))
        return [Lane(**row._mapping) for row in rows]  # noqa: SLF001 (the documented way to a row's columns by name)


def first(engine: Engine, endpoint: str) -> Lane | None:
    """The lane that is to be sent next, None where nothing waits."""
    ask = select(forwards).where(forwards.c.endpoint == endpoint).order_by(forwards.c.number).limit(1)
    with reading(engine) as conn:
        row = conn.execute(ask).one_or_none()
    return None if row is None else Lane(**row._mapping)  # noqa: SLF001 (as above)


def rows_of(lane: Lane, shelf: Shelf) -> pa.Table:
    """The rows of a lane that are not acknowledged; Broken where its file is gone or was altered."""
    path, context = shelf.folder / path_of(lane.endpoint, lane.id), _context(shelf.site, lane.endpoint, lane.id)
    try:
        sealed = path.read_bytes()
    except FileNotFoundError:
        raise Broken(f"the file of lane {lane.id} is missing: restore it from a backup") from None
    stream = open_sealed(shelf.root.unwrap(lane.wrapped, context), sealed, context)
    return pa.ipc.open_stream(pa.py_buffer(stream)).read_all().slice(lane.sent)


def acknowledged(
    engine: Engine, lane: Lane, sent: int, refused: int, at: int, entry: Callable[[Connection, int], None]
) -> Lane | None:
    """Note that the platform has answered for the first `sent` rows, of which it refused so many in all.

    When these are all, the lane is struck, its key with it, and `entry` hands in what the ledger says (refused rows
    given); None then, and where it was struck meanwhile.
    """
    with writing(engine) as conn:
        _note(conn, f"forwarded/{lane.endpoint}", at)
        here = forwards.c.id == lane.id
        if sent < lane.rows:
            done = conn.execute(update(forwards).where(here).values(sent=sent, refused=refused)).rowcount
            return Lane(**vars(lane) | {"sent": sent, "refused": refused}) if done else None
        if conn.execute(delete(forwards).where(here)).rowcount:
            strays.note(conn, [path_of(lane.endpoint, lane.id)])
            entry(conn, refused)
    return None


def clear(engine: Engine, folder: Path, lane: Lane) -> None:
    """Remove the file of a lane that was struck; the next drain clears its note."""
    if all(one.id != lane.id for one in waiting(engine, lane.endpoint)):
        (folder / path_of(lane.endpoint, lane.id)).unlink(missing_ok=True)


def last_answer(engine: Engine, endpoint: str) -> int | None:
    """When an endpoint acknowledged something last (ms UTC)."""
    with reading(engine) as conn:
        said = conn.scalar(select(meta.c.value).where(meta.c.name == f"forwarded/{endpoint}"))
    return None if said is None else int(said)


def backlog(engine: Engine, endpoint: str) -> int:
    """Rows that wait for an endpoint."""
    with reading(engine) as conn:
        ask = select(func.sum(forwards.c.rows - forwards.c.sent)).where(forwards.c.endpoint == endpoint)
        return int(conn.scalar(ask) or 0)


def serial(engine: Engine, endpoint: str, day: int) -> int:
    """The number of the next login of a day (a number that grows): from 1 on each day (GB/T 32960.3, login)."""
    name = f"serial/{endpoint}"
    with writing(engine) as conn:
        said = conn.scalar(select(meta.c.value).where(meta.c.name == name))
        before, _, number = (said or "0/0").partition("/")
        new = int(number) % _MOST + 1 if int(before) == day else 1
        conn.execute(delete(meta).where(meta.c.name == name))
        conn.execute(insert(meta).values(name=name, value=f"{day}/{new}"))
    return new


_MOST = 65_531


def _note(conn: Connection, name: str, at: int) -> None:
    conn.execute(delete(meta).where(meta.c.name == name))
    conn.execute(insert(meta).values(name=name, value=str(at)))


def erase(engine: Engine, shelf: Shelf, vehicle: int, randomness: Randomness) -> int:
    """Take all rows of a vehicle out of the lanes, which are written anew under other keys; how many those were.

    The caller lets nobody drain meanwhile. What is on the wire at this moment may arrive.
    """
    removed = 0
    for lane in waiting(engine):
        table = rows_of(lane, shelf)
        rest = table.filter(pa.array(table.column("vehicle").to_numpy() != vehicle))
        if rest.num_rows == table.num_rows:
            continue
        removed += table.num_rows - rest.num_rows
        _replace(engine, shelf, lane, rest, randomness)
    strays.clear(engine, shelf.folder)
    return removed


def _replace(engine: Engine, shelf: Shelf, lane: Lane, rest: pa.Table, randomness: Randomness) -> None:
    id_ = new_id(randomness)
    with writing(engine) as conn:
        strays.note(conn, [path_of(lane.endpoint, id_)])
    row = _written(rest, lane.endpoint, id_, shelf, randomness) if rest.num_rows else None
    with writing(engine) as conn:
        if conn.execute(delete(forwards).where(forwards.c.id == lane.id)).rowcount:
            strays.note(conn, [path_of(lane.endpoint, lane.id)])
            if row is not None:
                strays.strike(conn, [path_of(lane.endpoint, id_)])
                conn.execute(insert(forwards).values(row | {"number": lane.number, "queued": lane.queued}))
