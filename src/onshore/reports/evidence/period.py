"""The period that a paper is about: a calendar year of the site's zone, or what is over of it."""

from dataclasses import dataclass
from datetime import date

from onshore.rules.local import local_day, local_midnight
from onshore.site import Site
from onshore.words.errors import Refusal


@dataclass(frozen=True)
class Period:
    """[start, until) in milliseconds UTC; `first` and `last` are its local days; `whole`: the year is over."""

    year: int
    start: int
    until: int
    first: date
    last: date
    whole: bool

    def has(self, at: int | None) -> bool:
        """Whether an instant lies in it."""
        return at is not None and self.start <= at < self.until


def of_year(site: Site, year: int) -> Period:
    """A calendar year here, until now where it is not over; refuses one that has not begun (`year-not-begun`)."""
    now, zone = site.clock(), site.law.zone
    start, end = local_midnight(date(year, 1, 1), zone), local_midnight(date(year + 1, 1, 1), zone)
    if now <= start:
        raise Refusal("year-not-begun", f"{year} has not begun here", remedy="name a year that has")
    until = min(end, now + 1)
    return Period(year, start, until, local_day(start, zone), local_day(until - 1, zone), end <= now)
