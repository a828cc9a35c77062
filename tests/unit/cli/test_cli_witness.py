"""onshore witness: made in an empty folder, told of logs, shown; and the thread that asks witnesses for a site."""

import json
import threading
from dataclasses import replace

import pytest
from click.testing import CliRunner

from onshore.cli import egress, witnessing
from onshore.cli.main import cli
from onshore.desk.looks import witnesses
from onshore.ledger import client
from onshore.ledger.note import read_keys
from onshore.ledger.signer import Signer
from onshore.words.errors import Malformed
from onshore.words.settings_border import Witnesses, WitnessHost
from waiting import until
from witness_makers import Running, policy_of

LOG = Signer("example.org/log", b"s" * 32)


def onshore(*arguments):
    return CliRunner().invoke(cli, ["witness", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path):
    made = onshore("init", "--dir", tmp_path / "w", "--name", "w.example", "--log", LOG.vkey)
    assert made.exit_code == 0
    return tmp_path / "w"


def test_a_witness_needs_no_site(folder):
    shown = onshore("show", "--dir", folder)
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert len(read_keys("\n".join(lines[:2]))) == 2
    assert lines[2] == "example.org/log  nothing cosigned yet"


def test_in_json(tmp_path):
    made = json.loads(onshore("init", "--dir", tmp_path / "w", "--name", "w.example", "--json").stdout)
    shown = json.loads(onshore("show", "--dir", tmp_path / "w", "--json").stdout)
    assert made["vkeys"] == shown["vkeys"]
    assert (made["logs"], shown["logs"]) == ([], [])


def test_logs_are_added_by_file_or_key(folder, tmp_path):
    others = [Signer(f"example.org/{n}", bytes([n]) * 32).vkey for n in range(3)]
    (tmp_path / "vkey").write_text(f"{others[0]}\n{others[1]}\n")
    assert onshore("trust", "--dir", folder, tmp_path / "vkey", others[2]).exit_code == 0
    shown = json.loads(onshore("show", "--dir", folder, "--json").stdout)
    assert [one["log"] for one in shown["logs"]] == ["example.org/log", *(f"example.org/{n}" for n in range(3))]


def test_what_it_refuses(folder, tmp_path):
    assert onshore("init", "--dir", folder, "--name", "w.example").exit_code == 1
    assert onshore("trust", "--dir", folder, "nonsense+x").exit_code == 2
    assert onshore("trust", "--dir", folder, folder / "vkey").exit_code == 2
    assert onshore("show", "--dir", tmp_path / "none").exit_code == 2
    assert onshore("serve", "--dir", tmp_path / "none", "--port", 0).exit_code == 2
    assert onshore("serve", "--dir", folder, "--port", 0, "--key", "x").exit_code == 2
    (tmp_path / "pem").write_text("no PEM")
    pem = tmp_path / "pem"
    assert onshore("serve", "--dir", folder, "--port", 0, "--key", pem, "--certificate", pem).exit_code == 2


@pytest.fixture
def watched(hands, tmp_path):
    """A site with one witness, and the settings that name it."""
    hands.site.settle()
    vkeys = (hands.site.folder / "ledger" / "vkey").read_text()
    running = Running(tmp_path / "w", "w.example", vkeys, lambda: hands.now).start()
    (hands.site.folder / "witnesses.policy").write_text(policy_of(running, quorum="all"))
    said = Witnesses(policy="witnesses.policy", every_seconds=1, hosts={"127.0.0.1": WitnessHost(jurisdiction="CN")})
    site = replace(hands.site, settings=replace_settings(hands.site.settings, said))
    yield site, running
    running.stop()


def replace_settings(settings, witnesses):
    import msgspec

    return msgspec.structs.replace(settings, witnesses=witnesses)


def asking(site):
    stop, told = threading.Event(), []
    thread = threading.Thread(target=witnessing.ask, args=(site, stop, told.append))
    thread.start()
    return stop, told, thread


def test_checkpoints_are_cosigned_while_the_site_runs(watched):
    site, running = watched
    stop, told, thread = asking(site)
    origin = site.settings.site.origin
    until(lambda: running.witness.logs[origin])
    with site.engine.begin() as conn:
        site.hand_in(conn, site.entry("site"))
    site.settle()
    until(lambda: running.witness.logs[origin].point.size == site.ledger.log.size)
    stop.set()
    thread.join(30)
    assert told == []
    assert [(what, good) for what, good, _ in witnesses.looks(site)] == [("witness", True), ("witnesses", True)]


def test_what_fails_is_told_once_and_tried_again(watched):
    site, running = watched
    running.stop()
    stop, told, thread = asking(site)
    until(lambda: told)
    running.start()
    until(lambda: running.witness.logs[site.settings.site.origin])
    stop.set()
    thread.join(30)
    assert len(told) == 1
    assert "w1: it does not answer" in told[0]


def test_a_policy_that_went_away_is_told(watched):
    site, _ = watched
    (site.folder / "witnesses.policy").unlink()
    stop, told, thread = asking(site)
    until(lambda: told)
    stop.set()
    thread.join(30)
    assert "cannot be read" in told[0]
    with pytest.raises(Malformed):
        list(witnesses.looks(site))


def test_without_a_policy_nobody_is_asked(hands):
    stop, told, thread = asking(hands.site)
    stop.set()
    thread.join(30)
    assert told == []
    assert [good for _, good, _ in witnesses.looks(hands.site)] == [True]


def test_witnesses_are_among_the_places_that_are_listed(watched, monkeypatch):
    """The hook holds the client to hosts of the settings, which it hears of from the site alone."""
    site, running = watched
    heard = []
    monkeypatch.setattr("onshore.site.sys.audit", lambda *event: heard.append(event))
    assert site.witnesses
    assert heard == [("onshore.listed", client.__name__, ("127.0.0.1", running.port))]
    assert client.__name__ in egress._LISTED
