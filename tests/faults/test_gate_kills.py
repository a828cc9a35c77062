"""`onshore serve` is killed in mid-load or stopped: what was acknowledged is there once, and what comes again too."""

import os
import re
import selectors
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from onshore.cli.init import make_site
from onshore.gate.gb32960 import encode
from onshore.register import vehicles
from onshore.rights.access import access
from onshore.site import open_site

SOURCE = Path(vehicles.__file__).parents[2]
MAIN = "from onshore.cli.main import main; main()"
CARS = [b"LTEST%012d" % n for n in range(1, 5)]
BEGIN = 1_790_000_000_000
ANSWER = 31
FRAMES = 3000  # of each car and each run


@pytest.fixture
def folder(tmp_path):
    make_site(tmp_path / "site", "CN", "s")
    toml = tmp_path / "site" / "site.toml"
    text = re.sub(r"gb32960 = \d+", "gb32960 = 0\nrate = 100000\nrotate_seconds = 1", toml.read_text())
    toml.write_text(text)
    here = open_site(tmp_path / "site")
    for vin in CARS:
        vehicles.add(here, vin.decode())
    return tmp_path / "site"


class Running:
    """The site in a process of its own."""

    def __init__(self, folder):
        command = [sys.executable, "-c", MAIN, "serve", "--site", str(folder)]
        env = os.environ | {"PYTHONPATH": str(SOURCE)}
        self.process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
        said = self.process.stderr.readline()
        assert "listens" in said, said
        self.port = int(said.strip().rpartition(":")[2])

    def end(self, number):
        self.process.send_signal(number)
        _, rest = self.process.communicate(timeout=60)
        assert "Traceback" not in rest


class Car:
    """A car that sends what was not acknowledged, oldest first, and sends it again on its next connection."""

    def __init__(self, vin):
        self.vin, self.made, self.waiting = vin, 0, []

    def more(self, count):
        for _ in range(count):
            self.made += 1
            units = {"vehicle": {"status": "started", "speed_kmh": self.made % 100}}
            self.waiting.append(encode.realtime(self.vin, BEGIN + 1000 * self.made, units))

    def connect(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.sendall(encode.login(self.vin, BEGIN, 1, "8" * 20))
        assert len(self.socket.recv(ANSWER)) == ANSWER
        self.socket.setblocking(False)
        self.out, self.heard = b"".join(self.waiting), b""

    def work(self, events):
        """Whether it is still connected."""
        try:
            if events & selectors.EVENT_WRITE and self.out:
                self.out = self.out[self.socket.send(self.out[:65536]) :]
            if events & selectors.EVENT_READ:
                new = self.socket.recv(65536)
                self.heard += new
                return bool(new)
        except ConnectionError:
            return False
        return True

    def reckon(self):
        """What was acknowledged is done with, in the order in which it was sent."""
        done = len(self.heard) // ANSWER
        for asked, at in zip(self.waiting, range(0, done * ANSWER, ANSWER), strict=False):
            answer = self.heard[at : at + ANSWER]
            assert (answer[3], answer[24:30]) == (1, asked[24:30])
        del self.waiting[:done]
        self.socket.close()
        return done


def load(cars, until):
    """Send and hear until so many frames were acknowledged, or everybody was cut off."""
    with selectors.DefaultSelector() as waits:
        for car in cars:
            waits.register(car.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, car)
        while waits.get_map() and sum(len(car.heard) // ANSWER for car in cars) < until:
            for key, events in waits.select(5):
                if not key.data.work(events):
                    waits.unregister(key.fileobj)
                elif not key.data.out:
                    waits.modify(key.fileobj, selectors.EVENT_READ, key.data)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_what_was_acknowledged_and_what_comes_again_is_there_once(folder, number):
    cars, lost = [Car(vin) for vin in CARS], 0
    for acknowledged in (1000, 4000):
        site = Running(folder)
        for car in cars:
            car.more(FRAMES)
            car.connect(site.port)
        load(cars, acknowledged)
        site.end(number)
        load(cars, 1 << 30)  # what was already on its way
        for car in cars:
            car.reckon()
        lost += sum(len(car.waiting) for car in cars)
    assert lost or number == signal.SIGTERM
    site = Running(folder)
    for car in cars:
        car.connect(site.port)
    load(cars, sum(len(car.waiting) for car in cars))
    for car in cars:
        car.reckon()
        assert not car.waiting
    site.end(signal.SIGTERM)
    here = open_site(folder)
    here.drain()
    for car in cars:
        held = access(here, vehicles.find(here, car.vin.decode()), "officer")["held"]
        assert {place["rows"] for place in held} == {car.made}
