"""A real file system that fills up: gates stop and say so, what was acknowledged stays, erasing and draining go on."""

import asyncio
import errno
import logging
import subprocess
from collections import Counter

import pytest
from click.testing import CliRunner
from sqlalchemy import select

import fault_acts
from onshore.cli.doors import doors
from onshore.cli.main import cli
from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.protocol import HEADER, Command, Flag
from onshore.gate.intake import Intake
from onshore.register import vehicles
from onshore.rights import cases
from onshore.rights.erase import carry_out
from onshore.site import open_site
from onshore.vault import papers
from onshore.vault.journal import Journal, Limits
from onshore.vault.space import free_bytes
from site_makers import Hands

SIZE, LEAST = 16 << 20, 4 << 20


@pytest.fixture
def small(tmp_path):
    """A file system of a few MiB of its own."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here: that takes root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def site(small):
    fault_acts.make(small / "site")
    toml = small / "site" / "site.toml"
    text = toml.read_text().replace("gb32960 = 32960", "gb32960 = 0")
    toml.write_text(f"{text}\n[vault]\nleast_free = {LEAST}\n")
    return small / "site"


def checked(site):
    return CliRunner().invoke(cli, ["check", "--site", str(site)]).output


def test_nothing_acknowledged_is_lost_and_an_erasure_makes_room_again(site):
    here = fault_acts.opened(site)
    kept = fill(here)
    assert kept > 100
    assert free_bytes(site) < LEAST, "the rest is the reserve"
    ballast = site.parent / "ballast"
    ballast.write_bytes(bytes(free_bytes(site) - (LEAST >> 1)))  # somebody else takes half of that
    before = free_bytes(site)

    here.drain()
    here.write_ledger()
    statutory = Counter(
        {row: n for row, n in fault_acts.rows_of(here).items() if row[1] == "vehicle-operation/statutory"}
    )
    assert sum(statutory.values()) == (kept * fault_acts.SECONDS + 5) * 2, "every row, twice a car"
    case = cases.opened(here, vehicles.find(here, Hands.vin(1).decode()), "erase", "officer")
    assert carry_out(here) == {}
    here.write_ledger()
    assert cases.find(here, case.id).state != "asked"
    assert not any(car == 1 and "consent" in where for car, where, _ in fault_acts.rows_of(here))
    assert free_bytes(site) > before
    ballast.unlink()
    assert fill(here, most=1) == 1


def fill(here, most=100_000):
    """Take in until the disk has no more room, or so often; how many batches were acknowledged."""
    batches = [fault_acts.batch_of(here, number) for number in range(4)]
    with fault_acts.journal_of(here, limits=Limits(least_free=LEAST)) as journal:
        way_in = Intake(here, journal)
        for number in range(most):
            try:
                way_in.take_in(batches[number % 4])
            except OSError as why:
                if why.errno != errno.ENOSPC:
                    raise
                way_in.close()
                return number
        way_in.close()
    return most


class Car:
    """Sends a frame whenever it is told to, and counts answers."""

    def __init__(self, port):
        self.port, self.sent = port, 0

    async def login(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(encode.login(Hands.vin(1), fault_acts.BEGIN, 1, "8" * 20))

    def send(self):
        self.sent += 1
        unit = {"vehicle": {"status": "started", "speed_kmh": self.sent % 100}}
        self.writer.write(encode.realtime(Hands.vin(1), fault_acts.BEGIN + self.sent * 1000, unit))

    async def answered(self):
        """Whether the next answer to a frame with data is a good one; what the gate asks of the car is passed over."""
        while True:
            head = await self.reader.readexactly(HEADER)
            await self.reader.readexactly(int.from_bytes(head[-2:], "big") + 1)
            if head[3] != Flag.COMMAND and head[2] == Command.REALTIME:
                return head[3] == Flag.OK


def test_a_gate_stops_says_so_and_goes_on_by_itself(site, caplog):
    here = open_site(site, clock=lambda: fault_acts.BEGIN + 3_600_000)
    ballast = site.parent / "ballast"

    async def story():
        async with doors(here) as ports:
            car = Car(ports["gb32960"])
            await car.login()
            car.send()
            assert await car.answered()
            ballast.write_bytes(bytes(free_bytes(site) - LEAST // 2))
            async with asyncio.timeout(20):
                while "takes nothing in" not in caplog.text:
                    await asyncio.sleep(0.01)
            said = await asyncio.to_thread(checked, site)
            assert "BAD  disk" in said
            assert "gate 0 takes nothing in since" in said
            car.send()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await car.reader.readexactly(1)
            ballast.unlink()
            async with asyncio.timeout(20):
                assert await car.answered(), "it was read once there was room"
            car.writer.close()

    with caplog.at_level(logging.WARNING):
        asyncio.run(story())
    said = [record.getMessage() for record in caplog.records if "gate 0" in record.getMessage()]
    assert [("takes nothing in" in line, "takes in again" in line) for line in said] == [(True, False), (False, True)]
    here.drain()
    assert "gate 0" not in checked(site)
    with papers.reading(here.engine) as conn:
        assert conn.execute(select(papers.meta).where(papers.meta.c.name.like("held/%"))).all() == []


def test_a_slow_disk_makes_the_gate_rest_and_is_told(site, caplog, monkeypatch):
    here = open_site(site, clock=lambda: fault_acts.BEGIN + 3_600_000)
    slow = {"seconds": 5.0}
    now = {"at": 0.0}

    def timer():
        now["at"] += slow["seconds"] / 2  # each sync is two looks at the clock
        return now["at"]

    made = Journal.__init__
    monkeypatch.setattr(Journal, "__init__", lambda self, *a, **k: made(self, *a, **k, timer=timer))

    async def story():
        async with doors(here) as ports:
            car = Car(ports["gb32960"])
            await car.login()
            car.send()
            assert await car.answered(), "slow, but kept"
            async with asyncio.timeout(20):
                while "rests between batches" not in caplog.text:
                    await asyncio.sleep(0.01)
            slow["seconds"] = 0.001
            car.send()
            async with asyncio.timeout(20):
                assert await car.answered(), "after the rest"
                while "takes in again" not in caplog.text:
                    await asyncio.sleep(0.01)
            car.writer.close()

    with caplog.at_level(logging.WARNING):
        asyncio.run(story())
