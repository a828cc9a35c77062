"""What the readers of all formats have in common: bytes in, rows out, and where one may go on after a crash."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from onshore.words.errors import Malformed


@dataclass(frozen=True)
class Limits:
    """Bytes, unless it says otherwise.

    `line`: of text; `unit`: of a record or block that is read whole, as it comes
    and unpacked; `held`: of all that must wait for what a file tells later; `names`: how many channels, signals or
    blocks a file may list; `step`: how many rows are made at a time, so that nobody else waits long meanwhile.
    """

    line: int = 64 << 10
    unit: int = 16 << 20
    held: int = 64 << 20
    names: int = 65_536
    step: int = 4096


@dataclass(frozen=True)
class Rows:
    """Some rows in the order of the file: instants (ms UTC), and a column for each signal, null where absent."""

    times: NDArray[np.int64]
    columns: Mapping[str, pa.Array]


class Reader(ABC):
    """A pure reader of one file. Whenever it has yielded, or is at rest, `boundary` and `state` belong together.

    `unpacked`: bytes that unpacking made beyond those of the file.

    It yields steps: some parts of rows, or none where it only lets others have their turn.

    A reader of the same format that is made with `state` and fed the file from `boundary` on yields the rows that
    have not been yielded yet, no other. Raises Malformed where the bytes are not of the format, or over a limit.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.boundary = 0
        self.unpacked = 0
        self.counts: Counter[str] = Counter()

    @abstractmethod
    def feed(self, data: bytes) -> Iterator[list[Rows]]:
        """Rows that these bytes complete; to be run to its end before more is fed."""

    @abstractmethod
    def finish(self) -> Iterator[list[Rows]]:
        """The last rows; the file is over. Malformed where it breaks off."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What a reader must know to go on at `boundary`, without any bytes of the file: numbers, and names."""


class Pieces:
    """Bytes that arrived and were not read yet, and where in the file they begin."""

    def __init__(self, at: int) -> None:
        self.at = at
        self._bytes = bytearray()

    def __len__(self) -> int:
        return len(self._bytes)

    def add(self, data: bytes) -> None:
        """More of them."""
        self._bytes += data

    def peek(self, length: int) -> bytes:
        """The first so many, fewer where there are fewer."""
        return bytes(self._bytes[:length])

    def take(self, length: int) -> bytes:
        """The first so many, which are read now."""
        taken = bytes(self._bytes[:length])
        del self._bytes[:length]
        self.at += len(taken)
        return taken

    def drop(self, length: int) -> int:
        """Pass over as many of so many as are there; how many."""
        gone = min(length, len(self._bytes))
        del self._bytes[:gone]
        self.at += gone
        return gone

    def lines(self, most: int, least: int) -> bytes:
        """Whole lines, some `least` bytes of them or what there is; Malformed where one is longer than `most`."""
        end = self._bytes.find(b"\n", min(least, len(self._bytes)))
        end = end if end >= 0 else self._bytes.rfind(b"\n")
        longest = len(self._bytes) if end < 0 else end - self._bytes.rfind(b"\n", 0, end) - 1
        if longest > most:
            raise Malformed(f"a line is longer than {most} bytes", where=f"byte {self.at}")
        return self.take(end + 1)
