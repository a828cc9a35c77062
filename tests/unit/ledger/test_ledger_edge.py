"""Growing at the right edge writes what growing from nothing would have written."""

import pytest

from onshore.ledger.edge import Edge
from onshore.ledger.layout import paths
from onshore.ledger.tree import EMPTY, leaf, root


def entries(n):
    return [b"%d" % i for i in range(n)]


@pytest.mark.parametrize(
    "steps", [[0], [1], [255, 1], [256], [1, 255, 1], [300, 300, 300], [256 * 256 - 1, 1, 1], [70_000]]
)
def test_any_steps_lead_to_the_same_tree(steps):
    whole = entries(sum(steps))
    edge, files, at = Edge(), {}, 0
    for step in steps:
        edge, written = edge.grown(whole[at : at + step])
        files |= written
        at += step
    assert edge.size == len(whole)
    assert edge.root() == root([leaf(e) for e in whole])
    once = Edge().grown(whole)
    assert once[0] == edge
    assert set(once[1]) == set(paths(len(whole)))
    assert all(files[path] == data for path, data in once[1].items())


def test_the_empty_tree():
    assert Edge().root() == EMPTY
    assert Edge().grown([]) == (Edge(), {})


def test_a_level_that_gains_nothing_is_not_written_again():
    edge, _ = Edge().grown(entries(300))
    _, files = edge.grown([b"x"])
    assert set(files) == {"tile/0/001.p/45", "tile/entries/001.p/45"}
