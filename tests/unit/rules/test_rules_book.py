"""The scenario book: read strictly, judged, and told plainly where it fails."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from law import cn_pack, packs
from onshore.rules.acts import Facts, TransferAsked
from onshore.rules.book import check, in_force, read_case
from onshore.rules.pack import parse
from onshore.words.errors import Malformed

HEAD = """
[[scenario]]
id = "T-1"
title = "a track without papers"
basis = "test"
jurisdiction = "CN"
at = 2026-06-15T12:00:00+08:00
"""
CASE = (
    HEAD
    + """
given = { papers = ["export-notice"], consent = { purposes = ["p"], from = 2026-06-01T00:00:00+08:00 } }
transfer = { to = "DE", purpose = "p", categories = ["track"], new_persons = 1 }
expect = { verdict = "refuse", reason = "contract-or-certificate-required", route = "contract-or-certificate" }
"""
)


CLOCK = 'deadline = { what = "erasure", from = 2026-09-28T10:00:00+08:00 }\n'
STORE = 'store = { category = "track", place = "CN", age = "3y" }\nexpect = { verdict = "purge" }'


def book(*cases: str) -> str:
    return "format = 1\n" + "\n".join(cases)


def test_a_case_passes() -> None:
    (outcome,) = check(book(CASE), [cn_pack()], "b.toml")
    assert outcome.passed
    assert isinstance(outcome.case.act, TransferAsked)
    consent = outcome.case.facts.consent
    assert consent is not None
    assert consent.start == 1_780_243_200_000


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"refuse"', '"allow"'),
        ('"contract-or-certificate-required"', '"assessment-required"'),
        ('route = "contract-or-certificate"', 'route = "assessment"'),
    ],
)
def test_a_case_fails_and_says_what_came(old: str, new: str) -> None:
    (outcome,) = check(book(CASE.replace(old, new)), [cn_pack()], "b.toml")
    assert not outcome.passed
    assert outcome.line().startswith("T-1: expected ")
    assert "came refuse, contract-or-certificate: " in outcome.line()
    assert "contract-or-certificate-required (Cross-Border Data Flows Provisions (2024), Art. 8)" in outcome.line()


def test_a_verdict_without_a_reason_says_so() -> None:
    items = '"types", "circumstances-and-how-to-stop", "purpose-and-method", "place-and-period"'
    items += ', "access-and-deletion", "contact", "other"'
    case = HEAD + f'consent = {{ categories = ["identity"], purposes = ["p"], notice_items = [{items}] }}\n'
    (outcome,) = check(book(case + 'expect = { verdict = "reject" }'), [cn_pack()], "b.toml")
    assert outcome.line() == "T-1: expected reject; came accept: no rule fired"


def test_a_jurisdiction_without_a_pack_is_refused() -> None:
    (outcome,) = check(book(CASE.replace('"CN"', '"BR"')), [cn_pack()], "b.toml")
    assert outcome.came.codes() == {"no-rule-pack"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("format = ", "^b.toml: not TOML"),
        ("format = 2", "^b.toml: format 2 is not known; allowed: 1"),
        ("scenario = []", "^b.toml: format None is not known"),
        ("format = 1\nextra = 1", "^b.toml: unknown key extra; allowed: format, scenario"),
        ("format = 1\nscenario = 3", "^b.toml: cases are tables"),
        ("format = 1\nscenario = [3]", "^b.toml: cases are tables"),
        (book(CASE.replace('title = "a track without papers"', "")), "^b.toml: T-1: .*missing required field `title`"),
        (book(CASE.replace('id = "T-1"', "")), "^b.toml: number 1: case without id: .*missing required field `id`"),
        (book(CASE.replace("new_persons", "persons")), "T-1: transfer: .*unknown field `persons`; allowed: by, cat"),
        (book(CASE.replace("papers =", "at = 2026-01-01, papers =")), "T-1: given: unknown key at"),
        (book(CASE.replace("papers =", "paper =")), "T-1: given: .*unknown field `paper`; allowed: at, calendar"),
        (book(CASE.replace("purposes = [", "aims = [")), "T-1: given: consent: .*unknown field `aims`"),
        (book(CASE.replace('"export-notice"', '"letter"')), "T-1: given: papers: 'letter' is not one of standard"),
        (book(CASE.replace('"track"', '"trak"')), "T-1: transfer: categories: 'trak' is not one of track"),
        (book(CASE.replace('["track"]', "[]")), "T-1: transfer: categories: at least one is needed"),
        (
            book(CASE.replace("new_persons = 1", "new_persons = -1")),
            "T-1: transfer: new_persons: a whole number >= 0 is needed",
        ),
        (book(CASE.replace('to = "DE"', 'to = "Germany"')), "T-1: transfer: to: "),
        (book(CASE.replace("transfer =", "delete =")), "T-1: .*unknown field `delete`; allowed: at, basis"),
        (book(CASE.replace("transfer =", "store =")), "T-1: store: .*unknown field `to`; allowed: age, age_days"),
        (book(CASE.replace("transfer = {", "collect = {}\ntransfer = {")), "T-1: a case has exactly one act"),
        (
            book(HEAD + 'expect = { verdict = "keep" }'),
            "T-1: a case has exactly one act of collect, consent, store, tr",
        ),
        (book(CASE.replace('"refuse"', '"keep"')), "T-1: expect: verdict: 'keep' is not one of allow, refuse"),
        (book(CASE.replace('-required"', '"')), "T-1: expect: reason: 'contract-or-certificate' is not one of exempt"),
        (book(CASE.replace('route = "', 'route = "x')), "T-1: expect: route: 'xcontract-or-certificate' is not one"),
        (book(CASE.replace("verdict =", "result =")), "T-1: expect: .*unknown field `result`"),
        (book(CASE.replace('verdict = "refuse", ', "")), "T-1: expect: missing required field `verdict`"),
        (book(CASE.replace('route = "', 'due = 2026-06-01, route = "')), "T-1: expect: due: only a deadline is due"),
        (book(CASE.replace('route = "', 'warning = "x", route = "')), "T-1: expect: warning: 'x' is not one of"),
        (book(HEAD + CLOCK + "expect = {}"), "T-1: expect: says when it is due, or what one is warned of"),
        (book(HEAD + CLOCK + 'expect = { route = "none" }'), "T-1: expect: route: 'none' is not one of"),
        (book(HEAD + CLOCK + 'expect = { warning = "late" }'), "T-1: expect: warning: 'late' is not one of calend"),
        (book(HEAD + CLOCK.replace("erasure", "lunch") + "expect = {}"), "T-1: deadline: what: 'lunch' is not one"),
        (book(HEAD + STORE.replace("3y", "3 years")), "T-1: store: age: '3 years' is no run of"),
        (book(HEAD + STORE.replace("3y", "9999999999d")), "T-1: store: age: .*longer than any calendar"),
        (book(HEAD + STORE.replace("3y", "20000y")), "T-1: store: age: .*longer than any calendar"),
        (book(HEAD + STORE.replace("age =", "age_days = 3, age =")), "T-1: store: age: either age or age_days"),
        (book(CASE.replace("12:00:00+08:00", "12:00:00")), "T-1: at: a date and time needs an offset"),
    ],
)
def test_what_is_wrong_names_file_case_and_key(text: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        check(text, [cn_pack()], "b.toml")


GIVEN = 'given = {{ {} }}\ntransfer = {{ to = "DE", purpose = "p", categories = ["track"] }}'


@pytest.mark.parametrize(
    "clock",
    [
        'deadline = { what = "erasure", from = 9999-12-31T10:00:00+08:00 }',
        'deadline = { what = "certificate-renewal", from = 9999-12-31 }',
        'deadline = { what = "annual-report", from = 9999-12-31T12:00:00+08:00 }',
        'deadline = { what = "incident-report", from = 0001-01-01T00:00:00+14:00 }',
        'given = { calendar_until = 0 }\ndeadline = { what = "erasure", from = 2026-12-17 }',
        'collect = { category = "track", purpose = "p", person_born = 9999-12-31 }',
        'consent = { categories = ["track"], purposes = ["p"], last_refused = 9999-12-31 }',
        GIVEN.format("permit = { route = 'assessment', from = 9999-12-31 }"),
    ],
)
def test_a_day_that_no_calendar_reaches_is_named(clock: str) -> None:
    with pytest.raises(
        Malformed, match=r"T-1: .*(outside the (years 1900 to 9000|days that are counted, 1900)|>= 1900)"
    ):
        check(book(f"{HEAD}{clock}\nexpect = {{}}"), packs(), "b.toml")


@pytest.mark.parametrize("day", ["1900-01-01", "9000-12-31", "2003-12-31"])
@pytest.mark.parametrize("what", ["erasure", "assessment-renewal", "certificate-renewal", "annual-report"])
def test_a_day_at_the_edge_of_what_is_counted_is_answered(day: str, what: str) -> None:
    clock = f'given = {{ calendar_until = 1900 }}\ndeadline = {{ what = "{what}", from = {day} }}\n'
    (outcome,) = check(book(HEAD + clock + 'expect = { warning = "calendar-missing" }'), packs(), "b.toml")
    assert outcome.came.verdict in {"due", "unknown"}


@pytest.mark.parametrize(
    ("expect", "line"),
    [
        ("due = 2026-10-16", None),
        ("due = 2026-10-12", "T-1: expected 2026-10-12; came due, 2026-10-16: erasure ("),
        ('warning = "no-clock"', "T-1: expected no-clock; came due, 2026-10-16: erasure ("),
    ],
)
def test_a_clock_is_held_to_what_is_due(expect: str, line: str | None) -> None:
    (outcome,) = check(book(HEAD + CLOCK + f"expect = {{ {expect} }}"), packs(), "b.toml")
    assert outcome.passed == (line is None)
    assert outcome.line().startswith(line or "T-1")


def test_an_instant_is_told_as_one() -> None:
    case = HEAD + CLOCK.replace("erasure", "incident-report") + "expect = { due = 2026-06-15T06:00:00+08:00 }"
    (outcome,) = check(book(case), packs(), "b.toml")
    assert outcome.line().startswith("T-1: expected 2026-06-14T22:00:00+00:00; came due, 2026-09-28T06:00:00+00:00: ")


FULL: dict[str, Any] = {
    "exported": {"sensitive": 1, "ordinary": 2},
    "devices_12_months": 3,
    "others_12_months": {"sensitive": 4, "ordinary": 5},
    "critical_operator": True,
    "papers": ["certificate"],
    "permit": {
        "route": "assessment",
        "purpose": "p",
        "categories": ["track"],
        "recipient": "r",
        "persons": 5,
        "used": 4,
        "from": date(2026, 1, 1),
        "until": date(2026, 12, 31),
        "revoked": False,
    },
    "group_exports": {"members": ["a"], "ordinary": 1, "sensitive": 1},
    "strict_art3_5": False,
    "consent": None,
    "driver_setting": "on",
    "calendar_until": 2026,
    "pack_valid_until": date(2026, 12, 31),
}


def test_every_fact_can_be_given_and_has_a_default() -> None:
    table = {
        "id": "T",
        "title": "t",
        "basis": "b",
        "jurisdiction": "CN",
        "at": datetime.fromtimestamp(0, UTC),
        "given": FULL,
    }
    act = {"transfer": {"to": "DE", "purpose": "p", "categories": ["track"]}, "expect": {"verdict": "refuse"}}
    facts = read_case({**table, **act}, "b").facts
    assert facts.permit is not None
    assert (facts.permit.start, facts.permit.used, facts.devices_12_months) == (date(2026, 1, 1), 4, 3)
    assert set(FULL) | {"at"} == set(Facts.__struct_encode_fields__)
    assert Facts(at=0).strict_art3_5


def test_the_newest_pack_that_has_begun_judges() -> None:
    from law import CN_PACK

    text = CN_PACK.read_text("utf-8")
    later = parse(text.replace("2026-01-30", "2026-06-15").replace('"cn/2026-02"', '"cn/2026-06"'))
    much_later = parse(text.replace("2026-01-30", "2026-06-16").replace('"cn/2026-02"', '"cn/2026-07"'))
    (outcome,) = check(book(CASE), [much_later, later, cn_pack()], "b.toml")
    assert in_force(outcome.case, [much_later, later, cn_pack()]) is later
    (stale,) = check(book(CASE), [much_later], "b.toml")
    assert stale.came.codes() == {"stale-rules"}
