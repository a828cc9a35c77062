"""Clocks: by when something is due, by the hour, the calendar or the days that are worked."""

from collections.abc import Iterator
from datetime import date, timedelta

from onshore.rules import calendars
from onshore.rules.acts import Deadline, Facts
from onshore.rules.calendars import UnknownYearError
from onshore.rules.lengths import months_later
from onshore.rules.local import DAY_MS, local_day, local_midnight
from onshore.rules.pack import Pack
from onshore.rules.pack_clock import Clock, month_day
from onshore.words.verdict import Verdict

DUE = "due"
UNKNOWN = "unknown"
CALENDAR_MISSING = "calendar-missing"
HOLIDAY_DIFFERS = "holiday-differs"
NO_CLOCK = "no-clock"

_HOUR_MS = DAY_MS // 24


def judge_deadline(act: Deadline, facts: Facts, pack: Pack) -> Verdict:
    """`due` with the earliest date or instant (milliseconds UTC) that applies, or `unknown` with a warning.

    Where a calendar does not reach, nothing is due by it and `earlier` says what to go by.
    """
    clocks = [clock for clock in pack.clock if clock.what == act.what and _runs(clock, facts)]
    if not clocks:
        return Verdict(UNKNOWN, (), warnings=(NO_CLOCK,))
    ends = [_reckon(clock, act, facts, pack) for clock in clocks]
    return min(ends, key=lambda end: _instant(end, pack))


def least_days(what: str, pack: Pack) -> tuple[int, str] | None:
    """Whole days that such a clock runs at the least, whenever it begins, and the article; None where none runs.

    A working day counts as one day, a month as 28: holidays and longer months only add to it.
    """
    lengths = [(_least(clock), clock.article) for clock in pack.clock if clock.what == what]
    return min(lengths, default=None)


def _least(clock: Clock) -> int:
    if clock.annual is not None or clock.before_working_days is not None or clock.before_months is not None:
        return 0  # it may begin on the eve of its end
    days = (clock.hours or 0) // 24 + (clock.days or 0) + (clock.working_days or 0)
    return days + 28 * (clock.months or 0) + 365 * (clock.years or 0)


def _runs(clock: Clock, facts: Facts) -> bool:
    return facts.critical_operator or not clock.critical_operator


def _instant(end: Verdict, pack: Pack) -> int:
    """When it is over, for comparing: a day lasts to its end."""
    last = end.earlier if end.due is None else end.due
    assert last is not None
    return local_midnight(last, pack.zone) + DAY_MS if isinstance(last, date) else last


def _reckon(clock: Clock, act: Deadline, facts: Facts, pack: Pack) -> Verdict:
    reasons = (clock.reason(act.what),)
    if clock.hours is not None:
        start = local_midnight(act.start, pack.zone) if isinstance(act.start, date) else act.start
        return Verdict(DUE, reasons, due=start + clock.hours * _HOUR_MS)
    day = act.start if isinstance(act.start, date) else local_day(act.start, pack.zone)
    try:
        due = _end(clock, day, facts.calendar_until)
    except UnknownYearError:
        return Verdict(UNKNOWN, reasons, earlier=_earlier(clock, day, facts), warnings=(CALENDAR_MISSING,))
    return Verdict(DUE, reasons, due=due, warnings=tuple(_differs(clock, due)))


def _end(clock: Clock, day: date, until: int | None) -> date:
    """The last day, by the calendar. UnknownYearError where it does not reach."""
    end, name = _nominal(clock, day), clock.calendar or ""
    if clock.working_days is not None:
        end = calendars.after(day, clock.working_days, name, until)
    if clock.before_working_days is not None:
        end = calendars.after(end, -clock.before_working_days, name, until)
    return calendars.rolled(end, name, until) if clock.roll else end


def _nominal(clock: Clock, day: date) -> date:
    """The last day before anything is known of holidays."""
    if clock.annual is not None:
        return _next_annual(month_day(clock.annual), day)
    end = months_later(day, (clock.months or 0) + (clock.years or 0) * 12) + timedelta(days=clock.days or 0)
    return months_later(end, -clock.before_months) if clock.before_months is not None else end


def _next_annual(on: tuple[int, int], day: date) -> date:
    """The next such day, `day` itself included; 29 February is the 28th in other years."""
    years = (day.year, day.year + 1)
    ends = (months_later(date(year, on[0], 1), 0) + timedelta(days=_within(year, *on)) for year in years)
    return next(end for end in ends if end >= day)


def _within(year: int, month: int, day: int) -> int:
    last = (months_later(date(year, month, 1), 1) - timedelta(days=1)).day
    return min(day, last) - 1


def _earlier(clock: Clock, day: date, facts: Facts) -> date:
    """The earlier of two reckonings: by weekdays alone, and by the same dates in the last year that is known."""
    end = _nominal(clock, day)
    if clock.working_days is not None:
        end = calendars.weekdays_after(day, clock.working_days)
    if clock.before_working_days is not None:
        end = calendars.weekdays_after(end, -clock.before_working_days)
    assert clock.calendar is not None
    return min([end, *_as_last_year(clock, day, calendars.last_year(clock.calendar, facts.calendar_until))])


def _as_last_year(clock: Clock, day: date, known: int) -> Iterator[date]:
    """The same clock begun so many years ago that its end falls into a known year, told in the years that are asked."""
    ago = 12 * max(_nominal(clock, day).year - known + 1, 1)
    try:
        end = _end(clock, months_later(day, -ago), known)
    except UnknownYearError:
        return
    yield months_later(end, ago)


def _differs(clock: Clock, due: date) -> Iterator[str]:
    if clock.roll and clock.calendar is not None and calendars.differs(due, clock.calendar):
        yield HOLIDAY_DIFFERS
