"""The part of a pack on time: clocks with their calendars, reports that are due, and switches of counsel."""

import re
from datetime import date
from typing import Annotated

import msgspec

from onshore.rules import calendars
from onshore.rules.articles import Days, Rule, Years
from onshore.words.strict import BadValueError, among

CLOCKS = (
    "erasure",
    "contract-filing",
    "assessment-renewal",
    "certificate-renewal",
    "annual-report",
    "incident-report",
    "access-request",
    "rejected-offer-report",
    "transfer-dossier",
    "officer-filing",
    "permit-expiry",
)
Hours = Annotated[int, msgspec.Meta(ge=0, le=1_752_000)]
WorkingDays = Annotated[int, msgspec.Meta(ge=0, le=9_999)]
Months = Annotated[int, msgspec.Meta(ge=0, le=2_400)]

_LENGTHS = ("hours", "days", "working_days", "months", "years", "annual")
_MONTH_DAY = re.compile(r"(\d\d)-(\d\d)", re.ASCII)
_LEAP = 2000


class Clock(Rule, frozen=True, kw_only=True):
    """When something is due, counted from the day after the event; with `hours`, from its instant.

    `annual`: "mm-dd" of each year. `before_…`: taken off the end, for what must be renewed before it runs out.
    `roll`: an end on a day that is not worked moves to the next that is, by `calendar`. `critical_operator`: it runs
    for those alone; of several clocks the earliest counts.
    """

    what: str
    hours: Hours | None = None
    days: Days | None = None
    working_days: WorkingDays | None = None
    months: Months | None = None
    years: Years | None = None
    annual: str | None = None
    before_working_days: WorkingDays | None = None
    before_months: Months | None = None
    roll: bool = False
    calendar: str | None = None
    critical_operator: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        among("what", [self.what], CLOCKS)
        given = [key for key in _LENGTHS if getattr(self, key) is not None]
        if len(given) != 1:
            raise BadValueError(f"a clock has exactly one of {', '.join(_LENGTHS)}", where="what")
        if self.annual is not None:
            month_day(self.annual)
        worked = self.roll or self.working_days is not None or self.before_working_days is not None
        if worked != (self.calendar is not None):
            raise BadValueError("working days and roll need a calendar, and nothing else does", where="calendar")
        if self.hours is not None and self.roll:
            raise BadValueError("hours run through every day", where="roll")
        if self.calendar is not None and not calendars.known(self.calendar):
            raise BadValueError(f"no calendar of {self.calendar!r} is known", where="calendar")


class Report(Rule, frozen=True, kw_only=True):
    """A report that is due by the clock `what`.

    `on_refusal`: reasons of a refusal which start that clock. `on_leaving`: a transfer of personal data starts it.
    """

    what: str
    sections: tuple[str, ...] = ()
    on_refusal: tuple[str, ...] = ()
    on_leaving: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        among("what", [self.what], CLOCKS)


class Switch(Rule, frozen=True, kw_only=True):
    """A setting of a site that counsel decides; strict until turned, and turned only with a recorded opinion."""

    name: str


def month_day(text: str) -> tuple[int, int]:
    """Month and day of "mm-dd"; BadValueError where no year has such a day."""
    found = _MONTH_DAY.fullmatch(text)
    try:
        day = date(_LEAP, int(found[1]), int(found[2])) if found else None
    except ValueError:
        day = None
    if day is None:
        raise BadValueError(f"{text!r} is no day of the year like 12-15", where="annual")
    return day.month, day.day
