"""Simulated cars of all protocols at a real gate's doors: what is answered is kept, what is wrong is told."""

import asyncio
import json
import shutil
import threading
from contextlib import contextmanager

import pytest
import uvloop
from click.testing import CliRunner

from onshore.cli import simulated
from onshore.cli.doors import doors
from onshore.cli.init import make_site
from onshore.cli.main import cli
from onshore.register import certificates, vehicles
from onshore.site import open_site

DRIVE = "Date,Time,Soc,Speed,Mode,LAT,LON\n" + "".join(
    f"11/22/2026,10:00:0{i},80,3{i}.5,D,31.2,121.400{i}\n" for i in range(5)
)
PORTS = ("gb32960", "gb32960_tls", "fleet", "mqtt")


@contextmanager
def open_doors(site):
    """The gate on a thread of its own; its ports by name."""
    ready, told = threading.Event(), {}

    async def stand():
        done = asyncio.Event()
        async with doors(site) as ports:
            told.update(ports, loop=asyncio.get_running_loop(), done=done)
            ready.set()
            await done.wait()

    def body():
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(stand())

    thread = threading.Thread(target=body)
    thread.start()
    assert ready.wait(30)
    try:
        yield told
    finally:
        told["loop"].call_soon_threadsafe(told["done"].set)
        thread.join()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    make_site(folder / "site", "CN", "shanghai")
    toml = folder / "site" / "site.toml"
    toml.write_text(toml.read_text().replace("gb32960 = 32960", "".join(f"{name} = 0\n" for name in PORTS)))
    site = open_site(folder / "site")
    with simulated.at_hand(folder / "site", folder / "cars", 6), open_doors(site) as ports:
        lines = (folder / "cars" / "cars").read_text().splitlines(keepends=True)
        shutil.copytree(folder / "cars", folder / "signing")  # a car that once signed its frames goes on signing
        (folder / "cars" / "cars").write_text("".join(lines[:3]))
        (folder / "signing" / "cars").write_text("".join(lines[3:]))
        yield folder, site, ports


def simulate(place, door, *args, code=0):
    folder, _, ports = place
    kind = "signing" if "2025" in args else "cars"
    where = ("--to", f"localhost:{ports[door]}", "--certificates", str(folder / kind))
    done = CliRunner().invoke(cli, ["simulate", *where, "--cars", "3", "--json", *args])
    assert done.exit_code == code, (done.output, done.exception)
    return json.loads(done.stdout) if code == 0 else done.stderr


WAYS = [
    ("gb32960", "--plain"),
    ("gb32960", "--plain", "--edition", "2025"),
    ("gb32960_tls",),
    ("gb32960_tls", "--edition", "2025"),
    ("mqtt", "--protocol", "mqtt"),
    ("mqtt", "--protocol", "mqtt", "--edition", "5"),
    ("fleet", "--protocol", "fleet"),
]


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_every_frame_at_a_rate_is_acknowledged(place, way):
    figures = simulate(place, *way, "--rate", "20", "--seconds", "0.5")
    assert figures["sent"] == figures["acknowledged"] == 30
    assert (figures["refused"], figures["unanswered"], figures["connections_lost"]) == (0, 0, 0)
    assert 0 < figures["latency_p50_ms"] <= figures["latency_p99_ms"]


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_every_frame_is_acknowledged_as_fast_as_it_goes(place, way):
    figures = simulate(place, *way, "--rate", "0", "--seconds", "0.2", "--burst", "5", "--window", "10")
    assert figures["sent"] == figures["acknowledged"] >= 15
    assert figures["unanswered"] == 0


@pytest.mark.parametrize("way", [WAYS[0], WAYS[3], WAYS[4], WAYS[6]], ids=" ".join)
def test_a_recorded_drive_is_driven(place, way, tmp_path):
    (tmp_path / "drive.csv").write_text(DRIVE)
    figures = simulate(place, *way, "--drive", str(tmp_path / "drive.csv"), "--rate", "10", "--seconds", "1")
    assert figures["sent"] == figures["acknowledged"] == 30


def test_what_was_answered_is_in_the_ledger(place):
    _, site, _ = place
    before = kept(site)
    figures = simulate(place, "mqtt", "--protocol", "mqtt", "--rate", "10", "--seconds", "1")
    assert kept(site) - before == figures["acknowledged"] == 30


def kept(site):
    """Rows that came in, by the ledger; what is in the journal is drained first."""
    site.bring_in()
    site.settle()
    entries = [json.loads(entry) for entry in site.ledger.entries()]
    return sum(entry["rows_in"] for entry in entries if entry["t"] == "ingest")


def test_a_car_whose_certificate_is_revoked_is_told_apart(place, tmp_path):
    folder, site, ports = place
    with simulated.at_hand(site.folder, tmp_path / "others", 4):
        pass
    last = vehicles.find(site, simulated.test_vins(4)[-1].decode())
    certificates.revoke(site, last.id, certificates.of_vehicle(site, last.id)[-1].serial)
    args = ["simulate", "--to", f"localhost:{ports['mqtt']}", "--protocol", "mqtt", "--cars", "4", "--seconds", "1"]
    done = CliRunner().invoke(cli, [*args, "--certificates", str(tmp_path / "others")])
    assert done.exit_code == 1
    assert "login-refused" in done.stderr
    assert folder.exists()


@pytest.mark.parametrize(
    ("door", "args", "says"),
    [
        ("gb32960", (), "no TLS with it"),
        ("mqtt", ("--protocol", "mqtt", "--plain"), "known by their certificates"),
        ("mqtt", ("--protocol", "mqtt", "--edition", "4"), "--edition"),
        ("gb32960", ("--plain", "--city", "here"), "--city"),
        ("gb32960", ("--plain", "--city", "0,89"), "latitude"),
        ("gb32960", ("--plain", "--cars", "4"), "it has 3 cars"),
    ],
)
def test_wrong_use_is_told(place, door, args, says):
    assert says in simulate(place, door, *args, code=2)


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("cars", "nobody\n", "cars, line 1"),
        ("ca.pem", "no certificate", "not to be used"),
        ("cars", "", "it has 0 cars"),
    ],
)
def test_certificates_that_are_none_are_told(place, tmp_path, file, text, says):
    folder, _, _ = place
    for path in (folder / "cars").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / file).write_text(text)
    assert says in simulate((folder, None, place[2]), "gb32960_tls", "--certificates", str(tmp_path), code=2)


def test_cars_made_for_one_run_leave_nothing_behind(place, tmp_path, monkeypatch):
    folder, _, ports = place
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    args = ["simulate", "--to", f"localhost:{ports['fleet']}", "--protocol", "fleet", "--site", str(folder / "site")]
    done = CliRunner().invoke(cli, [*args, "--cars", "2", "--rate", "5", "--seconds", "1"])
    assert done.exit_code == 0, done.output
    assert "acknowledged" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_more_cars_than_files_may_be_open_are_refused(place, monkeypatch):
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, 66))
    assert "may open 66 files" in simulate(place, "gb32960", "--plain", code=2)


def test_a_gate_that_goes_away_leaves_frames_unanswered_and_that_is_broken(monkeypatch):
    monkeypatch.setattr("onshore.cli.loading.PATIENCE", 0)
    vin = simulated.test_vins(1)[0]

    class Deaf(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport

        def data_received(self, data):
            if data[2] == 1:  # the login alone
                head = data[:2] + b"\1\1" + data[4:22] + b"\0\6" + data[24:30]
                self.transport.write(head + b"\0")
            else:
                self.transport.close()

    async def story():
        from onshore.cli import simulate as car

        server = await asyncio.get_running_loop().create_server(Deaf, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        voice = car.voice_of("gb32960", [simulated.Simulated(vin)], car.source_of(None, 1, "121,31", 1), "", "")
        async with server:
            return await car.load("127.0.0.1", port, voice, [simulated.Simulated(vin)], car.Wish(50, 0.2))

    figures = asyncio.run(story())
    assert figures["unanswered"] == figures["sent"] > 0
    assert figures["acknowledged"] == 0
    with pytest.raises(Exception, match="were not answered"):
        __import__("onshore.cli.simulate", fromlist=["_tell"])._tell(figures, as_json=True)
