"""What a scenario book may not hold: forms of numbers, dates and names that nobody could judge by."""

import pytest

from law import cn_pack, packs
from onshore.rules.book import check
from onshore.words.errors import Malformed

HEAD = """
[[scenario]]
id = "T-1"
title = "what is written wrongly"
basis = "test"
jurisdiction = "CN"
at = 2026-06-15T12:00:00+08:00
"""
GIVEN = 'given = {{ {} }}\ntransfer = {{ to = "DE", purpose = "p", categories = ["track"] }}'
TRANSFER = 'transfer = {{ to = "DE", purpose = "p", categories = ["track"], {} }}'
STORED = 'store = {{ category = "track", place = "CN", {} }}'
EXPECT = '\nexpect = {{ verdict = "{}" }}\n'


def book(act: str, verdict: str = "refuse") -> str:
    return f"format = 1\n{HEAD}{act}{EXPECT.format(verdict)}"


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (
            GIVEN.format("consent = { from = 5 }"),
            "T-1: given: consent: from: a date-time with an offset, e.g. .* without q",
        ),
        (GIVEN.format("consent = { until = '2026-01-01' }"), "T-1: given: consent: until: a date-time with an offset"),
        (GIVEN.format("consent = { withdrawn = 2026-01-01 }"), "consent: withdrawn: a date-time with an offset"),
        (GIVEN.format("consent = { withdrawn = true }"), "consent: withdrawn: a date-time with an offset"),
        (
            GIVEN.format("consent = { from = 0001-01-01T00:00:00Z }"),
            "from: it lies outside the days .* 1900-01-01 to 9999",
        ),
        (GIVEN.format("consent = { from = 9999-12-31T23:59:59-12:00 }"), "from: it lies outside the days"),
        (
            GIVEN.format("pack_valid_until = '2026-01-01'"),
            "pack_valid_until: a date, e.g. 2026-06-15, is needed, without q",
        ),
        (
            GIVEN.format("pack_valid_until = 2026-01-01T00:00:00Z"),
            "pack_valid_until: a date, e.g. 2026-06-15, is needed",
        ),
        (GIVEN.format("pack_valid_until = 1899-12-31"), "pack_valid_until: it lies outside the days"),
        (GIVEN.format("permit = { route = 'x' }"), "given: permit: route: 'x' is not one of none, exempt, contract"),
        (
            GIVEN.format("permit = { route = 'none', revoked = 1 }"),
            "revoked: a date, .* or a date-time .* or true or false,",
        ),
        (GIVEN.format("permit = { route = 'none', revoked = '2026-01-01' }"), "revoked: a date, .* or true or false,"),
        (GIVEN.format("permit = { route = 'none', persons = 1_000_000_000_001 }"), "whole number <= 1000000000000"),
        (GIVEN.format("permit = 5"), "given: permit: a table is needed, not a whole number"),
        (GIVEN.format("x = " + "[" * 900 + "]" * 900), "nested too deeply"),
        (GIVEN.format("x" + ".x" * 900 + " = 1"), "b.toml, line 9: a key has more than 16 steps"),
        (GIVEN.format("devices_12_months = 1" + "0" * 5000), "too many digits"),
        (GIVEN.format("devices_12_months = 1" + "0" * 50), "devices_12_months: a whole number <= 1000000000000 is"),
        (
            GIVEN.format("devices_12_months = 2026-01-01T00:00:00Z"),
            "devices_12_months: a whole number is needed, not a",
        ),
        (TRANSFER.format("precision_m = nan"), "b.toml, line 9: nan is no number"),
        (TRANSFER.format("precision_m = -1"), "precision_m: a number >= 0"),
        (TRANSFER.format("precision_m = 2e12"), "precision_m: a number <= 1000000000000"),
        (STORED.format("clip_seconds = inf"), "b.toml, line 9: inf is no number"),
        (STORED.format("clip_seconds = -5"), "clip_seconds: a number >= 0"),
        (STORED.format("age = '" + "9" * 5000 + "s'"), "age: .{0,99} is longer than any calendar$"),
        (TRANSFER.format("recipient = 2026-01-01"), "transfer: recipient: a text in quotes is needed, not a date$"),
        (
            'deadline = { what = "erasure", from = "2026-01-01" }',
            "deadline: from: a date, .* or a date-time .* without q",
        ),
        ('deadline = { what = "erasure", from = 12:00:00 }', "deadline: from: a date, .* or a date-time .* without q"),
        (
            'deadline = { what = "erasure", from = 2026-01-01T00:00:00 }',
            "deadline: from: a date and time needs an offset",
        ),
    ],
)
def test_what_is_no_date_or_number_is_refused(act: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        check(book(act), packs(), "b.toml")


def test_a_book_nested_beyond_reading_is_refused() -> None:
    with pytest.raises(Malformed, match="nested too deeply"):
        check("x = " + "[" * 100_000, packs(), "b.toml")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"T-1"', '""', "^b.toml: number 1: case without id: id: a text in quotes of length >= 1 is needed$"),
        ('"T-1"', f'"{"A" * 201}"', "^b.toml: A{60}…: id: a text in quotes of length <= 200 is needed$"),
        ('"T-1"', '"T\\u001b[31m"', "id: signs that cannot be printed stand in it$"),
        (
            '"T-1"',
            f"{'[' * 99}{']' * 99}",
            "^b.toml: number 1: case without id: id: a text in quotes is needed, not a l",
        ),
        ('"CN"', '"cn"', "T-1: jurisdiction: a text in quotes of two capital letters is needed$"),
        (
            "2026-06-15T12:00:00+08:00",
            "2026-06-15",
            "T-1: at: a date-time with an offset, e.g. 2026-06-15T12:00:00[+]08",
        ),
        ("2026-06-15T12:00:00+08:00", "5", "T-1: at: a date-time with an offset"),
        ("2026-06-15T12:00:00+08:00", "0001-01-01T00:00:00+14:00", "T-1: at: it lies outside the days"),
        ("2026-06-15T12:00:00+08:00", "9999-12-31T23:59:59-12:00", "T-1: at: it lies outside the days"),
        ("format = 1\n", "format = true\n", "^b.toml: format True is not known; allowed: 1"),
        ("format = 1\n", "format = 1.0\n", "^b.toml: format 1.0 is not known; allowed: 1"),
        (
            "format = 1\n",
            "\n".join(f"k{n} = 1" for n in range(999)),
            "^b.toml: unknown key k0, k1, .{0,60}…; allowed",
        ),
    ],
)
def test_what_names_a_case_is_itself_held_to_a_form(old: str, new: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        check(book(TRANSFER.format("new_persons = 1")).replace(old, new), [cn_pack()], "b.toml")


def test_an_id_given_twice_is_refused() -> None:
    case = book(TRANSFER.format("new_persons = 1"))
    with pytest.raises(Malformed, match=r"^b.toml: T-1: the id is given to more than one case$"):
        check(case + case.removeprefix("format = 1"), [cn_pack()], "b.toml")


def test_what_ends_late_ends_late() -> None:
    given = "consent = { until = 9999-12-30T23:59:59Z }, pack_valid_until = 9999-12-31, calendar_until = 9999"
    permit = 'permit = { route = "assessment", until = 9999-12-31, revoked = 9999-12-30T00:00:00Z }'
    (outcome,) = check(book(GIVEN.format(f"{given}, {permit}")), packs(), "b.toml")
    assert outcome.passed
