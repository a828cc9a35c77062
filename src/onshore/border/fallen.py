"""What a parcel rests on, as it stood when it was begun, and whether any of that fell before all of it is gone."""

import json
from collections.abc import Iterable, Iterator

import msgspec
from sqlalchemy import ColumnElement, Connection, func, or_, select

from onshore.site import Site
from onshore.vault.papers import consents, drives, keepers, meter_vehicles, parcels, reading, receipts, zones
from onshore.vault.restrictions import Newest, newest, restricted_after
from onshore.words.errors import Refusal
from onshore.words.permit import Transfer


class Then(msgspec.Struct, frozen=True):
    """What had come in when a parcel was begun: numbers of the papers, which no clock that is set takes back.

    `at`: the instant (ms UTC), for what ends by the clock alone. Of `receipt` (a consent given or withdrawn),
    `restricted` and `drive` (a car's word on who drives) the last; of `zones` all that stood.
    """

    at: int = 0
    receipt: int = 0
    restricted: Newest = Newest(0, 0)
    drive: int = 0
    zones: frozenset[str] = frozenset()


def standing(site: Site) -> str:
    """What stands now, as a parcel keeps it."""
    with reading(site.engine) as conn:
        last_receipt = conn.scalar(select(func.max(receipts.c.entry))) or 0
        last_drive = conn.scalar(select(func.max(drives.c.id))) or 0
        then = Then(site.clock(), last_receipt, newest(conn), last_drive, _zones(conn))
    return msgspec.json.encode(then).decode()


def refuse(site: Site, conn: Connection, transfer: Transfer, parcel: str) -> None:
    """Refuse where a consent under a vehicle of a parcel fell since it was begun, or any row of one was restricted.

    Likewise where it is known only since then who drove it (`driven-by-another`), or where a zone lies (`zone-drawn`).
    Consents that were given meanwhile change nothing: nobody is in a parcel without one that stood before.
    """
    kept = conn.execute(select(parcels.c.stood).where(parcels.c.id == parcel)).scalar_one()
    then = msgspec.json.decode(kept or "{}", type=Then)
    known: set[int] = set()
    for reason, says, vehicles in _since(site, conn, transfer, then):
        if vehicles is not None and vehicles and not known:
            mine = select(meter_vehicles.c.vehicle).where(meter_vehicles.c.parcel == parcel)
            known.update(conn.scalars(mine))
        if vehicles is None or not known.isdisjoint(vehicles):
            raise Refusal(
                reason,
                f"{says} since this parcel was begun; it does not leave as it was sealed",
                article=site.pack.consent.consent_withdrawn.article,
                remedy=f"ship again: 'onshore transfer ship {transfer.id}'; the new parcel goes without it",
            )


def _since(site: Site, conn: Connection, transfer: Transfer, then: Then) -> Iterator[tuple[str, str, set[int] | None]]:
    """What may have fallen: the reason, in words, and under which vehicles; None: under any."""
    yield "restricted", "rows of a vehicle of it were restricted", restricted_after(conn, then.restricted)
    ended = set(_ended(conn, transfer, then, site.clock()))
    yield "consent-withdrawn", "a consent that it rests on ended", ended
    said = set(conn.scalars(select(drives.c.vehicle).where(drives.c.id > then.drive)))
    parted = set(conn.scalars(select(keepers.c.vehicle).where(keepers.c.until >= then.at)))
    yield "driven-by-another", "it became known who drove, or ceased to drive, a vehicle of it,", said | parted
    if _zones(conn) - then.zones:
        yield "zone-drawn", "a restricted zone was drawn", None


def _ended(conn: Connection, transfer: Transfer, then: Then, now: int) -> Iterable[int]:
    """Vehicles of consents for this purpose and recipient that stood then and do not now.

    Told by the numbers of receipts; by the instant as well, for papers that were restored have no new ones. One whose
    two receipts, of giving and of withdrawing, are both of before or both of since is none that this rests on.
    """
    c, r = consents.c, receipts.c
    mine = select(func.count()).select_from(receipts).where(r.consent == c.id)
    early, late = (mine.where(when).scalar_subquery() for when in (r.entry <= then.receipt, r.entry > then.receipt))
    newer = c.id.in_(select(r.consent).where(r.entry > then.receipt))
    fell: ColumnElement[bool] = c.withdrawn.is_not(None) & or_(newer, c.withdrawn >= then.at)
    ran_out = c.withdrawn.is_(None) & (c.until > then.at) & (c.until <= now)
    fits = (c.purpose == transfer.purpose) & c.category.in_(transfer.categories) & or_(fell, ran_out)
    asked = select(c.vehicle, c.recipients, c.withdrawn, early.label("early"), late.label("late"))
    for row in conn.execute(asked.where(fits)):
        over = row.withdrawn is not None and max(row.early, row.late) >= 2
        if not over and transfer.recipient in json.loads(row.recipients):
            yield row.vehicle


def _zones(conn: Connection) -> frozenset[str]:
    return frozenset(conn.scalars(select(zones.c.id).where(zones.c.removed.is_(None))))
