"""Lengths of time: read in order, counted back on the local calendar."""

from datetime import date, timedelta

import pytest

from law import ms
from onshore.rules.lengths import Length, ahead, back, length, months_later
from onshore.words.strict import BadValueError


@pytest.mark.parametrize(
    ("text", "months", "rest"),
    [
        ("2y364d", 24, timedelta(days=364)),
        ("6mo", 6, timedelta()),
        ("14d1s", 0, timedelta(days=14, seconds=1)),
        ("1y2mo3d4h5m6s", 14, timedelta(days=3, hours=4, minutes=5, seconds=6)),
    ],
)
def test_a_run_is_read(text: str, months: int, rest: timedelta) -> None:
    assert length(text, "age") == Length(months, rest)


@pytest.mark.parametrize("text", ["", "3", "1d1y", "y", "-1d", "1.5d", "1D", " 1d", "9" * 12 + "d", "10000y"])
def test_what_is_no_run_is_refused(text: str) -> None:
    with pytest.raises(BadValueError, match=r"run of|longer than any"):
        length(text, "age")


def test_years_go_back_on_the_local_calendar() -> None:
    zone = "Europe/Brussels"
    assert back(ms("2026-03-29T12:00:00+02:00"), length("1mo", "age"), zone) == ms("2026-02-28T12:00:00+01:00")
    assert back(ms("2028-02-29T12:00:00+01:00"), length("1y", "age"), zone) == ms("2027-02-28T12:00:00+01:00")
    assert back(ms("2026-03-30T12:00:00+02:00"), length("1d", "age"), zone) == ms("2026-03-29T12:00:00+02:00")


def test_before_the_first_year_is_before_everything() -> None:
    assert back(0, length("9999y", "age"), "UTC") < back(0, length("1960y", "age"), "UTC")
    assert back(0, length("1970y1mo", "age"), "UTC") == back(0, length("9999y", "age"), "UTC")


def test_months_later() -> None:
    assert months_later(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert months_later(date(2026, 3, 31), -1) == date(2026, 2, 28)
    assert months_later(date(2026, 12, 1), 1) == date(2027, 1, 1)


def test_ahead_is_the_first_instant_from_which_back_is_not_before() -> None:
    zone = "Asia/Shanghai"
    made = ms("2026-08-31T12:00:00+08:00")
    assert ahead(made, length("14d", "min"), zone) == ms("2026-09-14T12:00:00+08:00")
    assert ahead(made, length("1mo1h", "min"), zone) == ms("2026-10-01T13:00:00+08:00")
    for text in ("6mo", "1mo", "3y", "2d"):
        end = ahead(made, length(text, "min"), zone)
        assert back(end, length(text, "min"), zone) >= made
        assert back(end - 86_400_001, length(text, "min"), zone) < made


def test_ahead_of_every_calendar_is_after_everything() -> None:
    assert ahead(ms("2026-08-31T12:00:00+08:00"), length("9999y", "min"), "UTC") == 1 << 62
