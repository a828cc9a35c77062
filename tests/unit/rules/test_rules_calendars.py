"""Calendars: days that are worked, and years that nobody knows."""

from datetime import date

import pytest

from onshore.rules import calendars
from onshore.rules.calendars import UnknownYearError


def test_china_works_on_make_up_days() -> None:
    assert calendars.worked(date(2026, 10, 10), "CN")  # a Saturday
    assert not calendars.worked(date(2026, 10, 5), "CN")
    assert calendars.after(date(2026, 9, 28), 10, "CN") == date(2026, 10, 16)


def test_the_union_rests_where_every_state_does() -> None:
    assert not calendars.worked(date(2026, 12, 25), "EU")
    assert not calendars.worked(date(2026, 3, 1), "EU")
    assert calendars.worked(date(2026, 4, 6), "EU")  # Easter Monday, not everywhere
    assert calendars.differs(date(2026, 4, 6), "EU")
    assert calendars.differs(date(2026, 4, 6), "GB")  # Easter Monday, not in Scotland
    assert not calendars.differs(date(2026, 12, 25), "EU")
    assert not calendars.differs(date(2026, 3, 10), "EU")


def test_others_by_their_own_holidays() -> None:
    assert not calendars.worked(date(2026, 12, 28), "GB", 2026)  # Boxing Day, observed
    assert not calendars.worked(date(2026, 7, 3), "US")  # observed
    assert calendars.rolled(date(2026, 1, 1), "JP") == date(2026, 1, 2)


def test_before_as_well_as_after() -> None:
    assert calendars.after(date(2026, 10, 16), -10, "CN") == date(2026, 9, 28)
    assert calendars.weekdays_after(date(2026, 6, 12), 1) == date(2026, 6, 15)
    assert calendars.weekdays_after(date(2026, 6, 15), -1) == date(2026, 6, 12)


@pytest.mark.parametrize(
    ("day", "name", "until"),
    [(date(2050, 1, 1), "CN", None), (date(2003, 1, 1), "CN", None), (date(2027, 1, 1), "EU", 2026)],
)
def test_a_year_that_is_not_known(day: date, name: str, until: int | None) -> None:
    with pytest.raises(UnknownYearError):
        calendars.worked(day, name, until)


def test_a_pack_may_name_what_is_known() -> None:
    assert calendars.known("EU")
    assert calendars.known("VN")
    assert not calendars.known("XX")
    assert not calendars.known("ECB")
    assert not calendars.known("de")
