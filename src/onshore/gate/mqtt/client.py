"""The bridge: a client of a maker's own broker, whose cars' messages it takes in and acknowledges once they are kept.

The broker keeps what is not acknowledged and sends it again; nothing waits here but what is on its way to the disk.
"""

import asyncio
import logging
import ssl as tls
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import cast

from onshore.gate.mqtt.door import Door, Item
from onshore.gate.mqtt.packets import (
    Answers,
    Connack,
    Connect,
    Disconnect,
    Filter,
    Packet,
    Ping,
    Publish,
    Subscribe,
)
from onshore.gate.mqtt.protocol import PUBACK, V5, Event, Property, Reader, Reason, encode
from onshore.gate.mqtt.topics import Pattern

log = logging.getLogger(__name__)

KEEP_ALIVE = 30
"""Seconds (3.1.2.10)."""

_SESSION_S = 3600  # that the broker keeps messages for us while we are away
_NO_RETAINED = 2  # 5.0, 3.8.3.1: what lay at the broker before is not sent with the subscription
_KNOWN = 1 << 16
_PAUSES = (0.5, 1, 2, 5, 10, 30, 60)


@dataclass(frozen=True)
class Broker:
    """Where it is, and what the gate says there; `ssl` None is without TLS."""

    host: str
    port: int
    version: int
    client_id: str
    ssl: tls.SSLContext | None = None
    user: str | None = None
    password: bytes | None = None

    def connect(self, receive: int, largest: int) -> Connect:
        """The first packet: the session goes on where it was, and so much at most may be on its way."""
        said: dict[int, int] = {
            Property.SESSION_EXPIRY: _SESSION_S,
            Property.RECEIVE_MAXIMUM: min(receive, 0xFFFF),
            Property.MAXIMUM_PACKET: largest,
        }
        said = said if self.version == V5 else {}
        who = self.user, self.password
        return Connect(self.version, self.client_id, False, KEEP_ALIVE, None, *who, properties=said)


class Cars:
    """Vehicles by what a topic calls them; bounded, and asked again after a `look` at a register that changed."""

    def __init__(self, find: Callable[[str, bool], int | None], changed: Callable[[], bool] = lambda: True) -> None:
        """`find`: a registered vehicle by its name and whether that is a VIN.

        `changed`: whether vehicles may have been registered or retired since it was asked last. Both may raise OSError.
        """
        self._find, self._changed = find, changed
        self._known: dict[tuple[str, bool], int | None] = {}

    def find(self, name: str, *, by_vin: bool) -> int | None:
        """The vehicle, None where none is registered so."""
        key = name, by_vin
        if key not in self._known:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known[key] = self._find(*key)
        return self._known[key]

    def look(self) -> None:
        """Ask the register again from now on, if it may say something else."""
        if self._changed():
            self._known.clear()


class Link(asyncio.Protocol):
    """One connection to the broker; a peer of the door like a car's, but for many cars."""

    talkative = False

    def __init__(self, door: Door, broker: Broker, patterns: Sequence[Pattern], cars: Cars) -> None:
        self.version = broker.version
        self.answers: list[bytes] = []
        self.address = broker.host
        self.subscribed = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._door, self._broker, self._patterns, self._cars = door, broker, patterns, cars
        self._reader = Reader(door.limits.max_frame, version=broker.version)
        self._transport: asyncio.Transport
        self._pending = 0
        self._blocked = self._paused = self._unkept = self._leaving = False
        self._heard = self._said = 0.0
        self._keep_alive = KEEP_ALIVE

    @property
    def identity(self) -> Hashable | None:
        """A broker is nobody's car."""
        return None

    def stands(self) -> bool:
        """It is the settings that let it in."""
        return True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce ourselves."""
        self._transport = cast(asyncio.Transport, transport)
        self._heard = asyncio.get_running_loop().time()
        limits = self._door.limits
        self._send(self._broker.connect(limits.pending, limits.max_frame))

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits for the end hears of it; what came is kept, and comes again unacknowledged."""
        del exc
        self._leaving = True
        if not self.done.done():
            self.done.set_result(None)

    def data_received(self, data: bytes) -> None:
        """One read from the socket."""
        self._heard = asyncio.get_running_loop().time()
        for event in self._reader.feed(data):
            if self._leaving:
                return
            if isinstance(event, Publish) and event.qos < 2:
                self._message(event)
            else:
                self._hear(event)
        self.flow()

    def _hear(self, event: Event) -> None:
        if isinstance(event, Connack) and event.reason == Reason.SUCCESS:
            self._keep_alive = event.properties.get(Property.SERVER_KEEP_ALIVE, 0) or KEEP_ALIVE
            filters = [Filter(pattern.filter, 1, retained=self._retained()) for pattern in self._patterns]
            self._send(Subscribe(1, filters))
        elif isinstance(event, Answers) and event.reasons == [Reason.GRANTED_1] * len(self._patterns):
            self.subscribed = True
            self._door.counts["bridge subscribed"] += 1
        elif not isinstance(event, Ping):
            self._refused(event)

    def _refused(self, event: Event) -> None:
        """The broker will not have us, or says what is no MQTT: told, and tried again later."""
        reason = getattr(event, "reason", Reason.UNSPECIFIED)
        log.error("the broker of the bridge refused or broke off: %s 0x%02X", type(event).__name__, reason)
        self.end("bridge refused")

    def _retained(self) -> int:
        return _NO_RETAINED if self.version == V5 else 0

    def _message(self, message: Publish) -> None:
        """From the broker at QoS 0 or 1, as was subscribed; unknown cars' are dropped, and acknowledged as done.

        So is what is retained: 3.1.1 sends it again with each subscription (3.3.1-8).
        """
        try:
            kind, vehicle = ("", None) if message.retain else self._whose(message.topic)
        except OSError:
            self._unkept = True
            self.end("not kept")
            return
        if vehicle is None:
            self._door.counts["retained" if message.retain else "unknown vehicle"] += 1
            if not message.packet_id:
                return
        said = b"" if vehicle else PUBACK + message.packet_id.to_bytes(2, "big")
        self._pending += 1
        payload = message.payload if vehicle else b""
        self._door.hold(self, Item(self, vehicle or 0, kind, payload, message.packet_id, said), len(payload))

    def _whose(self, topic: str) -> tuple[str, int | None]:
        for pattern in self._patterns:
            name = pattern.named(topic)
            if name is not None:
                vehicle = self._cars.find(name, by_vin=pattern.by_vin)
                return (pattern.kind, vehicle) if vehicle else ("", None)
        return "", None

    def settle(self) -> None:
        """The batch is done: acknowledge what is kept; after what is not, nothing is, and the broker sends it again."""
        self._pending = 0
        answers, self.answers = self.answers, []
        if answers:
            self._said = asyncio.get_running_loop().time()
        if answers and not self._transport.is_closing():
            self._transport.write(b"".join(answers))
        if self._unkept:
            self.end("not kept")
        self.flow()

    def unkept(self) -> None:
        """Something was not kept."""
        self._unkept = True

    def offer(self, policy: bytes) -> None:
        """Policies go to cars that speak to the gate themselves; what a broker's cars get is the maker's to forward."""

    def look_after(self, now: float) -> None:
        """Say that we are here (3.1.2.10); leave a broker that says nothing any more."""
        self.flow()
        if self._paused and not self._blocked:
            self._heard = now  # it is we who do not listen
        if now - self._heard > 1.5 * KEEP_ALIVE:
            self.abort()
        elif not self._transport.is_closing():
            pause = min(self._keep_alive, KEEP_ALIVE) / 3
            if now - min(self._heard, self._said) > pause:
                self._send(Ping())

    def pause_writing(self) -> None:
        """The broker does not read our answers."""
        self._blocked = True
        self.flow()

    def resume_writing(self) -> None:
        """The broker reads again."""
        self._blocked = False
        self.flow()

    def close(self) -> None:
        """Leave, for now."""
        if not self._leaving:
            self._leaving = True
            self._send(Disconnect())
            self.flow()
            self._transport.close()

    def abort(self) -> None:
        """Leave at once."""
        self._leaving = True
        self._transport.abort()

    def end(self, why: str) -> None:
        """Leave for a reason that is counted."""
        if not self._leaving:
            self._door.counts[why] += 1
            self.close()

    def _send(self, packet: Packet) -> None:
        self._said = asyncio.get_running_loop().time()
        self._transport.write(encode(packet, self.version))

    def flow(self) -> None:
        """Read only while the broker takes our answers, the door takes in, and not too much waits."""
        pause = not self._leaving and (
            self._blocked or bool(self._door.held) or self._pending >= self._door.limits.pending
        )
        if pause != self._paused and not self._transport.is_closing():
            self._paused = pause
            (self._transport.pause_reading if pause else self._transport.resume_reading)()


class Bridge:
    """Keeps a link to the broker for as long as the gate runs."""

    def __init__(self, door: Door, broker: Broker, patterns: Sequence[Pattern], cars: Cars) -> None:
        self._door, self._broker, self._patterns, self._cars = door, broker, patterns, cars
        self._link: Link | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Connect, and again whenever the link is lost, with pauses that grow up to a minute."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Leave the broker; what came and is not acknowledged it sends again when we are back."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._link is not None:
            self._link.close()

    def look(self) -> None:
        """The broker may have gone without a word; and cars may have been registered or retired since."""
        if self._link is not None:
            self._link.look_after(asyncio.get_running_loop().time())
        self._cars.look()

    async def _run(self) -> None:
        failed = 0
        while True:
            try:
                self._link = await self._connected()
            except OSError as why:
                if not failed:
                    log.error("the broker of the bridge cannot be reached: %s", type(why).__name__)  # noqa: TRY400
            else:
                await self._link.done
                failed = 0 if self._link.subscribed else failed
            await asyncio.sleep(_PAUSES[min(failed, len(_PAUSES) - 1)])
            failed += 1

    async def _connected(self) -> Link:
        at = self._broker
        _, link = await asyncio.get_running_loop().create_connection(self._new, at.host, at.port, ssl=at.ssl)
        return link

    def _new(self) -> Link:
        return Link(self._door, self._broker, self._patterns, self._cars)
