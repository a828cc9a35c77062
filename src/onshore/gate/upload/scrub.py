"""A vehicle's number on the CAN bus: frames that carry it, or a part of it, go before anything else is done with them.

Three ways it comes: in messages whose identifier is known for it; in diagnostic answers (ISO 15765-2 transport of ISO
14229-1 ReadDataByIdentifier F190, or SAE J1979 mode 09 PID 02); and in any run of frames of one identifier whose bytes,
behind 0 to 2 bytes that count or say what comes, are 15 or more of its characters (ISO 3779: 17 of the digits and the
capital letters but I, O and Q).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onshore.gate.upload.frames import Bools, Frames, Ints, joined

ALWAYS = (0x580, 0x581, 0x582)
"""Toyota, on any bus."""

TEXTS = (0x40A, 0x4E1, 0x514)
"""Ford and General Motors: wherever such a frame ends in five or more characters of a vehicle's number."""

LENGTH = 15
LEAST = 3
"""A run begins with a frame that ends in LEAST characters or more, so two of the 17 may lie in the frame before it."""

PATIENCE = 20_000
"""Frames for which a run that may go on is waited for; past that a run of half a number or more goes too."""

_MARKS = (b"\x62\xf1\x90", b"\x49\x02")
_TABLE = np.zeros(256, np.bool_)
_TABLE[list(b"ABCDEFGHJKLMNPRSTUVWXYZ0123456789")] = True


@dataclass
class _Run:
    """What one identifier of one bus is in the middle of. `lengths`: characters so far behind 0, 1 and 2 bytes.

    `frames`: ordinals of those that wait for what comes of it; `left`: bytes of a diagnostic answer still to go.
    """

    lengths: list[int] = field(default_factory=lambda: [0, 0, 0])
    frames: list[list[int]] = field(default_factory=lambda: [[], [], []])
    left: int = 0
    last: int = 0


class Scrub:
    """Frames in, in their order; out come those of which it is certain that no vehicle's number is in them.

    A frame that may be part of one is held until the next ones of its identifier tell, or PATIENCE is over: `rows`
    then says it late. `next` is the ordinal of the next frame to come, `held` those in waiting.
    """

    def __init__(self, state: Mapping[str, Any] | None = None) -> None:
        self.next = int(state["next"]) if state else 0
        self.dropped = int(state["dropped"]) if state else 0
        self.held: set[int] = set(state["held"]) if state else set()
        self._kept: dict[int, Frames] = {}
        self._runs: dict[tuple[int, int], _Run] = {}
        for bus, id_, lengths, frames, left, last in state["runs"] if state else ():
            self._runs[bus, id_] = _Run(list(lengths), [list(f) for f in frames], left, last)

    def state(self) -> dict[str, Any]:
        """Counts and ordinals, none of the bytes."""
        runs = [[bus, id_, r.lengths, r.frames, r.left, r.last] for (bus, id_), r in self._runs.items()]
        return {"next": self.next, "dropped": self.dropped, "held": sorted(self.held), "runs": runs}

    def keep(self, ordinal: int, frame: Frames) -> None:
        """Give a held frame back to a scrub that was made of a state."""
        if ordinal in self.held:
            self._kept[ordinal] = frame

    def clean(self, frames: Frames) -> Frames:
        """Frames that may go on: of these, and of those that were held."""
        first, self.next = self.next, self.next + len(frames)
        text = _TABLE[frames.data] & (np.arange(frames.data.shape[1]) < frames.length[:, None])
        gone = np.isin(frames.id, ALWAYS)
        suffix = _suffix(text, frames.length)
        gone |= (np.isin(frames.id, TEXTS) & (suffix >= 5)) | _long(text)
        held = np.zeros(len(frames), np.bool_)
        freed: list[int] = []
        for rows, run in self._concerned(frames, suffix, gone):
            for row in rows:
                self._look(frames, text, int(suffix[row]), row, first + row, run, gone, freed)
        freed += self._impatient(gone, first)
        self._settle(frames, first, gone, held, freed)
        self.dropped += int(gone.sum())
        return joined([*self._free(freed), frames.where(~gone & ~held)])

    def finish(self) -> Frames:
        """The last frames: what still waits is no whole number, but half of one goes too."""
        freed: list[int] = []
        for key in list(self._runs):
            self._end(self._runs.pop(key), freed, np.zeros(0, np.bool_), self.next)
        return joined(self._free(freed))

    def _free(self, ordinals: list[int]) -> list[Frames]:
        self.held.difference_update(ordinals)
        return [self._kept.pop(ordinal) for ordinal in sorted(set(ordinals)) if ordinal in self._kept]

    def _concerned(self, frames: Frames, suffix: Ints, gone: Bools) -> list[tuple[list[int], _Run]]:
        """By identifier, the frames to look at one by one: of those that are in the middle of something or begin it."""
        pci = frames.data[:, 0] >> 4
        begins = (suffix >= LEAST) | ((frames.length >= 5) & (pci <= 1) & _marked(frames))
        begins &= ~gone
        keys = frames.bus << 32 | frames.id
        active = np.array([bus << 32 | id_ for bus, id_ in self._runs], np.int64)
        which = np.unique(np.concatenate([keys[begins], active[np.isin(active, keys)]]))
        chosen = np.flatnonzero(np.isin(keys, which) & ~gone)
        found: dict[int, list[int]] = {}
        for row, key in zip(chosen.tolist(), keys[chosen].tolist(), strict=True):
            found.setdefault(key, []).append(row)
        runs = ((rows, (key >> 32, key & 0xFFFFFFFF)) for key, rows in found.items())
        return [(rows, self._runs.setdefault(name, _Run())) for rows, name in runs]

    def _look(
        self,
        frames: Frames,
        text: Bools,
        suffix: int,
        row: int,
        ordinal: int,
        run: _Run,
        gone: Bools,
        freed: list[int],
    ) -> None:
        """One frame of an identifier: whether it goes on with what was, or begins something."""
        if ordinal - run.last > PATIENCE:
            self._end(run, freed, gone, ordinal - row)
        length, run.last = int(frames.length[row]), ordinal
        if self._diagnostic(bytes(frames.data[row, :length]), run):
            gone[row] = True
            return
        for skip in range(3):
            whole = length > skip and bool(text[row, skip:length].all())
            prefix = length - skip if whole else _prefix(text[row, skip:length])
            reach = run.lengths[skip] + prefix
            mine = [*run.frames[skip], ordinal]
            if reach >= LENGTH and prefix:
                self._drop(mine, gone, ordinal - row)
                run.lengths[skip], run.frames[skip] = (LENGTH, []) if whole else (0, [])
            elif whole:
                run.lengths[skip], run.frames[skip] = reach, mine
            else:
                freed += run.frames[skip]
                starts = suffix >= LEAST
                run.lengths[skip], run.frames[skip] = (suffix, [ordinal]) if starts else (0, [])

    def _diagnostic(self, data: bytes, run: _Run) -> bool:
        """Whether a frame belongs to a diagnostic answer that carries the number."""
        kind = data[0] >> 4 if data else 15
        if kind == 1 and any(mark in data[2:] for mark in _MARKS):
            run.left = ((data[0] & 15) << 8 | data[1]) - (len(data) - 2)
            return True
        if kind == 0 and len(data) > 8 and any(mark in data[1:6] for mark in _MARKS):
            return True
        if kind == 2 and run.left > 0:
            run.left -= len(data) - 1
            return True
        if kind == 1:
            run.left = 0
        return False

    def _drop(self, ordinals: list[int], gone: Bools, first: int) -> None:
        for ordinal in ordinals:
            if ordinal >= first:
                gone[ordinal - first] = True
            elif self._kept.pop(ordinal, None) is not None:
                self.dropped += 1
            self.held.discard(ordinal)

    def _impatient(self, gone: Bools, first: int) -> list[int]:
        """End what has waited too long; forget who is in the middle of nothing."""
        freed: list[int] = []
        for key, run in list(self._runs.items()):
            if self.next - run.last > PATIENCE:
                self._end(run, freed, gone, first)
            if run.left <= 0 and not any(run.lengths):
                del self._runs[key]
        return freed

    def _end(self, run: _Run, freed: list[int], gone: Bools, first: int) -> None:
        for skip in range(3):
            if run.lengths[skip] * 2 > LENGTH:
                self._drop(run.frames[skip], gone, first)
            else:
                freed += run.frames[skip]
            run.lengths[skip], run.frames[skip] = 0, []
        run.left = 0

    def _settle(self, frames: Frames, first: int, gone: Bools, held: Bools, freed: list[int]) -> None:
        """Hold what waits still; free what waits for nothing more."""
        waits = {ordinal for run in self._runs.values() for some in run.frames for ordinal in some}
        freed[:] = sorted({o for o in freed if o not in waits and (o < first or not gone[o - first])})
        for ordinal in waits:
            if ordinal >= first and not gone[ordinal - first]:
                held[ordinal - first] = True
                self._kept[ordinal] = frames.where(np.array([ordinal - first]))
        self.held = {ordinal for ordinal in waits if ordinal in self._kept}


def _prefix(text: NDArray[np.bool_]) -> int:
    return int(np.argmin(text)) if len(text) else 0


def _long(text: Bools) -> Bools:
    """Frames that hold a whole number, wherever in them."""
    if text.shape[1] < LENGTH:
        return np.zeros(len(text), np.bool_)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(text, LENGTH, axis=1).all(-1).any(-1))


def _suffix(text: Bools, length: Ints) -> Ints:
    """How many characters each frame ends in."""
    wide = text.shape[1]
    past = np.arange(wide) >= length[:, None]
    breaks = ~text & ~past
    last = np.where(breaks.any(1), wide - np.argmax(breaks[:, ::-1], 1), 0)
    found: Ints = length - last
    return found


def _marked(frames: Frames) -> Bools:
    """Frames that hold the beginning of an answer with the number somewhere."""
    data = frames.data
    found = ((data[:, :-2] == 0x62) & (data[:, 1:-1] == 0xF1) & (data[:, 2:] == 0x90)).any(1)
    marked: Bools = found | ((data[:, :-1] == 0x49) & (data[:, 1:] == 0x02)).any(1)
    return marked
