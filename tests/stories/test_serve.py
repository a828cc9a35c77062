"""A site that runs in a process of its own, while people act on it from others."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from onshore.cli.drives import computed
from onshore.cli.main import cli
from onshore.cli.simulate import test_vins as simulated
from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.protocol import Flag, reply
from onshore.register import vehicles
from onshore.register.certificates import Standing
from onshore.register.consents import Wish, give
from onshore.site import open_site
from onshore.vault.lock import hold

SOURCE = Path(vehicles.__file__).parents[2]
MAIN = "from onshore.cli.main import main; main()"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def started(folder, *only):
    command = [sys.executable, "-c", MAIN, "serve", "--site", str(folder), *only]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(SOURCE)}, stderr=subprocess.PIPE, text=True)


@contextmanager
def serving(folder, *only, says="listens"):
    process = started(folder, *only)
    try:
        assert says in process.stderr.readline()
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=30)
        assert process.returncode == 0, rest


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    assert (
        CliRunner().invoke(cli, ["init", "--jurisdiction", "CN", "--name", "s", "--site", str(folder)]).exit_code == 0
    )
    toml = folder / "site.toml"
    port = free_port()
    toml.write_text(toml.read_text().replace("gb32960 = 32960", f"gb32960 = {port}"))
    here = open_site(folder)
    for vin in simulated(3):
        vehicles.add(here, vin.decode())
    return folder, port


def run(*args, code=0):
    done = CliRunner().invoke(cli, list(args))
    assert done.exit_code == code, (done.output, done.exception)
    return done.stdout


def simulate(port, seconds="2.5", rate="1", cars="3"):
    said = run("simulate", "--to", f"127.0.0.1:{port}", "--cars", cars, "--rate", rate, "--seconds", seconds, "--json")
    return json.loads(said)


def tallies(folder):
    here = open_site(folder)
    here.settle()
    entries = [json.loads(e) for e in here.ledger.entries()]
    return [e for e in entries if e["t"] == "ingest"]


def test_what_is_acknowledged_is_kept_and_told_to_the_ledger(site):
    folder, port = site
    with serving(folder):
        figures = simulate(port)
    assert figures["sent"] == figures["acknowledged"] > 0
    assert figures["refused"] == 0
    assert sum(e["rows_in"] for e in tallies(folder)) == figures["acknowledged"]
    assert list((folder / "vault" / "journal").rglob("*.journal")) == []


def test_a_withdrawal_from_outside_reaches_the_running_gate(site):
    folder, port = site
    vin = simulated(1)[0].decode()
    here = open_site(folder)
    with serving(folder):
        give(here, vehicles.find(here, vin), Wish(("trip-history",), ("track",), "2026-11", separate=True))
        simulate(port, cars="1")
        run("consent", "withdraw", vin, "--site", str(folder))
        run("rights", "access", vin, "--as", "officer", "--site", str(folder))  # waits until all so far is drained
        before = len(tallies(folder))
        simulate(port, cars="1")
    later = tallies(folder)[before:]
    reasons = {(c, r) for e in later for c, g, r, _ in e["cells"] if g == "consent"}
    assert ("track", "consent-withdrawn") in reasons
    assert ("track", "consented") not in reasons


def test_a_car_is_erased_while_the_site_runs_and_the_others_stay(site):
    folder, port = site
    vin, other = (v.decode() for v in simulated(2))
    with serving(folder):
        figures = simulate(port)
        paper = json.loads(run("rights", "erase", vin, "--as", "officer", "--json", "--site", str(folder)))
        mine = json.loads(run("rights", "access", vin, "--as", "officer", "--site", str(folder)))
        theirs = json.loads(run("rights", "access", other, "--as", "officer", "--site", str(folder)))
        again = simulate(port, cars="1")
    assert figures["acknowledged"] > 0
    assert paper["receipt"]["rows"] > 0
    assert mine["held"] == []
    assert theirs["held"]
    assert again["refused"] == 0  # its car goes on sending what the law demands


def test_a_second_gate_is_refused(site):
    folder, _ = site
    with serving(folder):
        run("serve", "--only", "keep", "--site", str(folder), code=1)
        run("serve", "--only", "gate", "--site", str(folder), code=1)


def test_strangers_are_not_let_in(site):
    _, port = site
    folder, _ = site
    vins = folder.parent / "vins"
    vins.write_text("LTEST999999999999\n")
    with serving(folder):
        done = CliRunner().invoke(cli, ["simulate", "--to", f"127.0.0.1:{port}", "--vins", str(vins), "--seconds", "1"])
    assert done.exit_code == 1
    assert "login-refused" in done.stderr


def test_no_log_line_names_a_car(site):
    folder, port = site
    command = [sys.executable, "-c", MAIN, "serve", "--site", str(folder)]
    env = os.environ | {"PYTHONPATH": str(SOURCE)}
    process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert "listens" in process.stderr.readline()
    simulate(port)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert not re.search(r"LTEST|121\.\d|31\.\d", out + err)


def test_a_drive_replayed_beside_the_keeper_loses_no_acknowledged_row(site, tmp_path):
    folder, _ = site
    vin = simulated(1)[0].decode()
    drive = tmp_path / "drive.hex"
    with serving(folder, "--only", "border,keep", says="border is in order"):
        for turn in range(3):
            start = 1_790_000_000_000 + turn * 60_000
            frames = (encode.realtime(vin.encode(), start + m.offset, m.units) for m in computed(1, 40))
            drive.write_text("\n".join(frame.hex() for frame in frames))
            said = json.loads(run("replay", str(drive), "--vehicle", vin, "--json", "--site", str(folder)))
            assert said["acknowledged"] == 40
    assert sum(e["rows_in"] for e in tallies(folder)) == 120
    held = json.loads(run("rights", "access", vin, "--as", "officer", "--site", str(folder)))["held"]
    assert {place["rows"] for place in held} == {120}


def test_the_border_takes_up_what_a_crash_left_and_lets_go(site):
    folder, _ = site
    staged = folder / "staging" / "left-over.parcel"
    staged.parent.mkdir(mode=0o700, exist_ok=True)
    staged.write_bytes(b"half a parcel")
    with serving(folder, "--only", "border", says="border is in order"):
        assert not staged.exists()
        with hold(folder / "locks" / "border", "border"):
            pass


def test_a_taken_port_ends_it_and_says_so(site):
    folder, port = site
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        process = started(folder)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in said


@pytest.mark.parametrize("host", ["256.0.0.1", "no such host"])
def test_a_bad_host_ends_it_and_says_so(site, host):
    folder, _ = site
    toml = folder / "site.toml"
    toml.write_text(toml.read_text().replace('host = "127.0.0.1"', f'host = "{host}"'))
    process = started(folder)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "site.toml, [gate]" in said


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ('host = "0.0.0.0"', "passwords would go there in the clear"),
        ('certificate = "c.pem"', "certificate and key go together"),
        ('certificate = "site.toml"\nkey = "site.toml"', "certificate and key are not to be used"),
    ],
)
def test_a_desk_that_would_speak_in_the_clear_is_not_served(site, table, says):
    toml = site[0] / "site.toml"
    toml.write_text(f"{toml.read_text()}\n[desk]\n{table}\n")
    done = CliRunner().invoke(cli, ["serve", "--only", "desk", "--site", str(site[0])])
    assert done.exit_code == 2
    assert says in done.stderr


@pytest.mark.parametrize(
    "args",
    [
        ("serve", "--only", "kitchen"),
        ("serve", "--only", ""),
        ("serve", "--only", "gate,"),
        ("simulate", "--to", "nowhere"),
    ],
)
def test_wrong_use_is_told(site, args):
    folder, _ = site
    more = ("--site", str(folder)) if args[0] == "serve" else ()
    assert CliRunner().invoke(cli, [*args, *more]).exit_code == 2


def settings(folder, more):
    toml = folder / "site.toml"
    toml.write_text(toml.read_text().replace('host = "127.0.0.1"', f'host = "127.0.0.1"\n{more}'))


def test_two_gates_share_a_port_each_with_its_own_journal(site):
    folder, port = site
    settings(folder, "processes = 2")
    with serving(folder, "--only", "gate"), serving(folder, "--only", "gate"):
        run("serve", "--only", "gate", "--site", str(folder), code=1)  # a third is refused
        assert sorted(path.name for path in (folder / "vault" / "journal").iterdir()) == ["0", "1"]
        figures = simulate(port)
    with serving(folder, "--only", "keep,border", says="border is in order"):
        pass
    assert figures["sent"] == figures["acknowledged"] > 0
    assert sum(e["rows_in"] for e in tallies(folder)) == figures["acknowledged"]


def test_cars_that_know_the_sites_authority_connect_over_tls(site):
    folder, port = site
    tls = free_port()
    settings(folder, f"gb32960_tls = {tls}")
    trust = ssl.create_default_context(cadata=Standing(open_site(folder)).authorities().decode())
    process = started(folder)
    says = [process.stderr.readline() for _ in range(2)]
    assert [str(at) in line for at, line in zip((port, tls), says, strict=True)] == [True, True]
    vin = simulated(1)[0]
    with (
        socket.create_connection(("127.0.0.1", tls)) as plain,
        trust.wrap_socket(plain, server_hostname="localhost") as car,
    ):
        for asked in (encode.login(vin, 1_790_000_000_000, 1, "8" * 20), encode.realtime(vin, 1_790_000_000_000, {})):
            car.sendall(asked)
            assert car.recv(100) == reply(asked, Flag.OK, b"")
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=30)
    assert process.returncode == 0, rest


def test_another_platform_logs_in_with_what_the_settings_say(site):
    folder, port = site
    (folder / "keys" / "delta").write_text("a password\n")
    toml = folder / "site.toml"
    toml.write_text(toml.read_text() + '\n[gate.platforms.delta]\nuser = "delta"\npassword = "keys/delta"\n')
    vins = simulated(2)
    said = [encode.platform_login(b"DELTA", 1_790_000_000_000, 1, "delta", "a password")]
    said += [encode.realtime(vin, 1_790_000_000_000, {}) for vin in vins]
    with serving(folder), socket.create_connection(("127.0.0.1", port)) as platform:
        for asked in said:
            platform.sendall(asked)
            assert platform.recv(100) == reply(asked, Flag.OK, b"")
    assert sum(e["rows_in"] for e in tallies(folder)) == 2


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('[gate.platforms.delta]\nuser = "delta"\npassword = "keys/none"\n', "gate.platforms.delta.password: the file"),
        ('[gate.platforms.delta]\nuser = "delta"\npassword = "keys/long"\n', "1 to 20 characters"),
        ('[gate.body_keys]\naes128 = "keys/long"\n', "gate.body_keys.aes128: a key is 32 hex digits"),
        ('[gate.body_keys]\nsm4 = "keys/short"\n', "a key of data units has 16 bytes"),
    ],
)
def test_secrets_that_are_none_end_it_and_say_so(site, more, says):
    folder, _ = site
    (folder / "keys" / "long").write_text("x" * 64)
    (folder / "keys" / "short").write_text("00" * 15)
    toml = folder / "site.toml"
    toml.write_text(f"{toml.read_text()}\n{more}")
    process = started(folder)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert says in said
