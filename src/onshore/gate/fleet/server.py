"""The socket of the fleet door: one protocol object per connection, and the call that listens."""

import asyncio
import re
import ssl as tls
from typing import cast

from onshore.gate.door import listen
from onshore.gate.fleet import protocol
from onshore.gate.fleet.decode import Coming, Record
from onshore.gate.fleet.door import Door, Held, Limits
from onshore.gate.fleet.envelope import STREAM, Envelope
from onshore.gate.fleet.protocol import Answered, Conversation, Event
from onshore.gate.fleet.upgrade import Request
from onshore.gate.fleet.websocket import Closed, Code, Failed, Message, Ping, Skipped
from onshore.gate.limits import Spent

__all__ = ["Connection", "Door", "Limits", "serve"]

_INTERFACE = re.compile(r"[a-z0-9_-]{1,16}", re.ASCII)
_CODES = {"revoked": Code.POLICY, "idle": Code.GOING_AWAY, "replaced": Code.GOING_AWAY, "stopped": Code.GOING_AWAY}


class Connection(asyncio.Protocol):
    """One connection: who the car is, its certificate says; its records are answered once they are kept."""

    def __init__(self, door: Door) -> None:
        self.address = ""
        self.answers: list[bytes] = []
        self.identity: int | None = None
        self._door = door
        self._talk = Conversation(door.limits.max_frame)
        self._transport: asyncio.Transport
        self._loop: asyncio.AbstractEventLoop
        self._certificate = b""
        self._interface = ""
        self._pending = 0
        self._spent = Spent()
        self._counted = 0
        self._last = b""  # what goes out before the connection is closed
        self._leaving = self._blocked = self._resting = self._paused = self._asked = False
        self._heard = self._begun = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock of the connection."""
        self._transport = cast(asyncio.Transport, transport)
        self.address = str((transport.get_extra_info("peername") or ("",))[0])
        secure = transport.get_extra_info("ssl_object")
        self._certificate = (secure.getpeercert(binary_form=True) if secure is not None else None) or b""
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()
        self._door.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; what it sent stays in the batch, and so does that the car went."""
        del exc
        self._leaving = True
        if self._door.by_identity.get(self.identity) is self:
            self._came(up=False)
        self._door.closed(self)

    def eof_received(self) -> bool:
        """A peer that has said all: TLS leaves no connection half open, so what it held is kept at once."""
        if self._pending:
            self._door.flush()
        return False

    def data_received(self, data: bytes) -> None:
        """One read from the socket."""
        if self._leaving:
            return
        events = self._talk.feed(data)
        try:
            self._take(events)
        except OSError:  # the papers do not answer: nobody new is let in meanwhile
            self._refuse("503 Service Unavailable")
        if not self._talk.unfinished:
            self._begun = 0.0
        elif not self._begun or any(isinstance(event, Message | Skipped) for event in events):
            self._begun = self._loop.time()
        self._count()
        self.flow()

    def pause_writing(self) -> None:
        """The car does not read its answers: hear no more of it until it does."""
        self._blocked = True
        self.flow()

    def resume_writing(self) -> None:
        """The car reads again."""
        self._blocked = False
        self.flow()

    def stands(self) -> bool:
        """Whether the certificate still names the same vehicle; while the papers do not answer, it does."""
        try:
            return self._door.identify(self._certificate) == self.identity
        except OSError:
            return True

    def look_after(self, now: float) -> None:
        """Close what is silent for too long, having asked for a sign of life; or what never finishes."""
        limits = self._door.limits
        if self._paused and not self._blocked:
            return  # our doing, not the car's
        silent = now - self._heard
        if silent >= (limits.login_timeout_s if self.identity is None else limits.idle_timeout_s):
            self.end("idle")
            if self._blocked:
                self.abort()
        elif self._begun and now - self._begun >= limits.frame_timeout_s:
            self.end("unfinished")
        elif self.identity is not None and silent >= limits.idle_timeout_s / 2 and not self._asked:
            self._asked = True
            self._write(protocol.PING)

    def settle(self) -> None:
        """The batch is done: send the answers, take up reading again, leave if that was all."""
        self._pending = 0
        answers, self.answers = self.answers, []
        self._write(b"".join(answers))
        if self._leaving:
            self._leave()
        self.flow()

    def end(self, why: str) -> None:
        """Close, for a reason that is counted, once what waits is answered."""
        if not self._leaving:
            self._door.counts[why] += 1
            self._close(_CODES.get(why, Code.PROTOCOL_ERROR))

    def close(self) -> None:
        """Close, once what has been written has left."""
        if not self._leaving:
            self._close(Code.GOING_AWAY)

    def abort(self) -> None:
        """Close at once."""
        self._leaving = True
        self._transport.abort()

    def _close(self, code: int) -> None:
        self._leaving, self._last = True, protocol.goodbye(code) if self._talk.open else b""
        if not self._pending:
            self._leave()

    def _refuse(self, status: str) -> None:
        self._door.counts[status] += 1
        self._leaving, self._last = True, protocol.refusal(status)
        self._leave()

    def _leave(self) -> None:
        self._write(self._last)
        self._last = b""
        self._transport.close()

    def _take(self, events: list[Event]) -> None:
        """What came, in order; what ends the connection is the last."""
        for event in events:
            self._heard, self._asked = self._loop.time(), False
            match event:
                case Message(data):
                    self._message(protocol.heard(data), len(data))
                case Request():
                    self._requested(event)
                case Ping(data):
                    self._write(protocol.pong(data))
                case Skipped():
                    self._door.counts["too long"] += 1
                    self._write(protocol.wrong(None))
                case Answered(answer):
                    self._leaving, self._last = True, answer
                    self._leave()
                case Closed(code):
                    self._close(code)
                case Failed(code):
                    self._door.counts["violations"] += 1
                    self._close(code)

    def _requested(self, request: Request) -> None:
        """Let a car in whose certificate stands; nothing else that it says of itself is believed."""
        if self._door.held:
            self._refuse("503 Service Unavailable")
            return
        self.identity = self._door.identify(self._certificate) if self._certificate else None
        if self.identity is None:
            self._refuse("403 Forbidden")
            return
        said = request.headers.get("x-network-interface", "").lower()
        self._interface = said if _INTERFACE.fullmatch(said) else ""
        self._door.logged_in(self)
        self._spent = self._door.spent(self.identity)
        answer, events = self._talk.accept()
        self._write(answer)
        self._came(up=True)
        self._take(events)

    def _message(self, about: Envelope | bytes, size: int) -> None:
        if isinstance(about, bytes):
            self._door.counts["rejected"] += 1
            self._write(about)
            return
        if about.type != STREAM or about.stream is None or about.topic not in protocol.TOPICS:
            self._door.counts["of no known kind"] += 1
            self._write(protocol.acknowledged(about))  # so that the car does not send it for ever
            return
        made = about.stream.created * 1000 or self._door.clock()
        record = Record(about.topic.decode("ascii"), about.stream.payload, made)
        self._hold(record, size, about)

    def _came(self, *, up: bool) -> None:
        """That a car came or went is the gate's to say; of one that came back before it went, nobody says that."""
        self._hold(Coming(up, self._door.clock(), self._interface), 64)

    def _hold(self, record: Record | Coming, size: int, about: Envelope | None = None) -> None:
        assert self.identity is not None
        self._pending += 1
        self._door.hold(self, Held(self, self.identity, record, about), size)

    def _count(self) -> None:
        """Hear no more of a car that sends too fast until the second is over, or as many as it sent ahead of."""
        frames, self._counted = self._talk.spent - self._counted, self._talk.spent
        now, rate = self._loop.time(), self._door.limits.rate
        if self._spent.add(frames, now, rate) and not self._resting:
            self._resting = True
            self._door.counts["slowed down"] += 1
            self._loop.call_later(self._spent.rest(now) + frames // rate, self._rested)

    def _rested(self) -> None:
        self._resting = False
        if self._begun:
            self._begun = self._loop.time()  # it was we who did not read the rest
        self.flow()

    def _write(self, data: bytes) -> None:
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def flow(self) -> None:
        """Read only while the car takes its answers, sends no faster than it may, and not too much of it waits."""
        held = bool(self._door.held) and self.identity is not None  # who is new is told
        pause = self._blocked or self._resting or held or self._pending >= self._door.limits.pending
        if pause != self._paused and not self._transport.is_closing():
            self._paused = pause
            (self._transport.pause_reading if pause else self._transport.resume_reading)()


async def serve(
    door: Door, host: str, port: int, ssl: tls.SSLContext | None = None, *, reuse_port: bool = False
) -> asyncio.Server:
    """Listen, as `gate.door.listen` says."""
    return await listen(door, lambda: Connection(door), host, port, ssl, reuse_port=reuse_port)
