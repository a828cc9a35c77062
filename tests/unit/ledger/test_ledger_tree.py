"""Merkle tree maths held to the recursive definitions of RFC 6962."""

from hashlib import sha256

import pytest

from onshore.ledger import proofs, tree


def mth(leaves):
    """MTH of RFC 6962 §2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def entries(n):
    return [str(i).encode() for i in range(n)]


def tile_of(leaves):
    return lambda level, n: [tree.leaf(e) for e in leaves][n * 256 : n * 256 + 256]


@pytest.mark.parametrize("size", [*range(18), 255, 256, 257])
def test_root_is_the_one_of_the_definition(size):
    leaves = entries(size)
    growing = tree.Growing()
    for e in leaves:
        growing.add(tree.leaf(e))
    assert tree.root([tree.leaf(e) for e in leaves]) == growing.root() == mth(leaves)
    assert growing.size == size


def test_a_leaf_is_not_a_node():
    assert tree.leaf(b"ab") != tree.node(b"a", b"b")


@pytest.mark.parametrize("size", range(1, 20))
def test_each_entry_is_included_and_nowhere_else(size):
    leaves = entries(size)
    top = mth(leaves)
    for index in range(size):
        proof = proofs.inclusion(index, size, tile_of(leaves))
        assert tree.included(tree.leaf(leaves[index]), index, size, proof, top)
        for other in set(range(-1, size + 2)) - {index}:
            assert not tree.included(tree.leaf(leaves[index]), other, size, proof, top)
        assert not tree.included(tree.leaf(leaves[index]), index, size, [*proof, top], top)
        if proof:
            assert not tree.included(tree.leaf(leaves[index]), index, size, proof[:-1], top)


@pytest.mark.parametrize("new", range(20))
def test_each_tree_begins_the_later_ones(new):
    leaves = entries(new)
    for old in range(new + 1):
        roots = mth(leaves[:old]), mth(leaves)
        proof = proofs.consistency(old, new, tile_of(leaves))
        assert tree.consistent(old, new, proof, *roots)
        assert not tree.consistent(old, new, [*proof, roots[1]], *roots)
        assert not tree.consistent(old, new, proof, mth([b"x"]), roots[1])
        assert not tree.consistent(old, new, proof, roots[0], mth([b"x"])) or old == 0
        if proof:
            assert not tree.consistent(old, new, proof[:-1], *roots)
            assert not tree.consistent(old, new, [], *roots)


def test_a_proof_longer_than_the_tree_is_high_is_refused_even_where_its_hashes_meet():
    a, b, c, x = (tree.leaf(e) for e in (b"a", b"b", b"c", b"x"))
    assert not tree.included(a, 0, 1, [x], tree.node(x, a))
    ab = tree.node(a, b)
    three, four = tree.node(ab, c), tree.node(ab, tree.node(c, x))
    assert tree.consistent(3, 4, [c, x, ab], three, four)
    assert not tree.consistent(3, 4, [c, x, ab, x], tree.node(x, three), tree.node(x, four))


def test_hashes_of_another_length_are_refused():
    top = tree.leaf(b"a")
    assert tree.included(top, 0, 1, [], top)
    assert not tree.included(top[:31], 0, 1, [], top[:31])
    assert not tree.included(top, 0, 2, [top[:31]], top)
    assert not tree.consistent(1, 2, [top[:31]], top, top)
    assert not tree.consistent(1, 1, [], top[:31], top[:31])


def test_a_larger_tree_does_not_begin_a_smaller_one():
    assert not tree.consistent(2, 1, [], tree.EMPTY, tree.EMPTY)
    assert not tree.consistent(-1, 1, [], tree.EMPTY, tree.EMPTY)


@pytest.mark.parametrize(
    ("level", "number", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 273, 112, "tile/0/273.p/112"),
        (1, 1234067, 256, "tile/1/x001/x234/067"),
        (None, 1000, 3, "tile/entries/x001/000.p/3"),
        (63, 999, 256, "tile/63/999"),
    ],
)
def test_paths_are_those_of_tlog_tiles(level, number, width, path):
    assert tree.tile_path(level, number, width) == path


def test_bundles_are_read_and_torn_ones_refused():
    assert tree.unpack(b"\0\3one\0\0\0\3two") == [b"one", b"", b"two"]
    assert tree.unpack(b"") == []
    for torn in (b"\0", b"\0\3on", b"\0\3one\0"):
        assert tree.unpack(torn) is None
