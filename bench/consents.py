"""Consents of a million vehicles: compiled, and one vehicle's changed while the gate runs."""

import time

import numpy as np

from onshore.consent.changes import replaced
from onshore.consent.columns import compile_columns
from onshore.consent.records import records_of
from onshore.words.consent import Consent

VEHICLES = 1_000_000
CHANGES = 5_000
NOW = 1_780_000_000_000
PURPOSES = ("statutory-monitoring", "trip-history", "repair", "insurance", "driving-safety")
CATEGORIES = ("track", "driving-behaviour", "vehicle-operation", "charging-network", "biometric")
RECIPIENTS = (frozenset(), frozenset({"stuttgart"}), frozenset({"stuttgart", "detroit"}))


def consents(rng: np.random.Generator, vehicles: list[int]) -> list[Consent]:
    """One to four of each vehicle: one in five ends some day, one in ten was withdrawn."""
    found: list[Consent] = []
    many = rng.integers(1, 5, len(vehicles))
    for vehicle, drawn in zip(np.repeat(vehicles, many).tolist(), rng.random((many.sum(), 6)).tolist(), strict=True):
        found.append(
            Consent(
                len(found), 1, vehicle, PURPOSES[1 + int(drawn[0] * 4)], CATEGORIES[int(drawn[1] * 5)],
                NOW - int(drawn[2] * 1e10), None if drawn[3] < 0.8 else NOW + 5, None if drawn[4] < 0.9 else NOW - 5,
                "1", drawn[5] < 0.9, RECIPIENTS[int(drawn[5] * 3)],
            )
        )  # fmt: skip
    return found


def run() -> dict[str, float]:
    """Seconds and milliseconds of CPU time."""
    rng = np.random.default_rng(1)
    vehicles = rng.integers(1, 2**62, VEHICLES).tolist()
    given = consents(rng, vehicles)
    start = time.process_time()
    records = records_of(given)
    read = time.process_time()
    columns = compile_columns(records, PURPOSES)
    done = time.process_time()
    figures = {
        "consents of a million vehicles": len(given),
        "records to columns, compiled, s": done - read,
        "Consent objects to columns, compiled, s": done - start,
    }
    own, took = given[: 2 * CHANGES], []
    for k in range(CHANGES):
        start = time.process_time()
        columns = replaced(columns, np.array([own[k].vehicle]), records_of(own[k : k + 2]))
        took.append(1000 * (time.process_time() - start))
    return figures | {
        "one vehicle changed, median, ms": float(np.median(took)),
        "one vehicle changed, mean with laying out anew, ms": float(np.mean(took)),
        "one vehicle changed, worst, laid out anew, ms": max(took),
    }


if __name__ == "__main__":
    for name, figure in run().items():
        print(f"{name:60} {figure:15,.3f}")
