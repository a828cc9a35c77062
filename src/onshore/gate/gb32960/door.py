"""What all connections of the GB/T 32960 door share: one batch, kept before anything of it is answered."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from onshore.gate.gb32960.decode import decode
from onshore.gate.gb32960.protocol import MAX_FRAME, Flag, reply, time6
from onshore.words.errors import OnshoreError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """What one connection, or one batch, may cost. `pending`: frames of one connection that wait."""

    max_frame: int = MAX_FRAME
    batch_frames: int = 2000
    batch_bytes: int = 4 << 20
    batch_ms: int = 5
    pending: int = 1000
    idle_timeout_s: float = 180.0  # without a whole frame; heartbeats and data come far more often
    login_timeout_s: float = 30.0  # the same before a login
    frame_timeout_s: float = 10.0  # for the rest of a frame that has begun
    linger_s: float = 1.0  # for the last answers to leave when the door stops


@dataclass(slots=True)
class Waiting:
    """A real-time frame on its way to the disk; `answer` is filled in when it is there, or will never be."""

    frame: bytes
    vehicle: int
    received: int
    answer: bytes = b""


class Peer(Protocol):
    """A connection, as the door sees it."""

    @property
    def vin(self) -> bytes:
        """The VIN that logged in; empty before."""

    def settle(self) -> None:
        """What waited is answered or never will be."""

    def look_after(self, now: float) -> None:
        """The loop's time is `now`: close what has run out of it."""

    def close(self) -> None:
        """Close, once what has been written has left."""

    def abort(self) -> None:
        """Close at once."""

    def end(self, why: str) -> None:
        """Close, for a reason that is counted, once what waits is answered."""


class Door:
    """Everything that connections share: the register's look-up, the batch, and where it goes.

    `lookup`: 17-byte VIN to vehicle id, None for a car that is not registered here. `take_in`: returns when
    the batch is durable; raises OSError or OnshoreError when it could not keep it, and then nothing of it is
    acknowledged, so that the cars send again. `clock`: ms UTC.
    """

    name = "gb32960"

    def __init__(
        self,
        lookup: Callable[[bytes], int | None],
        take_in: Callable[[pa.RecordBatch], None],
        clock: Callable[[], int],
        limits: Limits | None = None,
    ) -> None:
        self.lookup = lookup
        self.clock = clock
        self.limits = limits or Limits()
        self.counts: Counter[str] = Counter()
        self.connections: set[Peer] = set()
        self.by_vin: dict[bytes, Peer] = {}
        self._take_in = take_in
        self._waiting: list[Waiting] = []
        self._bytes = 0
        self._from: set[Peer] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._sweeper: asyncio.TimerHandle | None = None

    def now6(self) -> bytes:
        """The platform's time as the protocol writes it."""
        return time6(self.clock())

    def hold(self, connection: Peer, waiting: Waiting) -> None:
        """Put a frame into the batch; a full batch goes to the disk at once, any other within `batch_ms`."""
        self._waiting.append(waiting)
        self._bytes += len(waiting.frame)
        self._from.add(connection)
        if len(self._waiting) >= self.limits.batch_frames or self._bytes >= self.limits.batch_bytes:
            self.flush()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self.limits.batch_ms / 1000, self.flush)

    def flush(self) -> None:
        """Decode and keep what waits, then answer for exactly what is kept."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._waiting, self._bytes = self._waiting, [], 0
        senders, self._from = self._from, set()
        try:
            if batch:
                self._keep(batch)
        finally:
            for connection in senders:
                connection.settle()

    def _keep(self, batch: list[Waiting]) -> None:
        vehicles = np.fromiter((w.vehicle for w in batch), np.int64, len(batch))
        received = np.fromiter((w.received for w in batch), np.int64, len(batch))
        decoded = decode([w.frame for w in batch], vehicles, received, self.name, checked=True)
        now6 = self.now6()
        for i, _ in decoded.rejected:
            batch[i].answer = reply(batch[i].frame, Flag.ERROR, now6)
        self.counts["rejected"] += len(decoded.rejected)
        rows = decoded.batch.num_rows
        if not rows:
            return
        try:
            self._take_in(decoded.batch)
        except (OSError, OnshoreError) as why:
            self.counts["not kept"] += rows
            log.exception("%d frames could not be kept and are not acknowledged: %s", rows, type(why).__name__)
            return
        self.counts["batches"] += 1
        self.counts["kept"] += rows
        for waiting in batch:
            waiting.answer = waiting.answer or reply(waiting.frame, Flag.OK, now6)

    def opened(self, connection: Peer) -> None:
        """Note a new connection, and look after them all from now on."""
        self.connections.add(connection)
        if self._sweeper is None:
            self._sweep()

    def closed(self, connection: Peer) -> None:
        """Forget a connection; what it sent is still kept."""
        self.connections.discard(connection)
        if self.by_vin.get(connection.vin) is connection:
            del self.by_vin[connection.vin]

    def _sweep(self) -> None:
        """One timer for all connections: what is idle or drips bytes is closed."""
        loop = asyncio.get_running_loop()
        for connection in list(self.connections):
            connection.look_after(loop.time())
        limits = self.limits
        pause = min(limits.idle_timeout_s, limits.login_timeout_s, limits.frame_timeout_s) / 4
        self._sweeper = loop.call_later(pause, self._sweep) if self.connections else None

    async def stop(self, server: asyncio.Server) -> None:
        """Accept nothing more, keep and answer what waits, close every connection."""
        server.close()
        self.flush()
        for connection in list(self.connections):
            connection.close()
        for _ in range(100):
            if self.connections:
                await asyncio.sleep(self.limits.linger_s / 100)
        for connection in list(self.connections):
            connection.abort()
        await server.wait_closed()
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
