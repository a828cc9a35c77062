"""Smaller parts: why, pace, what was asked, how codes and instants are called, what everything looks like."""

import re

import pytest

from onshore.desk import called, showing, why
from onshore.desk.asked import Asked
from onshore.desk.looks.status import looks
from onshore.desk.pace import Pace
from onshore.desk.texts import LANGUAGES, read_texts
from onshore.desk.who import Who
from onshore.words.errors import Malformed
from onshore.words.verdict import Reason
from onshore.words.vocabulary import CATEGORIES, GROUNDS

AT = 1_790_000_000_000


def as_in(lang, text):
    one = showing.Showing(read_texts(lang), "common", Who(), "/", "Asia/Shanghai", AT, "")
    with showing.showing(one):
        return text()


def test_a_reason_of_a_pack_is_shown_with_the_law_that_it_cites(hands):
    rule = hands.site.pack.transfer.permit.outside_permit
    found = why.of_reason([hands.site.pack], rule.reason("outside-permit"))
    assert (found.code, found.says, found.article) == ("outside-permit", rule.says, rule.article)
    assert found.pack == hands.site.pack.id
    assert found.known in called.NAMES["known"]
    assert bool(found.laws) == (found.known == "seen")


def test_a_reason_of_nobodys_pack_is_shown_as_it_is(hands):
    found = why.of_reason([hands.site.pack], Reason("own", "Art. 1", "because", "do this"))
    assert found == why.Why("own", "because", "Art. 1", "do this")


def test_the_law_behind_a_rule_that_was_read_is_named(hands):
    from onshore.rules.pack import rules

    pack = hands.site.pack
    read = next(rule for _, rule in rules(pack) if rule.mark.startswith("seen") and rule.article)
    laws = why.of_reason([pack], read.reason("x")).laws
    assert laws
    assert {one.law for one in laws} <= {source.law for source in pack.source}


def test_a_bucket_gives_what_it_holds_and_is_filled_again():
    now = [0]
    pace = Pace(60, lambda: now[0])
    assert [pace.waits("a") for _ in range(61)] == [0] * 60 + [1]
    assert pace.waits("b") == 0
    now[0] += 1000
    assert [pace.waits("a"), pace.waits("a")] == [0, 1]
    now[0] -= 5000
    assert pace.waits("a") >= 1, "a clock that goes back fills nothing"


def test_so_many_are_remembered_and_no_more(monkeypatch):
    monkeypatch.setattr("onshore.desk.pace._MOST", 3)
    pace = Pace(1, lambda: 0)
    for key in "abcd":
        assert pace.waits(key) == 0
    assert pace.waits("d") > 0
    assert pace.waits("a") == 0, "it was forgotten for the others"


@pytest.mark.parametrize(
    ("ask", "where"),
    [
        (lambda a: a.text("none"), "none"),
        (lambda a: a.text("long"), "long"),
        (lambda a: a.one_of("word", ("x", "y")), "word"),
        (lambda a: a.number("word"), "word"),
        (lambda a: a.number("seven", most=6), "seven"),
        (lambda a: a.number("seven", least=8), "seven"),
        (lambda a: a.number("arabic"), "arabic"),
        (lambda a: a.file("none"), "none"),
    ],
)
def test_what_was_asked_wrongly_is_malformed_by_its_field(ask, where):
    asked = Asked("/", fields=[("word", "z"), ("seven", "7"), ("long", "x" * 4001), ("arabic", "٧")])
    with pytest.raises(Malformed) as wrong:
        ask(asked)
    assert wrong.value.where == where


def test_what_was_asked_is_read():
    asked = Asked("/", fields=[("word", " z "), ("box", "1"), ("box", "2"), ("seven", "-7"), ("page", "3")])
    assert (asked.text("word"), asked.text("none", "d"), asked.all("box")) == ("z", "d", ("1", "2"))
    assert (asked.number("seven", least=-9), asked.number("none", 4), asked.page()) == (-7, 4, 3)
    assert asked.one_of("none", ("x",), "") == ""


def test_every_code_of_the_vocabulary_has_a_name_in_every_language(hands):
    kinds = {"category": CATEGORIES, "ground": GROUNDS, "purpose": hands.site.settings.site.purposes}
    for lang in LANGUAGES:
        for kind, codes in kinds.items():
            names = [as_in(lang, lambda code=code, kind=kind: called.name_of(code, kind)) for code in codes]
            assert not set(names) & set(codes)
    assert as_in("de", lambda: called.name_of("own-purpose", "purpose")) == "own-purpose"


@pytest.mark.parametrize(
    ("lang", "at", "day", "span", "number"),
    [
        ("en", "21 Sept 2026, 22:13:20", "21 Sept 2026", "in 3 days", "1,234,567.5"),
        ("de", "21.09.2026, 22:13:20", "21.09.2026", "in 3 Tagen", "1.234.567,5"),
        ("zh-CN", "2026年9月21日 22:13:20", "2026年9月21日", "3天后", "1,234,567.5"),
    ],
)
def test_instants_and_numbers_are_told_as_a_language_has_them(lang, at, day, span, number):
    three = AT + 3 * 86_400_000
    found = as_in(
        lang,
        lambda: (showing.at(AT), showing.day(AT), showing.span(three), showing.number(1234567.5), showing.at(None)),
    )
    assert found == (at, day, span, number, "\N{EN DASH}")
    assert as_in(lang, lambda: showing.day("2026-09-21")) == day
    assert as_in(lang, lambda: (showing.day(None), showing.span(None), showing.number(None))) == ("\N{EN DASH}",) * 3


def test_every_look_has_a_name(desk):
    assert {line.what for line in looks(desk.site)} <= set(called.NAMES["look"])
    page = desk.as_("operator").texts("/operator?lang=de")
    assert "Ist alles in Ordnung?" in page
    assert "Ja: Alles" in page


def test_the_operator_sees_what_is_not_well_first(desk):
    (desk.site.folder / "outbox" / "x.parcel").write_bytes(b"put here by somebody")
    said = desk.as_("operator").get("/operator.json").json()
    assert (said["bad"], said["lines"][0]["what"], said["lines"][0]["good"]) == (1, "egress", False)
    assert "No: 1 thing is not." in desk.as_("operator").texts("/operator")


def test_the_officer_sees_the_clock_that_runs_out_next(desk):
    from onshore.rights import cases

    cases.opened(desk.site, desk.hands.car(1), "erase", "anna")
    browser = desk.as_("officer")
    assert [one["what"] for one in browser.get("/officer.json").json()["clocks"]] == ["erase"]
    assert re.search(r"Which clock runs out next\? Erasure, in \d+ (days|weeks|month)", browser.texts("/officer"))


def test_the_engineer_sees_what_it_takes_and_why(desk):
    browser = desk.as_("engineer")
    track = next(one for one in browser.get("/engineer.json").json()["categories"] if one["category"] == "track")
    assert track["shut"]
    assert "PIPL" in browser.texts("/engineer/catalogue/track")
    assert browser.get("/engineer/catalogue/nothing").status_code == 404


def test_every_part_is_shown_among_the_patterns(desk):
    page = desk.as_("officer").get("/patterns").text
    from importlib import resources

    source = resources.files("onshore.desk").joinpath("templates", "_parts.html").read_text("utf-8")
    patterns = resources.files("onshore.desk").joinpath("templates", "patterns.html").read_text("utf-8")
    macros = set(re.findall(r"{% macro (\w+)\(", source))
    assert {name for name in macros - {"csrf", "reason", "code"} if f"parts.{name}(" not in patterns} == set()
    assert page.count("<svg") == 3
