"""What the sieve hands back: the kept cells, and how many were kept or withheld for which reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

Why = tuple[str, str, str]
"""(category, ground, reason code)"""


@dataclass(frozen=True)
class Tally:
    """Counts of one or more sieved batches: evidence without the data.

    `cells` counts every cell that arrived with a value: once under ground `consent` with its reason (`consented` or
    why not), once more as (category, `statutory`, `statutory`) where the law itself has it kept (`restricted-zone`
    where even that does not help), and once as
    ("", "none", "not-in-catalogue") where nobody knows the signal.
    """

    rows_in: int = 0
    rows_kept: int = 0
    cells: Mapping[Why, int] = field(default_factory=dict)

    def __add__(self, other: "Tally") -> "Tally":
        cells = dict(self.cells)
        for why, n in other.cells.items():
            cells[why] = cells.get(why, 0) + n
        return Tally(self.rows_in + other.rows_in, self.rows_kept + other.rows_kept, cells)

    def as_rows(self) -> list[tuple[str, str, str, int]]:
        """The counts as sorted (category, ground, reason, cells), for papers and the ledger."""
        return sorted((*why, n) for why, n in self.cells.items() if n)

    @classmethod
    def from_rows(cls, rows_in: int, rows_kept: int, rows: list[tuple[str, str, str, int]]) -> "Tally":
        """The reverse of `as_rows`."""
        return cls(rows_in, rows_kept, {(c, g, r): n for c, g, r, n in rows})


@dataclass(frozen=True)
class Sieved:
    """`kept` holds the rows that have a kept cell (None when there is none), `tally` counts what happened.

    Of the kept batch each signal field says its `category` and, with `statutory` = "1" or "0", whether its cells may
    also be kept on the statutory ground. Column `purposes:<category>` has bit 0 where the statutory ground holds for
    the row, and bit i where a consent for purpose i does (words.batch.purposes_of); a cell of a signal that is not
    statutory is null and zero unless a bit above 0 is set.
    """

    kept: pa.RecordBatch | None
    tally: Tally
