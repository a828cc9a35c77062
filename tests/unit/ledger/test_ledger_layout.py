"""The files of a log, held to the example of C2SP tlog-tiles."""

from onshore.ledger.layout import pack, paths, tiles, widths
from onshore.ledger.tree import unpack


def test_the_example_of_the_specification():
    found = list(tiles(70_000))
    assert sum(level == 0 and width == 256 for level, _, width in found) == 273
    assert [t for t in found if t[2] < 256] == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert widths(70_000) == (273, 112)
    assert widths(70_000, 1) == (1, 17)
    assert widths(256) == (1, 0)


def test_the_files_of_small_logs():
    assert list(paths(0)) == []
    assert list(paths(1)) == ["tile/0/000.p/1", "tile/entries/000.p/1"]
    assert list(paths(256)) == ["tile/0/000", "tile/entries/000", "tile/1/000.p/1"]


def test_what_is_packed_is_unpacked():
    entries = [b"", b"a", b"b" * 65_535]
    assert unpack(pack(entries)) == entries
