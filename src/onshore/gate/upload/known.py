"""What the door upload asks of its site: who a car is, what may be collected from it, what its CAN frames mean."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Protocol

from onshore.gate.policy import Papers as Policies
from onshore.gate.upload import dbc
from onshore.gate.upload.decode import NAME
from onshore.gate.upload.shelf import Shelf
from onshore.register import consents
from onshore.register.certificates import Standing
from onshore.site import Site
from onshore.words.catalogue import Signal
from onshore.words.errors import Malformed


class Papers(Protocol):
    """What the door asks; any of it may raise OSError or what the database raises, and nothing is let in then."""

    shelf: Shelf
    policies: Policies
    catalogue: Mapping[str, Signal]

    def identify(self, certificate: bytes) -> int | None:
        """The vehicle of a certificate (DER) that stands."""

    def collectable(self, vehicle: int) -> Collection[str]:
        """Categories of which something may be collected from a vehicle today."""

    def exceptions(self) -> Collection[str]:
        """The exceptions from the longest time of keeping that files may be."""

    def database(self, name: str) -> Mapping[int, dbc.Message] | None:
        """A CAN database by the name that the settings give it."""


class Known:
    """`Papers` of a running site."""

    def __init__(self, site: Site, standing: Standing, policies: Policies) -> None:
        self._site = site
        self.shelf = Shelf(site)
        self.policies = policies
        self.catalogue = site.catalogue
        self.identify = standing.identify
        self.database = cache(self._database)

    def collectable(self, vehicle: int) -> frozenset[str]:
        """What is allowed now by anybody of this vehicle, or asked for by law at this door."""
        now, book = self._site.clock(), self._site.rulebook
        allowed = {
            consent.category
            for consent in consents.of_vehicle(self._site, vehicle)
            if consent.withdrawn is None and (consent.until is None or consent.until > now)
        }
        return frozenset(allowed | {book.category[name] for name in book.statutory.get(NAME, ())})

    def exceptions(self) -> frozenset[str]:
        """Those of the settings that the law of today knows."""
        rules = self._site.pack.as_of(self._site.today()).store
        known = {rule.name for rule in rules.exception} if rules else set()
        return frozenset(known.intersection(self._site.settings.gate.uploads.exceptions))

    def _database(self, name: str) -> Mapping[int, dbc.Message] | None:
        path = self._site.settings.gate.uploads.dbc.get(name)
        if path is None:
            return None
        file = self._site.folder / path
        try:
            if file.stat().st_size > dbc.MOST:
                raise Malformed(f"a CAN database has {dbc.MOST} bytes at most", where=file.name)
            return dbc.parse(file.read_bytes().decode("utf-8", "replace"))
        except OSError as failed:
            raise Malformed(f"{file.name}: {failed.strerror}", where="site.toml, gate.uploads.dbc") from None
