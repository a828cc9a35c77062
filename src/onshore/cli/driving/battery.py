"""What a car draws from its battery: rolling, air, slope none, what runs beside; and what braking gives back."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from onshore.cli.driving.roads import Flags, Floats

_ROLLING = 0.010 * 9.81  # newtons per kilogram
_OUT, _BACK = 0.90, 0.65  # shares that arrive at the wheels, and that come back from them
_PARKED = 4.0  # watts that a parked car draws


@dataclass(frozen=True)
class Build:
    """Cars: mass (kg), drag (half of density, coefficient and area; kg/m), battery (J), watts of heating and lights."""

    mass: Floats
    drag: Floats
    capacity: Floats
    beside: Floats

    def of(self, cars: Any) -> "Build":
        """The same of some of them, or of one of them several times."""
        return Build(*(np.asarray(column)[cars] for column in (self.mass, self.drag, self.capacity, self.beside)))


def drawn(build: Build, speed: Floats, gain: Floats, seconds: Floats, moving: Flags | bool) -> Floats:
    """Joules out of the battery over some seconds from a speed (m/s) at an acceleration (m/s²), in closed form.

    The air takes the integral of the speed's cube, which at a constant acceleration is a difference of fourth powers.
    """
    last = speed + gain * seconds
    metres = (speed + last) / 2 * seconds
    cubed = (speed + last) * (speed**2 + last**2) / 4 * seconds
    work = build.mass * ((last**2 - speed**2) / 2 + _ROLLING * metres) + build.drag * cubed
    return np.asarray(_through(work) + np.where(moving, build.beside, _PARKED) * seconds)


def power(build: Build, speed: Floats, gain: Floats, moving: Flags | bool) -> Floats:
    """Watts out of the battery at an instant."""
    force = build.mass * (gain + _ROLLING * (speed > 0)) + build.drag * speed**2
    return np.asarray(_through(force * speed) + np.where(moving, build.beside, _PARKED))


def _through(work: Floats) -> Floats:
    return np.where(work > 0, work / _OUT, work * _BACK)
