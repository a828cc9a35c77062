"""A site with its MQTT door open: what a car says is sieved and stored, its policy comes down, it can be cut off."""

import asyncio
import json
import re
from contextlib import asynccontextmanager

import aiomqtt
import pytest
from click.testing import CliRunner

from mqtt_makers import PATIENCE, Garage
from onshore.cli.doors import doors
from onshore.cli.main import cli
from onshore.register import policies, vehicles
from onshore.register.consents import Wish, give, withdraw
from onshore.site import now_ms, open_site
from onshore.vault.papers import entries, reading

SPEED = "Vehicle.Speed"
WISH = Wish(("trip-history",), ("driving-behaviour",), "2026-11", separate=True)


def set_down(garage, text):
    toml = garage.folder / "site" / "site.toml"
    said = re.sub(r"(?m)^gb32960 = .*$", "mqtt = 0", toml.read_text())
    toml.write_text(said + text)
    garage.site = open_site(garage.folder / "site")
    return garage


@pytest.fixture
def garage(tmp_path):
    return set_down(Garage(tmp_path), "")


@asynccontextmanager
async def speaking(car, port):
    async with asyncio.timeout(PATIENCE), aiomqtt.Client("localhost", port, tls_context=car.context()) as client:
        yield client


def tallies(site):
    with reading(site.engine) as conn:
        said = [json.loads(row.body) for row in conn.execute(entries.select().order_by(entries.c.id))]
    return [tuple(cell) for entry in said if "cells" in entry for cell in entry["cells"]]


def test_what_is_not_allowed_is_withheld_and_the_policy_says_so(garage):
    car, site = garage.car(), garage.site
    vehicle = vehicles.find(site, car.vin)
    give(site, vehicle, WISH)

    async def story():
        async with doors(site) as ports, speaking(car, ports["mqtt"]) as client:
            await client.subscribe(car.topic("p"), 1)
            heard = aiter(client.messages)
            first = (await anext(heard)).payload.decode()
            row = {"time": now_ms(), SPEED: 42, "Vehicle.Cabin.Nothing": 1, "Vehicle.CurrentLocation.Latitude": 31.2}
            await client.publish(car.topic("t"), json.dumps(row), 1)
            version = policies.latest(site, car.id).version
            await client.publish(car.topic("c"), json.dumps({"policy": version}), 1)
            assert policies.obeyed(site, car.id).version == version
            withdraw(site, vehicle)
            second = (await anext(heard)).payload.decode()
            assert ["trip-history" in policy for policy in (first, second)] == [True, False]

    asyncio.run(story())
    site.drain()
    reasons = {(category, reason) for category, _, reason, _ in tallies(site)}
    assert ("driving-behaviour", "consented") in reasons
    assert any(reason == "no-consent" and category == "track" for category, reason in reasons)


def test_a_revoked_certificate_is_cut_off(garage):
    car, site = garage.car(), garage.site
    let_in = []

    async def listen(port):
        async with speaking(car, port) as client:
            let_in.append(port)
            garage.revoke(car)
            async for _ in client.messages:
                pass

    async def story():
        async with doors(site) as ports:
            for _ in range(2):
                with pytest.raises(aiomqtt.MqttError):
                    await listen(ports["mqtt"])

    asyncio.run(story())
    assert len(let_in) == 1


def test_onshore_check_says_what_is_known_of_the_broker(garage):
    bridge = '\n[gate.mqtt_bridge]\nhost = "broker"\njurisdiction = "{}"\ntopics = {{"{}" = "telemetry"}}\n'

    def checked():
        said = CliRunner().invoke(cli, ["check", "--json", "--site", str(garage.folder / "site")])
        return next((line for line in json.loads(said.stdout) if line["what"] == "bridge"), None)

    toml = garage.folder / "site" / "site.toml"
    plain = toml.read_text()
    assert checked() is None
    for jurisdiction, topic, more, good, words in (
        ("CN", "f/{vin}", 'persistence = "off"\nstated_by = "the platform team"\n', True, "cannot see whether"),
        ("CN", "f/{vin}", 'persistence = "on"\n', False, "writes what cars send"),
        ("CN", "f/+", "", False, "names the car in one level"),
        ("DE", "f/{vin}", "", False, "stands in DE"),
    ):
        toml.write_text(plain + bridge.format(jurisdiction, topic) + more)
        line = checked()
        assert line["good"] == good
        assert words in line["says"]


def test_a_bridge_abroad_keeps_the_gate_shut(garage):
    text = '\n[gate.mqtt_bridge]\nhost = "broker"\njurisdiction = "DE"\ntopics = {"{vin}" = "telemetry"}\n'
    set_down(garage, text)
    done = CliRunner().invoke(cli, ["serve", "--only", "gate", "--site", str(garage.folder / "site")])
    assert done.exit_code == 1
    assert "bridge-abroad" in done.stderr
