"""From socket to fsync to acknowledgement: frames a second through the real gate, and the disk's own limit beside."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from onshore.cli.init import make_site
from onshore.cli.serve import gate
from onshore.cli.simulate import test_vins
from onshore.gate.gb32960.protocol import HEADER, TIME, Flag, reply
from onshore.register import vehicles
from onshore.register.consents import Wish, give
from onshore.site import Site, open_site

SECONDS = 6.0
BURSTS, SINGLE = (200, 64), (1000, 1)
"""Cars, and frames that each has on its way at a time: many to a packet, or one to a packet and answer."""


def run() -> dict[str, float]:
    """Frames acknowledged a second of wall time and of the gate's own CPU time; the disk's limit beside."""
    with tempfile.TemporaryDirectory() as folder:
        bursts = _measured(Path(folder) / "bursts", *BURSTS, consents=False)
        kept = _measured(Path(folder) / "consented", *BURSTS, consents=True)
        single = _measured(Path(folder) / "single", *SINGLE, consents=False)
        limit = _syncs(Path(folder))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        floor = runner.run(_answers(*SINGLE))
    return {
        "frames/s of the gate's CPU, up to 64 to a packet, statutory rows": bursts["per_core"],
        "frames/s of the gate's CPU, up to 64 to a packet, statutory and consented": kept["per_core"],
        "frames/s of the gate's CPU, one to a packet, statutory rows": single["per_core"],
        "frames/s of wall time, up to 64 to a packet": bursts["per_second"],
        "frames/s of wall time, one to a packet": single["per_second"],
        "latency p50 ms, one to a packet, saturated": single["latency_p50_ms"],
        "latency p99 ms, one to a packet, saturated": single["latency_p99_ms"],
        "batches/s written and synced, one to a packet": single["batches"] / SECONDS,
        "limit: write + fdatasync of 300 KB, times/s": limit,
        "limit: uvloop answering what it reads and nothing else, one to a packet, frames/s of its CPU": floor,
    }


def _measured(folder: Path, cars: int, window: int, *, consents: bool) -> dict[str, float]:
    make_site(folder, "CN", "bench")
    site = open_site(folder)
    wish = Wish(("trip-history",), ("track", "vehicle-operation", "driving-behaviour"), "2026-11", separate=True)
    for vin in test_vins(cars):
        vehicles.add(site, vin.decode())
        if consents:
            give(site, vehicles.find(site, vin.decode()), wish)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_load(site, cars, window))


async def _load(site: Site, cars: int, window: int) -> dict[str, float]:
    async with gate(site, port=0) as (door, port):
        figures = await _driven(port, cars, window)
        figures["batches"] = door.counts["batches"]
    return figures


class _Answering(asyncio.Protocol):
    """What any server costs: each read answered at once, nothing decoded, sieved or kept."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(reply(data, Flag.OK, data[HEADER : HEADER + TIME]))


async def _answers(cars: int, window: int) -> float:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Answering, "127.0.0.1", 0)
    async with server:
        figures = await _driven(server.sockets[0].getsockname()[1], cars, window)
    return figures["per_core"]


async def _driven(port: int, cars: int, window: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench._cars", str(port), str(cars), str(SECONDS), str(window)]
    load = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert load.stdout is not None
    await load.stdout.readline()  # all cars are logged in
    cpu = time.process_time()
    figures: dict[str, float] = json.loads(await load.stdout.read())
    figures["per_core"] = figures["acknowledged"] / (time.process_time() - cpu)
    await load.wait()
    return figures


def _syncs(folder: Path, size: int = 300_000) -> float:
    """How many writes of a batch's size the disk takes a second, each synced."""
    block, count = os.urandom(size), 0
    fd = os.open(folder / "limit", os.O_CREAT | os.O_WRONLY)
    begun = time.perf_counter()
    while time.perf_counter() - begun < 1:
        os.write(fd, block)
        os.fdatasync(fd)
        count += 1
    os.close(fd)
    return count / (time.perf_counter() - begun)
