"""What any server costs: each packet answered at once with as many bytes as the gate answers; nothing is kept."""

import asyncio
import selectors
import socket
import ssl
import subprocess
import time
from typing import Any

from bench._cars import ANSWER

_FRAME = 346


def answer(data: bytes) -> bytes:
    """Good answers to a login, or to each frame in a read; their checksums are wrong, which the cars do not see."""
    return (data[:3] + b"\1" + data[4:ANSWER]) * max(1, len(data) // _FRAME)


class Answering(asyncio.Protocol):
    """Answers each read, on whatever loop."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(answer(data))


async def on_a_loop(load: Any, context: ssl.SSLContext | None = None) -> dict[str, float]:
    """The figures of a load against it on the running loop."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0, ssl=context, backlog=1000)
    async with server:
        return dict(await load(server.sockets[0].getsockname()[1]))


def bare(start: Any) -> tuple[bytes, float]:
    """The same by system calls alone, in one loop over epoll: what the sender says, and our CPU seconds meanwhile."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
    listener.setblocking(False)
    poll = selectors.EpollSelector()
    poll.register(listener, selectors.EVENT_READ)
    load: subprocess.Popen[bytes] = start(listener.getsockname()[1])
    cpu = 0.0
    while load.poll() is None:
        for key, _ in poll.select(0.05):
            cpu = _served(listener, poll, key.fileobj, cpu)
    assert load.stdout is not None
    return load.stdout.read(), time.process_time() - cpu


def _served(listener: socket.socket, poll: selectors.BaseSelector, sock: Any, cpu: float) -> float:
    if sock is listener:
        accepted, _ = listener.accept()
        accepted.setblocking(False)
        poll.register(accepted, selectors.EVENT_READ)
        return time.process_time()  # until the last has come
    data = sock.recv(1 << 16)
    if data:
        sock.send(answer(data))
    else:
        poll.unregister(sock)
        sock.close()
    return cpu
