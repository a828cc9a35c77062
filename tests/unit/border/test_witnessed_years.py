"""A site over New Year with witnesses that run, and what the ledger says of the policy by which things leave."""

import contextlib
import shutil
from datetime import datetime

import pytest

from backup_makers import backed_up, kept, restored
from onshore.ledger.entry import digest, read
from onshore.ledger.note import read_keys
from onshore.ledger.verify import Trust, proof
from onshore.rights.erase import erase
from onshore.site import Site, open_site
from onshore.vault.papers import writing
from witness_makers import Watched, policy_of

NEW_YEAR = int(datetime.fromisoformat("2027-01-01T00:00:00+08:00").timestamp() * 1000)


@pytest.fixture
def watched(border, tmp_path):
    with contextlib.ExitStack() as stack:
        yield Watched(border, stack, tmp_path)


@pytest.fixture
def request_(watched):
    hands = watched.hands
    for car in (1, 2):
        hands.allow(car)
    hands.drive(1, 2)
    return watched.border.permitted()[0]


def told(site, kind):
    return [said for said in map(read, site.ledger.entries()) if said["t"] == kind]


def vouched(watched, number):
    """Which log a proof is of, once it holds by the policy and the keys that the site had at first."""
    text = watched.border.site.witnessed_proof(number)
    said = [str(one) for one in proof(text.encode(), Trust(read_keys(watched.vkeys), watched.policy))]
    assert any("the quorum 'enough' is reached" in line for line in said)
    return said[0].split(" ")[4]


def test_leaving_does_not_stop_at_new_year(watched):
    """The same witnesses, with the same keys trusted, nobody having touched them, take the next year's log."""
    site, hands = watched.border.site, watched.hands
    origin = site.settings.site.origin
    hands.now = NEW_YEAR - 60_000
    with writing(site.engine) as conn:
        old = site.hand_in(conn, site.entry("recall", obj=digest("old")))
    assert vouched(watched, old) == origin
    hands.now = NEW_YEAR + 60_000
    with writing(site.engine) as conn:
        new = site.hand_in(conn, site.entry("recall", obj=digest("new")))
    assert vouched(watched, new) == f"{origin}/2027"
    assert vouched(watched, old) == origin, "what was entered before New Year may still leave after it"
    for one in watched.witnesses:
        watched.stop(one)
        watched.start(one)
    hands.now += 2 * 86_400_000
    with writing(site.engine) as conn:
        newer = site.hand_in(conn, site.entry("recall", obj=digest("newer")))
    assert vouched(watched, newer) == f"{origin}/2027"
    assert not site.witnesses.gather(lambda: (site.reopened().log, 0)).missing
    assert all(f"{origin}/2027" in one.witness.logs for one in watched.witnesses)


def test_one_round_of_witnesses_a_shipment(watched, request_, monkeypatch):
    asked, real = [], Site.witnessed_proof
    monkeypatch.setattr(Site, "witnessed_proof", lambda site, number: asked.append(number) or real(site, number))
    assert watched.ship(request_).rows
    assert len(asked) == 1


def test_the_ledger_says_which_policy_the_quorum_is_of(watched, request_):
    site = watched.border.site
    policy = site.folder / "witnesses.policy"
    strong = policy.read_bytes()
    watched.ship(request_)
    said = told(site.reopened() and site, "witnesses")
    assert [(one["state"], one["obj"], one["witnesses"]) for one in said] == [("asked", digest(strong), 3)]
    site.witnessed_proof(1)
    assert len(told(site, "witnesses")) == 1, "once for each change"
    policy.write_text(policy_of(*watched.witnesses, quorum="1"))
    watched.reopen()
    site = watched.border.site
    site.witnessed_proof(1)
    toml = site.folder / "site.toml"
    toml.write_text(toml.read_text().replace('policy = "witnesses.policy"', ""))
    watched.reopen()
    site = watched.border.site
    text = site.witnessed_proof(1)
    states = [(one["state"], one.get("obj")) for one in told(site.reopened() and site, "witnesses")]
    assert states == [("asked", digest(strong)), ("asked", digest(policy.read_bytes())), ("none", None)]
    assert f"\n{site.ledger.size}\n" in text, "under the very checkpoint by which things leave"


def test_a_person_is_erased_while_there_is_no_quorum(watched, request_):
    for one in watched.witnesses[:2]:
        watched.stop(one)
    site, car = watched.border.site, watched.hands.car(1)
    watched.refused(request_)
    erase(site, car, "owner")
    assert told(site.reopened() and site, "erase")[-1]["rows"]
    for one in watched.witnesses[:2]:
        watched.start(one)
    assert watched.ship(request_).persons == 1, "of the other car"


def test_a_site_restored_with_its_policy_goes_on_under_it(watched, request_):
    """The ledger of since is brought along, so witnesses cosign on; of an old copy alone they would not."""
    hands = watched.hands
    kept(hands)
    backed_up(hands)
    watched.ship(request_)
    new, _ = restored(hands)
    assert new.witnesses.digest == hands.site.witnesses.digest
    assert new.witnessed_proof(1)
    assert told(new.reopened() and new, "witnesses")[-1]["state"] == "asked"


def test_a_ledger_rolled_back_together_with_a_copy_of_the_papers(watched, request_):
    """Papers and log agree with each other, so only the witnesses know: nothing leaves of it."""
    site = watched.border.site
    if not (site.folder / "papers.sqlite").exists():
        pytest.skip("a copy of the folder holds no papers where a server has them")
    site.settle()
    site.engine.dispose()
    shutil.copytree(site.folder, site.folder.parent / "copy", ignore=shutil.ignore_patterns("*.sock", "outbox"))
    watched.ship(request_)
    site.engine.dispose()
    watched.border.site = watched.hands.site = open_site(site.folder.parent / "copy", clock=watched.hands_clock)
    says = watched.refused(request_)
    assert says.count("IT COSIGNED ANOTHER HISTORY OF THIS LOG: this ledger was altered, or forked") >= 2
