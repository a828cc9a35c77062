"""Ten thousand cars, a frame each ten seconds, at one gate process: its memory, what was lost, how late answers came.

A minute of it by default; ONSHORE_SOAK_SECONDS=600 for the ten minutes that are promised.
"""

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.gate import make_site, open_site, test_vins, vehicles

CARS, EACH = 10_000, 10.0
START = "from onshore.cli.main import main; main()"


def run() -> dict[str, float]:
    """Frames sent, acknowledged and lost, connections lost, rows by the ledger, memory of the gate process in MB."""
    seconds = float(os.environ.get("ONSHORE_SOAK_SECONDS", "60"))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = CARS if hard == resource.RLIM_INFINITY else min(CARS, hard - 1000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        return measured(Path(folder) / "site", count, seconds)


def measured(folder: Path, count: int, seconds: float) -> dict[str, float]:
    """So many cars for so many seconds."""
    port = _free_port()
    make_site(folder, "CN", "soak")
    toml = folder / "site.toml"
    toml.write_text(toml.read_text().replace("gb32960 = 32960", f"gb32960 = {port}"))
    site = open_site(folder)
    for vin in test_vins(count):
        vehicles.add(site, vin.decode())
    gate = _started("serve", "--only", "gate", "--site", str(folder))
    try:
        _listening(port)
        idle = _megabytes(gate.pid, "VmRSS")
        load = ("--cars", str(count), "--rate", str(1 / EACH), "--seconds", str(seconds), "--json")
        sender = _started("simulate", "--to", f"127.0.0.1:{port}", *load)
        said = json.loads(sender.communicate()[0])
        peak, cpu = _megabytes(gate.pid, "VmHWM"), _cpu_seconds(gate.pid)
    finally:
        gate.send_signal(signal.SIGTERM)
        gate.wait()
    site.bring_in()
    site.settle()
    entries = [json.loads(entry) for entry in site.ledger.entries()]
    kept = sum(entry["rows_in"] for entry in entries if entry["t"] == "ingest")
    return {
        "connections": count,
        "seconds": said["seconds"],
        "frames sent": said["sent"],
        "frames acknowledged": said["acknowledged"],
        "frames lost or refused": said["sent"] - said["acknowledged"],
        "frames acknowledged and not in the ledger": said["acknowledged"] - kept,
        "connections lost": said["connections_lost"],
        "latency p50 ms": said["latency_p50_ms"],
        "latency p99 ms": said["latency_p99_ms"],
        "MB of memory of the gate before": idle,
        "MB of memory of the gate at most": peak,
        "% of a core": 100 * cpu / said["seconds"],
    }


def _started(*words: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", START, *words], stdout=subprocess.PIPE)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listening(port: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def _megabytes(process: int, line: str) -> float:
    """VmRSS: resident now; VmHWM: the most that ever was."""
    found = re.search(rf"{line}:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text("ascii", "replace"))
    assert found is not None
    return int(found[1]) / 1024


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{value:>14,.2f}  {name}")
