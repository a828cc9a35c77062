"""Every reading of a file's bytes that a stranger would try: as they lie, unpacked, decoded into values."""

import bz2
import io
import lzma
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

View = tuple[str, bytes]
"""How these bytes came out of the file ("" for as they lie), and the bytes."""

DEPTH = 4
STEP = 1 << 16
ZSTD = b"\x28\xb5\x2f\xfd"


def views(path: Path) -> Iterator[View]:
    """All readings of one file; SQLite's values too, since it spreads long ones and shortens integers."""
    data = path.read_bytes()
    yield from _unpacked("", data, DEPTH)
    if data.startswith(b"SQLite format 3\0"):
        yield "sqlite values", b"\0".join(_sqlite_values(path))


def _unpacked(how: str, data: bytes, depth: int) -> Iterator[View]:
    yield how, data
    if depth:
        for found, inner in _inside(data):
            yield from _unpacked(f"{how} > {found}" if how else found, inner, depth - 1)


def _inside(data: bytes) -> Iterator[View]:
    """What is packed inside, wherever it starts: a torn file or a record format of ours hides nothing."""
    for name, magic, open_stream in _STREAMS:
        for at in _all(data, magic):
            if out := _drain(open_stream(), data, at):
                yield f"{name}@{at}", out
    for at in _all(data, ZSTD):
        if (end := _zstd_end(data, at)) and (out := _zstd(data[at:end])):
            yield f"zstd@{at}", out
    if data.startswith(b"PK\x03\x04"):
        yield from _zip(data)
    if data.startswith(b"PAR1"):
        yield "parquet values", b"".join(_batch_bytes(_parquet(data)))
    if data.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        yield "arrow values", b"".join(_batch_bytes(_ipc(data)))


_STREAMS: tuple[tuple[str, bytes, Callable[[], Any]], ...] = (
    ("gzip", b"\x1f\x8b\x08", lambda: zlib.decompressobj(31)),
    ("bzip2", b"BZh", bz2.BZ2Decompressor),
    ("xz", b"\xfd7zXZ\0", lzma.LZMADecompressor),
)


def _all(data: bytes, magic: bytes) -> Iterator[int]:
    at = data.find(magic)
    while at >= 0:
        yield at
        at = data.find(magic, at + 1)


def _drain(stream: Any, data: bytes, at: int) -> bytes:
    """Unpack from an offset until the stream ends or breaks, and keep what came out before."""
    out = bytearray()
    try:
        while at < len(data) and not stream.eof:
            out += stream.decompress(data[at : at + STEP])
            at += STEP
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        pass
    return bytes(out)


def _zstd_end(data: bytes, at: int) -> int:
    """Where the frame at an offset ends (RFC 8878 §3.1.1): the end of the data if torn, 0 if it is none."""
    if at + 6 > len(data) or data[at + 4] & 0x08:
        return 0
    flags = data[at + 4]
    single = flags >> 5 & 1
    place = at + 5 + (1 - single) + (0, 1, 2, 4)[flags & 3] + (single, 2, 4, 8)[flags >> 6]
    while place + 3 <= len(data):
        head = int.from_bytes(data[place : place + 3], "little")
        kind, size = head >> 1 & 3, head >> 3
        if kind == 3:
            return 0
        place += 3 + (1 if kind == 1 else size)
        if head & 1:
            return min(place + 4 * (flags >> 2 & 1), len(data))
    return len(data)


def _zstd(frame: bytes) -> bytes:
    out = bytearray()
    try:
        with pa.CompressedInputStream(pa.BufferReader(frame), "zstd") as stream:
            while step := stream.read(STEP):
                out += step
    except (OSError, pa.ArrowException):
        pass
    return bytes(out)


def _zip(data: bytes) -> Iterator[View]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield f"zip:{name}", archive.read(name)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error):
        return


def _parquet(data: bytes) -> Iterator[pa.RecordBatch]:
    """Row groups of a Parquet file, for as long as no key is asked for."""
    try:
        yield from pq.ParquetFile(pa.BufferReader(data)).iter_batches()
    except (OSError, pa.ArrowException):
        return


def _ipc(data: bytes) -> Iterator[pa.RecordBatch]:
    try:
        if data.startswith(b"ARROW1"):
            reader = pa.ipc.open_file(pa.BufferReader(data))
            yield from (reader.get_batch(i) for i in range(reader.num_record_batches))
        else:
            yield from pa.ipc.open_stream(pa.BufferReader(data))
    except (OSError, pa.ArrowException):
        return


def _batch_bytes(batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """Every buffer of every column, so that values hidden under a null bit are seen too."""
    for batch in batches:
        for column in batch.columns:
            arrays = [column, column.dictionary] if pa.types.is_dictionary(column.type) else [column]
            for array in arrays:
                yield from (buffer.to_pybytes() for buffer in array.buffers() if buffer is not None)


def _sqlite_values(path: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            for row in db.execute('SELECT * FROM "{}"'.format(name.replace('"', '""'))):
                yield from map(_as_bytes, row)


def _as_bytes(value: bytes | str | float | None) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, int):
        return struct.pack("<q", value)
    if isinstance(value, float):
        return struct.pack("<d", value)
    return value or b""
