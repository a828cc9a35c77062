"""onshore ledger on a site that was just made: show, prove, fsck, and the exit codes."""

import json

import pytest
from click.testing import CliRunner

from onshore.cli.init import init
from onshore.cli.ledger import ledger
from onshore.cli.verifying import verify


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "site"
    made = CliRunner().invoke(init, ["--jurisdiction", "CN", "--name", "shanghai", "--site", str(folder)])
    assert made.exit_code == 0, made.output
    return folder


def run(site, *arguments):
    return CliRunner().invoke(ledger, [*arguments, "--site", str(site)])


def test_show(site):
    number, _, kind, *said = run(site, "show").stdout.split()
    assert (number, kind) == ("0", "site")
    assert said[1].startswith("packdigest=sha256:")
    assert said[1].endswith("…")
    assert json.loads(run(site, "show", "--json").stdout)["entry"]["t"] == "site"
    assert run(site, "show", "--from", "1").stdout == ""


def test_prove_gives_what_verify_takes(site, tmp_path):
    proof = tmp_path / "0.tlog-proof"
    proof.write_text(run(site, "prove", "0").stdout)
    key = str(site / "ledger" / "vkey")
    assert CliRunner().invoke(verify, [str(proof), "--key", key]).stdout.splitlines()[-1] == "verified"
    assert run(site, "prove", "99").exit_code == 2


def test_fsck(site):
    assert run(site, "fsck").stdout.splitlines()[-1] == "verified"
    said = json.loads(run(site, "fsck", "--json").stdout)
    assert (said["verified"], said["size"]) == (True, 1)


def test_fsck_of_a_damaged_log_is_broken(site):
    bundle = site / "ledger" / "tile" / "entries" / "000.p" / "1"
    whole = bundle.read_bytes()
    bundle.write_bytes(whole[:-1] + b"?")
    try:
        result = run(site, "fsck")
    finally:
        bundle.write_bytes(whole)
    assert result.exit_code == 3
    assert "verified" not in result.stdout
