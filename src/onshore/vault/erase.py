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
from onshore.vault.journal_files import gates_behind, journals_before
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

    `freed`: no byte of the papers holds an old key; where False, `forget` again before anybody is told.
    `checked`: how many segments of the vehicle's bucket were read back and hold no row of it.
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
    turn: int,
    clock: Callable[[], int],
    randomness: Randomness,
    grounds: Collection[str] = BOTH,
    alongside: Callable[[Connection, Erased], None] = lambda _conn, _erased: None,
    step: Callable[[str], None] = lambda _step: None,
) -> Erased:
    """Remove all of a vehicle that the segments hold now (PIPL Art. 47), read back, say what was done.

    First restrict the vehicle and `ask_rotate`, which answers `turn`; then drain what comes `before` it until no
    gate is behind it and no journal is left from before it. Refused (`not-restricted`, `journal-undrained`)
    until then. No clock is asked: what gates received before the restriction lies in those journals, and what
    they received later in others, which are not drained yet and stay: the car goes on driving, and what the
    law itself demands of it goes on being kept. The caller lets nobody drain meanwhile. `alongside` writes what
    must stand or fall with the erasure into the same commit. Broken, with nothing changed, where a row is left.
    """
    _refuse_early(engine, folder, vehicle, turn)
    strays.clear(engine, folder)
    shelf = Shelf(root, folder, site)
    standing = _bucket(engine, vehicle, grounds)
    old = [segment for segment in standing if _rows(open_segment(segment, shelf), vehicle).any()]
    planned = [(segment, new_id(randomness)) for segment in old]
    with writing(engine) as conn:
        strays.note(conn, [path_of(segment.place, id_) for segment, id_ in planned])
    step("planned")
    new = []
    for segment, id_ in planned:
        rest = _rest(segment, shelf, vehicle)
        if rest.num_rows:
            new.append(write_segment(rest, segment.place, id_, shelf, clock, randomness))
        step("written")
    removed = sum(segment.rows for segment in old) - sum(segment.rows for segment in new)
    left = [segment for segment in standing if segment not in old] + new
    checked = _read_back(left, shelf, vehicle)
    erased = Erased(tuple(replace(segment, wrapped=b"") for segment in old), tuple(new), removed, checked=checked)
    _commit(engine, erased, [path_of(segment.place, id_) for segment, id_ in planned], alongside)
    step("committed")
    strays.clear(engine, folder)
    step("unlinked")
    return replace(erased, freed=forget(engine, folder))


def forget(engine: Engine, folder: Path) -> bool:
    """Leave nothing of what was struck, neither file nor key; False while somebody reads the papers: try again."""
    strays.clear(engine, folder)
    return forget_freed_pages(engine, rebuild=True)


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
    if behind := gates_behind(engine, folder, turn):
        raise Refusal(
            "journal-undrained",
            f"{len(behind)} gates may still hold frames of the vehicle from before the restriction",
            remedy="wait until they have looked (they do at every tick), drain, then erase",
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


def _rows(file: pq.ParquetFile, vehicle: int) -> npt.NDArray[np.bool_]:
    """Which rows of an open segment are to go, looked up in the rows themselves."""
    rows: npt.NDArray[np.bool_] = file.read(columns=["vehicle"]).column("vehicle").to_numpy() == vehicle
    return rows


def _rest(segment: Segment, shelf: Shelf, vehicle: int) -> pa.Table:
    file = open_segment(segment, shelf)
    return file.read().filter(pa.array(~_rows(file, vehicle)))


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


def _read_back(left: list[Segment], shelf: Shelf, vehicle: int) -> int:
    for segment in left:
        if _rows(open_segment(segment, shelf), vehicle).any():
            raise Broken(f"segment {segment.id} still holds rows of the erased vehicle: keep it restricted")
    return len(left)
