"""Again: rows that were kept for a purpose, read for it and sieved again with what stands at that moment."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select

from onshore.consent.columns import Consents
from onshore.consent.drives import Drives
from onshore.consent.sieve import sieve
from onshore.consent.zones import Zones
from onshore.register import consents, drives, zones
from onshore.site import Site
from onshore.vault import drives as drives_on_paper
from onshore.vault import restrictions
from onshore.vault.papers import meta, reading
from onshore.vault.read import read
from onshore.vault.restrictions import Hidden
from onshore.words.batch import signals
from onshore.words.place import HERE, NOWHERE, ROW_DATUM, coordinates
from onshore.words.tally import Sieved
from onshore.words.use import Use
from onshore.words.vocabulary import STATUTORY

_ROWS = 16_384
"""Of a batch, about: what is read in smaller pieces is put together for it, and what stands now asked for once."""


_COUNTERS = (consents.COUNTER, zones.COUNTER, drives_on_paper.COUNTER, restrictions.COUNTER)
_TURNS = select(meta.c.name, meta.c.value).where(meta.c.name.in_(_COUNTERS))


class Again:
    """Rows for one use, sieved again batch by batch: a consent that is gone, or a zone drawn since, counts at the next.

    Only rows kept for the purpose are read, under the ground that serves it, and never what is restricted
    (`vault.read`). What was kept before a zone was known is not handed on.
    """

    def __init__(self, site: Site, use: Use) -> None:
        self._site = site
        self._use = use
        self._standing = _Standing(site)

    def rows(
        self,
        category: str,
        *,
        start: int,
        until: int,
        vehicles: Collection[int] | None = None,
        columns: Collection[str] | None = None,
        only: bool = False,
        now: int = 0,
        in_order: bool = True,
    ) -> Iterator[Sieved]:
        """Kept batches of a category with events in [start, until), milliseconds UTC, and what was withheld of them.

        `columns`: the signals that are wanted; which rows come does not depend on it, and others may come too. With
        `only` no other signal comes, nor a row without a kept cell of these. `now`: an instant before which nobody is
        to be asked; the site's clock where that is later. `in_order`, and refused, as by `read`; without it small
        tables come as one batch, so that fewer looks are taken at what stands.
        """
        wanted = self._beside(category, columns) if only and columns is not None else self._wanted(category, columns)
        tables = read(
            self._site.engine,
            self._site.root,
            self._site.vault,
            self._site.id,
            use=self._use.purpose,
            categories=[category],
            start=start,
            until=until,
            vehicles=vehicles,
            columns=wanted,
            in_order=in_order,
        )
        witness = None if wanted is None or only else self._witness(category, wanted)
        apart = ((table,) for table in tables) if in_order else (tables,)
        batches = chain.from_iterable(_gathered(some) for some in apart)
        found = self._sieved(category, batches, witness, now)
        return (_narrowed(one, columns) for one in found) if only and columns is not None else found

    def _sieved(
        self, category: str, batches: Iterator[pa.RecordBatch], witness: str | None, now: int
    ) -> Iterator[Sieved]:
        for came in self._of_one_door(batches):
            stands = self._standing.looked()
            batch = _shown(came, category, stands.hides)
            if batch.num_rows:
                asked = stands.whose.under_driver(batch if witness is None else _with(batch, witness))
                at = max(now, self._standing.now())
                found = sieve(asked, stands.allowed, self._site.rulebook, at, only=self._use, zones=stands.zoned)
                yield Sieved(found.kept and stands.whose.under_vehicle(found.kept), found.tally)

    def _of_one_door(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches; under the law's own ground each of one door, for the law keeps by the door."""
        for batch in batches:
            if self._use.purpose != STATUTORY:
                yield batch
                continue
            doors = batch.column("door").cast(pa.string())
            for door in doors.unique():
                yield batch.filter(pc.equal(doors, door))

    def _wanted(self, category: str, columns: Collection[str] | None) -> frozenset[str] | None:
        """All columns (None) where cells of a row are decided apart: by their place, or by the door that sent them.

        A zone that is drawn while they are read has the sieve withhold what no position was read for.
        """
        if columns is None or self._use.purpose == STATUTORY:
            return None
        if len(self._standing.looked().zoned) and category in self._site.rulebook.zoned:
            return None
        return frozenset(columns)

    def _beside(self, category: str, columns: Collection[str]) -> frozenset[str]:
        """The wanted columns, and those of positions where a row's own decides whether it is kept."""
        if category not in self._site.rulebook.zoned:
            return frozenset(columns)
        pairs = coordinates(self._site.rulebook.places)
        told = {self._site.rulebook.places.get(name, HERE) for name in columns} | {HERE}
        asked = [pair for place in told - {NOWHERE} if (pair := pairs.get(place)) is not None]
        return frozenset(columns) | {ROW_DATUM, *(name for pair in asked for name in pair)}

    def _witness(self, category: str, wanted: Collection[str]) -> str | None:
        """A signal of the category that is not wanted, to stand for every cell of a row that is not read.

        The sieve leaves out rows without a cell, and those of a car's row that matter may be in columns that nobody
        asked for. Each row of a segment has a cell of its category, and a consent covers all of them or none.
        """
        known = self._site.rulebook.category
        return min((name for name, its in known.items() if its == category and name not in wanted), default=None)


@dataclass(frozen=True)
class _Stands:
    """What stood at one look: restrictions, who drove, consents, zones."""

    hides: Hidden
    whose: Drives
    allowed: Consents
    zoned: Zones


class _Standing:
    """What stands now: one question tells whether anything changed, and only then each is asked for."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._consents = consents.Standing(site)
        self._zones = zones.Standing(site)
        self._drives = drives.Standing(site)
        self._restricted = restrictions.Standing()
        self._turns: dict[str, str] | None = None
        self._stands: _Stands

    def looked(self) -> _Stands:
        """What stands as of this look; each part is read after the counters are, so none is older than they say."""
        with reading(self._site.engine) as conn:
            turns = {row.name: row.value for row in conn.execute(_TURNS)}
            if turns == self._turns:
                return self._stands
            hides = self._restricted.hidden(conn)
        self._stands = _Stands(hides, self._drives.compiled(), self._consents.columns(), self._zones.compiled())
        self._turns = turns
        return self._stands

    def now(self) -> int:
        """The instant for which consents are asked, as of the last look."""
        return self._consents.now()


def _gathered(tables: Iterable[pa.Table]) -> Iterator[pa.RecordBatch]:
    """Batches that own what they hold: of a part of a larger array the sieve would copy every cell.

    What came alone and is large is one as it is; smaller pieces of these tables that are alike are put together.
    """
    held: list[pa.RecordBatch] = []
    for piece in (piece for table in tables for piece in table.to_batches()):
        rows = sum(one.num_rows for one in held) + piece.num_rows
        if held and (rows > _ROWS or not piece.schema.equals(held[0].schema, check_metadata=True)):
            yield _together(held)
            held = []
        held.append(piece)
    if held:
        yield _together(held)


def _together(pieces: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(pieces) == 1:
        return pieces[0]
    (batch,) = pa.Table.from_batches(pieces).unify_dictionaries().combine_chunks().to_batches()
    return batch


def _shown(batch: pa.RecordBatch, category: str, hides: Hidden) -> pa.RecordBatch:
    """What is not restricted by now: the segment may have been read a while ago."""
    vehicle, time, received = (
        batch.column(name).cast(pa.int64()).to_numpy() for name in ("vehicle", "time", "received")
    )
    hidden = hides.mask(vehicle, time, category, received)
    return batch.filter(pa.array(~hidden)) if hidden.any() else batch


def _with(batch: pa.RecordBatch, witness: str) -> pa.RecordBatch:
    return batch.append_column(witness, pa.array(np.ones(batch.num_rows, np.bool_)))


def _narrowed(found: Sieved, columns: Collection[str]) -> Sieved:
    """Of what was kept the wanted columns, and the rows that have a cell in them."""
    kept = found.kept
    names = [] if kept is None else [name for name in signals(kept.schema) if name in columns]
    if kept is None or not names:
        return Sieved(None, replace(found.tally, rows_kept=0))
    some = reduce(pc.or_, (kept.column(name).is_valid() for name in names))
    others = {*signals(kept.schema)} - {*names}
    left = kept.select([name for name in kept.schema.names if name not in others])
    left = left if pc.all(some).as_py() else left.filter(some)
    return Sieved(left if left.num_rows else None, replace(found.tally, rows_kept=left.num_rows))
