"""The ledger's figures: appends, verification of a log, and Ed25519 in plain Python beside the library's."""

import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onshore.ledger import verify
from onshore.ledger.log import Log
from onshore.ledger.note import read_keys
from onshore.ledger.signatures import ed25519
from onshore.ledger.verify import Trust

ENTRY = b"x" * 400
ORIGIN = "example.org/bench"


def run() -> dict[str, float]:
    """Figures by name; each a rate per second, one core, but for the milliseconds."""
    return {**_appends(), **_verifies()}


def _appends() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder) / "ledger"
        log = Log(room, b"s" * 32, ORIGIN)
        single = _rate(600, lambda i: log.append([b"%d" % i + ENTRY]))
        while log.size % 1000:
            log.append([ENTRY] * (1000 - log.size % 1000))
        batches = _rate(9, lambda i: log.append([b"%d %d" % (i, j) + ENTRY for j in range(1000)]))
        files = {str(p.relative_to(room)): p.read_bytes() for p in room.rglob("*") if p.is_file()}
        trust = Trust(read_keys(log.vkey))
        whole = _rate(3, lambda _: list(verify.log(files.get, trust)))
        proofs = _rate(200, lambda i: log.prove(i * 49))
    return {
        "ledger appends of 1 entry, /s": single,
        "ledger appends in batches of 1,000, entries/s": batches * 1000,
        "ledger of 10,000 entries verified, ms": 1000 / whole,
        "ledger proofs made, /s": proofs,
    }


def _verifies() -> dict[str, float]:
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, signature = private.public_key(), private.sign(ENTRY)
    raw = public.public_bytes_raw()
    return {
        "Ed25519 verified in plain Python, /s": _rate(1000, lambda _: ed25519(raw, ENTRY, signature)),
        "Ed25519 verified by cryptography, /s": _rate(5000, lambda _: public.verify(signature, ENTRY)),
    }


def _rate(count, act) -> float:
    act(0)
    start = time.perf_counter()
    for i in range(count):
        act(i)
    return count / (time.perf_counter() - start)


if __name__ == "__main__":
    for name, figure in run().items():
        print(f"{name:50} {figure:12,.1f}")
