"""The statutory lane as `onshore serve` runs it: in a thread, under a lock of its own, until told to stop."""

import json
import threading

import pytest

from forward_platform import Platform, running
from onshore.cli import forwarding
from onshore.gate.gb32960.protocol import Command
from onshore.site import open_site
from onshore.vault import lanes
from onshore.vault.lock import hold
from onshore.words.errors import Refusal
from waiting import until


def named(hands, port):
    folder = hands.site.folder
    (folder / "platform.password").write_text("secret\n")
    said = {"host": "127.0.0.1", "port": port, "jurisdiction": "CN", "code": "ONSHORE", "user": "onshore"}
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in said.items())
    text = (folder / "site.toml").read_text().split("\n[forward.")[0]
    (folder / "site.toml").write_text(f'{text}\n[forward.national]\npassword = "platform.password"\n{lines}')
    hands.site = open_site(folder, clock=lambda: hands.now)
    return hands.site


def test_it_sends_until_told_to_stop_and_logs_out(hands):
    with running(Platform()) as platform:
        site = named(hands, platform.port)
        hands.drive(1)
        assert "20 rows wait, last answer -" in forwarding.state(site)
        stop, ended = threading.Event(), []

        def run():
            forwarding.forward(site, forwarding.listed(site), stop)
            ended.append(True)

        thread = threading.Thread(target=run)
        thread.start()
        until(lambda: not lanes.waiting(site.engine))
        stop.set()
        thread.join(30)
        assert ended
        until(lambda: platform.heard[-1] == Command.PLATFORM_LOGOUT)
    assert "0 rows wait, last answer 2026" in forwarding.state(site)


def test_one_process_forwards(hands):
    site = named(hands, 1)
    with hold(site.folder / "locks" / "forward", "forward"), pytest.raises(Refusal, match="another process"):
        forwarding.forward(site, forwarding.listed(site), threading.Event())


def test_without_a_platform_nothing_is_sent_on(hands):
    assert "nothing is sent on" in forwarding.state(hands.site)
    assert forwarding.listed(hands.site) == []
