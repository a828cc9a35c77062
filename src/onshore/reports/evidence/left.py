"""What was asked to leave over a period, what left, to whom, under which permit: the register of transfers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from onshore.border.cases import filing, tasks
from onshore.border.metering import counters
from onshore.ledger.entry import read
from onshore.reports.evidence.period import Period
from onshore.site import Site
from onshore.vault.papers import entries, meter, parcels, permits, reading, transfers
from onshore.words.permit import Transfer
from onshore.words.verdict import Verdict

GONE = ("left", "cut")
"""States of a parcel of which anything is abroad."""


@dataclass(frozen=True)
class Paper:
    """A paper on a request's file, as it counts today."""

    kind: str
    number: str
    state: str
    until: str


@dataclass(frozen=True)
class Asked:
    """A request: what was asked, by day; what the law says of it; its papers."""

    transfer: Transfer
    day: int
    state: str
    verdict: Verdict | None
    jurisdiction: str
    papers: tuple[Paper, ...]


@dataclass(frozen=True)
class Parcel:
    """What left, or is to: rows, distinct persons, and the ledger's entry (its number) that said so before."""

    id: str
    transfer: str
    permit: str
    state: str
    at: int
    rows: int
    persons: int
    sha256: str
    entry: int | None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Left:
    """All of a period: requests asked or sent in it, parcels, permits used, the year's counts, tasks of refusals."""

    requests: tuple[Asked, ...]
    parcels: tuple[Parcel, ...]
    permits: tuple[Mapping[str, Any], ...]
    counts: tuple[Mapping[str, Any], ...]
    declared: tuple[Mapping[str, Any], ...]
    tasks: tuple[tasks.Task, ...]

    def asked(self, parcel: Parcel) -> Asked:
        """The request of a parcel."""
        return next(one for one in self.requests if one.transfer.id == parcel.transfer)

    @property
    def gone(self) -> tuple[Parcel, ...]:
        """The parcels of which anything is abroad."""
        return tuple(one for one in self.parcels if one.state in GONE)


def left(site: Site, period: Period) -> Left:
    """The register of transfers over a period."""
    with reading(site.engine) as conn:
        sent = tuple(_parcels(site, conn, period))
        used = {one.transfer for one in sent}
        asked = tuple(_requests(site, conn, period, used))
        under = {one.permit for one in sent}
        granted = select(permits.c.id, permits.c.transfer, permits.c.granted)
        of = {row.id: row for row in conn.execute(granted) if row.id in under or period.has(row.granted)}
    shown = counters.standing(site, period.year)
    return Left(
        asked,
        sent,
        tuple(one | {"transfer": of[one["id"]].transfer} for one in shown["permits"] if one["id"] in of),
        tuple(shown["counts"]),
        tuple(shown["declared"]),
        tuple(one for one in tasks.listed(site, every=True) if period.has(one.began)),
    )


def _requests(site: Site, conn: Connection, period: Period, used: set[str]) -> list[Asked]:
    rows = conn.execute(select(transfers).order_by(transfers.c.asked, transfers.c.id)).all()
    found = []
    for row in rows:
        if not (period.has(row.asked) or row.id in used):
            continue
        asked = msgspec.json.decode(row.body, type=Transfer)
        known = site.settings.recipients.get(asked.recipient)
        papers = tuple(
            Paper(one.kind, one.number, one.state(asked, site.today()), str(one.until or ""))
            for one in filing.of_request(conn, row.id)
        )
        verdict = msgspec.json.decode(row.verdict, type=Verdict) if row.verdict else None
        found.append(Asked(asked, row.asked, row.state, verdict, known.jurisdiction if known else "", papers))
    return found


def _parcels(site: Site, conn: Connection, period: Period) -> list[Parcel]:
    ask = select(parcels, entries.c.leaf).outerjoin(entries, entries.c.id == parcels.c.entry)
    rows = conn.execute(ask.order_by(parcels.c.reserved, parcels.c.id)).all()
    counted = select(meter.c.parcel, func.count()).group_by(meter.c.parcel)
    persons = {parcel: int(number) for parcel, number in conn.execute(counted)}
    return [
        Parcel(
            row.id,
            row.transfer,
            row.permit,
            row.state,
            row.left if row.left is not None else row.reserved,
            row.rows or 0,
            persons.get(row.id, 0),
            row.sha256 or "",
            row.leaf,
            {} if row.leaf is None else read(site.ledger.entry_at(row.leaf)),
        )
        for row in rows
        if period.has(row.left if row.left is not None else row.reserved)
    ]
