"""What was kept a short while ago, so that what comes twice is stored once."""

from collections.abc import Iterable


class Recent:
    """Remembers between `most` and twice `most` of the last keys; takes a bounded memory and no time to forget.

    A key is a number of 64 bits that nobody outside can choose, such as a digest of a message, by a key:
    of a million that are remembered one is mistaken for another once in ten million million.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._now: set[int] = set()
        self._before: set[int] = set()

    def known(self, keys: set[int]) -> set[int]:
        """Those of the keys that are remembered."""
        return (keys & self._now) | (keys & self._before)

    def remember(self, keys: Iterable[int]) -> None:
        """To be called once what they stand for is durable, never before."""
        self._now.update(keys)
        if len(self._now) >= self._most:
            self._before, self._now = self._now, set()
