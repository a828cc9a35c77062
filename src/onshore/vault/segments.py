"""Segments: encrypted Parquet files, one category under one ground of one day and bucket of vehicles each."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.parquet.encryption import create_decryption_properties, create_encryption_properties
from sqlalchemy import Connection, Row, delete, insert, select

from onshore.vault.disk import make_folder, write_new
from onshore.vault.keys import KEY_BYTES, Randomness, RootKey
from onshore.vault.papers import meta, segments
from onshore.words.errors import Broken, Refusal

FOLDER = "segments"
ROW_GROUP = 32_768  # one car's day is then read without touching most of its bucket
BUCKETS = 16


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where segments lie (the vault's folder), whose they are, and the key that their keys are wrapped by."""

    root: RootKey
    folder: Path
    site: str


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where rows belong. `day`: local date at the site, YYYY-MM-DD; `pack`: the pack that sieved them."""

    pack: str
    category: str
    ground: str
    day: str
    bucket: int


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
    """Write rows, sorted by (vehicle, time) already, under a key of their own; synced, but not yet in papers.

    Readers learn of a file from papers alone, so it needs no temporary name: until it is listed there, its
    key is nowhere and its bytes are noise.
    """
    key = randomness(KEY_BYTES)
    data = _encrypt(table, key, _bound(shelf.site, place, id_))
    path = shelf.folder / path_of(place, id_)
    make_folder(path.parent)
    write_new(path, memoryview(data).cast("B"))
    times = table.column("time").cast(pa.int64()).to_numpy()
    digest = hashlib.sha256(data).hexdigest()
    first, last = int(times.min()), int(times.max())
    wrapped = shelf.root.wrap(key, _key_context(id_))
    return Segment(id_, place, table.num_rows, data.size, digest, first, last, clock(), wrapped)


def open_segment(segment: Segment, shelf: Shelf) -> pq.ParquetFile:
    """The segment's file, checked against its digest as a whole, then decrypted.

    Broken, naming the segment's id alone, where it is missing or not what was written.
    """
    file = find_segment(segment, shelf)
    if file is None:
        raise Broken(f"the file of segment {segment.id} is missing: restore it from a backup")
    return file


def find_segment(segment: Segment, shelf: Shelf) -> pq.ParquetFile | None:
    """As `open_segment`, but None where there is no file: an erasure may just have replaced it."""
    try:
        data = (shelf.folder / path_of(segment.place, segment.id)).read_bytes()
    except FileNotFoundError:
        return None
    if hashlib.sha256(data).hexdigest() != segment.sha256:
        raise Broken(f"segment {segment.id} is not what was written: it was altered; restore it from a backup")
    key = shelf.root.unwrap(segment.wrapped, _key_context(segment.id))
    opening = create_decryption_properties(key, aad_prefix=_bound(shelf.site, segment.place, segment.id))
    try:
        return pq.ParquetFile(pa.BufferReader(data), decryption_properties=opening)
    except OSError as wrong:
        raise Broken(
            f"segment {segment.id} does not open here: it belongs elsewhere, or its papers were altered"
        ) from wrong


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
    t = segments.c
    order = (t.category, t.ground, t.day, t.bucket, t.created, t.id)
    return [_from_row(row) for row in conn.execute(select(segments).where(*conditions).order_by(*order))]


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


def _encrypt(table: pa.Table, key: bytes, bound: bytes) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        compression_level=1,
        row_group_size=ROW_GROUP,
        use_dictionary=[f.name for f in table.schema if _repeats(f.type)],
        encryption_properties=create_encryption_properties(key, aad_prefix=bound, store_aad_prefix=False),
    )
    return sink.getvalue()


def _repeats(kind: pa.DataType) -> bool:
    # Cell arrays, measured floats and instants hardly repeat: a dictionary costs a quarter of the time, for
    # nothing.
    return not (pa.types.is_binary(kind) or pa.types.is_floating(kind) or pa.types.is_timestamp(kind))


def _bound(site: str, place: Place, id_: str) -> bytes:
    said = ["onshore segment 1", site, place.category, place.ground, place.day, place.bucket, id_, place.pack]
    return json.dumps(said).encode()


def _key_context(id_: str) -> str:
    return f"segment/{id_}"


def _from_row(row: Row[Any]) -> Segment:
    place = Place(row.pack, row.category, row.ground, row.day, row.bucket)
    return Segment(row.id, place, row.rows, row.bytes, row.sha256, row.first, row.last, row.created, row.wrapped)
