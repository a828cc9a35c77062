"""C2SP's signed-note vector, and a log that another implementation wrote, by our verifier."""

import base64

import pytest

from onshore.ledger import proofs, tree, verify
from onshore.ledger.note import Wrong, open_note, read_checkpoint, read_key
from onshore.ledger.verify import Trust

VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n"
    "\u2014 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
LOG_KEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
SIZES = range(16)


def test_the_signed_note_vector():
    assert str(read_key(VKEY)) == VKEY
    assert open_note(NOTE, [VKEY]).text == "This is an example message.\n"
    with pytest.raises(Wrong):
        open_note(NOTE.replace("example m", "exemplary m"), [VKEY])


@pytest.fixture(scope="module")
def tessera(shared):
    folder = shared / "data" / "tlog" / "tessera"
    if not folder.is_dir():
        pytest.skip(f"the log of another implementation is absent ({folder})")
    return folder


@pytest.fixture(scope="module")
def points(tessera):
    """Root by size, of all sixteen checkpoints, each signature verified."""
    notes = [(tessera / f"checkpoint.{size}").read_bytes() for size in SIZES]
    found = [read_checkpoint(open_note(note, [LOG_KEY]).text) for note in notes]
    assert [p.size for p in found] == list(SIZES)
    return [p.root for p in found]


@pytest.fixture(scope="module")
def hashes(tessera):
    raw = (tessera / "tile" / "0" / "000.p" / "15").read_bytes()
    return [raw[i : i + 32] for i in range(0, len(raw), 32)]


def reader(tessera, size):
    names = {"checkpoint": f"checkpoint.{size}"}

    def read(path):
        file = tessera / names.get(path, path)
        return file.read_bytes() if file.is_file() else None

    return read


@pytest.mark.parametrize("size", SIZES)
def test_the_log_verifies_at_each_size(tessera, points, size):
    trust = Trust((read_key(LOG_KEY),))
    assert [f.checked for f in verify.log(reader(tessera, size), trust)] == [True, False, True, True, True]
    for older in range(size + 1):
        since = Trust(trust.keys, since=(tessera / f"checkpoint.{older}").read_bytes())
        assert str(list(verify.log(reader(tessera, size), since))[-1]).startswith("checked: since")


def test_all_inclusion_proofs(tessera, points, hashes):
    entries = verify.read_bundle(reader(tessera, 15), 0, 15)
    assert [tree.leaf(e) for e in entries] == hashes
    count = 0
    for size in SIZES:
        for index in range(size):
            proof = proofs.inclusion(index, size, lambda level, n: hashes)
            assert tree.included(hashes[index], index, size, proof, points[size])
            assert not tree.included(hashes[index], index, size, proof, points[size - 1])
            count += 1
    assert count == 120


def test_all_consistency_proofs(points, hashes):
    for new in SIZES:
        for old in range(new + 1):
            proof = proofs.consistency(old, new, lambda level, n: hashes)
            assert tree.consistent(old, new, proof, points[old], points[new])
            if old < new:
                assert not tree.consistent(old, new, proof, points[new], points[old])


def test_a_whole_proof_file(tessera, points, hashes):
    checkpoint = (tessera / "checkpoint.15").read_text()
    entries = verify.read_bundle(reader(tessera, 15), 0, 15)
    for index, entry in enumerate(entries):
        lines = [base64.b64encode(h).decode() for h in proofs.inclusion(index, 15, lambda level, n: hashes)]
        extra = base64.b64encode(entry).decode()
        text = "\n".join(["c2sp.org/tlog-proof@v1", f"extra {extra}", f"index {index}", *lines, "", checkpoint])
        found = verify.proof(text.encode(), Trust((read_key(LOG_KEY),)))
        assert str(list(found)[-1]) == f"checked: entry: number {index} of the log's 15 entries"
