"""Numbers in a pack: none is negative, endless, or leads out of the calendar."""

from datetime import date

import pytest

from law import CN_PACK, cn_pack
from onshore.rules.acts import Deadline, Facts
from onshore.rules.judge import judge
from onshore.rules.pack import parse
from onshore.words.errors import Malformed

TEXT = CN_PACK.read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("under_years = 14", "under_years = 1000000000", r"under_years: a whole number <= 200 is needed"),
        ("under_years = 14", "under_years = -1", r"under_years: a whole number >= 0 is needed"),
        ("working_days = 10", "working_days = 1000000000", r"working_days: a whole number <= 9999 is needed"),
        ("working_days = 10", "working_days = 10.0", r"working_days: a whole number is needed, not a number with a p"),
        ("lasts_years = 3", "lasts_years = 99999999999999999999", r"lasts_years: a whole number <= 200 is needed"),
        ("per_day = 3", "per_day = nan", r"nan is no number that can be counted"),
        ("per_day = 3", "per_day = -3", r"per_day: a whole number >= 0 is needed"),
        ("sensitive_from = 10000", "sensitive_from = -1", r"sensitive_from: a whole number >= 0 is needed"),
        ("valid_from = 2026-01-30", 'valid_from = "2026-01-30"', r"valid_from: a date is needed, not a text in quotes"),
    ],
)
def test_a_number_that_nobody_could_count_by_is_refused(old: str, new: str, says: str) -> None:
    assert old in TEXT
    with pytest.raises(Malformed, match=rf"^p, line \d+: .*{says}|^p, line \d+: {says}"):
        parse(TEXT.replace(old, new), "p")


@pytest.mark.parametrize("day", [date(1900, 1, 1), date(9000, 12, 31)])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("working_days = 10", "working_days = 9999"),
        ("years = 3", "years = 200"),
        ("before_working_days = 60", "before_working_days = 9999"),
        ("before_months = 6", "before_months = 2400"),
        ("hours = 4", "hours = 1752000"),
    ],
)
def test_the_greatest_of_them_is_counted_from_the_first_day_and_the_last(old: str, new: str, day: date) -> None:
    pack = parse(TEXT.replace(old, new))
    assert pack != cn_pack()
    for what in {clock.what for clock in pack.clock}:
        assert judge(Deadline(what=what, start=day), Facts(at=1_781_000_000_000), pack).verdict in {"due", "unknown"}
