"""The gate is killed while files arrive: after it starts again no row is missing, and none is there twice."""

import asyncio
import contextlib
import re
import shutil
import ssl
import subprocess
import sys

import pytest

from onshore.vault.read import read
from upload_makers import CAN, CSV, T0, Site, begun, candump, csv_drive, offset, patch

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")

GATE = """
import asyncio, sys
from pathlib import Path
from onshore.cli.doors import doors
from onshore.site import open_site

async def run():
    async with doors(open_site(Path(sys.argv[1]))) as ports:
        print(ports["upload"], flush=True)
        await asyncio.Event().wait()

asyncio.run(run())
"""


class Killed:
    """A gate process of its own."""

    def __init__(self, site):
        self.process = subprocess.Popen(
            [sys.executable, "-c", GATE, str(site.site.folder)], stdout=subprocess.PIPE, text=True
        )
        self.url = f"https://localhost:{int(self.process.stdout.readline())}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


async def torn(car, gate, name, at, data):
    """Send a part of a body, wait until the gate has taken some of it in, and kill the gate there."""
    port = int(gate.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("localhost", port, ssl=car.context())
    head = (
        f"PATCH {name} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {at}\r\n"
        f"Content-Type: application/offset+octet-stream\r\nContent-Length: {len(data) + 1000}\r\n\r\n"
    )
    writer.write(head.encode() + data)
    await writer.drain()
    place = gate.url + name
    while await offset(car, place) == at:
        pass
    gate.process.kill()
    gate.process.wait()
    writer.close()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        await reader.read()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        await writer.wait_closed()


def times(site):
    """Of all rows in segments, in order."""
    found = read(
        *(site.engine, site.root, site.vault, site.id),
        use="warranty-analysis",
        categories=["driving-behaviour"],
        start=0,
        until=1 << 60,
    )
    return sorted(at for table in found for at in table.column("time").cast("int64").to_pylist())


@pytest.mark.parametrize("kind", ["csv", "candump"])
def test_no_row_is_lost_or_doubled(tmp_path, kind):
    site = Site(tmp_path)
    car = site.allowed()
    data, manifest = (csv_drive(12_000), CSV) if kind == "csv" else (candump(8_000), CAN)
    steps = [len(data) * n // 5 for n in range(1, 5)]

    async def play():
        with Killed(site) as gate:
            place = (await begun(car, gate.url, manifest, len(data)))[len(gate.url) :]
            await torn(car, gate, place, 0, data[: steps[0]])
        for step in steps[1:]:
            with Killed(site) as gate:
                at = await offset(car, gate.url + place)
                assert at <= step
                await torn(car, gate, place, at, data[at:step])
            site.site.drain()
        with Killed(site) as gate:
            at = await offset(car, gate.url + place)
            assert (await patch(car, gate.url + place, at, data[at:]))[0] == 204

    asyncio.run(play())
    site.site.drain()
    if kind == "csv":
        assert times(site.site) == [T0 + 1000 * n for n in range(12_000)]
    else:
        whole = re.findall(rb"\((\d+)\.(\d{3})\d+\) can0 (?:0B4|025)#", data)
        assert times(site.site) == [int(s) * 1000 + int(m) for s, m in whole]
