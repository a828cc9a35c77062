"""A request's moves: each by the table and in the ledger, none past two officers, none past a permit's last day."""

import json
from dataclasses import fields, replace
from functools import partial
from itertools import product

import msgspec
import pytest
from sqlalchemy import select, update

from onshore.border import approvals, grants, life, moves, requests
from onshore.border.transfer import ship
from onshore.border.underway import resume
from onshore.vault.papers import parcels, permits, reading, transfer_papers, transfers, writing
from onshore.words.errors import Malformed, Refusal
from onshore.words.permit import Transfer

PAPERS = ("impact-assessment", "standard-contract", "export-notice", "separate-consent")
DAY = 86_400_000


def refused(act):
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


def consented(border, *numbers):
    for number in numbers:
        border.hands.allow(number)
    border.hands.drive(*numbers)


def state(border, request):
    return requests.find(border.site, request.id).state


def told(border, request):
    """The moves of a request as its papers have them, and as the ledger does; each as (from, to)."""
    border.site.settle()
    entries = [json.loads(raw) for raw in border.site.ledger.entries()]
    mine = [e for e in entries if e["t"] == "move" and e["obj"] == life.named(request)]
    with reading(border.site.engine) as conn:
        papers = [(row.old, row.new) for row in life.told(conn, request.id)]
    return papers, [(e.get("from", ""), e["to"]) for e in mine]


def test_each_move_stands_in_papers_and_ledger_with_whose_it_was(border):
    consented(border, 1)
    request, _ = border.permitted()
    ship(border.site, request.id)
    approvals.close(border.site, request.id, "officer")
    papers, ledger = told(border, request)
    states = [new for _, new in ledger]
    assert papers == ledger
    assert states == [
        *("asked", "judged", "completed", "approved", "permitted", "reserved", "leaving", "left", "closed"),
    ]
    entries = [json.loads(raw) for raw in border.site.ledger.entries()]
    by = [e.get("by") for e in entries if e["t"] == "move"]
    assert by == ["engineer", None, None, "officer", "regulator", None, None, None, "officer"]
    assert [e["state"] for e in entries if e["t"] == "approval"] == ["given", "given"]


def test_only_moves_of_the_table_are_made_and_none_under_a_permit_that_nobody_approved(border):
    request, _ = border.ask()
    before = told(border, request)
    for old, new in product(moves.LIFE, moves.LIFE):
        with border.site.engine.connect().execution_options(writes=True) as conn, conn.begin() as act:
            conn.execute(update(transfers).values(state=old))
            if new not in moves.LIFE[old]:
                assert refused(partial(life.move, border.site, conn, request.id, new)).reason == "illegal-move"
            elif new == "reserved" or (new == "permitted" and old not in moves.UNDER_WAY):
                assert refused(partial(life.move, border.site, conn, request.id, new)).reason == "four-eyes"
            else:
                life.move(border.site, conn, request.id, new)
                assert life.state_of(conn, request.id) == new
            act.rollback()
    assert told(border, request) == before


def test_one_officer_alone_approves_nothing(border):
    consented(border, 1)
    request, _ = border.ask()
    border.file(request, *PAPERS)
    assert approvals.approve(border.site, request.id, "officer").state == "completed"
    again = refused(lambda: approvals.approve(border.site, request.id, "officer"))
    assert (again.reason, "another officer" in again.remedy) == ("four-eyes", True)
    assert refused(lambda: grants.grant(border.site, border.draft(request), border.regulator())).reason == "four-eyes"
    assert refused(lambda: ship(border.site, request.id)).reason == "four-eyes"
    assert approvals.approve(border.site, request.id, "deputy").state == "approved"


def test_whoever_asked_approves_nothing(border):
    consented(border, 1)
    request, _ = border.ask(asked_by="officer")
    border.file(request, *PAPERS)
    assert refused(lambda: approvals.approve(border.site, request.id, "officer")).reason == "four-eyes"
    assert approvals.approve(border.site, request.id, "deputy").state == "completed"
    assert refused(lambda: grants.grant(border.site, border.draft(request), border.regulator())).reason == "four-eyes"


@pytest.mark.parametrize("name", ["engineer", "regulator", "operator", "anna", "nobody"])
@pytest.mark.parametrize("act", ["approve", "refuse", "suspend", "resume", "close"])
def test_only_officers_act_on_requests(border, name, act):
    request, _ = border.ask()
    assert refused(lambda: getattr(approvals, act)(border.site, request.id, name)).reason == "not-your-act"


def test_nothing_is_approved_before_its_papers_are_there_or_after(border):
    consented(border, 1)
    request, _ = border.ask()
    assert refused(lambda: approvals.approve(border.site, request.id, "officer")).reason == "illegal-move"
    border.file(request, *PAPERS)
    border.approve(request)
    assert refused(lambda: approvals.approve(border.site, request.id, "officer")).reason == "illegal-move"
    assert refused(lambda: approvals.approve(border.site, "0", "officer")).reason == "transfer-unknown"


def test_a_paper_that_ran_out_since_is_seen_when_somebody_approves(border):
    consented(border, 1)
    request, _ = border.ask()
    border.file(request, *PAPERS[1:])
    today = border.site.today().isoformat()
    requests.file_paper(border.site, request, PAPERS[0], number="1", by="officer", until=today, sha256=None)
    approvals.approve(border.site, request.id, "officer")
    border.hands.now += DAY
    assert refused(lambda: approvals.approve(border.site, request.id, "deputy")).reason == "illegal-move"
    assert state(border, request) == "judged"
    with reading(border.site.engine) as conn:
        (lapsed,) = life.approvals(conn, request.id)
    assert (lapsed.lapsed is not None, lapsed.why) == (True, "verdict-changed")


@pytest.mark.parametrize("permitted", [False, True])
def test_approvals_lapse_for_good_when_a_paper_is_withdrawn(border, permitted):
    consented(border, 1)
    request = border.approved()
    if permitted:
        grants.grant(border.site, border.draft(request), border.regulator())
    with reading(border.site.engine) as conn:
        paper = conn.execute(select(transfer_papers.c.id).where(transfer_papers.c.kind == PAPERS[0])).scalar_one()
    assert requests.withdraw_paper(border.site, request, paper, by="officer").state == "judged"
    assert refused(lambda: ship(border.site, request.id)).reason == "impact-assessment-missing"
    assert border.file(request, PAPERS[0]).state == "completed"  # the same paper as before: approved anew all the same
    assert refused(lambda: ship(border.site, request.id)).reason == "four-eyes"
    assert border.approve(request).state == ("permitted" if permitted else "approved")


def test_a_paper_changed_behind_everybodys_back_is_not_what_was_approved(border):
    consented(border, 1)
    request, _ = border.permitted()
    with writing(border.site.engine) as conn:
        conn.execute(update(transfer_papers).values(number="9"))
    assert refused(lambda: ship(border.site, request.id)).reason == "four-eyes"
    with reading(border.site.engine) as conn:
        assert conn.execute(select(parcels.c.id)).all() == []


def test_judging_anew_with_the_same_verdict_lets_approvals_stand(border):
    consented(border, 1)
    request, _ = border.permitted()
    assert requests.rejudge(border.site, request).state == "permitted"
    assert ship(border.site, request.id).persons == 1
    assert requests.rejudge(border.site, request).state == "left"


def test_what_an_officer_suspends_waits_and_goes_on_from_where_it_stands(border):
    consented(border, 1)
    request, permit = border.permitted()
    assert approvals.suspend(border.site, request.id, "deputy").state == "suspended"
    refusal = refused(lambda: ship(border.site, request.id))
    assert (refusal.reason, "transfer resume" in refusal.remedy) == ("suspended", True)
    assert refused(lambda: approvals.approve(border.site, request.id, "officer")).reason == "suspended"
    assert requests.rejudge(border.site, request).state == "suspended"
    assert (
        refused(lambda: grants.grant(border.site, border.draft(request), border.regulator())).reason == "illegal-move"
    )
    grants.revoke(border.site, permit.id)
    assert state(border, request) == "suspended"
    assert approvals.resume(border.site, request.id, "officer").state == "approved"
    assert refused(lambda: approvals.resume(border.site, request.id, "officer")).reason == "not-held"
    assert refused(lambda: ship(border.site, request.id)).reason == "permit-revoked"


def test_an_officers_no_stands_until_an_officer_takes_it_up_again(border):
    consented(border, 1)
    request, _ = border.permitted()
    assert approvals.refuse(border.site, request.id, "officer").state == "refused"
    assert border.file(request, PAPERS[0]).state == "refused"
    assert requests.rejudge(border.site, request).state == "refused"
    assert refused(lambda: ship(border.site, request.id)).reason == "halted"
    assert approvals.resume(border.site, request.id, "deputy").state == "completed"
    assert border.approve(request).state == "permitted"
    assert ship(border.site, request.id).persons == 1


def test_what_is_closed_is_over(border):
    consented(border, 1)
    request, permit = border.permitted()
    approvals.close(border.site, request.id, "officer")
    for act in (
        lambda: approvals.resume(border.site, request.id, "officer"),
        lambda: approvals.suspend(border.site, request.id, "officer"),
        lambda: approvals.approve(border.site, request.id, "officer"),
        lambda: border.file(request, PAPERS[0]),
        lambda: grants.grant(border.site, border.draft(request), border.regulator()),
    ):
        assert refused(act).reason == "illegal-move"
    assert refused(lambda: ship(border.site, request.id)).reason == "halted"
    grants.revoke(border.site, permit.id)  # never refused, whatever became of the request
    assert state(border, request) == "closed"


def test_a_permit_whose_last_day_is_over_is_noted_by_the_clock(border):
    consented(border, 1)
    request, _ = border.permitted()
    assert life.expire(border.site) == []
    border.hands.now += DAY
    assert life.expire(border.site) == [request.id]
    assert life.expire(border.site) == []
    assert state(border, request) == "expired"
    assert refused(lambda: ship(border.site, request.id)).reason == "permit-expired"
    grants.grant(border.site, border.draft(request), border.regulator())
    assert state(border, request) == "permitted"
    assert ship(border.site, request.id).persons == 1


@pytest.mark.parametrize("when", ["ship", "resume"])
def test_a_permit_that_ran_out_is_noted_before_anything_is_shipped(border, when):
    consented(border, 1)
    request, _ = border.permitted()
    border.hands.now += DAY
    if when == "ship":
        assert refused(lambda: ship(border.site, request.id)).reason == "permit-expired"
    else:
        resume(border.site)
    assert state(border, request) == "expired"


def test_a_file_that_left_is_done_when_its_permit_is_over(border):
    consented(border, 1)
    request, _ = border.permitted()
    ship(border.site, request.id)
    border.hands.now += DAY
    assert life.expire(border.site) == []
    assert refused(lambda: ship(border.site, request.id)).reason == "permit-expired"
    assert state(border, request) == "expired"


def test_a_permit_whose_words_cannot_be_read_carries_nothing(border):
    consented(border, 1)
    request, _ = border.permitted()
    with writing(border.site.engine) as conn:
        conn.execute(update(permits).values(note="{}\n"))
    assert life.expire(border.site) == [request.id]


def test_a_view_is_not_shipped(border):
    request, _ = border.ask(method="view")
    assert refused(lambda: ship(border.site, request.id)).reason == "not-a-parcel"


@pytest.mark.parametrize(("old", "newest", "now"), [("leaving", "left", "left"), ("reserved", "unsent", "permitted")])
def test_a_request_that_says_on_its_way_while_nothing_is_gets_its_place(border, old, newest, now):
    consented(border, 1)
    request, _ = border.permitted()
    ship(border.site, request.id)
    with writing(border.site.engine) as conn:  # as after a restore, which counts what was on its way as gone
        conn.execute(update(transfers).values(state=old))
        conn.execute(update(parcels).values(state=newest))
    resume(border.site)
    assert state(border, request) == now


def test_no_entry_of_a_move_takes_a_name(border):
    with pytest.raises(Malformed, match="no such field"):
        border.site.entry("move", obj="sha256:" + "0" * 64, to="left", name="officer")


def test_a_request_of_an_older_release_is_named_as_its_permit_names_it():
    """Of 0.1.0: the request as its papers held it, and the digest that the permit for it was signed with."""
    body = """{"id":"a90fb3e1ced9ac7c","purpose":"warranty-analysis","categories":["track","vehicle-operation"],
        "recipient":"stuttgart","start":1789913642000,"until":1790086442000,"vehicles":[],"asked_by":"engineer",
        "produced_in":""}"""
    asked = msgspec.json.decode(body, type=Transfer)
    named = life.named(asked)
    assert named == "sha256:a42928cf02869b5851119ef89666edeaa1595a98131759323b8f19540af07e93"
    other = {"signals": ("Vehicle.Speed",), "method": "feed", "ground": "emergency", "chosen": "sha256:00"}
    assert len({named, *(life.named(replace(asked, **{k: v})) for k, v in other.items())}) == 5


def test_what_a_request_may_say_since_0_1_0_means_nothing_where_it_is_not_said():
    first = ("id", "purpose", "categories", "recipient", "start", "until", "vehicles", "asked_by", "produced_in")
    later = {field.name: field.default for field in fields(Transfer) if field.name not in first}
    assert later == life.LATER  # what a new field is called must not change how old requests are named
