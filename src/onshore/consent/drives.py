"""Drives: whose a row is, as the car said who drives; and whose consents are asked for it."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

SUBJECT = "Vehicle.Occupant.Row1.DriverSide.Identifier.Subject"
"""VSS 6.0: by which a car tells apart who sits where it is driven from; empty where nobody is known."""

HOLDS = 24 * 3_600_000
"""Milliseconds for which a car's word counts, unless it says otherwise before: a drive does not last longer."""

NOBODY = 0
"""No driver that the register knows: the drive is the owner's."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Said:
    """What a car said at an instant: `driver`, id of the register or NOBODY, who drives it over [since, until)."""

    vehicle: int
    at: int
    driver: int
    since: int
    until: int


@dataclass(frozen=True, eq=False)
class Drives:
    """What cars said, by vehicle, then time; instants are milliseconds UTC.

    `driver`, `since`, `until`: as in `Said`. `drivers`, `of`: ids of drivers, sorted, and the vehicle of each.
    """

    vehicle: Ints
    at: Ints
    driver: Ints
    since: Ints
    until: Ints
    drivers: Ints
    of: Ints

    def asked(self, vehicle: Ints, time: Ints) -> Ints:
        """Per row whose consents are asked: the driver's id, or the vehicle's own for the owner's.

        A row is the driver's of whom the car spoke last before it or in that instant, if that is not HOLDS ago and the
        row lies in the driver's time with the car.
        """
        if not len(self.vehicle):
            return vehicle
        place = self.last(vehicle, time)
        asked = place.clip(0)
        theirs = (place >= 0) & (self.driver[asked] != NOBODY) & (time - self.at[asked] < HOLDS)
        theirs &= (self.since[asked] <= time) & (time < self.until[asked])
        found: Ints = np.where(theirs, self.driver[asked], vehicle)
        return found

    def last(self, vehicle: Ints, time: Ints) -> Ints:
        """Per row the place of what the car said last, not after `time`; -1 where it had said nothing."""
        if not len(self.vehicle):
            return np.full(len(vehicle), -1)
        first = np.searchsorted(self.vehicle, vehicle, "left")
        low, high = first.copy(), np.searchsorted(self.vehicle, vehicle, "right")
        while (low < high).any():  # a binary search in each row's own span
            middle = (low + high) // 2
            before = (low < high) & (self.at[middle.clip(max=len(self.at) - 1)] <= time)
            low, high = np.where(before, middle + 1, low), np.where(before | (low >= high), high, middle)
        found: Ints = np.where(low > first, low - 1, -1)
        return found

    def under_driver(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with each row under the id whose consents are asked, in place of its vehicle's, for the sieve."""
        vehicle, time = (batch.column(name).cast(pa.int64()).to_numpy() for name in ("vehicle", "time"))
        asked = self.asked(vehicle, time)
        return batch if asked is vehicle else _with_vehicle(batch, asked)

    def under_vehicle(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The reverse of `under_driver`, for what the sieve kept."""
        if not len(self.drivers):
            return batch
        asked = batch.column("vehicle").to_numpy()
        place = np.searchsorted(self.drivers, asked).clip(max=len(self.drivers) - 1)
        return _with_vehicle(batch, np.where(self.drivers[place] == asked, self.of[place], asked))


def drives_of(said: Iterable[Said]) -> Drives:
    """Compile what cars said; of two words of one vehicle in one instant the later in the list counts."""
    last = {(one.vehicle, one.at): one for one in said}
    rows = sorted(last.values(), key=lambda one: (one.vehicle, one.at))
    table = np.array([(o.vehicle, o.at, o.driver, o.since, o.until) for o in rows], np.int64).reshape(-1, 5)
    of = sorted({(one.driver, one.vehicle) for one in rows if one.driver != NOBODY})
    pairs = np.array(of, np.int64).reshape(-1, 2)
    vehicle, at, driver, since, until = table.T
    return Drives(vehicle, at, driver, since, until, pairs[:, 0], pairs[:, 1])


def _with_vehicle(batch: pa.RecordBatch, vehicle: Ints) -> pa.RecordBatch:
    place = batch.schema.get_field_index("vehicle")
    return batch.set_column(place, batch.schema.field(place), pa.array(vehicle, pa.int64()))
