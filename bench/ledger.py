"""The ledger's figures: appends, verification, proofs, and signatures in plain Python beside the library's."""

import os
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from sqlalchemy import insert

from onshore.ledger import tree, verify
from onshore.ledger.entry import entry
from onshore.ledger.log import Log
from onshore.ledger.mldsa import mldsa44
from onshore.ledger.note import read_keys
from onshore.ledger.signatures import ed25519
from onshore.ledger.verify import Trust
from onshore.ledger.years import Years, is_link
from onshore.vault.handed import write_down
from onshore.vault.opening import open_papers, sqlite_url
from onshore.vault.papers import entries, writing

ENTRY = b"x" * 400
ORIGIN = "example.org/bench"
BATCH = 1000


def run() -> dict[str, float]:
    """Figures by name; each a rate per second, one core, but for the milliseconds and bytes."""
    return {**_appends(), **_papers(), **_verifies()}


def _appends() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder) / "ledger"
        log = Log(room, b"s" * 32, ORIGIN)
        single = _rate(300, lambda i: log.append([b"%d" % i + ENTRY]))
        while log.size % BATCH:
            log.append([ENTRY] * (BATCH - log.size % BATCH))
        batches = _rate(12, lambda i: log.append([b"%d %d" % (i, j) + ENTRY for j in range(BATCH)]))
        least = _rate(12, lambda i: _synced(room / "plain", BATCH * (len(ENTRY) + 8), 10))
        files = {str(p.relative_to(room)): p.read_bytes() for p in room.rglob("*") if p.is_file()}
        trust = Trust(read_keys(log.vkeys))
        whole = _rate(3, lambda _: list(verify.log(files.get, trust)))
        made = _rate(200, lambda i: log.prove(i * 49))
        proof = log.prove(4711)
        signed = _rate(200, lambda _: list(verify.proof(proof.encode(), trust)))
        found = verify.read_proof(proof.encode())
        point = verify.read_checkpoint(found.checkpoint.rpartition("\n\n")[0] + "\n")
        hashed, index, hashes, root = tree.leaf(found.entry or b""), found.index, found.hashes, point.root
        included = _rate(2000, lambda _: tree.included(hashed, index, point.size, hashes, root))
        size = log.size
    return {
        "ledger appends of 1 entry, /s": single,
        "ledger appends in batches of 1,000, both signatures, entries/s": batches * BATCH,
        "the disk alone: a batch's bytes in 10 files, each synced, entries/s": least * BATCH,
        "ledger verified whole, us an entry": 1e6 / whole / size,
        "ledger proofs made, /s": made,
        "inclusion proof verified, ms": 1000 / included,
        "proof verified with both signatures, ms": 1000 / signed,
        "proof, bytes": len(proof),
    }


def _papers() -> dict[str, float]:
    """What a site writes down: from the papers' table into its log and back its numbers, in batches of 1,000."""

    def tell(kind: str, **fields: object) -> bytes:
        return entry(kind, at=1_767_225_600_000, site="b", jurisdiction="CN", **fields)

    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        engine = open_papers(sqlite_url(room / "papers.sqlite"), folder=room, site="b", new=True)
        bodies = [{"body": tell("recall", obj=f"sha256:{n:064x}")} for n in range(BATCH)]
        spent = 0.0
        for turn in range(9):
            with writing(engine) as conn:
                conn.execute(insert(entries), bodies)
            start = time.perf_counter()
            log = Years(room / "ledger", b"s" * 32, ORIGIN, zone="Asia/Shanghai", write=True)
            write_down(engine, log, tell, is_link)
            spent += time.perf_counter() - start if turn else 0.0
        engine.dispose()
    return {"ledger written from the papers in batches of 1,000, entries/s": 8 * BATCH / spent}


def _verifies() -> dict[str, float]:
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, signature = private.public_key(), private.sign(ENTRY)
    raw = public.public_bytes_raw()
    second = MLDSA44PrivateKey.from_seed_bytes(bytes(32))
    key, signed = second.public_key().public_bytes_raw(), second.sign(ENTRY)
    return {
        "Ed25519 verified in plain Python, /s": _rate(1000, lambda _: ed25519(raw, ENTRY, signature)),
        "Ed25519 verified by cryptography, /s": _rate(5000, lambda _: public.verify(signature, ENTRY)),
        "ML-DSA-44 verified in plain Python, /s": _rate(200, lambda _: mldsa44(key, ENTRY, signed)),
        "ML-DSA-44 verified by cryptography, /s": _rate(2000, lambda _: second.public_key().verify(signed, ENTRY)),
    }


def _synced(folder: Path, size: int, files: int) -> None:
    """Write so many bytes into so many files, each synced: what a durable append cannot be quicker than."""
    folder.mkdir(exist_ok=True)
    for n in range(files):
        with (folder / str(n)).open("wb") as file:
            file.write(bytes(size // files))
            file.flush()
            os.fsync(file.fileno())


def _rate(count, act) -> float:
    act(0)
    start = time.perf_counter()
    for i in range(count):
        act(i)
    return count / (time.perf_counter() - start)


if __name__ == "__main__":
    for name, figure in run().items():
        print(f"{name:70} {figure:12,.3f}")
