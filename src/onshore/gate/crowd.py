"""Connections that have not logged in, oldest first: of all peer addresses and of each."""

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Crowd(Generic[T]):
    """Who waits at the door, in the order of arrival. Every question takes constant time."""

    def __init__(self) -> None:
        self._all: OrderedDict[T, str] = OrderedDict()
        self._of: dict[str, OrderedDict[T, None]] = {}

    def add(self, who: T, address: str) -> None:
        """Somebody who came from an address; behind all others."""
        self._all[who] = address
        self._of.setdefault(address, OrderedDict())[who] = None

    def discard(self, who: T) -> None:
        """Somebody logged in or left; nothing happens to who is not here."""
        address = self._all.pop(who, None)
        if address is not None:
            of = self._of[address]
            del of[who]
            if not of:
                del self._of[address]

    def many(self, address: str) -> int:
        """How many are here from an address."""
        return len(self._of.get(address, ()))

    def oldest(self, address: str) -> T | None:
        """Who has been here longest of an address; of all, where none is here from there."""
        return next(iter(self._of.get(address) or self._all), None)
