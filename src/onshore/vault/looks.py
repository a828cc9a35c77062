"""Looks: the rows of one place after the other, with a new look at the papers before each piece that is handed out.

A place's segments may be replaced at any moment, by an erasure or by compaction, which merges some into one. Neither
moves a row to another place, and all of them are sorted by vehicle: so a reader that knows up to which vehicle it has
handed out a place goes on behind that one in whatever is listed then, and no row is missing or there twice.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import ColumnElement, Engine, bindparam, select

from onshore.vault.merging import by_car, merged
from onshore.vault.papers import reading, segments
from onshore.vault.restrictions import Hidden, Standing
from onshore.vault.segments import (
    Place,
    Segment,
    Shelf,
    asking,
    cars_of,
    find_segment,
    groups_holding,
    read_groups,
    segments_asked,
)
from onshore.words.errors import Broken

PIECE = 65_536
"""Rows that are decoded for a piece, about: more where all files of a place hold small parts of every car."""
_FEW = 16  # so few vehicles of a bucket are handed out at once: it is their rows that count, not those around them
_LOOKS = 100  # at one place without finding the files that papers list; each may have been replaced in between

_KEY = ("category", "ground", "day", "bucket", "pack", "exception")
_HERE = asking(
    *(segments.c[name] == bindparam(name) for name in _KEY),
    *(segments.c.last >= bindparam("start"), segments.c.first < bindparam("until")),
)
Bits = npt.NDArray[np.bool_]
Opened = tuple[Segment, pq.ParquetFile]


@dataclass(frozen=True)
class Wanted:
    """Which rows of a place: of [start, until) (ms UTC), of these vehicles (None: of all), sorted.

    `rows`: of a table and the category that it is of, which rows; `names`: which columns of a file (None: all), or
    that nothing of it serves (empty). `hides`: whether restrictions count. `sorted`: by vehicle and time over all files
    of a place; else what is of one file is, one after the other, and nothing is copied for it.
    """

    start: int
    until: int
    vehicles: tuple[int, ...] | None
    names: Callable[[pa.Schema], Sequence[str] | None]
    rows: Callable[[pa.Table], Bits | None]
    hides: bool = True
    sorted: bool = True


def places(engine: Engine, wanted: Wanted, *where: ColumnElement[bool]) -> list[Place]:
    """Places of which a segment may hold such rows, in order."""
    t = segments.c
    key = (t.category, t.ground, t.day, t.bucket, t.pack, t.exception)
    with reading(engine) as conn:
        rows = conn.execute(select(*key).where(*where, *_times(wanted)).distinct().order_by(*key))
        return [Place(row.pack, row.category, row.ground, row.day, row.bucket, row.exception) for row in rows]


def pieces(engine: Engine, shelf: Shelf, place: Place, wanted: Wanted, standing: Standing) -> Iterator[pa.Table]:
    """The rows of a place in pieces, sorted as wanted; restricted ones are left out as of each piece."""
    after: int | None = None
    files: dict[str, Opened] = {}
    while True:
        hides = _look(engine, shelf, place, wanted, standing, files)
        todo = [(one, group) for one in files.values() for group in _groups(one[1], wanted, after)]
        if not todo:
            return
        upto = _upto(todo, wanted)
        table = _piece(todo, wanted, hides, after, upto)
        if table is not None and table.num_rows:
            yield table
        if upto is None:
            return
        after = upto


def _times(wanted: Wanted) -> tuple[ColumnElement[bool], ...]:
    return segments.c.last >= wanted.start, segments.c.first < wanted.until


def _look(
    engine: Engine, shelf: Shelf, place: Place, wanted: Wanted, standing: Standing, files: dict[str, Opened]
) -> Hidden:
    """Have exactly the files open that papers list now, and tell what is restricted in the same look."""
    here = {name: getattr(place, name) for name in _KEY} | {"start": wanted.start, "until": wanted.until}
    missing = ""
    for _ in range(_LOOKS):
        with reading(engine) as conn:
            listed = {s.id: s for s in segments_asked(conn, _HERE, **here)}
            hides = standing.hidden(conn)
        if missing in listed:
            break
        for id_ in files.keys() - listed.keys():
            del files[id_]
        for id_ in listed.keys() - files.keys():
            if (file := find_segment(listed[id_], shelf)) is None:
                missing = id_
                break
            files[id_] = (listed[id_], file)
        else:
            return hides
    raise Broken(f"the file of segment {missing} is missing: restore it from a backup")


def _groups(file: pq.ParquetFile, wanted: Wanted, after: int | None) -> list[int]:
    names = wanted.names(file.schema_arrow)
    if names is not None and not names:
        return []
    left = wanted.vehicles
    if left is not None and after is not None:
        left = tuple(vehicle for vehicle in left if vehicle > after)
    return [g for g in groups_holding(file, left) if after is None or cars_of(file, g)[1] > after]


def _upto(todo: list[tuple[Opened, int]], wanted: Wanted) -> int | None:
    """Up to which vehicle the next piece goes; None where it takes the rest."""
    rows = np.array([one[1].metadata.row_group(group).num_rows for one, group in todo])
    if rows.sum() <= PIECE or (wanted.vehicles is not None and len(wanted.vehicles) <= _FEW):
        return None
    least, most = np.array([cars_of(one[1], group) for one, group in todo]).T
    ends = np.unique(most)
    fits = [int(end) for end in ends if rows[least <= end].sum() <= PIECE]
    end = fits[-1] if fits else int(ends[0])
    return None if end == ends[-1] else end


def _piece(
    todo: list[tuple[Opened, int]], wanted: Wanted, hides: Hidden, after: int | None, upto: int | None
) -> pa.Table | None:
    found = []
    for (segment, file), group in todo:
        if upto is not None and cars_of(file, group)[0] > upto:
            continue
        table = read_groups(segment, file, [group], wanted.names(file.schema_arrow))
        some = _rows(table, segment.place.category, wanted, hides, after, upto)
        if some.any():
            found.append(table if some.all() else table.filter(pa.array(some)))
    if not found:
        return None
    return by_car(merged(found)) if wanted.sorted else merged(found)


def _rows(table: pa.Table, category: str, wanted: Wanted, hides: Hidden, after: int | None, upto: int | None) -> Bits:
    cars, times = (_ints(table, name) for name in ("vehicle", "time"))
    some: Bits = (times >= wanted.start) & (times < wanted.until)
    if after is not None:
        some &= cars > after
    if upto is not None:
        some &= cars <= upto
    if wanted.vehicles is not None:
        some &= np.isin(cars, np.array(wanted.vehicles, np.int64))
    if wanted.hides:
        some &= ~hides.mask(cars, times, category, _ints(table, "received") if hides.scopes else None)
    serves = wanted.rows(table)
    return some if serves is None else some & serves


def _ints(table: pa.Table, name: str) -> npt.NDArray[np.int64]:
    values: npt.NDArray[np.int64] = table.column(name).cast(pa.int64()).to_numpy()
    return values
