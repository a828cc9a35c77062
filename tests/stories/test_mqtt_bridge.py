"""A maker's own Mosquitto is bridged: its cars' messages are kept, and only then acknowledged to the broker."""

import asyncio
import getpass
import json
import shutil
import socket
import subprocess
from contextlib import asynccontextmanager

import paho.mqtt.client as paho
import pytest

from mqtt_makers import NOW, Garage, Running, until
from onshore.cli.mqtt import Mqtt
from onshore.gate.mqtt.client import Bridge, Cars
from onshore.gate.mqtt.known import broker_of, finder, patterns_of
from onshore.register import authority, vehicles
from onshore.words.settings_gate import MqttBridge

SPEED = "Vehicle.Speed"
BROKER = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
pytestmark = pytest.mark.skipif(not BROKER, reason="mosquitto is not installed")


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Mosquitto:
    """A broker in memory; with a garage over TLS, for those whom the garage's authority has certified."""

    def __init__(self, folder, garage=None):
        self.folder, self.port, self.config = folder, free_port(), folder / "mosquitto.conf"
        lines = [f"listener {self.port} 127.0.0.1", "persistence false", "allow_anonymous true"]
        if garage is not None:
            shown = authority.for_gate(garage.site)
            (folder / "broker.pem").write_bytes(shown.certificate)
            (folder / "broker.key").write_bytes(shown.key)
            lines += [f"cafile {folder}/ca.pem", f"certfile {folder}/broker.pem", f"keyfile {folder}/broker.key"]
            lines += ["require_certificate true", f"user {getpass.getuser()}"]
        self.config.write_text("\n".join(lines) + "\n")

    async def __aenter__(self):
        self.process = await asyncio.create_subprocess_exec(BROKER, "-c", str(self.config), stderr=subprocess.DEVNULL)
        await until(self._open)
        return self

    def _open(self):
        with socket.socket() as asked:
            return asked.connect_ex(("127.0.0.1", self.port)) == 0

    async def __aexit__(self, *_):
        self.process.terminate()
        await self.process.wait()


class Maker:
    """A car that speaks to the maker's broker alone."""

    def __init__(self, port, context=None):
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        if context:
            self.client.tls_set_context(context)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def says(self, topic, speed, at=0):
        message = json.dumps({"time": NOW + at, SPEED: speed})
        return self.client.publish(topic, message, 1)

    async def close(self):
        self.client.disconnect()
        await asyncio.to_thread(self.client.loop_stop)


def settings(port, **more):
    topics = {"fleet/{vin}/telemetry": "telemetry", "fleet/{vehicle}/alarm": "alerts"}
    return MqttBridge(host="127.0.0.1", port=port, jurisdiction="CN", topics=topics, **{"tls": False} | more)


@asynccontextmanager
async def bridged(garage, wanted):
    here = Running(garage)
    find = finder(garage.site, lambda vin: vehicles.look_up(garage.site, vin))
    bridge = Bridge(here.door, broker_of(garage.site, wanted), patterns_of(wanted), Cars(find))
    bridge.start()
    try:
        await until(lambda: here.door.counts["bridge subscribed"])
        yield here
    finally:
        await Mqtt(here.door, bridge).stop()


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_what_cars_send_to_the_broker_is_kept(tmp_path, version):
    garage = Garage(tmp_path)
    car = garage.car()

    async def play():
        async with Mosquitto(tmp_path) as broker, bridged(garage, settings(broker.port, version=version)) as here:
            maker = Maker(broker.port)
            for at in range(100):
                maker.says(f"fleet/{car.vin}/telemetry", at, at)
            maker.says(f"fleet/{car.name}/alarm", 100, 100)
            maker.says("fleet/LTEST999999999999/telemetry", 1)
            maker.says(f"fleet/{'0' * 16}/alarm", 1)
            maker.says("fleet/f" + "f" * 15 + "/alarm", 1)
            maker.says(f"elsewhere/{car.vin}/telemetry", 1)
            await until(lambda: len(here.rows) == 101 and here.door.counts["unknown vehicle"] == 3)
            assert [row[SPEED] for row in here.drive(car)] == list(range(101))
            await maker.close()

    asyncio.run(play())


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_the_broker_sends_again_what_was_not_kept(tmp_path, version):
    garage = Garage(tmp_path)
    car = garage.car()

    async def play():
        async with Mosquitto(tmp_path) as broker, bridged(garage, settings(broker.port, version=version)) as here:
            maker = Maker(broker.port)
            here.fails = True
            for at in range(5):
                maker.says(f"fleet/{car.vin}/telemetry", at, at)
            await until(lambda: here.door.counts["not kept"])
            here.fails = False
            await until(lambda: len(here.rows) >= 5)
            assert [row[SPEED] for row in here.rows] == list(range(5))
            await maker.close()

    asyncio.run(play())


def test_the_bridge_speaks_tls(tmp_path):
    garage = Garage(tmp_path)
    car, gate = garage.car(1), garage.car(2)
    files = {"tls": True, "ca": str(gate.ca), "certificate": str(gate.cert), "key": str(gate.key)}

    async def play():
        async with Mosquitto(tmp_path, garage) as broker, bridged(garage, settings(broker.port, **files)) as here:
            maker = Maker(broker.port, car.context())
            maker.says(f"fleet/{car.vin}/telemetry", 42)
            await until(lambda: here.rows)
            assert [row[SPEED] for row in here.drive(car)] == [42]
            await maker.close()

    asyncio.run(play())


def test_the_bridge_comes_back_when_the_broker_does(tmp_path):
    garage = Garage(tmp_path)
    car = garage.car()

    async def play():
        broker = Mosquitto(tmp_path)
        async with broker:
            await broker.__aexit__()
            wanted = settings(broker.port)
            here = Running(garage)
            bridge = Bridge(here.door, broker_of(garage.site, wanted), patterns_of(wanted), Cars(lambda *_: car.id))
            bridge.start()
            await broker.__aenter__()
            await until(lambda: here.door.counts["bridge subscribed"] == 1)
            await broker.__aexit__()
            await broker.__aenter__()
            await until(lambda: here.door.counts["bridge subscribed"] == 2)
            maker = Maker(broker.port)
            maker.says(f"fleet/{car.vin}/telemetry", 1)
            await until(lambda: here.rows)
            bridge.look()
            await maker.close()
            await Mqtt(here.door, bridge).stop()

    asyncio.run(play())
