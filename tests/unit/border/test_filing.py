"""Papers on a request's file: which count on a day, for whom, and which run out."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from onshore.border import requests
from onshore.border.cases import filing
from onshore.border.cases.filing import Scope
from onshore.ledger.entry import read
from onshore.rules.articles import EXPORT_ITEMS
from onshore.vault.papers import entries, reading, transfer_papers, writing
from onshore.words.errors import Broken, Malformed, Refusal

PAPERS = ("impact-assessment", "standard-contract", "export-notice", "separate-consent")
DAY = 86_400_000


@pytest.fixture
def asked(border):
    border.hands.allow(1)
    border.hands.drive(1)
    return border.ask()[0]


def put(border, request, kind, **said):
    said = {"number": "1", "by": "officer"} | said
    return requests.file_paper(border.site, request, kind, **said)


def counting(border, request):
    with reading(border.site.engine) as conn:
        return filing.counting(conn, request, border.site.today())


def of(border, request):
    with reading(border.site.engine) as conn:
        return filing.of_request(conn, request.id)


def refused(act):
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


def midnight(border, day):
    """The local midnight that ends a day, milliseconds UTC."""
    after = datetime.combine(day + timedelta(days=1), datetime.min.time(), ZoneInfo(border.site.pack.zone))
    return int(after.timestamp() * 1000)


def test_a_paper_is_over_at_local_midnight_and_not_before(border, asked):
    last = border.site.today()
    put(border, asked, "impact-assessment", until=last.isoformat())
    border.hands.now = midnight(border, last) - 1
    assert counting(border, asked) == {"impact-assessment"}
    border.hands.now += 1
    assert counting(border, asked) == set()
    assert of(border, asked)[0].state(asked, border.site.today()) == "over"


def test_a_paper_begins_on_its_first_day(border, asked):
    tomorrow = border.site.today() + timedelta(days=1)
    put(border, asked, "impact-assessment", start=tomorrow.isoformat())
    assert counting(border, asked) == set()
    assert of(border, asked)[0].state(asked, border.site.today()) == "not yet"
    border.hands.now = midnight(border, border.site.today())
    assert counting(border, asked) == {"impact-assessment"}
    assert of(border, asked)[0].state(asked, border.site.today()) == "counts"


@pytest.mark.parametrize(
    ("scope", "lacks"),
    [
        (Scope(recipients=("munich",)), "recipient"),
        (Scope(categories=("track",)), "categories"),
        (Scope(purposes=("research",)), "purpose"),
    ],
)
def test_a_paper_that_does_not_cover_the_request_does_not_count(border, asked, scope, lacks):
    for kind in PAPERS[1:]:
        put(border, asked, kind)
    assert put(border, asked, PAPERS[0], scope=scope).verdict.missing == ("impact-assessment",)
    assert scope.lacks(asked) == (lacks,)
    assert of(border, asked)[-1].state(asked, border.site.today()) == "not covering"


def test_a_paper_that_names_the_request_counts(border, asked):
    whole = Scope((asked.recipient, "munich"), (*asked.categories, "identity"), (asked.purpose,))
    put(border, asked, PAPERS[0], scope=whole)
    assert counting(border, asked) == {PAPERS[0]}


@pytest.mark.parametrize("same", [{"number": "SC-7"}, {"number": "another", "file": b"the contract with Munich"}])
def test_the_paper_of_another_recipient_is_refused_by_number_and_by_scan(border, asked, same):
    other, _ = border.ask()
    munich = Scope(recipients=("munich",))
    put(border, other, "standard-contract", number="SC-7", scope=munich, file=b"the contract with Munich")
    refusal = refused(lambda: put(border, asked, "standard-contract", **same))
    assert refusal.reason == "paper-of-another"
    assert refusal.article
    assert of(border, asked) == []
    assert put(border, asked, "impact-assessment", **same).verdict.verdict == "refuse"


def test_a_renewal_stands_beside_what_it_renews(border, asked):
    today = border.site.today()
    put(border, asked, "impact-assessment", number="old", until=today.isoformat())
    put(border, asked, "impact-assessment", number="new", start=(today + timedelta(days=1)).isoformat())
    for _ in range(2):
        assert counting(border, asked) == {"impact-assessment"}
        border.hands.now = midnight(border, today)
    assert [one.number for one in of(border, asked)] == ["old", "new"]


def test_a_paper_that_is_withdrawn_counts_no_more_nor_does_what_it_replaced(border, asked):
    put(border, asked, "impact-assessment", number="old")
    put(border, asked, "impact-assessment", number="new")
    newest = of(border, asked)[-1]
    requests.withdraw_paper(border.site, asked, newest.id, by="officer")
    assert counting(border, asked) == set()
    assert refused(lambda: requests.withdraw_paper(border.site, asked, newest.id, by="officer")).reason == (
        "paper-withdrawn"
    )
    put(border, asked, "impact-assessment", number="newest")
    assert counting(border, asked) == {"impact-assessment"}


def test_a_paper_of_another_request_cannot_be_withdrawn_through_this_one(border, asked):
    other, _ = border.ask()
    put(border, other, "impact-assessment")
    theirs = of(border, other)[0].id
    assert refused(lambda: requests.withdraw_paper(border.site, asked, theirs, by="officer")).reason == "paper-unknown"
    assert counting(border, other) == {"impact-assessment"}


@pytest.mark.parametrize("left_out", EXPORT_ITEMS)
def test_a_notice_that_lacks_an_item_is_incomplete_with_its_article(border, asked, left_out):
    for kind in ("impact-assessment", "standard-contract", "separate-consent"):
        put(border, asked, kind)
    items = tuple(one for one in EXPORT_ITEMS if one != left_out)
    standing = put(border, asked, "export-notice", items=items)
    assert standing.verdict.codes() == {"notice-incomplete"}
    assert standing.verdict.reasons[0].article
    assert of(border, asked)[-1].missing == (left_out,)
    assert put(border, asked, "export-notice", items=EXPORT_ITEMS).verdict.verdict == "allow"


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "gossip"},
        {"kind": "export-notice", "items": ("horoscope",)},
        {"kind": "assessment", "items": ("recipient",)},
        {"kind": "assessment", "until": "tomorrow"},
        {"kind": "assessment", "start": "2026-10-02", "until": "2026-10-01"},
        {"kind": "assessment", "file": b"x" * ((16 << 20) + 1)},
    ],
)
def test_what_is_no_paper_is_malformed_and_not_on_file(border, asked, said):
    with pytest.raises(Malformed):
        put(border, asked, **said)
    assert of(border, asked) == []


def test_a_scan_lies_sealed_and_opens_again(border, asked):
    scan = b"Frau Mustermann signs"
    put(border, asked, "assessment", file=scan)
    (one,) = of(border, asked)
    with reading(border.site.engine) as conn:
        kept = bytes(conn.execute(select(transfer_papers.c.file)).scalar_one())
        told = [read(bytes(body)) for body in conn.execute(select(entries.c.body)).scalars()]
    assert b"Mustermann" not in kept
    assert filing.scan(border.site, asked.id, one.id) == scan
    assert [(e["which"], e["state"]) for e in told if e["t"] == "paper"] == [("assessment", "filed")]
    other, _ = border.ask()
    assert refused(lambda: filing.scan(border.site, other.id, one.id)).reason == "no-scan"


def test_a_scan_that_was_moved_to_another_paper_does_not_open(border, asked):
    for number in ("1", "2"):
        put(border, asked, "assessment", number=number, file=b"scan " + number.encode())
    first, second = of(border, asked)
    with writing(border.site.engine) as conn:
        t = transfer_papers
        box = conn.execute(select(t.c.file).where(t.c.id == first.id)).scalar_one()
        conn.execute(t.update().where(t.c.id == second.id).values(file=box))
    with pytest.raises(Broken):
        filing.scan(border.site, asked.id, second.id)


def test_one_is_warned_working_days_before_a_paper_runs_out(border, asked):
    last = date(2027, 3, 31)
    put(border, asked, "impact-assessment", until=last.isoformat())
    warn = filing.warned(border.site, last)
    assert warn < last - timedelta(days=border.site.settings.filing.warn_working_days)
    border.hands.now = midnight(border, warn - timedelta(days=1)) - 1
    assert filing.told(border.site) == (True, "no paper of a request runs out within 20 working days")
    border.hands.now += 1
    (near,) = filing.endings(border.site)
    assert (near.state, near.last, near.warn) == ("near", last, warn)
    assert filing.told(border.site)[0]
    border.hands.now = midnight(border, last)
    good, says = filing.told(border.site)
    assert not good
    assert "1 over" in says


def test_a_renewal_and_a_withdrawal_end_the_warning(border, asked):
    today = border.site.today()
    put(border, asked, "impact-assessment", until=today.isoformat())
    put(border, asked, "assessment", until=today.isoformat())
    assert len(filing.endings(border.site)) == 2
    put(border, asked, "impact-assessment", start=(today + timedelta(days=1)).isoformat())
    requests.withdraw_paper(border.site, asked, of(border, asked)[1].id, by="officer")
    assert filing.endings(border.site) == []


def test_the_law_says_by_when_an_assessment_is_renewed(border, asked):
    first = border.site.today()
    put(border, asked, "assessment", start=first.isoformat(), until=first.replace(year=first.year + 3).isoformat())
    assert filing.endings(border.site) == []
    border.hands.now += 2 * 365 * DAY + 280 * DAY
    (near,) = filing.endings(border.site)
    assert near.renewal < near.last
    assert near.article
    assert f"renewal by {near.renewal}" in filing.told(border.site)[1]
