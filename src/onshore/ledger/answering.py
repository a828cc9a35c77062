"""A small HTTP/1.1 server (h11) for what anybody may ask of a ledger: one bounded answer to each bounded request."""

import asyncio
import gzip
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, ip_address, ip_network
from pathlib import Path

import h11

from onshore.ledger.witness import Answer
from onshore.words.errors import Malformed

Answers = Callable[[str, str, bytes], Answer]
"""What answers: method, path and body in, an answer out; called in a thread, several at once."""

_BLOCK = 64 << 10
_TOO_MUCH = Answer(413)
_HOUSE = 64  # bits of an address of IPv6 that whoever has it chooses


@dataclass(frozen=True)
class Limits:
    """What a client may take: bytes of a head and a body, seconds for a request and between two, connections."""

    head: int = 8 << 10
    body: int = 0
    seconds: float = 10
    idle: float = 60
    connections: int = 256
    of_one: int = 32


def tls(certificate: Path, key: Path) -> ssl.SSLContext:
    """What a server shows: TLS 1.2 or 1.3 (RFC 9325); Malformed where the PEM files are none, or do not fit."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as wrong:
        raise Malformed(f"certificate and key are not to be used: {wrong.reason}", where=str(certificate)) from None
    return context


@asynccontextmanager
async def listening(
    host: str, port: int, answers: Answers, limits: Limits, secure: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Answer at this address until the end of the context, which is handed the port."""
    room = _Room(answers, limits)
    more = {"ssl_handshake_timeout": limits.seconds} if secure else {}
    server = await asyncio.start_server(room.welcome, host, port, ssl=secure, limit=_BLOCK, **more)
    async with server:
        yield server.sockets[0].getsockname()[1]
    await room.close()


class _Room:
    """Who is connected."""

    def __init__(self, answers: Answers, limits: Limits) -> None:
        self._answers, self._limits = answers, limits
        self._by_address: Counter[str] = Counter()
        self._talks = set[asyncio.Task[None]]()

    async def close(self) -> None:
        """Hang up on everybody; no answer of theirs is waited for."""
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.create_task(self._talk(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = _whose(str((writer.get_extra_info("peername") or ("",))[0]))
        full = self._by_address.total() >= self._limits.connections
        try:
            self._by_address[address] += 1
            if not full and self._by_address[address] <= self._limits.of_one:
                await _Talk(reader, writer, self._answers, self._limits).go_on()
        except (OSError, TimeoutError, h11.LocalProtocolError):
            pass  # whoever is slow, or leaves, asks again
        finally:
            self._by_address[address] -= 1
            self._by_address += Counter()
            writer.transport.abort()


def _whose(address: str) -> str:
    """Under what a client is counted: its address, of IPv6 the 64 bits that are one house's (RFC 4291 §2.5.1)."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ip_network((int(found) >> _HOUSE << _HOUSE, _HOUSE)))


class _Talk:
    """One connection: requests are answered one after the other."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: Answers, limits: Limits
    ) -> None:
        self._reader, self._writer, self._answers, self._limits = reader, writer, answers, limits
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head)

    async def go_on(self) -> None:
        try:
            while await self._one():
                self._http.start_next_cycle()
        except h11.RemoteProtocolError as wrong:
            if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                await self._say(Answer(wrong.error_status_hint))

    async def _one(self) -> bool:
        """Hear a request and answer it; whether another one may follow."""
        if not self._http.trailing_data[0]:
            async with asyncio.timeout(self._limits.idle):
                self._http.receive_data(await self._reader.read(_BLOCK))
        async with asyncio.timeout(self._limits.seconds):
            request = await self._event()
            if not isinstance(request, h11.Request):
                return False
            body = await self._body()
        path, method = request.target.decode("ascii").partition("?")[0], request.method.decode("ascii")
        answer = _TOO_MUCH if body is None else await asyncio.to_thread(self._answers, method, path, body)
        await self._say(await _packed(answer, request), bodiless=method == "HEAD")
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _body(self) -> bytes | None:
        """The whole body; None where it is longer than may be."""
        if self._http.they_are_waiting_for_100_continue:
            self._writer.write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
        found = bytearray()
        while isinstance(event := await self._event(), h11.Data):
            found += event.data
            if len(found) > self._limits.body:
                return None
        return bytes(found) if isinstance(event, h11.EndOfMessage) else None

    async def _event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._reader.read(_BLOCK))
        return event

    async def _say(self, answer: Answer, *, bodiless: bool = False) -> None:
        headers = [
            ("Content-Type", answer.kind),
            ("Content-Length", str(len(answer.body))),
            ("Cache-Control", answer.cache),
            ("X-Content-Type-Options", "nosniff"),
            *answer.more,
        ]
        if self._http.their_state is not h11.DONE:  # what was not heard to its end is not heard on
            headers.append(("Connection", "close"))
        said = self._http.send(h11.Response(status_code=answer.status, headers=headers)) or b""
        said += b"" if bodiless else self._http.send(h11.Data(data=answer.body)) or b""
        self._writer.write(said + (self._http.send(h11.EndOfMessage()) or b""))
        async with asyncio.timeout(self._limits.seconds):
            await self._writer.drain()
            if self._http.our_state is h11.MUST_CLOSE:
                self._writer.close()
                await self._writer.wait_closed()


async def _packed(answer: Answer, request: h11.Request) -> Answer:
    """The answer, gzipped where it may be and who asks takes it so (RFC 9110 §12.5.3)."""
    if not answer.zips:
        return answer
    taken = b",".join(value for name, value in request.headers if name == b"accept-encoding").lower()
    more: tuple[tuple[str, str], ...] = (("Vary", "Accept-Encoding"),)
    if not any(word.partition(b";")[0].strip() == b"gzip" for word in taken.split(b",") if b"q=0" not in word):
        return replace(answer, more=more)
    body = await asyncio.to_thread(gzip.compress, answer.body, 6, mtime=0)
    return replace(answer, body=body, more=(*more, ("Content-Encoding", "gzip")))
