"""Clocks: the earliest that runs, and what to go by where the calendar ends."""

from datetime import date
from typing import Any

import msgspec
import pytest

from law import ms, pack
from onshore.rules.acts import Deadline, Facts
from onshore.rules.calendars import last_year
from onshore.rules.clocks import least_days
from onshore.rules.judge import judge
from onshore.rules.pack_clock import Clock
from onshore.words.verdict import Verdict

RULE = {"article": "Art. 1", "mark": "mem-H", "kind": "LAW", "says": "It is due."}


def due(start: str | date, *clocks: dict[str, Any], name: str = "eu/2025-09", **facts: Any) -> Verdict:
    given = tuple(Clock(id=f"c{n}", what="erasure", **RULE, **clock) for n, clock in enumerate(clocks))
    site = msgspec.structs.replace(pack(name), clock=given)
    known = Facts(at=ms("2026-06-15T10:00:00+02:00"), **facts)
    return judge(Deadline(what="erasure", start=start if isinstance(start, date) else ms(start)), known, site)


@pytest.mark.parametrize(
    ("start", "clock", "end"),
    [
        ("2026-01-31T10:00:00+01:00", {"months": 1, "roll": True, "calendar": "EU"}, date(2026, 3, 2)),
        ("2026-01-31T23:30:00Z", {"days": 1}, date(2026, 2, 2)),  # already 1 February in Brussels
        (date(2026, 6, 15), {"years": 3}, date(2029, 6, 15)),
        (date(2026, 8, 31), {"years": 3, "before_months": 6}, date(2029, 2, 28)),
        (date(2026, 12, 15), {"annual": "12-15"}, date(2026, 12, 15)),
        (date(2026, 12, 16), {"annual": "12-15"}, date(2027, 12, 15)),
        (date(2026, 2, 28), {"annual": "02-29"}, date(2026, 2, 28)),
        (date(2028, 2, 28), {"annual": "02-29"}, date(2028, 2, 29)),
        (date(2026, 6, 12), {"working_days": 1, "calendar": "DE"}, date(2026, 6, 15)),
        (date(2026, 6, 15), {"hours": 72}, ms("2026-06-18T00:00:00+02:00")),
        (date(2023, 10, 16), {"years": 3, "before_working_days": 10, "calendar": "CN"}, date(2026, 9, 28)),
    ],
)
def test_when_it_is_due(start: str | date, clock: dict[str, Any], end: date | int) -> None:
    found = due(start, clock)
    assert (found.verdict, found.due, found.warnings) == ("due", end, ())
    assert found.reasons[0].article == "Art. 1"


def test_of_several_clocks_the_earliest_counts() -> None:
    start = "2026-06-15T10:00:00+02:00"
    clocks = ({"hours": 4}, {"hours": 1, "critical_operator": True}, {"days": 1})
    assert due(start, *clocks).due == ms("2026-06-15T14:00:00+02:00")
    assert due(start, *clocks, critical_operator=True).due == ms("2026-06-15T11:00:00+02:00")
    assert due(start, {"hours": 40}, {"days": 1}).due == date(2026, 6, 16)


def test_without_a_clock_nobody_can_say() -> None:
    found = due("2026-06-15T10:00:00+02:00", {"hours": 1, "critical_operator": True})
    assert (found.verdict, found.due, found.warnings) == ("unknown", None, ("no-clock",))


def test_where_the_calendar_ends_the_earlier_date_is_told_and_nothing_is_due() -> None:
    last = last_year("CN")
    clock = {"working_days": 10, "calendar": "CN"}
    found = due(date(last, 12, 28), clock, name="cn/2026-02")
    assert (found.verdict, found.due, found.warnings) == ("unknown", None, ("calendar-missing",))
    assert found.earlier is not None
    assert date(last + 1, 1, 8) < found.earlier <= date(last + 1, 1, 11)
    renewal = due(date(2026, 6, 15), {"years": 3, "before_working_days": 60, "calendar": "CN"}, name="cn/2026-02")
    assert renewal.warnings == ("calendar-missing",)
    assert renewal.earlier is not None
    assert renewal.earlier <= date(2029, 3, 23)  # sixty weekdays before the end, without a holiday


def test_where_no_year_is_known_weekdays_are_all_there_is() -> None:
    found = due(date(2026, 6, 12), {"working_days": 1, "calendar": "CN"}, calendar_until=2003)
    assert (found.due, found.earlier) == (None, date(2026, 6, 15))


def test_an_unknown_clock_is_compared_by_what_is_told_instead() -> None:
    found = due(
        date(2026, 6, 12), {"working_days": 1, "calendar": "CN"}, {"days": 100}, calendar_until=2003, name="cn/2026-02"
    )
    assert found.warnings == ("calendar-missing",)


def test_a_holiday_of_some_states_is_warned_of() -> None:
    found = due(date(2026, 3, 6), {"months": 1, "roll": True, "calendar": "EU"})
    assert (found.due, found.warnings) == (date(2026, 4, 6), ("holiday-differs",))
    assert due(date(2026, 3, 6), {"months": 1, "roll": True, "calendar": "DE"}).due == date(2026, 4, 7)


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"hours": 1, "days": 1},
        {"annual": "13-01"},
        {"annual": "soon"},
        {"working_days": 1},
        {"hours": 1, "calendar": "CN"},
        {"hours": 1, "roll": True, "calendar": "CN"},
        {"working_days": 1, "calendar": "XX"},
    ],
)
def test_a_clock_that_makes_no_sense_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"what|annual|calendar|roll"):
        Clock(id="c", what="erasure", **RULE, **bad)


@pytest.mark.parametrize(
    ("clocks", "least"),
    [
        ([], None),
        ([{"working_days": 10, "calendar": "CN"}], 10),
        ([{"months": 1}], 28),
        ([{"years": 1}, {"days": 45}], 45),
        ([{"hours": 49}], 2),
        ([{"annual": "03-01"}], 0),
        ([{"years": 3, "before_working_days": 60, "calendar": "CN"}], 0),
        ([{"months": 3, "before_months": 1}], 0),
    ],
)
def test_how_short_it_can_be_whenever_it_begins(clocks: list[dict[str, Any]], least: int | None) -> None:
    given = tuple(Clock(id=f"c{n}", what="erasure", **RULE, **clock) for n, clock in enumerate(clocks))
    found = least_days("erasure", msgspec.structs.replace(pack("eu/2025-09"), clock=given))
    assert found == (None if least is None else (least, given[-1].article))
    assert least_days("incident", msgspec.structs.replace(pack("eu/2025-09"), clock=given)) is None
