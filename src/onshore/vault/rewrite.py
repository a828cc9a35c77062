"""Rewrite: the one way in which listed segments are replaced or dropped, their keys with them."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

import pyarrow as pa
from sqlalchemy import Connection, Engine

from onshore.vault import strays
from onshore.vault.keys import Randomness
from onshore.vault.papers import forget_freed_pages, writing
from onshore.vault.segments import (
    Place,
    Segment,
    Shelf,
    list_segment,
    new_id,
    path_of,
    unlist_segment,
    write_tables,
)

_AT_ONCE = 2  # files that are read or written at the same time; each holds one in memory
_One = TypeVar("_One")
_Got = TypeVar("_Got")

Rows: TypeAlias = pa.Table | Callable[[], Iterator[pa.Table]]
"""What a new segment holds, sorted by (vehicle, time): at once, or made piece by piece when it is written."""


@dataclass(frozen=True)
class Replaced:
    """`old` segments are gone with their keys (`wrapped` is empty), `new` ones are listed in their stead.

    `made`: what became of each of the new rows asked for, None where they were none.
    """

    old: tuple[Segment, ...]
    made: tuple[Segment | None, ...]

    @property
    def new(self) -> tuple[Segment, ...]:
        """The new segments."""
        return tuple(segment for segment in self.made if segment is not None)


def replace(
    engine: Engine,
    shelf: Shelf,
    old: Sequence[Segment],
    new: Sequence[tuple[Place, Rows]],
    *,
    clock: Callable[[], int],
    randomness: Randomness,
    check: Callable[[tuple[Segment, ...]], None] = lambda _new: None,
    alongside: Callable[[Connection, Replaced], None] = lambda _conn, _replaced: None,
    step: Callable[[str], None] = lambda _step: None,
) -> Replaced:
    """Write new segments under keys of their own, then list them and strike the old ones with their keys, at once.

    Of rows that turn out to be none no segment is made. A crash before the commit leaves the old segments, after it
    the new ones; files that are nobody's then are noted, and whoever rewrites or drains next removes them. `check`
    looks at what was written before anything is listed, `alongside` writes into the same commit. The caller holds
    the keep road. Broken, with nothing changed, where an old segment left the papers meanwhile.
    """
    strays.clear(engine, shelf.folder)
    planned = [(new_id(randomness), place, rows) for place, rows in new]
    paths = [path_of(place, id_) for id_, place, _ in planned]
    with writing(engine) as conn:
        strays.note(conn, paths)
    step("planned")
    made = []
    for segment in _written(planned, shelf, clock, randomness):
        made.append(segment)
        step("written")
    replaced = Replaced(tuple(dataclasses.replace(segment, wrapped=b"") for segment in old), tuple(made))
    check(replaced.new)
    _commit(engine, replaced, paths, alongside)
    step("committed")
    _clear(engine, shelf)
    step("unlinked")
    return replaced


def drop(
    engine: Engine,
    shelf: Shelf,
    old: Sequence[Segment],
    *,
    alongside: Callable[[Connection, Replaced], None] = lambda _conn, _replaced: None,
    step: Callable[[str], None] = lambda _step: None,
) -> Replaced:
    """Strike segments with their keys, then remove their files; otherwise as `replace` with nothing new."""
    strays.clear(engine, shelf.folder)
    dropped = Replaced(tuple(dataclasses.replace(segment, wrapped=b"") for segment in old), ())
    _commit(engine, dropped, [], alongside)
    step("committed")
    _clear(engine, shelf)
    step("unlinked")
    return dropped


def _written(
    planned: Sequence[tuple[str, Place, Rows]], shelf: Shelf, clock: Callable[[], int], randomness: Randomness
) -> Iterator[Segment | None]:
    """Write new segments, some at once, as Arrow needs no interpreter for most of it; what they became, in order."""

    def write(one: tuple[str, Place, Rows]) -> Segment | None:
        id_, place, rows = one
        tables = iter((rows,)) if isinstance(rows, pa.Table) else rows()
        return write_tables(tables, place, id_, shelf, clock, randomness)

    return abreast(write, planned)


def abreast(act: Callable[[_One], _Got], many: Iterable[_One]) -> Iterator[_Got]:
    """What an act gives for each of many, in order, some at once: for work on files, most of which is Arrow's."""
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        yield from pool.map(act, many)
    finally:
        pool.shutdown(cancel_futures=True)


def _clear(engine: Engine, shelf: Shelf) -> None:
    """Keys first: as long as files are noted, a crash has the next drain empty the log that still holds them."""
    forget_freed_pages(engine)
    strays.clear(engine, shelf.folder)


def _commit(
    engine: Engine, replaced: Replaced, planned: list[Path], alongside: Callable[[Connection, Replaced], None]
) -> None:
    with writing(engine) as conn:
        for segment in replaced.old:
            unlist_segment(conn, segment)
        for segment in replaced.new:
            list_segment(conn, segment)
        strays.strike(conn, planned)
        strays.note(conn, [path_of(segment.place, segment.id) for segment in replaced.old])
        alongside(conn, replaced)
