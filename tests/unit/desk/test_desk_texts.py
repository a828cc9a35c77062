"""Texts: every one of templates and code stands in each language, and none that nobody uses any more."""

import re

import pytest

from desk_texts import OTHERS, kept, used
from onshore.desk.texts import AREAS, LANGUAGES, SOURCE, read_texts, wanted

USED = used()


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("lang", OTHERS)
def test_every_text_stands_in_every_language(lang, area):
    there, common = kept(lang, area), kept(lang, "common")
    missing = [key for key in sorted(USED[area]) if not all(there.get(key) or common.get(key) or ("",))]
    assert missing == []


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("lang", OTHERS)
def test_no_text_is_left_that_nobody_uses(lang, area):
    assert sorted(kept(lang, area).keys() - USED[area]) == []


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("lang", OTHERS)
def test_a_text_holds_what_its_key_holds(lang, area):
    for key, said in kept(lang, area).items():
        for form in said:
            assert set(re.findall(r"%\(\w+\)[sd]", form)) == set(re.findall(r"%\(\w+\)[sd]", key[-1])), key
            assert form.replace("%(", "").count("%") == 0, key
            assert not re.search("[<>]", form), key


def test_english_is_the_key_and_others_are_not():
    for lang in LANGUAGES:
        texts = read_texts(lang)
        assert (texts.text("owner", "Sign in") == "Sign in") == (lang == SOURCE)
        one, many = "No: %(num)d thing is not.", "No: %(num)d things are not."
        assert texts.counted("operator", one, many, 1) != "" != texts.counted("operator", one, many, 2)
        same = texts.counted("operator", one, many, 1) == texts.counted("operator", one, many, 2)
        assert same == (lang == "zh-CN")


@pytest.mark.parametrize(
    ("asked", "kept_as", "accepted", "found"),
    [
        ("de", "en", "zh", "de"),
        ("xx", "zh-CN", "de", "zh-CN"),
        ("", "", "fr;q=0.9, de-AT;q=0.8, en;q=0.7", "de"),
        ("", "", "zh-TW", "zh-CN"),
        ("", "", "de;q=0, en", "en"),
        ("", "", "de;q=x, zh;q=0.2", "zh-CN"),
        ("", "", "fr", "en"),
        ("", "", "", "en"),
    ],
)
def test_the_language_is_the_one_asked_for_then_kept_then_accepted(asked, kept_as, accepted, found):
    assert wanted(asked, kept_as, accepted) == found


def test_a_browser_keeps_its_language_and_theme(desk):
    browser = desk.browser()
    assert 'lang="en"' in browser.get("/sign-in").text
    assert 'lang="zh-CN"' in browser.get("/sign-in", headers={"accept-language": "zh-CN,en;q=0.5"}).text
    assert 'lang="de"' in browser.get("/sign-in?lang=de").text
    assert '<html lang="de">' in browser.get("/sign-in").text
    assert browser.form("/theme", theme="dark", to="/sign-in").headers["location"] == "/sign-in"
    assert '<html lang="de" data-theme="dark">' in browser.get("/sign-in").text
    assert browser.form("/theme", theme="pink", to="/sign-in").status_code == 422
    browser.form("/theme", theme="", to="/sign-in")
    assert "data-theme" not in browser.get("/sign-in").text
