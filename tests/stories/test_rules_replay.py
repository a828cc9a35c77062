"""What another pack would do to a site, from the site's own days: kept, stored, sent, clocks, readings, later rules."""

import json
import re

import pytest
from click.testing import CliRunner

from onshore.border import grants, requests
from onshore.border.transfer import ship
from onshore.cli.init import regulator_key
from onshore.cli.main import cli
from onshore.ledger.packs import shipped, shipped_names
from onshore.ledger.signer import Signer
from onshore.register import consents
from onshore.rights.cases import opened
from onshore.rights.erase import erase
from onshore.site import open_site
from onshore.vault.papers import transfers, writing
from onshore.words.permit import Transfer

DAY = 86_400_000
PAPERS = ("impact-assessment", "standard-contract", "export-notice", "separate-consent")


def draft(folder, text=None):
    """A pack in a file, made from the one in force."""
    file = folder / "pack.toml"
    text = shipped("cn/2026-02").text if text is None else text
    file.write_text(text.replace('id = "cn/2026-02"', 'id = "cn/2030-01-draft"'))
    return file


def changed(old, new, name="cn/2026-02"):
    text = shipped(name).text
    assert old in text
    return text.replace(old, new)


def asked(hands, name="a1", **change):
    wish = {"categories": ("track",), "recipient": "stuttgart", "start": 0, "until": hands.now} | change
    request = Transfer(name, "warranty-analysis", **wish)
    requests.ask(hands.site, request)
    return request


def filed(hands, request, *kinds, until=None):
    for kind in kinds:
        standing = requests.file_paper(hands.site, request, kind, number="1", by="officer", until=until, sha256=None)
    return standing


def approved(hands):
    """A request that the pack in force lets leave, and two officers too."""
    hands.allow(1)
    hands.drive(1, 2)
    request = asked(hands)
    assert filed(hands, request, *PAPERS).verdict.verdict == "allow"
    hands.approve(request.id)
    return request


def sent(hands):
    """A parcel that left under a permit."""
    request, today = approved(hands), hands.site.today()
    signer = Signer("shanghai/regulator", regulator_key(hands.site.folder).read_bytes())
    permit = grants.draft(
        hands.site, request, persons=2, start=today, until=today, by="regulator", route="contract-or-certificate"
    )
    grants.grant(hands.site, permit, signer)
    return ship(hands.site, request.id)


def run(hands, pack, *more, width=120):
    clock = {**open_site.__kwdefaults__, "clock": lambda: hands.now}
    hands.site.settle()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("onshore.site.open_site.__kwdefaults__", clock)
        patch.setenv("COLUMNS", str(width))
        done = CliRunner().invoke(cli, ["rules", "replay", str(pack), "--site", str(hands.site.folder), *more])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def rows(hands, pack, part, *more):
    found = json.loads(run(hands, pack, "--json", *more))["rows"]
    return [row for row in found if row["part"] == part]


def about(found, words):
    (one,) = [row for row in found if row["what"].startswith(words)]
    return one


def toml(hands, old, new):
    file = hands.site.folder / "site.toml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))


def lenient(hands):
    """Counsel's opinion number 12 on Art. 3(5), recorded."""
    (hands.site.folder / "opinion.txt").write_text("The later provisions prevail.")
    with (hands.site.folder / "site.toml").open("a") as file:
        file.write('\n[rules.switches]\nstrict_art3_5 = "lenient"\n')
        file.write('[rules.opinions.strict_art3_5]\nnumber = "12"\nfile = "opinion.txt"\n')
    hands.site = open_site(hands.site.folder, clock=lambda: hands.now)


def test_what_the_law_has_kept_is_withheld_where_it_is_no_ground(hands, tmp_path):
    approved(hands)
    text = shipped("cn/2026-02").text
    gone = text[text.index("[grounds.statutory]") : text.index("[grounds.contract]")]
    kept = rows(hands, draft(tmp_path, text.replace(gone, "")), "kept")
    by_law, consented = about(kept, "tracks (positions over time, destinations), on a statutory duty"), kept[1]
    assert re.fullmatch(r"\d+ cells kept", by_law["here"])
    assert (by_law["there"], by_law["changed"]) == ("withheld", True)
    assert by_law["why"]
    assert (consented["there"], consented["changed"]) == ("kept", False)


def test_what_the_law_has_kept_is_withheld_where_the_cars_messages_are_not_named(hands, tmp_path):
    approved(hands)
    units = 'gb32960 = ["login", "01", "02", "03", "04", "05", "06", "07", "08", "09"]'
    text = shipped("cn/2026-02").text
    assert units in text
    other = rows(hands, draft(tmp_path, text.replace(units, 'other = ["login"]')), "kept")
    track = about(other, "tracks (positions over time, destinations), on a statutory duty")
    assert track["there"] == "withheld"
    assert "none would be kept by law there" in track["why"][0]
    assert "PIPL Art. 13(3)" in track["why"][1]
    fewer = rows(hands, draft(tmp_path, text.replace(units, 'gb32960 = ["login", "02", "05"]')), "kept")
    assert about(fewer, "tracks (positions over time, destinations), on a statutory duty")["there"] == "kept"
    assert about(fewer, "operating data of a known car, on a statutory duty")["there"] == "withheld in part"


def test_a_request_is_judged_again_on_its_own_facts(hands):
    sent(hands)
    (export,) = rows(hands, "cn/2021-05-draft", "export")
    assert export["what"].startswith("request a1: tracks (positions over time, destinations) to Germany, for warranty")
    assert export["here"] == "allowed; 1 parcel left with data of 1 person"
    assert (export["there"], export["changed"]) == ("refused", True)
    (why,) = export["why"]
    assert why.startswith(
        "Personal information and important data leave after the regulator's security assessment alone."
    )
    assert why.endswith(" (Draft Automotive Data Provisions (2021-05-12), Art. 12)")
    assert about(rows(hands, "eu/2025-09", "export"), "request")["there"] == "no export: it is inside there"


def test_a_parcel_that_left_in_these_days_counts_however_old_its_request(hands):
    request = approved(hands)
    hands.now += 40 * DAY
    assert rows(hands, "cn/2026-02", "export") == []
    today = hands.site.today()
    signer = Signer("shanghai/regulator", regulator_key(hands.site.folder).read_bytes())
    permit = grants.draft(
        hands.site, request, persons=2, start=today, until=today, by="regulator", route="contract-or-certificate"
    )
    grants.grant(hands.site, permit, signer)
    ship(hands.site, request.id)
    assert "1 parcel left" in rows(hands, "cn/2026-02", "export")[0]["here"]


def test_a_request_without_its_facts_is_not_judged(hands):
    request = approved(hands)
    with writing(hands.site.engine) as conn:
        conn.execute(transfers.update().where(transfers.c.id == request.id).values(judged=None))
    (export,) = rows(hands, "cn/2021-05-draft", "export")
    assert (export["there"], export["changed"], export["evidence"]) == ("not judged", False, False)
    assert "no evidence kept" in export["why"][0]


def test_consents_that_would_not_count_are_counted(hands, tmp_path):
    hands.allow(1)
    hands.allow(2)
    consents.withdraw(hands.site, hands.car(2))
    hands.drive(1)
    pack = draft(tmp_path)
    listed = re.search(r"\[notices\.2026-11\]\nitems = \[.*\]", (hands.site.folder / "site.toml").read_text())[0]
    toml(hands, listed, '[notices.2026-11]\nitems = ["types"]')
    track = about(rows(hands, pack, "kept"), "tracks (positions over time, destinations), on consent")
    assert (track["there"], track["changed"]) == ("withheld: 2 of 2 consents would not count", True)
    toml(hands, '[notices.2026-11]\nitems = ["types"]', listed)
    track = about(rows(hands, pack, "kept"), "tracks (positions over time, destinations), on consent")
    assert track["there"] == "kept"


def test_cells_whose_consents_were_over_before_these_days_are_not_judged(hands):
    hands.allow(1)
    hands.drive(1)
    consents.withdraw(hands.site, hands.car(1))
    hands.now += DAY
    found = rows(hands, "cn/2026-02", "kept", "--days", "1")
    track = about(found, "tracks (positions over time, destinations), on consent") if found else None
    assert track is None or (track["there"], track["evidence"]) == ("not judged", False)


def test_under_its_own_pack_nothing_is_harder_even_what_is_late(hands):
    approved(hands)
    erase(hands.site, hands.car(2), "anna")
    opened(hands.site, hands.car(1), "erase", "anna")
    hands.now += 25 * DAY
    assert "0 of " in run(hands, "cn/2026-02")
    done, still = [row for row in rows(hands, "cn/2026-02", "clock") if row["what"].startswith("an erasure")]
    assert "missed" not in done["here"] + done["there"]
    assert still["what"].endswith("still open")
    assert still["here"] == still["there"]
    assert still["there"].endswith(", missed")
    assert any("ten working days" in why for why in still["why"])


def test_an_open_case_is_told_however_long_ago_it_began(hands):
    opened(hands.site, hands.car(1), "erase", "anna")
    hands.now += 90 * DAY
    told = run(hands, "cn/2026-02", "--days", "1")
    assert "What was kept in these days: nothing" in told
    assert "Requests to send something abroad: nothing" in told
    assert "still open" in told


def test_what_was_done_in_time_here_may_be_late_there(hands, tmp_path):
    erasure = opened(hands.site, hands.car(1), "erase", "anna")
    hands.now += 3 * DAY
    erase(hands.site, hands.car(1), "anna")
    ten = 'what = "erasure"\nworking_days = 10\ncalendar = "CN"'
    (row,) = [
        r
        for r in rows(hands, draft(tmp_path, changed(ten, 'what = "erasure"\ndays = 1')), "clock")
        if r["what"].startswith("an erasure")
    ]
    assert erasure.kind == "erase"
    assert (row["changed"], row["evidence"]) == (True, True)
    assert row["there"].endswith(", missed")
    assert "missed" not in row["here"]


def test_clocks_without_evidence_say_so(hands):
    approved(hands)
    told = rows(hands, "vn/2026-01", "clock")
    contract = about(told, "the filing of the standard contract: a filed standard contract came on the file of request")
    assert (contract["here"], contract["there"]) == ("10 working days", "no such clock")
    assert contract["why"] == ["no evidence kept: the day on which it took effect, and the day of its filing"]
    incident = about(told, "the report of an incident")
    assert (incident["here"], incident["there"]) == ("4 hours; 1 hour for a critical operator", "72 hours")
    assert incident["why"][0] == "no evidence kept: incidents are not recorded here"
    assert any("Decree 356/2025" in why for why in incident["why"])
    officer = about(told, "the filing of the officer's appointment")
    assert {row["evidence"] for row in (contract, incident, officer)} == {False}
    renewal = about(told, "the renewal of the security assessment")
    assert renewal["here"] == "60 working days before the end of 3 years"
    assert renewal["why"] == ["what starts it, a security assessment, is not on file: nothing could be missed"]
    assert about(told, "the dossier of the transfer")["why"][0].startswith("nothing that starts it is on record")


def test_a_paper_on_file_is_told_with_its_last_day(hands):
    request = approved(hands)
    filed(hands, request, "assessment", until="2028-02-29")
    told = rows(hands, "cn/2026-02", "clock")
    assert about(told, "the renewal of the security assessment: a security")["what"].endswith(
        "which names 29 February 2028 as its last day"
    )


def test_the_dossier_runs_from_the_first_parcel(hands):
    sent(hands)
    dossier = about(rows(hands, "vn/2026-01", "clock"), "the dossier of the transfer: the first parcel left on")
    assert dossier["here"] == "no such clock"
    assert re.fullmatch(r"due \d+ November 2026", dossier["there"])
    assert dossier["why"][0] == "no evidence kept: whether it was sent is not recorded here"


def test_the_annual_report_fell_due_in_these_days_or_will(hands):
    first = about(rows(hands, "us/2026-01", "clock"), "the annual report")
    assert (first["here"], first["there"]) == ("due 15 December 2026", "due 1 March 2027")
    assert not first["evidence"]
    assert any("28 CFR 202.1103" in why for why in first["why"])
    hands.now += 100 * DAY
    later = about(rows(hands, "us/2026-01", "clock"), "the annual report")
    assert (later["here"], later["there"]) == ("fell due 15 December 2026", "due 1 March 2027")


def test_where_the_calendar_ends_the_safe_day_is_told(hands):
    hands.now += 15 * 365 * DAY
    opened(hands.site, hands.car(1), "erase", "anna")
    erasure = about(rows(hands, "cn/2026-02", "clock"), "an erasure")
    assert erasure["here"].endswith("to be safe: the calendar of working days ends before")


def test_hours_are_told_to_the_minute(hands, tmp_path):
    opened(hands.site, hands.car(1), "erase", "anna")
    ten = 'what = "erasure"\nworking_days = 10\ncalendar = "CN"'
    found = rows(hands, draft(tmp_path, changed(ten, 'what = "erasure"\nhours = 4')), "clock")
    assert re.fullmatch(r"due \d+ September 2026 at \d\d:\d\d", about(found, "an erasure")["there"])


def test_a_refusal_that_is_itself_reported_starts_a_clock(hands, tmp_path):
    toml(hands, '\njurisdiction = "DE"', '\njurisdiction = "RU"')
    hands.site = open_site(hands.site.folder, clock=lambda: hands.now)
    hands.allow(1)
    hands.drive(1)
    asked(hands)
    text = changed('count = "devices"\nfrom = 1001\nwithin_m = 1000', 'count = "persons"\nfrom = 1', "us/2026-01")
    report = about(rows(hands, draft(tmp_path, text), "clock"), "the report of a rejected offer: request a1, judged on")
    assert report["here"] == "nothing to report"
    assert re.fullmatch(r"due \d October 2026", report["there"])
    assert report["why"][0] == "no evidence kept: whether it was sent is not recorded here"
    assert about(rows(hands, "us/2026-01", "clock"), "the report of a rejected offer")["evidence"]


def test_readings_that_counsel_turned_are_told_for_both_sides(hands):
    lenient(hands)
    turned = about(rows(hands, "cn/2024-03", "reading"), "Whether personal information of more than 100,000 persons")
    assert (turned["here"], turned["there"]) == ("lenient, by counsel's opinion 12",) * 2
    assert "Art. 3(5)" in turned["why"][0]
    older = rows(hands, "cn/2021-10", "reading")
    assert about(older, "Whether personal information of more")["there"] == "no such question"
    assert {(row["what"], row["there"]) for row in older[1:]} == {
        ("6 questions that nobody turned", "strict"),
        ("2 questions that nobody turned", "no such question"),
    }
    asks = rows(hands, "us/2026-01", "reading")
    assert about(asks, "Whether the guard stops")["here"] == "no such question"


def test_an_opinion_counts_on_the_other_side_too(hands, tmp_path):
    lenient(hands)
    approved(hands)
    low = draft(tmp_path, changed("more_than = 100000", "more_than = 0"))
    assert rows(hands, low, "export")[0]["there"] == "allowed"


def test_rules_that_begin_later_are_told_with_their_day_and_judged_as_if_they_held(hands, tmp_path):
    hands.allow(1)
    hands.drive(1)
    line = "[transfer.impact-assessment-missing]\n"
    asked(hands)
    pack = draft(tmp_path, changed(line, f"{line}since = 2099-01-01\n"))
    (later,) = rows(hands, pack, "later")
    assert "(PIPL Art. 55)" in later["what"]
    assert later["there"] == "begins on 1 January 2099, not begun yet: judged here as if it held on every day"
    (export,) = rows(hands, pack, "export")
    assert any(why.endswith("(PIPL Art. 55) It begins on 1 January 2099.") for why in export["why"])
    day = hands.site.today().isoformat()
    (later,) = rows(hands, draft(tmp_path, changed(line, f"{line}since = {day}\n")), "later")
    assert later["there"].startswith("begins on 21 September 2026, begun since")


@pytest.mark.parametrize(("width", "packs"), [(80, shipped_names()), (120, ["cn/2021-05-draft", "eu/2025-09"])])
def test_the_table_reads_well_at_this_width(hands, width, packs):
    approved(hands)
    opened(hands.site, hands.car(1), "erase", "anna")
    for pack in packs:
        told = run(hands, pack, width=width)
        flowing = " ".join(told.split())
        assert max(map(len, told.splitlines())) <= width, pack
        assert f"{pack} in place of cn/2026-02, over the last 30 days" in told
        assert not re.search(r"[a-z]_[a-z]|None|\b(vehicle-operation|contract-filing|incident-report)\b", told), pack
        assert re.search(r"\d+ of \d+ lines would be harder \(\*\)\. On \d+ it cannot be said", flowing), pack
        assert ("not in force" in told) == pack.endswith("-draft")
        assert ("as if it stood there" in flowing) == (not pack.startswith("cn/"))
