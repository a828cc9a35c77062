"""What the load itself can do: drives modelled, frames written, and `onshore simulate` against what only answers."""

import asyncio
import json
import os
import subprocess
import sys
import time
from typing import Any

import numpy as np
import uvloop

from onshore.cli.driving.cars import DAY, SHANGHAI, cars
from onshore.cli.simulated import test_vins
from onshore.cli.voices import fleet, gb32960, mqtt
from onshore.cli.voices.spoken import Modelled, Pace, Voice

CARS, SECONDS = 1000, 5.0
_FRAME = 301  # bytes that a simulated car of 2016 sends
AT = Pace(1_790_000_000_000, 1000)
WAYS = {"one to a packet": ("--window", "8"), "ten to a packet": ("--window", "20", "--burst", "10")}


def run() -> dict[str, float]:
    """Car-seconds and frames a second of one core; frames a second of wall time that `simulate` sends and hears."""
    figures = _modelled()
    drives = Modelled(cars(SHANGHAI, CARS, 1, 1))
    vins = test_vins(CARS)
    voices: dict[str, tuple[Voice, int]] = {
        "gb32960, 2016": (gb32960.Voice(vins, drives), 64),
        "gb32960, 2025, signed": (gb32960.Voice(vins, drives, 2025), 4),
        "mqtt, JSON with 96 cells": (mqtt.Voice(range(CARS), drives), 16),
        "fleet": (fleet.Voice("localhost", drives, os.urandom), 8),
    }
    for name, (voice, many) in voices.items():
        figures[f"frames/s written, {name}"] = CARS * many / _cpu(lambda v=voice, n=many: v.frames(0, n, AT))
    for name, more in WAYS.items():
        figures[f"limit: frames/s that simulate sends and hears, {name}"] = _ceiling(more)
    return figures


def _modelled() -> dict[str, float]:
    """Days of cars planned, and their states at each second."""
    planned = _cpu(lambda: cars(SHANGHAI, CARS, 1, 1))
    model, seconds, some = cars(SHANGHAI, CARS, 1, 1), np.arange(float(DAY)), 50
    states = _cpu(lambda: [model.at(np.full(DAY, car), seconds) for car in range(some)])
    return {
        "days of a car planned/s": CARS / planned,
        "seconds of a car modelled/s": some * DAY / states,
        "1,000 cars for a day at 1 Hz, s": planned + states / some * CARS,
    }


def _cpu(act: Any) -> float:
    act()
    begun = time.process_time()
    act()
    return time.process_time() - begun


class Answering(asyncio.Protocol):
    """Says yes to a login, and from then on to each frame, all of which are of one length."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._rest, self._answer = 0, b""

    def data_received(self, data: bytes) -> None:
        if not self._answer:
            self._answer = data[:2] + b"\2\1" + data[4:22] + b"\0\6" + data[24:30] + b"\0"
            self._transport.write(self._answer)
            return
        count, self._rest = divmod(self._rest + len(data), _FRAME)
        self._transport.write(self._answer * count)


def _ceiling(more: tuple[str, ...]) -> float:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return float(runner.run(_driven(more))["per_second"])


async def _driven(more: tuple[str, ...]) -> dict[str, float]:
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=1000)
    async with server:
        return await _sent(server.sockets[0].getsockname()[1], more)


async def _sent(port: int, more: tuple[str, ...]) -> dict[str, float]:
    load = ("--cars", str(CARS), "--rate", "0", "--seconds", str(SECONDS), "--json", *more)
    start = "from onshore.cli.main import main; main()"
    command = (sys.executable, "-c", start, "simulate", "--to", f"127.0.0.1:{port}", *load)
    sender = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert sender.stdout is not None
    said: dict[str, float] = json.loads(await sender.stdout.read())
    await sender.wait()
    return said


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{value:>14,.2f}  {name}")
