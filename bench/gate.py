"""From socket to fsync to acknowledgement: frames a second through the real gate, and its limits in the same run.

Beside the gate, with the same sender and the same packets: a server on the same loop that answers at once and keeps
nothing, and one of bare system calls. One core for the server, the other for the sender.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from bench import _answering

from onshore.cli.doors import doors
from onshore.cli.init import make_site
from onshore.cli.simulate import test_vins
from onshore.gate.tls import Credentials
from onshore.register import vehicles
from onshore.register.certificates import Standing
from onshore.register.consents import Wish, give
from onshore.site import Site, open_site

SECONDS = 4.0
CARS = 1000
ROUNDS = 2


@dataclass(frozen=True)
class Way:
    """How cars send: packets of `burst` frames, `window` on their way each, or `rate` frames a second in all."""

    name: str
    window: int = 1
    burst: int = 1
    rate: int = 0
    tls: bool = False
    consents: bool = False


WAYS = (
    Way("one to a packet, each car awaits its answer"),
    Way("one to a packet, 60,000 a second whatever is answered", rate=60_000),
    Way("one to a packet, eight on their way", window=8),
    Way("one to a packet, eight on their way, consented", window=8, consents=True),
    Way("ten to a packet, two packets on their way", window=2, burst=10),
    Way("over TLS, one to a packet, eight on their way", window=8, tls=True),
)


def run() -> dict[str, float]:
    """Frames a second of wall time, CPU microseconds of the server a frame, latencies, and how near the limit it is."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        site, consented = (made_site(Path(folder) / name, name == "consented") for name in ("plain", "consented"))
        figures: dict[str, float] = {}
        for way in WAYS:
            figures |= _compared(way, consented if way.consents else site)
        return figures | {"limit: write + fdatasync of 300 KB, times/s": _syncs(Path(folder))}


def _compared(way: Way, site: Site) -> dict[str, float]:
    """The gate and its limit in turn, so that both meet the same neighbours; the median round by ratio."""
    rounds = []
    for _ in range(ROUNDS):
        limit = on_loop(_answered(way, site))
        gate = on_loop(kept(way, site))
        rounds.append((gate["per_second"] / limit["per_second"], gate, limit))
    ratio, gate, limit = sorted(rounds, key=lambda one: one[0])[len(rounds) // 2]
    said = {
        "frames/s": gate["per_second"],
        "us of CPU a frame": gate["cpu"] / gate["acknowledged"] * 1e6,
        "latency p50 ms": gate["latency_p50_ms"],
        "latency p99 ms": gate["latency_p99_ms"],
        "frames/s of a server that only answers": limit["per_second"],
        "us of CPU a frame of a server that only answers": limit["cpu"] / limit["acknowledged"] * 1e6,
        "ratio to it": ratio,
    }
    if not way.tls:
        out, cpu = _answering.bare(lambda port: _sender(way, port))
        bare = json.loads(out.splitlines()[-1])
        said["frames/s of bare system calls"] = bare["per_second"]
        said["us of CPU a frame of bare system calls"] = cpu / bare["acknowledged"] * 1e6
    return {f"{way.name}: {name}": round(value, 2) for name, value in said.items()}


def made_site(folder: Path, consents: bool) -> Site:
    make_site(folder, "CN", "bench")
    toml = folder / "site.toml"
    toml.write_text(toml.read_text().replace("gb32960 = 32960", "gb32960 = 0\ngb32960_tls = 0"))
    site = open_site(folder)
    wish = Wish(("trip-history",), ("track", "vehicle-operation", "driving-behaviour"), "2026-11", separate=True)
    for vin in test_vins(CARS):
        vehicle = vehicles.add(site, vin.decode())
        if consents:
            give(site, vehicle, wish)
    (folder / "trust.pem").write_bytes(Standing(site).authorities())
    return site


def on_loop(figures: Any) -> dict[str, float]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return dict(runner.run(figures))


async def kept(way: Way, site: Site) -> dict[str, float]:
    async with doors(site) as ports:
        return await _driven(way, ports["gb32960_tls" if way.tls else "gb32960"], site)


async def _answered(way: Way, site: Site) -> dict[str, float]:
    context = Credentials(site, Standing(site).authorities).context(required=False) if way.tls else None
    return await _answering.on_a_loop(lambda port: _driven(way, port, site), context)


async def _driven(way: Way, port: int, site: Site) -> dict[str, float]:
    load = _sender(way, port, str(site.folder / "trust.pem") if way.tls else "")
    assert load.stdout is not None
    await asyncio.to_thread(load.stdout.readline)  # all cars are logged in
    cpu = time.process_time()
    said: dict[str, float] = json.loads(await asyncio.to_thread(load.stdout.read))
    load.wait()
    if way.rate:
        said["per_second"] = said["acknowledged"] / max(SECONDS, said["taken"])
    return said | {"cpu": time.process_time() - cpu}


def _sender(way: Way, port: int, trust: str = "") -> "subprocess.Popen[bytes]":
    words = (port, CARS, SECONDS, way.window, way.burst, way.rate, trust)
    other = str(min(os.sched_getaffinity(os.getppid()) or {0}))
    command = ["taskset", "-c", other, sys.executable, "-m", "bench._cars", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


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


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{value:>12,.2f}  {name}")
