"""Tasks with clocks: a refusal's duties, and the review of an emergency."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from onshore.border import grants, requests, transfer
from onshore.border.cases import courts, tasks
from onshore.register import judgements
from onshore.rules.acts import Facts, TransferAsked
from onshore.rules.judge import judge
from onshore.rules.local import local_day
from onshore.site import open_site
from onshore.vault.age import new_identity, recipient_of
from onshore.words.errors import Malformed, Refusal
from onshore.words.verdict import Reason, Verdict
from packs import every_pack

DAY, HOUR = 86_400_000, 3_600_000


@pytest.fixture
def driven(border):
    border.hands.allow(1)
    border.hands.drive(1)
    return border


@pytest.fixture
def rejecting(driven, monkeypatch):
    """A site whose judge refuses as one in the US does, with the duty that follows."""
    reason = Reason("bulk-threshold", "28 CFR 202.205", "too many", "")
    verdict = Verdict("refuse", (reason,), route="safeguards", duties=("rejected-offer-report",))
    real = judgements.ask

    def asked(site, act, facts):
        judged = real(site, act, facts)
        return replace(judged, verdict=verdict) if isinstance(act, TransferAsked) else judged

    monkeypatch.setattr(judgements, "ask", asked)
    return driven


def refused(act):
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


def told(border):
    border.site.settle()
    found = [json.loads(body) for body in border.site.ledger.entries()]
    return [(e["what"], e["state"]) for e in found if e["t"] == "task"]


def test_a_refusal_that_must_be_reported_opens_a_task_by_the_clock_of_the_pack(rejecting):
    began = rejecting.site.clock()
    rejecting.ask(produced_in="US")
    (task,) = tasks.listed(rejecting.site)
    assert (task.what, task.state, task.article) == ("rejected-offer-report", "in time", "28 CFR 202.1104")
    zone = "America/New_York"
    assert (local_day(task.due - 1, zone) - local_day(began, zone)).days == 14
    assert told(rejecting) == [("rejected-offer-report", "opened")]
    assert tasks.told(rejecting.site)[0]


def test_the_same_refusal_again_opens_no_second_task(rejecting):
    request, _ = rejecting.ask(produced_in="US")
    requests.rejudge(rejecting.site, request)
    assert len(tasks.listed(rejecting.site)) == 1
    rejecting.ask(produced_in="US")
    assert len(tasks.listed(rejecting.site)) == 2


def test_a_task_nears_its_end_and_is_late_after_it(rejecting):
    rejecting.ask(produced_in="US")
    (task,) = tasks.listed(rejecting.site)
    rejecting.hands.now = task.began + 8 * DAY
    assert tasks.listed(rejecting.site)[0].state == "near"
    rejecting.hands.now = task.due - 1
    assert tasks.told(rejecting.site)[0]
    rejecting.hands.now += 1
    good, says = tasks.told(rejecting.site)
    assert not good
    assert "1 late" in says


def test_a_task_is_done_once(rejecting):
    rejecting.ask(produced_in="US")
    (task,) = tasks.listed(rejecting.site)
    done = tasks.done(rejecting.site, task.id, "officer", "DOJ-2026-14")
    assert (done.state, done.done_by, done.number) == ("done", "officer", "DOJ-2026-14")
    again = refused(lambda: tasks.done(rejecting.site, task.id, "somebody", "another"))
    assert again.reason == "task-done"
    assert tasks.listed(rejecting.site) == []
    assert tasks.listed(rejecting.site, every=True) == [done]
    assert told(rejecting) == [("rejected-offer-report", "opened"), ("rejected-offer-report", "done")]
    rejecting.hands.now = task.due
    assert tasks.told(rejecting.site)[0]


def test_a_task_takes_the_number_of_a_paper_and_an_id_that_is_known(rejecting):
    rejecting.ask(produced_in="US")
    (task,) = tasks.listed(rejecting.site)
    for number in ("", "x" * 81):
        with pytest.raises(Malformed):
            tasks.done(rejecting.site, task.id, "officer", number)
    assert refused(lambda: tasks.done(rejecting.site, "none", "officer", "1")).reason == "task-unknown"
    assert tasks.listed(rejecting.site) == [task]


def test_a_duty_without_a_clock_is_a_task_all_the_same(rejecting):
    rejecting.ask()  # nothing of it is of the US, whose pack has the clock
    (task,) = tasks.listed(rejecting.site)
    assert (task.due, task.state) == (None, "no clock")
    assert tasks.last_day(rejecting.site, task) is None
    assert tasks.told(rejecting.site)[0]


def test_an_emergency_goes_without_papers_and_is_reviewed_afterwards(driven):
    _, standing = driven.ask(categories=("vehicle-operation",), ground="emergency", asked_by="officer")
    assert standing.verdict.verdict == "allow"
    (task,) = tasks.listed(driven.site)
    assert (task.what, task.article) == (tasks.REVIEW, standing.verdict.reasons[0].article)
    assert task.due == driven.site.clock() + 72 * HOUR
    driven.hands.now = task.due
    assert not tasks.told(driven.site)[0]
    assert refused(lambda: tasks.done(driven.site, task.id, "officer", "minutes 7")).reason == "four-eyes"
    assert not tasks.told(driven.site)[0]
    tasks.done(driven.site, task.id, "deputy", "minutes 7")
    assert tasks.told(driven.site)[0]


def emergency(border, **change):
    said = {"categories": ("vehicle-operation",), "ground": "emergency", "asked_by": "officer"}
    return border.ask(**said | change)


def test_not_everything_is_an_emergency_while_one_was_not_reviewed(driven):
    emergency(driven)
    emergency(driven)  # two at once may be; each has its review
    first, second = tasks.listed(driven.site)
    driven.hands.now = second.due
    assert refused(lambda: emergency(driven)).reason == "review-overdue"
    tasks.done(driven.site, first.id, "deputy", "1")
    assert refused(lambda: emergency(driven, asked_by="deputy")).reason == "review-overdue"
    tasks.done(driven.site, second.id, "deputy", "2")
    emergency(driven)
    driven.ask()  # what is no emergency is asked for as ever


def reopened(border, text):
    toml = border.site.folder / "site.toml"
    toml.write_text(toml.read_text() + text)
    border.site = border.hands.site = open_site(border.site.folder, clock=border.site.clock)


def test_nothing_leaves_on_an_emergency_whose_review_is_overdue(driven):
    reopened(driven, '\n[people.third]\nrole = "officer"\n')
    request, _ = emergency(driven)
    driven.approve(request, "deputy", "third")
    until = driven.site.today() + timedelta(days=9)
    grants.grant(driven.site, driven.draft(request, until=until), driven.regulator())
    (task,) = tasks.listed(driven.site)
    driven.hands.now = task.due
    assert refused(lambda: transfer.ship(driven.site, request.id)).reason == "review-overdue"
    tasks.done(driven.site, task.id, "deputy", "1")
    assert transfer.ship(driven.site, request.id).persons == 1


@pytest.mark.parametrize("vehicles", [True, False])
def test_an_emergency_does_not_stand_for_the_approval_that_an_authority_needs(driven, vehicles):
    """The judge asks for it on every ground; and nobody escapes it by having a company ask for the same cars."""
    key = recipient_of(new_identity())
    court = f'\n[recipients.court]\njurisdiction = "US"\nkey = "{key}"\nauthority = true\n'
    reopened(driven, f'{court}\n[recipients.firm]\njurisdiction = "US"\nkey = "{key}"\n')
    assert refused(lambda: emergency(driven, recipient="court")).reason == "court-queue"
    cars = (driven.hands.car(1).id,) if vehicles else ()
    asked = driven.request()
    wanted = courts.Wanted(("vehicle-operation",), asked.start, asked.until, cars)
    courts.ask(driven.site, "court", "court", wanted, authority="A Court", reference="1", by="officer")
    for recipient in ("court", "firm") if vehicles else ("court",):
        request, standing = emergency(driven, recipient=recipient, vehicles=cars)
        assert standing.verdict.verdict == "refuse"
        assert "authority-approval-required" in standing.verdict.codes()
        assert refused(lambda asked=request: driven.approve(asked)).reason == "illegal-move"
    assert tasks.listed(driven.site) == []  # what is refused has no review


def test_nobody_but_an_officer_claims_an_emergency(driven):
    assert refused(lambda: driven.ask(ground="emergency")).reason == "not-your-act"
    assert requests.listed(driven.site) == []


def test_the_judge_of_a_us_site_names_the_duty_itself(driven):
    """What the monkeypatched judge says above is what the pack has it say."""
    pack = next(one for one in every_pack() if one.id == "us/2026-01")
    act = TransferAsked(to="CN", purpose="warranty-analysis", categories=("track",), new_devices=10**6)
    verdict = judge(act, Facts(at=driven.site.clock()), pack)
    assert "rejected-offer-report" in verdict.duties
