"""Drives as comma-separated text (RFC 4180, a header line first, no line breaks inside cells)."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np

from onshore.gate.upload.decode import Target, texts
from onshore.gate.upload.manifest import Instant
from onshore.gate.upload.reading import Limits, Pieces, Reader, Rows
from onshore.words.errors import Malformed

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_PER = {"s": 1e3, "ms": 1.0, "us": 1e-3, "ns": 1e-6}
_BLOCK = 64 << 10


class DelimitedReader(Reader):
    """A row per line. Columns without a target are never looked at; a cell that is no value is absent."""

    def __init__(
        self, targets: Mapping[str, Target], instant: Instant, limits: Limits, state: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(limits)
        self._targets, self._instant = targets, instant
        self._moment = _moments(instant)
        self._header: list[str] = list(state["header"]) if state else []
        self._line = int(state["line"]) if state else 0
        self.boundary = int(state["at"]) if state else 0
        self._pieces = Pieces(self.boundary)
        if self._header:
            self._lay_out()

    def feed(self, data: bytes) -> Iterator[list[Rows]]:
        """Rows of the lines that are whole."""
        self._pieces.add(data)
        while block := self._pieces.lines(self.limits.line, _BLOCK):
            rows = self._rows(block)
            self.boundary = self._pieces.at
            if rows is not None:
                yield [rows]

    def finish(self) -> Iterator[list[Rows]]:
        """The last line may lack its end."""
        if len(self._pieces):
            yield from self.feed(b"\n")
            self.boundary -= 1
        if not self._header:
            raise Malformed("there is no header line", where="line 1")

    def state(self) -> dict[str, Any]:
        """The header, and how many lines came."""
        return {"header": self._header, "line": self._line, "at": self.boundary}

    def _rows(self, block: bytes) -> Rows | None:
        try:
            lines = block.decode("utf-8-sig" if not self._line else "utf-8").rstrip("\n").split("\n")
            cells = list(csv.reader(lines, strict=True))
        except (UnicodeDecodeError, csv.Error):
            where = f"line {self._line + 1} or after"
            raise Malformed("no comma-separated UTF-8 text", where=where) from None
        first = self._line + 1
        self._line += len(lines)
        if not self._header:
            self._read_header(cells)
            cells, first = cells[1:], first + 1
        return self._decoded([row for row in cells if row], first)

    def _read_header(self, cells: list[list[str]]) -> None:
        self._header = [name.strip() for name in cells[0]] if cells else []
        if not self._header or len(self._header) > self.limits.names:
            raise Malformed("there is no header line, or it has too many columns", where="line 1")
        self._lay_out()

    def _lay_out(self) -> None:
        missing = [name for name in self._instant.columns if name not in self._header]
        if missing:
            raise Malformed("a column that says when is missing", where="line 1")
        self._when = [self._header.index(name) for name in self._instant.columns]
        self._found = {self._header.index(name): t for name, t in self._targets.items() if name in self._header}

    def _decoded(self, cells: list[list[str]], first: int) -> Rows | None:
        width = len(self._header)
        self.counts["dropped cells"] += len(cells) * (width - len(self._found) - len(self._when))
        for number, row in enumerate(cells, first):
            if len(row) != width:
                raise Malformed(f"not the {width} cells of the header", where=f"near line {number}")
        if not cells:
            return None
        times = np.array([self._moment(" ".join(row[at] for at in self._when)) for row in cells], np.int64)
        columns = {t.signal.name: texts(t, [row[at] for row in cells]) for at, t in self._found.items()}
        return Rows(times, columns)


def _parsed(text: str, form: str) -> datetime:
    return datetime.strptime(text, form)  # noqa: DTZ007 - whoever calls knows the offset


def _moments(instant: Instant) -> Callable[[str], int]:
    zone = timezone(timedelta(minutes=instant.offset))

    def read(text: str) -> int:
        try:
            if instant.format in _PER:
                return int(np.int64(int(float(text) * _PER[instant.format])))  # of 64 bits, or OverflowError
            said = datetime.fromisoformat(text) if instant.format == "iso" else _parsed(text, instant.format)
            return ((said if said.tzinfo else said.replace(tzinfo=zone)) - _EPOCH) // _MILLISECOND
        except (ValueError, OverflowError, re.error):  # strptime says re.error where a directive comes twice
            raise Malformed("a time that cannot be read as the manifest says", where="a row") from None

    return read
