"""Days of many cars as a gate hands them to a journal: random walks in the steps that sensors have, nothing repeated.

A row has fifteen columns in a segment: vehicle, time, received, door, purposes, and ten signals of one category.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from onshore.words.batch import BASE, purposes_column, with_purposes
from onshore.words.tally import Sieved, Tally

DAY = 86_400_000
CATEGORY = "vehicle-operation"
USE = "trip-history"
"""What cars consented to."""
BATCH = 10_000
"""Rows of a batch, about: what a busy gate takes between two syncs."""

Numbers = npt.NDArray[np.generic]


@dataclass(frozen=True)
class Fleet:
    """Cars (their ids), how many rows each has a day, and what the bits of `purposes` mean; the last is set in each."""

    cars: npt.NDArray[np.int64]
    rows: int
    purposes: tuple[str, ...]

    def day(self, start: int, seed: int) -> Iterator[pa.RecordBatch]:
        """A day from an instant on (ms UTC): batches of whole rounds of all cars, in the order in which they arrive."""
        rng = np.random.default_rng(seed)
        signals = {name: values.reshape(-1) for name, values in self._signals(rng).items()}
        step, count = DAY // self.rows, self.rows * len(self.cars)
        times = np.repeat(start + np.arange(self.rows) * step, len(self.cars)) + rng.integers(0, step, count)
        columns = {
            "vehicle": pa.array(np.tile(self.cars, self.rows)),
            "time": pa.array(times, BASE[1].type),
            "received": pa.array(times + rng.integers(30, 900, count), BASE[2].type),
            "door": pa.DictionaryArray.from_arrays(np.zeros(count, np.int8), ["gb32960"]),
            **{name: pa.array(values) for name, values in signals.items()},
            purposes_column(CATEGORY): pa.array(np.full(count, 1 << len(self.purposes) - 1)),
        }
        about = {"category": CATEGORY, "statutory": "0"}
        fields = [
            *BASE,
            *(pa.field(name, columns[name].type, metadata=about) for name in signals),
            pa.field(purposes_column(CATEGORY), pa.int64(), nullable=False),
        ]
        whole = pa.RecordBatch.from_arrays(
            list(columns.values()), schema=with_purposes(pa.schema(fields), self.purposes)
        )
        each = max(BATCH // len(self.cars), 1) * len(self.cars)
        for first in range(0, count, each):
            yield whole.slice(first, each)

    def _signals(self, rng: np.random.Generator) -> dict[str, Numbers]:
        shape = (self.rows, len(self.cars))

        def walk(start: float, by: float, least: float, most: float) -> npt.NDArray[np.float32]:
            steps = rng.standard_normal(shape, np.float32) * by
            found: npt.NDArray[np.float32] = np.clip(start + np.cumsum(steps, axis=0), least, most)
            return found

        speed = np.round(walk(60, 6, 0, 180), 1)
        driven = np.cumsum(np.rint(speed).astype(np.int32), axis=0, dtype=np.int32)
        return {
            "Vehicle.Speed": speed,
            "Vehicle.TraveledDistance": rng.integers(0, 1_000_000, len(self.cars), dtype=np.int32) + driven,
            "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current": np.rint(walk(70, 0.4, 5, 100)).astype(np.int16),
            "Vehicle.Powertrain.TractionBattery.CurrentVoltage": np.round(walk(380, 1, 300, 420), 1),
            "Vehicle.Powertrain.TractionBattery.CurrentCurrent": np.round(walk(20, 12, -150, 300), 1),
            "Vehicle.Powertrain.TractionBattery.Temperature.Max": np.rint(walk(30, 0.5, -20, 60)).astype(np.int16),
            "Vehicle.Powertrain.ElectricMotor.Speed": np.rint(walk(6000, 400, 0, 16000)).astype(np.int32),
            "Vehicle.Powertrain.ElectricMotor.Torque": np.round(walk(60, 15, -200, 350), 1),
            "Vehicle.Powertrain.ElectricMotor.Temperature": np.rint(walk(60, 0.5, -20, 140)).astype(np.int16),
            "Vehicle.Cabin.HVAC.AmbientAirTemperature": np.round(walk(22, 0.1, -30, 45), 1),
        }


def kept(batch: pa.RecordBatch) -> Sieved:
    """The batch as the sieve hands it over, all of it kept."""
    rows = batch.num_rows
    return Sieved(batch, Tally(rows, rows, {(CATEGORY, "consent", "consented"): rows}))
