"""Killed while it queues or sends what the law has sent on: every frame arrives, and is there once in effect."""

import asyncio
import json
import os
import signal

import pytest

from forks import FORKS
from forward_platform import Platform, running
from onshore.gate.forward import client
from onshore.gate.forward.forwarder import Forwarder, Pace
from onshore.site import open_site
from onshore.vault import lanes
from onshore.vault.drain import drain
from onshore.vault.lanes import Sending
from onshore.vault.papers import reading
from onshore.vault.segments import segments_where
from waiting import until

PACE = Pace(window=5, patience_s=1.0, look_s=0.01, heartbeat_s=60)
STEPS = ["planned", "written", "committed", "unlinked"]


def forwarding(folder):
    """What `onshore serve` does for one endpoint, but without patience."""
    site = open_site(folder)
    one = Forwarder(site, client.endpoints(site)[0], client.connect, pace=PACE, sleep=lambda _: asyncio.sleep(0.01))
    asyncio.run(one.run())


def draining(folder, at):
    site = open_site(folder)

    def step(name):
        if name == at:
            os.kill(os.getpid(), signal.SIGKILL)

    drain(
        site.engine,
        site.root,
        site.vault,
        site.id,
        zone=site.pack.zone,
        clock=site.clock,
        randomness=site.randomness,
        announce=lambda _: site.entry("site"),
        sending=Sending(["national"]),
        step=step,
    )


def endpoint(hands, port):
    folder = hands.site.folder
    (folder / "platform.password").write_text("secret\n")
    said = {"host": "127.0.0.1", "port": port, "jurisdiction": "CN", "code": "ONSHORE", "user": "onshore"}
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in said.items())
    text = (folder / "site.toml").read_text().split("\n[forward.")[0]
    (folder / "site.toml").write_text(f'{text}\n[forward.national]\npassword = "platform.password"\n{lines}')
    hands.site = open_site(folder, clock=lambda: hands.now)


def test_killed_again_and_again_while_it_sends(hands):
    endpoint(hands, 1)
    hands.drive(1, 2, 3)
    with running(Platform()) as platform:
        endpoint(hands, platform.port)
        for heard in (3, 11, 12, 30, 47):
            child = FORKS.Process(target=forwarding, args=(hands.site.folder,))
            child.start()
            until(lambda many=heard: len(platform.kept) >= many)
            child.kill()
            child.join(60)
        child = FORKS.Process(target=forwarding, args=(hands.site.folder,))
        child.start()
        until(lambda: not lanes.waiting(hands.site.engine))
        child.kill()
        child.join(60)
    assert len(platform.kept) == 60
    assert all(len({frame[6:] for frame in frames}) == 1 for frames in platform.kept.values())


@pytest.mark.parametrize("at", STEPS)
def test_killed_at_every_step_of_queueing(hands, at):
    endpoint(hands, 1)
    journaled(hands)
    child = FORKS.Process(target=draining, args=(hands.site.folder, at))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    hands.site.drain()
    waiting = lanes.waiting(hands.site.engine)
    assert sum(lane.rows for lane in waiting) == 20
    files = sorted(path.stem for path in (hands.site.vault / "forward").rglob("*.lane"))
    assert files == sorted(lane.id for lane in waiting)
    with reading(hands.site.engine) as conn:
        positions = [s.rows for s in segments_where(conn) if s.place.category == "track"]
    assert sum(positions) == 20


def journaled(hands):
    """Twenty frames in a closed journal."""
    from onshore.cli.drives import computed
    from onshore.gate.gb32960 import encode
    from onshore.gate.gb32960.decode import decode
    from onshore.gate.intake import Intake
    from onshore.vault.journal import Journal

    site, vehicle = hands.site, hands.car(1).id
    frames = [encode.realtime(hands.vin(1), hands.now + m.offset, m.units) for m in computed(1, 20)]
    given = {"site": site.id, "gate": "0", "clock": site.clock, "randomness": site.randomness}
    with Journal(site.engine, site.root, site.vault, **given) as journal:
        Intake(site, journal).take_in(decode(frames, [vehicle] * 20, hands.now).batch)
