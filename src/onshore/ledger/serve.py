"""The log over HTTP for auditors: each year's checkpoint and tiles under a prefix of their own (C2SP tlog-tiles)."""

import re
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from onshore.ledger.answering import Limits, listening
from onshore.ledger.layout import CHECKPOINT, VKEY, WITNESSED
from onshore.ledger.note import read_checkpoint
from onshore.ledger.tree import SPAN
from onshore.ledger.witness import Answer
from onshore.ledger.years import turning, year_of

_NAME = re.compile(
    rf"/(?P<year>[0-9]{{4}})/(?P<name>{CHECKPOINT}|{VKEY}|{WITNESSED}"
    r"|tile/(?P<level>entries|[0-9]|[1-5][0-9]|6[0-3])/(?P<number>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?)"
)
_SHORT, _FOR_EVER = "public, max-age=5", "public, max-age=31536000, immutable"
_BYTES = "application/octet-stream"
LIMITS = Limits(seconds=15, idle=15, connections=64, of_one=64)
"""What anybody may take: an auditor behind a proxy is as many as ask through it."""


class Shelf:
    """The files of a site's logs that anybody may read, by path: "/<year>/checkpoint", "/<year>/tile/…", "/"."""

    def __init__(self, folder: Path, zone: str) -> None:
        self._folder, self._zone = folder, zone

    def answer(self, method: str, target: str, _body: bytes = b"") -> Answer:
        """The answer to a request; nothing but the files of logs under a signed checkpoint is ever opened."""
        if method not in {"GET", "HEAD"}:
            return Answer(405, b"the log is read, not written\n", more=(("Allow", "GET, HEAD"),))
        now = self._present()
        found = self._found(target, now) if now is not None else _BUSY
        # At New Year files move: what was read in between may be another log's, and must not be kept for ever.
        return found if self._present() == now else _BUSY

    def _present(self) -> int | None:
        """The year of the log that is open (0: it holds nothing yet); None while one takes another's place."""
        try:
            found = year_of(lambda name: _read(self._folder, name), self._zone) or 0
        except ValueError:
            return None
        return None if turning(self._folder) else found

    def _found(self, target: str, now: int) -> Answer:
        if target == "/":
            years = "".join(f"{year}\n" for year in sorted({*self._closed(), *filter(None, [now])}))
            return Answer(200, years.encode(), cache=_SHORT)
        asked = _NAME.fullmatch(target)
        if asked is None or int(asked["year"]) not in {*self._closed(), now}:
            return _NOT_HERE
        folder = self._folder if int(asked["year"]) == now else self._folder / asked["year"]
        if asked["level"] is None:
            raw = _read(folder, asked["name"])
            return _NOT_HERE if raw is None else Answer(200, raw, cache=_SHORT)
        raw = _read(folder, asked["name"]) if _signed(folder, asked) else None
        if raw is None:
            return _NOT_HERE
        return Answer(200, raw, _BYTES, _FOR_EVER, zips=asked["level"] == "entries")

    def _closed(self) -> Iterator[int]:
        return (int(p.name) for p in self._folder.glob("[0-9][0-9][0-9][0-9]") if not p.is_symlink())


_NOT_HERE = Answer(404, b"there is no such file of the log\n")
_BUSY = Answer(503, b"the log of a year is being closed; ask again\n", more=(("Retry-After", "1"),))


def _signed(folder: Path, asked: re.Match[str]) -> bool:
    """Whether a tile lies under the signed checkpoint: one beyond it may yet change, after a crash."""
    raw = _read(folder, CHECKPOINT) or b""
    size = read_checkpoint(raw.decode().rpartition("\n\n")[0] + "\n").size
    level = 0 if asked["level"] == "entries" else int(asked["level"])
    number, width = int(re.sub("[x/]", "", asked["number"])), int(asked["width"] or SPAN)
    return (number * SPAN + width) << (8 * level) <= size and width <= SPAN


def _read(folder: Path, name: str) -> bytes | None:
    """A file below a folder; None where there is none, or where a link leads to it."""
    path = folder / name
    try:
        return path.read_bytes() if path.resolve() == folder.resolve() / name else None
    except (OSError, RuntimeError):
        return None


def published(
    folder: Path, zone: str, host: str, port: int, limits: Limits = LIMITS
) -> AbstractAsyncContextManager[int]:
    """Serve the logs in `folder` while this lasts; the port. For whoever may reach it: they hold nobody's data."""
    return listening(host, port, Shelf(folder, zone).answer, limits)
