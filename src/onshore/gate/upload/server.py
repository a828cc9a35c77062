"""The socket of the door upload: HTTP/1.1 (h11) over TLS, a car known by its certificate, tus behind it."""

import asyncio
import logging
import ssl as tls
from collections.abc import Hashable
from typing import cast

import h11
from sqlalchemy.exc import SQLAlchemyError

from onshore.gate.door import listen
from onshore.gate.upload.door import Door, Limits
from onshore.gate.upload.protocol import VERSION, Answer
from onshore.gate.upload.requests import Request, Requests

__all__ = ["Connection", "Door", "Limits", "serve"]

log = logging.getLogger(__name__)
_BUFFER = 256 << 10


class Connection(asyncio.Protocol):
    """One connection: requests are answered one after the other; while a body is read no more is taken than fits."""

    def __init__(self, door: Door) -> None:
        self.address = ""
        self.identity: Hashable | None = None
        self.vehicle: int | None = None
        self._certificate: bytes | None = None
        self._door = door
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=door.own.header)
        self._loop: asyncio.AbstractEventLoop
        self._transport: asyncio.Transport
        self._task: asyncio.Task[None] | None = None
        self._more, self._writable = asyncio.Event(), asyncio.Event()
        self._waiting: list[bytes] = []
        self._size = 0
        self._over = self._leaving = self._paused = self._working = False
        self._since, self._got = 0.0, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask who it is; nobody without a certificate that stands is heard."""
        self._transport = cast(asyncio.Transport, transport)
        self.address = str((transport.get_extra_info("peername") or ("",))[0])
        secure = transport.get_extra_info("ssl_object")
        self._certificate = secure.getpeercert(binary_form=True) if secure is not None else None
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._writable.set()
        self._door.opened(self)
        if transport.is_closing():
            return
        if self._stand():
            self._door.logged_in(self)
        self._task = self._loop.create_task(self._serve())

    def _stand(self) -> bool:
        try:
            self.vehicle = self._door.papers.identify(self._certificate) if self._certificate else None
        except (OSError, SQLAlchemyError):
            self.vehicle = None
        if self.vehicle is not None and self.identity is None:
            self.identity = self._door.slot(self.vehicle)
        return self.vehicle is not None

    def data_received(self, data: bytes) -> None:
        """Bytes of requests."""
        self._waiting.append(data)
        self._size += len(data)
        self._got += len(data)
        if self._size >= _BUFFER and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._more.set()

    def eof_received(self) -> bool:
        """The peer has said all."""
        self._over = True
        self._more.set()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """What arrived is still read."""
        del exc
        self._over = True
        self._more.set()
        self._writable.set()
        self._door.closed(self)

    def pause_writing(self) -> None:
        """The peer does not read."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It does again."""
        self._writable.set()

    @property
    def idle(self) -> bool:
        """Whether nothing is asked on it just now."""
        return self._http.our_state is h11.IDLE and not self._got

    def settle(self) -> None:
        """Nothing of it waits in batches."""

    def flow(self) -> None:
        """Requests are heard also while the door is held: HTTP has an answer for that."""

    def stands(self) -> bool:
        """Whether its certificate still does."""
        return self._stand()

    def look_after(self, now: float) -> None:
        """End what sends too slowly, and what says nothing."""
        if self._paused or self._working:
            self._since, self._got = now, 0
            return
        limits = self._door.own
        idle = self.idle
        patience = limits.idle_timeout_s if idle else limits.frame_timeout_s
        if self._got >= limits.pace:
            self._since, self._got = now, 0
        elif now - self._since >= patience:
            self.end("idle" if idle else "slow")

    def close(self) -> None:
        """Close once what has been written has left."""
        self._leaving = self._over = True
        self._more.set()
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._leaving = self._over = True
        self._more.set()
        self._transport.abort()

    def end(self, why: str) -> None:
        """Close, for a reason that is counted."""
        if not self._leaving:
            self._door.counts[why] += 1
            self.close()

    def _replaced(self) -> None:
        self.end("replaced")

    async def _serve(self) -> None:
        requests = Requests(self._door)
        try:
            while not self._leaving:
                event = await self._event()
                if isinstance(event, h11.Request):
                    await self._answer(requests, event)
                    if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                        break
                    self._http.start_next_cycle()
                    self._since, self._got = self._loop.time(), self._size
                elif isinstance(event, h11.ConnectionClosed):
                    break
        except h11.RemoteProtocolError as wrong:
            self._door.counts["not http"] += 1
            if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                self._say(Answer(wrong.error_status_hint), close=True)
        except ConnectionError:
            pass
        except Exception as why:  # noqa: BLE001 - whatever it is, the door stays open
            log.error("a request could not be answered: %s", type(why).__name__)  # noqa: TRY400 - no rows in logs
        finally:
            if not self._transport.is_closing():
                self._transport.close()

    async def _answer(self, requests: Requests, said: h11.Request) -> None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in said.headers}
        target, method = said.target.decode("latin-1").partition("?")[0], said.method.decode("ascii")
        override = headers.get("x-http-method-override")
        request = Request(
            method if method != "POST" else override or method, target, headers, self._body, self._replaced
        )
        standing = self._stand()
        answer = await requests.answer(request, self.vehicle if standing else None)
        if self._over:
            return
        bodiless = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
        if bodiless and self._http.their_state is h11.SEND_BODY:
            await self._body()  # its end alone, so that the connection may go on
        self._working = False  # who does not read its answers is as slow as who does not send
        await self._writable.wait()
        self._say(answer, close=self._http.their_state not in (h11.DONE, h11.MUST_CLOSE), head=method == "HEAD")

    def _say(self, answer: Answer, *, close: bool, head: bool = False) -> None:
        headers = [("Tus-Resumable", VERSION), ("Cache-Control", "no-store"), *answer.headers.items()]
        if answer.status != 204:
            headers.append(("Content-Length", str(len(answer.body))))
        if close:
            headers.append(("Connection", "close"))
        sent = self._http.send(h11.Response(status_code=answer.status, headers=headers)) or b""
        sent += (self._http.send(h11.Data(data=answer.body)) or b"") if answer.body and not head else b""
        sent += self._http.send(h11.EndOfMessage()) or b""
        if not self._transport.is_closing():
            self._transport.write(sent)

    async def _body(self) -> bytes | None:
        """The next bytes of the body; None at its end. ConnectionError where it breaks off."""
        if self._http.they_are_waiting_for_100_continue:
            go = h11.InformationalResponse(status_code=100, headers=[])
            self._transport.write(self._http.send(go) or b"")
        event = await self._event()
        if isinstance(event, h11.Data):
            return bytes(event.data)
        if isinstance(event, h11.EndOfMessage):
            return None
        raise ConnectionResetError

    async def _event(self) -> h11.Event | type[h11.PAUSED]:
        """The next event; the peer is heard again when what it sent has been read."""
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                self._working = True
                return cast("h11.Event | type[h11.PAUSED]", event)
            self._working = False
            while not self._waiting:
                if self._over:
                    if self._http.their_state in (h11.IDLE, h11.SEND_BODY):
                        raise ConnectionResetError
                    return h11.ConnectionClosed()
                self._more.clear()
                await self._more.wait()
            data, self._waiting, self._size = b"".join(self._waiting), [], 0
            if self._paused and not self._transport.is_closing():
                self._paused = False
                self._transport.resume_reading()
            self._http.receive_data(data)


async def serve(door: Door, host: str, port: int, ssl: tls.SSLContext | None = None) -> asyncio.Server:
    """Listen, as `gate.door.listen` says; without `ssl` nobody can be known, and nothing is taken in."""
    return await listen(door, lambda: Connection(door), host, port, ssl)
