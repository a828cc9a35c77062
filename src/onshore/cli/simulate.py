"""`onshore simulate`: cars over real sockets; besides `send.py` and `client.py` the only module that connects."""

import asyncio
import gc
import os
import resource
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from onshore.cli.common import answers_for_errors, json_option, put
from onshore.cli.drives import recorded
from onshore.cli.driving.cars import SHANGHAI, City, cars
from onshore.cli.loading import Load, Script, Wish, figures
from onshore.cli.simulated import AUTHORITY, Simulated, at_hand, client_context, listed, test_vins
from onshore.cli.terminals import Car, Latencies
from onshore.cli.voices import fleet, gb32960, mqtt
from onshore.cli.voices.spoken import Modelled, Played, Source, Voice, pace
from onshore.gate.gb32960 import encode
from onshore.words.errors import Broken, Malformed

__all__ = ["Car", "City", "connected", "drive", "load", "run", "simulate", "test_vins"]

_AT_ONCE = 100  # cars that connect at the same time
_DAYS = 1

Result = TypeVar("Result")


@asynccontextmanager
async def connected(host: str, port: int, vin: bytes, at: int) -> AsyncIterator[Car]:
    """A GB/T 32960 car that is logged in; refuses (`login-refused`) when the gate does."""
    _, car = await asyncio.get_running_loop().create_connection(lambda: Car(gb32960.Ears()), host, port)
    try:
        await car.greet([encode.login(vin, at, 1, gb32960.ICCID)])
        yield car
    finally:
        await car.close()


async def drive(car: Car, frames: Iterable[bytes], window: int = 64) -> None:
    """Send frames, at most `window` of them unanswered, and wait for the last answer."""
    for frame in frames:
        car.send(frame)
        await car.until_open(window)
    await car.until_open(0)


async def load(
    host: str,
    port: int,
    voice: Voice,
    names: Sequence[Simulated],
    wish: Wish,
    *,
    authority: Path | None = None,
    ready: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """Let cars connect (over TLS where an `authority` is named), send what is wished, and say what came of it.

    `ready` is called when all are logged in.
    """
    latencies = Latencies()
    at = pace(_now(), wish.rate, wish.seconds, voice.finest)
    script = Script(voice, len(names), at, wish)
    turn = asyncio.Semaphore(_AT_ONCE)

    async def come(number: int, name: Simulated) -> Car:
        async with turn:
            context = None if authority is None else client_context(authority, name)
            greetings = voice.greetings(number, _now())
            loop = asyncio.get_running_loop()
            try:
                _, car = await loop.create_connection(
                    lambda: Car(voice.ears(number), latencies), host, port, ssl=context
                )
            except (ssl.SSLError, ConnectionAbortedError, ConnectionResetError) as failed:
                raise Malformed(f"no TLS with it: {failed.strerror or 'it hung up'}", where="--to") from None
            known.append(car)
            await car.greet(greetings)
            return car

    known: list[Car] = []
    coming = [asyncio.create_task(come(number, name)) for number, name in enumerate(names)]
    try:
        here = await asyncio.gather(*coming)
        ready()
        gc.freeze()  # what was built stays; looking through it again and again would hold up the cars
        taken = await Load(here, script, wish).run()
        return figures(here, latencies, taken)
    finally:
        for task in coming:
            task.cancel()  # where one was refused, the others need not come
        await asyncio.gather(*coming, return_exceptions=True)
        await asyncio.gather(*(car.close() for car in known))


def _now() -> int:
    return time.time_ns() // 1_000_000


def run(loop_factory: Callable[[], Any] | None, what: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine on uvloop (or another loop)."""
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(what)


def voice_of(protocol: str, names: Sequence[Simulated], source: Source, host: str, version: str) -> Voice:
    """A protocol's voice; `version`: 2016 or 2025 of gb32960, 3.1.1 or 5 of mqtt. Malformed where it has none such."""
    match protocol, version:
        case "gb32960", "" | "2016" | "2025":
            return gb32960.Voice([name.vin for name in names], source, int(version or 2016))
        case "mqtt", "" | "3.1.1" | "5":
            return mqtt.Voice([name.vehicle for name in names], source, 5 if version == "5" else 4)
        case "fleet", "":
            return fleet.Voice(host, source, os.urandom)
    raise Malformed("gb32960 is of 2016 or 2025, mqtt of 3.1.1 or 5, and fleet has one alone", where="--edition")


def source_of(recording: Path | None, count: int, city: str, seed: int) -> Source:
    """Where cars drive: a recorded drive, or the model about a place. Malformed where that is none."""
    if recording is not None:
        return Played(recorded(recording), count)
    longitude, _, latitude = city.partition(",")
    try:
        centre = City(float(longitude), float(latitude))
    except ValueError:
        raise Malformed("write it as LONGITUDE,LATITUDE in degrees", where="--city") from None
    return Modelled(cars(centre, count, _DAYS, seed))


def _room_for(connections: int) -> None:
    """Have as many descriptors as there are cars; Malformed where the system does not let a process have them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + 64
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise Malformed(f"this process may open {hard} files: raise it (ulimit -Hn), or ask for fewer", where="--cars")
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@click.command()
@click.option("--to", required=True, metavar="HOST:PORT", help="Where the door listens.")
@click.option("--protocol", type=click.Choice(["gb32960", "fleet", "mqtt"]), default="gb32960", show_default=True)
@click.option("--edition", default="", help="gb32960: 2016 (default) or 2025; mqtt: 3.1.1 (default) or 5.")
@click.option("--cars", "count", type=click.IntRange(min=1), default=1, show_default=True)
@click.option(
    "--rate",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Frames a second per car; 0: all it takes.",
)
@click.option("--seconds", type=click.FloatRange(min=0), default=10.0, show_default=True)
@click.option("--burst", type=click.IntRange(1, 1000), default=1, show_default=True, help="Frames in one packet.")
@click.option("--window", type=click.IntRange(1, 1000), default=64, show_default=True, help="On their way at --rate 0.")
@click.option(
    "--vins", type=click.Path(path_type=Path, exists=True), help="A VIN a line; by default LTEST000000000001 on."
)
@click.option(
    "--drive", "recording", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A CSV to drive."
)
@click.option("--city", default=f"{SHANGHAI.longitude},{SHANGHAI.latitude}", help="LONGITUDE,LATITUDE of its centre.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the modelled drives.")
@click.option("--trust", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="TLS: who signed the gate.")
@click.option(
    "--certificates",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="TLS with certificates of cars: 'cars', 'ca.pem', and <id>.pem and <id>.key of each.",
)
@click.option("--plain", is_flag=True, help="No TLS, whatever is known of certificates: gb32960 alone.")
@click.option(
    "--site",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A site at hand: the cars are registered and certified there first.",
)
@json_option
@answers_for_errors
def simulate(
    to: str,
    protocol: str,
    edition: str,
    count: int,
    rate: float,
    seconds: float,
    burst: int,
    window: int,
    vins: Path | None,
    recording: Path | None,
    city: str,
    seed: int,
    trust: Path | None,
    folder: Path | None,
    plain: bool,
    site: Path | None,
    as_json: bool,
) -> None:
    """Load a door with cars: real sockets, real frames. The cars must be registered at the site, or --site does it.

    fleet and mqtt know cars by their certificates alone. Frames have instants of their own: a second apart for
    gb32960, so that cars that send more often begin in the past. A car of 2025 signs; the gate holds it to that ever
    after.
    """
    import uvloop

    host, _, port = to.rpartition(":")
    if not host or not port.isdigit():
        raise Malformed("write it as HOST:PORT", where="--to")
    _room_for(count)
    with ExitStack() as stack:
        certified = stack.enter_context(at_hand(site, folder, count)) if site else folder
        if (certified is None or plain) and protocol != "gb32960":
            raise Malformed("cars are known by their certificates there: name --certificates or --site", where=protocol)
        names = listed(certified, count) if certified else _named(vins, count)
        authority = None if plain else certified / AUTHORITY if certified else trust
        wish = Wish(rate, seconds, max(window, burst), burst)
        voice = voice_of(protocol, names, source_of(recording, count, city, seed), host, edition)
        came = run(uvloop.new_event_loop, load(host, int(port), voice, names, wish, authority=authority))
    _tell(came, as_json=as_json)


def _named(vins: Path | None, count: int) -> list[Simulated]:
    found = vins.read_bytes().split()[:count] if vins else test_vins(count)
    if len(found) < count:
        raise Malformed(f"it has {len(found)} VINs: ask for no more cars", where="--vins")
    return [Simulated(vin) for vin in found]


def _tell(came: dict[str, float], *, as_json: bool) -> None:
    if as_json:
        put(came)
    else:
        for name, value in came.items():
            click.echo(f"{name:17}{value:>12}")
    if came["unanswered"]:
        raise Broken(f"{came['unanswered']} frames were not answered: see the gate's log")
