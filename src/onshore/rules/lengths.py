"""Lengths of time as the law writes them: runs such as 2y364d, counted on the local calendar."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from onshore.words.strict import BadValueError, shortened

_RUN = re.compile(r"(?:(\d+)y)?(?:(\d+)mo)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DAY_MS = timedelta(days=1) // _MILLISECOND
_WRITTEN = 200  # letters and digits
_MOST = 9_999  # years; beyond it no calendar counts


@dataclass(frozen=True, slots=True)
class Length:
    """`months` are counted on the calendar (a year is twelve), `rest` is exact."""

    months: int
    rest: timedelta


def length(text: str, key: str) -> Length:
    """Read a run of `<n>y`, `<n>mo`, `<n>d`, `<n>h`, `<n>m`, `<n>s` in that order; `key` is named where it is none."""
    found = _RUN.fullmatch(text)
    if not text or found is None:
        raise BadValueError(
            f"{shortened(repr(text))} is no run of <n>y <n>mo <n>d <n>h <n>m <n>s in that order", where=key
        )
    too_long = BadValueError(f"{shortened(repr(text))} is longer than any calendar", where=key)
    if len(text) > _WRITTEN:
        raise too_long
    years, months, days, hours, minutes, seconds = (int(n or 0) for n in found.groups())
    try:
        rest = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        rest = timedelta.max
    if years * 12 + months > _MOST * 12 or rest > timedelta(days=_MOST * 365):
        raise too_long
    return Length(years * 12 + months, rest)


def back(at: int, ago: Length, zone: str) -> int:
    """The instant `ago` before `at` (milliseconds UTC): months on the calendar of an IANA zone, the rest exactly."""
    if ago.months:
        here = (_EPOCH + timedelta(milliseconds=at)).astimezone(ZoneInfo(zone))
        if here.year - (ago.months + 11) // 12 < 1:
            return -(1 << 62)
        day = months_later(here.date(), -ago.months)
        at = (here.replace(year=day.year, month=day.month, day=day.day).astimezone(UTC) - _EPOCH) // _MILLISECOND
    return at - ago.rest // _MILLISECOND


def ahead(at: int, on: Length, zone: str) -> int:
    """The first instant whose `back` is not before `at`; far beyond any calendar where that has no date any more."""
    here = (_EPOCH + timedelta(milliseconds=at)).astimezone(ZoneInfo(zone))
    years = (here.month - 1 + on.months) // 12 + on.rest.days // 365 + 1
    if here.year + years > _MOST:
        return 1 << 62
    if not on.months:
        return at + on.rest // _MILLISECOND
    day = months_later(here.date(), on.months)
    moved = here.replace(year=day.year, month=day.month, day=day.day).astimezone(UTC) + on.rest
    found = (moved - _EPOCH) // _MILLISECOND
    while back(found, on, zone) < at:  # a month that ends earlier: the last days of the longer one share an end
        found += _DAY_MS
    return found


def months_later(day: date, months: int) -> date:
    """The same date so many months on, or the last day of that month where it has no such date (Reg. 1182/71)."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
