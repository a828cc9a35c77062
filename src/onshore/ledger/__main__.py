"""The verifier by itself: python -m onshore.ledger PATH --key VKEY [--policy FILE] [--since CHECKPOINT]."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import chain
from pathlib import Path

from onshore.ledger import verify
from onshore.ledger.note import Key, Unreadable, Wrong, read_keys, read_policy
from onshore.ledger.verify import Finding, Trust

DONE, USAGE, BROKEN = 0, 2, 3


def trust(key: str, policy: Path | None, since: Path | None) -> Trust:
    """What is believed: `key` is a verifier key, or a file of such, one a line."""
    return Trust(
        keys_of(key),
        None if policy is None else read_policy(_bytes(policy)),
        None if since is None else _bytes(since),
    )


def keys_of(key: str) -> tuple[Key, ...]:
    """The keys behind what was given: a verifier key, or a file of such."""
    return read_keys(key if "+" in key and not _is_file(key) else text_of(Path(key)))


def examine(path: Path, believed: Trust, inside: Iterable[Finding] = (verify.NOT_OPENED,)) -> Iterator[Finding]:
    """Findings on a log's folder, a proof, a receipt, or a parcel with its proof beside it.

    `inside`: findings on what an opened parcel holds, drawn once its sealed bytes are the right ones.
    """
    if not path.exists():
        raise Unreadable(f"{path} is missing")
    if path.is_dir():
        return verify.log(lambda name: _maybe(path / name), believed)
    kind = kind_of(path)
    if kind == "proof":
        return verify.proof(_bytes(path), believed)
    if kind == "receipt":
        return verify.receipt(_bytes(path), believed)
    return chain(verify.parcel(proof_beside(path), _sha256(path), believed), inside)


def kind_of(path: Path) -> str:
    """What a file is, by its name or else by its first bytes: "proof", "receipt" or "parcel"."""
    by_name = {".tlog-proof": "proof", ".json": "receipt", ".parcel": "parcel"}
    if path.suffix in by_name:
        return by_name[path.suffix]
    start = _start(path)
    if start.startswith(verify.PROOF.encode()):
        return "proof"
    return "receipt" if start.lstrip().startswith(b"{") else "parcel"


def proof_beside(path: Path) -> bytes:
    """The proof that lies beside a parcel; Unreadable where there is none."""
    beside = path.with_suffix(".tlog-proof")
    if not beside.is_file():
        raise Unreadable(f"{beside} is missing; a parcel is verified by the proof that lies beside it")
    return _bytes(beside)


def text_of(path: Path) -> str:
    """The text of a file; Unreadable where it is missing or holds none."""
    try:
        return _bytes(path).decode()
    except UnicodeDecodeError:
        raise Unreadable(f"{path} holds no text") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was checked, then 'verified' (0) or the first wrong thing (3); 2 where it cannot start."""
    parser = argparse.ArgumentParser(prog="verify", description="Verify a log, proof, receipt or parcel, offline.")
    parser.add_argument("path", type=Path)
    parser.add_argument("--key", required=True, help="the log's verifier key, or a file that holds it")
    parser.add_argument("--policy", type=Path, help="a file that says which witnesses are enough")
    parser.add_argument("--since", type=Path, help="a checkpoint seen earlier, which the log has to extend")
    asked = parser.parse_args(arguments)
    try:
        for finding in examine(asked.path, trust(asked.key, asked.policy, asked.since)):
            sys.stdout.write(f"{finding}\n")
    except Wrong as wrong:
        sys.stdout.write(f"wrong: {wrong}\n")
        return BROKEN
    except (Unreadable, OSError) as error:
        sys.stderr.write(f"not readable: {error}\n")
        return USAGE
    sys.stdout.write("verified\n")
    return DONE


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # longer than a name may be
        return False


def _maybe(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _bytes(path: Path) -> bytes:
    raw = _maybe(path)
    if raw is None:
        raise Unreadable(f"{path} is missing")
    return raw


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(64)


def _sha256(path: Path) -> str:
    found = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
