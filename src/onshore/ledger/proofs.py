"""Proofs made: the hashes from an entry, or from an older tree, to the root (RFC 6962 §2.1.1, §2.1.2)."""

from collections.abc import Callable

from .tree import SPAN, node, root, split

Tile = Callable[[int, int], list[bytes]]
"""Reads the hashes of a tile: level, number."""


def inclusion(index: int, size: int, tile: Tile) -> list[bytes]:
    """PATH(index, D[size]): from the leaf's sibling up; `index` is below `size`."""
    return _path(index, 0, size, tile)


def consistency(old: int, new: int, tile: Tile) -> list[bytes]:
    """PROOF(old, D[new]); empty where `old` is 0 or `new`."""
    return _subproof(old, 0, new, tile, whole=True) if 0 < old < new else []


def _path(index: int, start: int, stop: int, tile: Tile) -> list[bytes]:
    if stop - start == 1:
        return []
    middle = start + split(stop - start)
    if index < middle:
        return [*_path(index, start, middle, tile), _subtree(middle, stop, tile)]
    return [*_path(index, middle, stop, tile), _subtree(start, middle, tile)]


def _subproof(old: int, start: int, stop: int, tile: Tile, *, whole: bool) -> list[bytes]:
    if old == stop:
        return [] if whole else [_subtree(start, stop, tile)]
    middle = start + split(stop - start)
    if old <= middle:
        return [*_subproof(old, start, middle, tile, whole=whole), _subtree(middle, stop, tile)]
    return [*_subproof(old, middle, stop, tile, whole=False), _subtree(start, middle, tile)]


def _subtree(start: int, stop: int, tile: Tile) -> bytes:
    """Hash over entries [start, stop), a subtree of RFC 6962's cut; full ones are read from their tile."""
    width = stop - start
    if width & (width - 1):
        middle = start + split(width)
        return node(_subtree(start, middle, tile), _subtree(middle, stop, tile))
    level, height = divmod(width.bit_length() - 1, 8)
    first = start >> (8 * level)
    at = first % SPAN
    return root(tile(level, first // SPAN)[at : at + (1 << height)])
