"""How columns of segments are best written: size and speed of each encoding, of ours beside plain zstd Parquet.

Rows of modelled cars as the gate decodes them (625 cars, 200 rows each, 10 s apart: a bucket's day), by category, and
rows of random walks with nothing to predict (`bench.vault`); all sorted by vehicle and time, as segments are.
"""

import io
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from bench.vault import batch

from onshore.cli.driving.cars import SHANGHAI, cars
from onshore.cli.simulated import test_vins
from onshore.cli.voices import gb32960
from onshore.cli.voices.spoken import Modelled, Pace
from onshore.gate.gb32960.decode import decode
from onshore.site import read_catalogue
from onshore.vault import segments
from onshore.vault.roots.file import FileRoot
from onshore.words.batch import BASE, PURPOSES, signals

CARS, EACH, STEP = 625, 200, 10_000
START = 1_790_000_000_000
GROUPS = (8_192, 16_384, 32_768, 65_536, 131_072)

Options = Callable[[pa.Schema], dict[str, object]]


def run() -> dict[str, float]:
    """Bytes per row, and rows per second written and read by one core."""
    tables = {**modelled(), "random walks, 3 categories": walks()}
    figures: dict[str, float] = {}
    for name, table in tables.items():
        for how, options in WAYS.items():
            figures |= _way(f"{name}, {how}", table, options(table.schema))
        figures |= _ratio(name, table)
    for table in tables.values():
        figures |= _columns(table.select(_unlike(table.schema)))
    for rows in GROUPS:
        figures |= _grouped(tables["vehicle-operation"], rows)
    return figures | _opened(tables["vehicle-operation"])


def modelled() -> dict[str, pa.Table]:
    """One table per category of what modelled cars say through the door gb32960."""
    voice = gb32960.Voice(test_vins(CARS), Modelled(cars(SHANGHAI, CARS, 1, 1)))
    parts, rng = [], np.random.default_rng(2)
    for first in range(0, EACH, 20):
        said = voice.frames(first, 20, Pace(START, STEP))
        frames = [bytes(frame) for car in said for frame in car]
        ids = np.repeat(np.arange(1, CARS + 1) * 16_777_259 << 20, len(frames) // CARS)
        turns = np.tile(first + np.arange(len(frames) // CARS), CARS)
        arrived = START + turns * STEP + rng.integers(30, 900, len(ids))
        parts.append(decode(frames, ids, arrived).batch)
    whole = pa.Table.from_batches(parts).unify_dictionaries().sort_by([("vehicle", "ascending"), ("time", "ascending")])
    known = read_catalogue()
    base = [f.name for f in BASE]
    found: dict[str, list[str]] = {}
    for name in signals(whole.schema):
        if whole.column(name).null_count < whole.num_rows:
            found.setdefault(known[name].category, []).append(name)
    return {category: _kept(whole.select(base + names)) for category, names in sorted(found.items())}


def walks() -> pa.Table:
    """What `bench.vault` appends, as one table."""
    rng = np.random.default_rng(1)
    parts = [batch(rng, START + i * 20_000).kept for i in range(20)]
    whole = pa.Table.from_batches(parts).sort_by([("vehicle", "ascending"), ("time", "ascending")])
    kept = _kept(whole.select([f.name for f in BASE] + signals(whole.schema)))
    measured = [f.with_type(pa.float32()) if pa.types.is_float64(f.type) else f for f in kept.schema]
    return kept.cast(pa.schema(measured))


def _kept(table: pa.Table) -> pa.Table:
    bits = pa.array(np.full(table.num_rows, 2))
    return table.add_column(len(BASE), pa.field(PURPOSES, pa.int64(), nullable=False), bits).combine_chunks()


def _before(schema: pa.Schema) -> dict[str, object]:
    """Dictionaries for small integers alone: what the first release wrote."""
    wide = (pa.types.is_binary, pa.types.is_floating, pa.types.is_timestamp)
    narrow = [f.name for f in schema if not any(is_wide(f.type) for is_wide in wide)]
    return {**_plain(schema), "use_dictionary": narrow}


def _plain(schema: pa.Schema) -> dict[str, object]:
    return {"compression": "zstd", "compression_level": 1, "use_dictionary": False}


def _default(schema: pa.Schema) -> dict[str, object]:
    return {"compression": "zstd", "compression_level": 1}


def _delta(schema: pa.Schema) -> dict[str, object]:
    """Instants and integers as differences, floats by their bytes' places, dictionaries for vehicle and door."""
    dictionaries = [f.name for f in schema if f.name in ("vehicle", "door") or pa.types.is_dictionary(f.type)]
    chosen = {}
    for f in schema:
        if f.name not in dictionaries:
            if pa.types.is_timestamp(f.type) or pa.types.is_integer(f.type):
                chosen[f.name] = "DELTA_BINARY_PACKED"
            elif pa.types.is_floating(f.type):
                chosen[f.name] = "BYTE_STREAM_SPLIT"
    return {**_plain(schema), "use_dictionary": dictionaries, "column_encoding": chosen}


def _level_3(schema: pa.Schema) -> dict[str, object]:
    return segments.encoding(schema) | {"compression_level": 3}


WAYS: dict[str, Options] = {
    "plain": _plain,
    "dictionaries wherever they help (pyarrow's default)": _default,
    "deltas and byte streams": _delta,
    "dictionaries of integers": _before,
    "ours": segments.encoding,
    "ours at level 3": _level_3,
}


def _way(name: str, table: pa.Table, options: dict[str, object]) -> dict[str, float]:
    size, write, read = _timed(table, options, segments.ROW_GROUP)
    return {
        f"{name}: bytes/row": size / table.num_rows,
        f"{name}: written rows/s": table.num_rows / write,
        f"{name}: read rows/s": table.num_rows / read,
    }


def _ratio(name: str, table: pa.Table) -> dict[str, float]:
    """What the house promises: a segment as it lies on the disk, encrypted, to the same rows in plain zstd Parquet."""
    ours = segments.encrypted([table], os.urandom(32), b"bench")
    assert ours is not None
    beside = _timed(table, _default(table.schema), 1 << 20)[0]
    return {f"{name}: a segment to the size of plain zstd Parquet": ours.size / beside}


def _columns(table: pa.Table) -> dict[str, float]:
    """Each column of one category alone, by encoding: bytes a row."""
    figures = {}
    for name in table.column_names:
        kind = table.schema.field(name).type
        for encoding in _encodings(kind):
            options: dict[str, object] = {
                "compression": "zstd",
                "compression_level": 1,
                "use_dictionary": encoding == "DICTIONARY",
            }
            if encoding != "DICTIONARY":
                options["column_encoding"] = {name: encoding}
            size, _, _ = _timed(table.select([name]), options, segments.ROW_GROUP, rounds=1)
            figures[f"{kind} {name} {encoding}: bytes/row"] = size / table.num_rows
    return figures


def _unlike(schema: pa.Schema) -> list[str]:
    """The first four columns of each kind: the others say the same again."""
    found: dict[pa.DataType, list[str]] = {}
    for f in schema:
        found.setdefault(f.type, []).append(f.name)
    return [name for names in found.values() for name in names[:4]]


def _encodings(kind: pa.DataType) -> Iterable[str]:
    yield from ("PLAIN", "DICTIONARY")
    if pa.types.is_integer(kind) or pa.types.is_timestamp(kind):
        yield "DELTA_BINARY_PACKED"
    if pa.types.is_floating(kind) or (pa.types.is_integer(kind) and kind.bit_width >= 32):
        yield "BYTE_STREAM_SPLIT"
    if pa.types.is_binary(kind):
        yield from ("DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY")


def _grouped(table: pa.Table, rows: int) -> dict[str, float]:
    """One car of a file, by the rows of a row group: what is read for it, and what the file costs."""
    sink = io.BytesIO()
    options = segments.encoding(table.schema)
    pq.write_table(table, sink, row_group_size=rows, **options)
    data = pa.BufferReader(sink.getvalue())
    car = int(table.column("vehicle")[table.num_rows // 2].as_py())
    best = min(_one(data, car) for _ in range(9))
    return {
        f"row groups of {rows}: one car of {CARS} ms": best * 1e3,
        f"row groups of {rows}: bytes/row": sink.tell() / table.num_rows,
    }


def _one(data: pa.BufferReader, car: int) -> float:
    begun = perf_counter()
    file = pq.ParquetFile(data)
    table = segments_rows(file, car)
    assert table.num_rows
    return perf_counter() - begun


def segments_rows(file: pq.ParquetFile, car: int) -> pa.Table:
    """The rows of one car of an open file."""
    table = file.read_row_groups(segments.groups_holding(file, {car}), use_threads=False)
    return table.filter(pa.array(table.column("vehicle").to_numpy() == car))


def _opened(table: pa.Table) -> dict[str, float]:
    """A segment opened for a part of it, and for all of it, which asks for its digest."""
    with tempfile.TemporaryDirectory() as folder:
        shelf = segments.Shelf(FileRoot(os.urandom(32), os.urandom), Path(folder), "bench")
        place = segments.Place("cn/2026-02", "vehicle-operation", "consent", "2026-09-21", 1)
        segment = segments.write_segment(table, place, "0" * 32, shelf, lambda: START, os.urandom)
        ways = {
            "for a part, by its pages' seals": segments.find_segment,
            "for all, by its digest": segments.open_segment,
        }
        return {f"opened {how} ms": _best(lambda o=opens: o(segment, shelf)) * 1e3 for how, opens in ways.items()}


def _best(act: Callable[[], object]) -> float:
    times = []
    for _ in range(20):
        begun = perf_counter()
        act()
        times.append(perf_counter() - begun)
    return min(times)


def _timed(table: pa.Table, options: dict[str, object], group: int, rounds: int = 3) -> tuple[int, float, float]:
    """Bytes, seconds to write, seconds to read: the best of some rounds."""
    writes, reads, size = [], [], 0
    for _ in range(rounds):
        sink = pa.BufferOutputStream()
        begun = perf_counter()
        pq.write_table(table, sink, row_group_size=group, **options)
        writes.append(perf_counter() - begun)
        data = sink.getvalue()
        begun = perf_counter()
        pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)
        reads.append(perf_counter() - begun)
        size = data.size
    return size, min(writes), min(reads)


if __name__ == "__main__":
    for figure, value in run().items():
        print(f"{figure:<90} {value:>14,.2f}")
