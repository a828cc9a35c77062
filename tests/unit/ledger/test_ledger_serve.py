"""The log over HTTP: files under the signed checkpoint, each year under its own prefix, and nothing else."""

import asyncio
import gzip
import shutil
import subprocess
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

import pytest

from onshore.ledger import history, serve
from onshore.ledger.entry import entry
from onshore.ledger.layout import paths
from onshore.ledger.note import read_keys
from onshore.ledger.serve import Shelf, published
from onshore.ledger.verify import Trust
from onshore.ledger.years import Years

SEED, ORIGIN, ZONE = b"s" * 32, "example.org/shanghai", "Asia/Shanghai"


def made(kind, at="2027-01-01T00:00:00+08:00", **fields):
    when = int(datetime.fromisoformat(at).timestamp() * 1000)
    return entry(kind, at=when, site="a1", jurisdiction="CN", **fields)


def taken(at, n):
    return made("take", at=at, obj=f"sha256:{n:064x}", rows=n, parts=0, bytes=0)


@pytest.fixture
def years(tmp_path):
    log = Years(tmp_path / "ledger", SEED, ORIGIN, zone=ZONE, write=True)
    log.append([taken("2026-06-01T00:00:00+08:00", n) for n in range(300)], made)
    log.append([taken("2027-06-01T00:00:00+08:00", n) for n in range(2)], made)
    return log


@pytest.fixture
def shelf(years):
    return Shelf(years.folder, ZONE)


def got(shelf, target, method="GET"):
    return shelf.answer(method, target)


def test_a_stranger_who_fetches_each_year_verifies_it(shelf, years):
    assert got(shelf, "/").body == b"2026\n2027\n"

    def read(name):
        year, _, _ = name.partition("/")
        found = got(shelf, f"/{name}" if year == "2026" else f"/2027/{name}")
        return found.body if found.status == 200 else None

    found = [str(f) for f in history.log(read, Trust(read_keys(got(shelf, "/2027/vkey").body.decode())))]
    assert f"checked: year 2026: closed with 301 entries, from which {ORIGIN}/2027 goes on" in found
    assert not [f for f in found if f.startswith("not checked") and "witnesses" not in f]


def test_tiles_stay_for_ever_and_checkpoints_do_not(shelf):
    for name in paths(301):
        assert got(shelf, f"/2026/{name}").cache == "public, max-age=31536000, immutable"
    for name in ("/", "/2026/checkpoint", "/2027/checkpoint", "/2027/vkey"):
        assert got(shelf, name).cache == "public, max-age=5"
    assert got(shelf, "/2026/tile/0/000").kind == "application/octet-stream"


@pytest.mark.parametrize(
    "target",
    [
        "/checkpoint",
        "/2026",
        "/2026/",
        "/2025/checkpoint",
        "/2026/../2027/checkpoint",
        "/2026/%2e%2e/site.toml",
        "/2026/tile/../../../site.toml",
        "/2026/tile/0/000/../000",
        "//2026/checkpoint",
        "/2026/checkpoint?x",
        "/2026/checkpoint\n",
        "/2026/checkpoint.new",
        "/2026/tile/0/1",
        "/2026/tile/0/000.p/0",
        "/2026/tile/0/000.p/256",
        "/2026/tile/0/000.p/999",
        "/2026/tile/64/000",
        "/2026/tile/0/" + "x001/" * 9 + "001",
        "/2026/secret",
        "http://elsewhere/2026/checkpoint",
        "",
        "*",
    ],
)
def test_nothing_else_is_there(shelf, years, target):
    (years.folder / "2026" / "secret").write_text("s")
    (years.folder / "site.toml").write_text("s")
    (years.folder / "2026" / "checkpoint.new").write_text("s")
    assert got(shelf, target).status == 404


def test_it_is_read_only(shelf):
    assert [got(shelf, "/2027/checkpoint", m).status for m in ("PUT", "POST", "DELETE", "HEAD")] == [405, 405, 405, 200]


def test_what_is_beyond_the_signed_checkpoint_is_not_served(shelf, years):
    ahead = years.folder / "tile" / "0" / "000.p" / "9"
    ahead.write_bytes(bytes(9 * 32))
    assert got(shelf, "/2027/tile/0/000.p/9").status == 404


def test_links_lead_nowhere(shelf, years, tmp_path):
    (tmp_path / "secret").write_text("s")
    (years.folder / "2026" / "witnessed").symlink_to(tmp_path / "secret")
    (years.folder / "2024").symlink_to(tmp_path)
    shutil.copyfile(years.folder / "checkpoint", tmp_path / "checkpoint")
    assert got(shelf, "/2026/witnessed").status == 404
    assert got(shelf, "/2024/checkpoint").status == 404


def test_while_a_year_takes_anothers_place_nothing_is_told(shelf, years):
    (years.folder / "turn-2027").mkdir()
    assert (got(shelf, "/2027/tile/0/000.p/3").status, got(shelf, "/").status) == (503, 503)


def test_a_log_without_entries_has_no_year(tmp_path):
    assert got(Shelf(tmp_path / "none", ZONE), "/").body == b""


@asynccontextmanager
async def connected(folder, **limits):
    async with published(folder, ZONE, "127.0.0.1", 0, replace(serve.LIMITS, **limits)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        yield port, reader, writer
        writer.close()


def told(folder, sent):
    """All that comes back to these bytes, until the server closes or waits for more."""

    async def talk():
        async with connected(folder) as (_, reader, writer):
            writer.write(sent)
            writer.write_eof()
            return await reader.read()

    return asyncio.run(talk())


def test_requests_sent_at_once_are_answered_in_order(years):
    one = b"GET /2027/vkey HTTP/1.1\r\nHost: x\r\n\r\n"
    head = b"HEAD /2026/tile/0/000 HTTP/1.1\r\nHost: x\r\n\r\n"
    said = told(years.folder, one + head + b"GET /no HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert [line.split()[1] for line in said.split(b"\n") if line.startswith(b"HTTP/")] == [b"200", b"200", b"404"]
    assert said.count(years.vkeys.encode()) == 1
    assert b"content-length: 8192\r\n" in said.lower()


@pytest.mark.parametrize(
    "sent",
    [b"\x16\x03\x01" * 99, b"GET /" + b"a" * 20000, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 9999, b"GET /\r\n\r\n", b""],
)
def test_what_is_no_request_of_a_usual_size_gets_nothing(years, sent):
    said = told(years.folder, sent)
    assert not said or (said.startswith((b"HTTP/1.1 400", b"HTTP/1.1 431")) and b"Content-Length: 0\r\n" in said)


def test_entries_go_gzipped_to_whoever_takes_them_so(years):
    ask = b"GET /2026/tile/entries/000 HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br, %s\r\nConnection: close\r\n\r\n"
    raw = (years.folder / "2026" / "tile" / "entries" / "000").read_bytes()
    for word, packed in ((b"gzip;q=1", True), (b"gzip;q=0", False), (b"zstd", False)):
        head, _, body = told(years.folder, ask % word).partition(b"\r\n\r\n")
        assert (gzip.decompress(body) if packed else body) == raw
        assert (b"content-encoding: gzip" in head.lower()) == packed
        assert b"vary: accept-encoding" in head.lower()
        assert b"nosniff" in head


def test_a_client_that_dawdles_is_left(years):
    async def talk():
        async with connected(years.folder, seconds=0.05) as (_, reader, writer):
            writer.write(b"GET / HT")
            return await reader.read()

    assert asyncio.run(talk()) == b""


def test_no_more_than_so_many_at_once(years):
    async def talk():
        async with connected(years.folder, connections=1) as (port, _, writer):
            writer.write(b"GET / HT")
            await writer.drain()
            reader, other = await asyncio.open_connection("127.0.0.1", port)
            try:
                return await reader.read()
            finally:
                other.close()

    assert asyncio.run(talk()) == b""


def test_curl_reads_it(years):
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("there is no curl here")

    async def fetch():
        async with published(years.folder, ZONE, "127.0.0.1", 0) as port:
            url = f"http://127.0.0.1:{port}/2026/tile/entries/000"
            command = [curl, "-s", "--noproxy", "*", "--compressed", "-D", "-", url]
            run = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
            return (await run.communicate())[0]

    head, _, body = asyncio.run(fetch()).partition(b"\r\n\r\n")
    assert b"immutable" in head
    assert body == (years.folder / "2026" / "tile" / "entries" / "000").read_bytes()
