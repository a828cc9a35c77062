"""Lanes: what is on its way to a platform that the law names, sealed until that platform has acknowledged it.

What is kept on the statutory ground is put into a file for each endpoint in the step that makes segments of it, so that
nothing is lost or sent twice whatever crashes; and nothing else comes in, as nothing else was kept on that ground.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, Engine, case, delete, func, insert, or_, select, update

from onshore.vault import strays
from onshore.vault.disk import make_folder, write_new
from onshore.vault.keys import KEY_BYTES, Randomness, open_sealed, seal
from onshore.vault.papers import forward_marks, forward_notes, forwards, meta, reading, writing
from onshore.vault.segments import Place, Shelf, new_id
from onshore.words.batch import signals
from onshore.words.errors import Broken

FOLDER = "forward"
Cut = Callable[..., Iterator[tuple[Place, pa.Table]]]
_BASE = ("vehicle", "time", "received")
_ZSTD = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", 1), use_threads=False)


@dataclass(frozen=True)
class Lane:
    """A file of rows for an endpoint: how many there are, how many are done, when it was queued (ms UTC).

    `first`: the id that it had before it was ever written anew; a row's place stays what it was, since rows that are
    erased leave blanks. `refused`: of those done, how many the platform would not have this time; `tries`: how often it
    would not have all of these. `due`: not to be sent before (ms UTC); None: set apart, for a person to decide. `gone`:
    rows that were erased before they were sent. `owed`: vehicles that were erased while the file could not be read.
    """

    number: int
    id: str
    endpoint: str
    wrapped: bytes
    rows: int
    sent: int
    refused: int
    queued: int
    first: str = ""
    tries: int = 0
    due: int | None = 0
    gone: int = 0
    owed: frozenset[int] = frozenset()

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
    table = pa.Table.from_batches([batch.select([*_BASE, *names])]).replace_schema_metadata()
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
            self._rows.append(written(table, endpoint, id_, shelf, randomness) | {"queued": clock()})

    def list_(self, conn: Connection) -> None:
        """List them in the commit that strikes the journals they came from."""
        if self._rows:
            conn.execute(insert(forwards), self._rows)


def written(table: pa.Table, endpoint: str, id_: str, shelf: Shelf, randomness: Randomness) -> dict[str, object]:
    """Write a file, durably, under a key of its own; what papers list of it. Its path stands in the note (`strays`)."""
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
    """The lanes of an endpoint (of all where None), in the order in which they are to be sent, those set apart too."""
    with reading(engine) as conn:
        return _lanes(conn) if endpoint is None else _lanes(conn, forwards.c.endpoint == endpoint)


def first(engine: Engine, endpoint: str, now: int, passed: Collection[str] = ()) -> Lane | None:
    """The lane that is to be sent next at `now` (ms UTC), but for those `passed` over, by id; None where none waits."""
    due = or_(forward_notes.c.id.is_(None), forward_notes.c.due <= now)
    here = [forwards.c.endpoint == endpoint, due, forwards.c.id.not_in(passed)]
    with reading(engine) as conn:
        return next(iter(_lanes(conn, *here, most=1)), None)


def current(conn: Connection, lane: Lane) -> Lane | None:
    """A lane as it is now, written anew or not; None where it was struck."""
    return next(iter(_lanes(conn, func.coalesce(forward_notes.c.first, forwards.c.id) == lane.first)), None)


def _lanes(conn: Connection, *where: ColumnElement[bool], most: int | None = None) -> list[Lane]:
    notes = forward_notes.c
    noted = [
        func.coalesce(notes.first, forwards.c.id).label("first"),
        func.coalesce(notes.tries, 0).label("tries"),
        case((notes.id.is_(None), 0), else_=notes.due).label("due"),
        func.coalesce(notes.gone, 0).label("gone"),
    ]
    joined = forwards.outerjoin(forward_notes, notes.id == forwards.c.id)
    ask = select(forwards, *noted).select_from(joined).where(*where).order_by(forwards.c.number).limit(most)
    rows = conn.execute(ask).all()
    owed: dict[str, set[int]] = defaultdict(set)
    for one in conn.execute(select(forward_marks).where(forward_marks.c.kind == "erased")) if rows else ():
        owed[one.first].add(one.number)
    return [Lane(**row._mapping, owed=frozenset(owed[row.first])) for row in rows]  # noqa: SLF001 (the documented way)


def whole(lane: Lane, shelf: Shelf) -> pa.Table:
    """All rows of a lane, null where one was erased; Broken where its file is gone or was altered."""
    path, context = path_of(lane.endpoint, lane.id), _context(shelf.site, lane.endpoint, lane.id)
    try:
        sealed = (shelf.folder / path).read_bytes()
    except FileNotFoundError:
        raise Broken(
            f"the file of lane {lane.id} is missing: restore vault/{path} from a backup, or give its {lane.left} rows "
            f"up with 'onshore forward drop {lane.endpoint} --lost'"
        ) from None
    stream = open_sealed(shelf.root.unwrap(lane.wrapped, context), sealed, context)
    table = pa.ipc.open_stream(pa.py_buffer(stream)).read_all()
    return _blanked(table, lane.owed)[0] if lane.owed else table


def rows_of(lane: Lane, shelf: Shelf) -> pa.Table:
    """The rows of a lane that are not acknowledged, as `whole` has them."""
    return whole(lane, shelf).slice(lane.sent)


def _blanked(table: pa.Table, vehicles: Collection[int]) -> tuple[pa.Table, npt.NDArray[np.bool_]]:
    """The table with nothing left of these vehicles but blanks in their places; which rows those are."""
    mine = table.column("vehicle").fill_null(-1).to_numpy()
    gone = np.isin(mine, np.array(sorted(vehicles), np.int64))
    kept = table.filter(pa.array(~gone))  # first without them: what lies under a null is none of theirs
    return kept.take(pa.array(np.cumsum(~gone) - 1, pa.int64(), mask=gone)), gone


def acknowledged(engine: Engine, lane: Lane, sent: int, refused: Sequence[int], at: int) -> Lane | None:
    """Note that the platform has answered for the first `sent` rows, and would not have those at `refused` places.

    Returns the lane as it is now; None where it was struck meanwhile.
    """
    with writing(engine) as conn:
        _note(conn, f"forwarded/{lane.endpoint}", at)
        here = current(conn, lane)
        if here is None:
            return None
        count = here.refused + len(refused)
        conn.execute(update(forwards).where(forwards.c.id == here.id).values(sent=sent, refused=count))
        if refused:
            marks = [{"first": lane.first, "kind": "refused", "number": place} for place in refused]
            conn.execute(insert(forward_marks), marks)
    return replace(here, sent=sent, refused=count)


def strike(conn: Connection, lane: Lane) -> None:
    """Strike a lane, its key with it; `clear` removes its file, or else the next drain."""
    conn.execute(delete(forwards).where(forwards.c.id == lane.id))
    conn.execute(delete(forward_notes).where(forward_notes.c.id == lane.id))
    conn.execute(delete(forward_marks).where(forward_marks.c.first == lane.first))
    strays.note(conn, [path_of(lane.endpoint, lane.id)])


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
        return sum(max(0, lane.left - lane.gone) for lane in _lanes(conn, forwards.c.endpoint == endpoint))


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


def list_(conn: Connection, like: Lane, row: Mapping[str, object]) -> None:
    """List a file that was `written`, with the number and what is noted `like` another lane."""
    strays.strike(conn, [path_of(like.endpoint, str(row["id"]))])
    same = {"queued": like.queued, "sent": like.sent, "refused": like.refused}
    conn.execute(insert(forwards).values({**row, **same, **({"number": like.number} if like.number else {})}))
    noted = {"first": like.first or row["id"], "tries": like.tries, "due": like.due, "gone": like.gone}
    conn.execute(insert(forward_notes).values(id=row["id"], **noted))
