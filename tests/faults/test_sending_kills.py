"""kill -9 before each commit of an upload, of going on with it, of cutting it off; and who acts between two parts."""

import hashlib
import json
import shutil
from dataclasses import replace

import pytest
from sqlalchemy import select

import life_acts
import sending_acts
from fault_steps import FORKS
from onshore.border import approvals, grants, life, moves, requests
from onshore.border.metering import meter
from onshore.border.sending import accounts, destinations, reconciling
from onshore.border.transfer import ship
from onshore.cli.init import regulator_key
from onshore.ledger.signer import Signer
from onshore.register import consents
from onshore.rights import cases
from onshore.rights.erase import erase
from onshore.site import open_site
from onshore.vault.papers import parcels, reading
from onshore.words.errors import Refusal
from onshore.words.permit import Transfer
from receiving import Authority
from sending_makers import Honest, Talker, answer

PAPERS = ("impact-assessment", "standard-contract", "export-notice", "separate-consent")


class Away:
    """A permitted request of two cars, and the server of its recipient, which a test may have act at a part."""

    def __init__(self, hands, folder, talker, authority, server):
        self.hands, self.server, self.acts = hands, server, {}
        patch = server.patch

        def patched(asked):
            at = int(asked.headers["upload-offset"]) // sending_acts.PART
            self.acts.pop(at, lambda: None)()
            return patch(asked)

        def deleted(asked):
            there = server.files.pop(asked.path, None) is not None  # a border that was killed asks once more
            return b"HTTP/1.1 204 X\r\n\r\n" if there else answer(404)

        server.patch, server.delete, self.talker = patched, deleted, talker
        with (folder / "site.toml").open("a") as file:
            url = f"https://localhost:{talker.port}/files"
            said = {"how": "https", "url": url, "jurisdiction": "DE", "ca": str(authority.file)}
            file.write("\n[recipients.stuttgart.send]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in said.items()))
        self.folder = folder
        self.reopen()
        for car in (1, 2):
            hands.allow(car)
        hands.drive(1, 2, seconds=100)
        self.request = Transfer("t1", "warranty-analysis", ("track",), "stuttgart", 0, hands.now + 86_400_000)
        requests.ask(self.site, self.request)
        for kind in PAPERS:
            requests.file_paper(self.site, self.request, kind, number="1", by="officer")
        hands.approve("t1")
        today = self.site.today()
        limits = {"persons": 2, "start": today, "until": today, "by": "regulator", "route": "contract-or-certificate"}
        signer = Signer("shanghai/regulator", regulator_key(folder).read_bytes())
        self.permit = grants.grant(self.site, grants.draft(self.site, self.request, **limits), signer)

    def reopen(self):
        self.site = self.hands.site = open_site(self.folder, clock=lambda: self.hands.now)

    def killed(self, act, turn):
        """Whether a process that does an act was killed before its turn-th commit, or else it came to its end."""
        child = FORKS.Process(target=sending_acts.do, args=(act, self.folder, self.hands.now, "t1", turn))
        child.start()
        child.join(120)
        assert child.exitcode in {0, -9, life_acts.REFUSED}, child.exitcode
        return child.exitcode == -9

    def look(self):
        """What the papers, the ledger, the meter, the folders and the other side say of each parcel is one."""
        self.site.settle()
        entries = [json.loads(raw) for raw in self.site.ledger.entries()]
        releases = {}
        for entry in entries:
            if entry["t"] == "release":
                releases.setdefault(entry["obj"], []).append(entry)
        there = {hashlib.sha256(body).hexdigest() for body in self.server.files.values()}
        with reading(self.site.engine) as conn:
            assert meter.wrong(conn) == []
            found = conn.execute(select(parcels)).all()
            for row in found:
                said = [entry["state"] for entry in releases.get(f"sha256:{row.sha256}", ())]
                counted, most = meter.of_parcel(conn, row.id), accounts.handed_over(conn, row.id)
                if row.state == "left":
                    assert (said, counted) == (["leaving"], 2)
                    assert row.sha256 in there
                elif row.state == "cut":
                    assert (said, counted) == (["leaving", "cut"], 2)
                    assert releases[f"sha256:{row.sha256}"][-1]["bytes"] == most > 0
                else:
                    assert row.state == "unsent"
                    assert (counted, most) == (0, 0)
                    assert said in ([], ["leaving", "unsent"])
        state = ""
        for entry in entries:
            if entry["t"] == "move" and entry["obj"] == life.named(self.request):
                assert entry.get("from", "") == state
                assert not state or entry["to"] in moves.LIFE[state]
                state = entry["to"]
        assert state == requests.find(self.site, "t1").state
        assert state not in moves.UNDER_WAY
        for folder in ("staging", "outbox"):
            assert not list((self.folder / folder).glob("*"))
        lines = {what: (good, says) for what, good, says in reconciling.looks(self.site)}
        assert lines["unexplained bytes"][0], lines["unexplained bytes"][1]
        return [row.state for row in sorted(found, key=lambda row: int(row.id.partition("-")[2]))]


@pytest.fixture
def away(hands, tmp_path):
    authority, server = Authority(tmp_path / "ca"), Honest()
    with Talker(authority, server) as talker:
        yield Away(hands, tmp_path / "site", talker, authority, server)


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
    away.acts[1] = lambda: (act(away), done.append(1))
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

    away.acts[1] = act
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

    away.acts[1] = act
    with pytest.raises(Refusal) as refused:
        ship(away.site, "t1")
    assert refused.value.reason == "consent-withdrawn"
