"""What was taken in over a period, by the ledger, and what lies here now, by the list of segments."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from onshore.reports.evidence.logged import Logged
from onshore.site import Site
from onshore.vault.papers import reading, segments

KEPT = {"consent": "consented"}
"""Ground to the reason under which its cells were kept, where that is not the ground's own name."""


@dataclass(frozen=True)
class Stock:
    """What lies here now of a category under a ground: rows, files (each with a key of its own), first and last day."""

    category: str
    ground: str
    rows: int
    files: int
    first: str
    last: str


@dataclass(frozen=True)
class Intake:
    """Rows in and kept over a period; cells kept by (category, ground), and withheld by reason."""

    rows_in: int
    rows_kept: int
    kept: Mapping[tuple[str, str], int]
    withheld: Mapping[str, int]


def stock(site: Site) -> tuple[Stock, ...]:
    """What lies here now."""
    t = segments.c
    ask = select(t.category, t.ground, func.sum(t.rows), func.count(), func.min(t.day), func.max(t.day)).group_by(
        t.category, t.ground
    )
    with reading(site.engine) as conn:
        found = [Stock(c, g, int(rows), int(n), first, last) for c, g, rows, n, first, last in conn.execute(ask)]
    return tuple(sorted(found, key=lambda one: (one.category, one.ground)))


def intake(logged: Logged) -> Intake:
    """What the entries of drained journals say of a period: each cell once under a ground, with its reason."""
    kept: dict[tuple[str, str], int] = {}
    withheld: dict[str, int] = {}
    for entry in logged.of("ingest"):
        for category, ground, reason, cells in entry.fields["cells"]:
            if reason == KEPT.get(ground, ground):
                kept[category, ground] = kept.get((category, ground), 0) + cells
            elif ground == "consent":
                withheld[reason] = withheld.get(reason, 0) + cells
    return Intake(logged.total("rows_in", "ingest"), logged.total("rows_kept", "ingest"), kept, withheld)
