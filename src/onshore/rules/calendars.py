"""Calendars: which days are worked, by the holidays of a jurisdiction, and where that is not known."""

import functools
from collections.abc import Iterator
from datetime import date, timedelta

import chinese_calendar
import holidays
from chinese_calendar import constants

CHINA = "CN"
UNION = "EU"
_MEMBERS = (  # the European Economic Area; Regulation 1182/71 asks for the holidays of the state where one acts
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI"),
    *("LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"),
)
_DAY = timedelta(days=1)
_CHINA_KNOWS = range(min(constants.holidays).year, max(constants.holidays).year + 1)
_LAST = 2100  # holidays that follow the moon or a decree are reckoned no further


class UnknownYearError(LookupError):
    """The calendar does not reach this year."""


def known(name: str) -> bool:
    """Whether a pack may name this calendar: `EU`, or the code of a jurisdiction whose holidays are known."""
    return name == UNION or (len(name) == len(UNION) and name.isupper() and hasattr(holidays, name))


def worked(day: date, name: str, until: int | None = None) -> bool:
    """Whether a day is worked. UnknownYearError where the calendar does not reach, or `until` (a year) ends it.

    In the union a day counts as a holiday only where every state of it has one: that gives the earlier date.
    """
    if day.year > last_year(name, until):
        raise UnknownYearError(str(day.year))
    return _worked(day, name)


def last_year(name: str, until: int | None = None) -> int:
    """The last year that the calendar covers."""
    reach = _CHINA_KNOWS[-1] if name == CHINA else _LAST
    return reach if until is None else min(reach, until)


def differs(day: date, name: str) -> bool:
    """Whether a weekday is a public holiday in some parts of what a calendar is of, and not in others."""
    free = [day in calendar for calendar in _parts(name)]
    return day.weekday() < 5 and any(free) and not all(free)


def after(day: date, count: int, name: str, until: int | None = None) -> date:
    """The day that is so many working days after `day`, which itself does not count; before it where negative."""
    step = _DAY if count > 0 else -_DAY
    for _ in range(abs(count)):
        day += step
        while not worked(day, name, until):
            day += step
    return day


def rolled(day: date, name: str, until: int | None = None) -> date:
    """The day itself where it is worked, else the next that is (Regulation 1182/71, Art. 3(4))."""
    return next(found for found in _from(day) if worked(found, name, until))


def weekdays_after(day: date, count: int) -> date:
    """As `after`, by Monday to Friday alone: what one can say where the calendar does not reach."""
    step = _DAY if count > 0 else -_DAY
    for _ in range(abs(count)):
        day += step
        while day.weekday() > 4:
            day += step
    return day


def earlier(day: date, count: int, name: str | None) -> date:
    """The day so many working days before; by weekdays alone without a calendar, or where it does not reach."""
    try:
        return weekdays_after(day, -count) if name is None else after(day, -count, name)
    except UnknownYearError:
        return weekdays_after(day, -count)


def _from(day: date) -> Iterator[date]:
    while True:
        yield day
        day += _DAY


@functools.lru_cache(maxsize=1 << 15)
def _worked(day: date, name: str) -> bool:
    if name == CHINA:
        if day.year not in _CHINA_KNOWS:
            raise UnknownYearError(str(day.year))
        return bool(chinese_calendar.is_workday(day))
    if name == UNION:
        return day.weekday() < 5 and not all(day in _calendar(code) for code in _MEMBERS)
    return bool(_calendar(name).is_working_day(day))


@functools.cache
def _parts(name: str) -> tuple[holidays.HolidayBase, ...]:
    """Calendars of the states of the union, or of the parts of a jurisdiction."""
    if name == UNION:
        return tuple(_calendar(code) for code in _MEMBERS)
    return tuple(getattr(holidays, name)(subdiv=part) for part in _calendar(name).subdivisions)


@functools.cache
def _calendar(code: str) -> holidays.HolidayBase:
    return getattr(holidays, code)()  # type: ignore[no-any-return]
