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
from onshore.register import vehicles
from onshore.register.consents import Wish, give
from onshore.site import open_site

CARS = 200
SECONDS = 6.0


def run() -> dict[str, float]:
    """Frames acknowledged a second of wall time and of the gate's own CPU time, all cells withheld and all kept."""
    with tempfile.TemporaryDirectory() as folder:
        withheld = _measured(Path(folder) / "statutory", consents=False)
        kept = _measured(Path(folder) / "consented", consents=True)
        limit = _syncs(Path(folder))
    return {
        "gate, statutory rows: frames/s per core": withheld["per_core"],
        "gate, statutory rows: frames/s wall": withheld["per_second"],
        "gate, statutory rows: p50 latency, ms": withheld["latency_p50_ms"],
        "gate, statutory rows: p99 latency, ms": withheld["latency_p99_ms"],
        "gate, statutory and consented: frames/s per core": kept["per_core"],
        "limit: write + fdatasync of a batch's bytes, batches/s": limit,
        "gate: batches/s": withheld["batches"] / SECONDS,
    }


def _measured(folder: Path, *, consents: bool) -> dict[str, float]:
    make_site(folder, "CN", "bench")
    site = open_site(folder)
    wish = Wish(("trip-history",), ("track", "vehicle-operation", "driving-behaviour"), "2026-11", separate=True)
    for vin in test_vins(CARS):
        vehicles.add(site, vin.decode())
        if consents:
            give(site, vehicles.find(site, vin.decode()), wish)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_load(site))


async def _load(site) -> dict[str, float]:
    async with gate(site, port=0) as (door, port):
        command = [sys.executable, "-m", "bench.cars", str(port), str(CARS), str(SECONDS)]
        cars = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        assert cars.stdout is not None
        await cars.stdout.readline()  # all are logged in
        cpu = time.process_time()
        told = await cars.stdout.read()
        figures = json.loads(told)
        figures["per_core"] = figures["acknowledged"] / (time.process_time() - cpu)
        figures["batches"] = door.counts["batches"]
        await cars.wait()
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
