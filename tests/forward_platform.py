"""A platform that cars' data are forwarded to: a real server of GB/T 32960 that can be told to misbehave."""

import asyncio
import threading
from contextlib import contextmanager

from onshore.gate.gb32960.protocol import HEADER, TIME, Command, Flag, Splitter, header, reply

NOW6 = bytes((26, 1, 1, 0, 0, 0))


class Platform:
    """`kept`: what it took, by (VIN, time) to frames; `heard`: commands in order. Each knob is used up once."""

    def __init__(self, user: str = "onshore", password: str = "secret") -> None:
        self.user, self.password = user.encode().ljust(12, b"\0"), password.encode().ljust(20, b"\0")
        self.kept: dict[tuple[bytes, bytes], list[bytes]] = {}
        self.heard: list[int] = []
        self.logins: list[bytes] = []
        self.refuse_logins = 0
        self.cut_after: list[int] = []  # per connection: real-time frames heard before it is cut
        self.silent_after: list[int] = []  # per connection: frames after which none is acknowledged
        self.unwanted: set[bytes] = set()  # VINs that it does not know
        self.refused = 0  # frames of theirs
        self.port = 0
        self._tasks: set[asyncio.Task] = set()

    async def serve(self) -> asyncio.Server:
        server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _talk(self, reader, writer) -> None:
        splitter = Splitter()
        cut = self.cut_after.pop(0) if self.cut_after else None
        silent = self.silent_after.pop(0) if self.silent_after else None
        count, known = 0, False
        try:
            while data := await reader.read(1 << 16):
                for frame in splitter.feed(data):
                    assert isinstance(frame, bytes)
                    head = header(frame)
                    self.heard.append(head.command)
                    if head.command == Command.PLATFORM_LOGIN:
                        known = self._login(frame)
                        writer.write(reply(frame, Flag.OK if known else Flag.ERROR, NOW6))
                    elif head.command in {Command.REALTIME, Command.RESEND}:
                        assert known
                        count += 1
                        if cut is not None and count > cut:
                            writer.transport.abort()
                            return
                        flag = self._take(frame)
                        if silent is None or count <= silent:
                            writer.write(reply(frame, flag, NOW6))
                    else:
                        writer.write(reply(frame, Flag.OK, NOW6))
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    def _login(self, frame: bytes) -> bool:
        self.logins.append(frame)
        if self.refuse_logins:
            self.refuse_logins -= 1
            return False
        return frame[32:44] == self.user and frame[44:64] == self.password

    def _take(self, frame: bytes) -> Flag:
        if frame[4:21] in self.unwanted:
            self.refused += 1
            return Flag.ERROR
        self.kept.setdefault((frame[4:21], frame[HEADER : HEADER + TIME]), []).append(frame)
        return Flag.OK


@contextmanager
def running(platform: Platform):
    """The platform on a loop of its own, for tests that are not."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(platform.serve(), loop).result(10)
    try:
        yield platform
    finally:

        async def end() -> None:
            server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
