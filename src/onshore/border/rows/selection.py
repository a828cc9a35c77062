"""What a request touches, as of now: read for its purpose, and sieved again with the consents that stand now."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, or_, select

from onshore.border.rows import transforms
from onshore.border.rows.arrivals import Arrived
from onshore.border.rows.transforms import Transforms
from onshore.consent.drives import Drives
from onshore.consent.zones import Zones
from onshore.register import drives, zones
from onshore.register.again import Again
from onshore.register.vehicles import owners
from onshore.site import Site
from onshore.vault import papers
from onshore.vault.restrictions import Ints, among
from onshore.words.batch import signals as signals_of
from onshore.words.catalogue import Signal
from onshore.words.errors import Refusal
from onshore.words.permit import Permit, Transfer
from onshore.words.place import LATITUDE, LONGITUDE, data_of
from onshore.words.tally import Tally
from onshore.words.use import Use


@dataclass(frozen=True)
class Sought:
    """What may be read of each category (None: every signal of it), and what is done to its rows before they leave.

    `arrived`: which rows alone, by when they reached the gate.
    """

    signals: Mapping[str, frozenset[str] | None]
    how: Transforms
    arrived: Arrived | None = None


@dataclass
class Part:
    """What would leave of one category: rows, cells by reason, vehicles and persons; rows recorded in a zone.

    `asked`: the ids under which consents were asked, a vehicle's own for its owner.
    """

    rows: int = 0
    zoned: int = 0
    tally: Tally = field(default_factory=Tally)
    vehicles: set[int] = field(default_factory=set)
    persons: set[int] = field(default_factory=set)
    asked: set[int] = field(default_factory=set)
    signals: set[str] = field(default_factory=set)


@dataclass
class Touched:
    """What would leave: rows, cells by reason, and the vehicles and persons behind them. Never the rows.

    `near`: whether any of it was recorded in a restricted zone of the site, or its margin, and says so.
    """

    parts: dict[str, Part] = field(default_factory=dict)
    rows: int = 0
    tally: Tally = field(default_factory=Tally)
    vehicles: set[int] = field(default_factory=set)
    persons: set[int] = field(default_factory=set)
    near: bool = False


def sought(
    site: Site,
    transfer: Transfer,
    permit: Permit | None = None,
    arrived: Arrived | None = None,
    *,
    how: Transforms | None = None,
) -> Sought:
    """What a request may read: its own signals, of these what a permit names, less what the permit has dropped.

    `how`: transforms without a permit, as one might demand them. A category of which nothing is left is not read.
    """
    how = how or transforms.parse(permit.transforms if permit else (), site.catalogue)
    asked = [frozenset(limit) for limit in (transfer.signals, permit.signals if permit else ()) if limit]
    found: dict[str, frozenset[str] | None] = {}
    for category in transfer.categories:
        every = {name: signal for name, signal in site.catalogue.items() if signal.category == category}
        some = frozenset(n for n, s in every.items() if all(n in one for one in asked) and not how.removes(s))
        if len(some) == len(every):
            found[category] = None
        elif some:
            found[category] = some
    return Sought(found, how, arrived)


def cells(
    site: Site, transfer: Transfer, now: int, wanted: Sought, *, lean: bool = False
) -> Iterator[tuple[str, Tally, pa.RecordBatch | None]]:
    """Batches of the asked categories, each sieved for this purpose and this recipient (category, tally, kept).

    Only rows kept on consent are read; statutory rows serve statutory monitoring alone. Of a row only what is `wanted`
    comes, not yet transformed, and no row without any of it. `lean`: for whoever wants to know which rows, and of what
    they hold nothing but positions: another signal may stand for those that are wanted. In a batch rows are sorted by
    vehicle and time where times are coarsened, for `transforms.stream`; else what came in together is.
    """
    again = Again(site, Use(transfer.purpose, transfer.recipient))
    for category, signals in wanted.signals.items():
        empty = lean and signals is None and not located(site.catalogue, category)
        try:
            found = again.rows(
                category,
                start=transfer.start,
                until=transfer.until,
                vehicles=transfer.vehicles or None,
                columns=() if empty else signals,
                only=not empty,
                now=now,
                in_order=wanted.how.seconds > 0,
            )
        except Refusal as refusal:
            if refusal.reason != "purpose-not-consented":
                raise
            continue  # nobody ever consented to it: nothing is touched, and the judge still says what the law would
        for sieved in found:
            kept = sieved.kept
            if kept is not None and wanted.arrived is not None:
                kept = wanted.arrived.of(kept)
            yield category, sieved.tally, kept if kept is not None and kept.num_rows else None


def touched(
    site: Site,
    transfer: Transfer,
    now: int,
    permit: Permit | None = None,
    *,
    exactly: bool = False,
    arrived: Arrived | None = None,
    wanted: Sought | None = None,
) -> Touched:
    """Count what would leave now, and what consent withholds; under a permit, what that lets leave.

    `exactly`: every cell that is withheld is counted, and every signal told; else one for each row where that does.
    `wanted`: that alone, whatever the others say.
    """
    zoned = zones.Standing(site).compiled()
    wanted = wanted or sought(site, transfer, permit, arrived)
    found, whose = Touched(), drives.Standing(site).compiled()
    for category, tally, kept in cells(site, transfer, now, wanted, lean=not exactly):
        part = found.parts.setdefault(category, Part())
        part.tally = part.tally + tally
        if kept is not None:
            vehicle, time = (kept.column(name).cast(pa.int64()).to_numpy() for name in ("vehicle", "time"))
            part.rows += kept.num_rows
            part.zoned += in_zones(kept, zoned)
            part.vehicles.update(np.unique(vehicle).tolist())
            part.signals.update(signals_of(kept.schema))
            part.asked.update(np.unique(whose.asked(vehicle, time)).tolist())
    person = owners(site) | drives.persons_of(site)
    for part in found.parts.values():
        part.persons = {person[one] for one in part.asked}
        found.rows, found.tally = found.rows + part.rows, found.tally + part.tally
        found.vehicles |= part.vehicles
        found.persons |= part.persons
        found.near |= part.zoned > 0
    return found


def leaving(
    site: Site,
    transfer: Transfer,
    permit: Permit,
    now: int,
    counted: Touched,
    seed: int,
    arrived: Arrived | None = None,
) -> Iterator[tuple[str, pa.Table]]:
    """The rows that leave by category, as the permit has them transformed, of whoever was counted alone.

    `counted`: as `touched` found it; whoever came in since, be it as a driver of a car that is in it or with another
    category of theirs, waits for the next parcel. `seed`: as `transforms.apply` has it.
    """
    wanted, whose = sought(site, transfer, permit, arrived), drives.Standing(site)
    for category, signals in wanted.signals.items():
        asked = np.array(sorted(counted.parts[category].asked if category in counted.parts else ()), np.int64)
        found = cells(site, transfer, now, Sought({category: signals}, wanted.how, arrived))
        mine = (_of(kept, whose.compiled(), asked) for _, _, kept in found if kept is not None)
        some = (table for table in mine if table.num_rows)
        for table in transforms.stream(some, wanted.how, site.catalogue, seed):
            yield category, table


def _of(batch: pa.RecordBatch, whose: Drives, counted: Ints) -> pa.Table:
    vehicle, time = (batch.column(name).cast(pa.int64()).to_numpy() for name in ("vehicle", "time"))
    some = among(whose.asked(vehicle, time), counted)
    return pa.Table.from_batches([batch if some.all() else batch.filter(pa.array(some))])


def located(catalogue: Mapping[str, Signal], category: str) -> list[str]:
    """The signals of a category that are halves of positions."""
    return [n for n, signal in catalogue.items() if signal.category == category and transforms.is_coordinate(signal)]


def in_zones(batch: pa.RecordBatch, compiled: Zones) -> int:
    """How many rows of a batch have a position of the car's that lies in a zone."""
    if not len(compiled) or not {LONGITUDE, LATITUDE} & {*batch.schema.names}:
        return 0
    missing = pa.nulls(batch.num_rows, pa.float64())
    halves = [batch.column(n) if n in batch.schema.names else missing for n in (LONGITUDE, LATITUDE)]
    told = halves[0].is_valid().to_numpy(zero_copy_only=False) | halves[1].is_valid().to_numpy(zero_copy_only=False)
    x, y = (half.fill_null(np.nan).to_numpy(zero_copy_only=False) for half in halves)
    inside = np.zeros(batch.num_rows, np.bool_)
    for datum, rows in data_of(batch):
        inside[rows] = compiled.contains(x[rows], y[rows], datum)
    return int((inside & told).sum())


def resting_on(conn: Connection, transfer: Transfer, now: int) -> dict[int, int]:
    """The consents that stand now for this purpose and recipient: their ids, each with its vehicle."""
    t = papers.consents.c
    fits = (t.purpose == transfer.purpose) & t.category.in_(transfer.categories)
    open_now = t.withdrawn.is_(None) & or_(t.until.is_(None), t.until > now)
    rows = conn.execute(select(t.id, t.vehicle, t.recipients).where(fits, open_now))
    return {row.id: row.vehicle for row in rows if transfer.recipient in json.loads(row.recipients)}
