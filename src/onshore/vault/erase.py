"""Erase: what persons asked to have erased goes for good, by rewriting what holds it and destroying the old keys."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, Engine

from onshore.consent.drives import Drives
from onshore.vault import strays
from onshore.vault.drives import read_drives
from onshore.vault.floors import Keep, nothing_kept
from onshore.vault.giving_up import give_up
from onshore.vault.journal_files import gates_behind, journals_before
from onshore.vault.keys import Randomness
from onshore.vault.papers import forget_freed_pages, reading, segments
from onshore.vault.restrictions import Scope, among, covered, hidden
from onshore.vault.rewrite import Replaced, abreast, replace
from onshore.vault.segments import (
    Place,
    Segment,
    Shelf,
    buckets_of,
    find_segment,
    groups_holding,
    open_segment,
    read_groups,
    segments_where,
)
from onshore.words.errors import Broken, Refusal

Ints = npt.NDArray[np.int64]
Bits = npt.NDArray[np.bool_]

_GROUPS = 8  # row groups that are decoded and written anew at once, each of two files: some 65,536 rows
_APART = 3 * 86_400_000  # more than a local day differs from UTC's, and than a believed time lies before its arrival
_NONE = -1  # the bucket of whatever a site without segments is asked for


@dataclass(frozen=True)
class Erased:
    """What an erasure did for one scope: `old` segments are gone with their keys, `new` ones hold others' rows.

    `kept`: per article the rows that a floor of the law holds, which are still there; `latest`: per article, category
    and ground the time of the last of them (ms UTC). `checked`: how many segments of the vehicle's bucket were searched
    and hold no row that was to go. `freed`: no byte of the papers holds an old key; where False, `forget` again before
    anybody is told.
    """

    old: tuple[Segment, ...]
    new: tuple[Segment, ...]
    rows_removed: int
    kept: Mapping[str, int] = field(default_factory=dict)
    checked: int = 0
    freed: bool = False
    latest: Mapping[tuple[str, str, str], int] = field(default_factory=dict)


def erase(
    engine: Engine,
    shelf: Shelf,
    scopes: Sequence[Scope],
    *,
    turn: int,
    clock: Callable[[], int],
    randomness: Randomness,
    keep: Keep = nothing_kept,
    alongside: Callable[[Connection, Mapping[Scope, Erased]], None] = lambda _conn, _erased: None,
    step: Callable[[str], None] = lambda _step: None,
) -> dict[Scope, Erased]:
    """Remove all that these scopes mean and the segments hold now (PIPL Art. 47), search again, say what was done.

    However many scopes: a segment is rewritten once. First restrict them and `ask_rotate`, which answers `turn`; then
    drain what comes `before` it until no gate is behind it and no journal is left from before it. Refused
    (`not-restricted`, `journal-undrained`) until then. No clock is asked: what gates received before the restriction
    lies in those journals, and what they received later in others, which are not drained yet and stay: the car goes on
    driving, and what the law itself demands of it goes on being kept. Rows that `keep` holds stay too. The caller lets
    nobody drain meanwhile. One commit a bucket: `alongside` is called in each, with the scopes whose vehicles are in
    it, and writes what must stand or fall with it. Broken, with that bucket unchanged, where a row is left.
    """
    wanted = list(dict.fromkeys(scopes))
    _refuse_early(engine, shelf.folder, wanted, turn)
    done: dict[Scope, Erased] = {}
    for bucket, some in _by_bucket(engine, wanted).items():
        work = _Bucket(engine, shelf, bucket, some, keep)
        done |= work.erase(clock, randomness, alongside, step)
    freed = forget(engine, shelf.folder)
    nothing = Erased((), (), 0)
    return {scope: _freed(done.get(scope, nothing), freed=freed) for scope in wanted}


def forget(engine: Engine, folder: Path) -> bool:
    """Leave nothing of what was struck, neither file nor key; False while somebody reads the papers: try again."""
    strays.clear(engine, folder)
    give_up(engine, folder)  # nobody can tell whose rows a damaged journal holds, or one that may come back
    return forget_freed_pages(engine, rebuild=True)


class _Rows(NamedTuple):
    """Rows of one row group that are of cars asked for: their places in it, vehicles, times and arrivals."""

    group: int
    places: Ints
    vehicle: Ints
    time: Ints
    received: Ints


class _Bucket:
    """The erasure of what scopes mean in one bucket."""

    def __init__(self, engine: Engine, shelf: Shelf, bucket: int, scopes: list[Scope], keep: Keep) -> None:
        self._engine, self._shelf, self._scopes, self._keep = engine, shelf, scopes, keep
        self._cars = sorted({scope.vehicle for scope in scopes})
        with reading(engine) as conn:
            self._standing = segments_where(conn, segments.c.bucket == bucket)
            self._drives: Drives = read_drives(conn, self._cars)
        self._rows: Counter[Scope] = Counter()
        self._kept: dict[Scope, Counter[str]] = {scope: Counter() for scope in scopes}
        self._latest: dict[Scope, dict[tuple[str, str, str], int]] = {scope: {} for scope in scopes}
        self._touched: dict[Scope, set[str]] = {scope: set() for scope in scopes}

    def erase(
        self,
        clock: Callable[[], int],
        randomness: Randomness,
        alongside: Callable[[Connection, Mapping[Scope, Erased]], None],
        step: Callable[[str], None],
    ) -> dict[Scope, Erased]:
        looked = zip(self._standing, abreast(self._asked_of, self._standing), strict=True)
        goes = [(segment, self._goes(segment, rows, counts=True)) for segment, rows in looked]
        old = [segment for segment, gone in goes if gone]
        new = [(segment.place, self._rest(segment, gone)) for segment, gone in goes if gone]
        done: dict[Scope, Erased] = {}

        def note(conn: Connection, replaced: Replaced) -> None:
            done.update(self._erased(replaced))
            alongside(conn, done)

        replace(
            self._engine,
            self._shelf,
            old,
            new,
            clock=clock,
            randomness=randomness,
            check=self._search,
            alongside=note,
            step=step,
        )
        return done

    def _asked_of(self, segment: Segment, written: pq.ParquetFile | None = None) -> list[_Rows]:
        """The rows of the cars asked for: all that is decoded of most segments. Of a `written` one all are searched.

        Without its digest: each part of a file is authenticated, and what is rewritten is compared as a whole then.
        """
        cars = np.array(sorted({scope.vehicle for scope in self._asking(segment)}), np.int64)
        found: list[_Rows] = []
        if not len(cars):
            return found
        file = written or find_segment(segment, self._shelf) or open_segment(segment, self._shelf)
        for group in groups_holding(file, None if written else cars.tolist()):
            vehicle = _ints(read_groups(segment, file, [group], ["vehicle"]), "vehicle")
            places = np.flatnonzero(among(vehicle, cars))
            if len(places):
                rest = read_groups(segment, file, [group], ["time", "received"])
                times = (_ints(rest, name)[places] for name in ("time", "received"))
                found.append(_Rows(group, places, vehicle[places], *times))
        return found

    def _goes(self, segment: Segment, asked: list[_Rows], *, counts: bool) -> dict[int, Ints]:
        """Per row group the places of what is to go, if any; counts, if asked to, what goes and stays per scope."""
        mine, goes = self._asking(segment), {}
        for one in asked:
            held, why = self._held(segment, one.time)
            gone = np.zeros(len(held), dtype=bool)
            category = segment.place.category
            for place, rows in covered(mine, one.vehicle, one.time, category, self._drives, one.received):
                gone[rows] = True
                if counts:
                    self._count(mine[place], segment, len(rows) - int(held[rows].sum()))
                    for article, bits in why:
                        self._keeps(mine[place], segment.place, article, one.time[rows[bits[rows]]])
            gone &= ~held
            if gone.any():
                goes[one.group] = one.places[gone]
        return goes

    def _count(self, scope: Scope, segment: Segment, removed: int) -> None:
        if removed:
            self._rows[scope] += removed
            self._touched[scope].add(segment.id)

    def _keeps(self, scope: Scope, place: Place, article: str, times: Ints) -> None:
        if len(times):
            self._kept[scope][article] += len(times)
            what, latest = (article, place.category, place.ground), self._latest[scope]
            latest[what] = max(int(times.max()), latest.get(what, int(times[0])))

    def _rest(self, segment: Segment, goes: dict[int, Ints]) -> Callable[[], Iterator[pa.Table]]:
        def stays(file: pq.ParquetFile, group: int) -> Bits:
            rest = np.ones(file.metadata.row_group(group).num_rows, dtype=bool)
            if group in goes:
                rest[goes[group]] = False
            return rest

        def pieces() -> Iterator[pa.Table]:
            file = open_segment(segment, self._shelf)
            for first in range(0, file.num_row_groups, _GROUPS):
                groups = range(first, min(first + _GROUPS, file.num_row_groups))
                table = read_groups(segment, file, list(groups))
                if any(group in goes for group in groups):
                    table = table.filter(pa.array(np.concatenate([stays(file, group) for group in groups])))
                if table.num_rows:
                    yield table

        return pieces

    def _held(self, segment: Segment, time: Ints) -> tuple[Bits, list[tuple[str, Bits]]]:
        """Which rows any floor holds, and per article those that it is the first to hold."""
        held, why = np.zeros(len(time), dtype=bool), []
        for article, bits in self._keep(segment.place.category, segment.place.ground, time):
            why.append((article, bits & ~held))
            held |= bits
        return held, why

    def _asking(self, segment: Segment) -> list[Scope]:
        day = date.fromisoformat(segment.place.day)
        least = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000) - _APART
        first = min(segment.first, least)  # a row may count from its arrival, which is never long before its day
        return [s for s in self._scopes if s.touches(segment.place.category, first, segment.last)]

    def _search(self, new: tuple[Segment, ...]) -> None:
        """Search what was written, in the rows themselves; what was not rewritten was searched to begin with."""
        found = abreast(lambda segment: self._asked_of(segment, open_segment(segment, self._shelf)), new)
        for segment, rows in zip(new, found, strict=True):
            if self._goes(segment, rows, counts=False):
                raise Broken(f"segment {segment.id} still holds rows that were to be erased: keep them restricted")

    def _erased(self, replaced: Replaced) -> dict[Scope, Erased]:
        pairs = list(zip(replaced.old, replaced.made, strict=True))
        checked = len(self._standing) - len(replaced.old) + len(replaced.new)
        done = {}
        for scope in self._scopes:
            mine = [(old, new) for old, new in pairs if old.id in self._touched[scope]]
            new = tuple(new for _, new in mine if new is not None)
            kept, latest = dict(self._kept[scope]), self._latest[scope]
            done[scope] = Erased(tuple(old for old, _ in mine), new, self._rows[scope], kept, checked, latest=latest)
        return done


def _refuse_early(engine: Engine, folder: Path, scopes: list[Scope], turn: int) -> None:
    stands = hidden(engine)
    if not all(stands.holds(scope) for scope in scopes):
        raise Refusal(
            "not-restricted",
            "what is to be erased is not restricted: new rows and readers would race with its erasure",
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


def _by_bucket(engine: Engine, scopes: list[Scope]) -> dict[int, list[Scope]]:
    found: dict[int, list[Scope]] = {}
    with reading(engine) as conn:
        buckets = {v: buckets_of(conn, [v]) for v in {scope.vehicle for scope in scopes}}
    for scope in scopes:
        bucket = buckets[scope.vehicle] or [_NONE]
        found.setdefault(bucket[0], []).append(scope)
    return found


def _freed(erased: Erased, *, freed: bool) -> Erased:
    return dataclasses.replace(erased, freed=freed)


def _ints(table: pa.Table, name: str) -> Ints:
    values: Ints = table.column(name).cast(pa.int64()).to_numpy()
    return values
