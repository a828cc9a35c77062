"""A site that runs on: rules that begin, packs that end, the law of other places, readings that counsel turns."""

import json
import re
from datetime import date

import pytest

from onshore.border.dryrun import dry_run
from onshore.cli import serve
from onshore.cli.check import check
from onshore.ledger import packs
from onshore.ledger.packs import PackFile, shipped
from onshore.ledger.signer import Signer
from onshore.rules.local import local_midnight
from onshore.site import open_site
from onshore.vault.papers import reading
from onshore.vault.switched import noted
from onshore.words.errors import Broken, Refusal
from onshore.words.permit import Transfer

ANNA = Signer("counsel.example/anna", b"a" * 32)
DAY = 86_400_000


def begins(year, month, day):
    return local_midnight(date(year, month, day), "Asia/Shanghai")


class House:
    """A site whose packs and settings we change, and open again."""

    def __init__(self, hands):
        self.hands, self.folder = hands, hands.site.folder
        self.toml = self.folder / "site.toml"
        self.change("signers = [", f'signers = ["{ANNA.vkey}", ')

    def change(self, old, new):
        text = self.toml.read_text()
        assert old in text
        self.toml.write_text(text.replace(old, new, 1))

    def own(self, name, of, *changes, sign=True):
        """A pack of the site's own, made of a shipped one; signed by counsel unless told otherwise."""
        text = re.sub(r'^id = ".*"$', f'id = "{name}"', shipped(of).text, count=1, flags=re.MULTILINE)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        folder = self.folder / "packs" / name
        folder.mkdir(parents=True)
        (folder / "pack.toml").write_text(text)
        if sign:
            (folder / "pack.note").write_text(packs.signed(PackFile(text, None, None, name), ANNA))

    def open(self):
        self.hands.site = open_site(self.folder, clock=lambda: self.hands.now)
        return self.hands.site

    def switch(self, number="2026/12", text=b"an opinion"):
        """Counsel's opinion on Art. 3(5), and the switch that it turns."""
        (self.folder / "opinions").mkdir(exist_ok=True)
        (self.folder / "opinions" / "12.pdf").write_bytes(text)
        if "\n[rules.switches]" not in self.toml.read_text():
            with self.toml.open("a") as file:
                file.write('\n[rules.switches]\nstrict_art3_5 = "lenient"\n[rules.opinions.strict_art3_5]\n')
                file.write(f'number = "{number}"\nfile = "opinions/12.pdf"\n')


@pytest.fixture
def house(hands):
    return House(hands)


def cells(drained):
    return {(g, r) for d in drained for t in d.tallies.values() for _, g, r, _ in t.as_rows()}


def ask(site, to="stuttgart", produced_in=""):
    request = Transfer("a1", "warranty-analysis", ("track",), to, 0, site.clock() + DAY, produced_in=produced_in)
    return dry_run(site, request).verdict


def test_a_rule_that_begins_on_a_day_is_obeyed_from_that_day_on_without_a_restart(house):
    since = ('id = "not-separate"\n', 'id = "not-separate"\nsince = 2026-10-01\n')
    house.own("cn/2026-03", "cn/2026-02", since)
    house.change('pack = "cn/2026-02"', 'pack = "cn/2026-03"')
    hands, site = house.hands, house.open()
    hands.now = begins(2026, 10, 1) - 60_000
    hands.allow(1, separate=False)
    assert ("consent", "consented") in cells(hands.drive(1, seconds=5))
    assert site.today() == date(2026, 9, 30)
    hands.now = begins(2026, 10, 1)
    later = cells(hands.drive(1, seconds=5))
    assert ("consent", "not-separate") in later
    assert site.today() == date(2026, 10, 1)
    with pytest.raises(Refusal) as refused:
        hands.allow(2, separate=False)
    assert refused.value.reason == "not-separate"


def test_after_the_last_day_of_its_pack_a_site_keeps_and_sends_nothing(house):
    ends = ("valid_from = 2026-01-30\n", "valid_from = 2026-01-30\nvalid_until = 2026-09-30\n")
    house.own("cn/2026-03", "cn/2026-02", ends)
    house.change('pack = "cn/2026-02"', 'pack = "cn/2026-03"')
    hands, site = house.hands, house.open()
    hands.allow(1)
    hands.now = begins(2026, 10, 1) - 60_000
    assert ("consent", "consented") in cells(hands.drive(1, seconds=5))
    hands.now = begins(2026, 10, 1)
    with pytest.raises(Refusal) as refused:
        hands.drive(1, seconds=5)
    assert (refused.value.reason, "later" in refused.value.remedy) == ("stale-rules", True)
    with pytest.raises(Refusal) as refused:
        ask(site)
    assert refused.value.reason == "stale-rules"
    with pytest.raises(Refusal) as refused:
        hands.allow(2)
    assert refused.value.reason == "stale-rules"
    said = []
    keeper = serve.Keeper(site, said.append)
    with site.keeping():
        keeper.look()
        keeper.look()
    told = (
        "keep (rules): cn/2026-03 is not in force on 2026-10-01; nothing is kept by it and nothing leaves; "
        "tried again until it works"
    )
    assert said == [told]


def test_a_site_goes_over_to_the_pack_that_follows_on_its_first_day(house, monkeypatch):
    ends = ("valid_from = 2026-01-30\n", "valid_from = 2026-01-30\nvalid_until = 2026-09-30\n")
    house.own("cn/2026-03", "cn/2026-02", ends)
    house.own("cn/2026-10", "cn/2026-02", ("valid_from = 2026-01-30\n", "valid_from = 2026-10-01\n"))
    house.change('pack = "cn/2026-02"', 'pack = "cn/2026-03"\nlater = ["cn/2026-10"]')
    hands, site = house.hands, house.open()
    hands.allow(1)
    hands.now = begins(2026, 10, 1) - 60_000
    first = hands.drive(1, seconds=5)
    hands.now = begins(2026, 10, 1)
    second = hands.drive(1, seconds=5)
    assert [pack for d in first + second for pack in d.tallies] == ["cn/2026-03", "cn/2026-10"]
    assert site.pack.id == "cn/2026-10"
    site.settle()
    entries = [json.loads(e) for e in site.ledger.entries()]
    digests = {e["pack"]: e["packdigest"] for e in entries if e["t"] == "ingest"}
    assert len(set(digests.values())) == 2


def test_check_says_beforehand_what_follows_a_pack(house, monkeypatch):
    ends = ("valid_from = 2026-01-30\n", "valid_from = 2026-01-30\nvalid_until = 2026-09-30\n")
    house.own("cn/2026-03", "cn/2026-02", ends)
    house.own("cn/2026-10", "cn/2026-02", ("valid_from = 2026-01-30\n", "valid_from = 2026-10-01\n"))
    house.change('pack = "cn/2026-02"', 'pack = "cn/2026-03"')
    assert "until 2026-09-30, then nothing is kept: name what follows" in looked(house, monkeypatch)["rules"][1]
    house.change('pack = "cn/2026-03"', 'pack = "cn/2026-03"\nlater = ["cn/2026-10"]')
    assert "in force today, until 2026-09-30, then cn/2026-10" in looked(house, monkeypatch)["rules"][1]
    house.hands.now = begins(2025, 1, 1)
    assert looked(house, monkeypatch)["rules"][0] is False


def looked(house, monkeypatch):
    """The lines of `onshore check` by what they are about, with the clock in our hands."""
    from click.testing import CliRunner

    clock = {**open_site.__kwdefaults__, "clock": lambda: house.hands.now}
    with monkeypatch.context() as patch:
        patch.setattr("onshore.site.open_site.__kwdefaults__", clock)
        done = CliRunner().invoke(check, ["--site", str(house.folder), "--json"])
    return {line["what"]: (line["good"], line["says"]) for line in json.loads(done.stdout)}


def test_what_was_made_elsewhere_is_judged_by_that_law_too(house):
    house.change('\njurisdiction = "DE"', '\njurisdiction = "BR"')
    site = house.open()
    here = ask(site)
    both = ask(site, produced_in="DE")
    assert {r.code for r in here.reasons} <= {r.code for r in both.reasons}
    assert any(r.article.startswith("GDPR") for r in both.reasons)
    assert not any(r.article.startswith("GDPR") for r in here.reasons)
    foreign = ask(site, produced_in="AR")  # it lies among what was made here, so nothing is lifted for it
    assert foreign.codes() == here.codes()
    with pytest.raises(Exception, match="no code of a jurisdiction"):
        ask(site, produced_in="Germany")


BINDS = (
    'statuses = ["blocked"]\n',
    'statuses = ["blocked"]\nto = ["DE"]\nbinds_recipient = true\n',
)


@pytest.mark.parametrize(
    ("name", "sign", "more", "asked"),
    [
        ("eu/2026-08", True, (), True),
        ("eu/2026-08", False, (), False),
        ("eu/2026-08-draft", True, (), False),
        ("eu/2027-01", True, (("valid_from = 2025-09-12\n", "valid_from = 2027-01-01\n"),), False),
    ],
)
def test_a_recipients_law_is_asked_for_what_binds_it_unless_draft_unsigned_or_not_begun(house, name, sign, more, asked):
    later = more or (("valid_from = 2025-09-12\n", "valid_from = 2026-08-01\n"),)
    house.own(name, "eu/2025-09", BINDS, *later, sign=sign)
    verdict = ask(house.open())
    assert ("recipient-blocked" in verdict.codes()) == asked


def test_a_pack_of_another_place_whose_note_does_not_hold_stops_what_it_concerns_alone(house):
    house.own("eu/2026-08", "eu/2025-09", ("valid_from = 2025-09-12\n", "valid_from = 2026-08-01\n"))
    path = house.folder / "packs" / "eu" / "2026-08" / "pack.toml"
    path.write_text(path.read_text() + "\n")
    house.change('\njurisdiction = "DE"', '\njurisdiction = "JP"')
    site = house.open()
    assert ask(site).verdict == "refuse"
    with pytest.raises(Broken, match="not what its note was signed for"):
        ask(site, produced_in="DE")
    with pytest.raises(Broken, match="not what its note was signed for"):
        site.law.others  # noqa: B018 (it is read to see that it refuses)


def test_a_turned_switch_is_told_to_the_ledger_once_for_each_change(house):
    def told():
        house.hands.now += 1000
        site = house.open()
        house.open()
        site.settle()
        return [e for e in map(json.loads, site.ledger.entries()) if e["t"] == "switch"]

    assert told() == []
    house.switch()
    (first,) = told()
    assert (first["name"], first["state"], first["opinion"]) == ("strict_art3_5", "lenient", "2026/12")
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", first["obj"])
    since = house.hands.now
    assert told() == [first]
    with reading(house.hands.site.engine) as conn:
        assert noted(conn)["strict_art3_5"]["since"] == since
    house.switch(text=b"another opinion")
    assert [e["obj"] != first["obj"] for e in told()[1:]] == [True]
    (house.folder / "opinions" / "12.pdf").unlink()
    assert [e["state"] for e in told()] == ["lenient", "lenient", "strict"]
    assert house.hands.site.lenient == frozenset()
    house.switch()
    house.change('strict_art3_5 = "lenient"', 'strict_art3_5 = "strict"')
    assert [e["state"] for e in told()] == ["lenient", "lenient", "strict"]
    list(house.hands.site.ledger.fsck())


def test_a_switch_that_only_the_following_pack_knows_waits_for_it(house):
    ends = ("valid_from = 2026-01-30\n", "valid_from = 2026-01-30\nvalid_until = 2026-09-30\n")
    house.own("cn/2026-03", "cn/2026-02", ends, ('name = "strict_art3_5"', 'name = "other_reading"'))
    text = shipped("cn/2026-02").text
    scale = re.search(r"^unless_papers = .*\n", text[text.index("[classes.important_scale]") :], re.MULTILINE)
    assert scale
    path = house.folder / "packs" / "cn" / "2026-03"
    bare = (path / "pack.toml").read_text().replace(scale[0], "", 1)
    (path / "pack.toml").write_text(bare)
    (path / "pack.note").write_text(packs.signed(PackFile(bare, None, None, "cn/2026-03"), ANNA))
    house.own("cn/2026-10", "cn/2026-02", ("valid_from = 2026-01-30\n", "valid_from = 2026-10-01\n"))
    house.change('pack = "cn/2026-02"', 'pack = "cn/2026-03"\nlater = ["cn/2026-10"]')
    house.switch()
    site = house.open()
    assert site.lenient == frozenset()
    house.hands.now = begins(2026, 10, 1)
    assert site.lenient == {"strict_art3_5"}
