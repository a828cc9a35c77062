"""Proofs of random trees verify; altered in any byte, hash, index or size they do not."""

from functools import cache
from hashlib import sha256

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from onshore.ledger import proofs, verify
from onshore.ledger.edge import Edge
from onshore.ledger.note import Checkpoint, Wrong, checkpoint_text
from onshore.ledger.signer import Signer
from onshore.ledger.tree import consistent, included, leaf, root, tile_path
from onshore.ledger.verify import Proof, Trust

MOST = 70_000
ENTRIES = [b"%d" % i for i in range(MOST)]
FILES = Edge().grown(ENTRIES)[1]
HASHES = [leaf(e) for e in ENTRIES]
SIGNER = Signer("example.org/log", bytes(32))
TRUST = Trust((SIGNER.key,))
LARGE = (65_535, 65_536, 65_537, 65_800, MOST)
sizes = st.one_of(st.integers(1, 600), st.sampled_from((255, 256, 257, *LARGE)))


def tile(level, number):
    width = min(256, (MOST >> 8 * level) - 256 * number)
    raw = FILES[tile_path(level, number, width)]
    return [raw[i : i + 32] for i in range(0, len(raw), 32)]


@cache
def root_of(size):
    return root(HASHES[:size])


@given(sizes, st.data())
@settings(max_examples=60, deadline=None)
def test_inclusion(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof, top = proofs.inclusion(index, size, tile), root_of(size)
    assert included(HASHES[index], index, size, proof, top)
    other = data.draw(st.integers(-1, size))
    assert included(HASHES[index], other, size, proof, top) is (other == index)
    assert not included(HASHES[index], index, size, _altered(proof, data, top), top)
    assert not included(HASHES[index], index, size, proof, sha256(top).digest())
    assert not included(leaf(b"x"), index, size, proof, top)


@given(sizes, st.data())
@settings(max_examples=60, deadline=None)
def test_consistency(new, data):
    old = min(new, data.draw(sizes))
    proof, roots = proofs.consistency(old, new, tile), (root_of(old), root_of(new))
    assert consistent(old, new, proof, *roots)
    assert not consistent(old, new, _altered(proof, data, roots[1]), *roots)
    assert not consistent(old, new, proof, sha256(roots[0]).digest(), roots[1])
    assert not consistent(old, new, proof, roots[0], sha256(roots[1]).digest())
    other = data.draw(st.integers(1, new))
    assume(other != old)
    assert not consistent(other, new, proof, roots[0], roots[1])


def _altered(proof, data, spare):
    """The proof with a hash changed, dropped, doubled, or with one too many."""
    changed = list(proof)
    at = data.draw(st.integers(0, len(proof)))
    if at == len(proof):
        return [*changed, spare]
    match data.draw(st.sampled_from(["flip", "drop", "double"])):
        case "flip":
            bit = data.draw(st.integers(0, 255))
            changed[at] = (int.from_bytes(changed[at], "big") ^ 1 << bit).to_bytes(32, "big")
        case "drop":
            del changed[at]
        case "double":
            changed.insert(at, changed[at])
    return changed


def proof_text(index, size):
    note = SIGNER.sign(checkpoint_text(Checkpoint("example.org/log", size, root_of(size))))
    return verify.write_proof(Proof(ENTRIES[index], index, tuple(proofs.inclusion(index, size, tile)), note)).encode()


@given(st.integers(1, 600), st.data())
@settings(max_examples=60, deadline=None)
def test_any_altered_byte_of_a_proof_file_is_wrong(size, data):
    raw = proof_text(data.draw(st.integers(0, size - 1)), size)
    assert verify.write_proof(verify.read_proof(raw)).encode() == raw
    assert list(verify.proof(raw, TRUST))
    at, byte = data.draw(st.integers(0, len(raw) - 1)), data.draw(st.integers(1, 255))
    altered = raw[:at] + bytes([raw[at] ^ byte]) + raw[at + 1 :]
    for other in (altered, raw[:at], raw[:at] + raw[at + 1 :], raw[:at] + b"\n" + raw[at:]):
        if other != raw:
            with pytest.raises(Wrong):
                list(verify.proof(other, TRUST))


@given(st.lists(st.integers(0, 700), max_size=6))
@settings(max_examples=40, deadline=None)
def test_growing_in_any_steps_writes_the_same_tree(steps):
    edge, at = Edge(), 0
    for step in steps:
        edge, _ = edge.grown(ENTRIES[at : at + step])
        at += step
    assert edge == Edge().grown(ENTRIES[:at])[0]
    assert edge.root() == root_of(at)


@given(st.recursive(
    st.one_of(st.booleans(), st.text(), st.integers(-(2**53) + 1, 2**53 - 1)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
))  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_canonical_json_is_read_back_and_has_one_spelling(value):
    raw = verify.canonical({"value": value})
    assert verify.read_entry(raw) == {"value": value}
    with pytest.raises(Wrong):
        verify.read_entry(b" " + raw)
