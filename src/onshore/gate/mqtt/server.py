"""The socket of the MQTT door: one protocol object per connection, and the call that listens."""

import asyncio
import ssl as tls
from collections.abc import Hashable
from typing import cast

from onshore.gate.door import listen
from onshore.gate.mqtt.door import Door, Item, Limits, Papers
from onshore.gate.mqtt.packets import Connack, Connect, Disconnect, Publish
from onshore.gate.mqtt.protocol import V3, V5, Event, Fault, Reader, Reason, encode
from onshore.gate.mqtt.talk import Talk

__all__ = ["Connection", "Door", "Limits", "Papers", "serve"]

_FRAME = 1024
"""So many bytes count as a frame towards a car's rate, as does each row: long messages cost what they cost."""

_PIECE = 1 << 14
"""Bytes that are read before it is asked whether they were too many; a read from the socket may have sixteen times
that."""

_REASONS = {
    "replaced": Reason.TAKEN_OVER,
    "revoked": Reason.NOT_AUTHORIZED,
    "idle": Reason.KEEP_ALIVE,
    "unfinished": Reason.MALFORMED_PACKET,
    "too many clients": Reason.QUOTA,
    "not kept": Reason.BUSY,
    "stopped": Reason.SHUTTING_DOWN,
}
"""What a client of version 5 hears when the gate ends its connection (5.0, 3.14.2.1)."""


class Connection(asyncio.Protocol):
    """One connection: packets in, answers out; what must be kept is answered when it is, in the order it came."""

    def __init__(self, door: Door) -> None:
        self.address = ""
        self.answers: list[bytes] = []
        self.certificate: bytes | None = None
        self._door = door
        self._talk = Talk(door, self)
        self._reader = Reader(door.limits.max_frame, aliases=door.own.aliases)
        self._loop: asyncio.AbstractEventLoop
        self._transport: asyncio.Transport
        self._pending = self._open = self._rows = 0
        self._leaving = self._over = self._blocked = self._paused = self._resting = self._unkept = False
        self._ours = False
        self._last = self._heard = b""
        self._whole = self._begun = 0.0

    @property
    def identity(self) -> Hashable | None:
        """The vehicle and client id that are connected here; None before."""
        return self._talk.key

    @property
    def version(self) -> int:
        """The protocol level of the client."""
        return self._talk.version

    @property
    def talkative(self) -> bool:
        """Whether the client wants reasons in words."""
        return self._talk.talkative

    def stands(self) -> bool:
        """Whether the certificate that was shown still is this car's."""
        return self._talk.stands()

    def now(self) -> float:
        """The loop's time."""
        return self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock of the connection."""
        self._transport = cast(asyncio.Transport, transport)
        self.address = str((transport.get_extra_info("peername") or ("",))[0])
        secure = transport.get_extra_info("ssl_object")
        self.certificate = secure.getpeercert(binary_form=True) if secure is not None else None
        self._loop = asyncio.get_running_loop()
        self._whole = self._loop.time()
        self._door.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; what it sent stays in the batch."""
        del exc
        if not self._over:
            self._over = self._leaving = True
            self._talk.lost(self._loop.time(), told=self._ours)
            self._door.closed(self)

    def eof_received(self) -> bool:
        """A peer that has said all: what waits is kept now, so that it may still hear of it."""
        if self._pending:
            self._door.flush()
        return False

    def data_received(self, data: bytes) -> None:
        """One read from the socket. A car that has sent what it may in this second is heard no further."""
        self._heard += data
        while self._heard and not self._leaving and not self._resting:
            piece, self._heard = self._heard[:_PIECE], self._heard[_PIECE:]
            self._listen(piece)

    def _listen(self, data: bytes) -> None:
        events = self._reader.feed(data)
        for event in events:
            if type(event) is Publish:
                self._talk.publish(event)
            else:
                self._hear(event)
            if self._leaving:
                return
        now = self._loop.time()
        if events:
            self._whole = now
        spent, self._rows = len(events) + len(data) // _FRAME + self._rows, 0
        if self._talk.spent.add(spent, now, self._door.limits.rate) and not self._resting:
            self._rest(now)
        if not self._reader.unfinished:
            self._begun = 0.0
        elif events or not self._begun:
            self._begun = now
        self.flow()

    def _hear(self, event: Event) -> None:
        if isinstance(event, Fault):
            if event.reason == Reason.VERSION:  # in the words of 3.1.1, which every client can read (3.2.2.3)
                self.say(encode(Connack(Reason.VERSION), V3))
            self.quit(event.reason, "not mqtt")
        else:
            self._talk.hear(event)
            if isinstance(event, Connect):
                self._whole = self._loop.time()

    def pause_writing(self) -> None:
        """The peer does not read what it is sent: hear no more of it until it does."""
        self._blocked = True
        self.flow()

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._blocked = False
        self.flow()

    def look_after(self, now: float) -> None:
        """Close what has been silent for too long, or does not finish a packet that it has begun."""
        if self._paused and not self._blocked:
            return  # our doing, not the peer's
        if now - self._whole >= self._talk.patience:
            self.end("idle")
            if self._blocked:
                self.abort()  # what it does not read will never have left
        elif self._begun and now - self._begun >= self._door.limits.frame_timeout_s:
            self.end("unfinished")

    def hold(self, item: Item) -> None:
        """Have a message kept and answered, unless more wait than the client was told it may have waiting."""
        self._pending += 1
        if item.packet_id:
            self._open += 1
            if self._open > self._door.limits.pending and self.version == V5:
                self.quit(Reason.RECEIVE_MAXIMUM, "receive maximum")
                return
        self._rows += max(0, item.payload.count(b"{") - 1)
        self._door.hold(self, item, len(item.payload))

    def settle(self) -> None:
        """The batch is done: send the answers, take up reading again."""
        self._pending = self._open = 0
        answers, self.answers = self.answers, []
        self._write(b"".join(answers))
        if self._unkept and not self._leaving:
            self.end("not kept")
        if self._leaving:
            self._close()
        else:
            self.flow()

    def unkept(self) -> None:
        """Something was not kept: nothing after it is acknowledged, and as clients resend only then, it is closed."""
        self._unkept = True

    def offer(self, policy: bytes) -> None:
        """There is a new policy for this car."""
        if not self._leaving:
            self._talk.offer(policy)

    def say(self, data: bytes) -> None:
        """Send at once."""
        self._write(data)

    def close(self) -> None:
        """Close because the gate stops, once what has been written has left."""
        self._ours = True
        self._leave("stopped", _REASONS["stopped"])
        self._close()

    def abort(self) -> None:
        """Close at once; what has not left is dropped."""
        self._leaving = True
        self._transport.abort()

    def end(self, why: str) -> None:
        """Close, for a reason that is counted, once what waits is answered."""
        self._leave(why, _REASONS.get(why))

    def quit(self, reason: Reason, why: str) -> None:
        """Close, for a reason that is counted, and that a client of version 5 is told."""
        self._leave(why, reason)

    def _leave(self, why: str, reason: Reason | None) -> None:
        if self._leaving:
            return
        self._door.counts[why] += 1
        self._leaving = True
        self._talk.leave()
        if reason is not None and self.version == V5 and self._talk.key is not None:
            self._last = encode(Disconnect(reason), V5)
        if not self._pending:
            self._close()

    def _close(self) -> None:
        last, self._last = self._last, b""
        self._write(last)
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()  # TLS closes once the peer has said that it does too
        self._transport.close()

    def _write(self, data: bytes) -> None:
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def _rest(self, now: float) -> None:
        """The car has sent what it may in this second."""
        self._resting = True
        self._door.counts["slowed down"] += 1
        self._loop.call_later(self._talk.spent.rest(now), self._rested)

    def _rested(self) -> None:
        self._resting = False
        self.data_received(b"")
        self.flow()

    def flow(self) -> None:
        """Read only while the peer takes its answers, sends no faster than it may, and not too much of it waits."""
        held = bool(self._door.held) and self._talk.key is not None  # who is new is told
        pause = self._blocked or self._resting or held or self._pending >= self._door.limits.pending
        if pause != self._paused and not self._transport.is_closing():
            self._paused = pause
            (self._transport.pause_reading if pause else self._transport.resume_reading)()


async def serve(
    door: Door, host: str, port: int, ssl: tls.SSLContext | None = None, *, reuse_port: bool = False
) -> asyncio.Server:
    """Listen, as `gate.door.listen` says; without `ssl` nobody can be known, and nobody is let in."""
    return await listen(door, lambda: Connection(door), host, port, ssl, reuse_port=reuse_port)
