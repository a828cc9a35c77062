"""The socket of the GB/T 32960 door: one protocol object per connection, and the call that listens."""

import asyncio
import ssl as tls
from collections import deque
from collections.abc import Hashable, Iterable
from typing import cast

from onshore.gate.door import listen
from onshore.gate.gb32960.door import REFUSED, Door, Limits, Papers
from onshore.gate.gb32960.protocol import (
    HEADER,
    START_2016,
    START_2025,
    BadChecksum,
    Event,
    Flag,
    Splitter,
    TooLong,
    reply,
)
from onshore.gate.gb32960.talk import Talk
from onshore.gate.limits import KIB, Spent

__all__ = ["Connection", "Door", "Limits", "Papers", "serve"]

_NONE = b"-"  # no frame begins so


class Connection(asyncio.Protocol):
    """One connection: bytes in, answers out in the order of the questions.

    What costs: a read that is one frame like the last goes into the batch after one look at its header and size. Its
    checksum is verified with all others of the batch. Anything else is split, verified and talked about.
    """

    __slots__ = (
        "_again",
        "_begun",
        "_blocked",
        "_door",
        "_later",
        "_leaving",
        "_long",
        "_loop",
        "_out",
        "_paused",
        "_pending",
        "_resting",
        "_size",
        "_spent",
        "_splitter",
        "_state",
        "_tail",
        "_talk",
        "_transport",
        "_usual",
        "_vehicle",
        "_whole",
        "address",
        "answers",
        "certificate",
    )

    def __init__(self, door: Door) -> None:
        self.address = ""
        self.answers: list[bytes] = []
        self.certificate: bytes | None = None
        self._door = door
        self._talk = Talk(door, self)
        self._splitter = Splitter(door.limits.max_frame)
        self._loop: asyncio.AbstractEventLoop
        self._transport: asyncio.Transport
        self._out: list[bytes] = []
        self._again: list[bytes] = []
        self._later: deque[Event] = deque()  # heard while it rests
        self._pending = self._long = 0
        self._spent = Spent()
        self._leaving = self._blocked = self._paused = self._resting = False
        self._whole = self._begun = 0.0
        self._tail = b""  # the beginning of a frame like the last
        self._usual, self._size, self._vehicle, self._state = _NONE, 0, 0, 0

    @property
    def identity(self) -> Hashable | None:
        """The vehicle's id, or the platform's name, that logged in here, also after a logout; None before."""
        return self._talk.identity

    def stands(self) -> bool:
        """Whether who logged in may still be here; the next frame is looked at closely."""
        self._usual = _NONE
        return self._talk.stands()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock of the connection."""
        self._transport = cast(asyncio.Transport, transport)
        self.address = str((transport.get_extra_info("peername") or ("",))[0])
        secure = transport.get_extra_info("ssl_object")
        self.certificate = secure.getpeercert(binary_form=True) if secure is not None else None
        self._loop = asyncio.get_running_loop()
        self._whole = self._loop.time()
        self._door.opened(self)
        self.flow()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; what it sent stays in the batch."""
        del exc
        self._leave()
        self._door.closed(self)

    def eof_received(self) -> bool:
        """A peer that has said all: it still gets its answers, where TLS allows a half-open connection."""
        if not self._pending:
            return False
        if self._transport.get_extra_info("sslcontext") is not None:
            self._door.flush()
            return False
        self._leave()
        return True

    def data_received(self, data: bytes) -> None:
        """One read from the socket."""
        if data[:HEADER] == self._usual and len(data) == self._size and not self._tail:
            self._pending += 1
            self._door.push(self, data, self._vehicle, self._state)
            if self._pending >= self._door.limits.pending:
                self.flow()
        elif not self._leaving:
            self._read(data)

    def pause_writing(self) -> None:
        """The peer does not read its answers: hear no more of it until it does."""
        self._blocked = True
        self.flow()

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._blocked = False
        self.flow()

    def look_after(self, now: float) -> None:
        """Close what has been idle for too long; give up a frame that stays unfinished, or the connection."""
        limits = self._door.limits
        if self._paused and not self._blocked:
            return  # our doing, not the peer's
        patience = limits.idle_timeout_s if self._talk.known else limits.login_timeout_s
        if now - self._whole >= patience:
            self.end("idle")
            if self._blocked:
                self.abort()  # what it does not read will never have left
        elif self._begun and now - self._begun >= limits.frame_timeout_s:
            self._untail()
            events = self._splitter.give_up()
            if any(isinstance(e, bytes) for e in events):
                self._take(events)
            else:
                self.end("unfinished")

    def settle(self) -> None:
        """The batch is done: send the answers, take up reading again."""
        now = self._whole = self._door.now
        spent = self._pending * (1 + self._size // KIB) + self._long
        self._pending = self._long = 0
        self._out += self.answers
        self.answers.clear()
        self._write()
        self._spend(spent, now)
        if self._paused or self._resting:
            self.flow()
        if self._again:
            again, self._again = self._again, []
            for frame in again:
                self._take(Splitter(self._door.limits.max_frame).feed(frame)[1:])

    def charge(self, frames: int) -> None:
        """What it said costs as much as so many frames that are simply kept."""
        self._spend(frames, self._loop.time())

    def _spend(self, frames: int, now: float) -> None:
        """Count against what it may send in a second; hear no more of it until that is over, where it is too much."""
        limits = self._door.limits
        over = self._spent.add(frames, now, limits.many_rate if self._talk.is_platform else limits.rate)
        if not over or self._resting or self._leaving:
            return
        self._resting = True
        self._door.counts["slowed down"] += 1
        self._loop.call_later(self._spent.rest(now), self._rested)

    def tell(self) -> None:
        """Its policy is new: say what follows from it, at once."""
        if not self._leaving:
            self._talk.tell()
            if not self._pending:
                self._write()

    def damaged(self, frame: bytes) -> None:
        """A frame that was not looked at closely was damaged, and is answered so: see what else is in it."""
        self._door.counts["damaged"] += 1
        self.charge(REFUSED)
        if max(frame.find(START_2016, 2), frame.find(START_2025, 2)) >= 0:
            self._again.append(frame)

    def say(self, answer: bytes) -> None:
        """Answer, behind what waits."""
        if self._pending:
            self._pending += 1
            self._door.say(self, answer)
        else:
            self._out.append(answer)

    def hold(self, sent: bytes, plain: bytes, vehicle: int, state: int) -> None:
        """Have a frame kept, and answered then."""
        self._pending += 1
        self._long += len(plain) // KIB
        self._door.push(self, plain, vehicle, state, sent)

    def close(self) -> None:
        """Close, once what has been written has left."""
        self._leave()
        self._close()

    def abort(self) -> None:
        """Close at once; what has not left is dropped."""
        self._leave()
        self._transport.abort()

    def end(self, why: str) -> None:
        """Close, for a reason that is counted, once what waits is answered."""
        self._door.counts[why] += 1
        self._leave()
        if not self._pending:
            self._write()

    def _leave(self) -> None:
        self._leaving = True
        self._usual = _NONE

    def _read(self, data: bytes) -> None:
        """A read that is no single frame like the last: several of them, or something else."""
        if self._tail:
            data, self._tail = self._tail + data, b""
        size, usual = self._size, self._usual
        if usual is not _NONE:
            whole = len(data) - len(data) % size
            frames = [data[at : at + size] for at in range(0, whole, size)]
            alike = next((i for i, frame in enumerate(frames) if frame[:HEADER] != usual), len(frames))
            if alike:
                self._pending += alike
                self._door.push_many(self, frames[:alike], self._vehicle, self._state)
            data = data[alike * size :]
            if data[:HEADER] == usual[: len(data)]:
                self._keep_tail(data, moved=alike > 0)
                return
        self._take(self._splitter.feed(data))

    def _keep_tail(self, tail: bytes, *, moved: bool) -> None:
        """What has come of one more frame like the last; it has time to come whole."""
        self._tail = tail
        if not tail:
            self._begun = 0.0
        elif moved or not self._begun:
            self._begun = self._loop.time()
        self.flow()

    def _untail(self) -> None:
        """Give the splitter what was kept from it."""
        self._usual, tail, self._tail = _NONE, self._tail, b""
        if tail:
            self._take(self._splitter.feed(tail))

    def _take(self, events: Iterable[Event]) -> None:
        """Hear what was said, in order; what is too much for this second waits for the next one."""
        self._later += events
        heard = False
        while self._later and not self._leaving and not self._resting:
            event, heard = self._later.popleft(), True
            if isinstance(event, bytes):
                self._whole = self._loop.time()
                self._talk.hear(event)
            else:
                self._unreadable(event)
        if not self._splitter.unfinished:
            self._begun = 0.0
        elif heard or not self._begun:
            self._begun = self._loop.time()
        self._remember()
        if not self._pending:
            self._write()
        self.flow()

    def _remember(self) -> None:
        """How a frame looks that needs no close look."""
        self._usual, usual = _NONE, self._talk.usual
        if usual is not None and not (self._leaving or self._later or self._splitter.unfinished):
            frame, self._state = usual
            assert isinstance(self.identity, int)
            self._usual, self._size, self._vehicle = frame[:HEADER], len(frame), self.identity

    def _unreadable(self, event: BadChecksum | TooLong) -> None:
        if isinstance(event, TooLong):
            self.end("too long")
        else:
            self._door.counts["damaged"] += 1
            self.charge(REFUSED)
            self.say(reply(event.frame, Flag.ERROR, self._door.now6()))

    def _write(self) -> None:
        """All answers that are due, in one write; whoever leaves, leaves after it."""
        if self._out:
            answers = self._out[0] if len(self._out) == 1 else b"".join(self._out)
            self._out.clear()
            if not self._transport.is_closing():
                self._transport.write(answers)
        if self._leaving:
            self._close()

    def _close(self) -> None:
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()  # TLS closes once the peer has said that it does too
        self._transport.close()

    def _rested(self) -> None:
        self._resting = False
        if self._later:
            self._take(())
        self.flow()

    def flow(self) -> None:
        """Read only while the peer takes its answers, sends no faster than it may, and not too much of it waits.

        While the door is held not even a login is heard: a car that hears nothing sends again (GB/T 32960.3), and one
        that is told of an error might not.
        """
        pause = self._blocked or self._resting or bool(self._door.held) or self._pending >= self._door.limits.pending
        if pause != self._paused and not self._transport.is_closing():
            self._paused = pause
            (self._transport.pause_reading if pause else self._transport.resume_reading)()


async def serve(
    door: Door, host: str, port: int, ssl: tls.SSLContext | None = None, *, reuse_port: bool = False
) -> asyncio.Server:
    """Listen, as `gate.door.listen` says."""
    return await listen(door, lambda: Connection(door), host, port, ssl, reuse_port=reuse_port)
