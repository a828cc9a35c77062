"""The gate with its doors open: each door is opened by a function of its own, where the settings give it a port."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol, cast

from onshore.cli.mqtt import Mqtt, mqtt_of
from onshore.cli.pressing import batches, pressure_of
from onshore.cli.told import Told
from onshore.cli.uploading import uploading
from onshore.desk.watch.answers import Counting
from onshore.gate.fleet import server as fleet
from onshore.gate.gb32960 import server as gb32960
from onshore.gate.gb32960.known import Known, secret_of
from onshore.gate.intake import Intake
from onshore.gate.limits import Room
from onshore.gate.mqtt import server as mqtt
from onshore.gate.pressure import Pressure
from onshore.gate.tls import Credentials
from onshore.gate.upload import server as upload
from onshore.register.certificates import Standing
from onshore.register.policies import Policies
from onshore.site import Site
from onshore.vault.journal import Journal
from onshore.vault.journal import Limits as JournalLimits
from onshore.vault.keys import mac
from onshore.words.errors import Malformed, Refusal

_TICK = 0.1  # seconds between looks at what the journal has to do
_CHECKS = 10  # ticks between looks at whether who is connected may still be

log = logging.getLogger(__name__)


class AnyDoor(Protocol):
    """What the gate asks of a door once it is open."""

    def flush(self) -> None:
        """Keep what waits."""

    def press(self, held: str) -> None:
        """Take nothing in for now, or go on."""

    def recheck(self) -> None:
        """End the connections of those who may no longer be here."""

    async def stop(self, *servers: asyncio.Server) -> None:
        """Accept nothing more, keep and answer what waits, close every connection."""


@dataclass
class Opened:
    """A door that listens: `ports` by the names of the settings."""

    door: AnyDoor
    ports: dict[str, int]
    servers: list[asyncio.Server] = field(default_factory=list)

    def add(self, name: str, server: asyncio.Server) -> None:
        """It listens there too."""
        self.ports[name] = _port(server)
        self.servers.append(server)

    async def stop(self) -> None:
        """Close the door; what it holds is kept and answered."""
        await self.door.stop(*self.servers)


@dataclass
class Gate:
    """What the doors of one gate process share."""

    site: Site
    intake: Intake
    pressure: Pressure
    room: Room
    shared: bool  # the ports are shared with other gate processes
    standing: Standing
    due: bool = False  # somebody lost an identity, and the doors were not told yet

    @cached_property
    def heard(self) -> bytes:
        """The digests of what was kept before this gate began: what comes again is not stored again."""
        return self.intake.heard()

    def key(self, door: str = "") -> bytes:
        """What a door's digests are made with: of each its own, so that no message of one is taken for another's."""
        return mac(self.site.key("lookup"), b"heard" + door.encode())

    @cached_property
    def credentials(self) -> Credentials:
        """What the doors with TLS show."""
        return Credentials(self.site, self.standing.authorities)


async def open_mqtt(gate: Gate) -> Opened | None:
    """MQTT with TLS where `mqtt` is a port, and the bridge to a maker's broker where `mqtt_bridge` names one."""
    settings = gate.site.settings.gate
    if settings.mqtt is None and settings.mqtt_bridge is None:
        return None
    known = {"key": gate.key("mqtt"), "heard": gate.heard}
    both: Mqtt = mqtt_of(gate.site, gate.intake, gate.room, gate.standing, Policies(gate.site), **known)
    opened = Opened(both, {})
    if settings.mqtt is not None:
        context = gate.credentials.context(required=True)
        listening = mqtt.serve(both.door, settings.host, settings.mqtt, context, reuse_port=gate.shared)
        opened.add("mqtt", await _open("mqtt", settings.host, settings.mqtt, listening))
    both.start()
    return opened


async def open_gb32960(gate: Gate) -> Opened | None:
    """GB/T 32960, in the clear where `gb32960` is a port, with TLS where `gb32960_tls` is; one door for both."""
    settings = gate.site.settings.gate
    places = {"gb32960": settings.gb32960, "gb32960_tls": settings.gb32960_tls}
    if not any(port is not None for port in places.values()):
        return None
    door = _gb32960_door(gate)
    opened = Opened(door, {})
    for name, port in places.items():
        if port is not None:
            ssl = gate.credentials.context(required=False, asked=True) if name == "gb32960_tls" else None
            listening = gb32960.serve(door, settings.host, port, ssl, reuse_port=gate.shared)
            opened.add(name, await _open(name, settings.host, port, listening))
    return opened


def _gb32960_door(gate: Gate) -> gb32960.Door:
    settings = gate.site.settings.gate
    limits = gb32960.Limits(**batches(settings), rate=settings.rate)
    known = Known(gate.site, gate.intake.look_up, gate.standing)
    secret = secret_of(gate.site)
    carried = frozenset(name for name, signal in gate.site.catalogue.items() if signal.gb32960)
    return gb32960.Door(
        known,
        gate.intake.take_in,
        gate.site.clock,
        limits,
        secret=secret,
        shared=gate.room,
        orders=Policies(gate.site),
        carried=carried,
        key=gate.key(),
        heard=gate.heard,
    )


async def open_fleet(gate: Gate) -> Opened | None:
    """The stream of cars as Teslas send it: a WebSocket over TLS, to which every car shows its certificate."""
    settings = gate.site.settings.gate
    if settings.fleet is None:
        return None
    rate = min(settings.rate, fleet.Limits().rate)  # a record is a hundred times what another door's frame is
    limits = fleet.Limits(**batches(settings), rate=rate)
    door = fleet.Door(
        gate.standing.identify,
        gate.intake.take_in,
        gate.site.clock,
        limits,
        shared=gate.room,
        key=gate.key("fleet"),
        heard=gate.heard,
    )
    ssl = gate.credentials.context(required=True, alpn=("http/1.1",))
    listening = fleet.serve(door, settings.host, settings.fleet, ssl, reuse_port=gate.shared)
    opened = Opened(door, {})
    opened.add("fleet", await _open("fleet", settings.host, settings.fleet, listening))
    return opened


async def open_upload(gate: Gate) -> Opened | None:
    """Files over HTTPS where `upload` is a port; of several gate processes the first one opens it."""
    settings = gate.site.settings.gate
    if settings.upload is None:
        return None
    only = uploading(gate.site, gate.intake, gate.room, gate.standing, Policies(gate.site), shared=gate.shared)
    if only is None:
        return None
    opened = Opened(only, {})
    ssl = gate.credentials.context(required=True, alpn=("http/1.1",))
    listening = upload.serve(only.door, settings.host, settings.upload, ssl)
    opened.add("upload", await _open("upload", settings.host, settings.upload, listening))
    return opened


OPENERS: Sequence[Callable[[Gate], Awaitable[Opened | None]]] = (open_gb32960, open_fleet, open_mqtt, open_upload)
"""One for each door: None where the settings give it no port."""


@asynccontextmanager
async def doors(site: Site, seen: list[Counting] | None = None) -> AsyncIterator[dict[str, int]]:
    """The gate with every door open that the settings give a port; the ports. Closing it answers what waits.

    Of several gate processes (`processes`), each takes the first journal folder that no other holds. `seen`: is told
    of each door, for whoever watches what it counts.
    """
    async with AsyncExitStack() as stack:
        gate = _gate(site, stack)
        opened: list[Opened] = []
        for open_door in OPENERS:
            door = await open_door(gate)
            if door is not None:
                stack.push_async_callback(door.stop)
                opened.append(door)
        if seen is not None:
            seen += [_counting(door.door) for door in opened]
        _keep_ticking(stack, gate, [door.door for door in opened])
        yield {name: port for door in opened for name, port in door.ports.items()}


def _counting(door: AnyDoor) -> Counting:
    """A door's counters: its own, or of the one that stands behind what feeds it too."""
    behind: Any = getattr(door, "door", door)
    return cast("Counting", behind)


@contextmanager
def intake(site: Site) -> Iterator[Intake]:
    """The way in behind the doors, all of them closed: for files that lie here already."""
    with ExitStack() as stack:
        yield _gate(site, stack).intake


@asynccontextmanager
async def gate(site: Site, *, port: int) -> AsyncIterator[tuple[gb32960.Door, int]]:
    """The gate with the GB/T 32960 door alone, on a port of its own (0: a free one): (the door, its port).

    For what sends by itself, such as a drive that is played again: no car is held to a rate.
    """
    async with AsyncExitStack() as stack:
        here = _gate(site, stack)
        door = _gb32960_door(here)
        door.limits = replace(door.limits, rate=door.limits.many_rate)
        host = site.settings.gate.host
        server = await _open("gb32960", host, port, gb32960.serve(door, host, port))
        stack.push_async_callback(door.stop, server)
        _keep_ticking(stack, here, [door])
        yield door, _port(server)


def _gate(site: Site, stack: AsyncExitStack | ExitStack) -> Gate:
    settings = site.settings.gate
    journal = stack.enter_context(_journal(site, settings.processes))
    intake = Intake(site, journal)
    stack.callback(intake.close)
    return Gate(site, intake, pressure_of(site, journal), Room(), settings.processes > 1, Standing(site))


def _journal(site: Site, processes: int) -> Journal:
    vault = site.settings.vault
    age = site.settings.gate.rotate_seconds * 1000
    limits = JournalLimits(vault.journal_bytes, age, vault.least_free)
    for number in range(processes):
        try:
            return Journal(
                site.engine,
                site.root,
                site.vault,
                site=site.id,
                gate=str(number),
                clock=site.clock,
                randomness=site.randomness,
                limits=limits,
            )
        except Refusal as refusal:
            if refusal.reason != "road-taken" or number == processes - 1:
                raise
    raise AssertionError  # the settings have at least one


async def _open(name: str, host: str, port: int, listening: Awaitable[asyncio.Server]) -> asyncio.Server:
    """The server of a door; Malformed where the settings give it a place at which it cannot listen."""
    try:
        return await listening
    except (OSError, OverflowError, ValueError) as failed:
        what = f"the door {name} cannot listen on {host}:{port}: {failed}; end what holds it, or choose another"
        raise Malformed(what, where="site.toml, [gate]") from failed


def _port(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


def _keep_ticking(stack: AsyncExitStack, gate: Gate, opened: list[AnyDoor]) -> None:
    stack.callback(asyncio.create_task(_tick(gate, opened)).cancel)


async def _tick(gate: Gate, opened: Sequence[AnyDoor]) -> None:
    told, ticks = Told(), 0
    while True:
        await asyncio.sleep(_TICK)
        ticks += 1
        try:
            for door in opened:
                door.flush()  # what arrived before somebody asked for a new file goes into the old one
            if gate.pressure.look(asyncio.get_running_loop().time()):
                for door in opened:
                    door.press(gate.pressure.held)
            gate.intake.tick()
            if ticks % _CHECKS == 0:
                _check(gate, opened)
            told.well("gate")
        except Exception as error:  # a gate that no longer looks would never close its file
            if told.is_new("gate", error):
                log.exception("a tick of the gate failed and is tried again: %s", type(error).__name__)


def _check(gate: Gate, opened: Sequence[AnyDoor]) -> None:
    """End the connections of those who may no longer be here, if there are any; show a new certificate in time."""
    gate.due = gate.standing.changed() or gate.due
    if gate.due:
        for door in opened:
            door.recheck()
        gate.due = False  # not before: where the papers did not answer, it is done again
    for door in opened:
        if isinstance(door, gb32960.Door):
            door.tell()
    if "credentials" in vars(gate):
        gate.credentials.tick()
