"""What all connections of the GB/T 32960 door share: one batch, kept before anything of it is answered."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from onshore.gate.gb32960.crowd import Crowd
from onshore.gate.gb32960.decode import decode
from onshore.gate.gb32960.protocol import MAX_FRAME, Flag, reply, time6

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """What one connection, or one batch, may cost. `pending`: frames of one connection that wait.

    `connections`: how many may be open; None is what the process may open less some for its files, as `serve`
    finds it. `strangers`: how many of them that have not logged in one peer address may have, but never more
    than half of `connections`. A whole fleet may come from one address (a carrier's gateway) and come back at
    once, so the number is not small; cars that have logged in do not count.
    """

    max_frame: int = MAX_FRAME
    batch_frames: int = 2000
    batch_bytes: int = 4 << 20
    batch_ms: int = 5
    pending: int = 1000
    idle_timeout_s: float = 180.0  # without a whole frame; heartbeats and data come far more often
    login_timeout_s: float = 30.0  # the same before a login
    frame_timeout_s: float = 10.0  # for the rest of a frame that has begun
    connections: int | None = None
    strangers: int = 512
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

    @property
    def address(self) -> str:
        """Where the peer is, without its port."""

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
    the batch is durable; raises when it could not keep it, and then nothing of it is acknowledged, so that the
    cars send again. `clock`: ms UTC.
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
        self._strangers: Crowd[Peer] = Crowd()
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
        why = self._lost(decoded.batch)
        if why:
            self.counts["not kept"] += rows
            log.error("%d frames could not be kept and are not acknowledged: %s", rows, why)
            return
        self.counts["batches"] += 1
        self.counts["kept"] += rows
        for waiting in batch:
            waiting.answer = waiting.answer or reply(waiting.frame, Flag.OK, now6)

    def _lost(self, batch: pa.RecordBatch) -> str:
        """The type of what was raised instead of keeping the batch; empty when it is kept.

        Nothing but the type: the text of a database's error, or of what caused it, may hold the rows.
        """
        try:
            self._take_in(batch)
        except Exception as why:  # noqa: BLE001 - whatever it is, the door stays open
            return type(why).__name__
        return ""

    def opened(self, connection: Peer) -> None:
        """Let a new connection in if there is room or a stranger to go for it; look after them all from now on."""
        if not self._room(connection.address):
            self.counts["full"] += 1
            connection.abort()
            return
        self.connections.add(connection)
        self._strangers.add(connection, connection.address)
        if self._sweeper is None:
            self._sweep()

    def _room(self, address: str) -> bool:
        """Whether one more may come; the stranger who has been silent longest goes first, of that address if any."""
        most, strangers = self.limits.connections, self.limits.strangers
        crowded = self._strangers.many(address) >= (strangers if most is None else min(strangers, max(1, most // 2)))
        full = most is not None and len(self.connections) >= most
        if crowded or full:
            oldest = self._strangers.oldest(address)
            if oldest is None:
                return False
            self.counts["crowded out"] += 1
            self.closed(oldest)
            oldest.abort()
        return True

    def logged_in(self, connection: Peer, vin: bytes) -> None:
        """A car is no stranger; the newest connection of a VIN wins, and the older one is closed."""
        older = self.by_vin.get(vin)
        if older is not None and older is not connection:
            self._strangers.add(older, older.address)  # it may take its time to leave
            older.end("replaced")
        self.by_vin[vin] = connection
        self._strangers.discard(connection)
        self.counts["logins"] += 1

    def closed(self, connection: Peer) -> None:
        """Forget a connection; what it sent is still kept."""
        self.connections.discard(connection)
        self._strangers.discard(connection)
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
