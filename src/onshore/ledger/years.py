"""A site's logs, one a calendar year, read and appended to as one; how one is closed and the next begins."""

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from onshore.ledger import durable, history
from onshore.ledger.layout import CHECKPOINT, VKEY, WITNESSED
from onshore.ledger.log import Log, on_with_it, untold
from onshore.ledger.note import Unreadable, Wrong, read_checkpoint
from onshore.ledger.tree import SPAN
from onshore.ledger.verify import Finding, Read, Trust, read_bundle, read_entry, without_year
from onshore.words.errors import Broken, Malformed

_NEXT = "next"
_TURN = "turn-"
"""Where the next year's log is made; where it lies, whole, while it is put into the place of the one of that year."""

_PARTS = (VKEY, "tile", CHECKPOINT)
_AT = re.compile(rb'"at":"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z)"')
_FOLDER = re.compile(r"[0-9]{4}")


class Tell(Protocol):
    """Makes an entry of the site, now, as `entry.entry` does."""

    def __call__(self, kind: str, /, **fields: object) -> bytes:
        """The entry's bytes."""
        ...


def handed_in(folder: Path) -> int:
    """How many entries the checkpoints in a folder of logs speak of, but for those that link its years; 0 without one.

    Nothing is verified: whoever opens the logs does that.
    """
    sizes: dict[str, int] = {}
    for path in (folder / CHECKPOINT, *folder.glob(f"[0-9]*/{CHECKPOINT}")):
        try:
            point = read_checkpoint(path.read_text(encoding="utf-8").partition("\n\n")[0] + "\n")
        except (OSError, UnicodeDecodeError, Wrong):
            continue
        sizes[point.origin] = max(point.size, sizes.get(point.origin, 0))
    return sum(sizes.values()) - 2 * max(0, len(sizes) - 1)


class Years:
    """The logs in a folder: the present one in it, closed ones below it by year; entries are numbered through all.

    `origin` is the first one's; those that follow have "/" and their year behind it, and the same keys. The year is
    that of the entries in `zone`: the first entry of a later year closes the log. No log that was closed is appended to
    again, however clocks go: an entry of an earlier year goes to the log that is open. `write`: for the one writer,
    which finishes the turn of a year that a crash left half-way before it opens the logs.
    """

    def __init__(
        self,
        folder: Path,
        seed: bytes,
        origin: str,
        *,
        zone: str = "UTC",
        clock: Callable[[], int] = untold,
        step: durable.Step = on_with_it,
        write: bool = False,
    ) -> None:
        self.folder = folder
        self._seed, self._origin, self._zone = seed, origin, ZoneInfo(zone)
        self._clock, self._step = clock, step
        if write:
            _put_in_place(folder, step)
        self._open()

    def _open(self) -> None:
        found = sorted(p.name for p in self.folder.glob("[0-9]*") if _FOLDER.fullmatch(p.name))
        self.closed = {int(name): self._log(self.folder / name) for name in found}
        self.log = self._log(self.folder)

    @property
    def size(self) -> int:
        """How many entries, in all of them."""
        return self._before + self.log.size

    @property
    def checkpoint(self) -> str:
        """The signed checkpoint of the present log."""
        return self.log.checkpoint

    @property
    def vkey(self) -> str:
        """The present log's Ed25519 verifier key."""
        return self.log.vkey

    @property
    def vkeys(self) -> str:
        """Both its verifier keys, one a line."""
        return self.log.vkeys

    @property
    def year(self) -> int | None:
        """The present log's year; None while it is the first and holds nothing."""
        return year_of(self.read, self._zone.key)

    def entries(self, start: int = 0) -> Iterator[bytes]:
        """All entries from number `start` on, those by which the logs are linked among them."""
        for log in (*self.closed.values(), self.log):
            if start < log.size:
                yield from log.entries(start)
            start = max(0, start - log.size)

    def entry_at(self, number: int) -> bytes:
        """The bytes of an entry; Malformed where there is no such number."""
        log, index = self.at(number)
        return log.entry_at(index)

    def prove(self, number: int) -> str:
        """The `.tlog-proof` of an entry in its year's log, its bytes in the line `extra`."""
        log, index = self.at(number)
        return log.prove(index)

    def at(self, number: int) -> tuple[Log, int]:
        """The year's log that holds an entry, and its index in that; Malformed where there is no such number."""
        index = number
        for log in self.closed.values():
            if 0 <= index < log.size:
                return log, index
            index -= log.size
        if not 0 <= index < self.log.size:
            raise Malformed(f"the log has {self.size} entries, numbered from 0; there is no number {number}")
        return self.log, index

    def upto(self, checkpoint: bytes) -> int:
        """How many entries through all years a checkpoint of one of these logs has; Broken where it is of none."""
        point = read_checkpoint(checkpoint.decode().rpartition("\n\n")[0] + "\n")
        before = 0
        for log in (*self.closed.values(), self.log):
            if log.origin == point.origin:
                return before + point.size
            before += log.size
        raise Broken(f"the checkpoint is of the log {point.origin}, which is none of these")

    def fsck(self) -> Iterator[Finding]:
        """Recompute everything from the files, as a stranger would, the links between years too; Broken where wrong."""
        try:
            yield from history.log(self.read, Trust(self.log.signed_by()))
        except (Wrong, Unreadable) as wrong:
            raise Broken(f"the log in {self.folder} is damaged: {wrong}; restore it from a backup") from None

    def read(self, name: str) -> bytes | None:
        """A file below the folder by its path, None where there is none."""
        try:
            return (self.folder / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def append(self, entries: Sequence[bytes], tell: Tell) -> list[int]:
        """Append entries, closing years that end among them (`tell` makes the links); the number of each.

        On return they are on the disk and under checkpoints, and what an earlier crash left is finished.
        """
        self.recover(tell)
        numbers: list[int] = []
        while len(numbers) < len(entries):
            here, later = self._until_new_year(entries[len(numbers) :])
            if here:
                first = self._before + self.log.append(here)
                numbers += range(first, first + len(here))
            if later is not None:
                self._close(later, tell)
        return numbers

    def recover(self, tell: Tell) -> int:
        """Finish what a crash left, of an append or of the turn of a year. Returns the size. For the writer."""
        self.log.recover()
        if (origin := self._closing()) is not None:
            self._turn(origin, tell)
        return self.size

    @property
    def _before(self) -> int:
        return sum(log.size for log in self.closed.values())

    def _log(self, folder: Path) -> Log:
        """The log in a folder, under the name that its checkpoint says where that is one of this site's."""
        try:
            said = (folder / CHECKPOINT).read_bytes().partition(b"\n")[0].decode("utf-8", "replace")
        except FileNotFoundError:
            said = self._origin
        origin = said if without_year(said) == without_year(self._origin) else self._origin
        return Log(folder, self._seed, origin, clock=self._clock, step=self._step)

    def _until_new_year(self, entries: Sequence[bytes]) -> tuple[Sequence[bytes], int | None]:
        """Those of them that come before the first of a later year, and that year."""
        year = self.year
        end = self._new_year(year + 1) if year is not None else ""
        for i, body in enumerate(entries):
            said = _AT.search(body)
            if said is None or said[1].decode() < end:
                continue
            at = datetime.fromisoformat(said[1].decode()).astimezone(self._zone).year
            if year is not None:
                return entries[:i], at
            year, end = at, self._new_year(at + 1)
        return entries, None

    def _new_year(self, year: int) -> str:
        """The first instant of a year here, as entries spell instants; they sort as text."""
        begins = datetime(year, 1, 1, tzinfo=self._zone).astimezone(UTC)
        return begins.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _closing(self) -> str | None:
        """The origin of the log that goes on from the present one, which is closed; None where it is not."""
        last = self.log.entry_at(self.log.size - 1) if self.log.size else b""
        said = read_entry(last) if is_link(last) else {}
        return str(said["next"]) if said.get("state") == "closed" else None

    def _close(self, year: int, tell: Tell) -> None:
        origin = f"{without_year(self._origin)}/{year}"
        self.log.append([tell("log", state="closed", next=origin)])
        self._step("closed")
        self._turn(origin, tell)

    def _turn(self, origin: str, tell: Tell) -> None:
        """Make the next year's log whole beside the old one, then put it in its place; again where a crash left it.

        The old log's last entry names the new one's origin. The new one's first names the old one's origin, size and
        root, so that either alone shows that there is the other.
        """
        old, year = read_checkpoint(self.log.checkpoint.rpartition("\n\n")[0] + "\n"), self.year
        room = self.folder / _NEXT
        new = Log(room, self._seed, origin, clock=self._clock, step=self._step)
        if new.recover() == 0:
            root = f"sha256:{old.root.hex()}"
            new.append([tell("log", state="opened", last=old.origin, size=old.size, root=root, year=year)])
        room.rename(self.folder / f"{_TURN}{year}")
        durable.sync_folder(self.folder)
        self._step("made")
        _put_in_place(self.folder, self._step)
        self._open()


def is_link(body: bytes) -> bool:
    """Whether an entry links the logs of two years: the log's own, which nobody handed in."""
    return b'"t":"log"' in body and read_entry(body)["t"] == "log"


def year_of(read: Read, zone: str) -> int | None:
    """The year of the log that is open: its name's, or of the first that of its first entry; None where it has none."""
    raw = read(CHECKPOINT)
    if raw is None:
        return None
    point = read_checkpoint(raw.decode().rpartition("\n\n")[0] + "\n")
    if point.origin != without_year(point.origin):
        return int(point.origin[-4:])
    at = _instant(read_bundle(read, 0, min(SPAN, point.size))[0]) if point.size else None
    return None if at is None else at.astimezone(ZoneInfo(zone)).year


def turning(folder: Path) -> bool:
    """Whether the log in a folder is being put in the place of last year's, or a crash left it half-way."""
    return any(folder.glob(f"{_TURN}*"))


def _put_in_place(folder: Path, step: durable.Step) -> None:
    """Move the old log below its year and a new one, which is whole, into its place; by renames alone."""
    for room in folder.glob(f"{_TURN}*"):
        old = folder / room.name.removeprefix(_TURN)
        old.mkdir(exist_ok=True)
        if (folder / WITNESSED).exists() and (room / CHECKPOINT).exists():
            (folder / WITNESSED).rename(old / WITNESSED)
        for part in _PARTS:
            if (room / part).exists():
                if not (old / part).exists():
                    (folder / part).rename(old / part)
                    step(f"{part}: closed")
                (room / part).rename(folder / part)
                step(f"{part}: in place")
        durable.sync_folder(old)
        durable.sync_folder(folder)
        shutil.rmtree(room)
        durable.sync_folder(folder)
        step("turned")


def _instant(body: bytes) -> datetime | None:
    said = _AT.search(body)
    return None if said is None else datetime.fromisoformat(said[1].decode())
