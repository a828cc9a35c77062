"""Floors, months, laws to come and records of the papers: what a site says of how long things may lie."""

import json
from datetime import date

import msgspec
import pytest
from click.testing import CliRunner

from onshore.border import requests
from onshore.cli.main import cli
from onshore.rights.retained import retained
from onshore.rights.retention import Limits, ends, kept, stays
from onshore.rights.retiring import overdue, turn
from onshore.rules.local import local_midnight
from onshore.rules.pack_store import Cap, Floor
from onshore.vault import papers
from onshore.vault.journal import Journal
from onshore.vault.restrictions import Scope, restrict
from onshore.words.permit import Transfer
from rights_makers import RULE
from vault_makers import sieved

DAY = 86_400_000
TRACK = "track", "consent", ""


def changed(hands, **rules):
    """Let the site's law have other rules on keeping."""
    law, other = hands.site.law, msgspec.structs.replace
    law._versions = tuple(
        type(v)(other(v.pack, store=other(v.pack.store, **rules)), v.digest, v.lenient) for v in law._versions
    )


def cap(**more):
    return Cap(**{"id": "cap-test", "categories": ("track",), "max": "14d"} | RULE | more)


def floor(**more):
    return Floor(**{"id": "floor-test", "records": ("observation",), "min": "30d"} | RULE | more)


@pytest.fixture
def driven(hands):
    hands.allow(1)
    hands.drive(1, seconds=5)
    return hands


def test_a_floor_beats_a_cap(driven):
    changed(driven, cap=(cap(),), floor=(floor(categories=("track",)),), exception=())
    site, start = driven.site, driven.now
    driven.now = start + 20 * DAY
    assert (Limits(site, driven.now)(TRACK), turn(site)) == (driven.now - 30 * DAY + 1, ())
    (stay,) = [one for one in stays(site, driven.now) if one.kind == TRACK]
    assert stay.must.article == "Test Act, Art. 1"
    assert stay.may.until == stay.must.until == stay.first + 30 * DAY, "a cap never ends before a floor"
    driven.now = start + 31 * DAY
    assert {one.kind for one in turn(site)} == {TRACK, ("track", "statutory", "")}


def test_a_cap_of_months_ends_on_the_calendar(driven):
    changed(driven, cap=(cap(max="1mo"),), exception=())
    at = local_midnight(date(2027, 3, 31), "Asia/Shanghai") + 1000
    cut = Limits(driven.site, at)(TRACK)
    assert cut == local_midnight(date(2027, 2, 28), "Asia/Shanghai") + 1000 - 999, "February ends earlier"


def test_a_rule_that_begins_later_counts_from_its_day(driven):
    begins = local_midnight(date(2026, 10, 20), "Asia/Shanghai")
    changed(driven, cap=(cap(max="3d", since=date(2026, 10, 20)),), exception=())
    site, made = driven.site, driven.now
    assert ends(site, kept(site, TRACK), made, driven.now).until == begins
    driven.now = begins - 1000
    assert turn(site) == ()
    driven.now = begins
    assert TRACK in {one.kind for one in turn(site)}


def test_what_no_law_caps_may_lie(driven):
    changed(driven, cap=())
    assert ends(driven.site, kept(driven.site, TRACK), driven.now, driven.now) is None
    assert all(one.may is None for one in stays(driven.site, driven.now + 4000 * DAY))


def test_a_restriction_is_told_with_what_it_stands_on(driven):
    with papers.writing(driven.site.engine) as conn:
        restrict(conn, Scope(driven.car(1).id, categories=frozenset({"track"})), since=driven.now)
    counts = {one.kind[0]: one.restricted for one in stays(driven.site, driven.now)}
    assert counts == dict.fromkeys(counts, 0) | {"track": 1}
    driven.now += 20 * DAY
    assert [one.kind for one in turn(driven.site)] == [TRACK], "a restriction keeps nothing longer than the law lets it"


def test_records_of_exports_have_their_floor(hands):
    site = hands.site
    assert list(retained(site, hands.now)) == []
    requests.ask(site, Transfer("t1", "warranty-analysis", ("track",), "stuttgart", 0, hands.now))
    (one,) = retained(site, hands.now)
    assert (one.papers, one.record, one.count, one.must.article.startswith("PIPL Art. 56")) == (
        "transfers",
        "decision-record",
        1,
        True,
    )
    assert one.must.until == local_midnight(date(2029, 9, 21), "Asia/Shanghai") + (
        one.first - local_midnight(date(2026, 9, 21), "Asia/Shanghai")
    )
    assert (one.may, one.over(hands.now + 9000 * DAY)) == (None, False)
    asked = ["retention", "--site", str(site.folder)]
    text = CliRunner().invoke(cli, asked, catch_exceptions=False).stdout
    assert "transfers: 1 (decision-record)" in text
    (said,) = json.loads(CliRunner().invoke(cli, [*asked, "--json"], catch_exceptions=False).stdout)["papers"]
    assert said["must"]["until"].startswith("2029-09-21")


def test_a_pack_that_caps_records_is_not_silently_disobeyed(hands):
    site = hands.site
    requests.ask(site, Transfer("t1", "warranty-analysis", ("track",), "stuttgart", 0, hands.now))
    changed(hands, cap=(cap(records=("decision-record",), categories=("identity",)),), floor=())
    assert overdue(site) == []
    hands.now += 16 * DAY
    assert overdue(site) == ["the pack caps transfers, which nothing here drops"]


def test_a_journal_that_nobody_drains_is_told(hands):
    site = hands.site
    said = {"site": site.id, "gate": "0", "clock": site.clock, "randomness": site.randomness}
    with Journal(site.engine, site.root, site.vault, **said) as journal:
        journal.append(sieved([1], [hands.now]), pack="cn/2026-02")
    assert overdue(site) == []
    hands.now += 16 * DAY
    assert overdue(site) == ["1 journal files as old wait to be drained"]
    site.drain()
    turn(site)
    assert overdue(site) == []
