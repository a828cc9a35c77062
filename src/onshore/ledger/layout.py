"""Which files a log of a size consists of, as C2SP tlog-tiles lays them out, and how entries are packed."""

from collections.abc import Iterable, Iterator

from .tree import SPAN, tile_path

CHECKPOINT = "checkpoint"
VKEY = "vkey"
WITNESSED = "witnessed"
"""The newest checkpoint that a quorum of witnesses cosigned, where the site has a policy."""
MAX_ENTRY = 0xFFFF
"""Bytes of an entry at most: its length travels as uint16 (C2SP tlog-tiles)."""


def widths(size: int, level: int = 0) -> tuple[int, int]:
    """Full tiles at a level of a log of `size` entries, and the width of the partial one (0: none)."""
    return divmod(size >> (8 * level), SPAN)


def tiles(size: int) -> Iterator[tuple[int, int, int]]:
    """Every tile of hashes of a log of `size` entries: level, number, width."""
    level = 0
    while size >> (8 * level):
        full, partial = widths(size, level)
        yield from ((level, number, SPAN) for number in range(full))
        if partial:
            yield level, full, partial
        level += 1


def paths(size: int) -> Iterator[str]:
    """Every file of hashes and entries that a log of `size` entries consists of."""
    for level, number, width in tiles(size):
        yield tile_path(level, number, width)
        if level == 0:
            yield tile_path(None, number, width)


def pack(entries: Iterable[bytes]) -> bytes:
    """A bundle of entries: uint16 big-endian length, then so many bytes, each (`tree.unpack` reads it)."""
    return b"".join(len(e).to_bytes(2, "big") + e for e in entries)
