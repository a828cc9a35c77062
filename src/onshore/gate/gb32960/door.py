"""What all connections of the GB/T 32960 door share: a batch is decoded as a whole, and answered frame by frame."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import numpy as np

from onshore.gate import door, limits
from onshore.gate.digests import Digests, packed, unpacked
from onshore.gate.gb32960.answers import SIZE, answers
from onshore.gate.gb32960.cipher import Secret
from onshore.gate.gb32960.decode import decode
from onshore.gate.gb32960.protocol import MAX_FRAME, SIGNATURE_INVALID, Flag, flag_of, reply, time6
from onshore.gate.gb32960.setting import Orders
from onshore.gate.gb32960.signatures import Key, State
from onshore.gate.limits import Tries
from onshore.gate.recent import Recent

REMEMBERED = 1 << 18
"""Frames that are remembered at least, to know those that come again: some minutes of ten thousand cars."""

_FIRST, _LAST = 946_656_000_000, 4_102_415_999_000
"""The first and last second of the years that the protocol has, 2000 to 2099 in Beijing."""

REFUSED = 10
"""Frames that are simply kept cost as much as one that is not."""

BAD_SUM = "bad checksum"  # in the words of the decoder


@dataclass(frozen=True)
class Limits(limits.Limits):
    """The limits of any door; the longest frame is what the standard allows."""

    max_frame: int = MAX_FRAME


class Papers(Protocol):
    """What the door asks of the register; all of it by VIN or by the vehicle's id."""

    def look_up(self, vin: bytes) -> int | None:
        """The id of a registered vehicle, None for a stranger."""

    def accepts(self, vehicle: int) -> bool:
        """Whether a vehicle that was let in may stay."""

    def identify(self, certificate: bytes) -> int | None:
        """The vehicle of a client certificate (DER), None where it does not stand."""

    def key_of(self, vehicle: int) -> Key | None:
        """The public key that the vehicle signs with, as its activation left it."""

    def activate(self, vehicle: int, chip: bytes, key: bytes) -> int:
        """Keep the public key of an activation: what byte `info` of its answer says (1: it is kept)."""

    def platform(self, user: bytes, password: bytes) -> str | None:
        """The name of another platform that logs in with these, None where none does."""

    def sends(self, platform: str, vin: bytes) -> bool:
        """Whether a platform may send for this VIN, be it registered or not."""


class Sender(door.Peer, Protocol):
    """A connection, as this door sees it."""

    answers: list[bytes]
    """What is due when it is settled."""

    def tell(self) -> None:
        """The policy of the car that is here is new: tell it what follows from it."""

    def charge(self, frames: int) -> None:
        """What it said costs as much as so many frames that are simply kept."""

    def damaged(self, frame: bytes) -> None:
        """A frame that was not looked at closely was damaged, and has been answered: see what else is in it."""


@dataclass(slots=True)
class _Batch:
    """Beside the frames, what is known of each; of some by their place in the batch."""

    senders: list[Sender] = field(default_factory=list)
    vehicles: list[int] = field(default_factory=list)
    states: dict[int, int] = field(default_factory=dict)  # of signatures
    asked: dict[int, bytes] = field(default_factory=dict)  # frames as they came, where that was encrypted
    said: dict[int, bytes] = field(default_factory=dict)  # answers that only wait for their turn


class Door(door.Door[Sender, bytes]):
    """One door for all its cars."""

    name = "gb32960"

    def __init__(
        self,
        papers: Papers,
        take_in: door.Hear,
        clock: Callable[[], int],
        limits: limits.Limits | None = None,
        *,
        secret: Secret | None = None,
        shared: limits.Room | None = None,
        orders: Orders | None = None,
        carried: frozenset[str] = frozenset(),
        key: bytes = b"",
        heard: bytes = b"",
    ) -> None:
        """`orders`: what cars are told to send; `carried`: the signals of the catalogue that frames here have.

        `heard`: the digests, by the site's `key`, of what was kept before the gate was started.
        """
        super().__init__(take_in, clock, limits or Limits(), shared=shared)
        self.orders = orders
        self.carried = carried
        self.papers = papers
        self.secret = secret
        self.tries = Tries()
        self._hear = take_in
        self._batch = _Batch()
        self._recent = Recent(REMEMBERED)
        self._recent.remember(unpacked(heard))
        self._digests = Digests(key)

    def tell(self) -> None:
        """Tell the cars that are here whose policy is new how often to report from now on."""
        if self.orders is not None:
            here = {identity: line for identity, line in self.by_identity.items() if isinstance(identity, int)}
            for vehicle, _ in self.orders.changed(here):
                here[vehicle].tell()

    def now6(self) -> bytes:
        """The platform's time as the protocol writes it; its first or last where a clock is set to another century."""
        return time6(min(max(self.clock(), _FIRST), _LAST))

    def push(self, sender: Sender, frame: bytes, vehicle: int, state: int = 0, asked: bytes | None = None) -> None:
        """Hold a frame in the clear, whose signature is in a state (0: it has none), and which came as `asked`."""
        batch = self._batch
        if state:
            batch.states[len(batch.senders)] = state
        if asked is not None and asked is not frame:
            batch.asked[len(batch.senders)] = asked
        batch.senders.append(sender)
        batch.vehicles.append(vehicle)
        self.hold(sender, frame, len(frame))

    def push_many(self, sender: Sender, frames: list[bytes], vehicle: int, state: int) -> None:
        """`push`, of frames of one size."""
        batch, count = self._batch, len(frames)
        if state:
            batch.states.update(dict.fromkeys(range(len(batch.senders), len(batch.senders) + count), state))
        batch.senders += [sender] * count
        batch.vehicles += [vehicle] * count
        self._waiting += frames
        self._held(sender, count * len(frames[0]))

    def say(self, sender: Sender, answer: bytes) -> None:
        """Send an answer behind those to the sender's frames that wait."""
        self._batch.said[len(self._waiting)] = answer
        self.push(sender, b"", 0)

    def _keep(self, items: list[bytes]) -> None:
        batch, self._batch = self._batch, _Batch()
        answers = self._answered(items, batch)
        for sender, answer in zip(batch.senders, answers, strict=True):
            if answer:
                sender.answers.append(answer)

    def _answered(self, frames: list[bytes], batch: _Batch) -> list[bytes]:
        """What each frame is answered, b"" where nothing: who hears nothing sends again."""
        keys = self._digests.of(frames, 4, 1)  # 0x03 is 0x02 come again: the command is not looked at
        once = set(keys)
        known = self._recent.known(once)
        if known or batch.said or len(once) < len(keys):
            return self._sorted_out(frames, batch, keys, known)
        fates = self._fates(range(len(frames)), frames, keys, batch)
        if fates is None:
            self._recent.remember(keys)
            return _confirmed(frames, batch.asked, self.now6())
        self._recent.remember([key for key, fate in zip(keys, fates, strict=True) if fate == Flag.OK])
        return self._told(frames, fates, batch)

    def _sorted_out(self, frames: list[bytes], batch: _Batch, keys: list[int], known: set[int]) -> list[bytes]:
        """The same of a batch in which some only wait for their turn, or come again: these are not stored again."""
        first: dict[int, int] = {}
        for i, key in enumerate(keys):
            if i not in batch.said and key not in known:
                first.setdefault(key, i)
        fresh = list(first.values())
        found = self._fates(fresh, [frames[i] for i in fresh], list(first), batch)
        of = dict.fromkeys(known, int(Flag.OK)) | dict(zip(first, found or [Flag.OK] * len(fresh), strict=True))
        self._recent.remember([key for key in first if of[key] == Flag.OK])
        self.counts["again"] += len(frames) - len(batch.said) - len(fresh)
        return self._told(frames, [0 if i in batch.said else of[key] for i, key in enumerate(keys)], batch)

    def _fates(self, places: Sequence[int], frames: list[bytes], keys: list[int], batch: _Batch) -> list[int] | None:
        """Decode and keep what lies at these places of a batch: the flag of each answer, 0 for none; None: all OK."""
        states = batch.states
        signed = [State(states[i]) if i in states else None for i in places] if states else None
        vehicles = np.array([batch.vehicles[i] for i in places], np.int64)
        decoded = decode(frames, vehicles, self.clock(), self.name, signed=signed)
        bad = {i for i, _ in decoded.rejected}
        heard = [key for i, key in enumerate(keys) if i not in bad] if bad else keys
        kept = self.kept(decoded.batch, partial(self._hear, heard=packed(heard)))
        if kept and not decoded.rejected:
            return None
        fates = [int(Flag.OK) if kept else 0] * len(frames)
        for i, why in decoded.rejected:
            fates[i] = flag_of(frames[i], why)
            if why == BAD_SUM:
                batch.senders[places[i]].damaged(frames[i])
            else:
                self.counts[why if why == SIGNATURE_INVALID else "rejected"] += 1
                batch.senders[places[i]].charge(REFUSED)
        return fates

    def _told(self, frames: list[bytes], fates: list[int], batch: _Batch) -> list[bytes]:
        """The answers with these flags; those that only waited for their turn among them."""
        now6, told = self.now6(), [batch.said.get(i, b"") for i in range(len(frames))]
        due = [i for i, fate in enumerate(fates) if fate]
        usual = [i for i in due if len(frames[i]) >= SIZE and i not in batch.asked]
        for i in set(due).difference(usual):
            told[i] = reply(batch.asked.get(i, frames[i]), fates[i], now6)
        for i, answer in zip(usual, answers([frames[i] for i in usual], [fates[i] for i in usual]), strict=True):
            told[i] = answer
        return told


def _confirmed(frames: list[bytes], asked: dict[int, bytes], now6: bytes) -> list[bytes]:
    """The answer OK to each, in the words of what was asked where that was encrypted."""
    told = answers(frames)
    for i, request in asked.items():
        told[i] = reply(request, Flag.OK, now6)
    return told
