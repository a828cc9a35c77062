"""Segments: encrypted Parquet files, one category under one ground of one day and bucket of vehicles each."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.parquet.encryption import create_decryption_properties, create_encryption_properties
from sqlalchemy import Connection, Row, Select, delete, insert, select

from onshore.vault.disk import make_folder, write_new
from onshore.vault.keys import KEY_BYTES, Randomness, RootKey
from onshore.vault.papers import meta, segments
from onshore.words.errors import Broken, Refusal

FOLDER = "segments"
ROW_GROUP = 8_192  # one car's day is then read without touching most of its bucket (docs/decisions/0042)
BUCKETS = 16
_LATEST = 1 << 62


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where segments lie (the vault's folder), whose they are, and the key that their keys are wrapped by."""

    root: RootKey
    folder: Path
    site: str


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where rows belong. `day`: local date at the site, YYYY-MM-DD; `pack`: the pack that sieved them.

    `exception`: from the longest time of keeping, as they were tagged when they were taken in; empty: none.
    """

    pack: str
    category: str
    ground: str
    day: str
    bucket: int
    exception: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """One file as papers know it: `size` in bytes, `first` and `last` event in milliseconds UTC."""

    id: str
    place: Place
    rows: int
    size: int
    sha256: str
    first: int
    last: int
    created: int
    wrapped: bytes = field(repr=False)


def new_id(randomness: Randomness) -> str:
    """A random name for a segment, hex."""
    return randomness(16).hex()


def path_of(place: Place, id_: str) -> Path:
    """Where a segment's file lies, below the vault's folder; papers know the ground."""
    return Path(FOLDER, place.category, place.day, str(place.bucket), f"{id_}.parquet")


def write_segment(
    table: pa.Table, place: Place, id_: str, shelf: Shelf, clock: Callable[[], int], randomness: Randomness
) -> Segment:
    """Write rows, one at least, as `write_tables` does."""
    segment = write_tables((table,), place, id_, shelf, clock, randomness)
    assert segment is not None
    return segment


def write_tables(
    tables: Iterable[pa.Table], place: Place, id_: str, shelf: Shelf, clock: Callable[[], int], randomness: Randomness
) -> Segment | None:
    """Write rows, sorted by (vehicle, time) already, under a key of their own; synced, but not yet in papers.

    Tables have one schema; the encoded file is held in memory, of the rows one table at a time. None, and no file,
    where there is no row. Readers learn of a file from papers alone, so it needs no temporary name: until it is listed
    there, its key is nowhere and its bytes are noise.
    """
    key, span = randomness(KEY_BYTES), _Span()
    data = encrypted(span.seen(tables), key, _bound(shelf.site, place, id_))
    if data is None:
        return None
    path = shelf.folder / path_of(place, id_)
    make_folder(path.parent)
    write_new(path, memoryview(data).cast("B"))
    digest = hashlib.sha256(data).hexdigest()
    wrapped = shelf.root.wrap(key, _key_context(id_))
    return Segment(id_, place, span.rows, data.size, digest, span.first, span.last, clock(), wrapped)


class _Span:
    """What passes: how many rows, of which times."""

    def __init__(self) -> None:
        self.rows, self.first, self.last = 0, _LATEST, -_LATEST

    def seen(self, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        for table in tables:
            if table.num_rows:
                times = table.column("time").cast(pa.int64()).to_numpy()
                self.rows += table.num_rows
                self.first, self.last = min(self.first, int(times.min())), max(self.last, int(times.max()))
                yield table


def open_segment(segment: Segment, shelf: Shelf) -> pq.ParquetFile:
    """The segment's file, checked against its digest as a whole, then decrypted.

    Broken, naming the segment's id alone, where it is missing or not what was written.
    """
    try:
        data = (shelf.folder / path_of(segment.place, segment.id)).read_bytes()
    except FileNotFoundError:
        raise Broken(f"the file of segment {segment.id} is missing: restore it from a backup") from None
    if hashlib.sha256(data).hexdigest() != segment.sha256:
        raise _altered(segment)
    return _opened(pa.BufferReader(data), segment, shelf)


def find_segment(segment: Segment, shelf: Shelf) -> pq.ParquetFile | None:
    """The segment's file, open to read parts of it; None where there is none: it may just have been replaced.

    Its digest is not asked: every part that is read, footer and pages, is authenticated by itself under the file's
    key and place in the file (Parquet modular encryption, AES-GCM), and Broken where it is not what was written.
    """
    try:
        source = pa.OSFile(str(shelf.folder / path_of(segment.place, segment.id)))
    except FileNotFoundError:
        return None
    return _opened(source, segment, shelf)


def _opened(source: pa.NativeFile, segment: Segment, shelf: Shelf) -> pq.ParquetFile:
    key = shelf.root.unwrap(segment.wrapped, _key_context(segment.id))
    opening = create_decryption_properties(key, aad_prefix=_bound(shelf.site, segment.place, segment.id))
    try:
        return pq.ParquetFile(source, decryption_properties=opening)
    except (OSError, pa.ArrowInvalid) as wrong:
        raise Broken(
            f"segment {segment.id} does not open here: it was altered or belongs elsewhere, or its papers were altered"
        ) from wrong


def read_groups(
    segment: Segment, file: pq.ParquetFile, groups: list[int], names: Sequence[str] | None = None
) -> pa.Table:
    """Row groups of an open segment, all columns or the named ones; Broken where they are not what was written."""
    try:
        return file.read_row_groups(groups, columns=names, use_threads=False)
    except (OSError, pa.ArrowInvalid) as wrong:
        raise _altered(segment) from wrong


def _altered(segment: Segment) -> Broken:
    return Broken(f"segment {segment.id} is not what was written: it was altered; restore it from a backup")


def groups_holding(file: pq.ParquetFile, vehicles: Collection[int] | None) -> list[int]:
    """Row groups that may hold a row of these vehicles (of any: None), by their statistics."""
    if vehicles is None:
        return list(range(file.num_row_groups))
    cars = np.array(sorted(vehicles), np.int64)
    return [i for i in range(file.num_row_groups) if _may_hold(*cars_of(file, i), cars)]


def cars_of(file: pq.ParquetFile, group: int) -> tuple[int, int]:
    """The least and the greatest vehicle of a row group."""
    said = file.metadata.row_group(group).column(0).statistics  # vehicle, by the order of the base columns
    return int(said.min), int(said.max)


def _may_hold(least: int, most: int, cars: npt.NDArray[np.int64]) -> bool:
    return bool(np.searchsorted(cars, least, "left") < np.searchsorted(cars, most, "right"))


def list_segment(conn: Connection, segment: Segment) -> None:
    """Enter a written segment into papers: from the commit on it is read."""
    facts = asdict(segment)
    place, size = facts.pop("place"), facts.pop("size")
    conn.execute(insert(segments).values(**place, **facts, bytes=size))


def unlist_segment(conn: Connection, segment: Segment) -> None:
    """Strike a segment and its key from papers; Broken where somebody else did meanwhile."""
    if conn.execute(delete(segments).where(segments.c.id == segment.id)).rowcount != 1:
        raise Broken(f"segment {segment.id} left the papers meanwhile: two processes keep one site; stop one")


def segments_where(conn: Connection, *conditions: Any) -> list[Segment]:
    """Segments that papers list under all conditions on their table, in order of place, then of making."""
    return segments_asked(conn, asking(*conditions))


def asking(*conditions: Any) -> Select[Any]:
    """The question for segments under these conditions, to be put often: building it takes longer than asking."""
    t = segments.c
    return select(segments).where(*conditions).order_by(t.category, t.ground, t.day, t.bucket, t.created, t.id)


def segments_asked(conn: Connection, question: Select[Any], **bound: Any) -> list[Segment]:
    """What papers answer to that; `bound`: values of the parameters that its conditions name."""
    return [_from_row(row) for row in conn.execute(question, bound)]


def bucket_of(vehicle: int, buckets: int) -> int:
    """The bucket of a vehicle's rows; ids are random, so the buckets are even."""
    return vehicle % buckets


def fix_buckets(conn: Connection, wanted: int) -> None:
    """Settle the number of buckets with the first segments; Refusal where another number stands already."""
    stands = conn.execute(select(meta.c.value).where(meta.c.name == "buckets")).scalar()
    if stands is None:
        conn.execute(insert(meta).values(name="buckets", value=str(wanted)))
    elif int(stands) != wanted:
        raise Refusal(
            "buckets-fixed",
            f"the segments lie in {stands} buckets, {wanted} were set",
            remedy=f"set the number of buckets to {stands}: a car's rows are found by it",
        )


def buckets_of(conn: Connection, vehicles: list[int]) -> list[int]:
    """The buckets that hold these vehicles' rows, each once; none while the site holds no segment."""
    stands = conn.execute(select(meta.c.value).where(meta.c.name == "buckets")).scalar()
    return sorted({bucket_of(v, int(stands)) for v in vehicles}) if stands else []


def encrypted(tables: Iterable[pa.Table], key: bytes, bound: bytes) -> pa.Buffer | None:
    """The bytes of a segment under a key, bound to where it belongs; None where there is no row."""
    sealing = create_encryption_properties(key, aad_prefix=bound, store_aad_prefix=False)
    sink, writer = pa.BufferOutputStream(), None
    for table in tables:
        writer = writer or pq.ParquetWriter(sink, table.schema, encryption_properties=sealing, **encoding(table.schema))
        writer.write_table(table, row_group_size=ROW_GROUP)
    if writer is None:
        return None
    writer.close()
    return sink.getvalue()


def encoding(schema: pa.Schema) -> dict[str, Any]:
    """How columns are written, by their kind, as docs/decisions/0042 measured (`python -m bench encodings`).

    Statistics of vehicle and time alone: nobody looks up another column by them, and a footer is read every time.
    """
    chosen = {f.name: _encoding_of(f.type) for f in schema}
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": [name for name, how in chosen.items() if how == _DICTIONARY],
        "column_encoding": {name: how for name, how in chosen.items() if how != _DICTIONARY},
        "write_statistics": ["vehicle", "time"],
    }


_DICTIONARY = "DICTIONARY"
_KINDS: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_timestamp, "DELTA_BINARY_PACKED"),  # half of plain: what is left is the jitter
    (lambda kind: pa.types.is_integer(kind) and kind.bit_width == 32, "DELTA_BINARY_PACKED"),  # counters grow
    (pa.types.is_float64, "BYTE_STREAM_SPLIT"),  # places: a car's leading bytes hardly change
    (pa.types.is_binary, "PLAIN"),  # lists of cells: a dictionary of them is as large as they are
    (pa.types.is_boolean, "PLAIN"),
)
"""The first kind that fits says how a column is written; else by a dictionary: few values, measured in steps."""


def _encoding_of(kind: pa.DataType) -> str:
    return next((how for fits, how in _KINDS if fits(kind)), _DICTIONARY)


def _bound(site: str, place: Place, id_: str) -> bytes:
    said = ["onshore segment 1", site, place.category, place.ground, place.day, place.bucket, id_, place.pack]
    return json.dumps(said + ([place.exception] if place.exception else [])).encode()


def _key_context(id_: str) -> str:
    return f"segment/{id_}"


def _from_row(row: Row[Any]) -> Segment:
    place = Place(row.pack, row.category, row.ground, row.day, row.bucket, row.exception)
    return Segment(row.id, place, row.rows, row.bytes, row.sha256, row.first, row.last, row.created, row.wrapped)
