"""Wills of lost connections (MQTT 5.0, 3.1.3.2.2): told once their delay is over, or their session if that is first."""

import asyncio
from collections.abc import Callable

from onshore.gate.mqtt.sessions import Key

_AGAIN = 5.0  # seconds until it is asked again who a car is, where the papers do not answer
Tell = Callable[[], None]
"""Has a will kept; raises OSError where it cannot be told now."""


class Wills:
    """What waits, at most `each` of one car: of more, the one that has waited longest is told at once."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._waiting: dict[Key, tuple[Tell, asyncio.TimerHandle]] = {}
        self._of: dict[int, list[Key]] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._waiting

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, key: Key, tell: Tell, delay: float) -> None:
        """A client was lost; its will is told in so many seconds, if it is not back."""
        self._drop(key)
        if not delay:
            self._told(key, tell)
            return
        self._waiting[key] = tell, asyncio.get_running_loop().call_later(delay, self._due, key)
        mine = self._of.setdefault(key[0], [])
        mine.append(key)
        if len(mine) > self._each:
            self._due(mine[0])

    def back(self, key: Key, *, present: bool) -> None:
        """A client is here again: its will is not told, unless its session has ended (`present` is False)."""
        if present:
            self._drop(key)
        elif key in self._waiting:
            self._due(key)

    def clear(self) -> None:
        """Tell none of them."""
        for key in list(self._waiting):
            self._drop(key)

    def _due(self, key: Key) -> None:
        tell = self._drop(key)
        if tell is not None:
            self._told(key, tell)

    def _told(self, key: Key, tell: Tell) -> None:
        try:
            tell()
        except OSError:
            self.add(key, tell, _AGAIN)

    def _drop(self, key: Key) -> Tell | None:
        found = self._waiting.pop(key, None)
        if found is None:
            return None
        tell, timer = found
        timer.cancel()
        mine = self._of[key[0]]
        mine.remove(key)
        if not mine:
            del self._of[key[0]]
        return tell
