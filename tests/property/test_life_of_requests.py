"""Whatever people do in whatever order, a request stands where its table of moves and its ledger say, no further."""

import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from onshore.border import approvals, grants, life, moves, requests
from onshore.border.transfer import ship
from onshore.cli.init import regulator_key
from onshore.ledger.signer import Signer
from onshore.vault.papers import parcels, permits, reading, transfer_papers
from onshore.words.errors import Refusal
from onshore.words.permit import Transfer

PAPERS = ("impact-assessment", "standard-contract", "export-notice", "separate-consent")
DAY = 86_400_000
PEOPLE = ("officer", "deputy", "engineer")


class Request:
    """One request at a site, and what may be done to it."""

    def __init__(self, hands, asked_by):
        self.hands, self.site = hands, hands.site
        start, until = hands.now - DAY, hands.now + DAY
        name = self.site.randomness(8).hex()
        self.asked = Transfer(name, "warranty-analysis", ("track",), "stuttgart", start, until, asked_by=asked_by)
        requests.ask(self.site, self.asked)

    def paper(self, number):
        requests.file_paper(self.site, self.asked, PAPERS[number % 4], number=str(number), by="officer")

    def papers(self, _):
        for number in range(4):
            self.paper(number)

    def withdraw(self, number):
        t = transfer_papers.c
        with reading(self.site.engine) as conn:
            mine = list(conn.execute(select(t.id).where(t.transfer == self.asked.id, t.withdrawn.is_(None))).scalars())
        if mine:
            requests.withdraw_paper(self.site, self.asked, mine[number % len(mine)], by="officer")

    def approve(self, number):
        approvals.approve(self.site, self.asked.id, PEOPLE[number % 3])

    def both(self, _):
        for name in PEOPLE[:2]:
            approvals.approve(self.site, self.asked.id, name)

    def grant(self, number):
        today = self.site.today()
        limits = {"persons": 1 + number % 2, "start": today, "until": today}
        draft = grants.draft(self.site, self.asked, **limits, by="regulator", route="contract-or-certificate")
        grants.grant(self.site, draft, Signer("shanghai/regulator", regulator_key(self.site.folder).read_bytes()))

    def revoke(self, _):
        mine = (permits.c.transfer == self.asked.id) & permits.c.revoked.is_(None)
        with reading(self.site.engine) as conn:
            found = conn.execute(select(permits.c.id).where(mine)).scalar()
        if found:
            grants.revoke(self.site, found)

    def ship(self, _):
        ship(self.site, self.asked.id)

    def officer(self, number):
        act = (approvals.suspend, approvals.resume, approvals.refuse, approvals.resume, approvals.close)[number % 5]
        act(self.site, self.asked.id, PEOPLE[number % 2])

    def judge(self, _):
        requests.rejudge(self.site, self.asked)

    def tomorrow(self, _):
        self.hands.now += DAY
        life.expire(self.site)

    def state(self):
        return requests.find(self.site, self.asked.id).state

    def look(self):
        """What holds after every act."""
        self.site.settle()
        entries = [json.loads(raw) for raw in self.site.ledger.entries()]
        mine = [e for e in entries if e.get("obj") == life.named(self.asked)]
        state, given_now = "", 0
        for entry in mine:
            if entry["t"] == "move":
                assert entry.get("from", "") == state
                assert not state or entry["to"] in moves.LIFE[state]
                state = entry["to"]
            elif entry["t"] == "approval":
                given_now += 1 if entry["state"] == "given" else -1
            if entry["t"] == "move" and state == "reserved":
                assert given_now >= life.NEEDED
        assert state == self.state()
        with reading(self.site.engine) as conn:
            told = [row.new for row in life.told(conn, self.asked.id)]
            who = [row.by for row in life.approvals(conn, self.asked.id) if row.lapsed is None]
            gone = conn.execute(select(parcels.c.state).where(parcels.c.transfer == self.asked.id)).scalars().all()
        assert told == [e["to"] for e in mine if e["t"] == "move"]
        assert len(who) == len(set(who)) == given_now
        assert not {self.asked.asked_by, "engineer"} & set(who)
        assert gone.count("left") == told.count("left")
        assert set(gone) <= {"left", "unsent"}
        assert state not in moves.UNDER_WAY


ACTS = (
    *("paper", "papers", "papers", "withdraw", "approve", "both", "both", "grant", "grant", "revoke", "ship", "ship"),
    *("officer", "judge", "tomorrow"),
)


@pytest.fixture
def driven(hands):
    hands.allow(1)
    hands.drive(1)
    return hands


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PEOPLE), st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 9)), min_size=4, max_size=12))
def test_a_request_stands_where_its_ledger_says(driven, asked_by, acts):
    request = Request(driven, asked_by)
    for act, number in [("papers", 0), ("both", 0), ("grant", 1)][: len(acts) % 4] + acts:
        with suppress(Refusal):
            getattr(request, act)(number)
        request.look()
