"""Compact: the many small segments that drains leave become few of a good size, a bounded piece of work at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, Engine, select

from onshore.vault.keys import Randomness
from onshore.vault.merging import by_car, common, merged
from onshore.vault.papers import reading, segments
from onshore.vault.rewrite import Replaced, replace
from onshore.vault.segments import Place, Segment, Shelf, open_segment, read_groups, segments_where
from onshore.words.errors import Broken

GOOD = 131_072
"""Rows of a segment that is left alone: a bucket's day of 10,000 cars that speak every 10 s or so."""
MOST = 2 * GOOD  # rows read in one turn, and so of a new segment: about 100 MB decoded
_BYTES, _FILES = 64 << 20, 256  # of a turn
_FAN = 8  # small ones that a place has at least while rows still come in
QUIET = 6 * 3_600_000
"""Milliseconds without a new segment after which a place is taken for settled, and even two of its segments merged."""
_RATIO = 8  # in a settled place: how many times as large as the others together the largest may be


@dataclass(frozen=True, slots=True)
class Small:
    """A segment as the choice sees it."""

    place: Place
    id: str
    rows: int
    size: int
    created: int


def chosen(small: Sequence[Small], now: int) -> list[Small]:
    """Which of the small segments of one place to merge now (ms UTC); none where it is better to wait.

    While rows still come in, at least eight, and none larger than the others together: so whatever is rewritten ends
    in a segment twice as large at least, and a row is rewritten no more often than its segment can double. Once the
    place is settled, two will do, unless the one is so large that the others are hardly worth it.
    """
    settled = now - max((one.created for one in small), default=now) >= QUIET
    ratio, least = (_RATIO, 2) if settled else (1, _FAN)
    group: list[Small] = []
    rows = size = 0
    for one in sorted(small, key=lambda one: (one.rows, one.created, one.id)):
        rows, size = rows + one.rows, size + one.size
        if rows > MOST or size > _BYTES or len(group) == _FILES:
            break
        group.append(one)
    while group and group[-1].rows > ratio * sum(one.rows for one in group[:-1]):
        group.pop()
    return group if len(group) >= least else []


def waiting(engine: Engine, now: int) -> int:
    """How many small segments wait to be merged, as of now (ms UTC)."""
    return sum(map(len, _groups(engine, now)))


def compact(
    engine: Engine,
    shelf: Shelf,
    *,
    clock: Callable[[], int],
    randomness: Randomness,
    announce: Callable[[Connection, Replaced], None],
    step: Callable[[str], None] = lambda _step: None,
) -> Replaced | None:
    """Merge small segments place by place, as many as one turn takes; None where nothing is to do: call again until.

    Segments of another pack stay apart, for a segment's key is bound to the one pack that its rows were sieved under
    (its AAD). The new ones hold the same rows under new keys; the old keys are destroyed in the commit that lists
    them, and in which `announce` tells the ledger. A turn reads 262,144 rows, 256 files and 64 MiB at most. The caller
    holds the keep road. Broken where a segment is not what was written: it stays, and is named.
    """
    turn = _turn(engine, shelf, clock())
    if not turn:
        return None
    new = [(place, _rows(files)) for place, files in turn]
    old = [segment for _, files in turn for segment, _ in files]
    counts = [sum(segment.rows for segment, _ in files) for _, files in turn]

    def check(written: tuple[Segment, ...]) -> None:
        if [open_segment(segment, shelf).metadata.num_rows for segment in written] != counts:
            raise Broken("a compacted segment has not the rows of those that it is made of: nothing was replaced")

    return replace(
        engine, shelf, old, new, clock=clock, randomness=randomness, check=check, alongside=announce, step=step
    )


_Files = list[tuple[Segment, pq.ParquetFile]]


def _turn(engine: Engine, shelf: Shelf, now: int) -> list[tuple[Place, _Files]]:
    """What one turn merges: the places with most files first."""
    found: list[tuple[Place, _Files]] = []
    rows = files = size = 0
    for group in sorted(_groups(engine, now), key=len, reverse=True):
        rows, files, size = rows + sum(s.rows for s in group), files + len(group), size + sum(s.size for s in group)
        if found and (rows > MOST or files > _FILES or size > _BYTES):
            break
        opened = _alike(_open(engine, shelf, group))
        if len(opened) > 1:
            found.append((group[0].place, opened))
    return found


def _groups(engine: Engine, now: int) -> list[list[Small]]:
    """What to merge in each place, of those that have anything."""
    t = segments.c
    key = (t.category, t.ground, t.day, t.bucket, t.pack, t.exception)
    ask = select(*key, t.id, t.rows, t.bytes, t.created).where(t.rows < GOOD).order_by(*key)
    with reading(engine) as conn:
        small = [
            Small(Place(r.pack, r.category, r.ground, r.day, r.bucket, r.exception), r.id, r.rows, r.bytes, r.created)
            for r in conn.execute(ask)
        ]
    groups = (chosen(list(some), now) for _, some in groupby(small, key=lambda one: one.place))
    return [group for group in groups if group]


def _open(engine: Engine, shelf: Shelf, group: list[Small]) -> _Files:
    with reading(engine) as conn:
        found = segments_where(conn, segments.c.id.in_([one.id for one in group]))
    return [(segment, open_segment(segment, shelf)) for segment in found]


def _alike(files: _Files) -> _Files:
    """As many as have purposes that the bits of one column do for: over the years there may be more of them."""
    for many in range(len(files), 1, -1):
        if common([file.schema_arrow for _, file in files[:many]]) is not None:
            return files[:many]
    return []


def _rows(files: _Files) -> Callable[[], Iterator[pa.Table]]:
    def pieces() -> Iterator[pa.Table]:
        tables = [read_groups(one, file, list(range(file.num_row_groups))) for one, file in files]
        yield by_car(merged(tables))

    return pieces
