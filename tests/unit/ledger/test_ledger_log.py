"""The log: appended to, reopened, proven, and refused where its files were altered."""

import pytest

from onshore.ledger.layout import paths
from onshore.ledger.log import Log
from onshore.ledger.signer import Signer
from onshore.ledger.tree import consistent, included, leaf
from onshore.ledger.verify import read_proof
from onshore.words.errors import Broken, Malformed

SEED, ORIGIN = b"s" * 32, "example.org/shanghai"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "ledger"


def log(folder):
    return Log(folder, SEED, ORIGIN)


def entries(n, start=0):
    return [b"entry %d" % i for i in range(start, start + n)]


def test_a_new_log_writes_nothing_until_it_is_appended_to(folder):
    new = log(folder)
    assert new.size == 0
    assert new.checkpoint == ""
    assert not folder.exists()
    assert new.append([]) == 0
    assert new.checkpoint.startswith(f"{ORIGIN}\n0\n47DEQpj8HBSa")
    assert (folder / "vkey").read_text() == new.vkeys
    assert new.append(entries(3)) == 0
    assert new.append(entries(2, 3)) == 3


@pytest.mark.parametrize("sizes", [[1], [5, 7], [255, 1, 1], [256], [300, 300], [700]])
def test_what_was_appended_is_there_after_reopening(folder, sizes):
    at = 0
    for size in sizes:
        assert log(folder).append(entries(size, at)) == at
        at += size
    here = log(folder)
    assert here.size == at
    assert list(here.entries()) == entries(at)
    assert list(here.entries(at - 1)) == entries(1, at - 1)
    assert list(here.entries(at)) == []
    assert here.entry_at(0) == b"entry 0"
    assert [f.checked for f in here.fsck()] == [True, False, True, True, True]


def test_every_file_of_the_layout_is_there_and_replaced_partials_are_gone(folder):
    here = log(folder)
    for _ in range(5):
        here.append(entries(100, here.size))
    found = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} - {"checkpoint", "vkey"}
    assert set(paths(500)) <= found
    partials = {"tile/0/001.p/44", "tile/0/001.p/144", "tile/entries/001.p/44", "tile/entries/001.p/144"}
    assert found - set(paths(500)) == partials


def test_proofs_hold(folder):
    here = log(folder)
    here.append(entries(600))
    point = here.checkpoint
    for index in (0, 1, 255, 256, 511, 512, 599):
        proof = read_proof(here.prove(index).encode())
        assert proof.entry == b"entry %d" % index
        assert proof.checkpoint == point
        assert included(leaf(proof.entry), index, 600, proof.hashes, here._edge.root())


def test_growth_is_proven(folder):
    here, roots = log(folder), [log(folder)._edge.root()]
    for i in range(21):
        here.append(entries(25, 25 * i))
        roots.append(here._edge.root())
    for i, old in enumerate(roots):
        assert consistent(25 * i, 525, here.consistency(25 * i), old, roots[-1])
    for size in (-1, 526):
        with pytest.raises(Malformed):
            here.consistency(size)


def test_numbers_beyond_the_log_are_refused(folder):
    here = log(folder)
    here.append(entries(1))
    for index in (-1, 1):
        with pytest.raises(Malformed):
            here.prove(index)
        with pytest.raises(Malformed):
            here.entry_at(index)


def test_an_entry_too_long_for_a_bundle_is_refused_and_nothing_is_appended(folder):
    here = log(folder)
    with pytest.raises(Malformed):
        here.append([b"fine", b"x" * 65_536])
    assert here.append([b"x" * 65_535]) == 0


def test_two_writers_do_not_sign_two_trees(folder):
    one, other = log(folder), log(folder)
    one.append(entries(1))
    with pytest.raises(Broken, match="another process"):
        other.append(entries(1))


def test_a_reader_with_an_older_checkpoint_reads_on_while_partials_go(folder):
    writer = log(folder)
    writer.append(entries(200))
    reader = log(folder)
    writer.append(entries(200, 200))
    assert not (folder / "tile/0/000.p").exists()
    assert list(reader.entries()) == entries(200)
    proof = read_proof(reader.prove(7).encode())
    assert included(leaf(proof.entry), 7, 200, proof.hashes, reader._edge.root())


def damage(path):
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/002.p/88", "tile/entries/002.p/88", "tile/1/000.p/2"])
def test_a_damaged_edge_does_not_open(folder, name):
    log(folder).append(entries(600))
    damage(folder / name)
    with pytest.raises(Broken):
        log(folder)


@pytest.mark.parametrize("name", ["tile/0/002.p/88", "tile/entries/002.p/88", "tile/1/000.p/2"])
def test_a_missing_edge_does_not_open(folder, name):
    log(folder).append(entries(600))
    (folder / name).unlink()
    with pytest.raises(Broken, match="missing"):
        log(folder)


def test_a_log_that_lost_its_checkpoint_does_not_begin_anew(folder):
    log(folder).append(entries(1))
    (folder / "checkpoint").unlink()
    with pytest.raises(Broken, match="lost its checkpoint"):
        log(folder)


def test_a_log_of_another_key_or_name_does_not_open(folder):
    log(folder).append(entries(1))
    with pytest.raises(Broken):
        Log(folder, b"t" * 32, ORIGIN)
    with pytest.raises(Broken):
        Log(folder, SEED, "example.org/other")


def test_a_checkpoint_of_another_log_under_our_key_does_not_open(folder):
    from onshore.ledger.note import Checkpoint, checkpoint_text
    from onshore.ledger.tree import EMPTY

    here = log(folder)
    here.append([])
    (folder / "checkpoint").write_text(Signer(ORIGIN, SEED).sign(checkpoint_text(Checkpoint("else", 0, EMPTY))))
    with pytest.raises(Broken, match="else"):
        log(folder)


@pytest.mark.parametrize(("name", "index"), [("tile/0/001", 300), ("tile/entries/000", 0)])
def test_damage_inside_is_found_when_it_is_read(folder, name, index):
    log(folder).append(entries(600))
    damage(folder / name)
    here = log(folder)
    with pytest.raises(Broken, match="damaged"):
        list(here.fsck())
    (folder / name).unlink()
    with pytest.raises(Broken, match="missing"):
        here.prove(index)


def test_fsck_of_a_log_without_a_checkpoint_is_broken(folder):
    with pytest.raises(Broken):
        list(log(folder).fsck())
