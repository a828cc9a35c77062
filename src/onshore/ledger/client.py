"""The way to witnesses: hosts that site.toml names, checkpoints alone, answers bounded in bytes and in time."""

import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import h11

from onshore.ledger.witness import Answer, place
from onshore.words.errors import Malformed, Refusal
from onshore.words.settings_border import WitnessHost

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_BLOCK = 16 << 10
MOST = 256 << 10
"""Bytes of an answer at most: a checkpoint with as many signatures as anybody reads."""


@dataclass(frozen=True)
class Place:
    """A witness's prefix, taken apart; `ca`: PEM file of who signed its certificate, if none that is known here."""

    host: str
    port: int
    path: str
    secure: bool
    jurisdiction: str
    ca: Path | None = None


def place_of(url: str, hosts: Mapping[str, WitnessHost], folder: Path) -> Place:
    """Where a policy's URL leads; refuses (`witness-not-listed`) a host that `[witnesses.hosts]` does not name.

    Malformed where it is no https URL; http is for this machine alone. `folder`: what paths in settings begin from.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    host = parts.hostname or ""
    plain = parts.scheme == "http" and host in _HERE
    more = parts.username is not None or parts.query or parts.fragment
    if not host or more or not (plain or parts.scheme == "https"):
        raise Malformed(f"'{url}' is no https://HOST/PATH; http is for this machine alone", where="policy of witnesses")
    known = hosts.get(host)
    if known is None:
        raise Refusal(
            "witness-not-listed",
            f"the policy has a witness at '{host}', which site.toml does not name",
            remedy=f'add [witnesses.hosts."{host}"] with its jurisdiction',
        )
    ca = folder / known.ca if known.ca else None
    return Place(host, port or (80 if plain else 443), parts.path.rstrip("/"), not plain, known.jurisdiction, ca)


def add_checkpoint(where: Place, body: bytes, seconds: float) -> Answer:
    """What the witness answers to a checkpoint handed in (C2SP tlog-witness); OSError where it does not, in time."""
    return _asked(where, "POST", "/add-checkpoint", body, seconds)


def checkpoint(where: Place, origin: str, seconds: float) -> Answer:
    """What it says that it cosigned last of a log."""
    return _asked(where, "GET", f"/{place(origin)}/checkpoint", b"", seconds)


def _asked(where: Place, method: str, path: str, body: bytes, seconds: float) -> Answer:
    until = time.monotonic() + seconds
    with socket.create_connection((where.host, where.port), seconds) as plain:
        if not where.secure:
            return _Talk(plain, until).ask(where, method, path, body)
        plain.settimeout(_left(until))
        context = ssl.create_default_context(cafile=None if where.ca is None else str(where.ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with context.wrap_socket(plain, server_hostname=where.host) as sock:
            return _Talk(sock, until).ask(where, method, path, body)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("it did not answer in time")
    return left


class _Talk:
    """One request and its answer."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock, self._until = sock, until
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_BLOCK)

    def ask(self, where: Place, method: str, path: str, body: bytes) -> Answer:
        headers = [
            ("Host", f"{where.host}:{where.port}"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
            ("User-Agent", "onshore"),
        ]
        said = self._http.send(h11.Request(method=method, target=where.path + path, headers=headers)) or b""
        said += (self._http.send(h11.Data(data=body)) or b"") + (self._http.send(h11.EndOfMessage()) or b"")
        self._sock.settimeout(_left(self._until))
        self._sock.sendall(said)
        try:
            return self._answer()
        except h11.RemoteProtocolError:
            raise ConnectionAbortedError("what answers there is no witness: it does not speak HTTP") from None

    def _answer(self) -> Answer:
        status, kind, found = 0, "", bytearray()
        while not isinstance(event := self._event(), h11.EndOfMessage):
            if isinstance(event, h11.Response):
                status, kind = event.status_code, _kind(event)
            elif isinstance(event, h11.Data):
                found += event.data
            elif isinstance(event, h11.ConnectionClosed):
                raise ConnectionAbortedError("it broke off its answer")
            if len(found) > MOST:
                raise ConnectionAbortedError("its answer is too long")
        return Answer(status, bytes(found), kind)

    def _event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._sock.settimeout(_left(self._until))
            self._http.receive_data(self._sock.recv(_BLOCK))
        return event


def _kind(response: h11.Response) -> str:
    return next((v.decode("latin-1") for n, v in response.headers if n == b"content-type"), "").partition(";")[0]
