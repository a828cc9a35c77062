"""The only way out: a sealed parcel goes into the outbox, or to the recipient's host, its proof before it."""

import hashlib
import os
import select
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self, TypeVar

from onshore.border.sending import sigv4
from onshore.border.sending.bucket import Objects
from onshore.border.sending.destinations import Destination, Folder, Host
from onshore.border.sending.messages import Answer, Reading, Request
from onshore.border.sending.tus import Book, File, Uploads
from onshore.words.errors import Malformed, Refusal

T = TypeVar("T")

_READ = 1 << 16
_SLOWEST = 16 << 10  # bytes a second that a recipient takes at least
_TALK = 64 << 10
_INFO = struct.Struct("=144xI52xQQ")  # of Linux's tcp_info: notsent_bytes, bytes_sent, bytes_retrans


class Account(Book, Protocol):
    """What is written down, durably, while a parcel goes."""

    def now(self) -> int:
        """The clock (ms UTC)."""

    def goes(self, count: int) -> None:
        """So many bytes at most are about to go; what was told so before, and never counted, counts as gone."""

    def took(self, wire: int, kernel: int) -> None:
        """A connection took so many more bytes, as counted here and by the kernel."""


@dataclass(frozen=True)
class Sent:
    """A parcel that went: where it is now, as the other side calls it, and its file where that is still ours."""

    where: str
    file: Path | None = None


def send(sealed: Path, proof: str, destination: Destination, *, may_go: Callable[[], None], account: Account) -> Sent:
    """Send the proof, then the sealed file; all of it is there when this returns, as far as the other side says.

    Called again after a crash it asks the other side what it has, and sends the rest. `may_go` is called before each
    part and raises where it may not. Refused: `not-reached`, `not-taken`, `redirected`; Malformed: no answer.
    """
    if isinstance(destination, Folder):
        return _laid(sealed, proof, destination)
    note = File(f"{sealed.stem}.tlog-proof", len(proof.encode()), _digest(proof.encode()), _cut(proof.encode()))
    with sealed.open("rb") as file, _Line(destination, account) as line:
        parcel = File(
            sealed.name, sealed.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest(), _part_of(file)
        )
        road = _road(destination, line)
        may_go()
        road.proof(note, account)
        where = road.parcel(parcel, account, may_go)
    return Sent(f"https://{destination.authority}{where}")


def give_up(destination: Destination, account: Account) -> bool:
    """Ask the other side to do away with what it has; whether it could be asked. What it has read, it has read."""
    if isinstance(destination, Folder):
        return False
    account.goes(0)
    try:
        with _Line(destination, account) as line:
            _road(destination, line).drop(account)
    except (Refusal, Malformed):
        return False
    return True


def _road(host: Host, line: "_Line") -> Uploads | Objects:
    if host.keys is not None:
        return Objects(line.ask_signed, host.path, host.part)
    headers = {"Authorization": f"Bearer {host.token}"} if host.token else {}
    return Uploads(line.ask, host.path, host.authority, headers, host.part)


def _laid(sealed: Path, proof: str, folder: Folder) -> Sent:
    """Put the proof, then the sealed file, into the outbox; both are durable when this returns."""
    folder.path.mkdir(parents=True, exist_ok=True)
    with (folder.path / f"{sealed.stem}.tlog-proof").open("w", encoding="utf-8") as file:
        file.write(proof)
        file.flush()
        os.fsync(file.fileno())
    gone = folder.path / sealed.name
    sealed.replace(gone)
    for one in (folder.path, sealed.parent):
        _sync(one)
    return Sent(str(gone), gone)


class _Line:
    """A connection to a host, opened when something is asked and anew when it ended; every byte on it is counted."""

    def __init__(self, host: Host, account: Account) -> None:
        self._host, self._account = host, account
        self._wire: _Wire | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._close()

    def ask(self, request: Request) -> Answer:
        """The answer to a request; refused (`not-reached`) where the host is not there, is not it, or breaks off."""
        self._account.goes(_most(len(request.body)))
        try:
            if self._wire is None:
                self._wire = _Wire(self._host)
                self._wire.greet(self._host.tls, self._host.host)
            answer = self._wire.asked(request, self._host.authority)
        except OSError as failed:
            self._close(orderly=False)
            raise _not_reached(failed) from None
        except BaseException:
            self._close(orderly=False)
            raise
        self._account.took(*self._wire.taken())
        if answer.ends:
            self._close()
        return answer

    def ask_signed(self, request: Request) -> Answer:
        """The same, signed for storage as of now."""
        at = datetime.fromtimestamp(self._account.now() // 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
        keys = self._host.keys
        return self.ask(request if keys is None else sigv4.signed(request, self._host.authority, keys, at))

    def _close(self, *, orderly: bool = True) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            if orderly:
                wire.bye()
            try:
                self._account.took(*wire.taken())
            finally:
                wire.close()


class _Wire:
    """A TCP connection with TLS above it, which hands its bytes over here, so that they can be counted.

    Counted is what the kernel took, below TLS. The kernel's own count (Linux TCP_INFO) is asked as well: what was
    sent on this socket without being counted here shows as the difference.
    """

    def __init__(self, host: Host) -> None:
        self._seconds = host.seconds
        self._counted = self._told = self._kernel_told = 0
        self._heard, self._torn = b"", False  # what was said early; whether a request is out in part
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._socket = socket.create_connection((host.host, host.port), timeout=host.seconds)
        sys.audit("onshore.counted", self._socket)

    def greet(self, context: ssl.SSLContext, name: str) -> None:
        """TLS: the other side shows that it is `name`; OSError where it is not."""
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=name)
        self._until(self._tls.do_handshake, self._deadline(0))

    def asked(self, request: Request, authority: str) -> Answer:
        """Ask, and read the answer; OSError where that takes too long or breaks off.

        Who refuses before all of a body has come (RFC 9112 §9.3) is heard, though it hangs up; who takes a body that
        it has not got is not believed.
        """
        reading, end = Reading(request.method), self._deadline(len(request.body))
        self._send(request, authority, end)
        while (answer := reading.feed(self._read(end))) is None:
            pass
        if not self._torn:
            return answer
        if answer.status < 300:
            raise Malformed("it took what it had not got yet", where="the answer of the recipient's server")
        return replace(answer, ends=True)

    def _send(self, request: Request, authority: str, end: float) -> None:
        try:
            self._write(request.head(authority), end)
            for start in range(0, len(request.body), _READ):
                self._write(request.body[start : start + _READ], end)
        except (_Early, BrokenPipeError, ConnectionResetError):
            self._torn = True

    def taken(self) -> tuple[int, int]:
        """Bytes since this was asked last: as counted here, and as the kernel counts them."""
        kernel = _kernel(self._socket)
        kernel = self._counted if kernel is None else kernel
        new = self._counted - self._told, kernel - self._kernel_told
        self._told, self._kernel_told = self._counted, kernel
        return new

    def bye(self) -> None:
        """Say the end (TLS close_notify), as far as the other side still listens.

        The end of TCP is left to `close`: while it waits behind other bytes, the kernel counts it as one of them.
        """
        if self._torn:
            return
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        with suppress(OSError, _Early):
            self._flush(self._deadline(0))

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()

    def _deadline(self, size: int) -> float:
        return time.monotonic() + self._seconds + size / _SLOWEST

    def _write(self, data: bytes, end: float) -> None:
        self._until(lambda: self._tls.write(data), end)
        self._flush(end)

    def _until(self, step: Callable[[], T], end: float) -> T:
        """Do a step of TLS, moving its bytes over the socket until it is done."""
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                self._flush(end)
                self._socket.settimeout(_left(end))
                if not (data := self._socket.recv(_READ)):
                    raise ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "it hung up without saying so in TLS") from None
                self._in.write(data)
            else:
                self._flush(end)
                return done

    def _flush(self, end: float) -> None:
        data = memoryview(self._out.read())
        looks = select.poll()
        looks.register(self._socket, select.POLLIN | select.POLLOUT)
        while data:
            for _, ready in looks.poll(1000 * _left(end)):
                if ready & select.POLLOUT or not ready & select.POLLIN:
                    count = self._socket.send(data)
                    self._counted += count
                    data = data[count:]
                else:
                    self._hear()

    def _hear(self) -> None:
        """Take in what comes while nothing more is taken there: an answer ends what is asked, tickets of TLS do not."""
        if not (data := self._socket.recv(_READ)):
            raise _Early
        self._in.write(data)
        with suppress(ssl.SSLWantReadError):
            self._heard = self._tls.read(_READ)
            raise _Early

    def _read(self, end: float) -> bytes:
        heard, self._heard = self._heard, b""
        return heard or self._until(lambda: self._tls.read(_READ), end)


class _Early(Exception):
    """The other side answered, or hung up, before all of a request went."""


def _most(body: int) -> int:
    """Bytes that a request takes at most, with TLS: a handshake, a head, and less than 64 bytes a record of 16 KiB."""
    return _TALK + body + body // 256


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError("no whole answer in time")
    return left


def _kernel(sock: socket.socket) -> int | None:
    """Bytes that the kernel was handed on a TCP socket; None where it does not say."""
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
    except (OSError, AttributeError):
        return None
    if len(info) < _INFO.size:
        return None  # before Linux 4.19
    waits, sent, again = _INFO.unpack(info)
    return int(waits + sent - again)


def _not_reached(failed: Exception) -> Refusal:
    why = "its certificate does not hold" if isinstance(failed, ssl.SSLCertVerificationError) else type(failed).__name__
    return Refusal(
        "not-reached",
        f"the recipient's host was not reached, or broke off: {why}",
        remedy="see that it stands where [recipients.NAME.send] says, and that 'ca' signed its certificate; then ship "
        "again, which goes on where this ended",
    )


def _cut(data: bytes) -> Callable[[int, int], bytes]:
    return lambda start, until: data[start:until]


def _part_of(file: BinaryIO) -> Callable[[int, int], bytes]:
    def cut(start: int, until: int) -> bytes:
        file.seek(start)
        return file.read(until - start)

    return cut


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
