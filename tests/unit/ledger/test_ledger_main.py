"""The verifier by itself: its files and the standard library, nothing else of ours."""

import json
import shutil
import subprocess
import sys
import zipapp
from pathlib import Path

import pytest

import onshore.ledger
from onshore.ledger.__main__ import kind_of, main
from onshore.ledger.entry import digest, entry
from onshore.ledger.log import Log
from pure import VERIFIER

SEED, ORIGIN = b"s" * 32, "example.org/shanghai"
HEAD = {"at": 1_766_000_000_123, "site": "a1", "jurisdiction": "CN"}
SEALED = b"age-encryption.org/v1 ..."
PAPER = {"kind": "consent", "salt": "00ff"}


@pytest.fixture
def site(tmp_path):
    log = Log(tmp_path / "ledger", SEED, ORIGIN)
    left = {"obj": digest(SEALED), "state": "leaving", "manifest": digest("m"), "permit": digest("p"), "parts": []}
    log.append(
        [
            entry("consent", **HEAD, obj=digest(PAPER), state="withdrawn"),
            entry("release", **HEAD, **left, dest="DE", subjects=1, rows=1, bytes=len(SEALED)),
        ]
    )
    (tmp_path / "r.json").write_text(json.dumps({"receipt": PAPER, "proof": log.prove(0)}))
    (tmp_path / "t1.parcel").write_bytes(SEALED)
    (tmp_path / "t1.tlog-proof").write_text(log.prove(1))
    return tmp_path


@pytest.mark.parametrize("name", ["ledger", "r.json", "t1.parcel", "t1.tlog-proof"])
def test_each_kind_of_thing(site, name, capsys):
    assert main([str(site / name), "--key", str(site / "ledger" / "vkey")]) == 0
    assert capsys.readouterr().out.endswith("\nverified\n")


def test_a_parcel_is_not_opened_and_that_is_said(site, capsys):
    key = (site / "ledger" / "vkey").read_text()
    assert main([str(site / "t1.parcel"), "--key", key]) == 0
    assert "not checked: manifest, permit and parts" in capsys.readouterr().out


def test_what_is_wrong_is_said(site, capsys):
    (site / "t1.parcel").write_bytes(SEALED + b"x")
    assert main([str(site / "t1.parcel"), "--key", str(site / "ledger" / "vkey")]) == 3
    out = capsys.readouterr().out
    assert out.endswith("wrong: parcel: its bytes are not those that the ledger says were released\n")
    assert "verified" not in out


def test_policy_and_since(site, capsys):
    (site / "policy").write_text("quorum none\n")
    arguments = [str(site / "ledger"), "--key", str(site / "ledger" / "vkey"), "--policy", str(site / "policy")]
    assert main([*arguments, "--since", str(site / "ledger" / "checkpoint")]) == 0
    assert "since: the log extends" in capsys.readouterr().out


def arguments_that_cannot_be_read(site):
    key = str(site / "ledger" / "vkey")
    (site / "stray").write_bytes(b"\xff\xfe")
    (site / "empty").mkdir()
    (site / "secret").symlink_to("/proc/self/mem")
    (site / "folder.tlog-proof").mkdir()
    (site / "folder.parcel").write_bytes(SEALED)
    return [
        [str(site / "missing"), "--key", key],
        [str(site / "empty"), "--key", key],
        [str(site / "stray"), "--key", key],
        [str(site / "ledger"), "--key", "nonsense"],
        [str(site / "ledger"), "--key", "a+b" * 200],
        [str(site / "folder.parcel"), "--key", key],
        [str(site / "secret"), "--key", key],
        [str(site / "ledger"), "--key", str(site / "stray")],
        [str(site / "ledger"), "--key", key, "--policy", str(site / "stray")],
        [str(site / "ledger"), "--key", key, "--policy", str(site / "missing")],
        [str(site / "ledger"), "--key", key, "--since", str(site / "missing")],
        [str(site / "ledger"), "--key", key, "--since", str(site / "empty")],
    ]


def test_what_cannot_be_read_is_no_verdict(site, capsys):
    for arguments in arguments_that_cannot_be_read(site):
        assert main(arguments) == 2, arguments
        said = capsys.readouterr()
        assert said.err.startswith("not readable: ")
        assert "verified" not in said.out


def test_a_parcel_whose_proof_is_missing(site, capsys):
    (site / "t1.tlog-proof").unlink()
    assert main([str(site / "t1.parcel"), "--key", str(site / "ledger" / "vkey")]) == 2
    assert "t1.tlog-proof is missing" in capsys.readouterr().err


def test_files_are_known_by_name_and_else_by_their_first_bytes(site):
    for name, kind in [("t1.tlog-proof", "proof"), ("r.json", "receipt"), ("t1.parcel", "parcel")]:
        bare = site / kind
        shutil.copyfile(site / name, bare)
        assert kind_of(site / name) == kind_of(bare) == kind


@pytest.fixture
def alone(tmp_path):
    """The verifier's files as a zip application, as it is handed to a stranger."""
    room = tmp_path / "alone" / "onshore" / "ledger"
    room.mkdir(parents=True)
    (room / "__init__.py").touch()
    for name in VERIFIER:
        shutil.copyfile(Path(onshore.ledger.__file__).with_name(f"{name}.py"), room / f"{name}.py")
    main_py = "import sys\nfrom onshore.ledger.__main__ import main\nsys.exit(main())\n"
    (tmp_path / "alone" / "__main__.py").write_text(main_py)
    zipapp.create_archive(tmp_path / "alone", tmp_path / "verify.pyz")
    return tmp_path / "verify.pyz"


def test_it_ships_alone(site, alone):
    for name, ends in [("ledger", "verified"), ("t1.parcel", "verified"), ("r.json", "verified")]:
        command = [sys.executable, "-I", "-S", str(alone), str(site / name), "--key", str(site / "ledger" / "vkey")]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (run.returncode, run.stderr) == (0, "")
        assert run.stdout.splitlines()[-1] == ends


def test_it_runs_as_a_module(site):
    command = [sys.executable, "-m", "onshore.ledger", str(site / "ledger"), "--key", str(site / "r.json")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "verifier key" in run.stderr
