"""A door for uploads that listens over real TLS, its rows in a list; and a client that says whatever it likes."""

import asyncio
from contextlib import asynccontextmanager

from onshore.gate.tls import Credentials
from onshore.gate.upload.door import Door, Limits
from onshore.gate.upload.known import Known
from onshore.gate.upload.server import serve
from onshore.register.policies import Policies
from upload_makers import PATIENCE, SPEED

USUAL = Limits()


class Here:
    """A door that listens; its rows land in a list, and keeping them can be made to fail."""

    def __init__(self, site, limits):
        self.site, self.now = site, 0
        self.rows, self.marks, self.fails = [], [], []
        known = Known(site.site, site.standing, Policies(site.site))
        self.door = Door(known, self.keep, lambda: site.site.clock() + self.now, limits)

    def keep(self, batch, marks=()):
        if self.fails:
            raise self.fails.pop()
        self.rows += batch.to_pylist()
        self.marks += marks

    @property
    def speeds(self):
        return [row[SPEED] for row in self.rows]


@asynccontextmanager
async def listening(site, limits=USUAL):
    here = Here(site, limits)
    context = Credentials(site.site, site.standing.authorities).context(required=True)
    server = await serve(here.door, "127.0.0.1", 0, context)
    here.port = server.sockets[0].getsockname()[1]
    here.url = f"https://localhost:{here.port}"
    try:
        yield here
    finally:
        await here.door.stop(server)
        assert not here.door.connections


def played(play):
    asyncio.run(asyncio.wait_for(play(), PATIENCE * 2))


class Raw:
    """A client that says whatever it likes."""

    def __init__(self, car, here):
        self.car, self.here = car, here

    async def __aenter__(self):
        context = self.car.context()
        self.reader, self.writer = await asyncio.open_connection("localhost", self.here.port, ssl=context)
        return self

    async def __aexit__(self, *_):
        self.writer.close()

    def says(self, *lines, body=b""):
        self.writer.write("\r\n".join((*lines, "", "")).encode() + body)

    def patches(self, place, at, length, body=b"", *more):
        head = (
            f"PATCH {place.removeprefix(self.here.url)} HTTP/1.1",
            "Host: x",
            "Tus-Resumable: 1.0.0",
            f"Upload-Offset: {at}",
            "Content-Type: application/offset+octet-stream",
            *more,
        )
        self.says(*head, *([f"Content-Length: {length}"] if length is not None else []), body=body)

    async def hears(self):
        return int((await self.reader.readuntil(b"\r\n\r\n")).split()[1])

    async def gone(self):
        return await self.reader.read()


async def until(condition):
    while not condition():
        await asyncio.sleep(0)
