"""A maker's own Mosquitto keeps what its cars say while the disk of the site is nearly full: all arrives, once."""

import asyncio
import json
import re
from contextlib import asynccontextmanager

import pytest
from click.testing import CliRunner
from test_mqtt_bridge import BROKER, SPEED, Maker, Mosquitto

from mqtt_makers import Garage, until
from onshore.cli import pressing
from onshore.cli.doors import doors
from onshore.cli.main import cli
from onshore.register import vehicles
from onshore.register.consents import Wish, give
from onshore.site import now_ms, open_site
from onshore.vault import space
from onshore.vault.read import read_all_of

pytestmark = pytest.mark.skipif(not BROKER, reason="mosquitto is not installed")
WISH = Wish(("trip-history",), ("driving-behaviour",), "2026-11", separate=True)
FEW = 10


class Disk:
    """What is free of it, in a test's hands: for the gate's timer and for the journal alike."""

    def __init__(self, monkeypatch):
        self.free = 1 << 40
        for module in (pressing, space):
            monkeypatch.setattr(module, "free_bytes", lambda _folder: self.free)


class Place:
    """A site behind a broker, with a car whose owner allows its driving to be kept."""

    def __init__(self, folder, port, version):
        garage = Garage(folder)
        self.car = garage.car()
        toml = folder / "site" / "site.toml"
        said = re.sub(r"(?m)^gb32960 = .*$", "mqtt = 0", toml.read_text())
        bridge = f'host = "127.0.0.1"\nport = {port}\njurisdiction = "CN"\ntls = false\nversion = "{version}"\n'
        toml.write_text(f'{said}\n[gate.mqtt_bridge]\n{bridge}topics = {{ "fleet/{{vin}}/telemetry" = "telemetry" }}\n')
        self.site = open_site(folder / "site")
        give(self.site, vehicles.find(self.site, self.car.vin), WISH)
        self.begin = now_ms() + 1000
        self.said = 0

    async def say(self, maker):
        """A few messages, until the broker has them."""
        told = []
        for _ in range(FEW):
            message = json.dumps({"time": self.begin + self.said, SPEED: self.said})
            told.append(maker.client.publish(f"fleet/{self.car.vin}/telemetry", message, 1))
            self.said += 1
        await until(lambda: all(one.is_published() for one in told))

    async def kept(self):
        """What the vault holds of the car once all that was acknowledged is drained: how far in time each row is."""
        await asyncio.to_thread(self.site.bring_in)
        site = self.site
        found = read_all_of(site.engine, site.root, site.vault, site.id, self.car.id)
        return sorted(time - self.begin for _, rows in found for time in rows.column("time").cast("int64").to_pylist())

    async def subscribed(self, maker):
        """Once the bridge hears what cars say; what they said before was nobody's to keep. The first that it heard."""
        while not (found := await self.kept()):
            await self.say(maker)
        return found[0]

    async def all_kept(self, first):
        while len(found := await self.kept()) < self.said - first:
            pass
        return found

    def check(self):
        return CliRunner().invoke(cli, ["check", "--site", str(self.site.folder)]).output


@asynccontextmanager
async def bridged(folder, version):
    async with Mosquitto(folder) as broker:
        place = Place(folder, broker.port, version)
        async with doors(place.site):
            maker = Maker(broker.port)
            yield place, maker
            await maker.close()


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_while_the_disk_is_nearly_full_the_broker_keeps_what_cars_say(tmp_path, monkeypatch, caplog, version):
    disk = Disk(monkeypatch)

    async def play():
        async with bridged(tmp_path, version) as (place, maker), asyncio.timeout(60):
            first = await place.subscribed(maker)
            before = await place.all_kept(first)
            disk.free = 0
            await until(lambda: "takes nothing in" in caplog.text)
            await place.say(maker)
            assert await place.kept() == before
            assert "BAD" in place.check()
            assert await place.kept() == before, "nothing is kept, however long"
            disk.free = 1 << 40
            await until(lambda: "takes in again" in caplog.text)
            await place.say(maker)
            assert place.said - first == len(before) + 2 * FEW
            assert await place.all_kept(first) == list(range(first, place.said)), "each once"

    asyncio.run(play())
