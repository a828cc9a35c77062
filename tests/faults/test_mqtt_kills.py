"""`onshore serve` is killed while cars speak MQTT: what it has acknowledged is stored, and what it has not comes again.

A message that was kept, but whose acknowledgement the car never had, comes again with DUP. The gate that kept it knows
it, and so does the one that is started after a crash, as the digest of a message lies in the same record as its rows.
So each row is there exactly once, however often it was sent.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from mqtt_makers import Garage, dialled
from onshore.gate.mqtt.packets import Answer, Connect, Publish
from onshore.gate.mqtt.protocol import V3, V5, Kind
from onshore.register import vehicles
from onshore.register.consents import Wish, give
from onshore.site import open_site
from onshore.vault.read import read

SOURCE = Path(vehicles.__file__).parents[2]
MAIN = "from onshore.cli.main import main; main()"
SPEED = "Vehicle.Speed"
WISH = Wish(("trip-history",), ("driving-behaviour",), "2026-11", separate=True)
BEGIN = int(time.time()) * 1000 + 3_600_000  # consents count from when they are given
WINDOW = 200  # messages of a car that wait for their acknowledgement at any time
HEARD = 300, 800, 1500  # the gate is killed when every car has heard so many acknowledgements in a run
MISSED = 20  # acknowledgements, the last of a run, that a car behaves as if it had not heard


class Gate:
    """A gate in a process of its own."""

    def __init__(self, folder):
        command = [sys.executable, "-c", MAIN, "serve", "--only", "gate", "--site", str(folder)]
        env = os.environ | {"PYTHONPATH": str(SOURCE)}
        self.process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
        said = self.process.stderr.readline()
        assert "gate mqtt listens" in said, said
        self.port = int(said.rpartition(":")[2])

    def end(self):
        """What it exits with; it is told to go unless it was killed."""
        self.process.send_signal(signal.SIGTERM)
        _, rest = self.process.communicate(timeout=30)
        assert "Traceback" not in rest
        return self.process.returncode


@contextmanager
def gate(folder, *, code):
    running = Gate(folder)
    try:
        yield running
        assert running.end() == code
    finally:
        running.process.kill()
        running.process.wait()
        running.process.stderr.close()


class Sender:
    """A car that keeps messages until they are acknowledged, and sends them again when it is back."""

    def __init__(self, car, version):
        self.car, self.version = car, version
        self.sent, self.acknowledged = Counter(), {}
        self.waiting = {}  # by packet identifier, in the order in which they were sent first

    def publish(self, wire, number, *, dup=False):
        payload = b'{"time":%d,"%s":%d}' % (BEGIN + 10 * number, SPEED.encode(), number % 200)
        wire.say(Publish(self.car.topic("t"), payload, 1, number, dup=dup))
        self.waiting[number] = None
        self.sent[number] += 1

    def more(self, wire):
        while len(self.waiting) < WINDOW:
            self.publish(wire, len(self.sent) + 1)

    async def connected(self, here):
        wire = await dialled(here, self.car, self.version)
        wire.say(Connect(self.version, self.car.name, clean=False))
        answer = await wire.hear()
        assert (answer.reason, answer.present) == (0, False)
        for number in self.waiting:
            self.publish(wire, number, dup=True)
        return wire

    def hear(self, answer):
        assert isinstance(answer, Answer)
        assert (answer.kind, answer.reason) == (Kind.PUBACK, 0)
        del self.waiting[answer.packet_id]
        self.acknowledged.pop(answer.packet_id, None)
        self.acknowledged[answer.packet_id] = None  # in the order in which they were heard

    async def load(self, wire, enough):
        """Go on until the gate is gone; how many acknowledgements there were is told to `enough`."""
        heard = 0
        self.more(wire)
        while (answer := await wire.hear()) is not None:
            self.hear(answer)
            self.more(wire)
            heard += 1
            enough(self, heard)
        await wire.close()

    async def last(self, wire):
        """Go on until nothing waits."""
        while self.waiting:
            self.hear(await wire.hear())
        await wire.close()

    def miss(self):
        """Behave as if the last acknowledgements were lost when the gate died; what waits keeps its order (4.6)."""
        missed = list(self.acknowledged)[-MISSED:]
        assert len(missed) == MISSED
        self.waiting = dict.fromkeys(sorted([*missed, *self.waiting]))


@pytest.fixture
def garage(tmp_path):
    made = Garage(tmp_path)
    toml = tmp_path / "site" / "site.toml"
    toml.write_text(re.sub(r"(?m)^gb32960 = \d+", "mqtt = 0\nrate = 100000\nrotate_seconds = 1", toml.read_text()))
    made.site = open_site(tmp_path / "site")
    return made


def cars(garage):
    """Of both versions, whose owners allow what they send."""
    for number, version in enumerate((V3, V5, V3), 1):
        car = garage.car(number)
        give(garage.site, vehicles.find(garage.site, car.vin), WISH)
        yield Sender(car, version)


async def killed(here, senders, most):
    """Everybody sends at once; when each has heard so many acknowledgements the gate is killed."""
    behind = set(senders)

    def enough(sender, heard):
        if heard == most:
            behind.remove(sender)
            if not behind:
                here.process.kill()

    wires = [await sender.connected(here) for sender in senders]
    await asyncio.gather(*(sender.load(wire, enough) for sender, wire in zip(senders, wires, strict=True)))
    assert not behind


async def drained(here, senders):
    """Nobody sends anything new."""
    wires = [await sender.connected(here) for sender in senders]
    await asyncio.gather(*(sender.last(wire) for sender, wire in zip(senders, wires, strict=True)))


def stored(site, car):
    """How often each message of a car is in segments, by its number."""
    found = Counter()
    what = {"use": "trip-history", "categories": ["driving-behaviour"], "vehicles": [car.id], "start": 0}
    for table in read(site.engine, site.root, site.vault, site.id, until=1 << 60, **what):
        for at, speed in zip(table["time"].cast("int64").to_pylist(), table[SPEED].to_pylist(), strict=True):
            number = (at - BEGIN) // 10
            assert speed == number % 200
            found[number] += 1
    return found


def test_what_was_acknowledged_is_stored_whenever_the_gate_dies(garage):
    folder, senders = garage.folder / "site", list(cars(garage))
    for most in HEARD:
        with gate(folder, code=-signal.SIGKILL) as here:
            asyncio.run(killed(here, senders, most))
        assert min(len(sender.waiting) for sender in senders) >= WINDOW  # it died in mid-load
        senders[0].miss()
    with gate(folder, code=0) as here:
        asyncio.run(drained(here, senders))
    site = open_site(folder)
    site.drain()
    for sender in senders:
        found = stored(site, sender.car)
        assert sender.acknowledged.keys() == sender.sent.keys()
        assert found.keys() == sender.sent.keys()  # nothing is lost, and nothing is there that nobody sent
        assert {n: times for n, times in found.items() if times != 1} == {}
    assert max(senders[0].sent.values()) > 1
