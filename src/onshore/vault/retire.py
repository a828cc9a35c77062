"""Retire: rows that may be kept no longer go for good, a bounded piece of work at a time, by whole files where it can.

When a row was made is told by the local day that it lies under: its own time, or where that is of another day (a clock
that runs wrong, as `split` filed it) when it arrived. So the age of a file is known from the list of segments alone.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, Engine, select

from onshore.rules.local import local_day, local_midnight
from onshore.vault.keys import Randomness
from onshore.vault.papers import reading, segments
from onshore.vault.rewrite import Replaced, replace
from onshore.vault.segments import Segment, Shelf, open_segment, read_groups, segments_where
from onshore.words.errors import Broken

Ints = npt.NDArray[np.int64]
Bits = npt.NDArray[np.bool_]
Kind = tuple[str, str, str]
"""Category, ground, exception: what the law asks of rows besides their age."""

Cut = Callable[[Kind], int | None]
"""Kind to the instant (ms UTC) before which a row must have been made to go now; None where none goes."""

MOST = 262_144  # rows of files that must be rewritten in one turn, read in row groups
_FILES = 512  # of a turn: those of which nothing stays need not be opened


@dataclass(frozen=True)
class Ripe:
    """A segment that holds rows to go. `whole`: nothing else, as its day and times say without a look into it."""

    segment: Segment
    cut: int
    whole: bool


@dataclass(frozen=True)
class Retired:
    """What one turn did to segments of one kind, and how many rows went."""

    kind: Kind
    old: tuple[Segment, ...]
    new: tuple[Segment, ...]
    rows: int


def kind_of(segment: Segment) -> Kind:
    """What the law asks by."""
    return segment.place.category, segment.place.ground, segment.place.exception


def kinds(engine: Engine) -> list[Kind]:
    """The kinds of which there is any segment."""
    t = segments.c
    with reading(engine) as conn:
        ask = select(t.category, t.ground, t.exception).distinct().order_by(t.category, t.ground, t.exception)
        return [(row.category, row.ground, row.exception) for row in conn.execute(ask)]


def made_span(segment: Segment, zone: str) -> tuple[int, int]:
    """The earliest and the latest instant (ms UTC) at which its rows can have been made."""
    day = date.fromisoformat(segment.place.day)
    start, end = local_midnight(day, zone), local_midnight(day + timedelta(days=1), zone) - 1
    return (segment.first, segment.last) if start <= segment.first and segment.last <= end else (start, end)


def made(table: pa.Table, day: str, zone: str) -> Ints:
    """When each row was made (ms UTC)."""
    of = date.fromisoformat(day)
    start, end = local_midnight(of, zone), local_midnight(of + timedelta(days=1), zone) - 1
    time, received = (table.column(name).cast(pa.int64()).to_numpy() for name in ("time", "received"))
    found: Ints = np.where((time >= start) & (time <= end), time, np.clip(received, start, end))
    return found


def ripe(engine: Engine, shelf: Shelf, zone: str, cut: Cut) -> Iterator[Ripe]:
    """Segments that hold rows to go, the oldest days of each kind first."""
    for kind in kinds(engine):
        before = cut(kind)
        if before is None:
            continue
        for segment in _until(engine, kind, local_day(before, zone)):
            first, last = made_span(segment, zone)
            if last < before:
                yield Ripe(segment, before, whole=True)
            elif first < before:
                goes = 0
                with suppress(Broken):  # others tell of damage; a damaged one goes unopened once all of it may
                    goes = _going(segment, shelf, zone, before)
                if goes:
                    yield Ripe(segment, before, whole=False)


def _until(engine: Engine, kind: Kind, day: date) -> list[Segment]:
    t, (category, ground, exception) = segments.c, kind
    with reading(engine) as conn:
        found = segments_where(
            conn, t.category == category, t.ground == ground, t.exception == exception, t.day <= day.isoformat()
        )
    return sorted(found, key=lambda segment: (segment.place.day, segment.place.bucket, segment.created, segment.id))


def going(one: Ripe, shelf: Shelf, zone: str) -> int:
    """How many rows of it are to go."""
    return one.segment.rows if one.whole else _going(one.segment, shelf, zone, one.cut)


def _going(segment: Segment, shelf: Shelf, zone: str, before: int) -> int:
    file = open_segment(segment, shelf)
    return sum(int(_goes(segment, file, [group], zone, before).sum()) for group in range(file.num_row_groups))


def _goes(segment: Segment, file: pq.ParquetFile, groups: list[int], zone: str, before: int) -> Bits:
    table = read_groups(segment, file, groups, ["time", "received"])
    goes: Bits = made(table, segment.place.day, zone) < before
    return goes


def retire(
    engine: Engine,
    shelf: Shelf,
    zone: str,
    cut: Cut,
    *,
    clock: Callable[[], int],
    randomness: Randomness,
    alongside: Callable[[Connection, Sequence[Retired]], None] = lambda _conn, _retired: None,
    step: Callable[[str], None] = lambda _step: None,
) -> tuple[Retired, ...]:
    """Drop what may be kept no longer, as much as one turn takes; nothing where nothing is left: call again until.

    A file of which all goes is dropped with its key unopened; one of which something stays is rewritten under another.
    512 files and, of those to be rewritten, 262,144 rows at most, one file at least. One commit, in which `alongside`
    tells the ledger; a crash before it leaves the old files, after it the new. The caller holds the keep road.
    Broken, with nothing changed, where a new file still holds what was to go, or an old one is not what was written.
    """
    turn = _turn(ripe(engine, shelf, zone, cut))
    if not turn:
        return ()
    before = {kind_of(one.segment): one.cut for one in turn}
    split = [one for one in turn if not one.whole]
    done: list[Retired] = []

    def check(new: tuple[Segment, ...]) -> None:
        for segment in new:
            if _going(segment, shelf, zone, before[kind_of(segment)]):
                raise Broken(f"segment {segment.id} still holds rows that were to go: nothing was replaced")

    def note(conn: Connection, replaced: Replaced) -> None:
        done.extend(_told(replaced))
        alongside(conn, done)

    replace(
        engine,
        shelf,
        [one.segment for one in turn],
        [(one.segment.place, _rest(one.segment, shelf, zone, one.cut)) for one in split],
        clock=clock,
        randomness=randomness,
        check=check,
        alongside=note,
        step=step,
    )
    return tuple(done)


def _turn(found: Iterator[Ripe]) -> list[Ripe]:
    turn: list[Ripe] = []
    rows = 0
    for one in found:
        rows += 0 if one.whole else one.segment.rows
        if turn and rows > MOST:
            break
        turn.append(one)
        if len(turn) == _FILES:
            break
    return turn


def _rest(segment: Segment, shelf: Shelf, zone: str, before: int) -> Callable[[], Iterator[pa.Table]]:
    def pieces() -> Iterator[pa.Table]:
        file = open_segment(segment, shelf)
        for group in range(file.num_row_groups):
            table = read_groups(segment, file, [group])
            goes = made(table, segment.place.day, zone) < before
            rest = table.filter(pa.array(~goes)) if goes.any() else table
            if rest.num_rows:
                yield rest

    return pieces


def _told(replaced: Replaced) -> Iterator[Retired]:
    for kind in sorted({kind_of(segment) for segment in replaced.old}):
        old = tuple(segment for segment in replaced.old if kind_of(segment) == kind)
        new = tuple(segment for segment in replaced.new if kind_of(segment) == kind)
        yield Retired(kind, old, new, sum(s.rows for s in old) - sum(s.rows for s in new))
