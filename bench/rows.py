"""Twenty million rows of 10,000 cars and ten days, with plain Parquet and a Delta table of the same rows beside them.

`python -m bench.rows [ROWS]` prints the table with what is asked of each figure; fewer rows are fewer cars in fewer
buckets, so that each file is as large as in the whole. Every act is one of a whole site: rows come through `split` and
the writer of segments as a drain has them, the last day through journal and drain; an erasure is a case with its
certificate. The timed erasures run while another process takes in and drains five times what 10,000 cars send, a row
per car each ten seconds; what ingest loses to an erasure is measured apart, with ingest as fast as it goes.
"""

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import numpy as np
import pyarrow as pa
from bench._days import CATEGORY, DAY, USE, Fleet, kept
from bench._ingesting import Ingest
from bench._lakes import Delta, Plain

from onshore.cli.init import make_site
from onshore.cli.simulated import test_vins
from onshore.register import consents, vehicles
from onshore.register.vehicles import Vehicle
from onshore.rights import cases
from onshore.rights.erase import awaited
from onshore.site import Site, open_site
from onshore.vault.journal import Journal
from onshore.vault.papers import writing
from onshore.vault.read import read
from onshore.vault.segments import Shelf, list_segment, new_id, write_segment
from onshore.vault.split import split
from onshore.words.vocabulary import STATUTORY

ROWS, CARS, DAYS, EACH = 20_000_000, 10_000, 10, 200
MANY = 100
"""Cars that are erased together."""
EVERY, MARGIN = 10, 5
"""Seconds between two rows of a car, and how many times as much is taken in beside the timed erasures."""
LOOKS, LONG_LOOKS = 300, 60
_ALONE = 4
"""Drains of the process beside, over which its rate is taken while nothing else goes on."""

ASKED = {
    "append: rows/s to those of plain Parquet": (">=", 0.8),
    "a car's day, p50 ms": ("<=", 10),
    "a car's day, p99 ms": ("<=", 10),
    "a car's ten days, p50 ms": ("<=", 60),
    "a car's ten days, p99 ms": ("<=", 60),
    "one car erased, s": ("<=", 2),
    f"{MANY} cars erased, s": ("<=", 25),
    "bytes/row to those of plain Parquet": ("<=", 1.1),
    "part of its rate that ingest loses": ("<=", 1 / 3),
}
"""What is promised: the figure, and how it must stand to which number."""


@dataclass
class Ground:
    """One site with its fleet, and what lies beside it."""

    folder: Path
    rows: int = ROWS
    figures: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = max(CARS * self.rows // ROWS, 3 * MANY)
        self.buckets = max(round(16 * count / CARS), 1)
        make_site(self.folder / "site", "CN", "bench")
        toml = self.folder / "site" / "site.toml"
        toml.write_text(re.sub(r"(?m)^buckets = \d+", f"buckets = {self.buckets}", toml.read_text()))
        self.site = open_site(self.folder / "site")
        assert self.site.settings.site.buckets == self.buckets
        self.asking = _registered(self.site, 2 * MANY + 2)
        rest = np.random.default_rng(7).integers(1, 1 << 62, count - len(self.asking))
        cars = np.concatenate([np.array([car.id for car in self.asking]), rest])
        self.fleet = Fleet(cars, EACH, (STATUTORY, USE))
        self.start = self.site.clock() // DAY * DAY - (DAYS + 1) * DAY - 8 * 3_600_000  # midnight in Shanghai
        self.plain = Plain(self.folder / "plain", self.buckets)
        self.delta = Delta(self.folder / "delta", self.buckets) if find_spec("deltalake") else None

    def day(self, number: int) -> str:
        """The local day of a number."""
        return datetime.fromtimestamp((self.start + number * DAY) / 1000 + 8 * 3600, UTC).date().isoformat()


def _registered(site: Site, count: int) -> list[Vehicle]:
    """Cars that are known by name: one that consents, and those that ask."""
    found = [vehicles.add(site, vin.decode()) for vin in test_vins(count)]
    consents.give(site, found[0], consents.Wish((USE,), (CATEGORY,), "2026-11", separate=True))
    return found


def run() -> dict[str, float]:
    """Figures by name; `ONSHORE_BENCH_ROWS` for fewer rows."""
    with tempfile.TemporaryDirectory() as folder:
        return measured(Path(folder), int(os.environ.get("ONSHORE_BENCH_ROWS", ROWS)))


def measured(folder: Path, rows: int) -> dict[str, float]:
    ground = Ground(folder, rows)
    _appends(ground)
    _looks(ground)
    _erasures(ground)
    return ground.figures


def _appends(ground: Ground) -> None:
    """Ten days, one after the other, by each way in turn, another one first every day.

    Whoever is first pays for memory that the last day's rows left cold, and whoever syncs a file for what others left
    unsynced: so the one goes round, and all is synced before each act.
    """
    lakes: dict[str, Plain | Delta] = {"plain": ground.plain} | ({"delta": ground.delta} if ground.delta else {})
    spent = dict.fromkeys(["ours", *lakes], 0.0)
    rows = 0
    for number in range(DAYS):
        batches = list(ground.fleet.day(ground.start + number * DAY, number))
        acts: dict[str, Callable[[], object]] = {
            name: partial(lake.append, ground.day(number), batches) for name, lake in lakes.items()
        }
        count = sum(batch.num_rows for batch in batches)
        if number == DAYS - 1:
            _last_day(ground, batches, count)
            for act in acts.values():
                act()
            break
        rows += count
        acts = {"ours": partial(_segments, ground.site, batches), **acts}
        for name in _round(list(acts), number):
            os.sync()
            spent[name] += _timed(acts[name])
    ours, plain, *delta = (rows / seconds for seconds in spent.values())
    total = ground.fleet.rows * len(ground.fleet.cars) * DAYS
    size = sum(path.stat().st_size for path in ground.site.vault.rglob("*.parquet"))
    ground.figures |= {
        "rows": total,
        "append: rows/s, encrypted": ours,
        "append: rows/s, plain Parquet": plain,
        **dict(zip(["append: rows/s, Delta"], delta, strict=False)),
        "append: rows/s to those of plain Parquet": ours / plain,
        "bytes/row": size / total,
        "bytes/row, plain Parquet": ground.plain.size() / total,
        "bytes/row to those of plain Parquet": size / ground.plain.size(),
        **({"bytes/row, Delta": ground.delta.size() / total} if ground.delta else {}),
    }


def _round(names: list[str], number: int) -> list[str]:
    first = number % len(names)
    return names[first:] + names[:first]


def _segments(site: Site, batches: Sequence[pa.RecordBatch]) -> None:
    """What a drain does with what it read from journals."""
    shelf, written = Shelf(site.root, site.vault, site.id), []
    settings = site.settings.site
    for place, piece in split(batches, pack=site.pack.id, zone=site.pack.zone, buckets=settings.buckets):
        written.append(write_segment(piece, place, new_id(site.randomness), shelf, site.clock, site.randomness))
    with writing(site.engine) as conn:
        for segment in written:
            list_segment(conn, segment)


def _last_day(ground: Ground, batches: Sequence[pa.RecordBatch], rows: int) -> None:
    """The whole way: sealed and synced in the journal, drained, told to the ledger."""
    site = ground.site
    sieved = [kept(batch) for batch in batches]
    said: dict[str, Any] = {"site": site.id, "clock": site.clock, "randomness": site.randomness}
    with Journal(site.engine, site.root, site.vault, gate="0", **said) as journal:
        append = _timed(lambda: [journal.append(one, pack=site.pack.id) for one in sieved])
    draining = _timed(site.drain)
    ground.figures |= {"journal: rows/s": rows / append, "drain: rows/s": rows / draining}


def _looks(ground: Ground) -> None:
    """A car's day and ten days, cars and days at random; each way looks for the news first."""
    rng, site = np.random.default_rng(3), ground.site
    ways: dict[str, Callable[[int, int, int], int]] = {
        "": lambda car, day, days: sum(t.num_rows for t in _read(site, car, ground.start + day * DAY, days)),
        ", plain Parquet": lambda car, day, days: (
            ground.plain.look(car, [ground.day(day + n) for n in range(days)]).num_rows
        ),
    }
    if ground.delta:
        look = ground.delta.looker()
        ways[", Delta"] = lambda car, day, days: look(car, [ground.day(day + n) for n in range(days)]).num_rows
    for name, days, looks in (("a car's day", 1, LOOKS), ("a car's ten days", DAYS, LONG_LOOKS)):
        asked = [(int(rng.choice(ground.fleet.cars)), int(rng.integers(DAYS - days + 1))) for _ in range(looks)]
        for way, act in ways.items():
            act(*asked[0], days)
            spent = [_timed(lambda c=car, d=day, a=act, n=days: _is(a(c, d, n), n * EACH)) for car, day in asked]
            for part in (50, 99):
                ground.figures[f"{name}{way}, p{part} ms"] = float(np.percentile(spent, part)) * 1e3


def _read(site: Site, car: int, start: int, days: int) -> Iterator[pa.Table]:
    about = {"use": USE, "categories": [CATEGORY], "start": start, "until": start + days * DAY}
    return read(site.engine, site.root, site.vault, site.id, vehicles=[car], **about)


def _erasures(ground: Ground) -> None:
    """One car and then many, by ours and by Delta, while another process takes in what such a fleet sends, and more."""
    cars = ground.folder / "cars.npy"
    np.save(cars, ground.fleet.cars)
    pace = MARGIN * CARS / EVERY
    ground.figures["ingest beside the erasures: rows/s asked"] = pace
    one, many, others = ground.asking[1:2], ground.asking[2 : MANY + 2], ground.asking[MANY + 2 :]
    with Ingest(ground.site.folder, cars, pace) as ingest:
        since = perf_counter()
        _until(ingest, since, 2)
        begun = perf_counter()
        ground.figures["one car erased, s"] = _timed(lambda: _erase(ground, one))
        ground.figures[f"{MANY} cars erased, s"] = _timed(lambda: _erase(ground, many))
        ended = perf_counter()
        _until(ingest, ended, 1)
        if ground.delta:
            _deletions(ground, ground.delta, [[car.id for car in some] for some in (one, many)])
    ground.figures["ingest beside the erasures: rows/s reached"] = ingest.rate(begun, ended)
    _saturated(ground, cars, others)


def _saturated(ground: Ground, cars: Path, some: Sequence[Vehicle]) -> None:
    """What ingest that goes as fast as it can loses while cars are erased."""
    with Ingest(ground.site.folder, cars) as ingest:
        since = perf_counter()
        _until(ingest, since, _ALONE + 2)
        begun = perf_counter()
        ground.figures[f"{MANY} cars erased beside saturated ingest, s"] = _timed(lambda: _erase(ground, some))
        ended = perf_counter()
        _until(ingest, ended, 1)
    alone, beside = ingest.rate(since, begun), ingest.rate(begun, ended)
    ground.figures |= {
        "ingest: rows/s from sealed to in segments, alone": alone,
        "ingest: rows/s while cars are erased": beside,
        "part of its rate that ingest loses": 1 - beside / alone,
    }


def _until(ingest: Ingest, since: float, drains: int) -> None:
    while ingest.drains(since) < drains:
        sleep(0.05)


def _erase(ground: Ground, some: Sequence[Vehicle]) -> None:
    """From the first request to the last certificate; all that wait are done in one pass."""
    site = ground.site
    asked = [cases.opened(site, car, "erase", "officer") for car in some]
    awaited(site, asked[-1])
    for case in asked:
        done = cases.find(site, case.id)
        assert done.certificate is not None
        assert done.certificate["rows"] >= DAYS * EACH


def _deletions(ground: Ground, delta: Delta, groups: list[list[int]]) -> None:
    for some in groups:
        name = "one car" if len(some) == 1 else f"{len(some)} cars"
        spent = _timed(lambda s=some: _is(delta.delete(s), len(s) * DAYS * EACH))
        ground.figures[f"{name} deleted, Delta, s"] = spent
        ground.figures[f"{name} deleted and vacuumed, Delta, s"] = spent + _timed(delta.vacuum)


def _timed(act: Callable[[], object]) -> float:
    begun = perf_counter()
    act()
    return perf_counter() - begun


def _is(found: int, wanted: int) -> None:
    assert found == wanted, f"{found} rows instead of {wanted}"


def table(figures: dict[str, float]) -> Iterator[str]:
    """Lines of Markdown: figure, what is asked of it, how it stands to that."""
    yield "| what | measured | asked | measured to asked |"
    yield "|---|--:|--:|--:|"
    for name, value in figures.items():
        sign, limit = ASKED.get(name, ("", 0.0))
        good = value <= limit if sign == "<=" else value >= limit
        asked = f"{sign} {limit:.3g}{'' if good else ' MISSED'}" if sign else ""
        ratio = f"{value / limit:.2f}" if sign else ""
        yield (
            f"| {name} | {value:,.0f} | {asked} | {ratio} |"
            if value >= 100
            else (f"| {name} | {value:.3g} | {asked} | {ratio} |")
        )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        for line in table(measured(Path(place), int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)):
            print(line)
