"""Where what the site keeps contradicts itself: the meter, what left, the register and the ledger."""

from collections.abc import Iterator

from sqlalchemy import func, select

from onshore.border.agreeing import disagreements
from onshore.border.metering import meter as counting
from onshore.reports.evidence.left import Left
from onshore.reports.evidence.logged import Logged
from onshore.reports.evidence.people import Allowed, finished, registered
from onshore.reports.evidence.period import Period
from onshore.reports.evidence.registers import Registers
from onshore.site import Site
from onshore.vault import handed
from onshore.vault.papers import meter, persons, reading, vehicles

Wrong = tuple[str, dict[str, str | int]]
"""A text's key, and its figures."""


def contradictions(
    site: Site, period: Period, log: Logged, left: Left, allowed: dict[str, Allowed], registers: Registers
) -> tuple[Wrong, ...]:
    """What does not agree, of what a paper over this period would say; nothing where all does."""
    given = sum(one.given for one in allowed.values())
    return (
        *_waiting(site),
        *_meter(site),
        *_border(site),
        *_register(site, left),
        *_fewer("consents", given, len(log.of("consent/given"))),
        *_fewer("incidents", registers.opened, len(log.of("incident/opened"))),
        *_fewer("complaints", registers.complained, len(log.of("complaint/opened"))),
        *_fewer("erasures", finished(site, period, "erase"), len(log.of("erase"))),
    )


def _fewer(what: str, papers: int, ledger: int) -> Iterator[Wrong]:
    """Of an act whose entry is in the ledger for ever, the papers cannot have more than the ledger has."""
    if papers > ledger:
        yield f"agree.{what}", {"papers": papers, "ledger": ledger}


def _border(site: Site) -> Iterator[Wrong]:
    """Permits, approvals, parcels and views, of this year or another: the meter counts them all."""
    for said in disagreements(site):
        yield "agree.border", {"says": said}


def _waiting(site: Site) -> Iterator[Wrong]:
    if handed.waits(site.engine):
        yield "agree.waiting", {}


def _meter(site: Site) -> Iterator[Wrong]:
    """Totals that are not what the persons of each parcel make; persons whom the register does not know."""
    known = select(persons.c.id).union(select(vehicles.c.id))
    strangers = select(func.count()).select_from(meter).where(meter.c.person.not_in(known))
    with reading(site.engine) as conn:
        wrong, unknown = counting.wrong(conn), int(conn.execute(strangers).scalar_one())
    for name in wrong:
        yield "agree.meter", {"name": name}
    if unknown:
        yield "agree.strangers", {"number": unknown}


def _register(site: Site, left: Left) -> Iterator[Wrong]:
    """No more distinct persons can have left in a year than the register ever had."""
    with reading(site.engine) as conn:
        ever = registered(conn)
    for count in left.counts:
        if count["used"] > ever:
            yield "agree.register", {"name": count["name"], "used": count["used"], "persons": ever}
