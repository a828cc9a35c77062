"""Rows a second through the sieve: 24 columns, 10,000 vehicles, some rows dropped, some cells nulled, all
counted."""

import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from onshore.consent.columns import compile_consents
from onshore.consent.sieve import sieve
from onshore.words.batch import BASE
from onshore.words.consent import Consent
from onshore.words.rulebook import Rulebook
from onshore.words.tally import Tally

VEHICLES = 10_000
NOW = 1_780_000_000_000
HOUR = 3_600_000
PURPOSES = ("statutory-monitoring", "trip-history", "repair", "insurance")

KINDS = {"f": np.float32, "b": np.uint8, "h": np.uint16, "d": np.float64}
LAYOUT = {
    "track": "ddfhb",
    "driving-behaviour": "ffbb",
    "vehicle-operation": "ffhhhhbbbss",
    "charging-network": "fhb",
}
"""24 signals with a category, the last one of 23 unlisted: s stands for binary of 192 and 34 bytes (cell
readings)."""


def consents(rng: np.random.Generator) -> list[Consent]:
    """One vehicle in twenty was never asked; of the consents one in ten ended or was withdrawn within the hour."""
    found = []
    for vehicle in rng.integers(1, 2**62, VEHICLES).tolist():
        if rng.random() < 0.05:
            continue
        for category in LAYOUT:
            for purpose in PURPOSES[1 : 2 + int(rng.integers(0, 2))]:
                ending = rng.random()
                until = NOW - HOUR // 2 if ending < 0.05 else None
                withdrawn = NOW - HOUR // 4 if 0.05 <= ending < 0.1 else None
                found.append(
                    Consent(
                        len(found), 1, vehicle, purpose, category, NOW - int(rng.integers(1, 1000)) * HOUR,
                        until, withdrawn, "1", bool(rng.random() < 0.95), frozenset(),
                    )
                )  # fmt: skip
    return found


def rulebook() -> Rulebook:
    names = [(f"S{c}{i}", category) for c, category in enumerate(LAYOUT) for i in range(len(LAYOUT[category]))]
    return Rulebook("cn/bench", "", dict(names), {}, frozenset({"track"}), {"track": frozenset(PURPOSES[1:3])})


def batch(rng: np.random.Generator, vehicles: np.ndarray, rows: int) -> pa.RecordBatch:
    """Random vehicles in random order, the last hour; a tenth of the cells of every second column is null."""
    moments = NOW - rng.integers(0, HOUR, rows)
    fields, arrays = list(BASE), [
        pa.array(rng.choice(vehicles, rows)),
        pa.array(moments).cast(BASE[1].type),
        pa.array(moments + 100).cast(BASE[2].type),
        pa.DictionaryArray.from_arrays(np.zeros(rows, np.int8), pa.array(["gb32960"])),
    ]  # fmt: skip
    for c, kinds in enumerate(LAYOUT.values()):
        for i, kind in enumerate(kinds):
            empty = rng.random(rows) < 0.1 if i % 2 else None
            arrays.append(column(rng, kind, i, rows, empty))
            fields.append(pa.field(f"S{c}{i}", arrays[-1].type))
    fields.append(pa.field("Unlisted", pa.uint8()))
    arrays.append(pa.array(rng.integers(0, 99, rows).astype(np.uint8)))
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def column(rng: np.random.Generator, kind: str, i: int, rows: int, empty: np.ndarray | None) -> pa.Array:
    if kind != "s":
        return pa.array((rng.random(rows) * 99).astype(KINDS[kind]), mask=empty)
    width = 192 if i % 2 else 34
    data = rng.bytes(width * rows)
    cells = [data[k : k + width] for k in range(0, len(data), width)]
    return pa.array(cells, pa.binary(), mask=empty)


def best(act: Callable[[], object], rows: int, seconds: float = 0.5) -> float:
    """Rows a second of CPU time, the best round of those that fit into some seconds."""
    fastest = spent = 0.0
    while spent < seconds:
        start = time.process_time()
        act()
        took = time.process_time() - start
        spent, fastest = spent + took, max(fastest, rows / took)
    return fastest


def copied(batch: pa.RecordBatch) -> None:
    """The limit: every buffer copied once."""
    for array in batch.columns:
        for buffer in array.buffers():
            if buffer is not None:
                np.frombuffer(buffer, np.uint8).copy()


def leaking(batch: pa.RecordBatch, may: pa.Array) -> None:
    """The peer: one decision for all columns by if_else, no reasons, and the withheld values stay under the
    null."""
    for array in batch.columns[4:]:
        pc.if_else(may, array, None)
    batch.filter(may)


def run() -> dict[str, float]:
    """Rows a second for batches of 1,000, 10,000 and 100,000 rows, with limit and peer beside."""
    rng = np.random.default_rng(1)
    given = consents(rng)
    start = time.process_time()
    allowed = compile_consents(given, PURPOSES)
    figures = {"consents": len(given), "consents compiled a second": len(given) / (time.process_time() - start)}
    vehicles = np.append(allowed.vehicles[1 : allowed.room.taken], rng.integers(1, 2**62, VEHICLES // 20))
    book = rulebook()
    for rows in (1_000, 10_000, 100_000):
        arrived = batch(rng, vehicles, rows)
        may = pa.array(rng.random(rows) < 0.8)
        beside = {
            "sieve": best(lambda b=arrived: sieve(b, allowed, book, NOW), rows),
            "limit: memcpy of the columns": best(lambda b=arrived: copied(b), rows),
            "peer: if_else, leaks, no reasons": best(lambda b=arrived, m=may: leaking(b, m), rows),
        }
        figures |= {f"{name}, batches of {rows:,}, rows/s": figure for name, figure in beside.items()}
    return {**figures, **shares(sieve(arrived, allowed, book, NOW).tally)}


def shares(tally: Tally) -> dict[str, float]:
    """What the sieve had to do: percentages of rows dropped and of cells withheld, and how many reasons occurred."""
    withheld = sum(n for (_, _, reason), n in tally.cells.items() if reason != "consented")
    return {
        "rows dropped, %": 100 * (1 - tally.rows_kept / tally.rows_in),
        "cells withheld, %": 100 * withheld / sum(tally.cells.values()),
        "reasons": len({reason for _, _, reason in tally.cells}),
    }


if __name__ == "__main__":
    for name, figure in run().items():
        print(f"{name:60} {figure:15,.0f}")
