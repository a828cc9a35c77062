"""Local days and years in a pack's zone."""

from datetime import date

import pytest

from law import ms
from onshore.rules.local import local_day, local_year, years_later


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2026-12-31T15:59:59.999+00:00", date(2026, 12, 31)),
        ("2026-12-31T16:00:00+00:00", date(2027, 1, 1)),
        ("1969-12-31T23:00:00+00:00", date(1970, 1, 1)),
    ],
)
def test_the_day_turns_at_local_midnight(at: str, day: date) -> None:
    assert local_day(ms(at), "Asia/Shanghai") == day
    assert local_year(ms(at), "Asia/Shanghai") == day.year


def test_years_later() -> None:
    assert years_later(date(2026, 3, 2), 3) == date(2029, 3, 2)
    assert years_later(date(2012, 2, 29), 14) == date(2026, 3, 1)
    assert years_later(date(2012, 2, 29), 4) == date(2016, 2, 29)
