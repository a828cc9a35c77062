"""What happens to every batch: sieved, then written, and only then acknowledged."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pyarrow as pa
from sqlalchemy.exc import DBAPIError

from onshore.consent.columns import Consents
from onshore.consent.drives import SUBJECT, Drives
from onshore.consent.sieve import sieve
from onshore.consent.zones import Zones
from onshore.register import consents, drives, vehicles, zones
from onshore.site import Site
from onshore.vault.arriving import Mark
from onshore.vault.heard import last
from onshore.vault.journal import Journal
from onshore.vault.watch import Watch
from onshore.words.batch import exception_of, with_exception


class Intake:
    """The way in that all doors share. Nothing that the sieve withholds reaches the journal."""

    def __init__(self, site: Site, journal: Journal) -> None:
        self._site = site
        self._journal = journal
        self._consents = consents.Standing(site)
        self._zones = zones.Standing(site)
        self._drives = drives.Standing(site)
        self._watch = Watch(site.engine)
        self._standing: tuple[Drives, Consents, Zones] | None = None

    def look_up(self, vin: bytes) -> int | None:
        """The id of a registered vehicle by its 17 VIN bytes; None for a stranger."""
        with _papers():
            return vehicles.look_up(self._site, vin)

    def take_in(self, batch: pa.RecordBatch, marks: Sequence[Mark] = (), *, heard: bytes = b"") -> None:
        """Sieve a decoded batch and keep what may be kept; returns when that is durable, raises when it is not.

        On a day on which no pack is in force nothing is kept (`stale-rules`), so the cars keep it and send again.
        The caller acknowledges after this returns, never before: a car that hears nothing sends again. `marks`,
        and the digests of what was `heard`, are durable with the batch or not at all. An exception that the batch is
        tagged with (`words.batch.with_exception`) goes with it: what it lifts may be kept for longer.
        """
        with _papers():
            whose, allowed, restricted = self._stands(batch)
        asked = whose.under_driver(batch)
        rulebook = self._site.rulebook  # once: midnight may pass between two looks
        sieved = sieve(asked, allowed, rulebook, self._consents.now(), zones=restricted)
        kept = sieved.kept and with_exception(whose.under_vehicle(sieved.kept), exception_of(batch.schema))
        self._journal.append(replace(sieved, kept=kept), pack=rulebook.pack, marks=marks, heard=heard)

    def heard(self) -> bytes:
        """The digests of what was kept last, by whichever gate of the site, before this one began."""
        with _papers():
            return last(self._site.engine, self._site.root, self._site.vault, self._site.id)

    def _stands(self, batch: pa.RecordBatch) -> tuple[Drives, Consents, Zones]:
        """Whose drives these are, what people allow and where nothing is kept, as it is on paper now."""
        if SUBJECT in batch.schema.names:
            self._standing = None
            self._drives.hear(batch)
        if self._watch.changed() or self._standing is None:
            self._standing = None  # should a look fail, the next batch looks again
            self._standing = self._drives.compiled(), self._consents.columns(), self._zones.compiled()
        return self._standing

    def tick(self) -> None:
        """Let the journal begin a new file when its time has come or somebody asked.

        Right before it the doors hand over what they hold, so that it lies in a file of the turn it arrived in.
        """
        with _papers():
            self._journal.tick()

    def close(self) -> None:
        """Give the papers back."""
        self._watch.close()


@contextmanager
def _papers() -> Iterator[None]:
    """Papers that do not answer are a disk that does not: nothing counts as kept, and the car sends again."""
    try:
        yield
    except DBAPIError as failed:
        raise OSError(f"the papers do not answer: {failed.orig}") from failed
