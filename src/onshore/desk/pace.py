"""Pace: how often one address or session may ask; whoever asks more often waits."""

import ipaddress
import threading
from collections.abc import Callable
from math import ceil

_MINUTE = 60_000  # milliseconds
_MOST = 20_000  # who are remembered at once


def address(peer: str, forwarded: str = "") -> str:
    """What an address counts as: one of IPv6 with all of its /64, which is one line's.

    `forwarded`: X-Forwarded-For, where a proxy on this machine may stand before it; the last of it is whom that proxy
    saw, and what comes before is said by anybody. It counts from this machine alone.
    """
    here, last = _ip(peer), _ip(forwarded.rpartition(",")[2])
    if last is not None and here is not None and here.is_loopback:
        here = last
    if here is None:
        return peer
    return f"{int(here) >> 64:x}/64" if here.version == 6 else str(here)


def _ip(said: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(said.strip().strip("[]"))
    except ValueError:
        return None
    return (found.ipv4_mapped if found.version == 6 else None) or found


class Pace:
    """A bucket for each key, filled at `of` a minute up to `of`; clock in milliseconds."""

    def __init__(self, of: int, clock: Callable[[], int]) -> None:
        self._of, self._clock = of, clock
        self._left: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def waits(self, key: str) -> int:
        """Take one; 0, or the seconds after which there is one to take again."""
        now = self._clock()
        with self._lock:
            left, at = self._left.pop(key, (float(self._of), now))
            left = min(self._of, left + max(now - at, 0) * self._of / _MINUTE)
            self._left[key] = (left - 1 if left >= 1 else left), now
            if len(self._left) > _MOST:
                self._left.pop(next(iter(self._left)))  # whoever asked least lately
        return 0 if left >= 1 else ceil((1 - left) * _MINUTE / self._of / 1000)
