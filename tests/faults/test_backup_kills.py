"""Killed at every step of a backup or a restore: the former backup is whole, and the restore is asked for again."""

import os
import signal

import pytest

from backup_makers import asked, backed_up, kept, restored
from forks import FORKS
from onshore.cli.backing_up import back_up
from onshore.cli.deep import damage
from onshore.cli.restoring import restore
from onshore.ledger import verify
from onshore.ledger.__main__ import trust
from onshore.register import consents
from onshore.rights.erase import erase
from onshore.site import open_site
from onshore.vault.read import read_all_of


class Deadly:
    """A step that kills its own process the n-th time it comes by."""

    def __init__(self, at, nth=1):
        self.at, self.left = at, nth

    def __call__(self, step):
        if step == self.at:
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)


def killed(act, *said):
    child = FORKS.Process(target=act, args=said)
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL


def backing(folder, now, at, nth):
    back_up(open_site(folder, clock=lambda: now), folder.parent / "backup", Deadly(at, nth))


def restoring(what, now, at):
    restore(what, clock=lambda: now, randomness=os.urandom, step=Deadly(at))


def rows(site, vehicle):
    found = read_all_of(site.engine, site.root, site.vault, site.id, vehicle.id)
    return sum(table.num_rows for _, table in found)


@pytest.mark.parametrize(
    ("at", "nth"),
    [
        ("file written", 1),
        ("file written", 5),
        ("files synced", 1),
        ("key part written", 1),
        ("manifest in place", 1),
        ("tidied", 1),
    ],
)
def test_a_backup_that_was_killed_leaves_one_that_is_whole(hands, at, nth):
    kept(hands).drive(1)
    backed_up(hands)
    hands.drive(1)
    hands.now += 1000
    killed(backing, hands.site.folder, hands.now, at, nth)
    new, _ = restored(hands)
    assert rows(new, hands.car(1)) in {60, 120}
    assert list(damage(new)) == []
    backed_up(hands)
    newer, _ = restored(hands, "newer")
    assert rows(newer, hands.car(1)) == 120
    assert not list((hands.site.folder.parent / "backup").rglob("*.new"))


@pytest.mark.parametrize(
    "at",
    [
        "cleared",
        "file restored",
        "files restored",
        "papers restored",
        "ledger in place",
        "recalled",
        "drained",
        "erased",
        "told",
    ],
)
def test_a_restore_that_was_killed_is_asked_for_again_and_signs_nothing_otherwise(hands, at):
    kept(hands).allow(1)
    hands.drive(1, 2)
    backed_up(hands)
    erase(hands.site, hands.car(2), "owner")
    consents.withdraw(hands.site, hands.car(1))
    hands.site.settle()
    hands.now += 1000
    killed(restoring, asked(hands), hands.now, at)
    folder = hands.site.folder.parent
    assert not (folder / "new").exists()
    signed = folder / "new.part" / "ledger" / "checkpoint"
    seen = signed.read_bytes() if signed.exists() else None
    new, _ = restored(hands)
    assert (rows(new, hands.car(1)), rows(new, hands.car(2))) == (rows(hands.site, hands.car(1)), 0)
    assert all(consent.withdrawn for consent in consents.of_vehicle(new, hands.car(1).id))
    assert list(damage(new)) == []
    believed = trust(str(new.folder / "ledger" / "vkey"), None, None)
    believed = verify.Trust(believed.keys, since=seen)

    def read(name):
        path = new.folder / "ledger" / name
        return path.read_bytes() if path.exists() else None

    assert list(verify.log(read, believed))
    assert not (folder / "new.part").exists()
