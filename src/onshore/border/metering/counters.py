"""What the meter shows: each count beside the thresholds of the pack in force, with their articles."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select

from onshore.border.metering import meter, sisters
from onshore.border.permits import clocks, signing
from onshore.site import Site
from onshore.vault.papers import permits, reading

Shown = dict[str, Any]


def standing(site: Site, year: int | None = None) -> Shown:
    """All counts of a calendar year (by default this one), of the last twelve months, and under each permit."""
    with reading(site.engine) as conn:
        of = clocks.year(site, conn) if year is None else year
        return {
            "year": of,
            "zone": site.law.zone,
            "pack": site.pack.id,
            "counts": list(_of_year(site, conn, of)),
            "windows": list(_windows(site, conn)),
            "permits": list(_permits(site, conn)),
            "declared": [
                {k: getattr(row, k) for k in sisters.Declared.__dataclass_fields__} | {"filed_by": row.filed_by}
                for row in sisters.standing(conn, of)
            ],
        }


def _of_year(site: Site, conn: Connection, year: int) -> Iterator[Shown]:
    counted, routes = meter.exported(conn, year), site.pack.transfer.route
    for name, used in (("sensitive", counted.sensitive), ("ordinary", counted.ordinary)):
        steps = [(getattr(route, f"{name}_from"), route) for route in routes]
        yield _count(name, used, [(at, route.id, route.article) for at, route in steps if at is not None])


def _windows(site: Site, conn: Connection) -> Iterator[Shown]:
    """Of each recipient whom a rule on volumes concerns: vehicles, or persons, since this day a year ago."""
    rules, since = site.pack.transfer.bulk, clocks.year_ago(site, conn)
    counts = {"devices": meter.devices_since, "persons": meter.persons_since}
    for name, recipient in site.settings.recipients.items() if rules else ():
        for what, count in counts.items():
            mine = [
                rule
                for rule in rules
                if rule.count == what and (recipient.jurisdiction in rule.to or recipient.status in rule.statuses)
            ]
            if mine:
                steps = [(rule.start, rule.id, rule.article) for rule in mine]
                yield _count(f"{name}, {what}", count(conn, since, name), steps)


def _permits(site: Site, conn: Connection) -> Iterator[Shown]:
    for row in conn.execute(select(permits).order_by(permits.c.granted)):
        granted = signing.opened(site, row.note)
        yield {
            "id": row.id,
            "persons": meter.used(conn, row.id),
            "persons_limit": granted.persons,
            "rows": meter.rows_used(conn, row.id),
            "rows_limit": granted.rows,
            "revoked": row.revoked,
        }


def _count(name: str, used: int, steps: list[tuple[int, str, str]]) -> Shown:
    said = [{"from": at, "route": route, "article": article} for at, route, article in steps]
    return {"name": name, "used": used, "thresholds": said}
