"""Both verifiers, `onshore verify` and the single file, accept a parcel and reject each thing that is wrong with it."""

import os
import shutil
import subprocess
import sys

import pytest

from onshore.ledger.entry import entry
from onshore.ledger.signer import Signer
from verifier_makers import HEAD, PARTS, REGULATOR, ROOT, Alone, Parcel, permit, trusted, wrong

DEBIAN = [python for python in ("/usr/bin/python3.11", "/usr/bin/python3.13") if os.access(python, os.X_OK)]


def test_a_parcel_is_accepted_and_each_check_told(verifier, parcel):
    policy = "--policy", parcel.folder / "policy"
    code, out, _ = verifier(
        parcel.path, *trusted(parcel), *policy, *verifier.inside(parcel), "--permit-key", REGULATOR.vkey
    )
    assert (code, out.splitlines()[-1]) == (0, "verified")
    told = [line.split(": ")[1].split(" ")[0] for line in out.splitlines()[:-1]]
    assert told == ["checkpoint", "witnesses", "entry", "parcel", "manifest", "permit", "permit's", "parts", "permit's"]
    assert all(line.startswith("checked: ") for line in out.splitlines()[:-1])


@pytest.mark.parametrize("python", DEBIAN)
def test_the_single_file_needs_python_alone(python, pyz, parcel, tmp_path):
    code, out, err = Alone(python, pyz, tmp_path)(parcel.path, *trusted(parcel), "--opened", parcel.opened)
    assert (code, out.splitlines()[-1], err) == (0, "verified", "")


def test_the_single_file_is_the_same_bytes_each_time(pyz, tmp_path):
    again = tmp_path / "again.pyz"
    subprocess.run([sys.executable, str(ROOT / "tools" / "verifier"), str(again)], check=True, capture_output=True)
    assert again.read_bytes() == pyz.read_bytes()


def test_the_single_file_checks_a_log_too(pyz, parcel, tmp_path):
    code, out, _ = Alone(sys.executable, pyz, tmp_path)(parcel.folder / "ledger", *trusted(parcel))
    assert (code, out.splitlines()[-1]) == (0, "verified")


def test_a_changed_byte(verifier, parcel):
    raw = bytearray(parcel.path.read_bytes())
    raw[len(raw) // 2] ^= 1
    parcel.path.write_bytes(raw)
    assert wrong(verifier, parcel) == "parcel: its bytes are not those that the ledger says were released"


def test_a_swapped_part(verifier, tmp_path):
    names = list(PARTS)
    swapped = Parcel(tmp_path / "p", members={names[0]: PARTS[names[1]], names[1]: PARTS[names[0]]})
    said = wrong(verifier, swapped, *verifier.inside(swapped))
    assert said == "parts/00000.parquet: its bytes are not those that the manifest names"


@pytest.mark.parametrize(("name", "says"), [("parts/00001.parquet", "it is missing"), ("permit.note", "it is missing")])
def test_what_is_missing(shown, parcel, tmp_path, name, says):
    (parcel.opened / name).unlink()
    assert wrong(shown, parcel, "--opened", parcel.opened) == f"{name}: {says}"


@pytest.mark.parametrize("name", ["stray", "parts/00002.parquet"])
def test_what_does_not_belong_there(shown, parcel, tmp_path, name):
    (parcel.opened / name).write_bytes(b"x")
    says = "it does not belong into a parcel" if name == "stray" else "the manifest does not list it"
    assert wrong(shown, parcel, "--opened", parcel.opened) == f"{name}: {says}"


def test_a_link_in_the_folder_that_was_opened(shown, parcel, tmp_path):
    part = parcel.opened / "parts" / "00000.parquet"
    part.rename(tmp_path / "real")
    part.symlink_to(tmp_path / "real")
    said = wrong(shown, parcel, "--opened", parcel.opened)
    assert said == "parts/00000.parquet: it is no plain file"


def test_another_permit(verifier, tmp_path):
    """One that the regulator signed too, for more persons."""
    other = Parcel(tmp_path / "p", members={"permit.note": permit(persons=50_000)})
    assert wrong(verifier, other, *verifier.inside(other)) == "permit: it is not the one that the ledger names"


def test_a_permit_that_somebody_else_signed(verifier, parcel):
    stranger = Signer("shanghai/regulator", b"x" * 32).vkey
    said = wrong(verifier, parcel, *verifier.inside(parcel), "--permit-key", stranger)
    assert said == "signed note: no key that you trust has signed it"


def test_a_proof_from_another_log(verifier, parcel, tmp_path):
    other = Parcel(tmp_path / "other", origin="example.org/elsewhere", seed=b"e" * 32)
    shutil.copy(other.path, parcel.path)
    shutil.copy(other.proof, parcel.proof)
    assert wrong(verifier, parcel) == "signed note: no key that you trust has signed it"


def test_an_entry_from_another_log(verifier, parcel, tmp_path):
    """It names the parcel; its log's name and keys are others."""
    other = Parcel(tmp_path / "other", origin="example.org/elsewhere", seed=b"e" * 32)
    shutil.copy(other.path, parcel.path)
    line = other.proof.read_text().split("\n")[1]
    parcel.rewrite(lambda text: "\n".join([text.split("\n")[0], line, *text.split("\n")[2:]]))
    assert wrong(verifier, parcel) == "proof: the entry is not number 3 of the log's 4 entries"


def test_the_proof_of_another_parcel(verifier, parcel, tmp_path):
    other = Parcel(tmp_path / "other")
    shutil.copy(other.proof, parcel.proof)
    assert wrong(verifier, parcel) == "parcel: its bytes are not those that the ledger says were released"


def test_a_log_that_was_rolled_back(verifier, parcel, tmp_path):
    """Somebody has a checkpoint of more entries than the log that is shown has now."""
    ahead = Parcel(tmp_path / "ahead", entries=8)
    since = "--since", ahead.folder / "ledger" / "checkpoint"
    assert wrong(verifier, parcel, *since) == "since: the older checkpoint has 9 entries, this one 4"
    code, out, _ = verifier(parcel.folder / "ledger", *trusted(parcel), *since)
    assert (code, out.splitlines()[-1]) == (3, "wrong: since: the older checkpoint has 9 entries, this one 4")


def test_a_log_that_was_written_anew(verifier, parcel, tmp_path):
    """As long as the one seen before, or longer, with other entries."""
    other = Parcel(tmp_path / "other")
    since = "--since", other.folder / "ledger" / "checkpoint"
    assert wrong(verifier, parcel, *since) == "since: the older checkpoint has the same size and another root"
    parcel.log.append([entry("site", **HEAD)])
    code, out, _ = verifier(parcel.folder / "ledger", *trusted(parcel), *since)
    assert (code, out.splitlines()[-1]) == (
        3,
        "wrong: since: the log does not extend the older checkpoint of 4 entries",
    )


@pytest.mark.parametrize("more", [("--opened", "missing"), ("--permit-key", REGULATOR.vkey)])
def test_what_was_asked_for_wrongly(shown, parcel, tmp_path, more):
    code, out, _ = shown(parcel.path, *trusted(parcel), *more)
    assert (code, "verified" in out) == (2, False)


def test_only_a_parcel_is_opened(shown, parcel, tmp_path):
    for path in (parcel.proof, parcel.folder / "ledger", tmp_path / "missing.parcel"):
        code, out, err = shown(path, *trusted(parcel), "--opened", parcel.opened)
        assert (code, out) == (2, ""), err
        assert "is no parcel" in err
