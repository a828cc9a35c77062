"""The socket of the GB/T 32960 door: one protocol object per connection, and the call that listens."""

import asyncio
import resource
import ssl as tls
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from onshore.gate.gb32960.door import Door, Limits, Waiting
from onshore.gate.gb32960.protocol import (
    START_2025,
    BadChecksum,
    Command,
    Encryption,
    Event,
    Flag,
    Header,
    Splitter,
    TooLong,
    header,
    reply,
)
from onshore.gate.gb32960.reference import decode
from onshore.words.errors import Malformed

__all__ = ["Connection", "Door", "Limits", "serve"]


class Connection(asyncio.Protocol):
    """One car's connection: login first, then data; answers leave in the order of the questions.

    Never sends a terminal control (0x82): all it says is answers.
    """

    _loop: asyncio.AbstractEventLoop
    _transport: asyncio.Transport

    def __init__(self, door: Door) -> None:
        self.vin = b""
        self.address = ""
        self._door = door
        self._vehicle: int | None = None
        self._splitter = Splitter(door.limits.max_frame)
        self._queue: list[bytes | Waiting] = []
        self._pending = 0
        self._leaving = False
        self._blocked = False
        self._paused = False
        self._whole = self._begun = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock of the connection."""
        self._transport = cast(asyncio.Transport, transport)
        self.address = str((transport.get_extra_info("peername") or ("",))[0])
        self._loop = asyncio.get_running_loop()
        self._whole = self._loop.time()
        self._door.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; what it sent stays in the batch."""
        del exc
        self._leaving = True
        self._door.closed(self)

    def eof_received(self) -> bool:
        """A peer that has said all: it still gets its answers, where TLS allows a half-open connection."""
        if not self._queue:
            return False
        if self._transport.get_extra_info("sslcontext") is not None:
            self._door.flush()
            return False
        self._leaving = True
        return True

    def data_received(self, data: bytes) -> None:
        """One read from the socket."""
        if not self._leaving:
            self._take(self._splitter.feed(data))

    def pause_writing(self) -> None:
        """The peer does not read its answers: hear no more of it until it does."""
        self._blocked = True
        self._flow()

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._blocked = False
        self._flow()

    def look_after(self, now: float) -> None:
        """Close what has been idle for too long; give up a frame that stays unfinished, or the connection."""
        limits = self._door.limits
        if self._paused and not self._blocked:
            return  # our doing, not the peer's
        patience = limits.login_timeout_s if self._vehicle is None else limits.idle_timeout_s
        if now - self._whole >= patience:
            self.end("idle")
            if self._blocked:
                self.abort()  # what it does not read will never have left
        elif self._begun and now - self._begun >= limits.frame_timeout_s:
            events = self._splitter.give_up()
            if any(isinstance(e, bytes) for e in events):
                self._take(events)
            else:
                self.end("unfinished")

    def settle(self) -> None:
        """The batch is done: send the answers, take up reading again."""
        self._pending = 0
        self._write()
        self._flow()

    def close(self) -> None:
        """Close, once what has been written has left."""
        self._leaving = True
        self._transport.close()

    def abort(self) -> None:
        """Close at once; what has not left is dropped."""
        self._leaving = True
        self._transport.abort()

    def end(self, why: str) -> None:
        """Close, for a reason that is counted, once what waits is answered."""
        self._door.counts[why] += 1
        self._leaving = True
        if not self._pending:
            self._write()

    def _take(self, events: Sequence[Event]) -> None:
        received = self._door.clock() if events else 0
        for event in events:
            if self._leaving:
                break
            if isinstance(event, bytes):
                self._whole = self._loop.time()
                self._hear(event, received)
            else:
                self._damaged(event)
        if not self._splitter.unfinished:
            self._begun = 0.0
        elif events or not self._begun:
            self._begun = self._loop.time()
        if not self._pending:
            self._write()
        self._flow()

    def _damaged(self, event: BadChecksum | TooLong) -> None:
        if isinstance(event, TooLong):
            self.end("too long")
        else:
            self._door.counts["damaged"] += 1
            self._say(event.frame, Flag.ERROR)

    def _hear(self, frame: bytes, received: int) -> None:
        head = header(frame)
        if head.flag != Flag.COMMAND:
            self._door.counts["answers ignored"] += 1  # nothing was asked of the car
        elif head.start == START_2025 or head.encryption != Encryption.NONE:
            self._refuse(frame, "not supported")
        elif head.command == Command.LOGIN:
            self._login(frame, head)
        elif self._vehicle is None or head.vin != self.vin:
            self._refuse(frame, "not logged in")
        elif head.command in {Command.REALTIME, Command.RESEND}:
            self._hold(frame, received)
        elif head.command in {Command.HEARTBEAT, Command.TIME_SYNC}:
            self._say(frame, Flag.OK)
        elif head.command == Command.LOGOUT:
            self._vehicle = None
            self._say(frame, Flag.OK)
        else:
            self._refuse(frame, "not supported")  # platforms and private commands

    def _login(self, frame: bytes, head: Header) -> None:
        """Let a registered car in, also where it is in already.

        The standard has 03 for a VIN that is in use; but a car whose link broke comes back before its old
        connection is missed, and would be locked out. So the newest connection of a VIN wins.
        """
        try:
            decode(frame)
        except Malformed:
            self._refuse(frame, "rejected")
            return
        if self.vin not in {b"", head.vin}:
            self._refuse(frame, "second VIN")
            return
        vehicle = self._door.lookup(head.vin)
        if vehicle is None:
            self._say(frame, Flag.ERROR)
            self.end("unknown VIN")
            return
        self.vin, self._vehicle = head.vin, vehicle
        self._door.logged_in(self, head.vin)
        self._say(frame, Flag.OK)

    def _hold(self, frame: bytes, received: int) -> None:
        assert self._vehicle is not None
        waiting = Waiting(frame, self._vehicle, received)
        self._queue.append(waiting)
        self._pending += 1
        self._door.hold(self, waiting)

    def _refuse(self, frame: bytes, why: str) -> None:
        self._door.counts[why] += 1
        self._say(frame, Flag.ERROR)

    def _say(self, frame: bytes, flag: Flag) -> None:
        self._queue.append(reply(frame, flag, self._door.now6()))

    def _write(self) -> None:
        """All answers that are due, in one write; whoever leaves, leaves after it."""
        answers = b"".join(a.answer if isinstance(a, Waiting) else a for a in self._queue)
        self._queue.clear()
        if answers and not self._transport.is_closing():
            self._transport.write(answers)
        if self._leaving:
            self._transport.close()

    def _flow(self) -> None:
        """Read only while the peer takes its answers and not too much of it waits for the disk."""
        pause = self._blocked or self._pending >= self._door.limits.pending
        if pause != self._paused and not self._transport.is_closing():
            self._paused = pause
            (self._transport.pause_reading if pause else self._transport.resume_reading)()


FILES = 64
"""Descriptors that connections leave to the files of a site, its database and its logs."""


def room(descriptors: int) -> tuple[int, int]:
    """Of so many descriptors: (connections that may be open, how many more may be accepted at one go).

    What a loop accepts at one go is not yet counted, and what is closed is so two turns of the loop later; so
    three times the second number stays free beside FILES.
    """
    backlog = max(4, min(100, descriptors // 16))
    return max(1, descriptors - FILES - 3 * backlog), backlog


async def serve(
    door: Door, host: str, port: int, ssl: tls.SSLContext | None = None, *, reuse_port: bool = False
) -> asyncio.Server:
    """Listen; port 0 takes a free one, gates share one with `reuse_port`; `door.stop(server)` ends it.

    Where the door's limits name no number of connections, it is what the process's soft limit of descriptors
    has room for.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most, backlog = room(soft if soft != resource.RLIM_INFINITY else 1 << 20)
    if door.limits.connections is None:
        door.limits = replace(door.limits, connections=most)
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: Connection(door),
        host,
        port,
        ssl=ssl,
        backlog=backlog,
        reuse_port=reuse_port or None,
        ssl_handshake_timeout=door.limits.login_timeout_s if ssl else None,
    )
