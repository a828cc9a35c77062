"""One car's days: where it lives, when it leaves for work or on an errand, when it stands and charges."""

from dataclasses import dataclass

import numpy as np

from onshore.cli.driving.battery import Build, drawn
from onshore.cli.driving.phases import Manner, phases
from onshore.cli.driving.roads import Floats, Ints, Roads

DAY = 86_400
HOUR = 3600
PARKED, DRIVING, CHARGING = range(3)

_PAUSE = 20 * 60  # seconds that a car stands at least between two trips
_LATEST = 22 * HOUR
_SLOW, _FAST = 7_000.0, 50_000.0  # watts of a charger at home and in town
_FULL, _HOME, _LOW = 0.9, 0.7, 0.4  # shares of the battery: charge to; charge below that at home; anywhere below that
_LIGHTS = 0.35  # of the junctions with signals are red
_RUSH = ((7, 9.5), (16.5, 19))


@dataclass(frozen=True)
class Lines:
    """What a car does, phase by phase: as in `phases`, and the charger's watts, what it does, the battery's joules."""

    start: Floats
    speed: Floats
    gain: Floats
    road: Ints
    along: Floats
    charger: Floats
    does: Ints
    driven: Floats
    left: Floats

    @property
    def columns(self) -> tuple[Floats | Ints, ...]:
        """All of them, in their order."""
        return (
            self.start, self.speed, self.gain, self.road, self.along,
            self.charger, self.does, self.driven, self.left,
        )  # fmt: skip


class Diary:
    """Writes a car's days, from what it is told to do one after the other."""

    def __init__(self, roads: Roads, build: Build, manner: Manner, home: int, rng: np.random.Generator) -> None:
        self._roads, self._build, self._manner, self._rng = roads, build, manner, rng
        self._parts: list[tuple[Floats | Ints, ...]] = []
        self.home = self._here = home
        self._road = int(np.flatnonzero(roads.end == home)[0])
        self._now = self._driven = 0.0
        self._left = float(build.capacity) * rng.uniform(0.5, _FULL)

    def day(self, number: int, work: int | None) -> None:
        """What happens on day `number`; `work`: where the car is driven to in the morning and back from."""
        rng, begin = self._rng, number * DAY
        if work is not None:
            morning = begin + rng.normal(7.7, 0.7) * HOUR
            self.trip(work, morning)
            self.trip(self.home, morning + rng.normal(9.5, 0.8) * HOUR)
        for _ in range(rng.binomial(2, 0.3 if work is not None else 0.6)):
            leaves = begin + rng.uniform(10, 20) * HOUR
            self.trip(int(rng.choice(self._roads.places)), max(leaves, self._now))
            self.trip(self.home, self._now + rng.uniform(0.4, 1.5) * HOUR)

    def trip(self, to: int, leaves: float) -> None:
        """Stand until then, and drive there; not on the same evening where it has become too late."""
        leaves = max(leaves, self._now + _PAUSE)
        if to == self._here or (leaves % DAY > _LATEST and to != self.home):
            return
        self.stand(leaves)
        roads, rng = self._roads, self._rng
        route = roads.route(self._here, to)
        stops = roads.signals[roads.end[route]] & (rng.random(len(route)) < _LIGHTS)
        stops[-1] = False
        hour = leaves % DAY / HOUR
        share = self._manner.share * (0.75 if any(a <= hour <= b for a, b in _RUSH) else 1.0)
        manner = Manner(self._manner.faster, self._manner.slower, share)
        way = phases(roads, route, manner, stops, rng.uniform(5, 50, len(route)))
        metres = (way.speed + way.gain * way.lasts / 2) * way.lasts
        used = drawn(self._build, way.speed, way.gain, way.lasts, True)
        does = np.full(len(metres), DRIVING, np.intp)
        nothing = np.zeros(len(metres))
        self._write(way.lasts, way.speed, way.gain, way.road, way.along, nothing, does, metres, used)
        self._here, self._road = to, int(route[-1])

    def stand(self, until: float) -> None:
        """Parked until then, at a charger first where there is one and the battery asks for it."""
        share, capacity = self._left / float(self._build.capacity), float(self._build.capacity)
        at_home = self._here == self.home
        watts = _FAST if share < _LOW else _SLOW if at_home and share < _HOME else 0.0
        if watts:
            self._wait(min(until - self._now, (_FULL - share) * capacity / watts), watts, CHARGING)
        self._wait(until - self._now, 0.0, PARKED)

    def written(self) -> Lines:
        """All of it so far."""
        return Lines(*(np.concatenate(columns) for columns in zip(*self._parts, strict=True)))

    def _wait(self, seconds: float, watts: float, does: int) -> None:
        if seconds <= 0:
            return
        none = np.zeros(1)
        lasts = np.array([seconds])
        used = drawn(self._build, none, none, lasts, False) - watts * lasts
        length = self._roads.length[[self._road]]
        road = np.array([self._road], np.intp)
        self._write(lasts, none, none, road, length, none + watts, np.array([does], np.intp), none, used)

    def _write(
        self,
        lasts: Floats,
        speed: Floats,
        gain: Floats,
        road: Ints,
        along: Floats,
        charger: Floats,
        does: Ints,
        metres: Floats,
        used: Floats,
    ) -> None:
        ends, driven, left = np.cumsum(lasts), np.cumsum(metres), -np.cumsum(used)
        self._parts.append(
            (
                self._now + ends - lasts, speed, gain, road, along, charger, does,
                self._driven + driven - metres, self._left + left + used,
            )
        )  # fmt: skip
        self._now += float(ends[-1])
        self._driven += float(driven[-1])
        self._left += float(left[-1])
