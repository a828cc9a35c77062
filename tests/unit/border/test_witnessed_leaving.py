"""No quorum of witnesses, nothing leaves; everything else goes on. A site that shows two histories is found out."""

import contextlib
import hashlib
import os
import shutil

import pytest
from click.testing import CliRunner

from onshore.cli import check, deep
from onshore.cli.verifying import verify
from onshore.ledger import client
from onshore.ledger.log import Log
from onshore.ledger.note import open_note, read_checkpoint, read_keys
from onshore.ledger.verify import Trust, parcel
from onshore.register import consents
from onshore.words.errors import Malformed, Refusal
from witness_makers import Watched


@pytest.fixture
def watched(border, tmp_path):
    with contextlib.ExitStack() as stack:
        yield Watched(border, stack, tmp_path)


@pytest.fixture
def request_(watched):
    """A request that may leave."""
    hands = watched.hands
    for car in (1, 2):
        hands.allow(car)
    hands.drive(1, 2)
    return watched.border.permitted()[0]


def digest_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_leaves_carries_the_cosignatures_of_a_quorum(watched, request_):
    shipped = watched.ship(request_)
    proof = shipped.file.with_suffix(".tlog-proof").read_bytes()
    trust = Trust(read_keys(watched.vkeys), watched.policy)
    said = [str(found) for found in parcel(proof, digest_of(shipped.file), trust)]
    assert any("the quorum 'enough' is reached" in line for line in said)


def test_one_witness_of_three_is_down(watched, request_):
    watched.stop(watched.witnesses[1])
    assert watched.ship(request_).rows


def test_two_are_down_and_intake_consents_and_receipts_go_on(watched, request_):
    hands = watched.hands
    watched.stop(watched.witnesses[0])
    watched.stop(watched.witnesses[2])
    says = watched.refused(request_)
    assert "w1: it does not answer" in says
    assert "w3: it does not answer" in says
    drained = hands.drive(1, seconds=5)
    assert sum(len(one.segments) for one in drained)
    given = hands.allow(3)[0]
    assert consents.receipt(watched.border.site, given)["proof"].startswith("c2sp.org/tlog-proof@v1")
    watched.start(watched.witnesses[0])
    assert watched.ship(request_).rows


def test_check_says_who_cosigned_and_who_is_away(watched, request_):
    watched.ship(request_)
    watched.stop(watched.witnesses[2])
    site = watched.border.site
    site.witnesses.gather(lambda: (site.ledger.log, 0))
    lines = watched.looks()
    assert [good for what, good, _ in lines if what == "witness"] == [True, True, True]
    assert "w3 (127.0.0.1, CN)" in lines[2][2]
    assert "does not answer" in lines[2][2]


def test_an_old_copy_of_the_ledger_is_put_back(watched, request_):
    """The operator ships, puts the ledger and papers back as they were, and goes on: the witnesses saw more."""
    site = watched.border.site
    site.settle()
    site.engine.dispose()
    shutil.copytree(site.folder / "ledger", site.folder.parent / "before")
    site.witnesses.gather(lambda: (site.ledger.log, 0))
    watched.ship(request_)
    old = site.ledger.log
    shutil.rmtree(site.folder / "ledger")
    shutil.copytree(site.folder.parent / "before", site.folder / "ledger")
    watched.reopen()
    site = watched.border.site
    assert site.ledger.log.size < old.size
    with pytest.raises(Refusal) as no:
        site.witnesses.proof(lambda: (site.ledger.log, 0))
    assert no.value.says.count("IT COSIGNED") >= 2
    lines = watched.looks()
    assert [good for what, good, _ in lines if what == "witness"].count(False) >= 2
    assert not lines[-1][1]
    assert "NOT reached" in lines[-1][2]


def test_two_heads_are_shown_to_two_witnesses(watched, request_):
    """The second head is refused by who saw the first, has no quorum by itself; both are there for anybody to see."""
    first, second, third = watched.witnesses
    site = watched.border.site
    site.settle()
    log = site.ledger.log
    entries = list(log.entries())
    other = Log(site.folder.parent / "other", site.key("ledger"), site.settings.site.origin)
    other.append([*entries[:-1], site.entry("site")])
    watched.stop(third)
    watched.stop(second)
    site.witnesses.gather(lambda: (log, 0))  # the first head is shown to the first witness alone
    watched.start(second)
    watched.stop(first)
    with pytest.raises(Refusal) as no:
        site.witnesses.proof(lambda: (other, 0))  # and the second to the second
    assert no.value.reason == "no-quorum"
    watched.start(first)
    says = watched.refused(request_)
    assert "w2: IT COSIGNED ANOTHER HISTORY OF THIS LOG" in says
    shown = [client.checkpoint(site.witnesses.places[w], site.settings.site.origin, 20).body for w in ("w1", "w2")]
    points = [read_checkpoint(open_note(raw, read_keys(watched.vkeys)).text) for raw in shown]
    assert points[1].root == read_checkpoint(other.checkpoint.rpartition("\n\n")[0] + "\n").root
    assert points[0].root != points[1].root
    (site.folder.parent / "seen").write_bytes(shown[1])
    key = str(site.folder / "ledger" / "vkey")
    asked = [str(site.folder / "ledger"), "--key", key, "--since", str(site.folder.parent / "seen")]
    found = CliRunner().invoke(verify, asked)
    assert found.exit_code == 3
    assert "does not extend the older checkpoint" in found.stdout


def test_a_policy_that_cannot_be_read_is_told(watched):
    (watched.border.site.folder / "witnesses.policy").write_text("quorum\n")
    watched.reopen()
    with pytest.raises(Malformed, match="policy, line 1"):
        watched.border.site.witnesses  # noqa: B018 (reading it is what is tried)
    assert watched.looks()[0][:2] == ("witnesses", False)


def test_a_witness_at_a_host_that_nobody_named(watched):
    toml = watched.border.site.folder / "site.toml"
    toml.write_text(toml.read_text().replace('"127.0.0.1"', '"witness.example"'))
    watched.reopen()
    with pytest.raises(Refusal) as no:
        watched.border.site.witnesses  # noqa: B018 (reading it is what is tried)
    assert no.value.reason == "witness-not-listed"


def test_a_policy_that_rots_is_told_by_a_deep_look(watched):
    """It is sealed with the settings, and goes into backups with them."""
    site = watched.border.site
    assert deep.note_seal(site)
    policy = site.folder / "witnesses.policy"
    was = policy.stat()
    policy.write_text(policy.read_text().replace("group enough 2", "group enough 1"))
    os.utime(policy, ns=(was.st_atime_ns, was.st_mtime_ns))
    found = CliRunner().invoke(check.check, ["--site", str(site.folder), "--deep"]).stdout
    assert "BAD  damage    witnesses.policy: " in found
