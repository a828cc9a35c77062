"""Erase: one vehicle's rows go for good, by rewriting what holds them and destroying the old keys."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, Engine, select

from onshore.vault import strays
from onshore.vault.journal_files import journals_before
from onshore.vault.keys import Randomness, RootKey
from onshore.vault.papers import forget_freed_pages, reading, segments, vehicles, writing
from onshore.vault.segments import (
    Segment,
    Shelf,
    buckets_of,
    list_segment,
    new_id,
    open_segment,
    path_of,
    segments_where,
    unlist_segment,
    write_segment,
)
from onshore.words.errors import Broken, Refusal

BOTH = ("consent", "statutory")  # grounds that rows are kept under


@dataclass(frozen=True)
class Erased:
    """What an erasure did: `old` segments are gone with their keys, `new` ones hold the other vehicles' rows.

    `freed`: no byte of the papers holds an old key; where False, `forget_freed_pages` again.
    `checked`: how many segments of the vehicle's bucket were opened afterwards and hold no such row of it.
    """

    old: tuple[Segment, ...]
    new: tuple[Segment, ...]
    rows_removed: int
    freed: bool = False
    checked: int = 0

    @property
    def segments_rewritten(self) -> int:
        """Segments that other vehicles' rows live on in."""
        return len(self.new)

    @property
    def segments_removed(self) -> int:
        """Segments that held this vehicle alone."""
        return len(self.old) - len(self.new)


def erase_vehicle(
    engine: Engine,
    root: RootKey,
    folder: Path,
    site: str,
    vehicle: int,
    *,
    before: int,
    turn: int,
    clock: Callable[[], int],
    randomness: Randomness,
    grounds: Collection[str] = BOTH,
    alongside: Callable[[Connection, Erased], None] = lambda _conn, _erased: None,
    step: Callable[[str], None] = lambda _step: None,
) -> Erased:
    """Remove all of a vehicle that a gate received before an instant (PIPL Art. 47), read back, say what was done.

    First restrict the vehicle, `ask_rotate`, and drain until `journals_before` that turn is empty; `turn` is
    what it answered, `before` (milliseconds UTC) the moment of the restriction. Refused (`not-restricted`,
    `journal-undrained`) before that. What arrives later is new and stays: the car goes on driving, and what
    the law itself demands of it goes on being kept. `alongside` writes what must stand or fall with the
    erasure into the same commit. Broken where a row is found afterwards.
    """
    _refuse_early(engine, folder, vehicle, turn)
    strays.clear(engine, folder)
    shelf = Shelf(root, folder, site)
    standing = _bucket(engine, vehicle, grounds)
    old = [segment for segment in standing if _rows(open_segment(segment, shelf), vehicle, before).any()]
    planned = [(segment, new_id(randomness)) for segment in old]
    with writing(engine) as conn:
        strays.note(conn, [path_of(segment.place, id_) for segment, id_ in planned])
    step("planned")
    new = []
    for segment, id_ in planned:
        rest = _rest(segment, shelf, vehicle, before)
        if rest.num_rows:
            new.append(write_segment(rest, segment.place, id_, shelf, clock, randomness))
        step("written")
    removed = sum(segment.rows for segment in old) - sum(segment.rows for segment in new)
    erased = Erased(tuple(replace(segment, wrapped=b"") for segment in old), tuple(new), removed)
    _commit(engine, erased, [path_of(segment.place, id_) for segment, id_ in planned], alongside)
    step("committed")
    strays.clear(engine, folder)
    step("unlinked")
    freed = forget_freed_pages(engine, rebuild=True)
    checked = _read_back(_bucket(engine, vehicle, grounds), shelf, vehicle, before)
    return replace(erased, freed=freed, checked=checked)


def _refuse_early(engine: Engine, folder: Path, vehicle: int, turn: int) -> None:
    with reading(engine) as conn:
        since = conn.execute(select(vehicles.c.restricted).where(vehicles.c.id == vehicle)).scalar()
    if since is None:
        raise Refusal(
            "not-restricted",
            "the vehicle is not restricted: new rows and readers would race with its erasure",
            article="PIPL Art. 47",
            remedy="restrict it first, then ask every gate to rotate",
        )
    if waiting := journals_before(engine, folder, turn):
        raise Refusal(
            "journal-undrained",
            f"{len(waiting)} journal files from before the restriction may still hold the vehicle's rows",
            remedy="wait until the gates have closed them, drain, then erase",
        )


def _bucket(engine: Engine, vehicle: int, grounds: Collection[str]) -> list[Segment]:
    with reading(engine) as conn:
        buckets = buckets_of(conn, [vehicle])
        return segments_where(conn, segments.c.bucket.in_(buckets), segments.c.ground.in_(sorted(grounds)))


def _rows(file: pq.ParquetFile, vehicle: int, before: int) -> npt.NDArray[np.bool_]:
    """Which rows of an open segment are to go, looked up in the rows themselves."""
    who = file.read(columns=["vehicle", "received"])
    rows: npt.NDArray[np.bool_] = who.column("vehicle").to_numpy() == vehicle
    rows &= who.column("received").cast(pa.int64()).to_numpy() < before
    return rows


def _rest(segment: Segment, shelf: Shelf, vehicle: int, before: int) -> pa.Table:
    file = open_segment(segment, shelf)
    return file.read().filter(pa.array(~_rows(file, vehicle, before)))


def _commit(
    engine: Engine, erased: Erased, planned: list[Path], alongside: Callable[[Connection, Erased], None]
) -> None:
    with writing(engine) as conn:
        for segment in erased.old:
            unlist_segment(conn, segment)
        for segment in erased.new:
            list_segment(conn, segment)
        strays.strike(conn, planned)
        strays.note(conn, [path_of(segment.place, segment.id) for segment in erased.old])
        alongside(conn, erased)


def _read_back(standing: list[Segment], shelf: Shelf, vehicle: int, before: int) -> int:
    for segment in standing:
        if _rows(open_segment(segment, shelf), vehicle, before).any():
            raise Broken(f"segment {segment.id} still holds rows of the erased vehicle: keep it restricted")
    return len(standing)
