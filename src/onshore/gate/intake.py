"""What happens to every batch: sieved, then written, and only then acknowledged."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
from sqlalchemy.exc import DBAPIError

from onshore.consent.sieve import sieve
from onshore.register import consents, vehicles, zones
from onshore.site import Site
from onshore.vault.journal import Journal


class Intake:
    """The way in that all doors share. Nothing that the sieve withholds reaches the journal."""

    def __init__(self, site: Site, journal: Journal) -> None:
        self._site = site
        self._journal = journal
        self._consents = consents.Standing(site)
        self._zones = zones.Standing(site)

    def look_up(self, vin: bytes) -> int | None:
        """The id of a registered vehicle by its 17 VIN bytes; None for a stranger."""
        with _papers():
            return vehicles.look_up(self._site, vin)

    def take_in(self, batch: pa.RecordBatch) -> None:
        """Sieve a decoded batch and keep what may be kept; returns when that is durable, raises when it is not.

        On a day on which no pack is in force nothing is kept (`stale-rules`), so the cars keep it and send again.
        The caller acknowledges after this returns, never before: a car that hears nothing sends again.
        """
        site = self._site
        with _papers():
            allowed, restricted = self._consents.columns(), self._zones.compiled()
        rulebook = site.rulebook  # once: midnight may pass between two looks
        sieved = sieve(batch, allowed, rulebook, self._consents.now(), zones=restricted)
        self._journal.append(sieved, pack=rulebook.pack)

    def tick(self) -> None:
        """Let the journal begin a new file when its time has come or somebody asked.

        Right before it the doors hand over what they hold, so that it lies in a file of the turn it arrived in.
        """
        with _papers():
            self._journal.tick()


@contextmanager
def _papers() -> Iterator[None]:
    """Papers that do not answer are a disk that does not: nothing counts as kept, and the car sends again."""
    try:
        yield
    except DBAPIError as failed:
        raise OSError(f"the papers do not answer: {failed.orig}") from failed
