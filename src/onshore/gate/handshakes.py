"""TLS of whoever comes: a handshake counts as a connection that has not logged in, from its first byte on."""

import asyncio
import os
import socket
import ssl as tls
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast


class House(Protocol):
    """What a handshake asks of a door."""

    def opened(self, peer: "Handshake") -> None:
        """Count it, and abort it, or an older one, where there are too many."""

    def closed(self, peer: "Handshake") -> None:
        """Count it no longer."""

    def failed(self) -> None:
        """One came to nothing."""


@dataclass(frozen=True)
class Terms:
    """What handshakes of a door have in common; `connection` makes what speaks with the peer after its handshake."""

    context: tls.SSLContext
    timeout_s: float
    connection: Callable[["Handshake"], asyncio.BaseProtocol]


class Handshake:
    """A connection whose TLS is not settled yet: a peer of its door, which may be aborted to make room.

    It ends by itself when it takes too long, and when it has become a connection of the door's own.
    """

    identity = None

    def __init__(self, house: House, terms: Terms, sock: socket.socket, address: str) -> None:
        self.address = address
        self.made: asyncio.BaseProtocol | None = None
        self._house, self._terms, self._sock = house, terms, sock
        self._task: asyncio.Task[None] | None = None
        self._begun = self._over = False

    def begin(self) -> None:
        """Shake hands, if the door has room."""
        self._house.opened(self)
        if self._over:
            self._sock.close()
            return
        self._task = asyncio.get_running_loop().create_task(self._shake())
        self._task.add_done_callback(self._end)

    async def _shake(self) -> None:
        self._begun, terms, loop = True, self._terms, asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(
                lambda: terms.connection(self), self._sock, ssl=terms.context, ssl_handshake_timeout=terms.timeout_s
            )
        except OSError:  # no TLS, no certificate of theirs, too slow, gone
            self._house.failed()

    def _end(self, _: "asyncio.Task[None]") -> None:
        self._house.closed(self)
        if not self._begun:
            self._sock.close()  # otherwise the loop closes it

    def settle(self) -> None:
        """It holds nothing."""

    def flow(self) -> None:
        """It sends nothing yet that would have to be kept."""

    def stands(self) -> bool:
        """Nobody has logged in."""
        return True

    def look_after(self, now: float) -> None:
        """The loop ends it in time."""

    def close(self) -> None:
        """There is nothing to wait for."""
        self.abort()

    def abort(self) -> None:
        """Close at once."""
        self._over = True
        if self._task is not None:
            self._task.cancel()

    def end(self, why: str) -> None:
        """Nobody has logged in, so there is nothing to say and no reason to count."""
        del why
        self.abort()


class Porter(asyncio.Protocol):
    """Takes over what was accepted, before a byte of it is read, with the address that it came from.

    A server of asyncio's that was given the TLS would tell its connections of nobody until hands are shaken. No
    connection is opened here: the one that was accepted is given another descriptor.
    """

    def __init__(self, house: House, terms: Terms) -> None:
        self._house, self._terms = house, terms

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a handshake on a descriptor of its own; the one that was accepted goes."""
        address = str((transport.get_extra_info("peername") or ("",))[0])
        try:
            sock = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
        except OSError:  # no descriptor is free, or the peer is gone already
            self._house.failed()
        else:
            Handshake(self._house, self._terms, sock, address).begin()
        cast(asyncio.Transport, transport).abort()
