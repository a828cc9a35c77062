"""What every door does the same way: who is there, and one batch that is kept before anything of it is answered."""

import asyncio
import logging
import resource
import ssl as tls
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

import pyarrow as pa

from onshore.gate.crowd import Crowd
from onshore.gate.handshakes import Handshake, Porter, Terms
from onshore.gate.limits import Limits, Room, room

log = logging.getLogger(__name__)

TakeIn = Callable[[pa.RecordBatch], None]
"""Returns when the batch is durable; raises when it could not keep it, and then nothing of it is acknowledged."""


class Hear(Protocol):
    """The way in behind a door that knows what comes again, also after a restart."""

    def __call__(self, batch: pa.RecordBatch, *, heard: bytes = b"") -> None:
        """Return when the batch is durable, and with it the digests of what was `heard`; raise when it is not kept."""


class Peer(Protocol):
    """A connection, as a door sees it. A door calls it from the loop; it never blocks."""

    @property
    def identity(self) -> Hashable | None:
        """Who logged in, such as a vehicle's id; None before."""

    @property
    def address(self) -> str:
        """Where the peer is, without its port."""

    def settle(self) -> None:
        """What it held is answered for or never will be: send the answers that are due, read again."""

    def stands(self) -> bool:
        """Whether who logged in may still be here: its certificate, its registration; asked once a second."""

    def flow(self) -> None:
        """Read on, or do not, as it stands now: with the peer, and whether the door is `held`."""

    def look_after(self, now: float) -> None:
        """The loop's time is `now`: close what has run out of it."""

    def close(self) -> None:
        """Close, once what has been written has left."""

    def abort(self) -> None:
        """Close at once."""

    def end(self, why: str) -> None:
        """Close, for a reason that is counted, once what waits is answered."""


PeerT = TypeVar("PeerT", bound=Peer)
ItemT = TypeVar("ItemT")


class Door(ABC, Generic[PeerT, ItemT]):
    """One protocol's door of one gate. Everything that its connections share; it knows no protocol.

    How a door is written: `protocol.py` and `decode.py` are pure; `server.py` has a connection (a `Peer`) and a
    subclass of this that says its `name` and fills in `_keep`. The life of a connection:

    * made: `opened(peer)`. It is a stranger until it calls `logged_in(peer)` with its `identity` set; a stranger
      may be aborted to make room. The newest connection of an identity wins, the older one is told to
      `end("replaced")`. A door whose peers bring no second connection may leave `identity` None for good.
    * a message that must be kept: `hold(peer, item, size)`. The item is whatever `_keep` needs to decode it and to
      answer it, such as the message and where its answer goes. Nothing is answered yet.
    * the batch is full or old: `_keep(items)` decodes them all at once, calls `kept(batch)`, and notes in each item
      what came of it: to acknowledge only what `kept` said True for, to reject what cannot be read, to say nothing
      of what was not kept, so that it is sent again. Then `settle()` is called once on every peer that held
      something, and it sends. A peer that is a coroutine waits for an event that its `settle` sets.
    * lost: `closed(peer)`. What it held is kept all the same.

    Answers that need no keeping (refusals, pings) are sent at once by the peer, but behind what it still holds where
    its protocol wants answers in order. A peer stops reading while too much of it waits (`limits.pending`), while
    its answers are not read, while it sends more than `limits.rate`, and while the door is `held`.
    """

    name: str

    def __init__(
        self, take_in: TakeIn, clock: Callable[[], int], limits: Limits, *, shared: Room | None = None
    ) -> None:
        """`clock`: ms UTC; `shared`: the room that the doors of this process share."""
        self.clock = clock
        self.limits = limits
        self.room = shared or Room()
        self.counts: Counter[str] = Counter()
        self.connections: set[PeerT | Handshake] = set()
        self.by_identity: dict[Hashable, PeerT] = {}
        self._strangers: Crowd[PeerT | Handshake] = Crowd()
        self._shaken: dict[asyncio.BaseProtocol, Handshake] = {}
        self._take_in = take_in
        self._waiting: list[ItemT] = []
        self._bytes = 0
        self._from: set[PeerT] = set()
        self._took = 0.0
        self.now = 0.0
        """The loop's time when the last batch was kept: near enough for whoever it settles."""
        self._timer: asyncio.TimerHandle | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self.held = ""
        """Why nothing is taken in just now: "full" or "slow", the disk is; empty: all is."""

    @abstractmethod
    def _keep(self, items: list[ItemT]) -> None:
        """Decode and keep the items of a batch, in the order of their arrival, and note the answer to each."""

    def hold(self, peer: PeerT, item: ItemT, size: int) -> None:
        """Put an item of `size` bytes into the batch; a full batch goes to the disk at once, any other soon."""
        self._waiting.append(item)
        self._held(peer, size)

    def _held(self, peer: PeerT, size: int) -> None:
        self._bytes += size
        self._from.add(peer)
        if len(self._waiting) >= self.limits.batch_frames or self._bytes >= self.limits.batch_bytes:
            self.flush()
        elif self._timer is None:
            self.flush_soon()

    def flush_soon(self) -> None:
        """Have the batch kept when it is as old as the limits say."""
        limits = self.limits
        pause = max(limits.batch_ms / 1000, min(self._took, limits.batch_most_ms / 1000))
        self._timer = asyncio.get_running_loop().call_later(pause, self.flush)

    def flush(self) -> None:
        """Keep what waits, then have exactly what is kept answered for."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._from:
            return
        loop = asyncio.get_running_loop()
        begun = loop.time()
        batch, self._waiting, self._bytes = self._waiting, [], 0
        senders, self._from = self._from, set()
        try:
            self._keep(batch)
        except Exception as why:  # noqa: BLE001 - whatever it is, the door stays open, and nobody is told that it kept
            self._lost(len(batch), why)
        self.now = loop.time()
        self._took = self.now - begun
        for peer in senders:
            peer.settle()

    def kept(self, batch: pa.RecordBatch, by: TakeIn | None = None) -> bool:
        """Hand a decoded batch over: True when it is durable; False when it is not kept, which is counted and told.

        `by`: the way in, where what else is to be durable with the batch goes along.

        Nothing is told but the type of what was raised: the text of a database's error, or of what caused it, may
        hold the rows.
        """
        rows = batch.num_rows
        if not rows:
            return True
        try:
            (by or self._take_in)(batch)
        except Exception as why:  # noqa: BLE001 - whatever it is, the door stays open
            self._lost(rows, why)
            return False
        self.counts["batches"] += 1
        self.counts["kept"] += rows
        return True

    def _lost(self, rows: int, why: Exception) -> None:
        self.counts["not kept"] += rows
        log.error("%d frames could not be kept and are not acknowledged: %s", rows, type(why).__name__)

    def over_tls(self, context: tls.SSLContext, connection: Callable[[], asyncio.BaseProtocol]) -> Porter:
        """What a server makes for each connection that it accepts, where TLS stands before the door's own."""

        def shaken(handshake: Handshake) -> asyncio.BaseProtocol:
            handshake.made = connection()
            self._shaken[handshake.made] = handshake
            return handshake.made

        limits = self.limits
        return Porter(self, Terms(context, min(limits.login_timeout_s, limits.frame_timeout_s), shaken))

    def failed(self) -> None:
        """A handshake came to nothing."""
        self.counts["no tls"] += 1

    def opened(self, peer: PeerT | Handshake) -> None:
        """Let a new connection in if there is room or a stranger to go for it; look after them all from now on.

        A handshake counts as one; the connection that it becomes takes its place.
        """
        handshake = self._shaken.pop(peer, None) if isinstance(peer, asyncio.BaseProtocol) else None
        if handshake is not None:
            self.closed(handshake)
        if not self._room(peer.address):
            self.counts["full"] += 1
            peer.abort()
            return
        self.connections.add(peer)
        self.room.taken += 1
        self._strangers.add(peer, peer.address)
        if self._sweeper is None:
            self._sweep()

    def _room(self, address: str) -> bool:
        """Whether one more may come; the stranger who has been silent longest goes first, of that address if any."""
        most, strangers = self.limits.connections, self.limits.strangers
        most = self.room.most if most is None else most
        crowded = self._strangers.many(address) >= (strangers if most is None else min(strangers, max(1, most // 2)))
        if crowded or self.room.full or (most is not None and len(self.connections) >= most):
            oldest = self._strangers.oldest(address)
            if oldest is None:
                return False
            self.counts["crowded out"] += 1
            self.closed(oldest)
            oldest.abort()
        return True

    def logged_in(self, peer: PeerT) -> None:
        """It is no stranger; the newest connection of an identity wins, and the older one is closed."""
        older = self.by_identity.get(peer.identity)
        if older is not None and older is not peer:
            self._strangers.add(older, older.address)  # it may take its time to leave
            older.end("replaced")
        self.by_identity[peer.identity] = peer
        self._strangers.discard(peer)
        self.counts["logins"] += 1

    def closed(self, peer: PeerT | Handshake) -> None:
        """Forget a connection; what it sent is still kept."""
        if peer in self.connections:
            self.connections.discard(peer)
            self.room.taken -= 1
        if isinstance(peer, Handshake) and peer.made is not None:
            self._shaken.pop(peer.made, None)
        self._strangers.discard(peer)
        if self.by_identity.get(peer.identity) is peer:
            del self.by_identity[peer.identity]

    def press(self, held: str) -> None:
        """Take nothing in while the disk is `held` ("full", "slow"), or go on (""): what cars send stays with them."""
        self.held = held
        for peer in list(self.connections):
            peer.flow()

    def recheck(self) -> None:
        """End the connections of those whose certificate or registration no longer stands."""
        for peer in list(self.by_identity.values()):
            if not peer.stands():
                peer.end("revoked")

    def _sweep(self) -> None:
        """One timer for all connections: what is idle or drips bytes is closed."""
        loop = asyncio.get_running_loop()
        for peer in list(self.connections):
            peer.look_after(loop.time())
        limits = self.limits
        pause = min(limits.idle_timeout_s, limits.login_timeout_s, limits.frame_timeout_s) / 4
        self._sweeper = loop.call_later(pause, self._sweep) if self.connections else None

    async def stop(self, *servers: asyncio.Server) -> None:
        """Accept nothing more, keep and answer what waits, close every connection."""
        for server in servers:
            server.close()
        self.flush()
        for peer in list(self.connections):
            peer.close()
        for _ in range(100):
            if self.connections:
                await asyncio.sleep(self.limits.linger_s / 100)
        for peer in list(self.connections):
            peer.abort()
        for server in servers:
            await server.wait_closed()
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None


async def listen(
    door: Door[PeerT, ItemT],
    connection: Callable[[], asyncio.BaseProtocol],
    host: str,
    port: int,
    ssl: tls.SSLContext | None = None,
    *,
    reuse_port: bool = False,
) -> asyncio.Server:
    """Listen for a door's connections, each made by `connection`; `door.stop(server)` ends it.

    Port 0 takes a free one; gates share one with `reuse_port`. Where nobody has said how many connections the
    process has room for, its soft limit of descriptors says it.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most, backlog = room(soft if soft != resource.RLIM_INFINITY else 1 << 20)
    if door.room.most is None:
        door.room.most = most
    made = connection if ssl is None else lambda: door.over_tls(ssl, connection)
    loop = asyncio.get_running_loop()
    return await loop.create_server(made, host, port, backlog=backlog, reuse_port=reuse_port or None)
