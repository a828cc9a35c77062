"""A site in every jurisdiction that has a pack of rules, and the whole story of one in the EU."""

import json
import re

import pytest
from click.testing import CliRunner

from onshore.cli.drives import computed
from onshore.cli.init import make_site
from onshore.cli.main import cli
from onshore.gate.gb32960 import encode
from onshore.site import now_ms, open_site
from onshore.vault.age import new_identity, recipient_of
from onshore.words.errors import Refusal

VIN = "WVWTEST0700000017"
PLACES = ("CN", "EU", "DE", "FR", "IS", "GB", "US", "RU", "IN", "SA", "VN", "KR", "JP")
CHINESE = re.compile(r"PIPL|Automotive Data Provisions|Cross-Border Data Flows|China", re.IGNORECASE)


def run(folder, *args, code=0):
    done = CliRunner().invoke(cli, [*args, "--site", str(folder)])
    assert done.exit_code == code, (args, done.output, done.exception)
    return done


@pytest.mark.parametrize("place", PLACES)
def test_a_site_is_made_wherever_there_is_a_pack(tmp_path, place):
    folder = tmp_path / "site"
    run(folder, "init", "--jurisdiction", place, "--name", "here")
    site = open_site(folder)
    assert place in site.pack.home
    assert site.rulebook.pack == site.pack.id
    assert next(map(json.loads, site.ledger.entries()))["jurisdiction"] == place
    assert set(site.settings.notices["2026-11"].items) == set(site.pack.consent.notice_incomplete.items)
    if place != "CN":
        assert not CHINESE.search((folder / "site.toml").read_text())
    run(folder, "vehicle", "add", VIN, "--owner", "Anna", "--as", "operator")
    what = ("--purpose", "warranty-analysis", "--category", "vehicle-operation", "--notice", "2026-11", "--separate")
    run(folder, "consent", "give", VIN, *what)


def test_a_site_whose_law_changes_later_goes_over_to_it(tmp_path):
    now = [1_790_000_000_000]
    make_site(tmp_path / "site", "IN", "pune", clock=lambda: now[0])
    site = open_site(tmp_path / "site", clock=lambda: now[0])
    assert (site.pack.id, site.rulebook.pack) == ("in/2025-11", "in/2025-11")
    now[0] += 365 * 86_400_000
    assert (site.pack.id, site.rulebook.pack) == ("in/2027-05", "in/2027-05")


def test_where_there_is_no_pack_it_is_said_which_there_are(tmp_path):
    said = run(tmp_path / "site", "init", "--jurisdiction", "BR", "--name", "here", code=1).stderr
    assert "no rule pack for 'BR'" in said
    assert "CN, CY, CZ, DE" in said
    with pytest.raises(Refusal) as refused:
        make_site(tmp_path / "site", "EU", "here", clock=lambda: 0)
    assert refused.value.reason == "stale-rules"
    assert "eu/2018-05 from 25 May 2018" in refused.value.says
    assert not (tmp_path / "site").exists()


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    run(folder, "init", "--jurisdiction", "DE", "--name", "wolfsburg")
    with (folder / "site.toml").open("a") as file:
        for name, place in (("detroit", "US"), ("lyon", "FR"), ("tokyo", "JP")):
            file.write(f'\n[recipients.{name}]\njurisdiction = "{place}"\nkey = "{recipient_of(new_identity())}"\n')
    run(folder, "vehicle", "add", VIN, "--owner", "Anna", "--as", "operator")
    return folder


def ask(folder, to, code):
    what = ("--purpose", "warranty-analysis", "--category", "track", "--recipient", to)
    when = ("--from", "2020-01-01", "--until", "2100-01-01", "--as", "officer", "--dry-run", "--json")
    return json.loads(run(folder, "transfer", "ask", *what, *when, code=code).stdout)


@pytest.fixture
def clock(monkeypatch):
    """The clock that commands read, in our hands."""
    now = [now_ms()]
    kept = {**open_site.__kwdefaults__, "clock": lambda: now[0]}
    monkeypatch.setattr("onshore.site.open_site.__kwdefaults__", kept)
    return now


def test_the_story_of_a_site_in_the_eu(site, tmp_path, clock):
    assert "eu/2025-09, in force today" in run(site, "check").stdout
    what = ("--separate", "--purpose", "warranty-analysis", "--category", "track", "--notice", "2026-11")
    named = tuple(word for name in ("detroit", "lyon", "tokyo") for word in ("--recipient", name))
    receipt = json.loads(run(site, "consent", "give", VIN, *what, *named).stdout)
    assert receipt["receipt"]["category"] == "track"
    frames = [encode.realtime(VIN.encode(), clock[0] + 1000 + m.offset, m.units) for m in computed(1, 20)]
    clock[0] += 60_000
    (tmp_path / "drive.hex").write_text("\n".join(frame.hex() for frame in frames))
    drive = ("replay", str(tmp_path / "drive.hex"), "--vehicle", VIN, "--json")
    assert json.loads(run(site, *drive).stdout) == {"sent": 20, "acknowledged": 20, "refused": 0}
    held = json.loads(run(site, "rights", "access", VIN, "--as", "owner").stdout)["held"]
    assert [(place["category"], place["ground"]) for place in held] == [
        ("track", "consent")
    ]  # no statutory stream here

    told = {place: ask(site, place, code) for place, code in (("detroit", 1), ("lyon", 0), ("tokyo", 0))}
    assert {answer["persons"] for answer in told.values()} == {1}
    assert [told[place]["route"] for place in ("lyon", "tokyo")] == ["none", "adequacy"]
    articles = {reason["article"] for answer in told.values() for reason in answer["reasons"]}
    assert any(article.startswith("GDPR") for article in articles)
    assert not any(CHINESE.search(article) for article in articles)
    said = [
        run(site, "consent", "withdraw", VIN, "--purpose", "repair", code=1),
        run(site, "consent", "give", VIN, *what[:2], "statutory-monitoring", *what[3:], code=1),
        run(site, "consent", "give", VIN, *what[:-1], "1999-01", code=1),
    ]
    assert not any(CHINESE.search(done.stderr) for done in said)
    assert all("article: GDPR" in done.stderr for done in said)

    run(site, "consent", "withdraw", VIN)
    clock[0] += 60_000
    run(site, *drive)
    again = json.loads(run(site, "rights", "access", VIN, "--as", "owner").stdout)["held"]
    assert [place["rows"] for place in again] == [20]
    assert ask(site, "lyon", 0)["persons"] == 0
    run(site, "rights", "erase", VIN, "--as", "owner")
    assert json.loads(run(site, "rights", "access", VIN, "--as", "owner").stdout)["held"] == []
    run(site, "ledger", "fsck")


def test_a_keeper_runs_beside_the_people_of_a_site_in_the_eu(site):
    from onshore.cli.serve import Keeper

    here, said = open_site(site), []
    keeper = Keeper(here, said.append)
    with here.keeping():
        keeper.look()
    assert said == []
