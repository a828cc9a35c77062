"""The statutory lane as `onshore serve` runs it: in a thread, under a lock of its own, until told to stop."""

import json
import threading

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from forward_platform import Platform, running
from onshore.cli import forwarding
from onshore.cli.main import cli
from onshore.desk.looks import platforms
from onshore.gate.gb32960.protocol import Command
from onshore.rights.erase import erase
from onshore.site import open_site
from onshore.vault import lanes, unsent
from onshore.vault.lock import hold
from onshore.vault.papers import entries, reading
from onshore.vault.segments import Shelf
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
        assert "20 rows wait, last answer -" in platforms.state(site)
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
    assert "0 rows wait, last answer 2026" in platforms.state(site)


def test_one_process_forwards(hands):
    site = named(hands, 1)
    with hold(site.folder / "locks" / "forward", "forward"), pytest.raises(Refusal, match="another process"):
        forwarding.forward(site, forwarding.listed(site), threading.Event())


def test_without_a_platform_nothing_is_sent_on(hands):
    assert "nothing is sent on" in platforms.state(hands.site)
    assert forwarding.listed(hands.site) == []


def looks(site):
    """The lines of `onshore check` about what is sent on: what is good, and what it says."""
    done = CliRunner().invoke(cli, ["check", "--deep", "--json", "--site", str(site.folder)])
    return [(line["good"], line["says"]) for line in json.loads(done.output) if line["what"] == "forward"]


def act(site, *words):
    return CliRunner().invoke(cli, ["forward", *words, "--as", "operator", "--site", str(site.folder)])


def given_up(hands):
    hands.site.settle()
    with reading(hands.site.engine) as conn:
        said = [json.loads(body) for body in conn.scalars(select(entries.c.body))]
    return [(e["to"], e["rows"], e["why"]) for e in said if e["t"] == "unsent"]


def unnamed(hands):
    path = hands.site.folder / "site.toml"
    path.write_text(path.read_text().split("\n[forward.")[0])
    hands.site = open_site(hands.site.folder, clock=lambda: hands.now)
    return hands.site


def test_what_waits_for_a_platform_that_is_no_longer_named_is_seen_and_given_up_deliberately(hands):
    site = named(hands, 1)
    hands.drive(1)
    [(good, _)] = looks(site)
    assert good
    assert "still-listed" in str(refused(site, "national").reason)
    assert act(site, "drop", "national").exit_code == 1
    site = unnamed(hands)
    (good, _), (bad, says) = looks(site)
    assert (good, bad) == (True, False)
    assert "20 rows" in says
    assert "onshore forward drop national" in says
    assert act(site, "drop", "national").exit_code == 0
    assert given_up(hands) == [("national", 20, "unlisted")]
    assert lanes.waiting(site.engine) == []
    assert list((site.vault / "forward").rglob("*.lane")) == []
    assert [good for good, _ in looks(site)] == [True]
    assert act(site, "drop", "national").exit_code == 1


def refused(site, endpoint):
    with pytest.raises(Refusal) as said:
        forwarding.drop(site, endpoint, "unlisted")
    return said.value


def test_what_was_refused_too_often_is_seen_and_tried_again_or_given_up(hands):
    site = named(hands, 1)
    hands.drive(1)
    [lane] = lanes.waiting(site.engine)
    left = lanes.acknowledged(site.engine, lane, 20, [3, 4], hands.now)
    shelf = Shelf(site.root, site.vault, site.id)
    unsent.settle(site.engine, shelf, left, None, lambda *_: None, site.randomness)
    (_, _), (bad, says) = looks(site)
    assert (bad, "refused 2 rows" in says) == (False, True)
    assert json.loads(act(site, "again", "national", "--json").output) == {"endpoint": "national", "rows": 2}
    assert len(looks(site)) == 1
    assert act(site, "again", "national").exit_code == 0
    [lane] = lanes.waiting(site.engine)
    left = lanes.acknowledged(site.engine, lane, 2, [0, 1], hands.now)
    unsent.settle(site.engine, shelf, left, None, lambda *_: None, site.randomness)
    done = act(site, "drop", "national", "--refused", "--json")
    assert json.loads(done.output) == {"endpoint": "national", "rows": 2}
    assert given_up(hands) == [("national", 2, "refused")]


def test_a_lost_file_is_seen_by_its_name_and_given_up(hands):
    site = named(hands, 1)
    hands.drive(1)
    hands.now += 1000
    hands.drive(2)
    gone, altered = (site.vault / lanes.path_of("national", lane.id) for lane in lanes.waiting(site.engine))
    gone.unlink()
    altered.write_bytes(bytes(200))
    lines = looks(site)
    assert [good for good, _ in lines] == [True, False, False]
    assert gone.name in lines[1][1]
    assert altered.name in lines[2][1]
    assert act(site, "drop", "national", "--lost").exit_code == 0
    assert given_up(hands) == [("national", 40, "lost")]
    assert [good for good, _ in looks(site)] == [True]
    assert not altered.exists()


def test_a_lost_file_stops_no_erasure_and_the_certificate_tells_of_it(hands):
    site = named(hands, 1)
    hands.drive(1)
    [lane] = lanes.waiting(site.engine)
    (site.vault / lanes.path_of("national", lane.id)).unlink()
    done = erase(site, hands.car(1), "officer")
    assert done.state == "done"
    assert "1 lost files of the statutory lane" in done.certificate["remains"]
    assert "lost" not in erase(site, hands.car(2), "officer").certificate["remains"].replace("1 lost", "")
