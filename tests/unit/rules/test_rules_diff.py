"""What changed between packs, and what else is told of a pack: its page, its schema, its standing, its switches."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from law import CN_PACK, cn_pack
from onshore.rules import switches, wording
from onshore.rules.articles import OnCategories, Rule
from onshore.rules.diff import changes, told
from onshore.rules.lawpage import page
from onshore.rules.pack import Pack, parse, rules
from onshore.rules.pack_clock import Clock, Switch
from onshore.rules.pack_store import Cap
from onshore.rules.schema import pack_schema
from onshore.rules.standing import as_if_in_force, is_draft, reviewed, validity
from onshore.words.strict import BadValueError
from packs import every_pack

TEXT = CN_PACK.read_text("utf-8")
DOCS = Path(__file__).parents[3] / "docs"


def other(*pairs: tuple[str, str]) -> Pack:
    text = TEXT.replace('"cn/2026-02"', '"cn/2027-01"')
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return parse(text)


def test_the_same_pack_has_no_changes() -> None:
    assert changes(cn_pack(), cn_pack()) == []
    assert told(cn_pack(), cn_pack())[-1].startswith("0 added, 0 removed, 0 changed, ")


def test_sentences_that_come_and_go_have_a_line_each() -> None:
    text = told(cn_pack(), replace(cn_pack(), not_covered=("A gap of its own.",)))
    assert "         now also: A gap of its own." in text
    assert sum(line.startswith("         no longer: ") for line in text) == len(cn_pack().not_covered)


def test_figures_words_and_lists_are_told() -> None:
    new = other(
        ('"cabin-audio", ', ""),
        ("sensitive_from = 10000", "sensitive_from = 5000"),
        ('says = "The consent is tied to something else."', 'says = "It is tied."'),
        ("valid_from = 2026-01-30", "valid_from = 2027-01-01"),
    )
    text = "\n".join(told(cn_pack(), new))
    assert "categories: no longer cabin-audio" in text
    assert "persons with sensitive information, from: 10,000\n" in text
    assert "now: 5,000" in text
    assert 'words: "The consent is tied to something else."' in text
    assert "in force from: 30 January 2026" in text
    back = "\n".join(told(new, cn_pack()))
    assert "categories: now also cabin-audio" in back


def test_a_rule_is_followed_by_its_id_or_by_its_place() -> None:
    renamed = other(('id = "bundled"', 'id = "tied"'))
    (change,) = changes(cn_pack(), renamed)
    assert (change.kind, change.fields) == ("changed", (("id", "bundled", "tied"),))
    clocks = [(rule.id, path) for path, rule in rules(cn_pack()) if path.startswith("transfer.exemption[")]
    assert clocks
    fewer = replace(
        cn_pack(), id="cn/x", transfer=replace(cn_pack().transfer, exemption=cn_pack().transfer.exemption[1:])
    )
    (gone,) = changes(cn_pack(), fewer)
    assert (gone.kind, gone.id) == ("removed", clocks[0][0])
    (came,) = changes(fewer, cn_pack())
    assert (came.kind, came.id) == ("added", clocks[0][0])
    assert came.says in "\n".join(told(fewer, cn_pack()))


def test_a_list_in_another_order_is_said_to_be_the_same() -> None:
    sensitive = cn_pack().classes.sensitive
    turned = replace(sensitive, categories=tuple(reversed(sensitive.categories)))
    new = replace(cn_pack(), id="cn/x", classes=replace(cn_pack().classes, sensitive=turned))
    assert "categories: the same in another order" in "\n".join(told(cn_pack(), new))


def test_a_source_that_changed_is_named() -> None:
    source = cn_pack().source[0]
    new = replace(cn_pack(), id="cn/x", source=(replace(source, law="Another law"), *cn_pack().source[1:]))
    (change,) = changes(cn_pack(), new)
    assert (change.path, change.id, change.kind) == ("", f"source {source.code}", "changed")
    fewer = replace(cn_pack(), id="cn/x", source=cn_pack().source[1:])
    ((gone,), (came,)) = changes(cn_pack(), fewer), changes(fewer, cn_pack())
    assert (gone.kind, came.kind) == ("removed", "added")
    assert f"ADDED    source {source.code}. code: {source.code}; law: {source.law}" in "\n".join(told(fewer, cn_pack()))


@pytest.mark.parametrize("code", sorted({pack.jurisdiction for pack in every_pack()}))
def test_the_page_on_a_jurisdiction_is_the_one_that_is_kept(code: str) -> None:
    text = page([pack for pack in every_pack() if pack.jurisdiction == code])
    assert text == (DOCS / "law" / f"{code.lower()}.md").read_text("utf-8"), "run tools/law-pages"


def test_a_page_says_what_is_known_how_well_and_what_is_not_covered() -> None:
    pack = replace(
        cn_pack(), id="cn/1", clock=(), report=(), switch=(), store=None, not_covered=("Maps | and more.",), title="T"
    )
    text = page([pack, cn_pack()])
    assert text.index("## cn/2026-02") < text.index("## cn/1") or text.index("## cn/1") >= 0
    assert "- Maps \\| and more." in text
    assert "- Clocks: this pack has no rule." in text
    assert "not reviewed by counsel" in text
    hard = replace(pack, **{name: _hardened(getattr(pack, name)) for name in ("classes", "grounds", "collect")})
    hard = replace(hard, consent=_hardened(pack.consent), transfer=_hardened(pack.transfer))
    assert "not the text of a law" not in page([hard])


def _hardened(part: Any) -> Any:
    if isinstance(part, tuple):
        return tuple(_hardened(item) for item in part)
    if isinstance(part, Rule):
        return replace(part, kind="LAW")
    if isinstance(part, msgspec.Struct):
        return replace(part, **{f.name: _hardened(getattr(part, f.name)) for f in msgspec.structs.fields(part)})
    return part


def test_the_schema_is_the_one_that_is_kept() -> None:
    kept = json.loads((DOCS / "pack.schema.json").read_text("utf-8"))
    assert kept == json.loads(json.dumps(pack_schema())), "run tools/law-pages"


def test_the_schema_closes_the_lists() -> None:
    tables = pack_schema()["$defs"]
    assert "track" in tables["OnCategories"]["properties"]["categories"]["items"]["enum"]
    assert tables["Rule"]["properties"]["kind"]["enum"][0] == "LAW"
    assert "seen" in tables["Rule"]["properties"]["mark"]["pattern"]
    ground = tables["Ground"]["properties"]["categories"]["anyOf"]
    assert any("track" in form.get("items", {}).get("enum", ()) for form in ground)


def test_how_a_pack_stands() -> None:
    draft = replace(cn_pack(), id="cn/2030-01-draft", valid_from=date(2030, 1, 2))
    assert is_draft(draft)
    assert not is_draft(cn_pack())
    assert validity(draft) == "draft of 2 January 2030, not in force"
    assert validity(replace(cn_pack(), valid_until=date(2026, 12, 31))).endswith("until 31 December 2026")
    assert validity(replace(cn_pack(), valid_until=None)) == "from 30 January 2026 on"
    assert reviewed(replace(cn_pack(), reviewed_by="A. Name")) == "reviewed by A. Name"
    assert as_if_in_force(draft).valid_from < date(1971, 1, 1)
    assert as_if_in_force(replace(cn_pack(), valid_until=date(2026, 12, 31))).valid_until is None


SWITCH = Switch(id="s", name="mirror", article="a", mark="mem-L", kind="INT", says="s")


def test_a_switch_is_strict_until_an_opinion_is_recorded() -> None:
    restricted = cn_pack().collect.restricted_zone
    assert restricted is not None
    exemption = replace(cn_pack().transfer.exemption[0], switch="mirror")
    pack = replace(
        cn_pack(),
        switch=(SWITCH,),
        collect=replace(cn_pack().collect, restricted_zone=replace(restricted, switch="mirror")),
        transfer=replace(cn_pack().transfer, exemption=(exemption,)),
    )
    assert switches.names(pack) == ("mirror", switches.ART3_5)
    assert switches.turned(pack, ()) is pack
    lenient = switches.lenient(pack, {"mirror": "lenient", switches.ART3_5: "strict"}, {"mirror": "no. 5"})
    assert lenient == {"mirror"}
    without = switches.turned(pack, lenient)
    assert without.collect.restricted_zone is None
    assert without.transfer.exemption == ()
    assert switches.opinion_papers(pack, lenient) == frozenset()
    assert switches.opinion_papers(pack, {switches.ART3_5}) == {"counsel-opinion-art3-5"}
    with pytest.raises(BadValueError, match="no such switch; it has: mirror"):
        switches.lenient(pack, {"other": "strict"}, {})
    with pytest.raises(BadValueError, match="recorded opinion"):
        switches.lenient(pack, {"mirror": "lenient"}, {"mirror": " "})


def test_a_pack_without_the_scale_has_no_switch_for_it() -> None:
    scale = cn_pack().classes.important_scale
    assert scale is not None
    bare = replace(cn_pack(), switch=(), classes=replace(cn_pack().classes, important_scale=None))
    assert switches.names(bare) == ()
    assert switches.opinion_papers(bare, {switches.ART3_5}) == frozenset()
    own = replace(SWITCH, name=switches.ART3_5)
    assert switches.names(replace(cn_pack(), switch=(own,))) == (switches.ART3_5,)
    hard = replace(scale, unless_papers=())
    assert switches.names(replace(bare, classes=replace(bare.classes, important_scale=hard))) == ()


@pytest.mark.parametrize(
    ("what", "says"),
    [
        (True, "yes"),
        (False, "no"),
        (1234, "1,234"),
        (date(2026, 1, 2), "2 January 2026"),
        (("a", 2), "a, 2"),
        ((), "none"),
        ({"door": ("01", "02")}, "door: 01, 02"),
        ({}, "none"),
        (None, "none"),
        ("", "none"),
        (1.5, "1.5"),
        (cn_pack().source[0].__class__(code="S01", law="L", address="A"), "code: S01; law: L; address: A"),
    ],
)
def test_values_are_told(what: Any, says: str) -> None:
    assert wording.value(what) == says


def test_lists_counts_and_names_are_told() -> None:
    assert [wording.listed(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "nothing",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert wording.persons(1) == "1 person"
    assert wording.counted(2, "day") == "2 days"
    assert (wording.jurisdiction("DE"), wording.jurisdiction("ZZ")) == ("Germany", "ZZ")
    assert wording.mark_words("mem-L") == "from memory, low confidence"
    assert wording.prose("due on 2026-06-01, see 2026-13-01") == "due on 1 June 2026, see 2026-13-01"
    assert (wording.time_of("UTC"), wording.time_of("Asia/Ho_Chi_Minh")) == ("universal time", "Ho Chi Minh time")


HEAD: dict[str, Any] = {"id": "x", "article": "a", "mark": "mem-L", "kind": "INT", "says": "s"}


def test_the_particulars_of_a_rule_are_told() -> None:
    clock = Clock(**HEAD, what="erasure", working_days=15, calendar="CN", roll=True)
    assert (
        wording.particulars(clock) == "clock: erasure; 15 working days; moves on to the next working day; calendar: CN"
    )
    assert wording.figures(clock) == "15 working days"
    annual = Clock(**HEAD, what="annual-report", annual="12-15")
    assert "each year on 15 December" in wording.particulars(annual)
    rule = OnCategories(**HEAD, categories=("cabin-video", "track"), switch="ru_mirror")
    assert wording.particulars(rule) == "falls away with counsel's switch: ru mirror; categories: cabin video, track"
    assert wording.figures(rule) == ""
    scale = cn_pack().classes.important_scale
    assert scale is not None
    assert wording.figures(scale) == "more than 100,000"
    cap = Cap(**HEAD, categories=("track",), max="1y14d")
    assert wording.figures(cap) == "at most 1 year and 14 days"
    assert wording.figure_told("within_m", 1000.0) == "within 1,000 metres"
