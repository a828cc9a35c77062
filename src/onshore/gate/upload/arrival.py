"""A file on its way in: bytes are read as they come, rows go through the sieve to the journal, no byte goes to disk."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pyarrow as pa

from onshore.gate.upload.decode import batch
from onshore.gate.upload.reading import Reader, Rows
from onshore.gate.upload.shelf import Shelf, Upload
from onshore.vault.arriving import Mark

Keep = Callable[[pa.RecordBatch, Sequence[Mark]], None]
"""Returns when rows and marks are durable; raises when they are not kept."""

ROWS = 20_000
BYTES = 8 << 20


class Arrival:
    """One upload, live in this process. `offset`: bytes that arrived; what of them is durable may be fewer.

    Whoever feeds it holds `lock`. After anything that it raises it must be forgotten: what is durable is known to
    papers and journals, and the client goes on from there.
    """

    def __init__(self, upload: Upload, reader: Reader, shelf: Shelf, keep: Keep, clock: Callable[[], int]) -> None:
        self.upload = upload
        self.reader = reader
        self.offset = upload.offset
        self.lock = asyncio.Lock()
        self.broken = False
        self.leave: Callable[[], None] = lambda: None  # asks who sends it to make room for who comes after
        self._shelf, self._keep, self._clock = shelf, keep, clock
        self._hash = hashlib.sha256() if not upload.offset else None
        self._rows: list[Rows] = []
        self._count = self._bytes = 0
        self._open = False
        self._step = upload.step

    def eat(self, data: bytes) -> Iterator[None]:
        """Read more of the file, in steps; Malformed where it is not what its manifest says."""
        if self.broken:
            raise OSError("what came before could not be kept")
        self.offset += len(data)
        if self._hash is not None:
            self._hash.update(data)
        yield from self._take(self.reader.feed(data))

    def finish(self) -> Iterator[None]:
        """The file is over."""
        yield from self._take(self.reader.finish())

    def _take(self, steps: Iterator[list[Rows]]) -> Iterator[None]:
        for step in steps:
            for rows in step:
                self._rows.append(rows)
                self._count += len(rows.times)
                self._bytes += sum(column.nbytes for column in rows.columns.values())
            if self._count >= ROWS or self._bytes >= BYTES:
                self.keep()
            yield

    def keep(self) -> None:
        """Have the rows kept that are there, with a mark of how far the file was read; raises when they are not."""
        if not self._rows or self.broken:
            return
        rows, self._rows, self._count, self._bytes = self._rows, [], 0, 0
        whole = batch(self.upload.vehicle, self._clock(), rows)
        if not whole.num_rows:
            return
        self._have_kept(whole)

    def _have_kept(self, whole: pa.RecordBatch) -> None:
        try:
            if not self._open:
                self._shelf.begin(self.upload.id)
                self._open = True
            self._keep(whole, [self._mark()])
        except BaseException:
            self.broken = True  # its rows are gone, so nobody may go on from its offset
            raise

    def rest(self, until: int) -> None:
        """Nobody sends just now: papers know all that journals know. Of a broken one they know it already."""
        if self.broken:
            return
        self.keep()
        self._shelf.rest(self._mark(), until)
        self._open = False
        self.upload = replace(self.upload, until=until)

    def agrees(self, sha256: str) -> bool | None:
        """Whether the whole file hashes to it; None where a part of it came before this process began."""
        return None if self._hash is None else self._hash.hexdigest() == sha256

    def _mark(self) -> Mark:
        self._step += 1
        state = self._shelf.sealed(self.upload.id, self.reader.state())
        return Mark(self.upload.id, self._step, min(self.reader.boundary, self.offset), state)
