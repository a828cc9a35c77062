"""Cars for the benchmark of the gate: a lean sender in a process of its own, so that the gate's CPU time is its own.

Raw epoll and frames built beforehand, each with a time of its own; so what it can send is close to what the kernel
can carry, which the same sender against a server that only answers shows.
"""

import json
import os
import select
import socket
import ssl
import sys
import time
from collections import deque
from functools import reduce
from operator import xor
from pathlib import Path

from bench.gb32960_decode import frames

from onshore.cli.simulate import test_vins
from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.protocol import HEADER, TIME, frame, time6

ANSWER = 31  # bytes of an answer to data, be it yes or no
SAMPLE = 16  # of so many packets one is timed
TIMES = 3600  # instants of their own before they come again


class Car:
    """A connection that is logged in, and the parts of its frames."""

    def __init__(self, number: int, sock: socket.socket, vin: bytes, body: bytes, now: int) -> None:
        self.sock = sock
        whole = frame(2, 0xFE, vin, bytes(TIME) + body[TIME:])
        self._head, self._rest, self._sum = whole[:HEADER], whole[HEADER + TIME : -1], whole[-1]
        self._turn = number % TIMES
        self.open = self.sent = self.answered = 0
        self.due: deque[tuple[int, float]] = deque()  # answers that a timed packet waits for, and when it left
        self.tail = b""
        self._instants = _instants(now)

    def next(self) -> bytes:
        """The next frame: one second after the last."""
        self._turn = (self._turn + 1) % TIMES
        instant, bits = self._instants[self._turn]
        return b"".join((self._head, instant, self._rest, bytes((self._sum ^ bits,))))


_KNOWN: list[tuple[bytes, int]] = []


def _instants(now: int) -> list[tuple[bytes, int]]:
    if not _KNOWN:
        for second in range(TIMES):
            instant = time6(now - (TIMES - second) * 1000)
            _KNOWN.append((instant, reduce(xor, instant)))
    return _KNOWN


def logged_in(port: int, count: int, trust: str) -> list[Car]:
    """So many cars, connected and let in."""
    now = time.time_ns() // 1_000_000
    bodies = [f[HEADER:-1] for f in frames(64)]
    context = ssl.create_default_context(cadata=Path(trust).read_text()) if trust else None
    cars = []
    for number, vin in enumerate(test_vins(count)):
        sock: socket.socket = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            sock = context.wrap_socket(sock, server_hostname="localhost")
        sock.sendall(encode.login(vin, now, 1, "89860000000000000017"))
        assert sock.recv(4096)[3] == 1
        sock.setblocking(False)
        cars.append(Car(number, sock, vin, bodies[number % 64], now))
    return cars


class Load:
    """Keeps `window` packets of `burst` frames on their way on each connection, or `rate` packets a second on all."""

    def __init__(self, cars: list[Car], window: int, burst: int) -> None:
        self.window, self.burst = window, burst
        self.acknowledged = self.refused = self.packets = 0
        self.latencies: list[float] = []
        self._poll = select.epoll()
        self._by_fd = {car.sock.fileno(): car for car in cars}
        for fd in self._by_fd:
            self._poll.register(fd, select.EPOLLIN)
        self.cars = cars

    def send(self, car: Car) -> None:
        """One packet."""
        packet = car.next() if self.burst == 1 else b"".join([car.next() for _ in range(self.burst)])
        sent = car.sock.send(packet)
        while sent < len(packet):
            select.select([], [car.sock], [], 1)
            sent += car.sock.send(packet[sent:])
        car.open += 1
        car.sent += self.burst
        self.packets += 1
        if not self.packets % SAMPLE:
            car.due.append((car.sent, time.perf_counter()))

    def hear(self, patience: float) -> list[tuple[Car, int]]:
        """Answers that came: (car, packets answered)."""
        return [(car, self._read(car)) for fd, _ in self._poll.poll(patience, 4096) for car in (self._by_fd[fd],)]

    def _read(self, car: Car) -> int:
        try:
            data = car.tail + car.sock.recv(1 << 16)
        except (BlockingIOError, ssl.SSLWantReadError):
            return 0
        count, rest = divmod(len(data), ANSWER)
        car.tail = data[len(data) - rest :]
        good = data[3 : count * ANSWER : ANSWER].count(b"\1")
        self.acknowledged += good
        self.refused += count - good
        car.answered += count
        while car.due and car.due[0][0] <= car.answered:
            self.latencies.append((time.perf_counter() - car.due.popleft()[1]) * 1000)
        done = car.open - -(-(car.sent - car.answered) // self.burst)
        car.open -= done
        return done


def driven(load: Load, seconds: float, rate: float) -> dict[str, float]:
    """The figures of a load: closed where `rate` is 0, else so many frames a second whatever is answered."""
    begun = time.perf_counter()
    if rate:
        _paced(load, begun, seconds, rate)
    else:
        _closed(load, begun + seconds)
    taken = time.perf_counter() - begun
    end = time.perf_counter() + 30
    while any(car.open for car in load.cars) and time.perf_counter() < end:
        load.hear(1)
    ranked = sorted(load.latencies) or [0.0]
    return {
        "sent": load.packets * load.burst,
        "acknowledged": load.acknowledged,
        "refused": load.refused,
        "taken": time.perf_counter() - begun,
        "per_second": load.acknowledged / (taken if not rate else time.perf_counter() - begun),
        "latency_p50_ms": ranked[len(ranked) // 2],
        "latency_p99_ms": ranked[len(ranked) * 99 // 100],
    }


def _closed(load: Load, end: float) -> None:
    for _ in range(load.window):
        for car in load.cars:
            load.send(car)
    while time.perf_counter() < end:
        for car, done in load.hear(1):
            for _ in range(done):
                load.send(car)


def _paced(load: Load, begun: float, seconds: float, rate: float) -> None:
    cars, at = load.cars, 0
    while (passed := time.perf_counter() - begun) < seconds:
        for _ in range(int(passed * rate / load.burst) - load.packets):
            load.send(cars[at % len(cars)])
            at += 1
        load.hear(0.001)


def main() -> None:
    """Arguments: port, cars, seconds, window, burst, rate, file of the certificate to trust or nothing."""
    port, count, seconds, window, burst, rate, trust = sys.argv[1:8]
    cars = logged_in(int(port), int(count), trust)
    load = Load(cars, int(window), int(burst))
    print(flush=True)
    cpu = time.process_time()
    figures = driven(load, float(seconds), float(rate))
    print(json.dumps(figures | {"sender_cpu": time.process_time() - cpu, "pid": os.getpid()}))


if __name__ == "__main__":
    main()
