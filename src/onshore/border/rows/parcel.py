"""The parcel: a tar of Parquet parts, permit and manifest, flowing so that no plaintext ever lies on a disk."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from onshore.border.rows import manifest
from onshore.border.rows.transforms import Transforms
from onshore.site import Site
from onshore.vault.keys import mac
from onshore.vault.order import in_order
from onshore.vault.segments import encoding
from onshore.vault.tarred import END, Bytes, member
from onshore.words.batch import signals
from onshore.words.catalogue import Signal

GROUP = 131_072
"""Rows of a row group, at least, but the last of a part."""
PART = 48 << 20
"""Bytes of a part, about: it is held in memory until it is known how long it is, for a tar says that first."""

FEW = 256
"""Rows of a car that come one after the other, on average, from which on they are not copied to be put in order."""

Pseudonym = Callable[[int], int]


def pseudonyms(site: Site, recipient: str) -> Pseudonym:
    """The number of a vehicle for a recipient: the same in every parcel, and of no use beside another recipient's."""
    key, known = site.key("pseudonym"), dict[int, int]()

    def pseudonym(vehicle: int) -> int:
        if vehicle not in known:
            known[vehicle] = int.from_bytes(mac(key, f"{recipient}/{vehicle}".encode())[:8], "big") >> 1
        return known[vehicle]

    return pseudonym


def interval_seed(site: Site, recipient: str) -> int:
    """The secret by which rows are drawn where times are coarsened."""
    return int.from_bytes(mac(site.key("pseudonym"), f"interval/{recipient}".encode())[:8], "big")


class Hashed:
    """A file that is written, with the SHA-256 and the number of the bytes so far."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        """Write all of it."""
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        self._file.flush()

    def fileno(self) -> int:
        """The file's descriptor."""
        return self._file.fileno()

    def digest(self) -> str:
        """The SHA-256 in hex."""
        return self._hash.hexdigest()


class Pieces:
    """A file in memory, as the pieces that were written to it: one that grows in one place is copied as it does."""

    closed = False

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        """Keep all of it."""
        self.written.append(data)
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        """How many bytes were written."""
        return self.size

    def flush(self) -> None:
        """Nothing is left to be written."""

    def close(self) -> None:
        """Nothing more is written."""
        self.closed = True


@dataclass
class _Count:
    """What was packed of a category: rows, vehicles, the columns of its parts."""

    rows: int = 0
    vehicles: set[int] = field(default_factory=set)
    schema: pa.Schema = field(default_factory=lambda: pa.schema([]))


class Packing:
    """Packs tables into a tar; once `flow` is exhausted, `manifest` and `parts` say what was packed."""

    def __init__(
        self,
        head: dict[str, Any],
        permit_note: str,
        catalogue: Mapping[str, Signal],
        pseudonym: Pseudonym,
        how: Transforms,
    ) -> None:
        self._head = head
        self._permit = permit_note.encode()
        self._catalogue = catalogue
        self._pseudonym = pseudonym
        self._how = how
        self._counts: dict[str, _Count] = {}
        self.parts: list[dict[str, Any]] = []
        self.manifest = b""

    @property
    def permit_digest(self) -> str:
        """sha256 of the permit's note, as the manifest and the ledger name it."""
        return _digest(self._permit)

    @property
    def manifest_digest(self) -> str:
        """sha256 of the manifest, known once everything flowed."""
        return _digest(self.manifest)

    @property
    def rows(self) -> int:
        """Rows packed so far."""
        return sum(part["rows"] for part in self.parts)

    def flow(self, tables: Iterable[tuple[str, pa.Table]]) -> Iterator[Bytes]:
        """The bytes of the tar: parts first, then `permit.note`, then `manifest.json`."""
        for category, found in groupby(tables, key=itemgetter(0)):
            count = self._counts.setdefault(category, _Count())
            named = (self._named(table, count) for table in _grouped(table for _, table in found))
            for body, rows in _files(named):
                name = f"parts/{len(self.parts):05d}.parquet"
                said = {"name": name, "category": category, "rows": rows, "bytes": body.size}
                self.parts.append(said | {"sha256": _digest(*body.written)})
                yield from member(name, *body.written)
        yield from member("permit.note", self._permit)
        self.manifest = manifest.written(self._said())
        yield from member("manifest.json", self.manifest)
        yield END

    def _named(self, table: pa.Table, count: _Count) -> pa.Table:
        found = under_pseudonyms(table, self._pseudonym)
        count.rows += found.num_rows
        count.vehicles.update(pc.unique(table.column("vehicle")).to_pylist())
        count.schema = pa.unify_schemas([count.schema, _bare(found.schema)])
        return found

    def _said(self) -> dict[str, Any]:
        return self._head | {
            "rows": self.rows,
            "counts": {c: {"rows": one.rows, "vehicles": len(one.vehicles)} for c, one in self._counts.items()},
            "schema": {
                c: manifest.columns(one.schema, self._catalogue, self._how.mask) for c, one in self._counts.items()
            },
            "permit": self.permit_digest,
            "parts": self.parts,
        }


def bytes_of(tables: Iterable[pa.Table], pseudonym: Pseudonym) -> int:
    """How many bytes the parts of these rows of one category come to, written to nowhere."""
    named = (under_pseudonyms(table, pseudonym) for table in _grouped(tables))
    return sum(body.size for body, _ in _files(named))


def under_pseudonyms(table: pa.Table, pseudonym: Pseudonym) -> pa.Table:
    """The rows under pseudonyms, sorted by them: the order of our own ids would be the same for each recipient.

    A car's rows are sorted by time, in whatever pieces they came.
    """
    vehicle, time = (table.column(name).cast(pa.int64()).to_numpy() for name in ("vehicle", "time"))
    new = np.r_[True, (np.diff(vehicle) != 0) | (np.diff(time) < 0)][: len(vehicle)]
    first = np.flatnonzero(new)  # of each run of rows of one car, in the order of their times
    ends = np.r_[first[1:], len(vehicle)]
    names = np.array([pseudonym(one) for one in vehicle[first].tolist()], np.int64)
    order = np.lexsort((time[first], names))
    begins, many = first[order], (ends - first)[order]
    apart = (np.diff(names[order]) != 0) | (time[ends[order] - 1][:-1] <= time[begins][1:])
    table = table.select(["time", *signals(table.schema)])
    if len(first) * FEW <= len(vehicle) and apart.all():
        moved = pa.concat_tables(
            [table.slice(at, rows) for at, rows in zip(begins.tolist(), many.tolist(), strict=True)]
        )
    else:
        moved = _moved(table, in_order(np.zeros_like(time), np.repeat(names, ends - first), time))
    return moved.add_column(0, "vehicle", pa.array(np.repeat(names[order], many)))


def _moved(table: pa.Table, rows: NDArray[np.int64]) -> pa.Table:
    """The rows in another order; by the pool of the C library, which hands out again what it was given back.

    Arrow's own returns blocks as large as these to the operating system, and fresh pages cost more than the copy.
    """
    pool, order = pa.system_memory_pool(), pa.array(rows)
    columns = table.combine_chunks(memory_pool=pool).columns  # of many chunks a take is slow
    return pa.table([pc.take(one, order, boundscheck=False, memory_pool=pool) for one in columns], table.schema)


def _grouped(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Tables of one category put together until they are large enough for a row group."""
    held: list[pa.Table] = []
    rows = 0
    for table in tables:
        held.append(table)
        rows += table.num_rows
        if rows >= GROUP:
            yield pa.concat_tables(held, promote_options="default")
            held, rows = [], 0
    if held:
        yield pa.concat_tables(held, promote_options="default")


def _files(tables: Iterable[pa.Table]) -> Iterator[tuple[Pieces, int]]:
    """Parquet files of about `PART` bytes, with their rows: a new one too where a table has a column of its own."""
    sink, writer, rows = Pieces(), None, 0
    for table in tables:
        if writer is not None and (sink.size >= PART or not {*table.schema.names} <= {*writer.schema.names}):
            writer.close()
            yield sink, rows
            sink, writer, rows = Pieces(), None, 0
        writer = writer or pq.ParquetWriter(sink, _bare(table.schema), **encoded(table.schema))
        writer.write_table(_filled(table, writer.schema), row_group_size=table.num_rows)
        rows += table.num_rows
    if writer is not None:
        writer.close()
        yield sink, rows


def encoded(schema: pa.Schema) -> dict[str, Any]:
    """How the columns of a part are written: as in segments, with the statistics by which others' readers skip.

    Nobody skips by the least and the greatest list of cells.
    """
    return encoding(schema) | {"write_statistics": [f.name for f in schema if not pa.types.is_binary(f.type)]}


def _bare(schema: pa.Schema) -> pa.Schema:
    return pa.schema([pa.field(f.name, f.type, f.nullable) for f in schema])


def _filled(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with the columns of a file: what it lacks is null."""
    columns = [
        table.column(f.name) if f.name in table.schema.names else pa.nulls(table.num_rows, f.type) for f in schema
    ]
    return pa.table(columns, schema=schema)


def _digest(*body: Bytes) -> str:
    found = hashlib.sha256()
    for piece in body:
        found.update(piece)
    return "sha256:" + found.hexdigest()
