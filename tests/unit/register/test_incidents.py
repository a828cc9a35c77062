"""Incidents: every clock of the packs from when the site knew, moves by the table, and nobody in the ledger."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from onshore.ledger.entry import read
from onshore.register import incidents, lives, reports
from onshore.register.incidents import Happened, Learnt
from onshore.site import open_site
from onshore.words.errors import Malformed, Refusal

HOUR = 3_600_000


def happened(hands, **said):
    usual = {
        "kind": "leak",
        "severity": "serious",
        "known": hands.now,
        "says": "A disk with trips of LTEST000000000001 of Wang Wei is gone.",
        "categories": ("track",),
    }
    return Happened(**usual | said)


def opened(hands, by="officer", **said):
    return incidents.open_(hands.site, happened(hands, **said), by)


def report_of(incident, code):
    return next(one for one in incident.reports if one.jurisdiction == code)


def instant(text):
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def reopened(hands, more):
    with (hands.site.folder / "site.toml").open("a") as file:
        file.write(more)
    hands.site = open_site(hands.site.folder, clock=lambda: hands.now)


def entries(hands, kind):
    hands.site.settle()
    return [said for said in map(read, hands.site.reopened().entries()) if said["t"] == kind]


@pytest.mark.parametrize(
    ("code", "until", "by", "article"),
    [
        ("CN", "2026-06-16T02:30:00+08:00", "2026-06-16T02:29:59+08:00", "Cybersecurity Incident Reporting Measures"),
        ("DE", "2026-06-18T16:30:00+02:00", "2026-06-18T16:29:59+02:00", "GDPR Art. 33(1)"),
        ("KR", "2026-06-18T23:30:00+09:00", "2026-06-18T23:29:59+09:00", "PIPA Art. 34"),
        ("JP", "2026-06-21T00:00:00+09:00", "2026-06-20T23:59:59+09:00", "APPI Art. 26"),
        ("SA", "2026-06-18T17:30:00+03:00", "2026-06-18T17:29:59+03:00", "PDPL Art. 20"),
        ("VN", "2026-06-18T21:30:00+07:00", "2026-06-18T21:29:59+07:00", "Law 91/2025/QH15"),
    ],
)
def test_each_jurisdiction_has_its_own_clock_told_in_its_own_zone(hands, code, until, by, article):
    hands.now = instant("2026-06-15T22:30:00+08:00")
    report = report_of(opened(hands, concerns=(code,)), code)
    assert report.due == instant(until)
    assert report.by == by
    assert article in report.article


def test_where_no_pack_or_no_clock_is_known_nothing_runs_and_it_says_so(hands):
    one = opened(hands, concerns=("RU", "BR"))
    assert [report_of(one, code).due for code in ("RU", "BR")] == [None, None]
    assert "counsel" in report_of(one, "RU").says
    assert report_of(one, "BR").says == "No pack of BR is known here: counsel says what is owed there."
    assert report_of(one, "BR").state == "no clock"


def test_a_critical_operator_has_the_shorter_clock(hands):
    slow = report_of(opened(hands), "CN").due
    reopened(hands, "\n[registers]\ncritical_operator = true\n")
    assert report_of(opened(hands), "CN").due == hands.now + HOUR < slow


def test_the_clock_of_a_pack_that_is_over_still_runs(hands):
    hands.now = instant("2024-01-15T10:00:00+08:00")  # before the site's first pack
    hands.site = open_site(hands.site.folder, clock=lambda: hands.now)
    assert report_of(opened(hands), "CN").due == hands.now + 4 * HOUR


def test_clocks_run_from_when_the_site_knew_and_warn_at_half_time(hands):
    known = hands.now
    hands.now += HOUR
    one = opened(hands, known=known)
    assert report_of(one, "CN").due == known + 4 * HOUR
    states = []
    for hours in (1, 2, 3, 4, 5):
        hands.now = known + hours * HOUR
        states.append(report_of(incidents.find(hands.site, one.id), "CN").state)
    assert states == ["in time", "near", "near", "late", "late"]
    with pytest.raises(Malformed, match="known by now"):
        opened(hands, known=hands.now + 1)
    with pytest.raises(Malformed, match="2000 or later"):
        opened(hands, known=instant("1999-12-31T00:00:00+00:00"))


def test_what_is_said_and_counted_is_read_back(hands):
    one = opened(hands, persons=3, vehicles=2, categories=("track", "vehicle-operation", "track"))
    assert (one.persons, one.vehicles, one.categories) == (3, 2, ("track", "vehicle-operation"))
    assert one.says.startswith("A disk")
    assert (one.state, one.opened_by, one.ended, one.why) == ("open", "officer", None, "")
    unknown = opened(hands)
    assert (unknown.persons, unknown.vehicles) == (None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "rain"},
        {"severity": "bad"},
        {"categories": ()},
        {"categories": ("weather",)},
        {"persons": -1},
        {"vehicles": 10**13},
        {"concerns": ("Germany",)},
        {"says": "  "},
        {"says": "x" * 20_001},
    ],
)
def test_what_is_no_incident_is_not_taken(hands, wrong):
    with pytest.raises(Malformed):
        opened(hands, **wrong)
    assert incidents.listed(hands.site) == []


def test_reports_are_made_once_each_and_the_last_that_is_owed_ends_the_owing(hands):
    one = opened(hands, concerns=("DE", "RU"))
    with pytest.raises(Refusal, match="nobody made it") as refused:
        incidents.close(hands.site, one.id, "officer", "done")
    assert refused.value.reason == "report-owed"
    assert incidents.report(hands.site, one.id, "CN", "officer", "CAC-7").state == "open"
    told = incidents.report(hands.site, one.id, "DE", "deputy", "LfDI/33-1")
    assert told.state == "reported"
    assert report_of(told, "DE").state == "made"
    assert report_of(told, "RU").state == "no clock"
    for code, reason in (("DE", "report-made"), ("FR", "report-unknown")):
        with pytest.raises(Refusal) as refused:
            incidents.report(hands.site, one.id, code, "officer", "N-1")
        assert refused.value.reason == reason
    assert incidents.report(hands.site, one.id, "RU", "officer", "RKN-1").state == "reported"  # of their own accord
    ended = incidents.close(hands.site, one.id, "officer", "The disk was found, encrypted.")
    assert (ended.state, ended.why, ended.ended_by) == ("closed", "The disk was found, encrypted.", "officer")
    assert incidents.listed(hands.site) == []
    assert [found.id for found in incidents.listed(hands.site, every=True)] == [one.id]


def test_a_late_report_stays_late(hands):
    one = opened(hands)
    hands.now += 4 * HOUR
    assert report_of(incidents.report(hands.site, one.id, "CN", "officer", "CAC-8"), "CN").state == "made late"


@pytest.mark.parametrize("number", ["", "Wang Wei", "LTEST000000000001"])
def test_a_report_s_number_is_one(hands, number):
    one = opened(hands)
    with pytest.raises(Malformed):
        incidents.report(hands.site, one.id, "CN", "officer", number)


def test_what_is_learnt_later_is_added_and_may_start_another_clock(hands):
    one = opened(hands)
    incidents.report(hands.site, one.id, "CN", "officer", "CAC-7")
    known = one.known
    hands.now += HOUR
    learnt = Learnt("grave", "It was taken.", ("health",), 40, None, ("DE", "CN"))
    more = incidents.amend(hands.site, one.id, learnt, "deputy")
    assert more.state == "open"
    assert (more.severity, more.says, more.persons, more.vehicles) == ("grave", "It was taken.", 40, None)
    assert more.categories == ("health", "track")
    assert report_of(more, "DE").due == known + 72 * HOUR
    assert report_of(more, "CN").state == "made"
    same = incidents.amend(hands.site, one.id, Learnt(vehicles=2), "deputy")
    assert (same.severity, same.says, same.persons, same.vehicles) == ("grave", "It was taken.", 40, 2)
    incidents.report(hands.site, one.id, "DE", "officer", "D-1")
    assert incidents.amend(hands.site, one.id, Learnt(persons=41), "officer").state == "reported"
    incidents.close(hands.site, one.id, "officer", "done")
    with pytest.raises(Refusal, match=r"from .closed. there is no way"):
        incidents.amend(hands.site, one.id, Learnt(persons=42), "officer")
    with pytest.raises(Malformed):
        incidents.amend(hands.site, opened(hands).id, Learnt(persons=-1), "officer")


def test_that_it_was_none_is_found_by_another_officer_and_may_turn_out_otherwise(hands):
    one = opened(hands)
    with pytest.raises(Refusal) as refused:
        incidents.close(hands.site, one.id, "officer", "A test alarm.", unfounded=True)
    assert refused.value.reason == "four-eyes"
    found = incidents.close(hands.site, one.id, "deputy", "A test alarm.", unfounded=True)
    assert (found.state, found.why) == ("unfounded", "A test alarm.")
    assert incidents.due(hands.site) == []
    again = incidents.amend(hands.site, one.id, Learnt(says="It was real."), "officer")
    assert (again.state, again.ended, again.why) == ("open", None, "")
    assert [id_ for id_, _ in incidents.due(hands.site)] == [one.id]


def test_moves_that_the_table_does_not_have_are_refused(hands):
    one = opened(hands)
    incidents.report(hands.site, one.id, "CN", "officer", "CAC-7")
    incidents.close(hands.site, one.id, "officer", "done")
    for act in (
        lambda: incidents.close(hands.site, one.id, "officer", "again"),
        lambda: incidents.close(hands.site, one.id, "deputy", "none", unfounded=True),
    ):
        with pytest.raises(Refusal) as refused:
            act()
        assert refused.value.reason == "illegal-move"
    with pytest.raises(Refusal) as refused:
        incidents.find(hands.site, "0" * 16)
    assert refused.value.reason == "incident-unknown"


def test_check_tells_of_what_is_due_first_and_is_bad_once_something_is_late(hands):
    assert incidents.told(hands.site) == (True, "0 go on")
    one = opened(hands, concerns=("DE",))
    good, says = incidents.told(hands.site)
    assert good
    assert says.startswith("1 go on, 2 reports owed (2 in time); next to CN by 2026-09-")
    assert "+08:00" in says
    hands.now += 5 * HOUR
    good, says = incidents.told(hands.site)
    assert not good
    assert "1 late, 1 in time" in says
    incidents.report(hands.site, one.id, "CN", "officer", "CAC-7")
    assert incidents.told(hands.site)[0]


def test_the_ledger_has_an_entry_for_each_act_and_nobody_s_words(hands):
    one = opened(hands)
    incidents.amend(hands.site, one.id, Learnt(persons=4), "officer")
    incidents.report(hands.site, one.id, "CN", "officer", "CAC-7")
    incidents.close(hands.site, one.id, "officer", "Wang Wei has the disk back.")
    said = entries(hands, "incident")
    assert [entry["state"] for entry in said] == ["opened", "amended", "reported", "closed"]
    assert (said[2]["to"], said[2]["number"]) == ("CN", "CAC-7")
    fields = {"v", "t", "at", "site", "jurisdiction", "obj", "state", "to", "number"}
    assert {key for entry in said for key in entry} <= fields
    assert b"Wang" not in b"".join(hands.site.ledger.entries())


@pytest.mark.sqlite
def test_words_are_sealed_in_the_papers_and_their_digests_salted(hands):
    from sqlalchemy import select

    from onshore.ledger.entry import digest
    from onshore.vault.papers import incident_acts, reading

    one = opened(hands)
    incidents.close(hands.site, one.id, "deputy", "Wang Wei found it.", unfounded=True)
    with reading(hands.site.engine) as conn:
        papers = [row.paper for row in conn.execute(select(incident_acts).order_by(incident_acts.c.entry))]
    assert [entry["obj"] for entry in entries(hands, "incident")] == [digest(json.loads(paper)) for paper in papers]
    assert len({json.loads(paper)["salt"] for paper in papers}) == len(papers)
    for path in Path(hands.site.folder).rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            assert b"Wang Wei" not in raw
            assert b"LTEST000000000001" not in raw


def test_the_tables_are_whole():
    for table in (lives.INCIDENT, lives.COMPLAINT):
        assert {state for news in table.values() for state in news} <= set(table)
        assert all(f"    {old} --> {new}" in lives.drawn(table) for old, news in table.items() for new in news)
    drawn = (Path(__file__).parents[3] / "docs" / "incidents.md").read_text()
    assert lives.drawn(lives.INCIDENT) in drawn


def test_an_instant_is_told_with_its_offset():
    assert reports.local(0, "Asia/Shanghai") == "1970-01-01T08:00:00+08:00"
