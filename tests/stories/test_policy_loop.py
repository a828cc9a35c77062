"""The policy loop: a withdrawal makes a policy, the car gets it and says so; who ignores it is sieved anyway."""

import asyncio
import json
import re
from contextlib import asynccontextmanager

import pytest
from click.testing import CliRunner

from mqtt_makers import PATIENCE, Garage
from onshore.cli.doors import doors
from onshore.cli.main import cli
from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.protocol import HEADER, TIME, Command, Flag, Splitter, frame, header
from onshore.ledger.note import open_note
from onshore.register import policies, vehicles
from onshore.register.consents import Wish, give, withdraw
from onshore.site import now_ms, open_site

aiomqtt = pytest.importorskip("aiomqtt")

SPEED = "Vehicle.Speed"
WISH = Wish(("trip-history",), ("driving-behaviour",), "2026-11", separate=True)


def opened(tmp_path, port: str, more: str = "") -> Garage:
    garage = Garage(tmp_path)
    toml = garage.folder / "site" / "site.toml"
    toml.write_text(re.sub(r"(?m)^gb32960 = .*$", f"{port} = 0", toml.read_text()) + more)
    garage.site = open_site(garage.folder / "site")
    return garage


def shown(garage, *args) -> dict:
    done = CliRunner().invoke(cli, [*args, "--json", "--site", str(garage.folder / "site")])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def signals(policy: dict) -> set[str]:
    return {name for line in policy["collect"] if line["ground"] == "consent" for name in line["signals"]}


def told(garage, note: bytes) -> dict:
    """What a car reads once it has checked the signature with the site's verifier key."""
    key = (garage.folder / "site" / "ledger" / "vkey").read_text().split("\n")[0]
    head, text, _ = open_note(note, [key]).text.split("\n")
    assert head == "onshore policy"
    return json.loads(text)


def test_withdraw_policy_check_in_over_mqtt(tmp_path):
    garage = opened(tmp_path, "mqtt")
    car, site = garage.car(), garage.site
    vin = car.vin if isinstance(car.vin, str) else car.vin.decode()
    vehicle = vehicles.find(site, vin)
    give(site, vehicle, WISH)

    async def story():
        async with (
            doors(site) as ports,
            asyncio.timeout(PATIENCE),
            aiomqtt.Client("localhost", ports["mqtt"], tls_context=car.context()) as client,
        ):
            await client.subscribe(car.topic("p"), 1)
            heard = aiter(client.messages)
            first = told(garage, (await anext(heard)).payload)
            assert SPEED in signals(first)
            await client.publish(car.topic("c"), json.dumps({"policy": first["version"]}), 1)
            assert shown(garage, "vehicle", "show", vin)["policy"]["active"] == first["version"]

            withdraw(site, vehicle)
            second = told(garage, (await anext(heard)).payload)
            assert signals(second) == set()
            assert second["version"] == first["version"] + 1
            said = shown(garage, "vehicle", "show", vin)["policy"]
            assert (said["current"], said["active"]) == (second["version"], first["version"])
            await client.publish(car.topic("c"), json.dumps({"policy": second["version"]}), 1)
            assert shown(garage, "vehicle", "show", vin)["policy"]["active"] == second["version"]

            await client.publish(car.topic("t"), json.dumps({"time": now_ms(), SPEED: 42.5}), 1)

    asyncio.run(story())
    drained = site.drain()
    assert sum(one.rows_in for one in drained) == 1
    assert sum(one.rows_kept for one in drained) == 0


class Car:
    """A car of GB/T 32960 on a socket: logs in, and hears what it is asked."""

    def __init__(self, vin: bytes, reader, writer, edition: int) -> None:
        self.vin, self.reader, self.writer, self.edition = vin, reader, writer, edition
        self._splitter = Splitter()
        self._events: list[bytes] = []

    async def next(self) -> bytes:
        while not self._events:
            self._events += self._splitter.feed(await self.reader.read(4096))
        return self._events.pop(0)

    async def log_in(self) -> bytes:
        at = 1_790_000_000_000
        one = encode.login if self.edition == 2016 else encode.login_2025
        self.writer.write(one(self.vin, at, 1, "89860000000000000017"))
        return await self.next()

    def answer(self, asked: bytes, flag: int = Flag.OK) -> None:
        """In the words of the standard: the command again, its flag changed, its time kept."""
        self.writer.write(frame(asked[2], flag, self.vin, asked[HEADER : HEADER + TIME], start=asked[:2]))


@asynccontextmanager
async def gb32960(port: int, vin: bytes, edition: int):
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        yield Car(vin, reader, writer, edition)
        writer.close()
        await writer.wait_closed()


async def until(condition) -> None:
    while not condition():
        await asyncio.sleep(0.005)


@pytest.mark.parametrize(("edition", "value"), [(2016, b"\x00\x05"), (2025, b"\x05")])
def test_a_car_that_cannot_leave_fields_out_is_told_how_often(tmp_path, edition, value):
    wanted = (
        "\n[policy.wanted.trip-history]\nperiod_ms = 5000\n[policy.wanted.statutory-monitoring]\nperiod_ms = 30000\n"
    )
    garage = opened(tmp_path, "gb32960", wanted)
    site, vin = garage.site, "LTEST000000000017"
    vehicles.add(site, vin)
    vehicle = vehicles.find(site, vin)

    async def story():
        async with doors(site) as ports, gb32960(ports["gb32960"], vin.encode(), edition) as car:
            assert header(await car.log_in()).flag == Flag.OK
            give(site, vehicle, WISH)  # nothing was said before: the law's own needs no telling
            car.writer.write(encode.heartbeat(car.vin, edition=edition))
            assert header(await car.next()).command == Command.HEARTBEAT
        async with doors(site) as ports, gb32960(ports["gb32960"], vin.encode(), edition) as car:
            await car.log_in()
            asked = await car.next()
            head = header(asked)
            assert (head.command, head.flag, head.vin) == (Command.PARAMETER_SET, Flag.COMMAND, vin.encode())
            assert asked[HEADER + TIME : -1] == b"\x01\x02" + value
            car.answer(asked, Flag.ERROR)
            car.answer(asked)  # an answer that nobody waits for any more
            withdraw(site, vehicle)
            asked = await car.next()
            assert asked[HEADER + TIME : -1] == b"\x01\x02" + (b"\x00\x1e" if edition == 2016 else b"\x1e")
            assert policies.obeyed(site, vehicle.id) is None
            car.answer(asked)
            await until(lambda: policies.obeyed(site, vehicle.id))
            assert policies.obeyed(site, vehicle.id).version == policies.latest(site, vehicle.id).version
        async with doors(site) as ports, gb32960(ports["gb32960"], vin.encode(), edition) as car:
            await car.log_in()  # it has said that it obeys: nothing more is asked
            car.writer.write(encode.heartbeat(car.vin, edition=edition))
            assert header(await car.next()).command == Command.HEARTBEAT

    asyncio.run(story())


def test_the_officer_sees_cars_that_lag_and_what_each_is_told(tmp_path):
    garage = opened(tmp_path, "gb32960", "\n[policy]\nlag_minutes = 1\n")
    vin = "LTEST000000000017"
    site = open_site(garage.folder / "site", clock=lambda: now_ms() - 3_600_000)
    vehicles.add(site, vin)
    vehicle = vehicles.find(site, vin)
    give(site, vehicle, WISH)
    policies.current(site, vehicle.id)
    [lag] = shown(garage, "vehicle", "list", "--lagging")
    assert (lag["vehicle"], lag["current"], lag["active"]) == (f"{vehicle.id:016x}", 1, None)
    line = next(one for one in shown(garage, "check") if one["what"] == "policies")
    assert "1 lag" in line["says"]
    runner, where = CliRunner(), ("--site", str(garage.folder / "site"))
    assert "obeys none" in runner.invoke(cli, ["vehicle", "list", "--lagging", *where]).stdout
    note = runner.invoke(cli, ["vehicle", "policy", vin, *where]).stdout
    assert SPEED in signals(told(garage, note.encode()))
    assert signals(shown(garage, "vehicle", "policy", vin)) == signals(told(garage, note.encode()))
    tesla = json.loads(runner.invoke(cli, ["vehicle", "policy", vin, "--tesla", *where]).stdout)
    assert tesla["vins"] == [vin]
    assert "VehicleSpeed" in tesla["config"]["fields"]
    assert "Location" not in tesla["config"]["fields"]
    policies.check_in(site, vehicle.id, 1, site.clock())
    text = runner.invoke(cli, ["vehicle", "show", vin, *where]).stdout
    assert "version 1 is active on the car" in text
    assert shown(garage, "vehicle", "list", "--lagging") == []
