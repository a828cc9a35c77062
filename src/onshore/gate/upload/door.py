"""The door upload: which files are on their way, who may send them, and what of a request becomes of them."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Protocol

from onshore.gate import door
from onshore.gate.limits import Limits as CommonLimits
from onshore.gate.limits import Room
from onshore.gate.upload import manifest
from onshore.gate.upload.allowance import DAY, FATES, Allowance, Cost
from onshore.gate.upload.arrival import Arrival, Keep
from onshore.gate.upload.known import Papers
from onshore.gate.upload.places import gives_way
from onshore.gate.upload.readers import reader
from onshore.gate.upload.reading import Limits as ReadingLimits
from onshore.gate.upload.reading import Reader
from onshore.gate.upload.shelf import Upload
from onshore.vault.arriving import COMING
from onshore.words.errors import Malformed, Refusal

log = logging.getLogger(__name__)
_NAME = set("0123456789abcdef")


@dataclass(frozen=True)
class Limits(CommonLimits):
    """What an upload may cost.

    `most`: bytes of a file as it comes, `unpacked`: as it unpacks; `rows`: of a file that are read; `day`: bytes of a
    car in a day, as its files unpack; `begins`: how many it may begin in a minute. `days`: until an upload that does
    not go on is forgotten; `live`: how many are held in memory; `of_one`: how many one car may have begun, and how many
    connections. `checked`: bytes of a body that comes with a checksum, which is held until it is whole. `pace`: bytes
    that a sender must send in `frame_timeout_s`; `least`: bytes a second of one who need not make room for others.
    """

    most: int = 8 << 30
    unpacked: int = 32 << 30
    rows: int = 100_000_000
    day: int = 64 << 30
    begins: int = 30
    days: int = 7
    live: int = 16
    of_one: int = 4
    checked: int = 16 << 20
    header: int = 64 << 10
    pace: int = 16 << 10
    least: int = 16 << 10
    frame_timeout_s: float = 30.0
    reading: ReadingLimits = field(default_factory=ReadingLimits)


class Sender(door.Peer, Protocol):
    """A connection of a car."""

    @property
    def idle(self) -> bool:
        """Whether nothing is asked on it just now."""


class Door(door.Door[Sender, Arrival]):
    """Files on their way in, whichever connection their bytes come by."""

    name = "upload"

    def __init__(
        self,
        papers: Papers,
        keep: Keep,
        clock: Callable[[], int],
        limits: Limits | None = None,
        *,
        shared: Room | None = None,
    ) -> None:
        self.own = limits or Limits()
        super().__init__(lambda batch: keep(batch, ()), clock, self.own, shared=shared)
        self.papers = papers
        self.live: dict[str, Arrival] = {}
        self.allowance = Allowance(papers.shelf, clock, self.own.day, self.own.begins)
        self._keep_marked = keep
        self._next_slot = 0

    def slot(self, vehicle: int) -> tuple[int, int]:
        """The identity of one more connection of a car: one of `of_one`, a free one, or an idle one's, if there is."""
        taken = {n: self.by_identity.get((vehicle, n)) for n in range(self.own.of_one)}
        self._next_slot += 1
        free = [n for n, sender in taken.items() if sender is None]
        idle = [n for n, sender in taken.items() if sender is not None and sender.idle]
        return vehicle, next(iter(free + idle), self._next_slot % self.own.of_one)

    def begin(self, vehicle: int, data: bytes, size: int) -> Upload:
        """A new upload by its manifest; refused or Malformed at once where nothing good can come of it."""
        self.allowance.begin(vehicle)
        self.allowance.check(vehicle)
        said = manifest.read(data)
        manifest.permitted(said, vehicle, size, self.own.most)
        manifest.excepted(said, self.papers.exceptions())
        shelf, now = self.papers.shelf, self.clock()
        self.counts["expired"] += shelf.purge(now)
        if shelf.many(vehicle) >= self.own.of_one:
            raise Refusal(
                "busy", "this car has begun other uploads that are not at their end", remedy="finish or delete one"
            )
        self._reader(said, vehicle, None)
        self.counts["uploads"] += 1
        return shelf.add(vehicle, data, size, self.until())

    def until(self) -> int:
        """When an upload expires that goes on now (ms UTC)."""
        return self.clock() + self.own.days * DAY

    def find(self, id_: str, vehicle: int) -> Upload:
        """An upload of this car, as far as it arrived; refuses one that is not (`not-found`) or was (`gone`)."""
        live = self._sound(id_)
        found = live.upload if live else self.papers.shelf.find(id_) if len(id_) == 32 and set(id_) <= _NAME else None
        if found is None or found.vehicle != vehicle:
            raise Refusal("not-found", "this car has no upload of this name", remedy="begin it with POST")
        if found.until <= self.clock() or found.fate == "refused":
            raise Refusal("gone", "this upload is over: it expired, or its bytes were wrong")
        if found.fate in FATES.values():
            raise Refusal("gone", f"this upload is over: it had more {found.fate} than are read of one file")
        return found

    def _sound(self, id_: str) -> Arrival | None:
        """An upload that is live; one of which something could not be kept is no longer."""
        if (live := self.live.get(id_)) is not None and live.broken:
            self.forget(live)
        return self.live.get(id_)

    def offset(self, upload: Upload) -> int:
        """Up to where the file has arrived."""
        live = self._sound(upload.id)
        return live.offset if live else upload.size if upload.fate == "done" else upload.offset

    def arrival(self, upload: Upload) -> Arrival:
        """The upload, live; refuses (`busy`) while too many are being sent, and what may no longer be collected."""
        found = self._sound(upload.id)
        if found is None:
            self._make_room(upload.vehicle)
            claim = self.papers.shelf.claim(upload.id)
            try:
                found = self._made(self.find(upload.id, upload.vehicle))  # as whoever had it before left it
            except BaseException:
                claim.close()
                raise
            found.release = claim.close
            self.live[upload.id] = found
        return found

    def _made(self, upload: Upload) -> Arrival:
        if upload.fate != COMING:
            raise Refusal("gone", "this upload is whole")
        said = manifest.read(upload.manifest)
        made = self._reader(said, upload.vehicle, upload)
        cost = Cost(self.allowance, upload.vehicle, self.own.rows, self.own.unpacked)
        more = {"exception": said.exception}
        return Arrival(upload, made, self.papers.shelf, self._keep_marked, self.clock, cost, **more)

    def done(self, arrival: Arrival) -> None:
        """The file is whole and all of it that may be kept is."""
        arrival.stand()
        said = manifest.read(arrival.upload.manifest)
        agrees = arrival.agrees(said.sha256) if said.sha256 else True
        self.counts["bytes that are not what the manifest says" if agrees is False else "files"] += 1
        arrival.rest(self.until())
        self.over(arrival, "done")
        if agrees is False:
            raise Malformed("the file does not hash to the manifest's sha256; its rows were kept as they came")

    def over(self, arrival: Arrival, fate: str) -> None:
        """Nothing more of it is taken in."""
        for name, count in arrival.reader.counts.items():
            self.counts[name] += count
        try:
            self.papers.shelf.end(arrival.upload.id, fate, self.until())
            self.allowance.save(arrival.upload.vehicle)
        finally:
            self.forget(arrival)

    def refuse(self, arrival: Arrival, why: Refusal) -> None:
        """It holds more than is read of a file: it is over, and papers and counts say why."""
        if not arrival.broken:
            self.counts[why.reason] += 1
            log.warning("an upload was refused: %s", why.reason)
            self.over(arrival, FATES[why.reason])

    def end(self, upload: Upload) -> None:
        """The client wants no more of it: nothing is known of it from now on. What was kept stays."""
        live = self.live.get(upload.id)
        claim = self.papers.shelf.claim(upload.id) if live is None else ExitStack()
        with claim:
            self.papers.shelf.forget(upload.id)
            if live is not None:
                self.forget(live)

    def forget(self, arrival: Arrival) -> None:
        """Nothing more of it goes on from here: papers and journals know how far it came."""
        arrival.broken = True
        if self.live.get(arrival.upload.id) is arrival:
            del self.live[arrival.upload.id]
            arrival.release()

    def takes_in(self) -> None:
        """Refuse what would have to be kept (`disk-full`, `busy`) while the door is held."""
        if self.held == "full":
            raise Refusal("disk-full", "too little of the disk here is free", remedy="go on with it later")
        if self.held:
            raise Refusal("busy", "the disk here is slow just now", remedy="go on with it in a while")

    def flush(self) -> None:
        """Keep what waits; the ticks of the gate ask for it."""
        for arrival in list(self.live.values()):
            try:
                arrival.keep()
            except Exception as why:  # noqa: BLE001 - whatever it is, the door stays open
                self.forget(arrival)
                self._lost(0, why)

    async def stop(self, *servers: asyncio.Server) -> None:
        """Keep what arrived, and note how far that is."""
        await super().stop(*servers)
        for arrival in list(self.live.values()):
            try:
                arrival.rest(arrival.upload.until)
            except Exception as why:  # noqa: BLE001 - the others are still to be kept
                self._lost(0, why)
            self.forget(arrival)

    def _reader(self, said: manifest.Manifest, vehicle: int, upload: Upload | None) -> Reader:
        targets = manifest.targets(said, self.papers.catalogue, self.papers.collectable(vehicle))
        self.counts["channels dropped"] += len(said.channels) - len(targets) if upload is None else 0
        state = upload.state if upload else None
        return reader(said, targets, self.papers.database, self.own.reading, state)

    def _make_room(self, vehicle: int) -> None:
        """Where all places are taken one gives way; it goes on from where it is durable."""
        if len(self.live) < self.own.live:
            return
        now = asyncio.get_running_loop().time()
        gives = gives_way(self.live.values(), vehicle, now, self.own.least)
        if gives is None:
            raise Refusal("busy", "too many files are on their way just now", remedy="go on with it in a while")
        try:
            gives.rest(gives.upload.until)
        finally:
            self.counts["gave way"] += 1
            gives.away = True
            self.forget(gives)
            gives.leave()

    def _keep(self, items: Sequence[Arrival]) -> None:
        for arrival in items:
            arrival.keep()
