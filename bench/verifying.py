"""What offline verification costs: a parcel of 1 GB beside tools that only hash it, and proofs of a large log."""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from onshore.ledger import proofs, tree, verify
from onshore.ledger.entry import entry
from onshore.ledger.log import Log
from onshore.ledger.note import COSIGNATURE, Checkpoint, checkpoint_text
from onshore.ledger.policy import read_policy
from onshore.ledger.signer import Cosigner, LogSigner
from onshore.ledger.verify import Proof, Trust

ORIGIN, SEED = "example.org/bench", b"s" * 32
BYTES = 1_000_000_000
ENTRIES = 1 << 20
HEAD = {"at": 1_766_000_000_123, "site": "a1", "jurisdiction": "CN"}


def run() -> dict[str, float]:
    """Figures by name: MB/s of a parcel's sealed file, median of three runs each; milliseconds of a proof."""
    return {**_parcel(), **_proofs()}


def _parcel() -> dict[str, float]:
    tool = Path(__file__).parent.parent / "tools" / "verifier"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sealed = folder / "t-1.parcel"
        block = os.urandom(1 << 20)
        with sealed.open("wb") as file:
            while (left := BYTES - file.tell()) > 0:
                file.write(block[:left])
        with sealed.open("rb") as file:
            named = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        said = {"obj": named, "state": "leaving", "manifest": named, "permit": named, "parts": [named]}
        body = entry("release", **HEAD, **said, dest="DE", subjects=1, rows=1, bytes=BYTES)
        log = Log(folder / "ledger", SEED, ORIGIN)
        log.append([body])
        sealed.with_suffix(".tlog-proof").write_text(log.prove(0))
        pyz = folder / "onshore-verify.pyz"
        subprocess.run([sys.executable, str(tool), str(pyz)], check=True, capture_output=True)
        key = str(folder / "ledger" / "vkey")
        alone = [sys.executable, "-I", "-S", str(pyz), str(sealed), "--key", key]
        start = "from onshore.cli.main import main; main()"
        ways = {
            "onshore-verify.pyz": alone,
            "onshore verify": [sys.executable, "-c", start, "verify", str(sealed), "--key", key],
            "openssl dgst -sha256": ["openssl", "dgst", "-sha256", str(sealed)],
            "sha256sum": ["sha256sum", str(sealed)],
        }
        taken = {way: [] for way in ways} | dict[str, list[float]]()
        for _ in range(3):
            for way, asked in ways.items():
                began = time.perf_counter()
                subprocess.run(asked, check=True, capture_output=True)
                taken[way].append(time.perf_counter() - began)
        return {f"parcel of 1 GB, {way}, MB/s": BYTES / 1e6 / median(found) for way, found in taken.items()}


def _proofs() -> dict[str, float]:
    """Of a log of 1,048,576 entries: the path alone, and the whole file with each signature that it carries."""
    entries = [b"%d" % n for n in range(ENTRIES)]
    rows = [[tree.leaf(one) for one in entries]]
    while len(rows[-1]) > 1:
        row = rows[-1]
        rows.append([tree.root(row[at : at + tree.SPAN]) for at in range(0, len(row), tree.SPAN)])

    def tile(level: int, number: int) -> list[bytes]:
        return rows[level][number * tree.SPAN : (number + 1) * tree.SPAN]

    signer = LogSigner(ORIGIN, SEED)
    point = Checkpoint(ORIGIN, ENTRIES, tree.root(rows[0]))
    index = 777_777
    path = proofs.inclusion(index, ENTRIES, tile)
    leaf = tree.leaf(entries[index])
    keys = {key.kind: key for key in signer.keys}
    witnesses = [Cosigner(f"w{kind}.example", bytes([kind]) * 32, kind) for kind in (COSIGNATURE, max(keys))]
    text = checkpoint_text(point)
    note = signer.sign(point, 1_790_000_000_000) + "".join(one.line(text, 1_790_000_000) for one in witnesses)
    raw = verify.write_proof(Proof(entries[index], index, tuple(path), note)).encode()
    first, both = Trust((signer.keys[0],)), Trust(signer.keys)
    lines = "".join(f"witness w{n} {one.key}\n" for n, one in enumerate(witnesses))
    watched = Trust(signer.keys, read_policy(f"{lines}group all all w0 w1\nquorum all\n".encode()))
    return {
        "inclusion in a log of 1,048,576, path alone, ms": _ms(
            lambda: tree.included(leaf, index, ENTRIES, path, point.root)
        ),
        "proof, log's Ed25519, ms": _ms(lambda: list(verify.proof(raw, first))),
        "proof, log's Ed25519 and ML-DSA-44, ms": _ms(lambda: list(verify.proof(raw, both))),
        "proof, the same with two witnesses, ms": _ms(lambda: list(verify.proof(raw, watched))),
    }


def _ms(act: Callable[[], object], count: int = 200) -> float:
    taken = []
    for _ in range(count):
        start = time.perf_counter()
        act()
        taken.append(time.perf_counter() - start)
    return 1000 * median(taken)


if __name__ == "__main__":
    for name, figure in run().items():
        sys.stdout.write(f"{name:55} {figure:12,.3f}\n")
