"""Audit: every file of a log held against the entries and the signed root; each that is wrong is named."""

from collections.abc import Callable, Iterator, Sequence

from onshore.ledger import verify
from onshore.ledger.durable import BESIDE
from onshore.ledger.layout import CHECKPOINT, VKEY, WITNESSED, tiles, widths
from onshore.ledger.note import Checkpoint, Key, Wrong, open_note, read_checkpoint
from onshore.ledger.tree import HASH, SPAN, leaf, root, tile_path, unpack

Read = Callable[[str], bytes | None]
Found = tuple[str, str]
"""A file, by its path below the log's folder, and what is wrong with it."""


def audit(read: Read, names: Sequence[str], keys: Sequence[Key]) -> Iterator[Found]:
    """What is wrong with a log of files `names` that `keys` sign, as its `vkey` file says; nothing: all holds.

    Of an older release, it is signed by the first of them alone.

    Unlike `fsck` it does not end with the first thing. Where a bundle of entries and the tile over it differ, the root
    that was signed says which of them is wrong. Files beside others that a crash left (`.new`) tell nothing.
    """
    said = read(VKEY)
    if said not in ["".join(f"{key}\n" for key in keys[:many]).encode() for many in range(1, len(keys) + 1)]:
        yield VKEY, "it is missing" if said is None else "it is not the verifier keys of this log"
    try:
        point = _point(read(CHECKPOINT), keys)
    except Wrong as wrong:
        yield CHECKPOINT, wrong.what
        return
    yield from _Tree(read, point.size, point.root).wrong(names)


def _point(raw: bytes | None, keys: Sequence[Key]) -> Checkpoint:
    if raw is None:
        raise Wrong("it is missing", CHECKPOINT)
    point = read_checkpoint(open_note(raw, keys).text)
    if point.origin != keys[0].name:
        raise Wrong("it is of another log", CHECKPOINT)
    return point


class _Tree:
    def __init__(self, read: Read, size: int, signed: bytes) -> None:
        self._read, self._size, self._signed = read, size, signed

    def wrong(self, names: Sequence[str]) -> Iterator[Found]:
        """Each file that is wrong, missing, or none of the log's."""
        hashes, torn = self._hashes()
        yield from torn.items()
        if torn or root(hashes) != self._signed:
            yield from self._which(hashes, torn)
            return
        rows = [hashes]
        while len(rows[-1]) >= SPAN:
            rows.append([root(rows[-1][at : at + SPAN]) for at in range(0, len(rows[-1]) - SPAN + 1, SPAN)])
        known = {name for level, number, width in tiles(self._size) for name in _names(level, number, width)}
        for level, row in enumerate(rows):
            yield from self._tiles(level, row, known)
        there = set(names) - {CHECKPOINT, VKEY, WITNESSED}
        yield from (
            (name, "it is no file of this log") for name in sorted(there - known) if not _left(name, self._size, names)
        )

    def _hashes(self) -> tuple[list[bytes], dict[str, str]]:
        """The hash of each entry as the bundles have them; bundles that cannot be read, with why."""
        hashes: list[bytes] = []
        torn = {}
        for number in range(-(-self._size // SPAN)):
            width = min(SPAN, self._size - number * SPAN)
            try:
                hashes += [leaf(entry) for entry in verify.read_bundle(self._read, number, width)]
            except Wrong as wrong:
                torn[wrong.where] = wrong.what
                hashes += [b""] * width
        return hashes, torn

    def _which(self, hashes: list[bytes], torn: dict[str, str]) -> Iterator[Found]:
        """The entries do not lead to the root: where the lowest tiles differ, one is wrong."""
        held: list[bytes] = []
        for number in range(-(-self._size // SPAN)):
            width = min(SPAN, self._size - number * SPAN)
            try:
                held += verify.read_tile(self._read, 0, number, width)
            except Wrong as wrong:
                yield wrong.where, wrong.what
                held += [b""] * width
        sound = root(held) == self._signed
        for number in range(-(-self._size // SPAN)):
            part = slice(number * SPAN, min(self._size, (number + 1) * SPAN))
            width = part.stop - part.start
            if hashes[part] != held[part] and tile_path(None, number, width) not in torn:
                yield tile_path(None, number, width), "its entries are not those under the signed root"
                if not sound:
                    yield tile_path(0, number, width), "it does not fit the entries under it, or they do not fit it"
        if sound or hashes != held:
            return
        yield CHECKPOINT, "entries and tiles agree, and lead to another root than the one that it signs"

    def _tiles(self, level: int, row: list[bytes], known: set[str]) -> Iterator[Found]:
        """Tiles of a level, the narrower ones that it grew from among them."""
        for number in range(-(-len(row) // SPAN)):
            part = row[number * SPAN : (number + 1) * SPAN]
            for width in range(1, SPAN + 1):
                name = tile_path(level, number, width)
                raw, due = self._read(name), b"".join(part[:width])
                if raw is None:
                    if width == len(part) and self._read(tile_path(level, number)) is None:
                        yield name, "it is missing"
                elif raw[: len(due)] != due or len(raw) != width * HASH:
                    yield name, "it does not fit what is under it"
                yield from self._bundle(number, width, part) if level == 0 else ()
                known.add(name)
                known.add(tile_path(None, number, width))

    def _bundle(self, number: int, width: int, part: list[bytes]) -> Iterator[Found]:
        name = tile_path(None, number, width)
        if (raw := self._read(name)) is None:
            return  # if the log needs it, `_hashes` has told
        entries = unpack(raw)
        if entries is None or len(entries) != width or [leaf(e) for e in entries][: len(part)] != part[:width]:
            yield name, "its entries are not those under the signed root"


def _names(level: int, number: int, width: int) -> Iterator[str]:
    yield tile_path(level, number, width)
    if level == 0:
        yield tile_path(None, number, width)


def _left(name: str, size: int, there: Sequence[str]) -> bool:
    """Whether a crash may have left it: written, but under no signed checkpoint yet."""
    full = widths(size)[0]
    last = full + 1 if tile_path(0, full) in there else full
    ahead = {tile_path(kind, n, w) for n in range(full, last + 1) for kind in (None, 0) for w in range(1, SPAN + 1)}
    return name.endswith(BESIDE) or name in ahead
