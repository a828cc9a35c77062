"""A file on its way in: bytes are read as they come, rows go through the sieve to the journal, no byte goes to disk."""

import asyncio
import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pyarrow as pa

from onshore.gate.upload.allowance import Cost
from onshore.gate.upload.decode import batch
from onshore.gate.upload.reading import Reader, Rows
from onshore.gate.upload.shelf import Shelf, Upload
from onshore.vault.arriving import Mark
from onshore.words.batch import with_exception

Keep = Callable[[pa.RecordBatch, Sequence[Mark]], None]
"""Returns when rows and marks are durable; raises when they are not kept."""

ROWS = 20_000
BYTES = 8 << 20
LOOK_S = 10.0
"""Seconds over which it is seen how fast a sender sends."""


class Arrival:
    """One upload, live in this process. `offset`: bytes that arrived; what of them is durable may be fewer.

    Whoever feeds it holds `lock`. After anything that it raises it must be forgotten: what is durable is known to
    papers and journals, and the client goes on from there.
    """

    def __init__(
        self,
        upload: Upload,
        reader: Reader,
        shelf: Shelf,
        keep: Keep,
        clock: Callable[[], int],
        cost: Cost,
        *,
        exception: str = "",
    ) -> None:
        self.upload = upload
        self.reader = reader
        self.offset = upload.offset
        self.lock = asyncio.Lock()
        self.broken = self.away = False
        self.leave: Callable[[], None] = lambda: None  # asks who sends it to make room for who comes after
        self.release: Callable[[], None] = lambda: None  # lets another process have it
        self._shelf, self._keep, self._clock, self._exception, self._cost = shelf, keep, clock, exception, cost
        cost.rows, reader.unpacked, cost.made = upload.state.get("cost", (0, 0, 0))
        reader.unpacked *= upload.offset > 0  # what is sent again is unpacked again
        cost.told = max(upload.offset + reader.unpacked, cost.made)
        self._looked: tuple[float, int] | None = None
        self._pace = math.inf
        self._hash = hashlib.sha256() if not upload.offset else None
        self._rows: list[Rows] = []
        self._count = self._bytes = 0
        self._open = False
        self._step = upload.step

    def eat(self, data: bytes) -> Iterator[None]:
        """Read more of the file, in steps; Malformed where it is not what its manifest says."""
        self.stand()
        self._cost.allowance.check(self._cost.vehicle)
        self.offset += len(data)
        if self._hash is not None:
            self._hash.update(data)
        yield from self._take(self.reader.feed(data))

    def finish(self) -> Iterator[None]:
        """The file is over."""
        self.stand()
        yield from self._take(self.reader.finish())

    def _take(self, steps: Iterator[list[Rows]]) -> Iterator[None]:
        for step in steps:
            self.stand()
            for rows in step:
                self._rows.append(rows)
                self._count += len(rows.times)
                size = sum(column.nbytes for column in rows.columns.values())
                self._bytes += size
                self._cost.rows += len(rows.times)
                self._cost.made += size
            self._cost.add(self.offset + self.reader.unpacked)
            if self._count >= ROWS or self._bytes >= BYTES:
                self.keep()
            yield
        self._cost.add(self.offset + self.reader.unpacked)

    def stand(self) -> None:
        """Raise where nothing more may be taken in: ConnectionError where it had to make room, and its sender to go."""
        if self.away:
            raise ConnectionResetError
        if self.broken:
            raise OSError("what came before could not be kept")

    def pace(self, now: float) -> float:
        """Bytes that came in a second lately; `now`: the loop's time. Infinite before it can be told."""
        if self._looked is None:
            self._looked, self._pace = (now, self.offset), math.inf
        since, before = self._looked
        if now - since >= LOOK_S:
            self._looked, self._pace = (now, self.offset), (self.offset - before) / (now - since)
        return self._pace

    def begin(self, leave: Callable[[], None]) -> None:
        """Somebody sends from now on, who can be asked to `leave`."""
        self.leave, self._looked = leave, None

    def keep(self) -> None:
        """Have the rows kept that are there, with a mark of how far the file was read; raises when they are not."""
        if not self._rows or self.broken:
            return
        rows, self._rows, self._count, self._bytes = self._rows, [], 0, 0
        whole = with_exception(batch(self.upload.vehicle, self._clock(), rows), self._exception)
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
        self._cost.allowance.save(self._cost.vehicle)
        self._shelf.rest(self._mark(), until)
        self._open = False
        self.upload = replace(self.upload, until=until)

    def agrees(self, sha256: str) -> bool | None:
        """Whether the whole file hashes to it; None where a part of it came before this process began."""
        return None if self._hash is None else self._hash.hexdigest() == sha256

    def _mark(self) -> Mark:
        self._step += 1
        state = self._shelf.sealed(self.upload.id, self.reader.state() | {"cost": self._spent()})
        return Mark(self.upload.id, self._step, min(self.reader.boundary, self.offset), state)

    def _spent(self) -> list[int]:
        return [self._cost.rows, self.reader.unpacked, self._cost.made]
