"""Drain: closed journal files become segments, in one step that neither loses nor doubles a row."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
from sqlalchemy import Engine, delete, insert

from onshore.vault import aside, heard, strays
from onshore.vault.arriving import Mark, advance
from onshore.vault.journal_files import (
    Closed,
    closed_journals,
    drained_files,
    key_context,
    lost_journals,
    read_journal,
)
from onshore.vault.keys import Randomness, RootKey
from onshore.vault.lanes import Sending
from onshore.vault.papers import entries, forget_freed_pages, journals, mishaps, reading, uploads, writing
from onshore.vault.records import Survey
from onshore.vault.segments import (
    BUCKETS,
    Place,
    Segment,
    Shelf,
    fix_buckets,
    list_segment,
    new_id,
    path_of,
    write_segment,
)
from onshore.vault.split import NEAR, Near, split
from onshore.words.errors import Broken
from onshore.words.tally import Tally

AT_ONCE = 256 << 20  # bytes of journal files taken together; several times as much memory


@dataclass(frozen=True)
class Drained:
    """What became of the journals: per rule pack what was kept and withheld, the new segments, how far uploads are."""

    journals: tuple[str, ...]
    tallies: dict[str, Tally]
    segments: tuple[Segment, ...]
    marks: tuple[Mark, ...] = ()
    heard: bytes = b""
    mishaps: tuple[aside.Mishap, ...] = ()

    @property
    def rows_in(self) -> int:
        """Rows that arrived."""
        return sum(tally.rows_in for tally in self.tallies.values())

    @property
    def rows_kept(self) -> int:
        """Rows of which at least one cell was kept."""
        return sum(tally.rows_kept for tally in self.tallies.values())


def drain(
    engine: Engine,
    root: RootKey,
    folder: Path,
    site: str,
    *,
    zone: str,
    clock: Callable[[], int],
    randomness: Randomness,
    announce: Callable[[Drained], bytes],
    buckets: int = BUCKETS,
    at_once: int = AT_ONCE,
    near: Near = NEAR,
    before: int | None = None,
    sending: Sending | None = None,
    step: Callable[[str], None] = lambda _step: None,
) -> Drained | None:
    """Turn closed journal files into segments; None where nothing is left to do: call again until then.

    `folder` is the vault's, `zone` the IANA name whose days the segments follow, of rows whose time is `near` their
    arrival. `announce` gives the bytes that tell the ledger; they are handed in with the same commit that lists the
    segments, and what is `sending`, and destroys the journals' keys. A crash before it leaves the journals, after it
    the segments; the next drain clears what is left over. Of a damaged journal everything that still opens is kept, and
    the file put aside; of one whose file is gone that is told once, and its key kept for the case that it comes back.
    `before` leaves alone what belongs to that turn or a later one. One process drains; of two at once, one is Broken
    and the rows are there once.
    """
    _clear(engine, folder)
    gone = _gone(engine, folder, before, clock)
    taken = _take(_opening(closed_journals(engine, folder, before), root), at_once)
    if not taken:
        return _only_told(engine, gone)
    sending = sending or Sending()
    cut = sending.watching(partial(split, zone=zone, buckets=buckets, near=near))
    tallies, pieces, marks, heard_, surveys = _read(taken, root, site, cut)
    told = (*gone, *_mishaps(taken, surveys, clock))
    planned = [(new_id(randomness), place, piece) for place, piece in pieces]
    paths = [*(path_of(place, id_) for id_, place, _ in planned), *sending.planned(randomness)]
    with writing(engine) as conn:
        fix_buckets(conn, buckets)
        strays.note(conn, paths)
    step("planned")
    shelf, written = Shelf(root, folder, site), []
    for id_, place, piece in planned:
        written.append(write_segment(piece, place, id_, shelf, clock, randomness))
        step("written")
    sending.write(shelf, clock, randomness)
    ids = tuple(closed.id for closed in taken)
    drained = Drained(ids, tallies, tuple(written), tuple(marks.values()), heard_, told)
    entry = announce(drained) if tallies else None
    try:
        _commit(engine, drained, paths, entry, sending)
    except Broken:
        for path in paths:
            (folder / path).unlink(missing_ok=True)  # nobody may have a note of them any more
        raise
    step("committed")
    _unlink(taken, folder, told, step)
    forget_freed_pages(engine)
    return drained


def _clear(engine: Engine, folder: Path) -> None:
    left = drained_files(engine, folder)
    with reading(engine) as conn:
        damaged = {one.journal: one for one in aside.kept(conn, mishaps)} if left else {}
    for path in left:
        _remove(path, folder, damaged.get(f"{path.parent.name}/{path.stem}"))
    if strays.clear(engine, folder) or left:
        forget_freed_pages(engine)  # the keys were struck before the crash, but may still lie in the log


def _remove(path: Path, folder: Path, mishap: aside.Mishap | None) -> None:
    if mishap is None:
        path.unlink(missing_ok=True)
    else:
        aside.put_aside(folder, mishap, path)


def _opening(closed: list[Closed], root: RootKey) -> list[Closed]:
    """Those whose keys open; Broken where there is no other: one key that was altered must not hold up the rest."""
    opening, wrong = [], None
    for one in closed:
        try:
            root.unwrap(one.wrapped, key_context(one.id))
        except Broken as why:
            wrong = wrong or why
        else:
            opening.append(one)
    if wrong is not None and not opening:
        raise wrong
    return opening


def _mishaps(taken: list[Closed], surveys: list[Survey], clock: Callable[[], int]) -> Iterator[aside.Mishap]:
    """What is to be told of files that were not closed in order, or are damaged."""
    for closed, survey in zip(taken, surveys, strict=True):
        lost = survey.damage(closed.records)
        if lost or not survey.ended:
            yield aside.Mishap(closed.id, clock(), survey.read, survey.torn, lost, closed.wrapped if lost else b"")


def _gone(engine: Engine, folder: Path, before: int | None, clock: Callable[[], int]) -> tuple[aside.Mishap, ...]:
    """Of journals whose files are gone what was not told yet."""
    with reading(engine) as conn:
        lost = lost_journals(conn, folder, before)
        known = {one.journal for one in aside.told(conn, mishaps, 0)} if lost else set()
    return tuple(aside.Mishap(one.id, clock(), 0, 0, aside.MISSING) for one in lost if one.id not in known)


def _only_told(engine: Engine, gone: tuple[aside.Mishap, ...]) -> Drained | None:
    if not gone:
        return None
    with writing(engine) as conn:
        aside.note(conn, mishaps, gone)
    return Drained((), {}, (), mishaps=gone)


def _take(closed: list[Closed], at_once: int) -> list[Closed]:
    taken: list[Closed] = []
    size = 0
    for one in closed:
        size += one.path.stat().st_size
        if taken and size > at_once:
            break
        taken.append(one)
    return taken


def _read(
    taken: list[Closed], root: RootKey, site: str, cut: Callable[..., Iterator[tuple[Place, pa.Table]]]
) -> tuple[dict[str, Tally], list[tuple[Place, pa.Table]], dict[str, Mark], bytes, list[Survey]]:
    tallies: dict[str, Tally] = defaultdict(Tally)
    batches: dict[str, list[pa.RecordBatch]] = defaultdict(list)
    marks: dict[str, Mark] = {}
    digests = []
    surveys = [Survey() for _ in taken]
    for closed, survey in zip(taken, surveys, strict=True):
        for record in read_journal(closed, root, site, survey):
            tallies[record.pack] += record.tally
            digests.append(record.heard)
            marks |= {mark.upload: mark for mark in record.marks if mark.step >= _reached(marks, mark.upload)}
            if record.batch is not None:
                batches[record.pack].append(record.batch)
    pieces = [piece for pack, kept in batches.items() for piece in cut(kept, pack=pack)]
    return dict(tallies), pieces, marks, b"".join(digests), surveys


def _reached(marks: dict[str, Mark], upload: str) -> int:
    return marks[upload].step if upload in marks else 0


def _commit(engine: Engine, drained: Drained, paths: list[Path], entry: bytes | None, sending: Sending) -> None:
    with writing(engine) as conn:
        sending.list_(conn)
        for segment in drained.segments:
            list_segment(conn, segment)
        strays.strike(conn, paths)
        struck = conn.execute(delete(journals).where(journals.c.id.in_(drained.journals))).rowcount
        if struck != len(drained.journals):
            raise Broken("a journal was drained meanwhile: two processes keep one site; stop one")
        advance(conn, uploads, drained.marks)
        heard.note(conn, drained.heard)
        aside.note(conn, mishaps, drained.mishaps)
        if entry is not None:
            conn.execute(insert(entries).values(body=entry))


def _unlink(taken: list[Closed], folder: Path, found: Iterable[aside.Mishap], step: Callable[[str], None]) -> None:
    damaged = {one.journal: one for one in found if one.wrapped}
    for closed in taken:
        _remove(closed.path, folder, damaged.get(closed.id))
        step("unlinked")
