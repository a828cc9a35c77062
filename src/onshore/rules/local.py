"""Local time: calendar days and years in a pack's own zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

DAY_MS = 86_400_000

INSTANT = msgspec.Meta(extra={"moment": "instant"})
"""Marks a number as milliseconds UTC, so that a reader tells it from a count."""

FIRST_YEAR, LAST_YEAR = 1900, 9000
"""Years between which days are counted; beyond them no calendar follows."""


def counted(when: int | date | None) -> bool:
    """Whether an instant (milliseconds UTC) or a day lies in years that can be counted on and back from; None does."""
    if when is None:
        return True
    if isinstance(when, date):
        return FIRST_YEAR <= when.year <= LAST_YEAR
    first, last = (datetime(year, 1, 1, tzinfo=UTC) - _EPOCH for year in (FIRST_YEAR, LAST_YEAR))
    return first // _MILLISECOND <= when <= last // _MILLISECOND


def local_day(at: int, zone: str) -> date:
    """The calendar day of an instant (milliseconds UTC) in an IANA zone."""
    return (_EPOCH + timedelta(milliseconds=at)).astimezone(ZoneInfo(zone)).date()


def local_year(at: int, zone: str) -> int:
    """The calendar year of an instant in an IANA zone: the window in which exported persons are counted."""
    return local_day(at, zone).year


def years_later(day: date, years: int) -> date:
    """The same date `years` on; 29 February becomes 1 March where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def local_midnight(day: date, zone: str) -> int:
    """The instant (milliseconds UTC) at which a calendar day begins in an IANA zone."""
    return (datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)) - _EPOCH) // timedelta(milliseconds=1)
