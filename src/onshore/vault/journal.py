"""Journal: an encrypted, append-only file per gate; `append` returns once the batch is safe on disk."""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Engine, delete, insert
from sqlalchemy.exc import DBAPIError

from onshore.vault.arriving import Mark
from onshore.vault.disk import make_folder, sync_folder
from onshore.vault.journal_files import (
    FOLDER,
    GATE,
    LOCK,
    MAKING,
    depart,
    key_context,
    note_closed,
    numbers_in,
    numbers_of,
    path_of,
    raise_counter,
    reach,
    turn_of,
)
from onshore.vault.keys import KEY_BYTES, NONCE_BYTES, Randomness, RootKey
from onshore.vault.lock import hold
from onshore.vault.papers import journals, reading, writing
from onshore.vault.records import JournalName, end_payload, payload_of, seal_record
from onshore.vault.space import must_stay
from onshore.words.errors import Broken
from onshore.words.tally import Sieved


@dataclass(frozen=True)
class Limits:
    """When a file is closed and the next begun: bytes, and age in milliseconds; bytes of the disk that stay free."""

    size: int = 64 << 20
    age: int = 300_000
    least_free: int = 0


USUAL = Limits()


@dataclass
class _Current:
    fd: int
    name: JournalName
    cipher: AESGCM
    opened: int
    records: int = 0
    end: int = 0  # of the last acknowledged record


class Journal:
    """Writes one gate's journal. One process per gate; a second is refused (`road-taken`).

    Files are made when first needed, each under its own random key, which papers hold wrapped before the
    first byte is written. `clock` gives milliseconds UTC, `write` and `sync` are `os.write` and
    `os.fdatasync` unless a test brings a worse disk, `step` is called between the steps of making a file.
    """

    def __init__(
        self,
        engine: Engine,
        root: RootKey,
        folder: Path,
        *,
        site: str,
        gate: str,
        clock: Callable[[], int],
        randomness: Randomness,
        limits: Limits = USUAL,
        write: Callable[[int, memoryview], int] = os.write,
        sync: Callable[[int], None] = os.fdatasync,
        timer: Callable[[], float] = time.monotonic,
        step: Callable[[str], None] = lambda _step: None,
    ) -> None:
        if not GATE.fullmatch(gate):
            raise Broken(f"{gate!r} cannot name a gate: use 1 to 20 of a-z, 0-9 and -")
        self._engine, self._root, self._folder = engine, root, folder
        self._site, self._gate = site, gate
        self._clock, self._randomness, self._limits = clock, randomness, limits
        self._write, self._sync, self._timer, self._step = write, sync, timer, step
        self.synced = (0, 0.0)
        """How often a batch was written and synced, or failed to be, and seconds that the last time took."""
        self._current: _Current | None = None
        make_folder(self._place)
        self._shut = False
        with contextlib.ExitStack() as road:
            road.enter_context(hold(self._place / LOCK, f"gate {gate}"))
            self._clear_unborn()
            self._reached = self._reach()
            self._road = road.pop_all()

    def append(self, sieved: Sieved, *, pack: str, marks: Sequence[Mark] = (), heard: bytes = b"") -> None:
        """Seal and write one batch with its tally, and sync; after an OSError nothing of it counts as kept.

        OSError (ENOSPC) also where less of the disk is free than the limits say has to stay so.
        `pack` is the rule pack (id and version) that it was sieved under; `marks`, and the digests of what was
        `heard`, lie in the same record. The next append begins a new file after a failure, for a disk that failed to
        sync cannot be trusted about the pages before.
        """
        must_stay(self._place, self._limits.least_free)
        if self._current is not None and self._current.end >= self._limits.size:
            self.rotate()
        if self._current is None:
            self._current = self._begin()
        self._put(self._current, payload_of(sieved, pack, marks, heard))

    def tick(self) -> None:
        """Close the file where it is old enough or somebody asked (`ask_rotate`); for the gate's timer.

        The gate appends what it holds first, with nothing received in between: files belong to the turn that
        the last tick found, so that whatever came before somebody asked lies in a file of an earlier turn.
        """
        if self._turn() != self._reached:
            self.rotate()
            self._reached = self._reach()
        elif (current := self._current) is not None and not (
            0 <= self._clock() - current.opened < self._limits.age
        ):  # old enough, or of a time to come, by a clock that was put back
            self.rotate()

    def rotate(self) -> None:
        """Close the file, if there is one, so that it can be drained; the next append begins another."""
        if (current := self._current) is None:
            return
        with contextlib.suppress(OSError, DBAPIError):  # its batches are safe already; it reads as after a crash
            kept = current.records
            self._put(current, end_payload())
            note_closed(self._engine, current.name.id, kept)
        self._leave()

    def close(self) -> None:
        """Close the file and give up the road."""
        self.rotate()
        self._shut = True
        with self._road, contextlib.suppress(DBAPIError):  # unsaid, the lock tells it
            depart(self._engine, self._gate)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def gate(self) -> str:
        """The gate whose journal it is."""
        return self._gate

    @property
    def _place(self) -> Path:
        return self._folder / FOLDER / self._gate

    def _clear_unborn(self) -> None:
        # Only the last key can lack its file, and only while the first name is there: any other was taken
        # away.
        making = self._place / MAKING
        if not making.exists():
            return
        with writing(self._engine) as conn:
            last = max(numbers_of(conn, self._gate), default=0)
            if not path_of(self._folder, self._gate, last).exists():
                conn.execute(delete(journals).where(journals.c.id == f"{self._gate}/{last}"))
        making.unlink()

    def _begin(self) -> _Current:
        if self._shut:
            raise Broken(f"the journal of gate {self._gate} was closed: open it again before appending")
        self._clear_unborn()
        making = self._place / MAKING
        fd = os.open(making, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)  # before it has its name: whoever finds it by name finds it locked
            sync_folder(self._place)
            self._step("made")
            current = self._register(fd)
            self._step("registered")
            making.rename(path_of(self._folder, self._gate, current.name.number))
            sync_folder(self._place)
            self._step("named")
        except BaseException:
            os.close(fd)
            raise
        return current

    def _register(self, fd: int) -> _Current:
        key, opened = self._randomness(KEY_BYTES), self._clock()
        try:
            with writing(self._engine) as conn:
                least = max(numbers_in(self._folder, self._gate), default=0) + 1
                number = raise_counter(conn, f"journal/{self._gate}", least)
                name = JournalName(self._site, self._gate, number)
                wrapped = self._root.wrap(key, key_context(name.id))
                row = {"id": name.id, "wrapped": wrapped, "opened": opened, "turn": self._reached}
                conn.execute(insert(journals).values(row))
        except DBAPIError as failed:
            raise OSError(f"papers could not note the key of a new journal file: {failed.orig}") from failed
        return _Current(fd, name, AESGCM(key), opened)

    def _put(self, current: _Current, payload: bytes) -> None:
        nonce = self._randomness(NONCE_BYTES)
        record = seal_record(current.cipher, current.name, current.records, nonce, payload)
        begun = self._timer()
        try:
            rest = memoryview(record)
            while rest:
                rest = rest[self._write(current.fd, rest) :]
            self._sync(current.fd)
        except BaseException:
            self._give_up(current)
            raise
        finally:
            self.synced = self.synced[0] + 1, self._timer() - begun
        current.records += 1
        current.end += len(record)

    def _give_up(self, current: _Current) -> None:
        # What was half written would read as torn; what was wholly written but never synced would count
        # unacknowledged.
        with contextlib.suppress(OSError):
            os.ftruncate(current.fd, current.end)
            os.fsync(current.fd)
        self._leave()

    def _leave(self) -> None:
        if (current := self._current) is not None:
            self._current = None
            os.close(current.fd)  # its lock goes with it: from here on it may be drained

    def _reach(self) -> int:
        with writing(self._engine) as conn:
            return reach(conn, self._gate)

    def _turn(self) -> int:
        with reading(self._engine) as conn:
            return turn_of(conn)
