"""Packs: the one that ships is sound, and one that is not is refused with the key named."""

import re

import pytest

from law import CN_PACK, cn_pack
from onshore.rules.pack import parse, rules
from onshore.words.errors import Malformed

TEXT = CN_PACK.read_text("utf-8")


def test_the_pack_that_ships() -> None:
    pack = cn_pack()
    assert (pack.id, pack.jurisdiction, pack.zone, pack.reviewed_by) == ("cn/2026-02", "CN", "Asia/Shanghai", "")
    assert CN_PACK.parent.name == pack.id.split("/")[1]
    found = dict(rules(pack))
    assert len(found) == TEXT.count("\nid = ") - 1
    assert all(rule.article and rule.says for rule in found.values())
    assert "collect.must-mask" in found
    assert "transfer.route[2]" in found


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("format = 1", "format = 2", "format 2 is not known; allowed: 1"),
        ("format = 1", "format = [", "not TOML"),
        ("format = 1", "format = 1\nfoo = 2", "unknown field `foo`; allowed: classes, clock"),
        ('zone = "Asia/Shanghai"', 'zone = "Asia/Atlantis"', "zone: 'Asia/Atlantis' is no IANA time zone"),
        ('zone = "Asia/Shanghai"', 'zone = "/etc"', "zone: '/etc' is no IANA time zone"),
        ("valid_from = 2026-01-30", 'valid_from = "soon"', "valid_from: a date is needed, not a text in quotes"),
        ("under_years = 14", 'under_years = "14"', "consent.guardian-needed.under_years: a whole number is needed"),
        ("under_years = 14", "years = 14", "consent.guardian-needed: .*`years`; allowed: article, binds_recipient, id"),
        ('kind = "INT"', 'kind = "GUESS"', "kind: 'GUESS' is not one of LAW, MGB"),
        ('mark = "mem-H"', 'mark = "mem"', "mark: 'mem' is neither like"),
        ('mark = "seen: S12"', 'mark = "seen: S99"', "collect.default-off.mark: no source S99"),
        ('id = "bundled"', 'id = "default-off"', "id 'default-off' is given to two rules"),
        ('id = "bundled"', 'id = " "', "id: may not be empty"),
        ('categories = ["biometric"]', 'categories = ["bio"]', "'bio' is not one of track"),
        ('grounds = ["consent"]', 'grounds = ["whim"]', "grounds: 'whim' is not one of consent"),
        ('papers = ["authority-approval"]', 'papers = ["nod"]', "papers: 'nod' is not one of standard-contract"),
        ('statuses = ["blocked"]', 'statuses = ["bad"]', "statuses: 'bad' is not one of none"),
        ('items = ["types"', 'items = ["typos"', "items: 'typos' is not one of types"),
        ('unless_papers = ["counsel', 'unless_papers = ["no-counsel', "unless_papers: 'no-counsel"),
        ('ground = "contract"', 'ground = "whim"', "ground: 'whim' is not one of consent"),
        ('ground = "contract"', "", "an exemption names a ground or papers"),
        ('code = "assessment-required"', "", "a route that asks for papers names a reason code"),
        ('papers = ["standard-contract", "certificate"]', "", "a route that asks for papers names a reason code"),
        ('id = "bundled"', 'id = "bundled"\nswitch = "x"', "no switch 'x'"),
        ('id = "bundled"', 'id = "bundled"\nswitch = "tc260_retention"', "every pack needs this rule"),
        ("\nremedy", "\ncure", "unknown field `cure`"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, says: str) -> None:
    assert old in TEXT
    with pytest.raises(Malformed, match=says) as caught:
        parse(TEXT.replace(old, new, 1), "cn/2026-02")
    assert caught.value.where.startswith("cn/2026-02")


def test_the_lightest_route_asks_for_no_papers() -> None:
    lightest = re.compile(r"\[\[transfer.route\]\]\nid = \"exempt\".*?\n\n", re.DOTALL)
    with pytest.raises(Malformed, match="the first route is the one that asks for no papers"):
        parse(lightest.sub("", TEXT))
    without = re.compile(r"\[\[transfer.route\]\].*?\n\n", re.DOTALL).sub("", TEXT).replace("[transfer]", "")
    with pytest.raises(Malformed, match="either routes or mechanisms are needed, and not both"):
        parse(without)


def test_rules_alone_hold_the_figures() -> None:
    numbers = re.compile(r"(?<![\w.])(?:14|180|100_?000|1_?000_?000|10_?000)(?![\w.])")
    sources = list(CN_PACK.parents[3].glob("*.py"))
    assert sources
    assert [path.name for path in sources if numbers.search(path.read_text("utf-8"))] == []
