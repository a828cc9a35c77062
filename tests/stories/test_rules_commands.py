"""The law for people: packs listed, checked, explained, compared, signed, obeyed."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from onshore.cli.main import cli
from onshore.site import open_site

DOC = Path(__file__).parents[2] / "docs" / "writing-a-pack.md"
NOTE = ("--act", "transfer", "--to", "DE", "--at", "2026-06-15T12:00:00+08:00")


def rules(*args, code=0):
    done = CliRunner().invoke(cli, ["rules", *map(str, args)])
    assert done.exit_code == code, (args, done.output, done.exception)
    return done


@pytest.fixture
def small(tmp_path):
    """The pack of the page on writing packs, as that page tells to lay it out."""
    pack, cases = re.findall(r"```toml\n(.*?)```", DOC.read_text("utf-8"), re.DOTALL)
    folder = tmp_path / "xa" / "2026-01"
    folder.mkdir(parents=True)
    (folder / "pack.toml").write_text(pack)
    (folder / "cases.toml").write_text(cases)
    return folder


def test_packs_are_listed_with_review_and_signature():
    lines = rules("list").stdout.splitlines()
    assert any(
        re.fullmatch(r"cn/2026-02 +CN +from 30 January 2026 on; not reviewed by counsel; signed by onshore/release", x)
        for x in lines
    )
    found = [json.loads(line) for line in rules("list", "--json").stdout.splitlines()]
    assert {"id", "jurisdiction", "valid_from", "valid_until", "reviewed_by", "signed_by"} == set(found[0])
    assert len(found) == len(lines)


def test_a_pack_is_shown_rule_by_rule(small):
    done = rules("show", "cn/2026-02")
    assert "PIPL Art. 28, 31 (binding law; seen in S01)" in done.stdout
    assert "not reviewed by counsel; signed by onshore/release" in done.stderr
    assert "not signed" in rules("show", small).stderr
    assert "to be verified" in rules("show", small).stdout
    shown = json.loads(rules("show", "xa/2026-01", "--packs", small.parent.parent, "--json").stdout)
    assert shown["pack"] == "xa/2026-01"
    assert {"path", "id", "article", "mark", "kind"} <= set(shown["rules"][0])
    assert "rules list" in rules("show", "xx/1", code=1).stderr


def test_every_case_that_a_pack_brings_along_passes():
    assert re.fullmatch(r"\d+ passed, 0 failed", rules("check").stdout.splitlines()[-1])


def test_the_page_on_writing_packs_holds_word_for_word(small):
    assert rules("check", "--pack", small).stdout.splitlines()[-1] == "3 passed, 0 failed"
    assert rules("check", small / "cases.toml", "--pack", small / "pack.toml").stdout == "3 passed, 0 failed\n"
    text = (small / "pack.toml").read_text()
    line = text[: text.index("[consent.bundled]")].count("\n") + 5
    bundled = re.search(r"\[consent\.bundled\].*?kind = \"LAW\"", text, re.DOTALL)
    assert bundled
    wrong = text.replace(bundled[0], bundled[0].replace('"LAW"', '"STATUTE"'))
    (small / "pack.toml").write_text(wrong)
    said = rules("check", "--pack", small, code=2).stderr
    assert f"pack.toml, line {line}: consent.bundled.kind: 'STATUTE' is not one of LAW, MGB, STD" in said
    told = re.search(r"not readable: \S+, line (\d+): (.*)", DOC.read_text("utf-8"))
    assert told
    assert said.strip().endswith(told[2])


def test_a_case_that_fails_is_told_with_the_rules_that_fired(small):
    book = small / "cases.toml"
    book.write_text(book.read_text().replace('"refuse", reason = "assessment-required"', '"allow"'))
    done = rules("check", book, "--pack", small, code=1)
    first, last = done.stdout.splitlines()
    assert first.startswith("XA-2: expected allow")
    assert "assessment-required (Data Act, s. 12)" in first
    assert last == "2 passed, 1 failed"
    found = [json.loads(x) for x in rules("check", book, "--pack", small, "--json", code=1).stdout.splitlines()]
    assert found[0]["fired"] == [["assessment-required", "Data Act, s. 12"]]
    assert found[-1] == {"passed": 2, "failed": 1}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('id = "XA-1"', 'id = "XA-1"\nodd = 1', "XA-1: Object contains unknown field `odd`; allowed: "),
        ('["vehicle-operation"]', '["vehicle"]', "XA-1: transfer: categories: 'vehicle' is not one of track"),
        ('reason = "exempt"', 'reason = "free"', "XA-1: expect: reason: 'free' is not one of"),
        ("format = 1", "format = 9", "format 9 is not known"),
        ("transfer = {", "transfers = {", "XA-1: Object contains unknown field `transfers`"),
    ],
)
def test_a_book_that_cannot_be_read_names_file_case_and_key(small, old, new, says):
    book = small / "cases.toml"
    book.write_text(book.read_text().replace(old, new, 1))
    said = rules("check", book, "--pack", small, code=2).stderr
    assert says in said
    assert str(book) in said


def test_a_book_that_is_not_there_or_no_text_is_unreadable(small):
    assert "cannot be read" in rules("check", small / "none.toml", code=2).stderr
    (small / "cases.toml").write_bytes(b"\xff\xfe")
    assert "UTF-8" in rules("check", small / "cases.toml", code=2).stderr


def test_an_act_is_explained_from_options_and_from_a_book(small):
    said = rules(
        "explain", *NOTE, "--purpose", "warranty-analysis", "--category", "track", "--persons", "1", "--recipient",
        "stuttgart", "--ground", "consent", "--paper", "impact-assessment", "--given", "exported.sensitive=9999",
        "--detail", "precision_m=5", "--detail", "by=file",
    ).stdout  # fmt: skip
    assert said.startswith("No: it is refused.\n")
    assert "to “stuttgart” in Germany, for warranty analysis" in said.replace("\n", " ")
    assert "  - a security assessment" in said
    case = rules("explain", "--case", small / "cases.toml", "XA-3", "--pack", small).stdout
    assert case.startswith("It is due on 25 June 2026.")
    told = json.loads(rules("explain", *NOTE, "--purpose", "p", "--category", "track", "--json").stdout)
    assert told["verdict"] == "refuse"
    assert told["packs"] == ["cn/2026-02"]
    assert {each["fired"] for each in told["asked"]} == {True, False}
    assert "a filed standard contract" in told["would_turn"]
    consent = ("--act", "consent", "--purpose", "p", "--purpose", "q", "--category", "track")
    assert rules("explain", *consent).stdout.startswith("No: the consent does not count.")
    assert "XA" in rules("explain", "--pack", small, "--jurisdiction", "XA", *NOTE, "--purpose", "p", "--category",
                         "track", "--at", "2026-06-15").stdout  # fmt: skip


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--purpose", "p", "--category", "trak"), "'trak' is not one of track"),
        (("--purpose", "p"), "missing required field `categories`"),
        (("--purpose", "p", "--purpose", "q", "--category", "track"), "--purpose: this act takes one purpose"),
        (("--purpose", "p", "--category", "track", "--detail", "odd=1"), "unknown field `odd`"),
        (("--purpose", "p", "--category", "track", "--at", "soon"), "'soon' is no date or time"),
    ],
)
def test_what_cannot_be_explained_says_why(more, says):
    assert says in rules("explain", *NOTE, *more, code=2).stderr


def test_a_case_that_is_not_in_the_book_is_named(small):
    assert "no case 'XA-9'" in rules("explain", "--case", small / "cases.toml", "XA-9", code=2).stderr


def test_what_changed_is_told_rule_by_rule(small):
    later = small.parent / "2027-01"
    later.mkdir()
    text = (small / "pack.toml").read_text().replace("xa/2026-01", "xa/2027-01")
    (later / "pack.toml").write_text(text.replace("ordinary_from = 500", "ordinary_from = 200"))
    said = rules("diff", small, later).stdout
    assert "0 added, 0 removed, 1 changed" in said
    assert "now: 200" in said
    (change,) = json.loads(rules("diff", small, later, "--json").stdout)
    assert change["fields"] == [["ordinary_from", 500, 200]]
    assert "changed" in rules("diff", "cn/2024-03", "cn/2026-02").stdout


def test_the_page_and_the_schema_are_printed(small):
    assert "# The law as data: XA" in rules("page", "XA", "--pack", small).stdout
    assert "- Criminal law." in rules("page", "XA", "--pack", small).stdout
    assert "no pack is known" in rules("page", "XB", code=1).stderr
    assert json.loads(rules("schema").stdout)["title"] == "Onshore rule pack, format 1"


def signed(folder, pack):
    key = folder / "anna.key"
    vkey = rules("key", key, "--name", "counsel.example/anna").stdout.strip()
    rules("sign", pack, "--key", key)
    return vkey


def test_a_key_is_made_once_and_signs(tmp_path, small):
    vkey = signed(tmp_path, small)
    assert vkey.startswith("counsel.example/anna+")
    assert (tmp_path / "anna.key").stat().st_mode & 0o077 == 0
    assert "never written over" in rules("key", tmp_path / "anna.key", "--name", "x", code=1).stderr
    assert "neither spaces" in rules("key", tmp_path / "b.key", "--name", "a b", code=2).stderr
    rules("sign", small / "pack.toml", "--key", tmp_path / "anna.key")
    assert "no signing key" in rules("sign", small, "--key", small / "pack.toml", code=2).stderr


class House:
    """A site whose site.toml we change."""

    def __init__(self, hands):
        self.hands, self.folder = hands, hands.site.folder
        self.toml = self.folder / "site.toml"

    def change(self, old, new):
        text = self.toml.read_text()
        assert old in text
        self.toml.write_text(text.replace(old, new, 1))

    def check(self, code=0):
        done = CliRunner().invoke(cli, ["check", "--site", str(self.folder)])
        assert done.exit_code == code, done.output
        return done.output

    def opinion(self):
        """Lay counsel's opinion where site.toml says."""
        (self.folder / "opinions").mkdir(exist_ok=True)
        (self.folder / "opinions" / "12.pdf").write_bytes(b"an opinion")

    def adopt(self, pack):
        """Lay a pack with its note into the site's own folder."""
        own = self.folder / "packs" / "cn" / "2030-01"
        own.mkdir(parents=True)
        (own / "pack.toml").write_text(pack)
        self.change('pack = "cn/2026-02"', 'pack = "cn/2030-01"')
        return own


@pytest.fixture
def house(hands):
    return House(hands)


def later_pack():
    from onshore.ledger.packs import shipped

    text = shipped("cn/2026-02").text.replace('id = "cn/2026-02"', 'id = "cn/2030-01"')
    return text.replace("sensitive_from = 10000\n", "sensitive_from = 1\n")


def test_a_site_obeys_a_pack_of_its_own_once_a_key_that_it_names_signed_it(house, tmp_path):
    own = house.adopt(later_pack())
    assert "unsigned" in house.check(code=1) or "nobody whose key" in house.check(code=1)
    vkey = signed(tmp_path, own)
    assert "nobody whose key stands in site.toml signed cn/2030-01" in house.check(code=1)
    house.change("signers = [", f'signers = ["{vkey}", ')
    assert "cn/2030-01" in house.check()
    (own / "pack.toml").write_text(later_pack() + "\n")
    assert "not what its note was signed for" in house.check(code=1)
    (own / "pack.toml").write_text(later_pack().replace("cn/2030-01", "cn/2031-01"))
    rules("sign", own, "--key", tmp_path / "anna.key")
    assert "says that it is cn/2031-01" in house.check(code=1)


def test_a_switch_is_turned_with_an_opinion_alone(house):
    with house.toml.open("a") as file:
        file.write('\n[rules.switches]\nstrict_art3_5 = "lenient"\n')
    line = house.toml.read_text().splitlines().index('strict_art3_5 = "lenient"') + 1
    said = house.check(code=1)
    assert f"line {line}: " in said
    assert "recorded opinion" in said
    with house.toml.open("a") as file:
        file.write('\n[rules.opinions.strict_art3_5]\nnumber = "2026/12"\nfile = "opinions/12.pdf"\n')
    assert "BAD  switch    strict_art3_5: opinion 2026/12 is missing" in house.check(code=1)
    assert open_site(house.folder).lenient == frozenset()
    house.opinion()
    assert "good switch    strict_art3_5: lenient since 20" in house.check()
    assert open_site(house.folder).lenient == {"strict_art3_5"}
    house.change("strict_art3_5 =", "strict_art9_9 =")
    assert "has no such switch" in house.check(code=1)
    house.change('strict_art9_9 = "lenient"', 'strict_art3_5 = "often"')
    assert f"line {line}: " in house.check(code=1)


def test_a_lenient_reading_reaches_the_border(house):
    from onshore.border import requests
    from onshore.words.permit import Transfer

    with house.toml.open("a") as file:
        file.write('\n[rules.switches]\nstrict_art3_5 = "lenient"\n')
        file.write('[rules.opinions.strict_art3_5]\nnumber = "12"\nfile = "opinions/12.pdf"\n')
    house.opinion()
    site = open_site(house.folder, clock=lambda: house.hands.now)
    request = Transfer("a1", "warranty-analysis", ("vehicle-operation",), "stuttgart", 0, house.hands.now)
    requests.ask(site, request)
    ((_, _, facts),) = requests.judged_since(site, 0)
    assert not facts.strict_art3_5
    assert "counsel-opinion-art3-5" in facts.papers


def test_an_act_is_explained_as_if_counsel_had_turned_a_switch():
    act = (*NOTE, "--purpose", "warranty-analysis", "--category", "vehicle-operation", "--persons", "1")
    many = (*act, "--detail", "subjects_in_dataset=100001", "--ground", "consent", "--json")
    strict = json.loads(rules("explain", *many).stdout)
    lenient = json.loads(rules("explain", *many, "--switch", "strict_art3_5").stdout)
    assert (strict["route"], lenient["route"]) == ("assessment", "exempt")
    said = rules("explain", *many, "--switch", "strict_art9_9", code=2).stderr
    assert "--switch: no switch 'strict_art9_9' there; it has: strict_art3_5" in said
    assert "it has: none" in rules("explain", *many, "--jurisdiction", "BR", "--switch", "x", code=2).stderr
