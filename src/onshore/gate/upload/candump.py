"""Drives as candump writes them (can-utils, -l): one frame a line, "(1533224088.000000) can0 260#08FFFB0000001884"."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from onshore.gate.upload.can import Track
from onshore.gate.upload.dbc import EXTENDED
from onshore.gate.upload.frames import Database, frames_of
from onshore.gate.upload.reading import Limits, Pieces, Reader, Rows
from onshore.words.errors import Malformed

_LINE = re.compile(
    rb"^\((\d{1,12})\.(\d{3})\d{0,6}\) [A-Za-z]{0,16}(\d{0,6})[^\s#]{0,32} "
    rb"([0-9A-Fa-f]{3}|[0-9A-Fa-f]{8})#(R\d*|#?[0-9A-Fa-f_.]*)"
    rb"(?: [RT])?\r?$",
    re.MULTILINE,
)
_BLOCK = 96 << 10


class CandumpReader(Reader):
    """Frames of all interfaces, in bus 0 for can0, 128 for can128; remote frames and error frames carry nothing."""

    def __init__(self, database: Database, limits: Limits, state: Mapping[str, Any] | None = None) -> None:
        super().__init__(limits)
        self.boundary = int(state["at"]) if state else 0
        self._pieces = Pieces(self.boundary)
        self._track = Track(database, state["track"] if state else None)

    def feed(self, data: bytes) -> Iterator[list[Rows]]:
        """Rows of the lines that are whole."""
        self._pieces.add(data)
        while True:
            at = self._pieces.at
            block = self._pieces.lines(self.limits.line, _BLOCK)
            if not block:
                return
            self._track.begin(at)
            rows = self._rows(block, at)
            self.boundary = self._track.boundary(self._pieces.at)
            self.counts["frames with a vehicle's number"] = self._track.dropped
            yield rows

    def finish(self) -> Iterator[list[Rows]]:
        """What the last frames turn out to be."""
        if len(self._pieces):
            yield from self.feed(b"\n")
        rows = self._track.finish()
        self.boundary = self._track.boundary(self._pieces.at)
        self.counts["frames with a vehicle's number"] = self._track.dropped
        yield rows

    def state(self) -> dict[str, Any]:
        """How far the frames were read."""
        return {"at": self.boundary, "track": self._track.state()}

    def _rows(self, block: bytes, at: int) -> list[Rows]:
        lines = _LINE.findall(block)
        if len(lines) != block.count(b"\n") and len(lines) != sum(1 for line in block.split(b"\n") if line.strip()):
            raise Malformed("a line that is no frame as candump -l writes it", where=f"after byte {at}")
        kept = [line for line in lines if line[4][:1] != b"R" and (len(line[3]) == 3 or line[3][:1] in (b"0", b"1"))]
        try:
            frames = frames_of(
                [int(seconds) * 1000 + int(milli) for seconds, milli, *_ in kept],
                [int(bus or 0) for _, _, bus, *_ in kept],
                [int(id_, 16) | (EXTENDED if len(id_) == 8 else 0) for _, _, _, id_, _ in kept],
                [_bytes(data).decode() for *_, data in kept],
            )
        except ValueError:
            raise Malformed("a frame whose bytes are no hex digits, or too many", where=f"after byte {at}") from None
        return self._track.rows(frames)


def _bytes(said: bytes) -> bytes:
    """The hex digits of a frame; of CAN FD one for flags comes before them, of CAN a length may follow."""
    if said[:1] == b"#":
        return said[2:].replace(b".", b"")
    return said.partition(b"_")[0].replace(b".", b"")
