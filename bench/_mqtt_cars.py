"""Cars for the benchmark of the MQTT door and of what one would build instead: lean senders in a process of their own.

Each keeps a window of QoS 1 messages on its way; their JSON is built beforehand but for its time.
"""

import json
import random
import select
import socket
import ssl
import sys
import time
from pathlib import Path

BATTERY = "Vehicle.Powertrain.TractionBattery."
PUBACK = 4  # bytes of it


def message(number: int) -> tuple[bytes, bytes]:
    """A message of about 900 bytes with 96 cell voltages, before and after its time."""
    draw = random.Random(number)
    said = {
        "time": 0,
        "Vehicle.Speed": round(draw.uniform(0, 120), 1),
        "Vehicle.TraveledDistance": draw.randrange(10**8),
        BATTERY + "CurrentVoltage": round(draw.uniform(300, 400), 1),
        BATTERY + "CurrentCurrent": round(draw.uniform(-50, 200), 1),
        BATTERY + "StateOfCharge.Current": draw.randrange(101),
        BATTERY + "CellVoltage.CellVoltages": [round(draw.uniform(3.6, 3.7), 3) for _ in range(96)],
    }
    before, after = json.dumps(said, separators=(",", ":")).encode().split(b":0,", 1)
    return before + b":", b"," + after


class Car:
    """A connection, and its messages."""

    def __init__(self, sock: socket.socket, topic: str, number: int) -> None:
        self.sock, self.tail, self.number, self.at = sock, 0, 0, int(time.time() * 1000) + number
        self._before, self._after = message(number)
        self._topic = len(topic).to_bytes(2, "big") + topic.encode()

    def next(self) -> bytes:
        """The next PUBLISH at QoS 1, of MQTT 3.1.1."""
        self.number = self.number % 0xFFFF + 1
        self.at += 1
        body = b"%b%b%b%d%b" % (self._topic, self.number.to_bytes(2, "big"), self._before, self.at, self._after)
        return b"\x32" + bytes((len(body) & 0x7F | 0x80, len(body) >> 7)) + body


def connected(port: int, count: int, folder: str) -> list[Car]:
    """So many cars; with a folder over TLS, each by its own certificate and on its own topic."""
    cars = []
    for number in range(count):
        sock: socket.socket = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        topic = f"cars/{number}"
        if folder:
            context = ssl.create_default_context(cafile=f"{folder}/ca.pem")
            context.load_cert_chain(f"{folder}/{number}.pem", f"{folder}/{number}.key")
            sock = context.wrap_socket(sock, server_hostname="localhost")
            topic = Path(f"{folder}/{number}.topic").read_text()
        name = f"bench{number}".encode()
        body = b"\0\4MQTT\4\2\0\0" + len(name).to_bytes(2, "big") + name
        sock.sendall(b"\x10" + bytes((len(body),)) + body)
        assert sock.recv(4) == b"\x20\2\0\0"
        sock.setblocking(False)
        cars.append(Car(sock, topic, number))
    return cars


def driven(cars: list[Car], seconds: float, window: int) -> dict[str, float]:
    """Messages acknowledged, and in a second."""
    poll = select.epoll()
    by_fd = {car.sock.fileno(): car for car in cars}
    for fd, car in by_fd.items():
        poll.register(fd, select.EPOLLIN)
        _send(car, window)
    begun, acknowledged = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        for fd, _ in poll.poll(1, 4096):
            done = _heard(by_fd[fd])
            acknowledged += done
            _send(by_fd[fd], done)
    return {"acknowledged": acknowledged, "per_second": acknowledged / (time.perf_counter() - begun)}


def _send(car: Car, count: int) -> None:
    data = b"".join([car.next() for _ in range(count)])
    while data:
        try:
            data = data[car.sock.send(data) :]
        except (BlockingIOError, ssl.SSLWantWriteError):
            select.select([], [car.sock], [], 1)


def _heard(car: Car) -> int:
    try:
        heard = car.tail + len(car.sock.recv(1 << 16))
    except (BlockingIOError, ssl.SSLWantReadError):
        return 0
    done, car.tail = divmod(heard, PUBACK)
    return done


def main() -> None:
    """Arguments: port, cars, seconds, window, folder of certificates or nothing."""
    port, count, seconds, window, folder = sys.argv[1:6]
    cars = connected(int(port), int(count), folder)
    print(flush=True)
    print(json.dumps(driven(cars, float(seconds), int(window))))


if __name__ == "__main__":
    main()
