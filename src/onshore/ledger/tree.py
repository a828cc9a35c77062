"""Merkle tree maths of RFC 6962 (SHA-256), and where C2SP tlog-tiles keeps its hashes."""

from collections.abc import Sequence
from hashlib import sha256

SPAN = 256
"""Hashes or entries of a full tile (C2SP tlog-tiles)."""
HASH = 32
"""Bytes of a hash."""
EMPTY = sha256(b"").digest()
"""Root of the tree without leaves (RFC 6962 §2.1)."""


def leaf(entry: bytes) -> bytes:
    """Hash of an entry (RFC 6962 §2.1)."""
    return sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Hash of two subtrees (RFC 6962 §2.1)."""
    return sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """The largest power of two below `size`, which is at least 2: where a tree divides (RFC 6962 §2.1)."""
    return 1 << ((size - 1).bit_length() - 1)


def root(hashes: Sequence[bytes]) -> bytes:
    """Root over hashes of equally high, full subtrees; the last one may also be lower (RFC 6962 §2.1)."""
    if not hashes:
        return EMPTY
    row = list(hashes)
    while len(row) > 1:
        odd = row[-1:] if len(row) % 2 else []
        row = [node(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)] + odd
    return row[0]


def included(entry_hash: bytes, index: int, size: int, proof: Sequence[bytes], tree_root: bytes) -> bool:
    """Whether `proof` leads from a leaf hash at `index` to the root of `size` leaves (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes([entry_hash, *proof, tree_root]):
        return False
    at, last, found = index, size - 1, entry_hash
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node(sibling, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node(found, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and found == tree_root


def consistent(old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether the tree of `new_size` begins with all of the tree of `old_size` (RFC 9162 §2.1.4.2)."""
    if not 0 <= old_size <= new_size or not _are_hashes([*proof, old_root, new_root]):
        return False
    if old_size in {0, new_size}:
        # The empty tree begins every tree; its root is fixed all the same.
        return not proof and old_root == (new_root if old_size == new_size else EMPTY)
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    return bool(path) and _meets(old_size, new_size, path, (old_root, new_root))


def _meets(old_size: int, new_size: int, path: Sequence[bytes], roots: tuple[bytes, bytes]) -> bool:
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node(sibling, old), node(sibling, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node(new, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and (old, new) == roots


def _are_hashes(hashes: Sequence[bytes]) -> bool:
    return all(len(h) == HASH for h in hashes)


class Growing:
    """A root kept up to date while leaf hashes arrive, in memory of the tree's height (a compact range)."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, entry_hash: bytes) -> None:
        """Take the next leaf hash."""
        self._peaks.append(entry_hash)
        self.size += 1
        carries = (self.size & -self.size).bit_length() - 1
        for _ in range(carries):
            right = self._peaks.pop()
            self._peaks[-1] = node(self._peaks[-1], right)

    def root(self) -> bytes:
        """The root over what arrived."""
        if not self._peaks:
            return EMPTY
        found = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            found = node(peak, found)
        return found


def tile_path(level: int | None, number: int, width: int = SPAN) -> str:
    """Path of a tile of hashes, or of entries where `level` is None; narrower than 256 is a partial one.

    C2SP tlog-tiles: N in groups of three digits, all but the last with an "x" before them.
    """
    digits = str(number)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    name = "/".join([*(f"x{g}" for g in groups[:-1]), groups[-1]])
    return f"tile/{'entries' if level is None else level}/{name}" + (f".p/{width}" if width < SPAN else "")


def unpack(bundle: bytes) -> list[bytes] | None:
    """The entries of a bundle (uint16 big-endian length, then so many bytes, each); None where it is torn."""
    entries, at = [], 0
    while at < len(bundle):
        end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        if at + 2 > len(bundle) or end > len(bundle):
            return None
        entries.append(bundle[at + 2 : end])
        at = end
    return entries
