"""The right edge of the tree: all that appending needs to know of a log, and what appending writes."""

from collections.abc import Sequence
from dataclasses import dataclass

from .layout import pack
from .tree import EMPTY, SPAN, leaf, root, tile_path


@dataclass(frozen=True)
class Edge:
    """A log of `size` entries: those of its last bundle, each level's hashes of its last tile, if partial."""

    size: int = 0
    bundle: tuple[bytes, ...] = ()
    levels: tuple[tuple[bytes, ...], ...] = ()

    def root(self) -> bytes:
        """The root over all entries (RFC 6962 §2.1): every level hangs to the right of the one above it."""
        found = None
        for hashes in self.levels:
            row = [*hashes] if found is None else [*hashes, found]
            found = root(row) if row else None
        return EMPTY if found is None else found

    def grown(self, entries: Sequence[bytes]) -> tuple["Edge", dict[str, bytes]]:
        """The edge after `entries`, and the files that this writes, by path. Full tiles never change."""
        whole = [*self.bundle, *entries]
        files = {tile_path(None, n, len(part)): pack(part) for n, part in _parts(self.size, whole)}
        rising = [leaf(e) for e in entries]
        levels: list[tuple[bytes, ...]] = []
        while rising or len(levels) < len(self.levels):
            level = len(levels)
            held = self.levels[level] if level < len(self.levels) else ()
            parts = _parts(self.size >> (8 * level), [*held, *rising]) if rising else []
            files |= {tile_path(level, n, len(part)): b"".join(part) for n, part in parts}
            levels.append(_rest([*held, *rising]))
            rising = [root(part) for _, part in parts if len(part) == SPAN]
        return Edge(self.size + len(entries), _rest(whole), tuple(levels)), files


def _parts(size: int, row: Sequence[bytes]) -> list[tuple[int, Sequence[bytes]]]:
    """A row that begins where the partial tile of `size` does, cut into tiles with their numbers."""
    first = size // SPAN
    return [(first + i // SPAN, row[i : i + SPAN]) for i in range(0, len(row), SPAN)]


def _rest(row: Sequence[bytes]) -> tuple[bytes, ...]:
    return tuple(row[len(row) - len(row) % SPAN :])
