"""Answers: /healthz, /readyz and /metrics of one process, as values; whoever holds a socket mounts them."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence, Sized
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from onshore import __version__
from onshore.desk.looks.status import Line
from onshore.desk.watch import ready, registers
from onshore.desk.watch.kept import Kept
from onshore.desk.watch.metrics import TYPE, Sample, word, written
from onshore.desk.watch.parts import PARTS, Part
from onshore.ledger.witness import Answer
from onshore.site import Site
from onshore.vault.migrations import HEAD
from onshore.words.errors import OnshoreError

PATHS = ("/healthz", "/readyz", "/metrics")
_OUTCOMES = ("kept", "not kept", "again", "rejected", "damaged")
_FRESH = 5.0  # seconds for which an answer is given again: whoever asks more often costs nothing
_READ_ONLY = Answer(405, b"this is read, not written\n", more=(("Allow", "GET, HEAD"),))
_NOT_HERE = Answer(404, b"/healthz, /readyz, /metrics\n")


class Counting(Protocol):
    """A door, as far as its counters go; they are read while it goes on counting."""

    name: str
    counts: Counter[str]
    held: str

    @property
    def connections(self) -> Sized:
        """Who is connected."""
        ...


class Watched:
    """One process of a site: its roads, its doors, and what it says when it is asked.

    `fresh`: seconds for which an answer is given again. `ticks`: a clock that never goes back, in seconds.
    """

    def __init__(
        self,
        site: Site,
        roads: Collection[str],
        doors: Sequence[Counting] = (),
        *,
        fresh: float = _FRESH,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._site, self._roads, self._doors = site, tuple(roads), doors
        self._fresh, self._ticks, self._began = fresh, ticks, site.clock()
        self._kept, self._locks = Kept(), {path: threading.Lock() for path in PATHS}
        self._known: dict[str, tuple[float, Answer]] = {}

    def answer(self, method: str, target: str, _body: bytes = b"") -> Answer:
        """The answer to a request, called in any thread; one at a time looks, the others are given what it found."""
        if target not in PATHS:
            return _NOT_HERE
        if method not in {"GET", "HEAD"}:
            return _READ_ONLY
        if target == "/healthz":
            return Answer(200, f"alive: {', '.join(self._roads)}\n".encode())
        with self._locks[target]:
            found = self._known.get(target)
            if found is None or self._ticks() - found[0] >= self._fresh:
                made = self._ready() if target == "/readyz" else self._metrics()
                found = self._known[target] = self._ticks(), made
            return found[1]

    def samples(self) -> list[Sample]:
        """Every figure of this process, and of the site where it keeps that."""
        begun = self._ticks()
        found = list(self._of_process())
        if "keep" in self._roads:
            found += self._of_site()
            found.append(Sample("onshore_collected_seconds", self._ticks() - begun))
        return found

    def _ready(self) -> Answer:
        lines: list[Line] = list(ready.looks(self._site))
        said = {"ready": all(line.good for line in lines), "looks": [line._asdict() for line in lines]}
        return Answer(200 if said["ready"] else 503, json.dumps(said).encode() + b"\n", "application/json")

    def _metrics(self) -> Answer:
        return Answer(200, written(self.samples()).encode(), TYPE, zips=True)

    def _of_process(self) -> Iterator[Sample]:
        yield Sample("onshore_build_info", 1, (__version__, HEAD))
        for road in self._roads:
            yield Sample("onshore_road_started_timestamp_seconds", self._began / 1000, (road,))
        for line in ready.looks(self._site):
            yield Sample("onshore_ready", line.good, (line.what,))
        for door in self._doors:
            yield from _of_door(door)

    def _of_site(self) -> list[Sample]:
        found: list[Sample] = []
        parts: dict[str, Part] = {**PARTS, "kept": self._rows, "registers": registers.samples}
        for name, part in parts.items():
            failed = False
            try:
                found += list(part(self._site))
            except (OnshoreError, OSError, SQLAlchemyError):
                failed = True  # the others still count; /readyz and 'onshore check' say what is wrong
            found.append(Sample("onshore_part_failed", failed, (name,)))
        return found

    def _rows(self, site: Site) -> Iterator[Sample]:
        self._kept.look(site.reopened())
        return self._kept.samples()


def _of_door(door: Counting) -> Iterator[Sample]:
    counts = dict(door.counts)  # at one instant
    for outcome in _OUTCOMES:
        yield Sample("onshore_gate_messages_total", counts.pop(outcome, 0), (door.name, outcome))
    said: Counter[str] = Counter()
    for event, count in counts.items():
        said[word(str(event))] += count
    for event in sorted(said):
        yield Sample("onshore_gate_events_total", said[event], (door.name, event))
    yield Sample("onshore_gate_connections", len(door.connections), (door.name,))
    yield Sample("onshore_gate_taking_in", not door.held, (door.name,))
