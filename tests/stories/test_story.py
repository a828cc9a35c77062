"""The story that the demo tells, over real sockets; with the real drive where that is at hand."""

import json
import re

from click.testing import CliRunner

from onshore.cli.main import cli


def play(folder, *more):
    return CliRunner().invoke(cli, ["demo", "--once", "--site", str(folder), *more])


def test_every_step_comes_out_as_told(tmp_path):
    done = play(tmp_path / "site")
    assert done.exit_code == 0, done.output
    steps = re.findall(r"^(ok |NOT) +(\d+)", done.stdout, re.MULTILINE)
    assert [int(n) for _, n in steps] == list(range(1, len(steps) + 1))
    assert {came for came, _ in steps} == {"ok "}
    assert f"{len(steps)} steps came out as told" in done.stdout


def test_the_story_holds_with_a_real_drive(tmp_path, shared):
    done = play(tmp_path / "site", "--drive", str(shared / "data" / "drives" / "twizy_T3_04_22_2021_1.csv"))
    assert done.exit_code == 0, done.output
    assert "NOT" not in done.stdout


def test_the_demo_leaves_a_site_whose_parcel_verifies_and_opens(tmp_path):
    site = tmp_path / "site"
    done = play(site)
    parcel = re.search(r"^the parcel: +(.*)$", done.stdout, re.MULTILINE)[1]
    key = re.search(r"^its key: +(.*)$", done.stdout, re.MULTILINE)[1]
    for extra in ((), ("--identity", key)):
        seen = CliRunner().invoke(cli, ["verify", parcel, "--key", str(site / "ledger" / "vkey"), *extra])
        assert seen.exit_code == 0, seen.output
        assert seen.stdout.splitlines()[-1] == "verified"
    for name in ("site.toml", "papers.sqlite", "keys/root.key", "ledger/checkpoint", "ledger/vkey", "ledger/tile"):
        assert (site / name).exists()
    ledger = CliRunner().invoke(cli, ["verify", str(site / "ledger"), "--key", str(site / "ledger" / "vkey")])
    assert ledger.exit_code == 0, ledger.output


def test_without_once_it_says_where_things_are(tmp_path):
    done = CliRunner().invoke(cli, ["demo", "--site", str(tmp_path / "site")])
    assert done.exit_code == 0, done.output
    assert "onshore verify" in done.stderr


def test_a_step_that_comes_out_otherwise_ends_it(tmp_path, monkeypatch):
    monkeypatch.setattr("onshore.cli.story._cells", lambda *_: -1)
    done = play(tmp_path / "site")
    assert done.exit_code == 3
    assert "NOT  3" in done.stdout


def test_a_drive_that_is_none_is_said_to_be_none(tmp_path):
    bad = tmp_path / "drive.csv"
    bad.write_text("Date,Time\n1,2\n")
    done = play(tmp_path / "site", "--drive", str(bad))
    assert done.exit_code == 2
    assert "columns missing" in done.stderr


def test_a_site_is_not_made_over_another(tmp_path):
    assert play(tmp_path / "site").exit_code == 0
    again = play(tmp_path / "site")
    assert again.exit_code == 1
    assert "site-exists" in again.stderr


def test_nobody_is_named_in_what_it_prints(tmp_path):
    done = play(tmp_path / "site")
    assert "LTEST" not in done.output
    assert not re.search(r"\b\d{1,3}\.\d{4,}\b", done.output)
    assert json.dumps(done.output).count("121.") == 0
