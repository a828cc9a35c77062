"""onshore verify: the parcel opened, its contents held against the ledger, JSON, exit codes."""

import hashlib
import io
import json
import tarfile

import pyrage
import pytest
from click.testing import CliRunner

from onshore.cli.verifying import verify
from onshore.ledger.contents import _WITHIN
from onshore.ledger.entry import digest, entry
from onshore.ledger.log import Log
from onshore.ledger.signer import Signer
from onshore.ledger.verify import canonical

HEAD = {"at": 1_766_000_000_123, "site": "a1", "jurisdiction": "CN"}
REGULATOR = Signer("shanghai/regulator", b"r" * 32)
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
PERMIT = REGULATOR.sign(canonical(TERMS).decode() + "\n").encode()
PARTS = {"parts/00000.parquet": b"PAR1 zero", "parts/00001.parquet": b"PAR1 one"}


def manifest_of(parts):
    listed = [{"name": n, "category": "track", "sha256": digest(b), "rows": 1} for n, b in parts.items()]
    said = {n: TERMS[n] for n in ("site", "transfer", "request", "purpose", "recipient", "categories")}
    said |= {"dest": "DE", "start": 0, "until": 1, "subjects": 1}
    return canonical(said | {"permit": digest(PERMIT), "parts": listed})


def tarred(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, body in members:
            info = tarfile.TarInfo(name)
            if body is None:
                info.type = tarfile.DIRTYPE
            info.size = len(body or b"")
            tar.addfile(info, io.BytesIO(body or b""))
    return out.getvalue()


WHOLE = [*PARTS.items(), ("permit.note", PERMIT), ("manifest.json", manifest_of(PARTS))]


class Outbox:
    """A parcel in an outbox, its log beside it, and the recipient's key file."""

    def __init__(self, folder, plain=None, **fields):
        identity = pyrage.x25519.Identity.generate()
        sealed = pyrage.encrypt(tarred(WHOLE) if plain is None else plain, [identity.to_public()])
        said = {
            "obj": digest(sealed),
            "state": "leaving",
            "manifest": digest(manifest_of(PARTS)),
            "permit": digest(PERMIT),
            "parts": [digest(b) for b in PARTS.values()],
            "dest": "DE",
            "subjects": 1,
            "rows": 2,
            "bytes": len(sealed),
        }
        log = Log(folder / "ledger", b"s" * 32, "example.org/shanghai")
        log.append([entry("site", **HEAD), entry("release", **HEAD, **(said | fields))])
        self.parcel, self.proof = folder / "t-1.parcel", folder / "t-1.tlog-proof"
        self.parcel.write_bytes(sealed)
        self.proof.write_text(log.prove(1))
        self.key, self.identity = str(folder / "ledger" / "vkey"), folder / "identity"
        self.vkey = log.vkey
        self.identity.write_text(f"# public key: {identity.to_public()}\n{identity}\n")
        self.folder = folder

    def verify(self, *arguments, path=None):
        result = CliRunner().invoke(verify, [str(path or self.parcel), "--key", self.key, *map(str, arguments)])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    def opened(self, *arguments):
        return self.verify("--identity", self.identity, *arguments)


@pytest.fixture
def outbox(tmp_path):
    return Outbox(tmp_path)


def test_a_sealed_parcel(outbox):
    result = outbox.verify()
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "checked: checkpoint: signed by example.org/shanghai with Ed25519 and ML-DSA-44, 2 entries",
        "not checked: witnesses: no policy was given",
        "checked: entry: number 1 of the log's 2 entries",
        "checked: parcel: its bytes are those that the ledger says were released",
        "not checked: manifest, permit and parts: the parcel was not opened (no identity was given)",
        "verified",
    ]


def test_an_opened_parcel(outbox):
    result = outbox.opened()
    assert result.exit_code == 0
    assert result.stdout.splitlines()[4:] == [
        "checked: manifest: it is the one that the ledger names",
        "checked: permit: it is the one that the manifest and the ledger name",
        f"checked: permit's terms: {_WITHIN} are within",
        "checked: parts: 2, each as manifest and ledger name it",
        "not checked: permit's signature: no regulator's key was given (--permit-key)",
        "verified",
    ]
    assert "checked: permit's signature: the regulator's" in outbox.opened("--permit-key", REGULATOR.vkey).stdout


def test_nothing_plain_is_left_behind(outbox, monkeypatch, tmp_path):
    rooms = tmp_path / "tmp"
    rooms.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(rooms))
    assert outbox.opened().exit_code == 0
    assert list(rooms.iterdir()) == []


def test_a_permit_that_another_signed(outbox):
    result = outbox.opened("--permit-key", Signer("shanghai/regulator", b"x" * 32).vkey)
    assert result.exit_code == 3
    assert result.stdout.splitlines()[-1].startswith("wrong: signed note")


def test_each_flipped_byte_of_the_parcel_and_its_proof_is_wrong(outbox):
    for path in (outbox.parcel, outbox.proof):
        whole = path.read_bytes()
        for at in range(0, len(whole), 41):
            flipped = bytearray(whole)
            flipped[at] ^= 1
            path.write_bytes(flipped)
            result = outbox.verify()
            assert result.exit_code == 3, at
            assert result.stdout.splitlines()[-1].startswith("wrong: ")
        path.write_bytes(whole)
    assert outbox.verify().exit_code == 0


CONTENTS = [
    ([m for m in WHOLE if m[0] != "manifest.json"], "manifest.json"),
    ([m for m in WHOLE if m[0] != "permit.note"], "permit.note"),
    (WHOLE[1:], "parts/00000.parquet"),
    ([("parts/00000.parquet", b"PAR1 nought"), *WHOLE[1:]], "parts/00000.parquet"),
    ([*WHOLE, ("parts/00002.parquet", b"more")], "parts/00002.parquet"),
    ([*WHOLE, WHOLE[0]], "parts/00000.parquet"),
    ([*WHOLE, ("readme.txt", b"hello")], "readme.txt"),
    ([*WHOLE, ("parts", None)], "parts"),
    ([*WHOLE[:2], ("permit.note", PERMIT + b"x"), WHOLE[3]], "permit"),
]


@pytest.mark.parametrize(("members", "where"), CONTENTS)
def test_contents_that_are_not_what_the_ledger_says(tmp_path, members, where):
    result = Outbox(tmp_path, tarred(members)).opened()
    assert result.exit_code == 3
    assert result.stdout.splitlines()[-1].startswith(f"wrong: {where}: ")


def test_a_parcel_that_is_no_tar(tmp_path):
    result = Outbox(tmp_path, b"x" * 2000).opened()
    assert result.exit_code == 3
    assert "tar" in result.stdout.splitlines()[-1]


def test_json(outbox):
    said = json.loads(outbox.verify("--json").stdout)
    assert said["verified"] is True
    assert len(said["checked"]) == 3
    assert len(said["not checked"]) == 2
    outbox.parcel.write_bytes(b"else")
    result = outbox.verify("--json")
    assert result.exit_code == 3
    said = json.loads(result.stdout)
    assert said["verified"] is False
    assert said["wrong"]["where"] == "parcel"


def test_the_other_things(outbox):
    key = outbox.folder / "ledger" / "vkey"
    for path in (outbox.proof, outbox.folder / "ledger"):
        result = outbox.verify("--key", key, path=path)
        assert result.exit_code == 0
        assert result.stdout.splitlines()[-1] == "verified"


def test_a_missing_proof_is_usage(outbox):
    outbox.proof.unlink()
    result = outbox.verify()
    assert result.exit_code == 2
    assert "t-1.tlog-proof is missing" in result.stderr


def test_an_identity_opens_a_parcel_and_nothing_else(outbox):
    for path in (outbox.proof, outbox.folder / "ledger"):
        assert outbox.verify("--identity", outbox.identity, path=path).exit_code == 2
    outbox.identity.write_text(str(pyrage.x25519.Identity.generate()))
    assert outbox.opened().exit_code == 2
    outbox.identity.unlink()
    assert outbox.opened().exit_code == 2


@pytest.mark.parametrize("given", ["nonsense", "n" * 5000])
def test_what_is_neither_a_key_nor_a_file_is_said_to_be_neither(outbox, given):
    for result in (outbox.verify("--key", given), outbox.opened("--permit-key", given)):
        assert result.exit_code == 2
        assert "is neither a verifier key (name+id+key) nor a file" in result.stderr


def test_an_unreadable_key_is_usage(outbox):
    assert outbox.verify("--key", "name+id+key").exit_code == 2
    assert outbox.verify("--key", outbox.folder).exit_code == 2
    result = outbox.verify("--key", outbox.identity)
    assert result.exit_code == 2
    assert str(outbox.identity) in result.stderr


@pytest.mark.parametrize("option", ["--policy", "--since"])
def test_an_unreadable_policy_or_checkpoint_is_usage_and_named(outbox, option):
    outbox.identity.with_name("binary").write_bytes(b"\xff\0")
    for name in ("identity", "binary", "absent", "ledger"):
        result = outbox.verify(option, outbox.folder / name)
        assert result.exit_code == 2, name
        assert str(outbox.folder / name) in result.stderr
        assert result.stdout == ""


def test_an_older_checkpoint_and_a_policy_are_taken(outbox):
    policy = outbox.folder / "policy"
    policy.write_text(f"log {outbox.vkey}\nquorum none\n")
    since = outbox.folder / "ledger" / "checkpoint"
    result = outbox.verify("--policy", policy, "--since", since)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "verified")


def test_a_regulators_key_without_an_identity_is_usage(outbox):
    result = outbox.verify("--permit-key", REGULATOR.vkey)
    assert result.exit_code == 2
    assert "--identity" in result.stderr


def test_help_says_where_the_opened_parcel_lies():
    assert "temporary folder" in CliRunner().invoke(verify, ["--help"]).stdout


def test_digests_are_of_the_bytes():
    assert digest(PERMIT) == f"sha256:{hashlib.sha256(PERMIT).hexdigest()}"
