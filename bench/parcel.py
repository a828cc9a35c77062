"""A parcel: rows of a site read, sieved again, packed, sealed to a recipient and hashed, as they leave.

`python -m bench.parcel [ROWS]`. Rows are of 1,000 cars and ten days: ten signals that walk at random in the steps of
their sensors, 96 cell voltages that differ by up to 40 mV and 34 temperatures, as `bench.vault` has them. The limit
beside it, in the same run: pyarrow writing the same rows, already read and sieved, with the same options; SHA-256 of
what it wrote, twice, for a part has its own digest and the sealed file another; and pyrage sealing it.
"""

import hashlib
import io
import multiprocessing
import os
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyrage
from bench._days import DAY, Fleet

from onshore.border.rows import manifest
from onshore.border.rows.parcel import Hashed, Packing, encoded, interval_seed, pseudonyms
from onshore.border.rows.selection import Touched, cells, leaving, sought, touched
from onshore.border.rows.transforms import parse
from onshore.cli.init import make_site
from onshore.cli.simulated import test_vins
from onshore.register import consents, vehicles
from onshore.site import Site, open_site
from onshore.vault.age import new_identity, recipient_of, seal_stream
from onshore.vault.papers import writing
from onshore.vault.segments import Shelf, list_segment, new_id, write_segment
from onshore.vault.split import split
from onshore.words.batch import signals
from onshore.words.permit import Permit, Transfer
from onshore.words.vocabulary import STATUTORY

T = TypeVar("T")
ROWS, CARS, DAYS = 10_000_000, 1_000, 10
CATEGORY, USE = "vehicle-operation", "warranty-analysis"
CELLS, PROBES = 96, 34
LIMIT_ROWS = 1_000_000
"""Rows that the limit is measured on, at most: they are held in memory."""


def run() -> dict[str, float]:
    """Figures by name; `ONSHORE_BENCH_ROWS` for fewer rows."""
    with tempfile.TemporaryDirectory() as folder:
        return measured(Path(folder), int(os.environ.get("ONSHORE_BENCH_ROWS", ROWS)))


def measured(folder: Path, rows: int) -> dict[str, float]:
    with multiprocessing.get_context("spawn").Pool(1) as another:  # making the rows takes more memory than a parcel
        identity, start = another.apply(_made, (folder / "site", rows))
    site = open_site(folder / "site")
    transfer = Transfer("0" * 16, USE, (CATEGORY,), "stuttgart", start, start + (DAYS + 1) * DAY)
    permit = _permit(site, transfer)
    before = _peak()
    found, counting = _timed(lambda: touched(site, transfer, site.clock(), permit))
    assert found.rows == rows
    sealed = folder / "sealed.parcel"
    counted = _peak()
    packing, (wall, cpu) = _timed(lambda: _parcel(site, transfer, permit, found, sealed))
    peak = _peak()
    assert packing.rows == rows
    parquet = sum(part["bytes"] for part in packing.parts) / 1e6
    limit = _limit(site, transfer, permit, recipient_of(identity))
    return {
        "rows": rows,
        "bytes of Parquet/row": parquet * 1e6 / rows,
        "MB/s of Parquet per second of CPU": parquet / cpu,
        "MB/s of Parquet, by the wall": parquet / wall,
        "rows/s per second of CPU": rows / cpu,
        **limit,
        "part of the limit, per second of CPU": parquet / cpu / limit["limit: MB/s of Parquet per second of CPU"],
        "counting persons first: rows/s per second of CPU": rows / counting[1],
        "both, MB/s of Parquet per second of CPU": parquet / (cpu + counting[1]),
        "peak of memory, MiB": peak,
        "peak once persons were counted, MiB": counted,
        "peak before anything began, MiB": before,
        "load beside it, 1 minute": os.getloadavg()[0],
    }


def _made(folder: Path, rows: int) -> tuple[str, int]:
    """A site with rows in it: the recipient's secret key, and the instant of the first row."""
    site, identity = _site(folder)
    start = site.clock() // DAY * DAY - (DAYS + 1) * DAY
    _filled(site, rows, start)
    return identity, start


def _site(folder: Path) -> tuple[Site, str]:
    identity = new_identity()
    make_site(folder, "CN", "bench")
    with (folder / "site.toml").open("a") as file:
        file.write(f'\n[recipients.stuttgart]\njurisdiction = "DE"\nkey = "{recipient_of(identity)}"\n')
    return open_site(folder), identity


def _filled(site: Site, rows: int, start: int) -> None:
    """Segments as a drain writes them, of cars whose owners consent."""
    cars = [vehicles.add(site, vin.decode()) for vin in test_vins(CARS)]
    wish = consents.Wish((USE,), (CATEGORY,), "2026-11", separate=True, recipients=frozenset({"stuttgart"}))
    given = [consent for car in cars for consent in consents.give(site, car, wish)]
    with writing(site.engine) as conn:  # the rows are older than the consents that they are modelled with
        conn.exec_driver_sql(f"UPDATE consents SET start = {start - DAY}")
    assert len(given) == CARS
    fleet = Fleet(np.array([car.id for car in cars]), rows // CARS // DAYS, (STATUTORY, USE))
    shelf = Shelf(site.root, site.vault, site.id)
    for number in range(DAYS):
        rng, written = np.random.default_rng(100 + number), []
        batches = [_with_cells(batch, rng) for batch in fleet.day(start + number * DAY, number)]
        for place, piece in split(batches, pack=site.pack.id, zone=site.pack.zone, buckets=site.settings.site.buckets):
            written.append(write_segment(piece, place, new_id(site.randomness), shelf, site.clock, site.randomness))
        with writing(site.engine) as conn:
            for segment in written:
                list_segment(conn, segment)


def _with_cells(batch: pa.RecordBatch, rng: np.random.Generator) -> pa.RecordBatch:
    about = {"category": CATEGORY, "statutory": "0"}
    for name, count in (
        ("Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages", CELLS),
        ("Vehicle.Powertrain.TractionBattery.Temperature.CellTemperature", PROBES),
    ):
        values = rng.integers(3600, 3640, (batch.num_rows, count), dtype=np.uint16)
        ends = np.arange(batch.num_rows + 1, dtype=np.int32) * (count * 2)
        array = pa.Array.from_buffers(pa.binary(), batch.num_rows, [None, pa.py_buffer(ends), pa.py_buffer(values)])
        place = len(batch.schema.names) - 1  # before the purposes
        batch = batch.add_column(place, pa.field(name, pa.binary(), metadata=about), array)
    return batch


def _permit(site: Site, transfer: Transfer) -> Permit:
    today = site.today()
    return Permit(
        id="0" * 16,
        site=site.id,
        transfer=transfer.id,
        route="none",
        purpose=USE,
        categories=transfer.categories,
        recipient=transfer.recipient,
        recipient_key=site.recipient(transfer.recipient).key,
        persons=CARS,
        start=today,
        until=date(today.year, 1, 1) + timedelta(366),
        granted_by="bench",
        request="sha256:" + "0" * 64,
        events_from=transfer.start,
        events_until=transfer.until,
        recipient_jurisdiction="DE",
    )


def _parcel(site: Site, transfer: Transfer, permit: Permit, found: Touched, sealed: Path) -> Packing:
    """What `border.transfer` does between the reservation and the ledger."""
    packing = Packing(
        manifest.head(site, transfer, permit, "bench-1", CARS),
        "a permit\n",
        site.catalogue,
        pseudonyms(site, transfer.recipient),
        parse(permit.transforms, site.catalogue),
    )
    rows = leaving(site, transfer, permit, site.clock(), found, interval_seed(site, transfer.recipient))
    with sealed.open("wb") as file:
        hashed = Hashed(file)
        seal_stream(packing.flow(rows), hashed, permit.recipient_key)
    assert len(hashed.digest()) == 64
    return packing


def _limit(site: Site, transfer: Transfer, permit: Permit, key: str) -> dict[str, float]:
    """The same rows, read and sieved beforehand: written, hashed twice and sealed, by nothing but the libraries."""
    groups = list(_groups(site, transfer, permit))

    def write() -> io.BytesIO:
        sink = io.BytesIO()
        with pq.ParquetWriter(sink, groups[0].schema, **encoded(groups[0].schema)) as writer:
            for table in groups:
                writer.write_table(table, row_group_size=table.num_rows)
        return sink

    sink, (wall, cpu) = _timed(write)
    size = sink.tell() / 1e6
    sink.seek(0)
    to = [pyrage.x25519.Recipient.from_str(key)]
    sealed = io.BytesIO()
    _, (sealing_wall, sealing) = _timed(lambda: pyrage.encrypt_io(sink, sealed, to))
    twice = (sink.getbuffer(), sealed.getbuffer())
    _, (hashing_wall, hashing) = _timed(lambda: [hashlib.sha256(data).digest() for data in twice])
    return {
        "limit: MB/s of Parquet per second of CPU": size / (cpu + sealing + hashing),
        "limit: MB/s of Parquet, by the wall": size / (wall + sealing_wall + hashing_wall),
        "limit: of that pyarrow alone, MB/s": size / cpu,
        "limit: of that pyrage alone, MB/s": size / sealing,
        "limit: of that SHA-256 alone, twice, MB/s": size / hashing,
    }


def _groups(site: Site, transfer: Transfer, permit: Permit) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    rows = total = 0
    for _, _, kept in cells(site, transfer, site.clock(), sought(site, transfer, permit)):
        if kept is not None:
            held.append(kept.select(["vehicle", "time", *signals(kept.schema)]))
            rows, total = rows + kept.num_rows, total + kept.num_rows
        if rows >= 1 << 17:
            yield pa.Table.from_batches(held).combine_chunks()
            held, rows = [], 0
        if total >= LIMIT_ROWS:
            return
    if held:
        yield pa.Table.from_batches(held).combine_chunks()


def _timed(act: Callable[[], T]) -> tuple[T, tuple[float, float]]:
    """What it gives, and its seconds by the wall and of this process's CPU."""
    wall, cpu = perf_counter(), process_time()
    given = act()
    return given, (perf_counter() - wall, process_time() - cpu)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    if sys.argv[1:]:
        os.environ["ONSHORE_BENCH_ROWS"] = sys.argv[1]
    for figure, value in run().items():
        print(f"{figure:<55} {value:>14,.2f}")
