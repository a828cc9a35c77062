"""Again: rows that were kept for a purpose, read for it and sieved again with what stands at that moment."""

from collections.abc import Collection, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from onshore.consent.sieve import sieve
from onshore.register import consents, drives, zones
from onshore.site import Site
from onshore.vault import restrictions
from onshore.vault.papers import reading
from onshore.vault.read import read
from onshore.words.tally import Sieved
from onshore.words.use import Use
from onshore.words.vocabulary import STATUTORY

_ROWS = 16_384
"""Of a batch: for so many, what stands now is asked for once."""


class Again:
    """Rows for one use, sieved again batch by batch: a consent that is gone, or a zone drawn since, counts at the next.

    Only rows kept for the purpose are read, under the ground that serves it, and never what is restricted
    (`vault.read`). What was kept before a zone was known is not handed on.
    """

    def __init__(self, site: Site, use: Use) -> None:
        self._site = site
        self._use = use
        self._consents = consents.Standing(site)
        self._zones = zones.Standing(site)
        self._drives = drives.Standing(site)
        self._restricted = restrictions.Standing()

    def rows(
        self,
        category: str,
        *,
        start: int,
        until: int,
        vehicles: Collection[int] | None = None,
        columns: Collection[str] | None = None,
        now: int = 0,
    ) -> Iterator[Sieved]:
        """Kept batches of a category with events in [start, until), milliseconds UTC, and what was withheld of them.

        `columns`: the signals that are wanted; which rows come does not depend on it, and others may come too. `now`:
        an instant before which nobody is to be asked; the site's clock where that is later. Refused as by `read`.
        """
        wanted = self._wanted(category, columns)
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
        )
        witness = None if wanted is None else self._witness(category, wanted)
        batches = (self._shown(batch, category) for table in tables for batch in self._batches(table))
        return self._sieved(batches, witness, now)

    def _sieved(self, batches: Iterator[pa.RecordBatch], witness: str | None, now: int) -> Iterator[Sieved]:
        for batch in batches:
            if batch.num_rows:
                whose = self._drives.compiled()
                asked = whose.under_driver(batch if witness is None else _with(batch, witness))
                allowed, zoned = self._consents.columns(), self._zones.compiled()
                at = max(now, self._consents.now())
                found = sieve(asked, allowed, self._site.rulebook, at, only=self._use, zones=zoned)
                yield Sieved(found.kept and whose.under_vehicle(found.kept), found.tally)

    def _shown(self, batch: pa.RecordBatch, category: str) -> pa.RecordBatch:
        """What is not restricted by now: the segment may have been read a while ago."""
        with reading(self._site.engine) as conn:
            hides = self._restricted.hidden(conn)
        vehicle, time, received = (
            batch.column(name).cast(pa.int64()).to_numpy() for name in ("vehicle", "time", "received")
        )
        return batch.filter(pa.array(~hides.mask(vehicle, time, category, received)))

    def _batches(self, table: pa.Table) -> Iterator[pa.RecordBatch]:
        """The batches of a table; under the law's own ground each of one door, for the law keeps by the door."""
        whole = table.combine_chunks()
        if self._use.purpose != STATUTORY:
            yield from whole.to_batches(_ROWS)
            return
        doors = whole.column("door").cast(pa.string())
        for door in doors.unique():
            yield from whole.filter(pc.equal(doors, door)).combine_chunks().to_batches(_ROWS)

    def _wanted(self, category: str, columns: Collection[str] | None) -> frozenset[str] | None:
        """All columns (None) where cells of a row are decided apart: by their place, or by the door that sent them."""
        if columns is None or self._use.purpose == STATUTORY or category in self._site.rulebook.zoned:
            return None
        return frozenset(columns)

    def _witness(self, category: str, wanted: Collection[str]) -> str | None:
        """A signal of the category that is not wanted, to stand for every cell of a row that is not read.

        The sieve leaves out rows without a cell, and those of a car's row that matter may be in columns that nobody
        asked for. Each row of a segment has a cell of its category, and a consent covers all of them or none.
        """
        known = self._site.rulebook.category
        return min((name for name, its in known.items() if its == category and name not in wanted), default=None)


def _with(batch: pa.RecordBatch, witness: str) -> pa.RecordBatch:
    return batch.append_column(witness, pa.array(np.ones(batch.num_rows, np.bool_)))
