"""Frames sorted by layout: many alike are read as columns of bytes, those that differ one by one.

What a sender can make this cost is bounded: a frame is walked once at most, and all walked frames of a batch
but LOOKS are held against no other. So a batch of frames that all differ takes time linear in its bytes, as it
does with the reference decoder, whatever their sizes and layouts.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from onshore.gate.gb32960.layout import PARTS, Bytes, Layout, Stuck, attempt
from onshore.gate.gb32960.legible import Instants, checksums, legible, why
from onshore.gate.gb32960.protocol import HEADER, TIME
from onshore.gate.gb32960.sources import Mask

Index = npt.NDArray[np.intp]
Counts = npt.NDArray[np.int64]

LOOKS = 32
"""Layouts of a batch, and sizes of frames, that are looked for among the others; a fleet has a few."""

FEW = 4
"""So few frames of one size, or one layout, are quicker read one by one."""

_HEAD = HEADER + TIME
_SIZES = tuple(PARTS.values())
Begins = Sequence[int]
"""Per part of PARTS where it begins in a line (Columns.begins)."""


class Alike:
    """Frames of one layout: which they are (`rows`), and their bytes (frames, size)."""

    def __init__(self, layout: Layout, rows: Index, matrix: Bytes) -> None:
        self.rows = rows
        self.kinds = layout.kinds
        self._layout = layout
        self._bytes = matrix

    def fill(self, lines: Bytes, has: Mask, begins: Begins) -> None:
        """Put fixed parts into `lines` (frames, bytes), and what is there into `has`."""
        for part, begin in self._layout.fixed:
            size, into = _SIZES[part], begins[part]
            lines[:, into : into + size] = self._bytes[:, begin : begin + size]
        has[:] = np.frombuffer(_there(self._layout), np.bool_)

    def listed(self, name: str) -> tuple[Counts, Bytes]:
        """The bytes of a list: how many each frame has, -1 where it has no such list, and all of them joined."""
        ranges = self._layout.lists.get(name)
        if ranges is None:
            return np.full(len(self.rows), -1), np.empty(0, np.uint8)
        joined = np.concatenate([self._bytes[:, :0], *(self._bytes[:, a:b] for a, b in ranges)], axis=1)
        return np.full(len(self.rows), joined.shape[1]), joined.ravel()


class Alone:
    """Frames that are read one by one; the same to the outside as those that are alike."""

    def __init__(self, rows: list[int], frames: list[bytes], layouts: list[Layout]) -> None:
        self.rows = np.array(rows, np.intp)
        self.kinds = frozenset[int]().union(*{layout.kinds for layout in layouts})
        self._frames = frames
        self._layouts = layouts

    def fill(self, lines: Bytes, has: Mask, begins: Begins) -> None:
        """As of Alike."""
        width = lines.shape[1]
        made = [_line(frame, layout, begins, width) for frame, layout in zip(self._frames, self._layouts, strict=True)]
        lines[:] = np.frombuffer(b"".join(made), np.uint8).reshape(-1, width)
        there = b"".join(map(_there, self._layouts))
        has[:] = np.frombuffer(there, np.bool_).reshape(has.shape)

    def listed(self, name: str) -> tuple[Counts, Bytes]:
        """As of Alike."""
        pieces = [_listed(name, frame, layout) for frame, layout in zip(self._frames, self._layouts, strict=True)]
        counts = np.array([-1 if piece is None else len(piece) for piece in pieces], np.int64)
        return counts, np.frombuffer(b"".join([piece for piece in pieces if piece]), np.uint8)


def groups(frames: Sequence[bytes], checked: bool, rejected: dict[int, str]) -> tuple[list[Alike | Alone], Instants]:
    """Every frame that can be read in one group, and when each frame is of (ms UTC).

    Every other frame is in `rejected`, with the reason. What is in it to begin with is not looked at.
    """
    search = _Search(frames, checked, rejected)
    for rows in sorted(_by_size(frames, rejected), key=len, reverse=True):
        search.of_size(len(frames[rows[0]]), rows)
    return search.found(), search.when


def _by_size(frames: Sequence[bytes], rejected: Iterable[int]) -> list[Index]:
    """The frames that are not rejected: those of one size together, in order."""
    rows = np.delete(np.arange(len(frames)), list(rejected))
    sizes = np.fromiter(map(len, frames), np.intp, len(frames))[rows]
    order = np.argsort(sizes, kind="stable")
    return np.split(rows[order], np.flatnonzero(np.diff(sizes[order])) + 1) if len(rows) else []


class _Search:
    """Finds frames that are alike, as long as it pays."""

    def __init__(self, frames: Sequence[bytes], checked: bool, rejected: dict[int, str]) -> None:
        self._frames = frames
        self._checked = checked
        self.when = np.full(len(frames), -1)
        self._rejected = rejected
        self._looks = LOOKS
        self._alike: list[Alike | Alone] = []
        self._rows: list[int] = []  # of frames that are legible, but not looked for among others
        self._walked: dict[int, Layout] = {}
        self._unread: list[int] = []

    def of_size(self, size: int, rows: Index) -> None:
        """Sort frames of one size."""
        if size < _HEAD + 1:
            self._reject(rows.tolist())
        elif len(rows) < FEW or not self._looks:
            self._unread += rows.tolist()
        else:
            self._looks -= 1
            frames = self._frames if len(rows) == len(self._frames) else [self._frames[i] for i in rows.tolist()]
            matrix = np.frombuffer(b"".join(frames), np.uint8).reshape(-1, size)
            when = self.when[rows] = legible(matrix[:, :_HEAD], size)
            good = when >= 0
            if not self._checked:
                good &= checksums(matrix) == 0
            if not good.all():
                self._reject(rows[~good].tolist())
                rows, matrix = rows[good], matrix[good]
            self._by_layout(rows, matrix)

    def _by_layout(self, rows: Index, matrix: Bytes) -> None:
        """Walk one frame, hold all others against it, go on with those that differ."""
        left = np.arange(len(rows))
        while len(left) >= FEW and self._looks:
            self._looks -= 1
            first = int(rows[left[0]])
            layout = attempt(self._frames[first])
            at, says = shape(layout.numbers, self._frames[first])
            same = (matrix.take(at, axis=1).take(left, axis=0) == says).all(axis=1)
            of = left[same]
            if isinstance(layout, Stuck):
                self._rejected.update(dict.fromkeys(rows[of].tolist(), layout.why.what))
                left = left[~same]
                continue
            if len(of) < FEW:
                self._walked[first] = layout
                self._rows.append(first)
                left = left[1:]
                continue
            whole = len(of) == len(rows)
            self._alike.append(Alike(layout, rows[of], matrix if whole else matrix[of]))
            left = left[~same]
        self._rows += rows[left].tolist()

    def found(self) -> list[Alike | Alone]:
        """The groups, when all frames have been sorted; those that are alone in one."""
        self._read()
        layouts = {i: layout for i in self._rows if (layout := self._walked.get(i) or self._walk(i)) is not None}
        if layouts:
            rows = list(layouts)
            self._alike.append(Alone(rows, [self._frames[i] for i in rows], list(layouts.values())))
        return self._alike

    def _read(self) -> None:
        """What `of_size` does, of frames of any sizes."""
        if not self._unread:
            return
        frames = [self._frames[i] for i in self._unread]
        sizes = np.array([len(frame) for frame in frames])
        heads = np.frombuffer(b"".join([frame[:_HEAD] for frame in frames]), np.uint8).reshape(-1, _HEAD)
        rows = np.array(self._unread, np.intp)
        when = self.when[rows] = legible(heads, sizes)
        good = when >= 0
        if not self._checked:
            joined = np.frombuffer(b"".join(frames), np.uint8)
            good &= np.bitwise_xor.reduceat(joined, np.cumsum(sizes) - sizes) == 0  # the start mark adds zero
        self._reject(rows[~good].tolist())
        self._rows += rows[good].tolist()

    def _walk(self, i: int) -> Layout | None:
        found = attempt(self._frames[i])
        if isinstance(found, Stuck):
            self._rejected[i] = found.why.what
            return None
        return found

    def _reject(self, which: list[int]) -> None:
        self._rejected.update((i, why(self._frames[i])) for i in which)


def shape(numbers: list[int], frame: bytes) -> tuple[Index, Bytes]:
    """Where the bytes are that make a shape, and what a frame says there."""
    at = np.array(numbers, np.intp)
    return at, np.frombuffer(frame, np.uint8)[at]


def _there(layout: Layout) -> bytearray:
    """One byte for each of PARTS: whether a frame has it."""
    there = bytearray(len(PARTS))
    for part, _ in layout.fixed:
        there[part] = 1
    return there


def _line(frame: bytes, layout: Layout, begins: Begins, width: int) -> bytearray:
    """The fixed parts of a frame, side by side."""
    line = bytearray(width)
    for part, begin in layout.fixed:
        size, into = _SIZES[part], begins[part]
        line[into : into + size] = frame[begin : begin + size]
    return line


def _listed(name: str, frame: bytes, layout: Layout) -> bytes | None:
    ranges = layout.lists.get(name)
    return None if ranges is None else b"".join([frame[a:b] for a, b in ranges])
