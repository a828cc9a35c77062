"""Audit: every file of the vault held against what papers know of it; what is wrong, missing or foreign is named."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Engine, select

from onshore.vault import aside, lanes
from onshore.vault.journal_files import LOCK, MAKING, Closed, in_use, path_of, read_journal
from onshore.vault.papers import forwards, journals, mishaps, reading, segments, strays
from onshore.vault.records import Survey
from onshore.vault.segments import Segment, Shelf, open_segment, segments_where
from onshore.vault.segments import path_of as segment_path
from onshore.words.errors import OnshoreError

Found = tuple[str, str]
"""A file, by its path below the vault's folder, and what is wrong with it."""

_OURS = ("journal", "segments", "forward", "aside")
"""Folders in which no file may lie that papers do not know."""


def audit(engine: Engine, shelf: Shelf) -> Iterator[Found]:
    """What is wrong with the files of a vault; nothing where all is well. While others write, what they do is left out.

    Files are listed before papers are asked, so that one that is made meanwhile is not taken for a foreign one.
    """
    there = {p.relative_to(shelf.folder).as_posix() for name in _OURS for p in _files(shelf.folder / name)}
    known: set[str] = set()
    for look in (_segments, _journals, _lanes, _aside):
        for path, wrong in look(engine, shelf):
            known.add(path)
            if wrong:
                yield path, wrong
    with reading(engine) as conn:
        known |= set(conn.execute(select(strays.c.path)).scalars())
    for path in sorted(there - known):
        if (shelf.folder / path).exists() and not _is_lock(shelf.folder / path):
            yield path, "papers know no such file"


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if not path.is_dir())


def _is_lock(path: Path) -> bool:
    return path.parent.parent.name == "journal" and (
        (path.name == LOCK and path.stat().st_size == 0) or (path.name == MAKING)
    )


def _segments(engine: Engine, shelf: Shelf) -> Iterator[Found]:
    with reading(engine) as conn:
        listed = segments_where(conn)
    for segment in listed:
        path = segment_path(segment.place, segment.id).as_posix()
        try:
            yield path, _unlike(segment, open_segment(segment, shelf), shelf.folder / path)
        except (OnshoreError, OSError, pa.ArrowException) as wrong:
            with reading(engine) as conn:
                still = conn.execute(select(segments.c.id).where(segments.c.id == segment.id)).first() is not None
            yield path, str(wrong) if still else ""


def _unlike(segment: Segment, file: pq.ParquetFile, path: Path) -> str:
    """In what a file differs from what papers say of it."""
    times = file.read(columns=["time"]).column("time").cast(pa.int64()).to_numpy()
    found = {
        "rows": (segment.rows, len(times)),
        "bytes": (segment.size, path.stat().st_size),
        "first": (segment.first, int(times.min())),
        "last": (segment.last, int(times.max())),
    }
    differ = [name for name, (said, is_) in found.items() if said != is_]
    return f"papers say otherwise of its {', '.join(differ)}: they were altered" if differ else ""


def _journals(engine: Engine, shelf: Shelf) -> Iterator[Found]:
    with reading(engine) as conn:
        rows = conn.execute(select(journals)).all()
    for row in rows:
        gate, _, number = row.id.partition("/")
        file = path_of(shelf.folder, gate, int(number))
        path = file.relative_to(shelf.folder).as_posix()
        busy = in_use(file) or in_use(file.parent / MAKING)
        closed = Closed(gate, int(number), file, row.wrapped, row.records)
        try:
            yield path, _read_through(closed, shelf, busy=busy)
        except (OnshoreError, OSError) as wrong:
            with reading(engine) as conn:
                still = conn.execute(select(journals.c.id).where(journals.c.id == row.id)).first() is not None
            yield path, str(wrong) if still and not (busy and isinstance(wrong, FileNotFoundError)) else ""


def _read_through(closed: Closed, shelf: Shelf, *, busy: bool) -> str:
    survey = Survey()
    for _ in read_journal(closed, shelf.root, shelf.site, survey):
        pass
    lost = survey.damage(None if busy else closed.records)
    return f"{lost} cannot be read: it was altered" if lost else ""


def _lanes(engine: Engine, shelf: Shelf) -> Iterator[Found]:
    for lane in lanes.waiting(engine):
        path = lanes.path_of(lane.endpoint, lane.id).as_posix()
        try:
            rows = lanes.rows_of(lane, shelf).num_rows
            yield path, "" if rows == lane.left else "papers say otherwise of its rows: they were altered"
        except (OnshoreError, OSError, pa.ArrowException) as wrong:
            with reading(engine) as conn:
                still = conn.execute(select(forwards.c.id).where(forwards.c.id == lane.id)).first() is not None
            yield path, str(wrong) if still else ""


def _aside(engine: Engine, shelf: Shelf) -> Iterator[Found]:
    with reading(engine) as conn:
        kept = aside.kept(conn, mishaps)
    for one in kept:
        there = (shelf.folder / one.path).is_file()
        yield one.path.as_posix(), "" if there else "it was kept aside, damaged, and is missing"
