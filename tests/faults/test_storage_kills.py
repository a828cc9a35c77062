"""kill -9 over an upload to S3-compatible storage: before each commit, and before and after each request is done."""

import os
import signal

import pytest

import sending_acts
from away_makers import Away
from onshore.border import grants, requests
from onshore.border.sending import accounts, destinations
from onshore.border.transfer import ship
from onshore.vault.papers import reading
from onshore.words.errors import Refusal
from receiving import Authority
from sending_makers import Talker
from storage_makers import Bucket


@pytest.fixture
def away(hands, tmp_path, monkeypatch):
    authority, server = Authority(tmp_path / "ca"), Bucket()
    (tmp_path / "keys").write_text("access\nsecret\n")
    of = destinations.of
    monkeypatch.setattr(destinations, "of", lambda *said: sending_acts.of_small(of, *said))
    with Talker(authority, server) as talker:
        said = {"how": "s3", "url": f"https://localhost:{talker.port}/parcels", "jurisdiction": "DE"}
        said |= {"ca": str(authority.file), "keys": str(tmp_path / "keys"), "region": "eu-central-1"}
        yield Away(hands, tmp_path / "site", server, said)


def killed_at(away, act, number, when):
    """Whether the storage killed the process of an act at its number-th request, heard or done by then."""

    def strike(at, now):
        if (at, now) == (number, when):
            os.kill(away.child.pid, signal.SIGKILL)  # it waits for the answer, and reads none any more

    away.server.anew(strike)
    was = away.killed(act)
    away.server.anew(lambda *_: None)
    return was


def parts(away):
    """Parts that lie in the storage, put together or not."""
    return [body for _, some in away.server.uploads.values() for body in some.values()]


def test_an_upload_that_is_killed_at_every_commit_gets_there_once_or_not_at_all(away):
    turn, seen = 1, set()
    while away.killed("ship", turn):
        sending_acts.take_up(away.site)
        seen.update(away.look())
        assert parts(away) == []
        turn += 1
    assert turn > 20
    assert away.look()[-1] == "left"
    assert seen == {"unsent", "left"}


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_upload_that_is_killed_at_every_request_gets_there_once_or_not_at_all(away, when):
    number, seen = 1, set()
    while killed_at(away, "ship", number, when):
        sending_acts.take_up(away.site)
        seen.update(away.look())
        assert parts(away) == []
        number += 1
    assert number > 5
    assert away.look()[-1] == "left"
    assert seen == {"unsent", "left"}


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_a_revocation_cuts_off_is_cut_off_however_often_that_is_killed(away, when):
    assert killed_at(away, "ship", 4, "after"), "the proof is put, an upload begun, two parts are there"
    assert parts(away)
    grants.revoke(away.site, away.permit.id)
    number = 1
    while killed_at(away, "take up", number, when):
        number += 1
    assert number > 1
    assert away.look() == ["cut"]
    assert parts(away) == []
    assert not [path for path in away.server.files if path.endswith(".parcel")]
    assert requests.find(away.site, "t1").state == "revoked"


def test_a_revocation_between_two_parts_stops_the_next_one(away):
    def strike(number, when):
        if (number, when) == (4, "before"):
            grants.revoke(away.site, away.permit.id)

    away.server.anew(strike)
    with pytest.raises(Refusal) as refused:
        ship(away.site, "t1")
    assert refused.value.reason == "permit-revoked"
    assert away.look() == ["cut"]
    assert (parts(away), away.server.files) == ([], {})
    with reading(away.site.engine) as conn:
        assert accounts.handed_over(conn, "t1-1") == 2 * sending_acts.PART
