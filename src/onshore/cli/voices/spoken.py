"""What the voices of all protocols share: when frames are of, and what is heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from onshore.cli.drives import Moment
from onshore.cli.driving.cars import Cars
from onshore.cli.driving.measured import GEARS, Measured, measured
from onshore.cli.driving.roads import Floats

_WAY_BACK = 20 * 86_400_000
"""Milliseconds before now at which cars that send all they can begin: a frame a second, and none of the future."""


@dataclass(frozen=True)
class Pace:
    """The instants that frames are of: frame n is of `start` + n times `step` (ms UTC)."""

    start: int
    step: int

    def at(self, number: int) -> int:
        """The instant (ms UTC) of a frame."""
        return self.start + number * self.step

    def offsets(self, first: int, many: int) -> Floats:
        """Seconds since the first frame of each of so many."""
        return (first + np.arange(many)) * self.step / 1000


def pace(now: int, rate: float, seconds: float, finest: int) -> Pace:
    """When frames are of that a car sends at `rate` a second (0: all it can) for some seconds from now (ms UTC).

    Each has an instant of its own, no closer to the last than `finest` ms, which is what the protocol can write. Where
    that is slower than they are sent, they begin so far back that the last one is of now.
    """
    if rate == 0:
        return Pace((now - _WAY_BACK) // finest * finest, max(finest, 1000))
    step = max(finest, round(1000 / rate))
    late = round(seconds * rate) * step - round(seconds * 1000)
    return Pace((now - max(0, late)) // finest * finest, step)


class Ears(Protocol):
    """Hears what is answered on one connection."""

    def hear(self, data: bytes) -> tuple[int, int]:
        """Of the answers that end in these bytes: how many say yes, how many say no."""

    def due(self) -> bytes:
        """What the car has to say to what the gate asked of it meanwhile; mostly nothing."""


class Voice(Protocol):
    """How the cars of a protocol speak; cars by their place in the list that it was made of."""

    finest: int
    """How close instants can be that the protocol writes, ms."""

    def greetings(self, car: int, now: int) -> list[bytes]:
        """What a car says when it comes, one after the other, each once the last was answered."""

    def frames(self, first: int, many: int, at: Pace) -> list[list[bytes]]:
        """Of each car its frames number `first` and on."""

    def ears(self, car: int) -> Ears:
        """For a connection of a car."""


class Source(Protocol):
    """Where what cars say comes from: the model, or a drive that was recorded."""

    @property
    def count(self) -> int:
        """How many cars."""

    def said(self, first: int, many: int, at: Pace) -> Measured:
        """Of each car (a row each) what it measures at the instants of its frames number `first` and on."""


@dataclass(frozen=True)
class Modelled:
    """Cars of the model, each from the second on at which it leaves for its first trip."""

    cars: Cars

    @property
    def count(self) -> int:
        """How many cars."""
        return self.cars.count

    def said(self, first: int, many: int, at: Pace) -> Measured:
        """Everything that the model has."""
        seconds = self.cars.departure()[:, None] + at.offsets(first, many)
        return measured(self.cars, np.arange(self.count)[:, None], seconds)


@dataclass(frozen=True)
class Played:
    """A recorded drive that every car drives, over and over: what was recorded, and nothing else."""

    moments: Sequence[Moment]
    count: int

    def said(self, first: int, many: int, at: Pace) -> Measured:
        """Speed, charge, gear and position."""
        offsets = np.array([moment.offset for moment in self.moments])
        passed = (first + np.arange(many)) * at.step % (int(offsets[-1]) + 1000)
        rows = [self.moments[i].units for i in np.searchsorted(offsets, passed, side="right") - 1]
        columns = {
            "speed_kmh": [row["vehicle"]["speed_kmh"] for row in rows],
            "soc_pct": [row["vehicle"]["soc_pct"] for row in rows],
            "gear": [GEARS[row["vehicle"]["gear"]["position"]] for row in rows],
            "longitude": [row["position"]["longitude"] for row in rows],
            "latitude": [row["position"]["latitude"] for row in rows],
        }
        return {name: np.broadcast_to(np.array(column), (self.count, many)) for name, column in columns.items()}
