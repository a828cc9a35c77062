"""Every file of a log that is wrong is named, and the signed root says which of two that differ it is."""

import random

import pytest

from onshore.ledger.audit import audit
from onshore.ledger.log import Log
from onshore.ledger.note import Checkpoint
from onshore.ledger.signer import LogSigner, Signer
from onshore.ledger.tree import SPAN, tile_path

SEED = bytes(range(32))
SIZES = (0, 1, 255, 256, 257, 700)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A log that grew through all these sizes, its narrower tiles still there."""
    folder = tmp_path_factory.mktemp("log")
    log = Log(folder, SEED, "onshore.example/log")
    log.append([])
    for size in SIZES[1:]:
        log.append([b"entry %d" % n for n in range(log.size, size)])
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def found(files):
    return dict(audit(files.get, sorted(files), LogSigner("onshore.example/log", SEED).keys))


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_all_holds(made):
    assert found(made) == {}


def test_a_flipped_bit_in_any_file_names_it_alone(made):
    dice = random.Random(3)
    for name, data in made.items():
        for at in {0, len(data) - 1, dice.randrange(len(data))}:
            assert set(found(made | {name: flipped(data, at)})) == {name}, (name, at)


def test_a_missing_file_is_named_unless_a_wider_one_holds_the_same(made):
    for name in made:
        wrong = found({other: data for other, data in made.items() if other != name})
        wider = ".p/" in name and name not in {tile_path(k, 2, 700 - 2 * SPAN) for k in (0, None)} | {
            tile_path(1, 0, 2)
        }
        assert set(wrong) == (set() if wider else {name})


def test_bundle_and_tile_that_agree_against_the_root_leave_the_checkpoint_in_doubt(made):
    from onshore.ledger.tree import leaf

    bundle, tile = tile_path(None, 2, 188), tile_path(0, 2, 188)
    entries = made[bundle].replace(b"entry 699", b"entry 000")
    wrong = found(made | {bundle: entries, tile: made[tile][:-32] + leaf(b"entry 000")})
    assert set(wrong) == {"checkpoint"}


def test_where_both_are_wrong_both_are_named(made):
    bundle, tile = tile_path(None, 1), tile_path(0, 1)
    wrong = found(made | {bundle: flipped(made[bundle], 7), tile: flipped(made[tile], 7)})
    assert {bundle, tile} <= set(wrong)
    torn = found(made | {bundle: made[bundle][:-1], tile: made[tile][:-1]})
    assert {bundle, tile} <= set(torn)


@pytest.mark.parametrize("name", ["tile/0/003", "tile/3/000", "notes", "tile/0/002.p/500", "tile/entries/000.q/1"])
def test_foreign_files_are_named(made, name):
    assert set(found(made | {name: b"x"})) == {name}


@pytest.mark.parametrize("name", ["tile/0/002", "tile/entries/002.p/255", "checkpoint.new", "tile/0/001.new"])
def test_what_a_crash_may_leave_tells_nothing(made, name):
    full = {"tile/0/002": made[tile_path(0, 2, 188)] + bytes(32 * 68)}
    whole = {name: full.get(name, b"")}
    if name == "tile/entries/002.p/255":
        whole = {name: made[tile_path(None, 2, 188)] + bytes(2 * 67)}
    assert found(made | whole) == {}


def test_another_logs_checkpoint_or_none(made):
    other = Signer("onshore.example/other", SEED)
    from onshore.ledger.note import checkpoint_text

    note = other.sign(checkpoint_text(Checkpoint("onshore.example/other", 0, bytes(32)))).encode()
    assert set(found(made | {"checkpoint": note})) == {"checkpoint"}
    assert found({})["checkpoint"] == "it is missing"
    assert found({})["vkey"] == "it is missing"
