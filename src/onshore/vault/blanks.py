"""Blanks: what an erasure leaves of rows that are on their way to a platform, each row's place with them."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import Connection, Engine, func, insert, select

from onshore.consent.drives import Drives
from onshore.vault import strays
from onshore.vault.drives import read_drives
from onshore.vault.floors import STATUTORY_GROUND, Keep, nothing_kept
from onshore.vault.keys import Randomness
from onshore.vault.lanes import Lane, current, list_, path_of, strike, waiting, whole, written
from onshore.vault.papers import forward_marks, reading, writing
from onshore.vault.restrictions import Scope, covered
from onshore.vault.segments import Shelf, new_id
from onshore.words.batch import signals
from onshore.words.errors import Broken

Rows = npt.NDArray[np.bool_]


def erase(
    engine: Engine, shelf: Shelf, scopes: Sequence[Scope], randomness: Randomness, keep: Keep = nothing_kept
) -> int:
    """Take what these scopes mean out of the lanes, which are written anew under other keys; how many rows lost any.

    What `keep` holds (on the ground `statutory`) stays and is sent, as the law demands. Of a file that cannot be read
    the vehicles' rows are owed: nobody sends them should it come back, and the next erasure takes them out. The caller
    lets nobody drain meanwhile. What is on the wire at this moment may arrive.
    """
    with reading(engine) as conn:
        drives = read_drives(conn, {scope.vehicle for scope in scopes})
    touched = 0
    for lane in waiting(engine):
        try:
            table = whole(dataclasses.replace(lane, owed=frozenset()), shelf)
        except Broken:
            _owe(engine, lane, {scope.vehicle for scope in scopes})
            continue
        # What was owed of a file goes for good: nobody knows any more how much of it was asked for.
        rest, lost, gone = _without(table, [*map(Scope, sorted(lane.owed)), *scopes], drives, keep)
        if lost:
            touched += lost
            _replace(engine, shelf, lane, (rest, gone), randomness)
    strays.clear(engine, shelf.folder)
    return touched


def owing(conn: Connection, vehicle: int) -> int:
    """How many lanes owe a vehicle's erasure, as their files could not be read."""
    mine = [forward_marks.c.kind == "erased", forward_marks.c.number == vehicle]
    return conn.scalar(select(func.count()).select_from(forward_marks).where(*mine)) or 0


def _owe(engine: Engine, lane: Lane, vehicles: set[int]) -> None:
    owed = [{"first": lane.first, "kind": "erased", "number": vehicle} for vehicle in vehicles - lane.owed]
    if owed:
        with writing(engine) as conn:
            conn.execute(insert(forward_marks), owed)


def _without(table: pa.Table, scopes: Sequence[Scope], drives: Drives, keep: Keep) -> tuple[pa.Table, int, Rows]:
    """The table without the cells that the scopes mean; how many rows lost any; which have none left and are blank."""
    vehicle, time, received = (
        table.column(name).cast(pa.int64()).fill_null(-1).to_numpy() for name in ("vehicle", "time", "received")
    )
    before = table.column("vehicle").is_valid().to_numpy()
    touched = np.zeros(table.num_rows, dtype=bool)
    for category, names in _by_category(table.schema).items():
        # A lane of an older release does not say which category a signal is of: all of the row goes then.
        meant = scopes if category else [dataclasses.replace(scope, categories=None) for scope in scopes]
        goes = np.zeros(table.num_rows, dtype=bool)
        for _, rows in covered(meant, vehicle, time, category, drives, received):
            goes[rows] = True
        for _, held in keep(category, STATUTORY_GROUND, time) if goes.any() else ():
            goes &= ~held
        goes &= before
        if goes.any():
            touched |= goes
            for name in names:
                table = _emptied(table, name, goes)
    present = [table.column(name).is_valid().to_numpy() for name in signals(table.schema)]
    gone = before & ~np.logical_or.reduce([*present, ~before])
    for name in table.schema.names if gone.any() else ():
        table = _emptied(table, name, gone | ~before)
    return table, int(touched.sum()), gone


def _by_category(schema: pa.Schema) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in signals(schema):
        said: bytes = (schema.field(name).metadata or {}).get(b"category", b"")
        found.setdefault(said.decode(), []).append(name)
    return found


def _emptied(table: pa.Table, name: str, goes: npt.NDArray[np.bool_]) -> pa.Table:
    """Null where it goes, and zero under the null: a mask alone would leave the value for the file to keep."""
    place = table.schema.get_field_index(name)
    column = table.column(name).combine_chunks()
    column = column.take(pa.array(np.arange(len(column)), mask=goes))
    return table.set_column(place, table.schema.field(place), column)


def _replace(
    engine: Engine, shelf: Shelf, lane: Lane, rest: tuple[pa.Table, npt.NDArray[np.bool_]], randomness: Randomness
) -> None:
    table, gone = rest
    id_ = new_id(randomness)
    with writing(engine) as conn:
        strays.note(conn, [path_of(lane.endpoint, id_)])
    row = (
        written(table, lane.endpoint, id_, shelf, randomness) if table.column("vehicle").null_count < len(table) else {}
    )
    with writing(engine) as conn:
        here = current(conn, lane)  # as far as it was answered for by now
        if here is None:
            return
        old = [forward_marks.c.first == lane.first, forward_marks.c.kind == "refused"]
        marks = [dict(mark._mapping) for mark in conn.execute(select(forward_marks).where(*old))]  # noqa: SLF001 (as above)
        strike(conn, here)
        if row:
            list_(conn, dataclasses.replace(here, gone=here.gone + int(gone[here.sent :].sum())), row)
            if marks:
                conn.execute(insert(forward_marks), marks)
