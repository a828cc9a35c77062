"""What one would build instead: Mosquitto, a paho consumer that decodes JSON at QoS 1, COPY into PostgreSQL.

Nothing is governed there: no certificate, no consent, no encryption. The consumer acknowledges a message once the
COPY that holds it is committed, a thousand rows at a time, as it must if nothing is to be lost.
"""

import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
import psycopg

CARS, WINDOW, ROWS = 50, 100, 1000
CELLS = "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"
TABLE = (
    "create table rows (car text, at bigint, speed real, odometer bigint, voltage real, current real, soc real, "
    "cells real[])"
)


def mosquitto() -> str:
    """Debian's broker, "" where it is not installed."""
    return shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") or ""


def postgres() -> str:
    """The folder of Debian's newest PostgreSQL, "" where there is none."""
    return max(map(str, Path("/usr/lib/postgresql").glob("*/bin")), default="")


def instead(seconds: float) -> float:
    """Rows committed a second."""
    with tempfile.TemporaryDirectory() as folder, _postgres(Path(folder)) as address, _mosquitto(Path(folder)) as port:
        return _measured(seconds, port, address)


def _measured(seconds: float, port: int, address: str) -> float:
    with psycopg.connect(address, autocommit=True) as database:
        database.execute(TABLE)
        consumer = Consumer(port, address)
        consumer.ready.wait(10)
        command = [sys.executable, "-m", "bench._mqtt_cars", str(port), str(CARS), str(seconds), str(WINDOW), ""]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as cars:
            assert cars.stdout is not None
            cars.stdout.readline()
            begun = time.perf_counter()
            time.sleep(seconds)
            committed = consumer.committed
            taken = time.perf_counter() - begun
            cars.stdout.read()
        consumer.close()
    return committed / taken


class Consumer:
    """Subscribes to all cars; decodes, copies, commits, acknowledges."""

    def __init__(self, port: int, address: str) -> None:
        self.committed, self.ready = 0, threading.Event()
        self._rows: list[str] = []
        self._waiting: list[tuple[int, int]] = []
        self._database = psycopg.connect(address)
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, manual_ack=True)
        self._client.on_connect = lambda client, *_: client.subscribe("cars/#", 1)
        self._client.on_subscribe = lambda *_: self.ready.set()
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _take(self, client: object, _: object, message: object) -> None:
        said = json.loads(message.payload)
        speed, odometer, voltage, current, soc = list(said.values())[1:6]
        cells = ",".join(map(str, said[CELLS]))
        row = (message.topic, said["time"], speed, odometer, voltage, current, soc, f"{{{cells}}}\n")
        self._rows.append("\t".join(map(str, row)))
        self._waiting.append((message.mid, message.qos))
        if len(self._rows) >= ROWS:
            self._commit(client)

    def _commit(self, client: object) -> None:
        with self._database.cursor() as cursor, cursor.copy("copy rows from stdin") as copy:
            copy.write("".join(self._rows))
        self._database.commit()
        for mid, qos in self._waiting:
            client.ack(mid, qos)
        self.committed += len(self._rows)
        self._rows, self._waiting = [], []

    def close(self) -> None:
        """Leave."""
        self._client.loop_stop()
        self._database.close()


@contextmanager
def _mosquitto(folder: Path) -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    lines = [f"listener {port} 127.0.0.1", "allow_anonymous true", "persistence false"]
    lines += ["max_inflight_messages 0", "max_queued_messages 0"]
    (folder / "mosquitto.conf").write_text("\n".join(lines))
    with subprocess.Popen([mosquitto(), "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL) as broker:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            time.sleep(0.01)
        yield port
        broker.terminate()


@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    """A cluster of its own, which syncs as it does by default."""
    programs = postgres()
    data, user = folder / "data", "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    as_user = ["runuser", "-u", user, "--"] if os.geteuid() == 0 else []
    data.mkdir()
    if as_user:
        folder.chmod(0o711)
        shutil.chown(data, user)
    _quietly([*as_user, f"{programs}/initdb", "-D", data, "-A", "trust", "-U", "bench"])
    options = f"-k {data} -c listen_addresses=''"
    _quietly([*as_user, f"{programs}/pg_ctl", "-D", data, "-o", options, "-w", "start"])
    try:
        yield f"host={data} user=bench dbname=postgres"
    finally:
        _quietly([*as_user, f"{programs}/pg_ctl", "-D", data, "-m", "immediate", "stop"])


def _quietly(command: list[object]) -> None:
    subprocess.run(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
