"""A site that is watched while cars send: each process answers, and nobody is named in figures or logs."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from onshore.cli.main import cli
from onshore.cli.simulate import test_vins as simulated
from onshore.register import vehicles
from onshore.site import open_site
from waiting import until
from watch_makers import read

SOURCE = Path(vehicles.__file__).parents[2]
MAIN = "from onshore.cli.main import main; main()"


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    done = CliRunner().invoke(cli, ["init", "--jurisdiction", "CN", "--name", "s", "--site", str(folder)])
    assert done.exit_code == 0
    toml = folder / "site.toml"
    text = toml.read_text().replace("gb32960 = 32960", "gb32960 = 0")
    toml.write_text(text + "\n[watch]\nport = 0\nborder = 0\ngate = 0\n")
    here = open_site(folder)
    for vin in simulated(3):
        vehicles.add(here, vin.decode())
    return folder


class Process:
    """`onshore serve` with its log read line by line."""

    def __init__(self, folder, *only):
        command = [sys.executable, "-c", MAIN, "serve", "--site", str(folder), "--log", "json", *only]
        env = os.environ | {"PYTHONPATH": str(SOURCE)}
        self.process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
        self.log = []

    def says(self, pattern):
        """What the first line that fits says of the pattern's group."""
        while line := self.process.stderr.readline():
            self.log.append(json.loads(line))
            if found := re.search(pattern, self.log[-1]["says"]):
                return found[1]
        raise AssertionError(self.log)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        _, rest = self.process.communicate(timeout=30)
        self.log += [json.loads(line) for line in rest.splitlines()]
        assert self.process.returncode == 0, self.log


@contextmanager
def serving(folder, *only):
    running = Process(folder, *only)
    try:
        yield running
    finally:
        running.end()


def get(there, path):
    try:
        with urllib.request.urlopen(there + path, timeout=20) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers, refused.read().decode()


def simulate(port):
    args = ["simulate", "--to", f"127.0.0.1:{port}", "--cars", "3", "--rate", "1", "--seconds", "2.5", "--json"]
    done = CliRunner().invoke(cli, args)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_process_of_each_road_is_watched_while_cars_send(site):
    with serving(site, "--only", "gate") as gate, serving(site, "--only", "border,keep") as keep:
        port = gate.says(r"gate gb32960 listens on 127\.0\.0\.1:(\d+)")
        there, site_there = (one.says(r"watched at (http://127\.0\.0\.1:\d+)/metrics") for one in (gate, keep))
        sent = simulate(port)["sent"]
        assert sent > 0
        assert get(there, "/healthz")[::2] == (200, "alive: gate\n")
        assert get(site_there, "/healthz")[::2] == (200, "alive: border, keep\n")
        status, headers, text = get(there, "/metrics")
        assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert read(text)[0]["onshore_gate_messages_total", "gb32960", "kept"] == sent
        assert "onshore_rows_total" not in text  # of the process that keeps the site alone

        args = ["rights", "access", simulated(1)[0].decode(), "--as", "officer", "--site", str(site)]
        assert CliRunner().invoke(cli, args).exit_code == 0  # waits until all so far is drained

        def counted():
            figures = read(get(site_there, "/metrics")[2])[0]
            rows = [figures["onshore_rows_total", outcome] for outcome in ("kept", "withheld")]
            return sum(rows) == sent and figures["onshore_journal_bytes",] >= 0

        until(counted)
        status, _, said = get(there, "/readyz")
        assert (status, json.loads(said)["ready"]) == (200, True)
        told = [get(one, path)[2] for one in (there, site_there) for path in ("/healthz", "/readyz", "/metrics")]
        assert get(there, "/secrets")[0] == 404
    logs = json.dumps([*gate.log, *keep.log])
    for text in (*told, logs):
        assert not re.search(r"LTEST|(?<![0-9.])(31|121)\.\d", text)
    assert {tuple(line["roads"]) for line in gate.log} == {("gate",)}


def test_a_process_whose_ledger_was_altered_is_alive_and_not_ready(site):
    with serving(site, "--only", "border") as border:
        there = border.says(r"watched at (http://127\.0\.0\.1:\d+)/metrics")
        assert get(there, "/readyz")[0] == 200
        checkpoint = site / "ledger" / "checkpoint"
        whole = checkpoint.read_bytes()
        checkpoint.write_bytes(b"x\n")

        def not_ready():
            status, _, said = get(there, "/readyz")
            looks = {look["what"]: look["good"] for look in json.loads(said)["looks"]}
            return status == 503 and not looks["ledger"] and looks["keys"]

        until(not_ready)
        assert get(there, "/healthz")[0] == 200
        checkpoint.write_bytes(whole)
