"""The site's log: entries appended in an order that a crash at any step does not hurt, proofs made."""

import shutil
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from onshore.ledger import durable, proofs, verify
from onshore.ledger.edge import Edge
from onshore.ledger.layout import CHECKPOINT, MAX_ENTRY, VKEY, widths
from onshore.ledger.note import Checkpoint, Key, Unreadable, Wrong, open_note, read_checkpoint
from onshore.ledger.signer import LogSigner
from onshore.ledger.tree import SPAN, consistent, leaf, tile_path
from onshore.ledger.verify import Finding, Proof, Trust
from onshore.words.errors import Broken, Malformed


def on_with_it(_step: str) -> None:
    """What follows a step, outside of tests: the next."""


def untold() -> int:
    """The time of whoever has no clock: none is said."""
    return 0


class Log:
    """A log in a folder, signed by keys of `seed` (32 bytes) under the name `origin`; many may read, one may append.

    `clock`: milliseconds UTC, of which checkpoints tell the second in which they were signed.

    Opening writes nothing. Entries and tiles are on the disk before a checkpoint over them is signed; a
    signed one is finished after a crash (`recover`), so no two that disagree are ever signed.
    """

    def __init__(
        self,
        folder: Path,
        seed: bytes,
        origin: str,
        *,
        clock: Callable[[], int] = untold,
        step: durable.Step = on_with_it,
    ) -> None:
        self._folder = folder
        self._signer = LogSigner(origin, seed)
        self._clock, self._step = clock, step
        self._open()

    @property
    def size(self) -> int:
        """How many entries it holds."""
        return self._edge.size

    @property
    def origin(self) -> str:
        """Its name."""
        return self._signer.origin

    @property
    def checkpoint(self) -> str:
        """The signed checkpoint; empty for a log that nothing was ever appended to."""
        return self._checkpoint

    @property
    def vkey(self) -> str:
        """The verifier key for its Ed25519 signatures, which any tool for such logs reads."""
        return str(self._signer.keys[0])

    @property
    def vkeys(self) -> str:
        """Both verifier keys, one a line, as its file `vkey` holds them."""
        return self._signer.vkeys

    def append(self, entries: Sequence[bytes]) -> int:
        """Append entries; the index of the first. On return they are on the disk and under the checkpoint.

        Refuses an entry of more than 65,535 bytes. Broken where another process wrote meanwhile.
        """
        if any(len(e) > MAX_ENTRY for e in entries):
            raise Malformed(f"a ledger entry holds at most {MAX_ENTRY} bytes; put a digest in its place")
        self.recover()
        first = self.size
        if entries:
            edge, files = self._edge.grown(entries)
            durable.write_all(self._folder, files, self._step)
            self._publish(edge)
            self._drop_partials(first)
        return first

    def recover(self) -> int:
        """Finish what a crash left: a checkpoint signed, not in place. Returns the size. For the writer.

        Entries handed in before the crash may then be in the log: compare before appending them again.
        """
        if self._read(CHECKPOINT) != (self._checkpoint.encode() or None):
            raise Broken("another process appended to this log; one alone may write it")
        if not self._checkpoint or self._read(VKEY) != self.vkeys.encode():  # of an older release, it holds one key
            self._folder.mkdir(parents=True, exist_ok=True)
            durable.write_all(self._folder, {VKEY: self.vkeys.encode()}, self._step)
        if not self._checkpoint:
            self._publish(Edge())
        left = self._read(CHECKPOINT + durable.BESIDE)
        if left is not None:
            self._finish(left)
        return self.size

    def entry_at(self, index: int) -> bytes:
        """The bytes of an entry; Malformed where the log has no such number."""
        self._known(index)
        return self._bundle(index // SPAN)[index % SPAN]

    def entries(self, start: int = 0) -> Iterator[bytes]:
        """All entries from `start` on."""
        for number in range(start // SPAN, -(-self.size // SPAN)):
            yield from self._bundle(number)[max(0, start - number * SPAN) :]

    def prove(self, index: int) -> str:
        """The `.tlog-proof` of an entry under the present checkpoint, its bytes in the line `extra`."""
        self._known(index)
        hashes = tuple(proofs.inclusion(index, self.size, self._tile))
        return verify.write_proof(Proof(self.entry_at(index), index, hashes, self._checkpoint))

    def consistency(self, old_size: int) -> list[bytes]:
        """The proof that this log begins with the one of `old_size` entries (RFC 6962 §2.1.2)."""
        if not 0 <= old_size <= self.size:
            raise Malformed(f"the log has {self.size} entries; there is no proof from {old_size}")
        return proofs.consistency(old_size, self.size, self._tile)

    def signed_by(self) -> tuple[Key, ...]:
        """Both keys, or Ed25519's alone where nothing was appended since an older release."""
        return self._keys_of(self._checkpoint.encode()) if self._checkpoint else self._signer.keys

    def fsck(self) -> Iterator[Finding]:
        """Recompute everything from the files, as a stranger would; Broken at the first wrong thing."""
        try:
            yield from verify.log(self._read, Trust(self.signed_by()))
        except (Wrong, Unreadable) as wrong:
            raise self._damaged(wrong) from None

    def _keys_of(self, raw: bytes) -> tuple[Key, ...]:
        return open_note(raw, self._signer.keys).signers

    def _open(self) -> None:
        raw = self._read(CHECKPOINT)
        if raw is None and (self._folder / "tile").exists():
            raise Broken(f"the log in {self._folder} has lost its checkpoint; restore it from a backup")
        self._edge, self._checkpoint = Edge(), ""
        if raw is not None:
            self._edge, self._checkpoint = self._edge_of(raw), raw.decode()

    def _edge_of(self, raw: bytes) -> Edge:
        """The edge of the tree of a checkpoint of ours, read from the tiles and held against it."""
        try:
            point = self._point(raw)
            edge = self._read_edge(point.size)
        except Wrong as wrong:
            raise self._damaged(wrong) from None
        if edge.root() != point.root or tuple(map(leaf, edge.bundle)) != (edge.levels or ((),))[0]:
            raise self._damaged(self._misfit(raw))
        return edge

    def _misfit(self, raw: bytes) -> Exception:
        """Which file it is that does not fit a checkpoint of ours, found by recomputing everything."""
        try:
            deque(
                verify.log(lambda name: raw if name == CHECKPOINT else self._read(name), Trust(self._keys_of(raw))), 0
            )
        except Wrong as wrong:
            return wrong
        return Wrong("its tiles do not fit it", CHECKPOINT)

    def _point(self, raw: bytes) -> Checkpoint:
        try:
            point = read_checkpoint(open_note(raw, self._signer.keys).text)
        except Wrong as wrong:
            raise Wrong(str(wrong), CHECKPOINT) from None
        if point.origin != self._signer.origin:
            raise Wrong(f"it is of the log {point.origin}", "checkpoint")
        return point

    def _read_edge(self, size: int) -> Edge:
        levels: list[tuple[bytes, ...]] = []
        while size >> (8 * len(levels)):
            full, partial = widths(size, len(levels))
            levels.append(tuple(verify.read_tile(self._read, len(levels), full, partial)) if partial else ())
        full, partial = widths(size)
        bundle = tuple(verify.read_bundle(self._read, full, partial)) if partial else ()
        return Edge(size, bundle, tuple(levels))

    def _publish(self, edge: Edge) -> None:
        point = Checkpoint(self._signer.origin, edge.size, edge.root())
        note = self._signer.sign(point, self._clock())
        durable.write_beside(self._folder / CHECKPOINT, note.encode(), self._step)
        self._put_in_place(edge, note)

    def _put_in_place(self, edge: Edge, note: str) -> None:
        durable.put_in_place(self._folder / CHECKPOINT, self._step)
        durable.sync_folder(self._folder)
        self._edge, self._checkpoint = edge, note

    def _finish(self, left: bytes) -> None:
        """A checkpoint left beside: signed, so it must hold; torn, so it says nothing and is overwritten."""
        try:
            point = self._point(left)
        except Wrong:
            (self._folder / (CHECKPOINT + durable.BESIDE)).unlink()
            return
        edge = self._edge_of(left)
        proof = proofs.consistency(self.size, edge.size, lambda level, n: self._tile(level, n, edge.size))
        if not consistent(self.size, edge.size, proof, self._edge.root(), point.root):
            raise Broken("a checkpoint was signed that disagrees with the log's; restore the log from a backup")
        first = self.size
        self._put_in_place(edge, left.decode())
        self._drop_partials(first)

    def _drop_partials(self, first: int) -> None:
        """Partial tiles that the full ones have replaced since `first` (C2SP tlog-tiles lets them go)."""
        for level in range(len(self._edge.levels)):
            for kind in (level, None) if level == 0 else (level,):
                number = widths(first, level)[0]
                if number < widths(self.size, level)[0]:
                    shutil.rmtree(self._folder / f"{tile_path(kind, number)}.p", ignore_errors=True)
        self._step("partial tiles dropped")

    def _damaged(self, wrong: Exception) -> Broken:
        return Broken(f"the log in {self._folder} is damaged: {wrong}; restore it from a backup")

    def _known(self, index: int) -> None:
        if not 0 <= index < self.size:
            raise Malformed(f"the log has {self.size} entries, numbered from 0; there is no number {index}")

    def _bundle(self, number: int) -> list[bytes]:
        try:
            return verify.read_bundle(self._read, number, min(SPAN, self.size - number * SPAN))
        except Wrong as wrong:
            raise self._damaged(wrong) from None

    def _tile(self, level: int, number: int, size: int | None = None) -> list[bytes]:
        whole = (self.size if size is None else size) >> (8 * level)
        try:
            return verify.read_tile(self._read, level, number, min(SPAN, whole - number * SPAN))
        except Wrong as wrong:
            raise self._damaged(wrong) from None

    def _read(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
