"""Both languages say everything: the same keys with the same figures, every text used, every command real."""

import re
from pathlib import Path

import msgspec
import pytest

import onshore.reports
from onshore.border import moves as border_moves
from onshore.cli.main import _COMMANDS, cli
from onshore.register import complaints, incidents, lives
from onshore.reports.blocks.all import BLOCKS
from onshore.reports.form import KINDS, asks, form
from onshore.reports.words import Words, numeral, table
from onshore.rights import moves as rights_moves
from onshore.rules.articles import PAPERS, ROUTES
from onshore.rules.pack import Collecting, Consenting
from onshore.rules.pack_store import RECORDS
from onshore.words.errors import Broken
from onshore.words.vocabulary import CATEGORIES, GROUNDS

CODE = "\n".join(
    path.read_text() for path in Path(onshore.reports.__path__[0]).rglob("*") if path.suffix in (".py", ".html")
)
LISTS = {
    "category": CATEGORIES,
    "ground": GROUNDS,
    "paper": PAPERS,
    "route": ROUTES,
    "record": RECORDS,
    "case": tuple(rights_moves.CASE),
    "state": tuple(border_moves.LIFE),
    "reason": tuple(f.encode_name for part in (Collecting, Consenting) for f in msgspec.structs.fields(part)),
    "paper-state": ("counts", "incomplete", "not covering", "not yet", "over", "withdrawn"),
    "task": ("late", "near", "in time", "no clock", "done"),
    "verdict": ("allow", "refuse"),
    "topic": complaints.TOPICS,
    "incident": incidents.KINDS,
    "severity": incidents.SEVERITIES,
    "incident-state": tuple(lives.INCIDENT),
    "method": ("file", "feed", "view"),
    "class": tuple(f"{a}{b}" for a in ("sensitive", "personal", "none") for b in ("", "+important")),
}


def braces(text):
    return set(re.findall(r"\{(\w+)\}", text))


def test_each_text_stands_in_both_languages_with_the_same_figures():
    en, zh = table("en"), table("zh")
    own = {key for key in zh if key.startswith("laws.")}
    assert en.keys() == zh.keys() - own
    assert own
    assert {key for key in en if braces(en[key]) != braces(zh[key])} == set()
    assert {key for key in en if not en[key].strip() and key != "list.space"} == set()
    assert {key for key in zh if not zh[key].strip() and key != "list.space"} == set()


def test_chinese_texts_are_chinese():
    en = table("en")
    same = {key for key, text in table("zh").items() if en.get(key) == text}
    assert same <= {"dash", "head.digest"}


@pytest.mark.parametrize("what", LISTS)
def test_every_code_of_a_closed_list_has_a_name(what):
    for language in ("zh", "en"):
        assert {code for code in LISTS[what] if f"{what}.{code}" not in table(language)} == set()


def test_no_text_is_left_over():
    named = set(LISTS) | {"purpose", "counter", "laws", "length", "mark"}
    kinds = set(re.findall(r'"([a-z]+/[a-z]+|attempt|backup|restore)"', CODE))
    heads = set(re.findall(r'"([a-z-]+)"', CODE))
    left = set()
    for key in table("en"):
        group, _, rest = key.partition(".")
        known = (
            group in named
            or f'"{key}"' in CODE
            or f"'{key}'" in CODE
            or (group in ("entries", "consents") and rest.replace(".", "/") in kinds)
            or (group in ("head", "scale", "erased", "summary", "counts", "query", "agree") and rest in heads)
            or f'"{group}.{{' in CODE
            or (group == "seal" and rest in heads)
            or (rest == "title" and f'"{group}"' in CODE)
        )
        if not known:
            left.add(key)
    assert left == set()


def test_a_text_that_is_not_there_is_our_fault():
    with pytest.raises(Broken):
        Words("en", "UTC")("no.such.text")


def test_each_command_that_a_source_names_is_one():
    context = cli.make_context("onshore", ["check"])
    for language in ("en", "zh"):
        for text in table(language).values():
            for one, two in re.findall(r"onshore ([a-z]+)(?: ([a-z]+))?", text):
                assert one in _COMMANDS, text
                command = cli.get_command(context, one)
                if two and hasattr(command, "commands"):
                    assert two in command.commands, text


def test_forms_ask_for_what_there_is():
    for kind in KINDS:
        for item in form(kind).item:
            assert set(item.shows) <= set(BLOCKS)
            assert set(item.asks) <= set(asks())
    assert {name for kind in KINDS for item in form(kind).item for name in item.asks} == set(asks())
    assert {name for kind in KINDS for item in form(kind).item for name in item.shows} == set(BLOCKS)


def test_forms_have_the_items_that_the_law_counts():
    from law import packs

    annual = [item for item in form("annual").item if item.when == "always"]
    export = [item for item in form("annual").item if item.when == "left" and item.sub]
    assert (len(annual), len(export), len(form("risk").item), len(form("processing").item)) == (7, 5, 7, 7)
    (pack,) = [one for one in packs() if one.id == "cn/2026-02"]
    by_id = {one.id: one for one in pack.report}
    assert len(by_id["report-annual"].sections) == len(annual)
    assert len(by_id["report-annual-export"].sections) == len(export)
    assert by_id["report-annual"].mark == form("annual").mark
    assert by_id["report-annual-risk"].mark == form("risk").mark


def test_articles_are_named_as_chinese_law_names_them():
    zh, en = Words("zh", "Asia/Shanghai"), Words("en", "Asia/Shanghai")
    said = "PIPL Art. 38; Automotive Data Provisions (Trial), Art. 12"
    assert en.article(said) == said
    assert zh.article(said) == "《个人信息保护法》第三十八条；《汽车数据安全管理若干规定（试行）》第十二条"
    assert (
        zh.article("Automotive Data Provisions (Trial), Art. 3(5)")
        == "《汽车数据安全管理若干规定（试行）》第三条第（五）项"
    )
    assert zh.article("GDPR Art. 17") == "GDPR 第17条"
    assert [numeral(str(n)) for n in (1, 10, 13, 20, 33, 105)] == ["一", "十", "十三", "二十", "三十三", "105"]


def test_lengths_and_marks_are_told():
    assert Words("en", "UTC").length("2y6mo") == "2 years 6 months"
    assert Words("zh", "UTC").length("14d") == "14天"
    assert "S03" in Words("en", "UTC").mark("seen: S03")
    assert Words("en", "UTC").mark("mem-M", verify=True).endswith("to be verified before use")
