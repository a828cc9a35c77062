"""What one connection, one car or one batch may cost, whichever door it comes by."""

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """A frame is one message of a door's protocol. `pending`: frames of one connection that wait for the disk.

    A batch goes to the disk at `batch_frames` or `batch_bytes`, or when its first frame is `batch_ms` old; where
    keeping the last one took longer, it may take as long to gather, up to `batch_most_ms`: the busier the disk, the
    larger the batch. `rate`: frames of one connection that are taken in a second, where one of several KiB counts
    as several; of one that sends more no more is read until the second is over, so nothing of it is lost and nobody
    waits for it. `many_rate`: the same of one that
    sends for many cars, such as another platform. `connections`: how many may be
    open; None is what the process has room for. `strangers`: how many of them that have not logged in, TLS handshakes
    under way included, one peer address may have, but never more than half of `connections`. A whole fleet may come
    from one address (a carrier's gateway) and come back at once, so the number is not small; cars that have logged in
    do not count.
    """

    max_frame: int = 1 << 20
    batch_frames: int = 10_000
    batch_bytes: int = 8 << 20
    batch_ms: int = 5
    batch_most_ms: int = 50
    pending: int = 1000
    rate: int = 2000
    many_rate: int = 100_000
    idle_timeout_s: float = 180.0  # without a whole frame; heartbeats and data come far more often
    login_timeout_s: float = 30.0  # the same before a login
    frame_timeout_s: float = 10.0  # for the rest of a frame that has begun
    connections: int | None = None
    strangers: int = 512
    linger_s: float = 1.0  # for the last answers to leave when the door stops


KIB = 1024
"""Bytes up to which a frame counts as one, where frames are counted against a rate."""

FILES = 64
"""Descriptors that connections leave to the files of a site, its database and its logs."""


def room(descriptors: int) -> tuple[int, int]:
    """Of so many descriptors: (connections that may be open, how many more may be accepted at one go).

    What a loop accepts at one go is not yet counted, has a second descriptor for a moment where it comes with TLS, and
    what is closed is so two turns of the loop later; so four times the second number stays free beside FILES.
    """
    backlog = max(4, min(100, descriptors // 16))
    return max(1, descriptors - FILES - 4 * backlog), backlog


class Room:
    """How many connections all doors of a process may have open together, and how many they have."""

    def __init__(self, most: int | None = None) -> None:
        self.most = most
        self.taken = 0

    @property
    def full(self) -> bool:
        """Whether there is no room for one more."""
        return self.most is not None and self.taken >= self.most


class Tries:
    """Wrong passwords of each peer address in this minute; after `most` of them none from there is looked at."""

    def __init__(self, most: int = 10, addresses: int = 10_000) -> None:
        self._most, self._addresses = most, addresses
        self._minute = 0
        self._wrong: Counter[str] = Counter()

    def allowed(self, address: str, now: int) -> bool:
        """Whether somebody there may try, at `now` (ms UTC); nobody may while too many addresses were wrong."""
        if now // 60_000 != self._minute:
            self._minute = now // 60_000
            self._wrong.clear()
        return self._wrong[address] < self._most and len(self._wrong) <= self._addresses

    def wrong(self, address: str) -> None:
        """Somebody there was wrong, or tried too often."""
        self._wrong[address] += 1


class Spent:
    """What one connection has sent in this second of the loop's time."""

    __slots__ = ("_frames", "_second")

    def __init__(self) -> None:
        self._second = 0
        self._frames = 0

    def add(self, frames: int, now: float, most: int) -> bool:
        """Add so many frames at the loop's time `now` (seconds); whether that is more than `most` in this second."""
        second = int(now)
        if second != self._second:
            self._second, self._frames = second, 0
        self._frames += frames
        return self._frames > most

    def rest(self, now: float) -> float:
        """Seconds until the next second begins."""
        return self._second + 1 - now
