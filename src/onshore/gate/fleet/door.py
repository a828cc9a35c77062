"""What all connections of the fleet door share: a batch is decoded as a whole, and answered record by record."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import pyarrow as pa

from onshore.gate import door, limits
from onshore.gate.digests import of_any_size, packed, unpacked
from onshore.gate.fleet.decode import Coming, Decoded, Record, decode
from onshore.gate.fleet.envelope import Envelope
from onshore.gate.fleet.protocol import MAX_MESSAGE, acknowledged, wrong
from onshore.gate.limits import Spent
from onshore.gate.recent import Recent

REMEMBERED = 1 << 18
"""Records that are remembered at least, to know those that come again."""

_RESENT = b"\x20\x01"  # the payload's last field, `is_resend`


@dataclass(frozen=True)
class Limits(limits.Limits):
    """The limits of any door; a car sends a record in half a second at the most, and may be silent while it is parked.

    `rate` counts frames of any kind, a long one by its KiB; half of `idle_timeout_s` without a word, and the car is
    asked for a sign of life.
    """

    max_frame: int = MAX_MESSAGE
    pending: int = 100
    rate: int = 200
    idle_timeout_s: float = 300.0


class Car(door.Peer, Protocol):
    """A connection, as this door sees it."""

    answers: list[bytes]
    """What is due when it is settled."""


@dataclass(slots=True)
class Held:
    """A record that waits for the disk: whose it is, and what it came in; None where nobody waits for an answer."""

    car: Car
    vehicle: int
    record: Record | Coming
    about: Envelope | None = None

    def same(self, *, timed: bool) -> bytes | None:
        """What a record has in common with itself when it comes again, marked as resent or not; None of the gate's."""
        if isinstance(self.record, Coming):
            return None
        payload, made = self.record.payload.removesuffix(_RESENT), 0 if timed else self.record.created
        whose, when = self.vehicle.to_bytes(8, "big"), made.to_bytes(8, "big")
        return b"%s%s%s\0%s" % (whose, when, self.record.topic.encode(), payload)


class Door(door.Door[Car, Held]):
    """One door for all its cars. `identify`: a certificate (DER) to the vehicle's id, None where it does not stand."""

    name = "fleet"

    def __init__(
        self,
        identify: Callable[[bytes], int | None],
        take_in: door.Hear,
        clock: Callable[[], int],
        limits: limits.Limits | None = None,
        *,
        shared: limits.Room | None = None,
        key: bytes = b"",
        heard: bytes = b"",
    ) -> None:
        """`heard`: the digests, by the site's `key`, of what was kept before the gate was started."""
        super().__init__(take_in, clock, limits or Limits(), shared=shared)
        self.identify = identify
        self._hear = take_in
        self._key = key
        self._recent = Recent(REMEMBERED)
        self._recent.remember(unpacked(heard))
        self._spent: dict[int, Spent] = {}

    def spent(self, vehicle: int) -> Spent:
        """What a car has sent in this second, over whichever connection: who comes anew begins no new count."""
        return self._spent.setdefault(vehicle, Spent())

    async def stop(self, *servers: asyncio.Server) -> None:
        """Accept nothing more, keep and answer what waits, close every connection, and keep that the cars went."""
        await super().stop(*servers)
        await asyncio.sleep(0)  # who was cut off is lost in the next turn of the loop
        self.flush()

    def _keep(self, items: list[Held]) -> None:
        decoded = decode([item.record for item in items], [item.vehicle for item in items], self.clock(), self.name)
        self.counts.update(decoded.counts)
        bad = {place for place, _ in decoded.rejected}
        keys = self._keys(items, decoded)
        known = self._recent.known({key for key in keys if key is not None})
        first = {key: place for place, key in reversed(list(enumerate(keys)))}
        fresh = [key is None or (key not in known and first[key] == place) for place, key in enumerate(keys)]
        news = [key for i, key in enumerate(keys) if key is not None and fresh[i] and i not in bad]
        kept = self.kept(_rows(decoded, fresh), partial(self._hear, heard=packed(news)))
        if kept:
            self._recent.remember(news)
        self.counts["again"] += fresh.count(False)
        self.counts["rejected"] += len(bad)
        for place, item in enumerate(items):
            if place in bad:
                item.car.answers.append(wrong(item.about))
            elif (kept or keys[place] in known) and item.about is not None:
                item.car.answers.append(acknowledged(item.about))

    def _keys(self, items: list[Held], decoded: Decoded) -> list[int | None]:
        """What each record is known by when it comes again; None of what never does."""
        same = [item.same(timed=bool(timed)) for item, timed in zip(items, decoded.timed, strict=True)]
        digests = iter(of_any_size(self._key, (one for one in same if one is not None)))
        return [None if one is None else next(digests) for one in same]


def _rows(decoded: Decoded, fresh: Sequence[bool]) -> pa.RecordBatch:
    if all(fresh):
        return decoded.batch
    return decoded.batch.filter(pa.array([fresh[place] for place in decoded.origin.tolist()], pa.bool_()))
