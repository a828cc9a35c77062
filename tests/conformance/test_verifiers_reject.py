"""Both verifiers, `onshore verify` and the single file, accept a parcel and reject each thing that is wrong with it."""

import base64
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pyrage
import pytest
from click.testing import CliRunner

from onshore.cli.verifying import verify
from onshore.ledger.__main__ import main
from onshore.ledger.entry import digest, entry
from onshore.ledger.log import Log
from onshore.ledger.note import COSIGNATURE, MLDSA44
from onshore.ledger.signer import Cosigner, Signer
from onshore.ledger.verify import canonical

ROOT = Path(__file__).parent.parent.parent
HEAD = {"at": 1_766_000_000_123, "site": "a1", "jurisdiction": "CN"}
ORIGIN, NOW = "example.org/shanghai", 1_766_000_000
REGULATOR = Signer("shanghai/regulator", b"r" * 32)
IDENTITY = pyrage.x25519.Identity.generate()
W1, W2 = Cosigner("w1.example", b"1" * 32, COSIGNATURE), Cosigner("w2.example", b"2" * 32, MLDSA44)
POLICY = f"witness one {W1.key}\nwitness two {W2.key}\ngroup both all one two\nquorum both\n"
TERMS = {
    "onshore": "permit/1",
    "site": "a1",
    "transfer": "t",
    "request": "sha256:00",
    "purpose": "warranty-analysis",
    "categories": ["track"],
    "recipient": "stuttgart",
    "recipient_jurisdiction": "DE",
    "persons": 1,
    "start": "2025-12-17",
    "until": "2025-12-17",
    "events_from": 0,
    "events_until": 1,
}
PARTS = {"parts/00000.parquet": b"PAR1 zero", "parts/00001.parquet": b"PAR1 one"}


def permit(**change):
    return REGULATOR.sign(canonical(TERMS | change).decode() + "\n").encode()


def manifest():
    listed = [{"name": n, "category": "track", "sha256": digest(b), "rows": 1} for n, b in PARTS.items()]
    said = {n: TERMS[n] for n in ("site", "transfer", "request", "purpose", "recipient", "categories")}
    said |= {"dest": "DE", "start": 0, "until": 1, "subjects": 1}
    return canonical(said | {"permit": digest(permit()), "parts": listed})


class Parcel:
    """A parcel with its cosigned proof, the log it stands in, and the folder into which its owner opened it."""

    def __init__(self, folder, *, members=None, origin=ORIGIN, seed=b"s" * 32, entries=3):
        self.folder = folder
        folder.mkdir()
        self.members = {**PARTS, "permit.note": permit(), "manifest.json": manifest()} | (members or {})
        sealed = pyrage.encrypt(self.tar(), [IDENTITY.to_public()])
        said = {
            "obj": digest(sealed),
            "state": "leaving",
            "manifest": digest(manifest()),
            "permit": digest(permit()),
            "parts": [digest(b) for b in PARTS.values()],
            "dest": "DE",
            "subjects": 1,
            "rows": 2,
            "bytes": len(sealed),
        }
        self.log = Log(folder / "ledger", seed, origin)
        self.log.append([entry("site", **HEAD)] * entries + [entry("release", **HEAD, **said)])
        self.path, self.proof = folder / "t-1.parcel", folder / "t-1.tlog-proof"
        self.path.write_bytes(sealed)
        self.lines = self.cosigned()  # ML-DSA signs otherwise each time
        self.proof.write_text(self.log.prove(entries) + "".join(self.lines))
        (folder / "identity").write_text(f"{IDENTITY}\n")
        (folder / "policy").write_text(POLICY)
        self.opened = folder / "opened"
        for name, body in self.members.items():
            (self.opened / name).parent.mkdir(parents=True, exist_ok=True)
            (self.opened / name).write_bytes(body)

    def tar(self):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            for name, body in self.members.items():
                info = tarfile.TarInfo(name)
                info.size = len(body)
                tar.addfile(info, io.BytesIO(body))
        return out.getvalue()

    def cosigned(self, at=NOW, text=None):
        text = text or self.log.checkpoint.rpartition("\n\n")[0] + "\n"
        return [W1.line(text, at), W2.line(text, at)]

    def rewrite(self, change):
        self.proof.write_text(change(self.proof.read_text()))


@pytest.fixture(scope="session")
def pyz(tmp_path_factory):
    """The single file, built as `make verifier` does."""
    target = tmp_path_factory.mktemp("pyz") / "onshore-verify.pyz"
    subprocess.run([sys.executable, str(ROOT / "tools" / "verifier"), str(target)], check=True, capture_output=True)
    return target


class Command:
    """`onshore verify`, which opens parcels itself."""

    def __call__(self, path, *arguments):
        result = CliRunner().invoke(verify, [str(path), *map(str, arguments)])
        return result.exit_code, result.stdout, result.stderr

    def inside(self, parcel):
        return "--identity", parcel.folder / "identity"


class Alone:
    """The single file in an empty environment, elsewhere, which is shown what its owner opened."""

    def __init__(self, python, file, room):
        self.python, self.file, self.room = python, file, room

    def __call__(self, path, *arguments):
        command = [self.python, "-I", "-S", str(self.file), str(path), *map(str, arguments)]
        run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.room, env={})
        return run.returncode, run.stdout, run.stderr

    def inside(self, parcel):
        return "--opened", parcel.opened


class Module(Alone):
    """The same in this process."""

    def __init__(self):
        """There is no file."""

    def __call__(self, path, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main([str(path), *map(str, arguments)])
            except SystemExit as ended:
                code = ended.code
        return code, out.getvalue(), err.getvalue()


DEBIAN = [python for python in ("/usr/bin/python3.11", "/usr/bin/python3.13") if os.access(python, os.X_OK)]


@pytest.fixture(params=["onshore", "alone", "module"])
def verifier(request, pyz, tmp_path):
    room = tmp_path / "elsewhere"
    room.mkdir()
    return {"onshore": Command(), "alone": Alone(sys.executable, pyz, room), "module": Module()}[request.param]


@pytest.fixture(params=["alone", "module"])
def shown(request, pyz, tmp_path):
    """Those that are shown what a parcel's owner opened."""
    return Alone(sys.executable, pyz, tmp_path) if request.param == "alone" else Module()


@pytest.fixture
def parcel(tmp_path):
    return Parcel(tmp_path / "p")


def trusted(parcel, *more):
    return "--key", parcel.folder / "ledger" / "vkey", *more


def wrong(verifier, parcel, *more):
    """The first thing that is wrong, of something that is not verified."""
    code, out, err = verifier(parcel.path, *trusted(parcel), *more)
    assert code == 3, err
    assert "verified" not in out.split("\n")
    assert out.endswith("\n")
    assert out.count("wrong: ") == 1
    return out.splitlines()[-1].removeprefix("wrong: ")


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


QUORUM = "checkpoint: the policy's quorum 'both' of witnesses is not reached"


@pytest.mark.parametrize("which", [0, 1])
def test_a_missing_witness(verifier, parcel, which):
    parcel.rewrite(lambda text: text.replace(parcel.lines[which], ""))
    assert wrong(verifier, parcel, "--policy", parcel.folder / "policy") == QUORUM


def test_a_witness_twice_counts_once(verifier, parcel):
    one, two = parcel.lines
    again = parcel.cosigned(at=NOW + 1)[0]
    parcel.rewrite(lambda text: text.replace(two, one + again))
    assert wrong(verifier, parcel, "--policy", parcel.folder / "policy") == QUORUM


@pytest.mark.parametrize("which", [0, 1])
def test_a_cosignature_of_another_time(verifier, parcel, which):
    line = parcel.lines[which]
    name, material = line.split(" ")[1:]
    raw = bytearray(base64.b64decode(material))
    raw[11] ^= 1
    parcel.rewrite(lambda text: text.replace(line, f"\u2014 {name} {base64.b64encode(raw).decode()}\n"))
    said = wrong(verifier, parcel, "--policy", parcel.folder / "policy")
    assert said == f"signed note: the signature of {name} does not hold over the text"


@pytest.mark.parametrize("which", [0, 1])
def test_a_cosignature_of_another_size(verifier, parcel, which):
    text = parcel.log.checkpoint.rpartition("\n\n")[0] + "\n"
    other = parcel.cosigned(text=text.replace("\n4\n", "\n5\n"))[which]
    parcel.rewrite(lambda proof: proof.replace(parcel.lines[which], other))
    name = other.split(" ")[1]
    said = wrong(verifier, parcel, "--policy", parcel.folder / "policy")
    assert said == f"signed note: the signature of {name} does not hold over the text"


def test_a_policy_with_a_loop_is_no_policy(verifier, parcel):
    (parcel.folder / "policy").write_text(POLICY.replace("all one two", "all one loop") + "group loop any both\n")
    code, out, err = verifier(parcel.path, *trusted(parcel), "--policy", parcel.folder / "policy")
    assert code == 2
    assert "line 3: the member 'loop' is not defined above" in err
    assert "verified" not in out


def test_a_policy_that_asks_for_nobody(verifier, parcel):
    (parcel.folder / "policy").write_text("quorum none\n")
    for line in parcel.lines:
        parcel.rewrite(lambda text, line=line: text.replace(line, ""))
    code, out, _ = verifier(parcel.path, *trusted(parcel), "--policy", parcel.folder / "policy")
    assert code == 0
    assert "checked: witnesses: 0 cosigned, the quorum 'none' is reached" in out


def test_a_policy_of_another_log(verifier, parcel):
    (parcel.folder / "policy").write_text(f"log {Signer(ORIGIN, b'q' * 32).vkey}\n{POLICY}")
    said = wrong(verifier, parcel, "--policy", parcel.folder / "policy")
    assert said == f"checkpoint: the policy does not list the log {ORIGIN} with this key"


def test_a_log_that_witnesses_cosigned_for_a_while(verifier, parcel):
    """The quorum stands under an older checkpoint of the log's, which the log extends, or does not."""
    (parcel.folder / "ledger" / "witnessed").write_text(parcel.log.checkpoint + "".join(parcel.cosigned()))
    parcel.log.append([entry("site", **HEAD)])
    asked = parcel.folder / "ledger", *trusted(parcel), "--policy", parcel.folder / "policy"
    code, out, _ = verifier(*asked)
    assert (code, out.splitlines()[-1]) == (0, "verified")
    assert "checked: witnesses: 2 cosigned, the quorum 'both' is reached" in out
    assert "checked: witnessed: the log extends the witnesses' checkpoint of 4 entries" in out
    shutil.rmtree(parcel.folder / "ledger")
    Log(parcel.folder / "ledger", b"s" * 32, ORIGIN).append([b"{}"] * 3)
    (parcel.folder / "ledger" / "witnessed").write_text(parcel.log.checkpoint)
    assert verifier(*asked)[1].splitlines()[-1] == f"wrong: {QUORUM}"


def test_a_log_that_is_not_the_one_that_witnesses_saw(verifier, parcel):
    witnessed = "".join([parcel.log.checkpoint, *parcel.cosigned()])
    shutil.rmtree(parcel.folder / "ledger")
    Log(parcel.folder / "ledger", b"s" * 32, ORIGIN).append([b"{}"] * 9)
    (parcel.folder / "ledger" / "witnessed").write_text(witnessed)
    asked = parcel.folder / "ledger", *trusted(parcel), "--policy", parcel.folder / "policy"
    code, out, _ = verifier(*asked)
    says = "wrong: witnessed: the log does not extend the witnesses' checkpoint of 4 entries"
    assert (code, out.splitlines()[-1]) == (3, says)


@pytest.mark.parametrize("more", [("--opened", "missing"), ("--permit-key", REGULATOR.vkey)])
def test_what_was_asked_for_wrongly(shown, parcel, tmp_path, more):
    code, out, _ = shown(parcel.path, *trusted(parcel), *more)
    assert (code, "verified" in out) == (2, False)


def test_only_a_parcel_is_opened(shown, parcel, tmp_path):
    for path in (parcel.proof, parcel.folder / "ledger", tmp_path / "missing.parcel"):
        code, out, err = shown(path, *trusted(parcel), "--opened", parcel.opened)
        assert (code, out) == (2, ""), err
        assert "is no parcel" in err
