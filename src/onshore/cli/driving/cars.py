"""Many cars over days, asked for at any instants: where each is, how fast, how far it has come, what it has left."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from onshore.cli.driving.battery import Build, drawn, power
from onshore.cli.driving.days import CHARGING, DAY, DRIVING, PARKED, Diary, Lines
from onshore.cli.driving.phases import Manner
from onshore.cli.driving.roads import Flags, Floats, Ints, Roads, roads

__all__ = ["CHARGING", "DAY", "DRIVING", "PARKED", "SHANGHAI", "Cars", "City", "States", "cars"]

_COMMUTE = 0.7  # of the cars go to work, five days of seven


@dataclass(frozen=True)
class City:
    """Where cars drive: the centre's longitude and latitude (degrees, WGS-84), and how far the roads reach (m)."""

    longitude: float
    latitude: float
    radius: float = 8000.0


SHANGHAI = City(121.4737, 31.2304)


@dataclass(frozen=True)
class States:
    """What cars are in, a row for each instant that was asked for.

    m/s, m/s², metres since the first day, degrees in WGS-84, degrees from north, per cent, watts out of the battery,
    the limit (m/s) of the road that it is on, and what the car does (PARKED, DRIVING, CHARGING).
    """

    speed: Floats
    gain: Floats
    driven: Floats
    longitude: Floats
    latitude: Floats
    heading: Floats
    charge: Floats
    power: Floats
    limit: Floats
    does: Ints

    @property
    def moving(self) -> Flags:
        """Whether it is on a trip, be it at a signal."""
        return np.asarray(self.does == DRIVING)


@dataclass(frozen=True)
class Cars:
    """The days of many cars, as phases in one table: those of car n begin at n times `span` seconds."""

    roads: Roads
    build: Build
    days: int
    span: float
    lines: Lines

    @property
    def count(self) -> int:
        """How many cars."""
        return len(self.build.mass)

    def at(self, car: Ints, second: Floats) -> States:
        """Their states at seconds since the first midnight, both of one shape; later than the last day stays there."""
        second = np.clip(second, 0, self.days * DAY)
        key = car * self.span + second
        row = np.searchsorted(self.lines.start, key, side="right") - 1
        lines, roads, build = self.lines, self.roads, self.build.of(car)
        passed = key - lines.start[row]
        speed, gain, does, road = lines.speed[row], lines.gain[row], lines.does[row], lines.road[row]
        metres = (speed + gain * passed / 2) * passed
        along = lines.along[row] + metres
        begin, way = roads.at[roads.begin[road]], roads.way[road]
        longitude, latitude = roads.degrees(*(begin + way * along[..., None]).T)
        moving, charger = does == DRIVING, lines.charger[row]
        left = lines.left[row] - drawn(build, speed, gain, passed, moving) + charger * passed
        now = np.maximum(speed + gain * passed, 0)
        return States(
            now,
            gain,
            lines.driven[row] + metres,
            longitude.T,
            latitude.T,
            np.degrees(np.arctan2(way[..., 0], way[..., 1])) % 360,
            100 * left / build.capacity,
            power(build, now, gain, moving) - charger,
            roads.limit[road],
            does,
        )

    def departure(self) -> Floats:
        """The second at which each car leaves for its first trip; 0 where it makes none."""
        found = np.zeros(self.count)
        first = np.flatnonzero(self.lines.does == DRIVING)
        car = (self.lines.start[first] // self.span).astype(np.intp)
        cars_that_drive, place = np.unique(car, return_index=True)
        found[cars_that_drive] = self.lines.start[first[place]] - cars_that_drive * self.span
        return found


def cars(city: City, count: int, days: int, seed: int, *, first: int = 0) -> Cars:
    """So many cars over so many days, from number `first` on; a car of a seed is the same whatever the others are."""
    network = _network(city)
    built: list[tuple[float, ...]] = []
    parts: list[tuple[Floats | Ints, ...]] = []
    span = float((days + 1) * DAY)
    for car in range(count):
        rng = np.random.default_rng((seed, first + car))
        one = (rng.uniform(1300, 2300), rng.uniform(0.33, 0.45), rng.uniform(45, 85) * 3.6e6, rng.uniform(300, 1500))
        built.append(one)
        begins, *others = _days(network, Build(*map(np.asarray, one)), days, rng).columns
        parts.append((np.asarray(begins + car * span), *others))
    lines = Lines(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    return Cars(network, Build(*np.array(built).T), days, span, lines)


def _days(network: Roads, build: Build, days: int, rng: np.random.Generator) -> Lines:
    manner = Manner(rng.uniform(1.0, 2.2), rng.uniform(1.5, 2.8), rng.uniform(0.85, 1.0))
    home, work = (int(place) for place in rng.choice(network.places, 2, replace=False))
    diary = Diary(network, build, manner, home, rng)
    commutes, off = rng.random() < _COMMUTE, int(rng.integers(7))
    for day in range(days):
        diary.day(day, work if commutes and (day + off) % 7 < 5 else None)
    diary.stand((days + 1) * DAY)
    return diary.written()


@lru_cache(maxsize=4)
def _network(city: City) -> Roads:
    """The roads of a city are the same whoever asks: the city itself is their seed."""
    seed = [round(1e6 * (city.longitude + 180)), round(1e6 * (city.latitude + 90)), round(city.radius)]
    return roads((city.longitude, city.latitude), city.radius, np.random.default_rng(seed))
