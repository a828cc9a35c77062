"""Whatever the law decided can be judged again from its entry: the same by the same facts and packs."""

import json
from datetime import date

import pytest
from sqlalchemy import delete, select

import backup_makers
import judged_makers
from judged_makers import DAY, OTHER, again, look, open_with, query, refused, rows, said
from onshore.border import blocking, grants, requests, transfer
from onshore.border.cases import courts
from onshore.register import consents, judgements
from onshore.register.rejudging import rejudged
from onshore.rights.retiring import turn
from onshore.rules.acts import Collect, ConsentAsked, Facts, StandingConsent
from onshore.vault.papers import judgements as kept
from onshore.vault.papers import reading, writing
from onshore.words.errors import Malformed


@pytest.fixture
def peopled(border):
    return judged_makers.peopled(border)


@pytest.fixture
def decided(peopled):
    return judged_makers.decided(peopled)


def test_everything_is_judged_again_and_the_same(decided):
    found = again(decided)
    assert [one for one in found if one.same is not True] == []
    told = said(decided, "verdict")
    assert len(found) == len(told)
    assert {
        ("consent", "given", "accept"),
        ("request", None, "refuse"),
        ("request", None, "allow"),
        ("query", "asked", "keep"),
        ("query", "refused", "withhold"),
        ("query", "refused", "refuse"),
        ("view", "refused", "refuse"),
        ("court", "asked", "refuse"),
        ("court", "approved", "refuse"),
    } == set(told)
    assert again(decided, since=decided.hands.now + DAY) == []


def test_an_entry_names_the_packs_and_stays_small(decided):
    site, today = decided.site, decided.site.today()
    own = f"sha256:{site.law.on(today).digest}"
    for kind, state, named in said(decided, "packs"):
        assert named[0] == own, (kind, state)
        assert len(named) == (1 if kind == "consent" or (kind, state) == ("query", "asked") else len(named))
    assert max(len(body) for body in site.ledger.entries() if b'"facts":' in body) < 1200


def test_leaving_is_judged_by_the_permit_and_a_no_is_written_down(peopled):
    request, permit = peopled.permitted(persons=1)
    before = len(said(peopled))
    assert refused(lambda: transfer.ship(peopled.site, request.id)) == "outside-permit"
    kind, _, obj, verdict, reasons = said(peopled, "obj", "verdict", "reasons")[-1]
    assert (kind, obj, verdict) == ("request", permit.request, "refuse")
    assert "outside-permit" in reasons
    assert len(said(peopled)) == before + 1
    assert requests.find(peopled.site, request.id).state == "permitted"
    assert {one.same for one in again(peopled)} == {True}


@pytest.mark.parametrize("persons", [1, 2])
def test_a_view_s_begin_is_judged_by_the_permit_as_well(peopled, persons):
    request = peopled.approved(method="view")
    grants.grant(peopled.site, peopled.draft(request, persons=persons), peopled.regulator())
    if persons == 1:
        assert refused(lambda: look(peopled, request)) == "outside-permit"
    else:
        assert look(peopled, request) == [{"n": 40}]
    kind, _, verdict = said(peopled, "verdict")[-1]
    assert (kind, verdict) == ("request", "allow" if persons == 2 else "refuse")
    assert {one.same for one in again(peopled)} == {True}


def test_a_blocked_recipient_is_what_a_suspension_rests_on(peopled):
    request, _ = peopled.permitted()
    here = "[recipients.stuttgart]\n"
    open_with(peopled, change=lambda toml: toml.replace(here, f'{here}status = "blocked"\n'))
    assert blocking.suspend(peopled.site) == [request.id]
    assert "recipient-blocked" in said(peopled, "reasons")[-1][2]
    assert {one.same for one in again(peopled)} == {True}


def test_what_goes_by_the_law_s_term_is_judged_again(peopled):
    peopled.hands.now += 15 * 365 * DAY
    open_with(peopled)
    while turn(peopled.site):
        pass
    assert ("retire", None, "purge") in said(peopled, "verdict")
    assert {one.same for one in again(peopled)} == {True}


def test_a_query_that_is_no_matter_of_law_says_no_verdict(peopled):
    assert refused(lambda: query(peopled, "COPY track TO 'x'")) == "select-only"
    assert refused(lambda: query(peopled, "SELECT 1", by="anna")) == "not-your-act"
    assert [one for one in said(peopled) if one[0] == "query"] == []
    peopled.site.settle()
    bodies = [json.loads(body) for body in peopled.site.reopened().entries()]
    assert [one["why"] for one in bodies if one["t"] == "query"] == ["select-only", "not-your-act"]


@pytest.mark.parametrize(
    ("act", "facts"),
    [
        (Collect(category="track", purpose="repair", person_born=date(2010, 1, 1)), {}),
        (Collect(category="track", purpose="repair"), {"consent": StandingConsent(start=5)}),
        (Collect(category="track", purpose="repair"), {"consent": StandingConsent(withdrawn=5)}),
        (ConsentAsked(categories=("track",), purposes=("repair",), last_refused=5), {}),
        (ConsentAsked(categories=("track",), purposes=("repair",), person_born=date(2010, 1, 1)), {}),
    ],
)
def test_what_is_about_one_person_is_not_kept(border, act, facts):
    one = judgements.ask(border.site, act, Facts(at=border.site.clock(), **facts))
    with writing(border.site.engine) as conn, pytest.raises(Malformed, match="person"):
        judgements.hand_in(border.site, conn, "request", [one], obj=OTHER)


def test_nothing_that_is_kept_names_a_car_or_a_person(decided):
    with reading(decided.site.engine) as conn:
        found = " ".join(conn.scalars(select(kept.c.judged)))
    for number in (1, 2):
        car = decided.hands.car(number)
        for name in (car.id, car.owner):
            assert str(name) not in found
            assert f"{name:016x}" not in found
        assert decided.hands.vin(number).decode() not in found


def test_a_consent_that_the_law_does_not_accept_leaves_nothing(peopled):
    before = len(rows(peopled))
    wish = consents.Wish(["warranty-analysis"], ["track"], "2026-11", bundled_with="lease")
    assert refused(lambda: consents.give(peopled.site, peopled.hands.car(3), wish))
    assert len(rows(peopled)) == before


def test_a_restored_site_judges_again_what_left_since_and_says_what_its_backup_lacks(peopled):
    peopled.site = backup_makers.kept(peopled.hands).site
    early, _ = peopled.ask()
    peopled.site.settle()
    backup_makers.backed_up(peopled.hands)
    request, _ = peopled.permitted()
    transfer.ship(peopled.site, request.id)
    now = peopled.hands.now
    wanted = courts.Wanted(("track",), now - DAY, now)
    one = courts.ask(peopled.site, "court", "court", wanted, authority="A", reference="B", by="officer")
    courts.approve(peopled.site, one.id, "officer", number="MOJ-1")
    query(peopled, "SELECT count(*) FROM track")
    peopled.file(early, "impact-assessment")
    peopled.site.settle()
    assert {one.same for one in again(peopled)} == {True}
    new, _ = backup_makers.restored(peopled.hands)
    found = list(rejudged(new, 0))
    assert [(one.kind, one.why) for one in found if not one.same] == [
        ("query", "what it was judged on is not in the backup that was restored since"),
        ("request", "what it was judged on is not in the backup that was restored since"),
    ]
    assert {one.same for one in found} == {True, None}
    assert len(found) == len(said(peopled))
    with writing(new.engine) as conn:
        conn.execute(delete(kept).where(kept.c.about == early.id))
    assert [one.same for one in rejudged(new, 0) if not one.same] == [False, None, None], "the backup had that one"
