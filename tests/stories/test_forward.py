"""Two sites, one of which is the other's platform: what the law has kept goes on to it, and nothing else does."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from onshore.cli.main import cli
from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.protocol import Flag, reply
from onshore.register import vehicles
from onshore.site import now_ms, open_site
from onshore.vault import lanes
from onshore.vault.papers import entries, reading
from waiting import until

SOURCE = Path(vehicles.__file__).parents[2]
VINS = [b"LTEST%012d" % n for n in range(1, 4)]
MAIN = "from onshore.cli.main import main; main()"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def made(folder, port, more):
    assert (
        CliRunner().invoke(cli, ["init", "--jurisdiction", "CN", "--name", "s", "--site", str(folder)]).exit_code == 0
    )
    toml = folder / "site.toml"
    (folder / "platform.password").write_text("secret\n")
    toml.write_text(toml.read_text().replace("gb32960 = 32960", f"gb32960 = {port}\nrotate_seconds = 1") + more)
    site = open_site(folder)
    for vin in VINS:
        vehicles.add(site, vin.decode(), check_digit=False)
    return site


def drive(port, seconds=10):
    """Every car drives; how many frames were acknowledged."""
    at, done = now_ms(), 0
    for vin in VINS:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as car:
            frames = [encode.login(vin, at, 1, "89860000000000000017")]
            units = {"vehicle": {"speed_kmh": 42.0}, "position": {"longitude": 121.5, "latitude": 31.2, "valid": True}}
            frames += [encode.realtime(vin, at + 1000 * n, units) for n in range(seconds)]
            for frame in frames:
                car.sendall(frame)
                assert car.recv(100) == reply(frame, Flag.OK, b"")
            done += seconds
    return done


def forward(port, jurisdiction="CN"):
    said = {"host": "127.0.0.1", "port": port, "jurisdiction": jurisdiction, "code": "SHANGHAI", "user": "shanghai"}
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in said.items())
    return f'\n[forward.national]\npassword = "platform.password"\n{lines}'


PLATFORM = '\n[gate.platforms.shanghai]\nuser = "shanghai"\npassword = "platform.password"\n'


@contextmanager
def serving(folder):
    command = [sys.executable, "-c", MAIN, "serve", "--site", str(folder)]
    env = os.environ | {"PYTHONPATH": str(SOURCE)}
    process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
    try:
        assert "listens" in process.stderr.readline()
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=60)
        assert process.returncode == 0, rest


def said(site, kind):
    with reading(site.engine) as conn:
        found = [json.loads(row.body) for row in conn.execute(entries.select().order_by(entries.c.id))]
    return [entry for entry in found if entry["t"] == kind]


def test_cars_data_go_on_to_the_platform_without_anybodys_consent(tmp_path):
    here, there = free_port(), free_port()
    platform = made(tmp_path / "platform", there, PLATFORM)
    site = made(tmp_path / "site", here, forward(there))
    with serving(tmp_path / "platform"), serving(tmp_path / "site"):
        sent = drive(here)
        until(lambda: sum(e["rows"] for e in said(site, "forward")) >= sent)
        line = next(
            one
            for one in json.loads(CliRunner().invoke(cli, ["check", "--json", "--site", str(tmp_path / "site")]).stdout)
            if one["what"] == "forward"
        )
        assert line["good"]
        assert f"national (127.0.0.1:{there}): 0 rows wait" in line["says"]
    assert lanes.waiting(site.engine) == []
    told = said(site, "forward")
    assert sum(e["rows"] for e in told) == sent
    assert sum(e["refused"] for e in told) == 0
    assert sum(e["rows_kept"] for e in said(platform, "ingest")) == sent
    cells = {tuple(cell[:3]) for e in said(platform, "ingest") for cell in e["cells"]}
    assert ("track", "statutory", "statutory") in cells


@pytest.mark.parametrize(("jurisdiction", "reason"), [("DE", "endpoint-abroad")])
def test_a_platform_abroad_keeps_the_site_from_starting(tmp_path, jurisdiction, reason):
    made(tmp_path / "site", free_port(), forward(1, jurisdiction))
    done = CliRunner().invoke(cli, ["serve", "--site", str(tmp_path / "site")])
    assert done.exit_code == 1
    assert reason in done.stderr
    line = CliRunner().invoke(cli, ["check", "--json", "--site", str(tmp_path / "site")])
    assert line.exit_code == 1
    assert any(one["what"] == "forward" and not one["good"] for one in json.loads(line.stdout))


def test_cars_are_not_told_to_send_abroad(tmp_path):
    text = '\n[policy]\nhost = "gate.example"\n[policy.hosts."gate.example"]\njurisdiction = "DE"\n'
    made(tmp_path / "site", free_port(), text)
    done = CliRunner().invoke(cli, ["serve", "--site", str(tmp_path / "site")])
    assert done.exit_code == 1
    assert "host-abroad" in done.stderr
