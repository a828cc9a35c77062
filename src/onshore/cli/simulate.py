"""`onshore simulate`: cars over real sockets; besides `send.py` and `client.py` the only module that connects."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import click

from onshore.cli.common import answers_for_errors, json_option, put
from onshore.cli.drives import computed
from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.protocol import HEADER, Flag, header
from onshore.words.errors import Broken, Malformed, Refusal

ICCID = "89860000000000000000"
_TICK = 0.005  # seconds between the bursts of a load
_PATIENCE = 30  # seconds to wait for answers


class Car(asyncio.Protocol):
    """One terminal: sends frames, counts answers by what they say, and times them."""

    def __init__(self) -> None:
        self.sent = self.acknowledged = self.refused = 0
        self.latencies: list[float] = []  # milliseconds, one for each burst
        self.transport: Any = None
        self._bytes = b""
        self._bursts: deque[tuple[int, float]] = deque()  # frames sent by then, and when
        self._changed = asyncio.Event()
        self._lost = False

    @property
    def open(self) -> int:
        """Frames not answered yet."""
        return self.sent - self.acknowledged - self.refused

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """The platform hung up."""
        del exc
        self._lost = True
        self._changed.set()

    def send(self, frames: bytes, count: int = 1) -> None:
        """Write `count` frames at once."""
        self.transport.write(frames)
        self.sent += count
        self._bursts.append((self.sent, time.perf_counter()))

    def data_received(self, data: bytes) -> None:
        """Answers, one after the other; a half one waits for its rest."""
        data, at = self._bytes + data, 0
        while len(data) - at >= HEADER:
            head = header(data[at : at + HEADER])
            end = at + HEADER + head.length + 1
            if end > len(data):
                break
            at = end
            if head.flag == Flag.OK:
                self.acknowledged += 1
            else:
                self.refused += 1
        self._bytes = data[at:]
        self._time_answers()
        self._changed.set()

    def _time_answers(self) -> None:
        now, answered = time.perf_counter(), self.sent - self.open
        while self._bursts and self._bursts[0][0] <= answered:
            self.latencies.append((now - self._bursts.popleft()[1]) * 1000)

    async def until_open(self, at_most: int) -> None:
        """Wait until at most so many frames are unanswered; Broken when the platform hangs up or stays silent."""
        while self.open > at_most:
            if self._lost:
                raise Broken("the platform closed the connection before it answered")
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), _PATIENCE)
            except TimeoutError:
                raise Broken(f"the platform did not answer for {_PATIENCE} seconds") from None


@asynccontextmanager
async def connected(host: str, port: int, vin: bytes, at: int) -> AsyncIterator[Car]:
    """A car that is logged in (its login not counted); refuses (`login-refused`) when the platform does."""
    _, car = await asyncio.get_running_loop().create_connection(Car, host, port)
    try:
        car.send(encode.login(vin, at, 1, ICCID))
        await car.until_open(0)
        if car.refused:
            raise Refusal("login-refused", "the platform refused a car's login", remedy="register the vehicle there")
        car.sent = car.acknowledged = 0
        car.latencies.clear()
        yield car
    finally:
        car.transport.close()


async def drive(car: Car, frames: Iterable[bytes], window: int = 64) -> None:
    """Send frames, at most `window` of them unanswered, and wait for the last answer."""
    for frame in frames:
        car.send(frame)
        await car.until_open(window)
    await car.until_open(0)


async def load(
    host: str,
    port: int,
    vins: list[bytes],
    rate: float,
    seconds: float,
    *,
    window: int = 64,
    ready: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """Let all cars send at `rate` frames a second each (0: `window` frames always on their way); the figures.

    `ready` is called when all are logged in.
    """
    async with AsyncExitStack() as stack:
        cars = [await stack.enter_async_context(connected(host, port, vin, _now())) for vin in vins]
        frames = [_Frames(vin, number) for number, vin in enumerate(vins)]
        ready()
        begun = time.perf_counter()
        while (passed := time.perf_counter() - begun) < seconds:
            for car, frame in zip(cars, frames, strict=True):
                due = window - car.open if rate == 0 else int(rate * passed) - car.sent
                if due > 0:
                    car.send(frame.at(int(passed)) * due, due)
            await asyncio.sleep(_TICK if rate else 0)
        for car in cars:
            await car.until_open(0)
        return _figures(cars, time.perf_counter() - begun)


class _Frames:
    """A car's frame of each second, built once a second."""

    def __init__(self, vin: bytes, number: int) -> None:
        self._vin, self._number = vin, number
        self._moments = computed(number, 86_400)
        self._second, self._frame = -1, b""

    def at(self, second: int) -> bytes:
        if second != self._second:
            moment = next(islice(self._moments, second - self._second - 1, None))
            self._second, self._frame = second, encode.realtime(self._vin, _now(), moment.units)
        return self._frame


def _figures(cars: list[Car], seconds: float) -> dict[str, float]:
    ranked = sorted(latency for car in cars for latency in car.latencies) or [0.0]
    acknowledged = sum(car.acknowledged for car in cars)
    return {
        "sent": sum(car.sent for car in cars),
        "acknowledged": acknowledged,
        "refused": sum(car.refused for car in cars),
        "per_second": round(acknowledged / seconds),
        "latency_p50_ms": round(ranked[len(ranked) // 2], 2),
        "latency_p99_ms": round(ranked[len(ranked) * 99 // 100], 2),
    }


def _now() -> int:
    return time.time_ns() // 1_000_000


def test_vins(cars: int) -> list[bytes]:
    """VINs of simulated cars: LTEST and twelve digits, which no maker uses."""
    return [b"LTEST%012d" % number for number in range(1, cars + 1)]


def run(loop_factory: Callable[[], Any] | None, what: Any) -> Any:
    """Run a coroutine on uvloop (or another loop)."""
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(what)


@click.command()
@click.option("--to", required=True, metavar="HOST:PORT", help="Where the door listens.")
@click.option("--protocol", type=click.Choice(["gb32960"]), default="gb32960", show_default=True)
@click.option("--cars", type=click.IntRange(min=1), default=1, show_default=True)
@click.option(
    "--rate",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Frames a second per car; 0: all it takes.",
)
@click.option("--seconds", type=click.FloatRange(min=0), default=10.0, show_default=True)
@click.option(
    "--vins",
    type=click.Path(path_type=Path, exists=True),
    help="A VIN a line; by default LTEST000000000001 and on.",
)
@json_option
@answers_for_errors
def simulate(to: str, protocol: str, cars: int, rate: float, seconds: float, vins: Path | None, as_json: bool) -> None:
    """Load a door with cars: real sockets, real frames. The cars must be registered at the site."""
    import uvloop

    assert protocol == "gb32960"  # the choice allows no other yet
    host, _, port = to.rpartition(":")
    if not host or not port.isdigit():
        raise Malformed("write it as HOST:PORT", where="--to")
    names = vins.read_bytes().split()[:cars] if vins else test_vins(cars)
    figures = run(uvloop.new_event_loop, load(host, int(port), names, rate, seconds))
    if as_json:
        put(figures)
    else:
        for name, value in figures.items():
            click.echo(f"{name:15}{value:>12}")
