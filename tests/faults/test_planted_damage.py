"""`onshore check --deep` finds whatever is done to a file of a real site, and says its name."""

import os
import random
import shutil

import pytest
from click.testing import CliRunner

from fault_acts import journal_of
from onshore.cli import egress
from onshore.cli.deep import note_seal
from onshore.cli.main import cli
from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.decode import decode
from onshore.gate.intake import Intake
from onshore.register import vehicles
from onshore.site import open_site
from onshore.vault.drain import drain
from onshore.vault.lanes import Sending
from site_makers import Hands

FEW = 3  # of the segments, and of what the ledger consists of


def take_in(here, batches):
    """Frames of a car into journals, each batch into a file of its own."""
    vin = Hands.vin(9)
    if vehicles.look_up(here, vin) is None:
        vehicles.add(here, vin.decode())
    vehicle = vehicles.find(here, vin.decode()).id
    with journal_of(here) as journal:
        way_in = Intake(here, journal)
        for number in range(batches):
            at = here.clock() - 60_000 + number * 1000
            frames = [encode.realtime(vin, at, {"vehicle": {"status": "started", "speed_kmh": 50 + number}})]
            way_in.take_in(decode(frames, [vehicle], here.clock()).batch)
            journal.rotate()
        way_in.close()


def drained(here, **more):
    """As the site drains, but for a platform as well."""
    with here.keeping():
        drain(
            here.engine,
            here.root,
            here.vault,
            here.id,
            zone=here.pack.zone,
            clock=here.clock,
            randomness=here.randomness,
            announce=here._announce,
            **more,
        )
        here.write_ledger()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site after the demo's story; with journals that are not drained, a lane, and one kept aside; sealed."""
    folder = tmp_path_factory.mktemp("planted") / "site"
    done = CliRunner().invoke(cli, ["demo", "--once", "--site", str(folder)])
    assert done.exit_code == 0, done.output
    here = open_site(folder)
    take_in(here, 1)
    drained(here, sending=Sending(["authority"]))
    take_in(here, 1)
    (journal,) = (folder / "vault" / "journal" / "0").glob("*.journal")
    flip(journal, 40)
    drained(here)
    take_in(here, 2)
    assert note_seal(here)
    here.engine.dispose()
    return folder


def flip(path, at):
    """Change a bit as a disk does: the file's times stay."""
    found, data = path.stat(), bytearray(path.read_bytes())
    data[at] ^= 1 << at % 8
    path.write_bytes(data)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def checked(folder):
    return CliRunner().invoke(cli, ["check", "--deep", "--site", str(folder)]).output


def files(folder):
    return sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("papers.sqlite-"))


def of_each_kind(folder, dice):
    """Every file of the site, but for a few of those that are many."""
    kinds = {}
    for path in files(folder):
        where = path.relative_to(folder).as_posix()
        kind = next(
            (k for k in ("vault/segments", "ledger/tile/0", "ledger/tile/entries") if where.startswith(k)), where
        )
        kinds.setdefault(kind, []).append(path)
    return [path for found in kinds.values() for path in dice.sample(found, min(FEW, len(found)))]


def test_all_is_well_before(site):
    said = checked(site)
    assert "BAD  damage" not in said
    assert said.count("BAD") == 2, "the journal that was kept aside, and what waits for a platform that is not listed"
    assert "was damaged: record 0 lost, 0 records recovered" in said
    assert "vault/aside/0-" in said


def test_a_flipped_bit_anywhere_is_found_and_the_file_named(site):
    dice, seen = random.Random(4), set()
    for path in of_each_kind(site, dice):
        size = path.stat().st_size
        where = path.relative_to(site).as_posix()
        if not size or where.startswith("vault/aside/"):
            continue
        keep = path.with_name(path.name + ".kept")
        shutil.copy2(path, keep)
        try:
            flip(path, dice.randrange(size))
            keep.rename(site.parent / "kept")
            assert path.name in checked(site), where
        finally:
            (site.parent / "kept").rename(path)
        seen.add(where.split("/")[0] + path.suffix if "/" in where else where)
    assert {"papers.sqlite", "site.toml", "keys.key", "seal", "outbox.parcel", "outbox.tlog-proof"} <= seen
    assert {"vault.parquet", "vault.journal", "vault.lane", "ledger"} <= seen
    assert "BAD  damage" not in checked(site)


@pytest.mark.parametrize("harm", ["missing", "cut", "emptied"])
def test_a_file_that_is_gone_or_cut_is_found_and_named(site, harm):
    dice = random.Random(5)
    for path in of_each_kind(site, dice):
        where, size = path.relative_to(site).as_posix(), path.stat().st_size
        optional = where in {"seal", "ledger/vkey"} or where.startswith("locks/") or path.name == "lock"
        if not size or (harm == "missing" and (optional or path.suffix == ".parcel" or _older(path))):
            continue
        if where.startswith("vault/aside/") and harm != "missing":
            continue
        path.rename(site.parent / "kept")
        try:
            if harm != "missing":
                data = (site.parent / "kept").read_bytes()
                path.write_bytes(data[: dice.randrange(1, size) if harm == "cut" else 0])
            assert path.name in checked(site), (harm, where)
        finally:
            for left in site.glob("papers.sqlite-*"):
                left.unlink()
            (site.parent / "kept").rename(path)
    assert "BAD  damage" not in checked(site)


def _older(path):
    """A partial tile that a wider one stands beside: the log does not need it."""
    return path.parent.suffix == ".p" and int(path.name) < max(int(p.name) for p in path.parent.iterdir())


def test_two_files_swapped_are_found_and_named(site):
    parquet = sorted((site / "vault").rglob("*.parquet"))
    journals = sorted((site / "vault" / "journal").rglob("*.journal"))
    for one, other in ((parquet[0], parquet[-1]), (journals[0], journals[1])):
        _swap(one, other)
        said = checked(site)
        assert one.name in said
        assert other.name in said
        _swap(one, other)
    assert "BAD  damage" not in checked(site)


def _swap(one, other):
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


FOREIGN = (
    "vault/segments/track/2026-11-22/1/0123456789abcdef0123456789abcdef.parquet",
    "vault/segments/notes.txt",
    "vault/journal/0/99.journal",
    "vault/journal/7/1.journal",
    "vault/forward/authority/more.lane",
    "vault/aside/other.journal",
    "ledger/tile/0/001",
    "ledger/notes.txt",
    "outbox/smuggled.parcel",
    "outbox/smuggled.zip",
    "locks/full",
)


@pytest.mark.parametrize("where", FOREIGN)
def test_a_foreign_file_is_found_and_named(site, where):
    path = site / where
    made = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"foreign")
    try:
        assert path.name in checked(site)
    finally:
        path.unlink()
        for folder in made:
            folder.rmdir()


ALTERED = (
    ("segments", "rows = rows + 1"),
    ("segments", "bytes = bytes + 1"),
    ("segments", "first = first + 1"),
    ("segments", "last = last - 1"),
    ("segments", "day = '2020-01-01'"),
    ("segments", "ground = 'statutory'"),
    ("segments", "pack = 'cn/2020-01'"),
    ("segments", "sha256 = '00'"),
    ("segments", "wrapped = zeroblob(60)"),
    ("journals", "records = records + 1"),
    ("journals", "wrapped = zeroblob(60)"),
    ("forwards", "rows = rows + 1"),
    ("forwards", "wrapped = zeroblob(60)"),
)


@pytest.mark.parametrize(("table", "change"), ALTERED)
def test_papers_that_were_altered_are_found_by_the_file_they_speak_of(site, tmp_path, table, change):
    import sqlite3

    copy = shutil.copytree(site, tmp_path / "site")
    with sqlite3.connect(copy / "papers.sqlite") as conn:
        which = (
            f"(SELECT id FROM {table} WHERE ground = 'consent' ORDER BY id LIMIT 1)" if table == "segments" else None
        )
        which = which or f"(SELECT id FROM {table} LIMIT 1)"
        (id_,) = conn.execute(f"SELECT id FROM {table} WHERE id = {which}").fetchone()
        conn.execute(f"UPDATE {table} SET {change} WHERE id = ?", (id_,))
    conn.close()
    said = checked(copy)
    assert (f"{id_.split('/')[-1]}.journal" if table == "journals" else id_) in said


@pytest.mark.parametrize("tried", [[], [egress.Tried("onshore.gate", "connect")]])
def test_ledger_fsck_names_every_file_that_is_wrong(site, tmp_path, monkeypatch, tried):
    monkeypatch.setattr(egress, "_TRIED", tried)  # which the ledger, as it is, does not take
    copy = shutil.copytree(site, tmp_path / "site")
    (bundle,) = [p for p in (copy / "ledger" / "tile" / "entries" / "000.p").iterdir() if not _older(p)]
    flip(copy / "ledger" / "vkey", 10)
    flip(bundle, bundle.stat().st_size - 5)
    done = CliRunner().invoke(cli, ["ledger", "fsck", "--site", str(copy)])
    assert done.exit_code == 3
    assert "ledger/vkey" in done.output
    assert f"ledger/tile/entries/000.p/{bundle.name}" in done.output
