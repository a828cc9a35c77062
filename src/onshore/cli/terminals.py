"""A simulated car's connection once it is open: what it sent, what was answered, how long that took."""

import asyncio
import math
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from onshore.cli.voices.spoken import Ears
from onshore.words.errors import Broken, Refusal

PATIENCE = 30  # seconds to wait for answers
PARTING = 2  # seconds until a gate that does not hang up in turn is left
_FINE = 32  # latencies are counted in 32 steps to each doubling: a figure is within 2.2 % of what was measured
_FLOOR = 1e-3


class Latencies:
    """Milliseconds, counted by size, so that they take no more room however many there are."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, ms: float) -> None:
        """One more."""
        self._counts[round(_FINE * math.log2(max(ms, _FLOOR)))] += 1

    def share(self, share: float) -> float:
        """So large at most is this share of them (0 to 1); 0 where there are none."""
        left = share * self._counts.total()
        for size in sorted(self._counts):
            left -= self._counts[size]
            if left <= 0:
                return float(2.0 ** (size / _FINE))
        return 0.0


class Car(asyncio.Protocol):
    """One terminal: sends frames, counts answers by what they say, and times them.

    `answered` is called after each read with how many answers were in it.
    """

    def __init__(self, ears: Ears, latencies: Latencies | None = None) -> None:
        self.sent = self.acknowledged = self.refused = 0
        self.latencies = latencies or Latencies()
        self.lost = False
        self.answered: Callable[[Car, int], None] | None = None
        self.transport: Any = None
        self._ears = ears
        self._bursts: deque[tuple[int, float]] = deque()  # frames sent by then, and when
        self._changed = asyncio.Event()

    @property
    def open(self) -> int:
        """Frames not answered yet."""
        return self.sent - self.acknowledged - self.refused

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """The gate hung up."""
        del exc
        self.lost = True
        self._changed.set()

    def send(self, frames: bytes, count: int = 1) -> None:
        """Write `count` frames at once."""
        self.transport.write(frames)
        self.sent += count
        self._bursts.append((self.sent, time.perf_counter()))

    def data_received(self, data: bytes) -> None:
        """Answers, one after the other; a half one waits for its rest."""
        good, bad = self._ears.hear(data)
        self.acknowledged += good
        self.refused += bad
        if due := self._ears.due():
            self.transport.write(due)
        if self._bursts and self._bursts[0][0] <= self.acknowledged + self.refused:
            self._time_answers()
        if self.answered is not None:
            self.answered(self, good + bad)
        self._changed.set()

    def _time_answers(self) -> None:
        now, answered = time.perf_counter(), self.sent - self.open
        while self._bursts and self._bursts[0][0] <= answered:
            self.latencies.add((now - self._bursts.popleft()[1]) * 1000)

    async def greet(self, words: list[bytes]) -> None:
        """Say what comes first, one after the other, counted nowhere; refuses (`login-refused`) when the gate does."""
        for said in words:
            self.transport.write(said)
            self.sent += 1
            await self.until_open(0)
            if self.refused:
                what = "the gate refused a car's login"
                raise Refusal("login-refused", what, remedy="register the vehicle there, and certify it where asked")
        self.sent = self.acknowledged = 0

    async def close(self) -> None:
        """Hang up, and see that it is done: TLS takes its leave."""
        self.transport.close()
        while not self.lost:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), PARTING)
            except TimeoutError:
                self.transport.abort()

    async def until_open(self, at_most: int) -> None:
        """Wait until at most so many frames are unanswered; Broken when the gate hangs up or stays silent."""
        while self.open > at_most:
            if self.lost:
                raise Broken("the gate closed the connection before it answered")
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), PATIENCE)
            except TimeoutError:
                raise Broken(f"the gate did not answer for {PATIENCE} seconds") from None
