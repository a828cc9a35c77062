"""Kept: rows and cells that were kept or withheld, summed from the ledger as it grows."""

import json
from collections import Counter
from collections.abc import Iterator

from onshore.desk.watch.metrics import OTHER, Sample
from onshore.ledger.years import Years

_MARK = b'"t":"ingest"'


class Kept:
    """Sums over a site's ledger since it was made; one for a process, as each entry is read once."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._read = 0
        self._rows = Counter[str]()
        self._cells = Counter[tuple[str, str, str]]()

    def look(self, log: Years) -> None:
        """Read on; from the start where the log is shorter than it was, as after a restore."""
        size = log.size
        if size < self._read:
            self._begin()
        for body in log.entries(self._read):
            if _MARK in body:
                said = json.loads(body)
                self._rows["kept"] += said["rows_kept"]
                self._rows["withheld"] += said["rows_in"] - said["rows_kept"]
                for category, ground, reason, cells in said["cells"]:
                    self._cells[category or OTHER, ground, reason] += cells
        self._read = size

    def samples(self) -> Iterator[Sample]:
        """The sums."""
        for outcome in ("kept", "withheld"):
            yield Sample("onshore_rows_total", self._rows[outcome], (outcome,))
        for why, cells in sorted(self._cells.items()):
            yield Sample("onshore_cells_total", cells, why)
