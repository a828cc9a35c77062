"""A gate that goes on taking in beside what is measured, at a pace or as fast as it can; it drains each closed file.

`python -m bench._ingesting SITE CARS PACE` in a process of its own, PACE in rows a second or 0 for all that goes; it
writes lines to stdout until its stdin is closed.
"""

import json
import subprocess
import sys
import threading
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Self

import numpy as np
from bench._days import USE, Fleet, kept

from onshore.site import open_site
from onshore.vault.journal import Journal
from onshore.vault.keeping import suppress_taken
from onshore.words.vocabulary import STATUTORY

ROUNDS, PACED_ROUNDS = 40, 5
"""Batches to a file of the journal: as fast as it goes, and at a pace, where a batch takes seconds."""

_TICK = 0.1


class Ingest:
    """The other process, and what it said: instants, with the rows acknowledged and the rows in segments by then."""

    def __init__(self, site: Path, cars: Path, pace: float = 0) -> None:
        self._told: list[tuple[float, int, int]] = []
        command = [sys.executable, "-m", "bench._ingesting", str(site), str(cars), str(pace)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            self._told.append((said["at"], said["acknowledged"], said["drained"]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._reader.join()

    def drains(self, since: float) -> int:
        """How often it has drained since an instant."""
        return len({drained for at, _, drained in list(self._told) if at >= since})

    def rate(self, start: float, end: float) -> float:
        """Rows a second from acknowledged to in segments, over [start, end] widened to where it was done draining."""
        edges = [one for last, one in zip(self._told, self._told[1:], strict=False) if one[2] != last[2]]
        first = max((one for one in edges if one[0] <= start), default=edges[0])
        last = min((one for one in edges if one[0] >= end), default=edges[-1])
        return (last[2] - first[2]) / (last[0] - first[0])


def main(site: Path, cars: Path, pace: float) -> None:
    """Append and drain until nobody reads any more."""
    here = open_site(site)
    fleet = Fleet(np.load(cars), 20, (STATUTORY, USE))
    batches = [kept(batch) for batch in fleet.day(here.clock() - 86_400_000, 99)]
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    acknowledged = closed = drained = 0
    begun = perf_counter()
    said = {"site": here.id, "clock": here.clock, "randomness": here.randomness}
    with Journal(here.engine, here.root, here.vault, gate="1", **said) as journal:
        while not stop.is_set():
            for turn in range(PACED_ROUNDS if pace else ROUNDS):
                batch = batches[turn % len(batches)]
                journal.append(batch, pack=here.pack.id)
                journal.tick()
                acknowledged += batch.tally.rows_kept
                due = begun + acknowledged / pace if pace else 0
                while (left := due - perf_counter()) > 0 and not stop.wait(min(left, _TICK)):
                    journal.tick()  # as a gate does that has nothing to append: an erasure waits for it
            journal.rotate()
            closed = acknowledged
            with suppress_taken():
                here.drain()
                drained = closed
            print(json.dumps({"at": perf_counter(), "acknowledged": acknowledged, "drained": drained}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
