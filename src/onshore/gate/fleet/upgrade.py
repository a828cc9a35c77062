"""The HTTP request that opens a WebSocket (RFC 6455, section 4): read with limits, answered, written for clients."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from onshore.words.errors import Malformed

MOST = 8192
"""Bytes of a request, headers and all; a car sends some hundred."""

HEADERS = 64
END = b"\r\n\r\n"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_VERSION = "13"


@dataclass(frozen=True, slots=True)
class Request:
    """A request: its headers by their names in small letters; `key` where it asks for a WebSocket as it must be."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    key: str = ""


def read(head: bytes) -> Request:
    """Read a request without its END; Malformed where it is none (RFC 9112, sections 3 and 5).

    `key` is empty where anything that 4.2.1 asks of a client is missing.
    """
    try:
        first, *lines = head.decode("ascii").split("\r\n")
    except UnicodeDecodeError:
        raise Malformed("the request is no ASCII text") from None
    parts = first.split(" ")
    if len(parts) != 3 or parts[2] not in {"HTTP/1.1", "HTTP/1.0"} or not all(parts):
        raise Malformed("the request has no request line")
    if len(lines) > HEADERS:
        raise Malformed("the request has too many headers")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip() or any((c < " " and c != "\t") or c == "\x7f" for c in line):
            raise Malformed("a header of the request is none")
        name = name.lower()
        headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    method, path, version = parts
    return Request(method, path, headers, _key(headers) if (method, version) == ("GET", "HTTP/1.1") else "")


def _key(headers: Mapping[str, str]) -> str:
    key = headers.get("sec-websocket-key", "")
    try:
        nonce = base64.b64decode(key, validate=True)
    except binascii.Error:
        nonce = b""
    fine = (
        len(nonce) == 16
        and "host" in headers
        and "websocket" in _tokens(headers, "upgrade")
        and "upgrade" in _tokens(headers, "connection")
        and headers.get("sec-websocket-version") == _VERSION
    )
    return key if fine else ""


def _tokens(headers: Mapping[str, str], name: str) -> set[str]:
    return {token.strip().lower() for token in headers.get(name, "").split(",")}


def accepted(key: str) -> bytes:
    """The answer that opens it (4.2.2); no extension and no sub-protocol are agreed upon."""
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {_accept(key)}\r\n\r\n"
    ).encode()


def answered(status: str, text: str) -> bytes:
    """Any other answer, after which the connection is closed."""
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n"
        f"Sec-WebSocket-Version: {_VERSION}\r\nConnection: close\r\n\r\n{text}"
    ).encode()


def asked(host: str, nonce: bytes, *, path: str = "/", headers: Mapping[str, str] | None = None) -> bytes:
    """A client's request; `nonce`: 16 random bytes (4.1)."""
    more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {base64.b64encode(nonce).decode()}\r\nSec-WebSocket-Version: {_VERSION}\r\n{more}\r\n"
    ).encode()


def opens(answer: bytes, nonce: bytes) -> bool:
    """Whether a server's answer (up to its END) opens the WebSocket that was asked for with this nonce (4.1)."""
    first, *lines = answer.decode("ascii", "replace").split("\r\n")
    wanted = _accept(base64.b64encode(nonce).decode())
    said = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return first.startswith("HTTP/1.1 101 ") and said.get("sec-websocket-accept") == wanted


def _accept(key: str) -> str:
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()
