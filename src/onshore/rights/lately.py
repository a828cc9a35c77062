"""Lately: how much of a person was kept since an instant, purpose by purpose; counts alone."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from sqlalchemy import select

from onshore.rights.whose import some_of
from onshore.site import Site
from onshore.vault.papers import reading, segments
from onshore.vault.read import read_all_of
from onshore.vault.restrictions import Scope
from onshore.vault.segments import Place, buckets_of
from onshore.words.batch import PURPOSES, purposes_of


@dataclass(frozen=True)
class Kept:
    """Rows of a category that may serve a purpose."""

    purpose: str
    category: str
    rows: int


def kept(site: Site, scope: Scope, start: int) -> list[Kept]:
    """What a scope means of rows with a time from `start` (ms UTC) on that lie in segments, restricted ones too.

    A row that serves two purposes counts for each. What gates took in within the last minutes may be missing.
    """
    counted = Counter[tuple[str, str]]()
    for place, table in since(site, scope, start):
        bits = table.column(PURPOSES).to_numpy()
        for bit, purpose in enumerate(purposes_of(table.schema)):
            counted[purpose, place.category] += int(np.count_nonzero(bits >> bit & 1))
    return [Kept(*which, rows) for which, rows in sorted(counted.items()) if rows]


def since(site: Site, scope: Scope, start: int) -> Iterator[tuple[Place, pa.Table]]:
    """Those rows, with their place."""
    first = start if scope.start is None else max(start, scope.start)
    every = read_all_of(site.engine, site.root, site.vault, site.id, scope.vehicle, even_restricted=True, start=first)
    return some_of(site, scope, every)


def signature(site: Site, vehicle: int, start: int) -> frozenset[str]:
    """What tells that `kept` would find the same again: the segments that may hold such rows of a vehicle."""
    with reading(site.engine) as conn:
        here = segments.c.bucket.in_(buckets_of(conn, [vehicle]))
        return frozenset(conn.scalars(select(segments.c.id).where(here, segments.c.last >= start)))
