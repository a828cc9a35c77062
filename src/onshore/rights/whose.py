"""Whose rows of a vehicle are meant: one person's, some categories', those of some days."""

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from onshore.consent.records import BEFORE_TIME, FOREVER
from onshore.register import drives, persons
from onshore.register.vehicles import Vehicle
from onshore.rights.cases import DESK, Wish, check_identity
from onshore.rules.local import local_midnight
from onshore.site import Site
from onshore.vault.read import Found, read_all_of
from onshore.vault.restrictions import Scope, covered
from onshore.vault.segments import Place
from onshore.words.errors import Malformed
from onshore.words.vocabulary import CATEGORIES

AT_ONCE = 65_536
"""Rows of a vehicle that are looked at together, however long its history is."""


def wish(
    site: Site,
    vehicle: Vehicle,
    *,
    person: int | None = None,
    categories: Collection[str] = (),
    first: str | None = None,
    last: str | None = None,
    identity: str = DESK,
) -> Wish:
    """A wish as a person says it: `person` by the register's id (None: everybody's rows), local days, both inclusive.

    Malformed: a category or a day that is none. Refused (`no-keeper`): a person who never kept the vehicle.
    """
    unknown = sorted(set(categories) - set(CATEGORIES))
    if unknown:
        raise Malformed(f"there is no category '{unknown[0]}'; there are {', '.join(CATEGORIES)}", where="--category")
    start, until = _midnight(site, first, 0, "--from"), _midnight(site, last, 1, "--until")
    if start is not None and until is not None and until <= start:
        raise Malformed("the period ends before it begins", where="--until")
    scope = Scope(vehicle.id, None, frozenset(categories) or None, start, until)
    own = scope if person is None else _narrowed(site, scope, person)
    period = start is not None or until is not None
    return Wish(own, person, check_identity(identity), period=period)


def _narrowed(site: Site, scope: Scope, person: int) -> Scope:
    """The part of a scope that is a person's: an owner's in their time with the vehicle, a driver's own drives."""
    since, ended = persons.span(site, scope.vehicle, person)
    driver = persons.driver_id(site, scope.vehicle, person)
    if driver is not None:
        return replace(scope, driver=driver)  # their drives lie in their time already
    start = max(since, BEFORE_TIME if scope.start is None else scope.start)
    until = min(ended, FOREVER if scope.until is None else scope.until)
    return replace(
        scope,
        driver=scope.vehicle,
        start=None if start == BEFORE_TIME else start,
        until=None if until == FOREVER else until,
    )


def _midnight(site: Site, day: str | None, later: int, where: str) -> int | None:
    """The instant at which a local day begins, or, `later`, the one after it."""
    if day is None:
        return None
    try:
        found = date.fromisoformat(day) + timedelta(days=later)
    except (ValueError, OverflowError):
        raise Malformed("it is no day; write one as 2026-11-22", where=where) from None
    return local_midnight(found, site.pack.zone)


def rows(site: Site, scope: Scope) -> Iterator[tuple[Place, pa.Table]]:
    """The rows of segments that a scope means, some at a time, each time with their place: for whose they are.

    Restricted ones too. What gates acknowledged until now has to be brought in before (`site.bring_in`).
    """
    every = read_all_of(site.engine, site.root, site.vault, site.id, scope.vehicle, even_restricted=True)
    return some_of(site, scope, every)


def some_of(site: Site, scope: Scope, every: Iterable[tuple[Found, pa.Table]]) -> Iterator[tuple[Place, pa.Table]]:
    """Of rows of a vehicle those that a scope means."""
    told = drives.Standing(site)
    for found, table in every:
        category = found.place.category
        for some in (table.slice(at, AT_ONCE) for at in range(0, table.num_rows, AT_ONCE)):
            vehicle, time, received = (
                some.column(name).cast(pa.int64()).to_numpy() for name in ("vehicle", "time", "received")
            )
            for _, meant in covered([scope], vehicle, time, category, told.compiled(), received):
                yield found.place, some.take(pa.array(np.sort(meant)))


def told_of(scope: Scope) -> str:
    """A scope as JSON, for a receipt: random ids, categories and instants alone."""
    return json.dumps(
        {
            "vehicle": f"{scope.vehicle:016x}",
            "driver": "" if scope.driver is None else f"{scope.driver:016x}",
            "categories": sorted(scope.categories or ()),
            "start": scope.start or 0,
            "until": scope.until or 0,
        },
        sort_keys=True,
    )
