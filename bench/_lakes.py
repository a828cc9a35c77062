"""The same rows in plain Parquet and in a Delta table, by day and bucket, sorted by car: what stands instead."""

import os
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


def by_bucket(batches: Iterable[pa.RecordBatch], buckets: int) -> list[tuple[int, pa.Table]]:
    """A day's rows, sorted by car and time, by bucket of cars."""
    whole = pa.Table.from_batches(list(batches)).combine_chunks()
    cars, times = (whole.column(name).cast(pa.int64()).to_numpy() for name in ("vehicle", "time"))
    bucket = cars % buckets
    order = np.lexsort((times, cars, bucket))
    whole, bucket = whole.take(pa.array(order)), bucket[order]
    edges = [0, *(np.flatnonzero(np.diff(bucket)) + 1).tolist(), len(bucket)]
    return [(int(bucket[start]), whole.slice(start, end - start)) for start, end in pairwise(edges)]


class Plain:
    """Parquet as pyarrow writes it, zstd at level 1, a file for each day and bucket, synced."""

    def __init__(self, folder: Path, buckets: int) -> None:
        self._folder, self._buckets = folder, buckets

    def append(self, day: str, batches: Sequence[pa.RecordBatch]) -> None:
        for bucket, table in by_bucket(batches, self._buckets):
            path = self._folder / day / f"{bucket}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(table, path, compression="zstd", compression_level=1)
            with path.open("rb") as file:
                os.fsync(file.fileno())

    def look(self, car: int, days: Sequence[str]) -> pa.Table:
        """A car's rows of some days, where one knows in which files to look."""
        paths = [str(self._folder / day / f"{car % self._buckets}.parquet") for day in days]
        return pq.read_table(paths, filters=[("vehicle", "=", car)], use_threads=False)

    def size(self) -> int:
        return sum(path.stat().st_size for path in self._folder.rglob("*.parquet"))


class Delta:
    """A Delta table by `deltalake`, partitioned by day and bucket, zstd at level 1."""

    def __init__(self, folder: Path, buckets: int) -> None:
        self._folder, self._buckets = folder, buckets

    def append(self, day: str, batches: Sequence[pa.RecordBatch]) -> None:
        from deltalake import WriterProperties, write_deltalake  # noqa: PLC0415 (a peer, measured where it is there)

        for bucket, table in by_bucket(batches, self._buckets):
            write_deltalake(
                str(self._folder),
                _as_delta(table, day, bucket),
                mode="append",
                partition_by=["day", "bucket"],
                writer_properties=WriterProperties(compression="ZSTD", compression_level=1),
            )

    def _table(self) -> Any:
        from deltalake import DeltaTable  # noqa: PLC0415 (as above)

        return DeltaTable(str(self._folder))

    def looker(self) -> Any:
        """Looks a car up as `Plain.look` does; the table stays open between looks and is asked for news at each."""
        from deltalake import QueryBuilder  # noqa: PLC0415 (as above)

        table = self._table()

        def look(car: int, days: Sequence[str]) -> pa.Table:
            table.update_incremental()
            listed = ", ".join(f"'{day}'" for day in days)
            where = f"day IN ({listed}) AND bucket = {car % self._buckets} AND vehicle = {car}"
            rows = QueryBuilder().register("rows", table).execute(f"SELECT * FROM rows WHERE {where}")
            return pa.table(rows.read_all())

        return look

    def delete(self, cars: Sequence[int]) -> int:
        """Delete cars' rows; how many."""
        buckets = ", ".join(str(b) for b in sorted({car % self._buckets for car in cars}))
        said = ", ".join(map(str, cars))
        done = self._table().delete(f"bucket IN ({buckets}) AND vehicle IN ({said})")
        return int(done["num_deleted_rows"])

    def vacuum(self) -> None:
        """Remove what deletions left behind, at once."""
        self._table().vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)

    def size(self) -> int:
        return sum(path.stat().st_size for path in self._folder.rglob("*.parquet"))


def _as_delta(table: pa.Table, day: str, bucket: int) -> pa.Table:
    """Delta knows no dictionaries and no milliseconds."""
    columns = {}
    for name in table.column_names:
        column = table.column(name)
        if pa.types.is_dictionary(column.type):
            column = column.cast(pa.string())
        if pa.types.is_timestamp(column.type):
            column = pc.cast(column, pa.timestamp("us", "UTC"))
        columns[name] = column
    rows = table.num_rows
    return pa.table(columns | {"day": pa.array([day] * rows), "bucket": pa.array(np.full(rows, bucket, np.int32))})
