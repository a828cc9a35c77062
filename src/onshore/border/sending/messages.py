"""HTTP/1.1 as a sender speaks it (RFC 9112): heads of requests as bytes, answers read within limits."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from onshore.words.errors import Malformed

MAX_HEAD = 32 << 10
MAX_BODY = 1 << 20
"""Bytes of an answer's head, interim answers included, and of its body: no answer that is asked for here is longer."""

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00\r\n]*?)[ \t]*")
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?")
_PLAIN = re.compile(r"[ -~]*")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(frozen=True)
class Request:
    """What is asked: `path` is encoded and begins with a slash; `query` is not encoded yet."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """Path and query, as they stand in the first line."""
        return f"{self.path}?{pairs(self.query)}" if self.query else self.path

    def head(self, host: str) -> bytes:
        """The head, its blank line with it; Malformed where a value would break out of its line."""
        fields = {"Host": host, **self.headers, "Content-Length": str(len(self.body))}
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        if not all(_PLAIN.fullmatch(line) for line in lines):
            raise Malformed("a header takes printable ASCII characters alone", where="request")
        return "\r\n".join([*lines, "", ""]).encode("ascii")


@dataclass(frozen=True)
class Answer:
    """What was answered: names of `headers` are in small letters. `ends`: the connection cannot be used again."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    ends: bool


def encoded(text: str, *, slash: bool = False) -> str:
    """Percent-encoded as AWS has it (RFC 3986 unreserved characters stay, capital hex); `slash`: those stay too."""
    keep = _UNRESERVED | {0x2F} if slash else _UNRESERVED
    return "".join(chr(byte) if byte in keep else f"%{byte:02X}" for byte in text.encode())


def pairs(query: Mapping[str, str]) -> str:
    """A query, encoded and in order of its names."""
    return "&".join(f"{name}={value}" for name, value in sorted((encoded(n), encoded(v)) for n, v in query.items()))


class Reading:
    """One answer while it arrives. Interim answers (1xx) are passed over; their heads count against the one limit."""

    def __init__(self, method: str) -> None:
        self._method = method
        self._raw = b""
        self._heads = 0
        self._head: tuple[int, dict[str, str]] | None = None
        self._body: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Answer | None:
        """Take in what arrived (empty: the other side closed); the answer once it is whole. Malformed where none is."""
        self._raw += data
        closed = not data
        while self._head is None:
            end = self._raw.find(b"\r\n\r\n")
            if self._heads + (end if end >= 0 else len(self._raw)) > MAX_HEAD:
                raise _wrong(f"its head is longer than {MAX_HEAD} bytes")
            if end < 0:
                if closed:
                    raise _wrong("the connection was closed before an answer came")
                return None
            self._take_head(end)
        status, headers = self._head
        whole = self._whole(headers, closed=closed)
        if whole is None:
            if closed:
                raise _wrong("the connection was closed in the middle of an answer")
            return None
        ends = closed or "close" in headers.get("connection", "").lower() or bool(self._raw)
        return Answer(status, headers, whole, ends)

    def _take_head(self, end: int) -> None:
        first, *lines = self._raw[:end].split(b"\r\n")
        self._heads += end + 4
        self._raw = self._raw[end + 4 :]
        found = _STATUS.fullmatch(first)
        fields = [_FIELD.fullmatch(line) for line in lines]
        if not found or not all(fields):
            raise _wrong("its head is not as HTTP/1.1 has it")
        headers: dict[str, str] = {}
        for one in filter(None, fields):
            name, value = one[1].decode("ascii").lower(), one[2].decode("latin-1")
            if headers.setdefault(name, value) != value and name in ("content-length", "upload-offset", "location"):
                raise _wrong(f"it says {name} twice")
        if (status := int(found[1])) >= 200:
            self._head = status, headers

    def _whole(self, headers: dict[str, str], *, closed: bool) -> bytes | None:
        """The body (RFC 9112 §6.3) once it is complete."""
        status = 0 if self._head is None else self._head[0]
        if self._method == "HEAD" or status in (204, 304):
            return b""
        if "transfer-encoding" in headers:
            return self._chunked(headers)
        length = headers.get("content-length")
        if length is not None and (not _LENGTH.fullmatch(length) or int(length) > MAX_BODY):
            raise _wrong(f"its body is longer than {MAX_BODY} bytes, or has no length")
        if length is None:
            if len(self._raw) > MAX_BODY:
                raise _wrong(f"its body is longer than {MAX_BODY} bytes")
            body, self._raw = (self._raw, b"") if closed else (None, self._raw)
            return body
        if len(self._raw) < int(length):
            return None
        body, self._raw = self._raw[: int(length)], self._raw[int(length) :]
        return body

    def _chunked(self, headers: dict[str, str]) -> bytes | None:
        if headers["transfer-encoding"].lower() != "chunked" or "content-length" in headers:
            raise _wrong("its body is framed in a way that nobody asked for")
        while True:
            line, newline, rest = self._raw.partition(b"\r\n")
            if not newline:
                if len(self._raw) > MAX_HEAD:
                    raise _wrong("a chunk's line does not end")
                return None
            found = _CHUNK.fullmatch(line)
            if not found:
                raise _wrong("its chunks are not as HTTP/1.1 has them")
            size = int(found[1], 16)
            if self._size + size > MAX_BODY:
                raise _wrong(f"its body is longer than {MAX_BODY} bytes")
            if len(rest) < size + 2:
                return None
            if rest[size : size + 2] != b"\r\n":
                raise _wrong("its chunks are not as HTTP/1.1 has them, or trailers follow")
            self._body.append(rest[:size])
            self._size += size
            self._raw = rest[size + 2 :]
            if size == 0:
                return b"".join(self._body)


def _wrong(what: str) -> Malformed:
    return Malformed(what, where="the answer of the recipient's server")
