"""An auditor's mirror over the real server: what is new is fetched, all is checked, what is wrong changes nothing."""

import asyncio
import shutil
import socket
import threading
from datetime import datetime

import pytest
from click.testing import CliRunner

from onshore.cli.main import cli
from onshore.ledger import serve
from onshore.ledger.entry import entry
from onshore.ledger.mirror.client import Line
from onshore.ledger.mirror.fetch import fetch
from onshore.ledger.note import Checkpoint, Wrong, checkpoint_text, read_keys
from onshore.ledger.signer import LogSigner, Signer
from onshore.ledger.verify import Trust
from onshore.ledger.years import Years
from onshore.words.errors import Malformed, Refusal

SEED, ORIGIN, ZONE = b"s" * 32, "example.org/shanghai", "Asia/Shanghai"
KEYS = LogSigner(ORIGIN, SEED).vkeys


def made(kind, at="2027-01-01T00:00:00+08:00", **fields):
    when = int(datetime.fromisoformat(at).timestamp() * 1000)
    return entry(kind, at=when, site="a1", jurisdiction="CN", **fields)


def grow(log, year, many):
    at = f"{year}-06-01T00:00:00+08:00"
    first = log.size
    entries = [
        made("take", at=at, obj=f"sha256:{n:064x}", rows=n, parts=0, bytes=0) for n in range(first, first + many)
    ]
    log.append(entries, made)
    return log


class Served:
    """The log in a folder behind its real server, in a thread of its own."""

    def __init__(self, folder, seed=SEED):
        self.folder = folder
        self.log = Years(folder, seed, ORIGIN, zone=ZONE, write=True)

    def __enter__(self):
        ready, self._loop, self._done = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

        async def run():
            async with serve.published(self.folder, ZONE, "127.0.0.1", 0) as self.port:
                ready.set()
                await self._done.wait()

        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(run()))
        self._thread.start()
        assert ready.wait(30)
        return self

    def __exit__(self, *_why):
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(30)
        self._loop.close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"


@pytest.fixture
def served(tmp_path):
    with Served(tmp_path / "ledger") as there:
        grow(there.log, 2026, 300)
        yield there


@pytest.fixture
def mirror(tmp_path):
    return tmp_path / "mirror"


def fetched(served, mirror, *more):
    return CliRunner().invoke(cli, ["ledger", "fetch", served.url, str(mirror), "--key", KEYS.split()[0], *more])


def verified(mirror, *more):
    run = CliRunner().invoke(cli, ["verify", str(mirror), "--key", KEYS.split()[0], *more])
    return run.exit_code, run.stdout


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_auditor_follows_a_log_over_new_year(served, mirror):
    first = fetched(served, mirror)
    assert (first.exit_code, first.stdout.splitlines()[-1]) == (0, "verified")
    seen = (mirror / "2026" / "checkpoint").read_bytes()
    grow(served.log, 2026, 300)
    grow(served.log, 2027, 3)
    again = fetched(served, mirror)
    assert again.exit_code == 0, again.output
    assert "since: the log extends the older checkpoint of 300 entries" in again.stdout
    assert "year 2026: closed with 601 entries" in again.stdout
    assert not list((mirror / "2026" / "tile" / "0" / "001.p").glob("*")), "a partial tile that a full one replaced"
    (mirror.parent / "seen").write_bytes(seen)
    assert verified(mirror, "--since", str(mirror.parent / "seen"))[0] == 0
    before = files(mirror)
    assert fetched(served, mirror).exit_code == 0
    assert files(mirror) == before


def test_only_what_is_new_is_asked_for(served, mirror):
    fetched(served, mirror)
    grow(served.log, 2026, 3)
    asked = []

    def get(path, most):
        asked.append(path)
        with Line(served.url, 20) as line:
            return line.get(path, most)

    list(fetch(get, mirror, Trust(read_keys(KEYS)), 1000))
    partial = ["/2026/tile/0/001.p/47", "/2026/tile/entries/001.p/47"]
    assert asked == ["/", "/2026/checkpoint", *partial]


def test_a_log_that_was_rolled_back_or_written_anew(served, mirror, tmp_path):
    grow(served.log, 2026, 9)
    fetched(served, mirror)
    before = files(mirror)
    for name, many in (("back", 300), ("anew", 400)):
        with Served(tmp_path / name) as other:
            other.log.append([made("site", at="2026-06-01T00:00:00+08:00")], made)
            grow(other.log, 2026, many)
            run = fetched(other, mirror)
            assert run.exit_code == 3
            assert ("309 entries, this one 301" if name == "back" else "do not lead to the root") in run.stderr
            refused = mirror / "2026" / "refused"
            assert refused.read_text() == other.log.checkpoint, "the log signed both, which is evidence"
            refused.unlink()
            assert files(mirror) == before
    with Served(tmp_path / "none") as empty:
        run = fetched(empty, mirror)
        assert run.exit_code == 3
        assert "it lacks what was fetched from it earlier" in run.stderr
    assert verified(mirror)[0] == 0


def test_a_bundle_that_was_altered_is_not_kept(served, mirror):
    bundle = served.folder / "tile" / "entries" / "000"
    raw = bundle.read_bytes()
    bundle.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    run = fetched(served, mirror)
    assert run.exit_code == 3
    assert "entry 255 is not the one in the tree" in run.stderr
    assert not files(mirror)
    bundle.write_bytes(raw)
    assert fetched(served, mirror).exit_code == 0


def test_what_a_kill_left_goes_on_and_what_it_left_wrong_goes(served, mirror):
    asked = []

    def dies(path, most):
        asked.append(path)
        if path == "/2026/tile/1/000.p/1":
            raise KeyboardInterrupt
        with Line(served.url, 20) as line:
            return line.get(path, most)

    with pytest.raises(KeyboardInterrupt):
        list(fetch(dies, mirror, Trust(read_keys(KEYS)), 1000))
    (mirror / "2026" / "tile" / "0").mkdir(parents=True)
    (mirror / "2026" / "tile" / "0" / "000").write_bytes(b"torn")
    assert fetched(served, mirror).exit_code == 3
    assert fetched(served, mirror).exit_code == 0


def test_a_log_longer_than_was_allowed(served, mirror):
    run = fetched(served, mirror, "--most", "299")
    assert run.exit_code == 1
    assert "too-long" in run.stderr


@pytest.mark.parametrize("listed", [b"2027\n2026\n", b"../../x\n", b"2026\n2026\n", b"\xff\n"])
def test_a_list_of_years_that_is_none(mirror, listed):
    with pytest.raises(Wrong, match="years"):
        list(fetch(lambda _path, _most: listed, mirror, Trust(read_keys(KEYS)), 9))
    assert not mirror.exists()


def test_what_is_served_is_of_somebody_else_or_lacks_files(mirror):
    def get(path, _most):
        text = checkpoint_text(Checkpoint(ORIGIN, 3, bytes(32)))
        return {"/": b"2026\n", "/2026/checkpoint": Signer(ORIGIN, seed).sign(text).encode()}.get(path)

    seed = b"o" * 32
    with pytest.raises(Wrong, match="no key that you trust"):
        list(fetch(get, mirror, Trust(read_keys(KEYS.split()[0])), 9))
    seed = SEED
    with pytest.raises(Wrong, match="it is missing"):
        list(fetch(get, mirror, Trust(read_keys(KEYS.split()[0])), 9))
    with pytest.raises(Wrong, match="lacks the log's ML-DSA-44 signature"):
        list(fetch(get, mirror, Trust(read_keys(KEYS)), 9))
    with pytest.raises(Wrong, match=r"2026/checkpoint: it is missing"):
        list(fetch(lambda path, _most: b"2026\n" if path == "/" else None, mirror, Trust(read_keys(KEYS)), 9))


@pytest.mark.parametrize("url", ["ftp://a/", "http:///x", "http://u@h/", "http://h/?q", "http://h:x/", "h"])
def test_an_address_that_is_none(url):
    with pytest.raises(Malformed):
        Line(url, 1)


def test_what_does_not_answer_or_serves_no_log(served, mirror, tmp_path):
    with Line(served.url, 20) as line:
        for path, most in (("/2026/tile/0/000", 8191), ("/2026/checkpoint", 10)):
            with pytest.raises(ConnectionError, match="longer than such a file is"):
                line.get(path, most)
        assert line.get("/none", 99) is None
    gone = served.url
    run = CliRunner().invoke(cli, ["ledger", "fetch", gone + "x", str(mirror), "--key", "nonsense"])
    assert run.exit_code == 2
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"http://127.0.0.1:{mute.getsockname()[1]}"
    run = CliRunner().invoke(cli, ["ledger", "fetch", address, str(mirror), "--key", KEYS.split()[0]])
    assert (run.exit_code, "not-reached" in run.stderr) == (1, True)
    (served.folder / "turn-2026").mkdir()
    run = fetched(served, mirror)
    assert (run.exit_code, "it answers 503" in run.stderr) == (1, True)
    shutil.rmtree(served.folder / "turn-2026")


def test_too_long_says_what_to_do(mirror):
    text = checkpoint_text(Checkpoint(ORIGIN, 10, bytes(32)))
    note = Signer(ORIGIN, SEED).sign(text).encode()
    served = {"/": b"2026\n", "/2026/checkpoint": note}
    with pytest.raises(Refusal) as no:
        list(fetch(lambda path, _most: served.get(path), mirror, Trust(read_keys(KEYS.split()[0])), 9))
    assert (no.value.reason, no.value.remedy) == ("too-long", "allow more with --most, if there is room on the disk")
