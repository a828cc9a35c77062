"""All that papers say of a year, gathered once; and of the year before, to stand beside it."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass

from onshore.reports.evidence import kept, left, people, registers
from onshore.reports.evidence.agree import Wrong, contradictions
from onshore.reports.evidence.logged import Logged, logged
from onshore.reports.evidence.period import Period, of_year
from onshore.rules.pack import Pack
from onshore.site import Site
from onshore.words.settings import Settings


@dataclass(frozen=True)
class Evidence:
    """What is so over a period."""

    period: Period
    log: Logged
    intake: kept.Intake
    scale: people.Scale
    allowed: Mapping[str, people.Allowed]
    answered: Mapping[str, people.Answered]
    left: left.Left
    registers: registers.Registers


@dataclass(frozen=True)
class Gathered:
    """A year beside the one before, what lies here now, the law of today, and what contradicts itself."""

    now: Evidence
    before: Evidence
    stock: tuple[kept.Stock, ...]
    pack: Pack
    settings: Settings
    origin: str
    size: int
    root: str
    wrong: tuple[Wrong, ...]


def gather(site: Site, year: int) -> Gathered:
    """Read it all as it is now, once what was handed to the ledger is in it."""
    site.settle()
    periods = of_year(site, year), of_year(site, year - 1)
    log = site.reopened()
    now, before = (_of(site, *each) for each in zip(periods, logged(site, periods), strict=True))
    return Gathered(
        now,
        before,
        kept.stock(site),
        site.pack,
        site.settings,
        log.log.origin,
        log.size,
        b64decode(log.checkpoint.split("\n")[2]).hex() if log.checkpoint else "",
        contradictions(site, now.period, now.log, now.left, dict(now.allowed), now.registers),
    )


def _of(site: Site, period: Period, log: Logged) -> Evidence:
    return Evidence(
        period,
        log,
        kept.intake(log),
        people.scale(site, period),
        people.allowed(site, period),
        people.answered(site, period),
        left.left(site, period),
        registers.registers(site, period),
    )
