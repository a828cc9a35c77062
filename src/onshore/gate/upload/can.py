"""CAN traffic of one file: scrubbed, decoded, and how to go on after a crash without the bytes of a frame."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from onshore.gate.upload.frames import Database, Frames
from onshore.gate.upload.reading import Rows
from onshore.gate.upload.scrub import Scrub


class Track:
    """Frames in the order of the file, each known by its ordinal; rows out.

    What the scrub holds must be read again after a crash: `boundary` is where the piece of the file begins in which the
    first such frame lies. A track made of a `state` passes over what was yielded before.
    """

    def __init__(self, database: Database, state: Mapping[str, Any] | None = None) -> None:
        self._database = database
        self._scrub = Scrub(state["scrub"] if state else None)
        self._ordinal = int(state["ordinal"]) if state else 0
        self._units: list[tuple[int, int, int]] = []
        self.others = int(state["others"]) if state else 0

    @property
    def dropped(self) -> int:
        """Frames that carried a vehicle's number, or a part of it."""
        return self._scrub.dropped

    def begin(self, at: int, others: int = 0) -> None:
        """A piece of the file begins at this byte; what comes next may be read again only together with it.

        `others`: how many things that are no frames came before it; a track made of a state has it in its `others`.
        """
        if len(self._units) > 1 and self._units[-1][0] == self._ordinal:
            del self._units[-1]  # no frame lies in it, so nothing of it need be read again
        self._units.append((self._ordinal, at, others))

    def rows(self, frames: Frames) -> list[Rows]:
        """Rows of what is certain to be free of a vehicle's number."""
        first, self._ordinal = self._ordinal, self._ordinal + len(frames)
        known = min(max(self._scrub.next - first, 0), len(frames))
        for ordinal in sorted(self._scrub.held):
            if first <= ordinal < first + known:
                self._scrub.keep(ordinal, frames.where(np.array([ordinal - first])))
        return list(self._database.rows(self._scrub.clean(frames.where(np.arange(known, len(frames))))))

    def finish(self) -> list[Rows]:
        """The last rows."""
        return list(self._database.rows(self._scrub.finish()))

    def boundary(self, at: int | None = None, others: int = 0) -> int:
        """From where the file must be read after a crash, where pieces were read to the byte `at`, None: not to an end.

        To be asked before `state`, and after the first `begin`.
        """
        low = min(self._scrub.held, default=self._ordinal)
        if at is not None and low >= self._ordinal:
            self._units = [(self._ordinal, at, others)]
        while len(self._units) > 1 and self._units[1][0] <= low:
            del self._units[0]
        return self._units[0][1]

    def state(self) -> dict[str, Any]:
        """Counts and ordinals; it belongs to the last `boundary`."""
        ordinal, _, others = self._units[0] if self._units else (self._ordinal, 0, self.others)
        return {"ordinal": ordinal, "others": others, "scrub": self._scrub.state()}
