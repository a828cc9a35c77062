"""kill -9 before each commit of an upload, of going on with it, of cutting it off; and who acts between two parts."""

import shutil
from dataclasses import replace

import pytest
from sqlalchemy import select

import sending_acts
from away_makers import Away
from onshore.border import approvals, grants, requests
from onshore.border.sending import accounts, destinations
from onshore.border.transfer import ship
from onshore.register import consents
from onshore.rights import cases
from onshore.rights.erase import erase
from onshore.vault.papers import parcels, reading
from onshore.words.errors import Refusal
from receiving import Authority
from sending_makers import Honest, Talker, answer


class Acting(Honest):
    """A server that has somebody act as it is sent a part: `acts` by the part's number, from 0."""

    def __init__(self):
        super().__init__()
        self.acts = {}

    def patch(self, asked):
        self.acts.pop(int(asked.headers["upload-offset"]) // sending_acts.PART, lambda: None)()
        return super().patch(asked)

    def delete(self, asked):
        there = self.files.pop(asked.path, None) is not None  # a border that was killed asks once more
        return b"HTTP/1.1 204 X\r\n\r\n" if there else answer(404)


@pytest.fixture
def away(hands, tmp_path):
    authority, server = Authority(tmp_path / "ca"), Acting()
    with Talker(authority, server) as talker:
        url = f"https://localhost:{talker.port}/files"
        said = {"how": "https", "url": url, "jurisdiction": "DE", "ca": str(authority.file)}
        here = Away(hands, tmp_path / "site", server, said)
        here.talker = talker
        yield here


@pytest.fixture
def small_parts(monkeypatch):
    of = destinations.of
    monkeypatch.setattr(destinations, "of", lambda *said: replace(of(*said), part=sending_acts.PART))


def test_an_upload_that_is_killed_at_every_commit_gets_there_once_or_not_at_all(away, small_parts):
    turn, seen = 1, set()
    while away.killed("ship", turn):
        sending_acts.take_up(away.site)
        seen.update(away.look())
        turn += 1
    assert turn > 10
    assert away.look()[-1] == "left"
    assert seen == {"unsent", "left"}


def test_a_revocation_after_a_kill_cuts_the_rest_off_and_the_cut_survives_kills(away):
    assert begun(away), "no part was handed over before the kill"
    grants.revoke(away.site, away.permit.id)
    turn = 1
    while away.killed("take up", turn):
        turn += 1
    assert turn > 1
    assert away.look() == ["cut"]
    assert requests.find(away.site, "t1").state == "revoked"
    assert "DELETE" in {asked.method for asked in away.talker.heard}, "the server was asked to do away with it"


def begun(away):
    """Kill an upload at a commit at which some of it is handed over, others being tried on copies."""
    shutil.copytree(away.folder, away.folder.with_name("before"))
    for turn in range(8, 30):
        assert away.killed("ship", turn)
        with reading(away.site.engine) as conn:
            row = conn.execute(select(parcels.c.id, parcels.c.state)).first()
            if row is not None and row.state == "sending" and accounts.handed_over(conn, row.id):
                return True
        away.site.engine.dispose()
        shutil.rmtree(away.folder)
        shutil.copytree(away.folder.with_name("before"), away.folder)
        away.reopen()
    return False


def resumed(away):
    approvals.suspend(away.site, "t1", "officer")
    approvals.resume(away.site, "t1", "deputy")


ACTS = {
    "the permit is revoked": (lambda a: grants.revoke(a.site, a.permit.id), "permit-revoked"),
    "the request is suspended": (lambda a: approvals.suspend(a.site, "t1", "officer"), "suspended"),
    "it is suspended and taken up again": (resumed, "halted"),
    "an officer says no": (lambda a: approvals.refuse(a.site, "t1", "officer"), "halted"),
    "a consent is withdrawn": (lambda a: consents.withdraw(a.site, a.hands.car(2)), "consent-withdrawn"),
    "a car is restricted": (lambda a: cases.opened(a.site, a.hands.car(2), "restrict", "officer"), "restricted"),
    "a car is erased": (lambda a: erase(a.site, a.hands.car(2), "owner"), "restricted"),
}


@pytest.mark.parametrize("what", ACTS)
def test_what_comes_between_two_parts_stops_the_next_one(away, small_parts, what):
    act, reason = ACTS[what]
    done = []
    away.server.acts[1] = lambda: (act(away), done.append(1))
    with pytest.raises(Refusal) as refused:
        ship(away.site, "t1")
    assert refused.value.reason == reason
    assert done == [1]
    assert away.look() == ["cut"]
    with reading(away.site.engine) as conn:
        assert accounts.handed_over(conn, "t1-1") == 2 * sending_acts.PART, "the part that was on its way, no other"


def test_a_clock_that_steps_back_between_two_parts_hides_no_withdrawal(away, small_parts):
    def act():
        away.hands.now -= 3000  # less than [clock] tolerates
        consents.withdraw(away.site, away.hands.car(2))

    away.server.acts[1] = act
    with pytest.raises(Refusal) as refused:
        ship(away.site, "t1")
    assert refused.value.reason == "consent-withdrawn"
    assert away.look() == ["cut"]


def test_a_consent_that_runs_out_between_two_parts_stops_the_next_one(away, small_parts):
    consents.withdraw(away.site, away.hands.car(2))
    away.hands.allow(2, until=away.hands.now + 60_000)
    start = away.hands.now
    away.hands.drive(2, seconds=30, start=start)

    def act():
        away.hands.now = start + 120_000

    away.server.acts[1] = act
    with pytest.raises(Refusal) as refused:
        ship(away.site, "t1")
    assert refused.value.reason == "consent-withdrawn"
