"""A parcel with its cosigned proof, log and policy; and the verifiers that it is shown to, in each of their forms."""

import contextlib
import io
import subprocess
import tarfile
from pathlib import Path

import pyrage
from click.testing import CliRunner

from onshore.cli.verifying import verify
from onshore.ledger.__main__ import main
from onshore.ledger.entry import digest, entry
from onshore.ledger.log import Log
from onshore.ledger.note import COSIGNATURE, MLDSA44
from onshore.ledger.signer import Cosigner, Signer
from onshore.ledger.verify import canonical

ROOT = Path(__file__).parent.parent
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
