"""A dry run: what a request would be told and what it would touch, in figures; never a row, and nothing set down."""

from dataclasses import dataclass, replace

import pyarrow as pa

from onshore.border import requests
from onshore.border.rows import located, transforms
from onshore.border.rows.parcel import GROUP, bytes_of, interval_seed, pseudonyms
from onshore.border.rows.selection import Part, Sought, Touched, cells, sought, touched
from onshore.site import Site
from onshore.words.permit import Transfer
from onshore.words.verdict import Verdict

CONSENTED = "consented"
ZONE = "restricted-zone"


@dataclass(frozen=True)
class Category:
    """What would leave of one category.

    `bytes`: of its Parquet parts, as its first rows (`measured` of them) come to when they are written; `in_zones`:
    rows recorded in a restricted zone or its margin which the law here lets go; `withheld`: cells by reason, those in
    zones among them; `left_out`: signals that the request's own list or the transforms keep back. `precision_m`: of
    positions, None where none leaves.
    """

    category: str
    rows: int
    measured: int
    bytes: int
    vehicles: int
    persons: int
    signals: tuple[str, ...]
    left_out: tuple[str, ...]
    in_zones: int
    withheld: dict[str, int]
    precision_m: float | None


@dataclass(frozen=True)
class DryRun:
    """The verdict, and what would leave in all and by category."""

    verdict: Verdict
    rows: int
    bytes: int
    vehicles: int
    persons: int
    withheld: dict[str, int]
    categories: tuple[Category, ...]


def dry_run(site: Site, transfer: Transfer, names: tuple[str, ...] = ()) -> DryRun:
    """What a request would be told and touch now; `names`: transforms, as a permit might demand them.

    Refused as the request itself would be. Transforms count for the judge too: what is coarser may be less in law.
    """
    requests.acceptable(site, transfer)
    how = transforms.parse(names, site.catalogue)
    wanted = sought(site, transfer, how=how)
    found = touched(site, transfer, site.clock(), wanted=wanted, exactly=True)
    verdict = requests.judged_dry(site, transfer, found, wanted)
    parts = tuple(_category(site, transfer, category, found, wanted) for category in transfer.categories)
    return DryRun(
        verdict,
        found.rows,
        sum(part.bytes for part in parts),
        len(found.vehicles),
        len(found.persons),
        _withheld(found),
        parts,
    )


def judged(site: Site, transfer: Transfer) -> Verdict:
    """The word alone that a request would be told now; nothing is set down. Refused as the request itself would be."""
    requests.acceptable(site, transfer)
    return requests.judged_dry(site, transfer, touched(site, transfer, site.clock()), sought(site, transfer))


def _category(site: Site, transfer: Transfer, category: str, found: Touched, wanted: Sought) -> Category:
    part = found.parts.get(category, Part())
    one = Sought({c: s for c, s in wanted.signals.items() if c == category}, wanted.how)
    alone = replace(found, parts={category: part})
    measured, size = _measured(site, transfer, one) if part.rows else (0, 0)
    every = {name for name, signal in site.catalogue.items() if signal.category == category}
    some = one.signals.get(category, frozenset())
    return Category(
        category=category,
        rows=part.rows,
        measured=measured,
        bytes=round(size * part.rows / measured) if measured else 0,
        vehicles=len(part.vehicles),
        persons=len(part.persons),
        signals=tuple(sorted(part.signals)),
        left_out=() if some is None else tuple(sorted(every - some)),
        in_zones=part.zoned,
        withheld=_reasons(part),
        precision_m=located.whereabouts(site.catalogue, alone, one).precision_m,
    )


def _measured(site: Site, transfer: Transfer, wanted: Sought) -> tuple[int, int]:
    """How many of the first rows were written to nowhere, as a parcel has them, and how many bytes they came to."""
    held: list[pa.Table] = []
    read = 0
    for _, _, kept in cells(site, transfer, site.clock(), wanted):
        if kept is not None:
            held.append(pa.Table.from_batches([kept]))
            read += kept.num_rows
        if read >= GROUP:
            break
    seed = interval_seed(site, transfer.recipient)
    left = list(transforms.stream(held, wanted.how, site.catalogue, seed))
    return read, bytes_of(left, pseudonyms(site, transfer.recipient))


def _withheld(found: Touched) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in found.parts.values():
        for reason, count in _reasons(part).items():
            total[reason] = total.get(reason, 0) + count
    return total


def _reasons(part: Part) -> dict[str, int]:
    rows = part.tally.as_rows()
    return {reason: count for _, ground, reason, count in rows if ground == "consent" and reason != CONSENTED}
