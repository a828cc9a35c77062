"""What a request touches, as of now: read for its purpose, and sieved again with the consents that stand now."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, or_, select

from onshore.register import drives
from onshore.register.again import Again
from onshore.register.vehicles import owners
from onshore.site import Site
from onshore.vault import papers
from onshore.vault.papers import reading
from onshore.vault.restrictions import Newest, newest, restricted_after
from onshore.words.errors import Refusal
from onshore.words.permit import Transfer
from onshore.words.tally import Tally
from onshore.words.use import Use


@dataclass
class Touched:
    """What would leave: rows, cells by reason, and the vehicles and persons behind them. Never the rows."""

    rows: int = 0
    tally: Tally = field(default_factory=Tally)
    vehicles: set[int] = field(default_factory=set)
    persons: set[int] = field(default_factory=set)


def cells(site: Site, transfer: Transfer, now: int) -> Iterator[tuple[str, Tally, pa.RecordBatch | None]]:
    """Batches of the asked categories, each sieved for this purpose and this recipient (category, tally, kept).

    Only rows kept on consent are read; statutory rows serve statutory monitoring alone.
    """
    rows = Again(site, Use(transfer.purpose, transfer.recipient)).rows
    for category in transfer.categories:
        try:
            found = rows(
                category, start=transfer.start, until=transfer.until, vehicles=transfer.vehicles or None, now=now
            )
        except Refusal as refusal:
            if refusal.reason != "purpose-not-consented":
                raise
            continue  # nobody ever consented to it: nothing is touched, and the judge still says what the law would
        for sieved in found:
            yield category, sieved.tally, sieved.kept


def touched(site: Site, transfer: Transfer, now: int) -> Touched:
    """Count what would leave now, and what consent withholds."""
    found, whose, asked = Touched(), drives.Standing(site).compiled(), set[int]()
    for _, tally, kept in cells(site, transfer, now):
        found.tally = found.tally + tally
        if kept is not None:
            found.rows += kept.num_rows
            vehicle, time = (kept.column(name).cast(pa.int64()).to_numpy() for name in ("vehicle", "time"))
            found.vehicles.update(np.unique(vehicle).tolist())
            asked.update(np.unique(whose.asked(vehicle, time)).tolist())
    person = owners(site) | drives.persons_of(site)
    found.persons = {person[one] for one in asked}
    return found


@dataclass(frozen=True)
class Then:
    """What stood when a parcel was begun: its consents, each with its vehicle, and the last restriction so far."""

    consents: Mapping[int, int]
    restricted: Newest


def standing(site: Site, transfer: Transfer) -> Then:
    """What stands now."""
    with reading(site.engine) as conn:
        return Then(resting_on(conn, transfer, site.clock()), newest(conn))


def resting_on(conn: Connection, transfer: Transfer, now: int) -> dict[int, int]:
    """The consents that stand now for this purpose and recipient: their ids, each with its vehicle."""
    t = papers.consents.c
    fits = (t.purpose == transfer.purpose) & t.category.in_(transfer.categories)
    open_now = t.withdrawn.is_(None) & or_(t.until.is_(None), t.until > now)
    rows = conn.execute(select(t.id, t.vehicle, t.recipients).where(fits, open_now))
    return {row.id: row.vehicle for row in rows if transfer.recipient in json.loads(row.recipients)}


def refuse_fallen(site: Site, conn: Connection, transfer: Transfer, then: Then, touched: set[int]) -> None:
    """Refuse where a consent under one of the `touched` vehicles fell since `then`, or any row of one was restricted.

    Consents that were given meanwhile change nothing: nobody is in a parcel without one that stood before.
    """
    remedy = f"ship again: 'onshore transfer ship {transfer.id}'; the new parcel goes without it"
    if restricted_after(conn, then.restricted, touched):
        raise Refusal(
            "restricted",
            "rows of a vehicle of this parcel were restricted while it was sealed; nothing left",
            article=site.pack.consent.consent_withdrawn.article,
            remedy=remedy,
        )
    fallen = then.consents.keys() - resting_on(conn, transfer, site.clock()).keys()
    if any(then.consents[consent] in touched for consent in fallen):
        raise Refusal(
            "consent-withdrawn",
            "a consent that this parcel rests on ended while it was sealed; nothing left",
            article=site.pack.consent.consent_withdrawn.article,
            remedy=remedy,
        )
