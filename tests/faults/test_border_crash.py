"""kill -9 at each step of an export: either nothing left, or everything is accounted for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from onshore.border import grants, requests
from onshore.border.metering import meter
from onshore.border.transfer import ship
from onshore.border.underway import resume
from onshore.cli.init import regulator_key
from onshore.ledger.signer import Signer
from onshore.register import consents
from onshore.rights.erase import erase
from onshore.vault.papers import parcels, reading
from onshore.words.permit import Transfer

STEPS = {
    "before anything is sealed": "onshore.border.sealing.seal_stream",
    "sealed, not yet in the ledger": "onshore.border.sealing.Sealed",
    "in the papers, not yet under a checkpoint": "onshore.site.Site.proof",
    "under a checkpoint, not yet sent": "onshore.border.underway.send",
    "half sent": "pathlib.Path.replace",
    "sent, not yet noted": "onshore.border.metering.meter.of_parcel",
}
_DIES = """
import os, signal, sys
from pathlib import Path
from importlib import import_module
from onshore.border.transfer import ship
from onshore.site import open_site

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

module, _, name = sys.argv[3].rpartition(".")
classes = {"onshore.site.Site": ("onshore.site", "Site"), "pathlib.Path": ("pathlib", "Path")}
owner = getattr(import_module(classes[module][0]), classes[module][1]) if module in classes else import_module(module)
setattr(owner, name, die)
ship(open_site(Path(sys.argv[1]), clock=lambda: int(sys.argv[4])), sys.argv[2])
"""


@pytest.fixture
def permitted(hands):
    hands.allow(1)
    hands.drive(1)
    site, today = hands.site, hands.site.today()
    request = Transfer("t1", "warranty-analysis", ("track",), "stuttgart", hands.now - 86_400_000, hands.now + 1)
    requests.ask(site, request)
    for kind in ("impact-assessment", "standard-contract", "export-notice", "separate-consent"):
        requests.file_paper(site, request, kind, number="1", by="officer", until=None, sha256=None)
    hands.approve(request.id)
    signer = Signer("shanghai/regulator", regulator_key(site.folder).read_bytes())
    drafted = grants.draft(site, request, persons=3, start=today, until=today, by="regulator", route="assessment")
    return hands, grants.grant(site, drafted, signer)


def kill_at(hands, step):
    source = Path(requests.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _DIES, str(hands.site.folder), "t1", STEPS[step], str(hands.now)],
        env=os.environ | {"PYTHONPATH": str(source)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == -9, done.stderr


def states(site):
    with reading(site.engine) as conn:
        return {row.id: row.state for row in conn.execute(select(parcels.c.id, parcels.c.state))}


def releases(site):
    site.settle()
    entries = [json.loads(e) for e in site.ledger.entries()]
    return [e["state"] for e in entries if e["t"] == "release"]


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_export_left_whole_or_not_at_all(permitted, step):
    hands, permit = permitted
    kill_at(hands, step)
    site = hands.site
    resume(site)
    outbox = sorted(p.name for p in (site.folder / "outbox").iterdir())
    if step == "sent, not yet noted":
        assert states(site) == {"t1-1": "left"}
        assert releases(site) == ["leaving"]
        assert outbox == ["t1-1.parcel", "t1-1.tlog-proof"]
        assert grants.show(site, permit.id).used == 1
    else:
        assert states(site) == {"t1-1": "unsent"}
        assert releases(site) in ([], ["leaving", "unsent"])
        assert outbox == []
        assert grants.show(site, permit.id).used == 0
    assert list((site.folder / "staging").glob("*")) == []
    assert ship(site, "t1").persons == 1  # and the road is open again


NOT_SENT = "in the papers, not yet under a checkpoint", "under a checkpoint, not yet sent", "half sent"


@pytest.mark.parametrize("step", NOT_SENT)
def test_what_fell_after_a_crash_is_not_in_the_next_parcel(permitted, step):
    hands, permit = permitted
    hands.allow(2)
    hands.allow(3)
    hands.drive(2, 3)
    kill_at(hands, step)
    site = hands.site
    assert (site.folder / "outbox" / "t1-1.tlog-proof").exists() == (step == "half sent")
    erase(site, hands.car(2), "owner")
    consents.withdraw(site, hands.car(3))
    shipped = ship(site, "t1")
    assert states(site) == {"t1-1": "unsent", "t1-2": "left"}
    assert releases(site) == ["leaving", "unsent", "leaving"]
    assert (shipped.persons, grants.show(site, permit.id).used) == (1, 1)
    assert sorted(p.name for p in (site.folder / "outbox").iterdir()) == ["t1-2.parcel", "t1-2.tlog-proof"]


@pytest.mark.parametrize("step", NOT_SENT)
def test_a_permit_revoked_after_a_crash_holds_the_parcel_back(permitted, step):
    hands, permit = permitted
    kill_at(hands, step)
    site = hands.site
    grants.revoke(site, permit.id)
    resume(site)
    assert states(site) == {"t1-1": "unsent"}
    assert releases(site) == ["leaving", "unsent"]
    assert list((site.folder / "outbox").iterdir()) == []
    with reading(site.engine) as conn:
        assert meter.used(conn, permit.id) == 0


def test_a_parcel_that_was_fetched_before_it_was_noted_left(permitted):
    hands, permit = permitted
    kill_at(hands, "sent, not yet noted")
    for path in (hands.site.folder / "outbox").iterdir():
        path.unlink()
    assert ship(hands.site, "t1").id == "t1-1"  # that one is told of, and no other is made
    assert states(hands.site) == {"t1-1": "left"}
    assert grants.show(hands.site, permit.id).used == 1


@pytest.mark.parametrize("harm", [lambda p: p.write_bytes(b"x"), lambda p: p.unlink()])
def test_a_staged_file_that_somebody_touched_after_a_crash_stops_nobody(permitted, harm):
    hands, _ = permitted
    kill_at(hands, "in the papers, not yet under a checkpoint")
    harm(hands.site.folder / "staging" / "t1-1.parcel")
    assert ship(hands.site, "t1").persons == 1
    assert states(hands.site) == {"t1-1": "unsent", "t1-2": "left"}
