"""What all connections of the MQTT door share: a batch is decoded as a whole, and acknowledged message by message."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import msgspec

from onshore.gate import door, limits
from onshore.gate.digests import of_any_size, packed, unpacked
from onshore.gate.limits import Room, Spent
from onshore.gate.mqtt.decode import check_in, decode
from onshore.gate.mqtt.packets import Answer
from onshore.gate.mqtt.protocol import PUBACK, V5, Kind, Property, Reason, encode
from onshore.gate.mqtt.sessions import Key, Sessions
from onshore.gate.mqtt.shapes import Shapes
from onshore.gate.mqtt.topics import CHECK_IN
from onshore.gate.mqtt.wills import Wills
from onshore.gate.recent import Recent
from onshore.words.catalogue import Signal
from onshore.words.errors import Malformed

REMEMBERED = 1 << 18
"""Messages that are remembered at least, to know those that come again: some minutes of ten thousand cars."""

log = logging.getLogger(__name__)

_TRIES, _DONE = 3, 4  # check-ins of a car in a batch that are looked up; more, once one was kept
_QUIET_S = 0.001


@dataclass(frozen=True)
class Limits(limits.Limits):
    """The limits of any door. `pending` is also the Receive Maximum that clients are told (5.0, 3.2.2.3.3).

    `keep_alive`: the longest in seconds, told to clients of version 5; those of 3.1.1 may have up to `quiet_s`.
    `sessions`: how many are remembered without a connection, each for `session_s` at most. `clients`: connections
    of one car, and its sessions and wills without one. `aliases`: topic aliases of a connection. `asks`: topics that a
    client may subscribe to or unsubscribe from in a second, as each time it is told its policy.
    """

    max_frame: int = 1 << 18
    keep_alive: int = 120
    quiet_s: int = 3600
    sessions: int = 100_000
    session_s: int = 30 * 86_400
    clients: int = 4
    aliases: int = 8
    asks: int = 20


class Papers(Protocol):
    """What the door asks of the register."""

    def identify(self, certificate: bytes) -> int | None:
        """The vehicle of a client certificate (DER), None where it does not stand."""

    def policy(self, vehicle: int) -> bytes | None:
        """The signed policy of a vehicle that is in force, if there is one."""

    def checked_in(self, vehicle: int, version: int, at: int) -> None:
        """A vehicle said at an instant (ms UTC) which version of its policy it obeys; raises where that is not kept."""

    def changed(self, vehicles: Iterable[int]) -> Sequence[tuple[int, bytes]]:
        """Of these vehicles, the policies that replace what was in force before."""


class Line(door.Peer, Protocol):
    """A connection, as this door sees it."""

    answers: list[bytes]
    """What is due when it is settled."""

    @property
    def version(self) -> int:
        """The client's protocol level."""

    @property
    def talkative(self) -> bool:
        """Whether reasons may be told in words (5.0, 3.1.2.11.7)."""

    def unkept(self) -> None:
        """Something of it was not kept: nothing after it may be acknowledged, and it must come again."""

    def offer(self, policy: bytes) -> None:
        """There is a new policy for this car: send it, where it is subscribed to."""


class Item(msgspec.Struct, gc=False):
    """A message that waits; `line`: None of a will. Without a `kind` only its answer, `said`, waits for its turn."""

    line: Line | None
    vehicle: int
    kind: str
    payload: bytes
    packet_id: int = 0
    said: bytes = b""

    def same(self) -> bytes:
        """What it has in common with itself when it comes again, and with no other message."""
        return b"%s%s\0%s" % (self.vehicle.to_bytes(8, "big"), self.kind.encode(), self.payload)


@dataclass
class _Fates:
    """What came of the items of a batch: by their place, those not kept, and why others were rejected."""

    unkept: set[int] = field(default_factory=set)
    rejected: dict[int, str] = field(default_factory=dict)


class Door(door.Door[Line, Item]):
    """One door for all its cars."""

    name = "mqtt"

    def __init__(
        self,
        papers: Papers,
        take_in: door.Hear,
        clock: Callable[[], int],
        catalogue: Mapping[str, Signal],
        limits: Limits | None = None,
        *,
        shared: Room | None = None,
        key: bytes = b"",
        heard: bytes = b"",
    ) -> None:
        """`heard`: the digests, by the site's `key`, of what was kept before the gate was started."""
        own = limits or Limits()
        super().__init__(take_in, clock, own, shared=shared)
        self.own = own
        self.papers = papers
        self.sessions = Sessions(own.sessions, own.session_s, own.clients)
        self.cars: dict[int, list[Line]] = {}
        self._spent: dict[int, Spent] = {}
        self._wills = Wills(own.clients)
        self._hear = take_in
        self._key = key
        self._recent = Recent(REMEMBERED)
        self._recent.remember(unpacked(heard))
        self._shapes = Shapes(catalogue)
        self._numbers = self._seen = 0
        self._due = 0.0

    def number(self) -> int:
        """A number that no connection of this door had."""
        self._numbers += 1
        return self._numbers

    def arrived(self, line: Line, vehicle: int) -> Spent:
        """A client of a car is in; of too many the first goes. What all clients of the car have spent together."""
        lines = self.cars.setdefault(vehicle, [])
        lines.append(line)
        if len(lines) > self.own.clients:
            lines[0].end("too many clients")
        return self._spent.setdefault(vehicle, Spent())

    def gone(self, line: Line, vehicle: int) -> None:
        """A client of a car has left; what it has spent is forgotten at a look, as it may be back at once."""
        lines = self.cars.get(vehicle, [])
        if line in lines:
            lines.remove(line)
        if not lines:
            self.cars.pop(vehicle, None)

    def publish(self, vehicle: int, policy: bytes) -> None:
        """A new policy is in force: send it at once to the car's clients that are here; others get it as they come."""
        for line in list(self.cars.get(vehicle, [])):
            line.offer(policy)

    def will(self, line: Line, key: Key, item: Item, delay: float) -> None:
        """Take the will of a lost connection in so many seconds later, if its client is not back (5.0, 3.1.3.2.2)."""
        self._wills.add(key, partial(self._take_will, line, item), delay)

    def back(self, key: Key, *, present: bool) -> None:
        """A client is here again: its will need not be told, if its session is `present`."""
        self._wills.back(key, present=present)

    def _take_will(self, line: Line, item: Item) -> None:
        """Raises OSError where the papers do not say whether the car still is one of the site's."""
        if line.stands():
            self.hold(line, item, len(item.payload))

    def look(self) -> None:
        """Send new policies down, and let go of sessions that have ended; asked about once a second."""
        for vehicle, policy in self.papers.changed(self.cars):
            self.publish(vehicle, policy)
        self._spent = {vehicle: spent for vehicle, spent in self._spent.items() if vehicle in self.cars}
        self.sessions.forget(asyncio.get_running_loop().time())

    async def stop(self, *servers: asyncio.Server) -> None:
        """As any door does; wills that wait are not told, as it is the gate that goes (5.0, 3.1.2.5)."""
        self._wills.clear()
        await super().stop(*servers)

    def flush_soon(self) -> None:
        """Have the batch kept when it is as old as the limits say, or once nothing more has come for a moment.

        Cars that wait for their answers send nothing until they have them, so that to wait for more would be in vain.
        """
        loop = asyncio.get_running_loop()
        limits = self.limits
        pause = max(limits.batch_ms / 1000, min(self._took, limits.batch_most_ms / 1000))
        self._due, self._seen = loop.time() + pause, len(self._waiting)
        self._timer = loop.call_later(min(pause, _QUIET_S), self._flush_quiet)

    def _flush_quiet(self) -> None:
        loop = asyncio.get_running_loop()
        now, count = loop.time(), len(self._waiting)
        if count == self._seen or now >= self._due:
            self.flush()
        else:
            self._seen = count
            self._timer = loop.call_later(min(self._due - now, _QUIET_S), self._flush_quiet)

    def _keep(self, items: list[Item]) -> None:
        try:
            self._keep_all(items)
        except Exception:
            for item in items:
                if item.line is not None:
                    item.line.unkept()  # or its client would wait for an answer for ever
            raise

    def _keep_all(self, items: list[Item]) -> None:
        keys = of_any_size(self._key, (item.same() for item in items))
        known = self._recent.known(set(keys))
        first: dict[int, int] = {}
        fresh: list[int] = []
        for place, (key, item) in enumerate(zip(keys, items, strict=True)):
            news = item.kind and key not in known and first.setdefault(key, place) == place
            if news or item.kind == CHECK_IN:  # a check-in that is said again is news
                fresh.append(place)
        fates = self._fates(items, keys, fresh)
        gone = fates.unkept | fates.rejected.keys()
        self._recent.remember([key for key, at in first.items() if at not in gone])
        self.counts["again"] += sum(bool(item.kind) for item in items) - len(fresh)
        for place, (key, item) in enumerate(zip(keys, items, strict=True)):
            self._answer(item, place if item.kind == CHECK_IN else first.get(key, place), fates)

    def _fates(self, items: list[Item], keys: list[int], fresh: list[int]) -> _Fates:
        fates = _Fates()
        rows = [place for place in fresh if items[place].kind != CHECK_IN]
        self._keep_rows(items, keys, rows, fates)
        said: dict[int, list[int]] = {}
        for place in fresh:
            if items[place].kind == CHECK_IN:
                said.setdefault(items[place].vehicle, []).append(place)
        for places in said.values():
            self._check_in(items, places, fates)
        return fates

    def _keep_rows(self, items: list[Item], keys: list[int], places: list[int], fates: _Fates) -> None:
        payloads, vehicles = [items[place].payload for place in places], [items[place].vehicle for place in places]
        decoded = decode(payloads, vehicles, self.clock(), self._shapes, self.name)
        self.counts["unknown signals"] += decoded.unknown
        fates.rejected = {places[at]: why for at, why in decoded.rejected}
        heard = packed([keys[place] for place in places if place not in fates.rejected])
        if not self.kept(decoded.batch, partial(self._hear, heard=heard)):
            fates.unkept = set(places) - fates.rejected.keys()

    def _check_in(self, items: list[Item], places: list[int], fates: _Fates) -> None:
        """Put on paper what a car says last; what it said right before is overtaken. After some that are wrong, none.

        A car that says many things at once costs the others no more than one that says what is so.
        """
        tries = 0
        for at, place in reversed(list(enumerate(places))):
            item = items[place]
            try:
                version = check_in(item.payload).policy
                if tries < _TRIES:
                    tries += 1
                    self.papers.checked_in(item.vehicle, version, self.clock())
                    tries = _DONE
            except Malformed as bad:
                fates.rejected[place] = bad.what
            except Exception as why:  # noqa: BLE001 - whatever it is, the door stays open, and the car says it again
                fates.unkept.update(places[: at + 1])
                log.error("a check-in could not be kept and is not acknowledged: %s", type(why).__name__)  # noqa: TRY400
                return
            else:
                if tries == _TRIES:
                    fates.rejected[place] = "too many versions at once that were never made"

    def _answer(self, item: Item, place: int, fates: _Fates) -> None:
        """Note what an item is answered, which is what came of the one at `place` that is the same."""
        line = item.line
        if place in fates.rejected:
            self.counts["rejected"] += 1
        if line is None:
            return
        if place in fates.unkept:
            line.unkept()
        elif item.said:
            line.answers.append(item.said)
        elif item.packet_id:
            line.answers.append(_acknowledged(item, line, fates.rejected.get(place)))


def _acknowledged(item: Item, line: Line, why: str | None) -> bytes:
    """PUBACK. Who speaks 3.1.1 is not told that it was rejected: there is no word for it (3.1.1, 3.3.5)."""
    if why is None or line.version != V5:
        return PUBACK + item.packet_id.to_bytes(2, "big")
    said: dict[int, str] = {Property.REASON_STRING: why} if line.talkative else {}
    return encode(Answer(Kind.PUBACK, item.packet_id, Reason.PAYLOAD, said), V5)
