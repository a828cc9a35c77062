"""Requests of foreign courts and police: a queue of their own, and no way round it."""

import json

import pytest

from onshore.border import requests
from onshore.border.cases import courts
from onshore.border.cases.courts import Wanted
from onshore.site import open_site
from onshore.vault.papers import reading
from onshore.words.errors import Malformed, Refusal

DAY = 86_400_000
PAPERS = ("impact-assessment", "standard-contract", "export-notice", "separate-consent")


@pytest.fixture
def bench(border):
    """A site that knows a court of the US as such, and a company there."""
    toml = border.site.folder / "site.toml"
    key = border.site.settings.recipients["stuttgart"].key
    court = f'\n[recipients.court]\njurisdiction = "US"\nkey = "{key}"\nauthority = true\n'
    company = f'\n[recipients.detroit]\njurisdiction = "US"\nkey = "{key}"\n'
    toml.write_text(toml.read_text() + court + company)
    border.site = open_site(border.site.folder, clock=border.site.clock)
    for number in (1, 2):
        border.hands.allow(number, recipients=frozenset({"court", "detroit"}))
    border.hands.drive(1, 2)
    return border


def wanted(bench, *cars, **change):
    now, ids = bench.hands.now, tuple(bench.hands.car(number).id for number in cars)
    said = {"categories": ("vehicle-operation",), "start": now - DAY, "until": now + DAY, "vehicles": ids}
    return Wanted(**(said | change))


def ask(bench, *cars, kind="court", recipient="court", **change):
    said = {"authority": "District Court of Somewhere", "reference": "No. 2:26-cv-1, Mustermann", "by": "officer"}
    return courts.ask(bench.site, kind, recipient, wanted(bench, *cars, **change), **said)


def refused(act):
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


def told(bench):
    bench.site.settle()
    found = [json.loads(body) for body in bench.site.ledger.entries()]
    return [(e["state"], e["dest"]) for e in found if e["t"] == "court"]


def transfer(bench, *cars, recipient="court"):
    now = bench.hands.now
    return bench.ask(
        recipient=recipient,
        categories=("vehicle-operation",),
        vehicles=tuple(bench.hands.car(number).id for number in cars),
        start=now - DAY,
        until=now,
    )


@pytest.mark.parametrize("kind", ["court", "police"])
def test_a_foreign_authority_is_refused_without_an_approval_and_waits_in_its_queue(bench, kind):
    one = ask(bench, 1, kind=kind)
    assert (one.state, one.verdict.verdict) == ("waiting", "refuse")
    assert "authority-approval-required" in one.verdict.codes()
    assert one.verdict.reasons[0].article
    assert courts.listed(bench.site) == [one]
    assert told(bench) == [("asked", "US")]
    for path in bench.site.folder.rglob("papers.sqlite*"):
        assert b"Mustermann" not in path.read_bytes()


def test_nothing_is_asked_for_an_authority_that_is_not_in_the_queue(bench):
    assert refused(lambda: transfer(bench, 1)).reason == "court-queue"
    courts.refuse(bench.site, ask(bench, 1).id, "officer", "no treaty")
    assert refused(lambda: transfer(bench, 1)).reason == "court-queue"
    assert requests.listed(bench.site) == []


def test_an_approval_is_what_lets_an_authority_have_it(bench):
    one = ask(bench, 1)
    request, standing = transfer(bench, 1)
    assert "authority-approval-required" in standing.verdict.codes()
    done = courts.approve(bench.site, one.id, "officer", number="MOJ-1", file=b"stamped")
    assert (done.state, done.number, done.decided_by) == ("approved", "MOJ-1", "officer")
    assert "authority-approval-required" not in done.verdict.codes()
    assert "authority-approval-required" not in requests.rejudge(bench.site, request).verdict.codes()
    assert told(bench) == [("asked", "US"), ("approved", "US")]


@pytest.mark.parametrize(
    "change",
    [
        {"categories": ("track",)},
        {"start": 0, "until": 1},
        {"vehicles": (5,)},
    ],
)
def test_an_approval_of_something_else_lets_nothing_go(bench, change):
    one = ask(bench, 1, **change)
    courts.approve(bench.site, one.id, "officer", number="MOJ-1")
    _, standing = transfer(bench, 1)
    assert "authority-approval-required" in standing.verdict.codes()


def test_an_approval_holds_on_its_days_alone(bench):
    today = bench.site.today().isoformat()
    one = ask(bench, 1)
    courts.approve(bench.site, one.id, "officer", number="MOJ-1", start=today, until=today)
    request, standing = transfer(bench, 1)
    assert "authority-approval-required" not in standing.verdict.codes()
    bench.hands.now += DAY
    assert "authority-approval-required" in requests.rejudge(bench.site, request).verdict.codes()


def test_an_approval_for_one_car_does_not_serve_for_all(bench):
    courts.approve(bench.site, ask(bench, 1).id, "officer", number="MOJ-1")
    _, standing = transfer(bench)
    assert "authority-approval-required" in standing.verdict.codes()


def test_what_a_court_wants_does_not_leave_dressed_as_the_request_of_a_company(bench):
    ask(bench, 1)
    request, standing = transfer(bench, 1, recipient="detroit")
    assert "authority-approval-required" in standing.verdict.codes()
    bench.file(request, *PAPERS)
    assert requests.find(bench.site, request.id).state != "completed"
    _, other = transfer(bench, 2, recipient="detroit")  # of a car that no court asked for
    assert "authority-approval-required" not in other.verdict.codes()


def test_it_stays_so_when_the_court_was_refused_or_the_approval_is_the_courts_alone(bench):
    first, second = ask(bench, 1), ask(bench, 2)
    courts.refuse(bench.site, first.id, "officer", "no treaty")
    courts.approve(bench.site, second.id, "officer", number="MOJ-2")
    for car in (1, 2):
        _, standing = transfer(bench, car, recipient="detroit")
        assert "authority-approval-required" in standing.verdict.codes()


def test_what_was_decided_is_decided(bench):
    one = ask(bench, 1)
    courts.refuse(bench.site, one.id, "officer", "no treaty")
    for act in (
        lambda: courts.approve(bench.site, one.id, "officer", number="MOJ-1"),
        lambda: courts.refuse(bench.site, one.id, "officer", "again"),
    ):
        refusal = refused(act)
        assert refusal.reason == "court-decided"
        assert refusal.article
    assert courts.find(bench.site, one.id).state == "refused"
    assert courts.told(bench.site) == (
        True,
        "1 requests of foreign courts and police, 0 wait; none is answered by itself",
    )


def test_what_is_no_request_of_an_authority_is_not_set_down(bench):
    assert refused(lambda: ask(bench, 1, recipient="detroit")).reason == "not-an-authority"
    assert refused(lambda: ask(bench, 1, recipient="atlantis")).reason == "recipient-unknown"
    for change in ({"kind": "newspaper"}, {"categories": ()}, {"start": 2, "until": 1}):
        with pytest.raises(Malformed):
            ask(bench, 1, **change)
    with pytest.raises(Malformed):
        courts.refuse(bench.site, "any", "officer", " ")
    for said in ({"number": " "}, {"number": "1", "start": "2026-10-02", "until": "2026-10-01"}):
        with pytest.raises(Malformed):
            courts.approve(bench.site, "any", "officer", **said)
    for act in (
        lambda: courts.refuse(bench.site, "none", "officer", "why"),
        lambda: courts.approve(bench.site, "none", "officer", number="1"),
        lambda: courts.find(bench.site, "none"),
    ):
        assert refused(act).reason == "court-unknown"
    assert courts.listed(bench.site) == []


def test_a_scan_over_the_sites_limit_approves_nothing(bench):
    one, most = ask(bench, 1), bench.site.settings.filing.scan_mb << 20
    with pytest.raises(Malformed):
        courts.approve(bench.site, one.id, "officer", number="MOJ-1", file=bytes(most + 1))
    assert courts.find(bench.site, one.id).state == "waiting"
    assert courts.approve(bench.site, one.id, "officer", number="MOJ-1", file=bytes(most)).state == "approved"


def test_a_view_is_judged_as_a_view(bench):
    request = bench.request(method="view", recipient="detroit")
    with reading(bench.site.engine) as conn:
        assert courts.means(bench.site, conn, request) == "view"
        assert courts.means(bench.site, conn, bench.request()) == "file"
