"""The byte search finds what is planted, in each form and each kind of file, and nothing in random bytes."""

import base64
import bz2
import gzip
import io
import json
import lzma
import random
import sqlite3
import struct
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bytescan import Fix, Hit, find

VIN = "LTSTFAKE0A0000017"
FIXES: list[Fix] = [(121.473701 + i * 0.000123, 31.230416 + i * 0.000087) for i in range(200)]
LON, LAT = FIXES[77]
Pack = Callable[[bytes], bytes]


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def search(folder: Path, data: bytes, name: str = "x.bin") -> set[str]:
    (folder / name).write_bytes(data)
    return {hit.kind for hit in find(folder, [VIN], FIXES)}


VIN_FORMS = [
    ("vin utf-8", VIN.encode()),
    ("vin utf-8", VIN.lower().encode()),
    ("vin utf-16-le", VIN.encode("utf-16-le")),
    ("vin utf-16-be", VIN.encode("utf-16-be")),
    ("vin hex", VIN.encode().hex().encode()),
    ("vin hex", VIN.encode().hex().upper().encode()),
    ("vin base64", base64.b64encode(VIN.encode())),
    ("vin base64", base64.b64encode(b"a" + VIN.encode())),
    ("vin base64", base64.b64encode(b"ab" + VIN.encode() + b"c")),
    ("vin base64", base64.urlsafe_b64encode(b"abc" + VIN.encode() + b"defg")),
]


def both(form: str) -> bytes:
    """Longitude and latitude of one fix as one row holds them."""
    kind = float if form[-1] in "fd" else lambda degrees: round(degrees * 1e6)
    return struct.pack(form[0] + 2 * form[-1], kind(LON), kind(LAT))


PLACE_FORMS = [
    ("coordinate text", f"{LON:.4f}".encode()),
    ("coordinate text", json.dumps({"lat": LAT}).encode()),
    ("coordinate text", f"-{LAT:.6f}".encode()),
    ("coordinate float64-le", struct.pack("<d", LAT)),
    ("coordinate float64-be", struct.pack(">d", LON)),
    ("coordinate float64-le", struct.pack("<d", round(LAT * 1e6) * 1e-6)),
    ("coordinate int32-le", both("<i")),
    ("coordinate int32-be", both(">I")),
    ("coordinate int32-le", both("<q")),
    ("coordinate int32-be", both(">q")),
    ("coordinate float32-le", both("<f")),
    ("coordinate float32-be", both(">f")),
    ("coordinate 1e-6 digits", f'{{"lon": {round(LON * 1e6)}, "lat": {round(LAT * 1e6)}}}'.encode()),
    ("coordinate int32-le", np.rint([1e6 * lon for lon, _ in FIXES[:9]]).astype("<i4").tobytes()),
    ("coordinate int32-be", np.rint([1e6 * lat for _, lat in FIXES[:9]]).astype(">i8").tobytes()),
    ("coordinate float32-le", np.array([lat for _, lat in FIXES[:9]], "<f4").tobytes()),
]


@pytest.mark.parametrize(("kind", "form"), VIN_FORMS + PLACE_FORMS)
@pytest.mark.parametrize("shift", range(4))
def test_finds_each_form_amid_noise(tmp_path: Path, kind: str, form: bytes, shift: int) -> None:
    assert search(tmp_path, noise(4096 + shift) + form + noise(999, 2)) == {kind}


def test_finds_a_place_south_and_west(tmp_path: Path) -> None:
    fix = (-70.123457, -33.456789)
    (tmp_path / "x").write_bytes(
        struct.pack("<ii", -70123457, -33456789) + noise(99) + struct.pack(">II", 70123457, 33456789)
    )
    kinds = {hit.kind for hit in find(tmp_path, [], [fix])}
    assert kinds == {"coordinate int32-le", "coordinate int32-be"}


def test_says_where(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(noise(1000) + gzip.compress(b"...." + VIN.encode()))
    assert find(tmp_path, [VIN], []) == [Hit("a/x", "vin utf-8", 4, "gzip@1000")]


def test_finds_a_vin_in_a_name(tmp_path: Path) -> None:
    (tmp_path / f"{VIN}.log").write_bytes(b"")
    assert find(tmp_path, [VIN], []) == [Hit(f"{VIN}.log", "vin utf-8", 0, "name")]


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner", data)
    return out.getvalue()


def tarred(data: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        member = tarfile.TarInfo("inner")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def zstd_streamed(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


PACKS: list[tuple[str, Pack]] = [
    ("gzip", gzip.compress),
    ("bzip2", bz2.compress),
    ("xz", lzma.compress),
    ("zstd", lambda data: pa.compress(data, "zstd", asbytes=True)),
    ("zstd, streamed", zstd_streamed),
    ("zip", zipped),
    ("tar.gz", tarred),
    ("gzip in zip", lambda data: zipped(gzip.compress(data))),
    ("zstd in a record", lambda data: noise(77) + pa.compress(data, "zstd", asbytes=True) + noise(77)),
    ("zstd, torn", lambda data: pa.compress(data + noise(300_000), "zstd", asbytes=True)[:-5000]),
    ("gzip, torn", lambda data: gzip.compress(data + noise(9000))[:-5000]),
]


@pytest.mark.parametrize("pack", [p[1] for p in PACKS], ids=[p[0] for p in PACKS])
def test_finds_inside_packed_files(tmp_path: Path, pack: Pack) -> None:
    around = "".join(random.Random(1).choices("ACDEFLT0123456789", k=140_000)).encode()
    secret = around[:500] + VIN.encode() + around[:500] + both("<i") + around
    packed = pack(secret)
    assert VIN.encode() not in packed
    assert search(tmp_path, packed) == {"vin utf-8", "coordinate int32-le"}


def drive() -> pa.Table:
    """What a careless site would keep: names, places, and places hidden under a null bit."""
    lon = pa.array([lon for lon, _ in FIXES])
    hidden = pa.Array.from_buffers(pa.float64(), len(FIXES), [pa.py_buffer(bytes(25)), lon.buffers()[1]])
    names = pa.array([VIN] * len(FIXES)).dictionary_encode()
    return pa.table({"vin": names, "lat": pa.array([lat for _, lat in FIXES], pa.float32()), "lon": hidden})


@pytest.mark.parametrize("codec", ["none", "zstd", "lz4", "snappy", "gzip"])
def test_finds_inside_parquet(tmp_path: Path, codec: str) -> None:
    pq.write_table(drive(), tmp_path / "x.parquet", compression=codec)
    kinds = {hit.kind for hit in find(tmp_path, [VIN], FIXES)}
    assert {"vin utf-8", "coordinate float32-le"} <= kinds


@pytest.mark.parametrize("codec", [None, "zstd", "lz4"])
@pytest.mark.parametrize("new", [pa.ipc.new_file, pa.ipc.new_stream])
def test_finds_inside_arrow(
    tmp_path: Path, new: Callable[..., pa.ipc.RecordBatchStreamWriter], codec: str | None
) -> None:
    table = drive()
    with new(tmp_path / "x.arrow", table.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_table(table)
    kinds = {hit.kind for hit in find(tmp_path, [VIN], FIXES)}
    assert kinds >= {"vin utf-8", "coordinate float32-le", "coordinate float64-le"}


def test_finds_inside_sqlite_its_log_and_its_freed_pages(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "papers.sqlite", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA secure_delete=OFF")
        db.execute("CREATE TABLE t (vin TEXT, lon REAL, lon6 INTEGER, lat6 INTEGER)")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("INSERT INTO t VALUES (?, ?, ?, ?)", (VIN, LON, round(LON * 1e6), round(LAT * 1e6)))
        forms = {"vin utf-8", "coordinate float64-be", "coordinate int32-be"}
        hits = find(tmp_path, [VIN], FIXES)
        assert {hit.kind for hit in hits if hit.file == "papers.sqlite-wal"} == forms
        db.execute("DELETE FROM t")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        hits = find(tmp_path, [VIN], FIXES)
        assert {hit.kind for hit in hits if hit.file == "papers.sqlite"} == forms


def test_finds_values_that_sqlite_spreads_or_shortens(tmp_path: Path) -> None:
    near_zero = [(6.543211, 3.210987)]
    with closing(sqlite3.connect(tmp_path / "x.sqlite", isolation_level=None)) as db:
        db.execute("PRAGMA page_size=512")
        db.execute("CREATE TABLE t (long TEXT, lon6 INTEGER, lat6 INTEGER)")
        # Only the first bytes of a long value stay in its row; the rest follows in pages of 508 bytes each.
        db.executemany("INSERT INTO t VALUES (?, 6543211, 3210987)", [["-" * n + VIN] for n in range(900, 1500, 7)])
    hits = find(tmp_path, [VIN], near_zero)
    assert {"vin utf-8", "coordinate int32-le"} <= {hit.kind for hit in hits if hit.within == "sqlite values"}


def test_finds_nothing_in_random_bytes(tmp_path: Path) -> None:
    for seed in range(4):
        (tmp_path / f"{seed}.bin").write_bytes(noise(2_000_000, seed))
    lons, lats = np.random.default_rng(3).uniform((70, 18), (135, 53), (5000, 2)).T.tolist()
    assert find(tmp_path, [VIN], list(zip(lons, lats, strict=True))) == []


def test_a_lone_number_of_four_bytes_is_no_hit(tmp_path: Path) -> None:
    assert search(tmp_path, noise(4096) + struct.pack("<i", round(LON * 1e6)) + noise(4096, 2)) == set()


def test_plain_numbers_stand_for_no_place(tmp_path: Path) -> None:
    (tmp_path / "zeros").write_bytes(bytes(10_000) + np.full(100, 31.25, "<f4").tobytes())
    assert find(tmp_path, [], [(0.0, 0.0), (121.5, 31.25)]) == []


DAMAGED = [
    b"",
    b"abc",
    b"PK\x03\x04",
    b"PAR1",
    b"PAR1" + bytes(50) + b"PAR1",
    b"ARROW1",
    b"\xff\xff\xff\xff",
    b"\x1f\x8b\x08",
    b"\x28\xb5\x2f\xfd",
    b"\x28\xb5\x2f\xfd\0\0\7\0\0",
]


@pytest.mark.parametrize("data", DAMAGED)
def test_damaged_files_are_read_as_they_lie(tmp_path: Path, data: bytes) -> None:
    assert search(tmp_path, data) == set()
    assert search(tmp_path, data + VIN.encode()) == {"vin utf-8"}
