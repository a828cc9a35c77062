"""The verifier by itself: python -m onshore.ledger PATH --key VKEY, or as one file, onshore-verify.pyz."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import file_digest
from itertools import chain
from pathlib import Path

from onshore.ledger import history, verify
from onshore.ledger.contents import contents
from onshore.ledger.note import Key, Unreadable, Wrong, open_note, read_keys
from onshore.ledger.policy import read_policy
from onshore.ledger.verify import Finding, Trust

DONE, USAGE, BROKEN = 0, 2, 3
MANIFEST, PERMIT = "manifest.json", "permit.note"
MAX_PAPER = 64 << 20
"""Bytes of a manifest or permit at most."""


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
        return history.log(reads(path), believed)
    kind = kind_of(path)
    if kind == "proof":
        return verify.proof(_bytes(path), believed)
    if kind == "receipt":
        return verify.receipt(_bytes(path), believed)
    return chain(verify.parcel(proof_beside(path), _sha256(path), believed), inside)


def reads(folder: Path) -> verify.Read:
    """What reads a log's folder, or a mirror, which has each year's log below it."""

    def read(name: str) -> bytes | None:
        return _maybe(folder / name)

    years = sorted(p.name for p in folder.iterdir() if p.is_dir() and len(p.name) == 4 and p.name.isdecimal())
    return history.by_year(read, years[-1]) if years and read("checkpoint") is None else read


def inside(path: Path, papers: Mapping[str, bytes], parts: Mapping[str, str], key: str | None) -> Iterator[Finding]:
    """Findings on what the parcel at `path` holds: papers by name, parts by name as SHA-256 in hex.

    `key`: the regulator's verifier key, or a file of such, where the permit's signature is to be checked too.
    """
    for name in sorted({*papers} ^ {MANIFEST, PERMIT}):
        raise Wrong("it does not belong into a parcel" if name in papers else "it is missing", name)
    yield from contents(proof_beside(path), papers[MANIFEST], papers[PERMIT], parts)
    if key is None:
        yield Finding(False, "permit's signature: no regulator's key was given (--permit-key)")
    else:
        open_note(papers[PERMIT], keys_of(key))
        yield Finding(True, "permit's signature: the regulator's")


def opened(path: Path, folder: Path, key: str | None) -> Iterator[Finding]:
    """Findings on what a parcel holds, from the folder into which its owner opened it with other tools."""
    papers: dict[str, bytes] = {}
    parts: dict[str, str] = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_symlink() or not (file.is_file() or file.is_dir()):
            raise Wrong("it is no plain file", name)
        if file.is_file() and name.startswith("parts/"):
            parts[name] = _sha256(file)
        elif file.is_file():
            papers[name] = _start(file, MAX_PAPER)
    yield from inside(path, papers, parts, key)


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
    parser.add_argument("--opened", type=Path, help="a folder with what the parcel holds: age -d PARCEL | tar x")
    parser.add_argument("--permit-key", help="with --opened: the regulator's verifier key, or a file that holds it")
    asked = parser.parse_args(arguments)
    if asked.permit_key is not None and asked.opened is None:
        parser.error("--permit-key checks what is inside a parcel: give --opened as well")
    try:
        for finding in examine(asked.path, trust(asked.key, asked.policy, asked.since), _inside(asked)):
            sys.stdout.write(f"{finding}\n")
    except Wrong as wrong:
        sys.stdout.write(f"wrong: {wrong}\n")
        return BROKEN
    except (Unreadable, OSError) as error:
        sys.stderr.write(f"not readable: {error}\n")
        return USAGE
    sys.stdout.write("verified\n")
    return DONE


def _inside(asked: argparse.Namespace) -> Iterable[Finding]:
    if asked.opened is None:
        return (verify.NOT_OPENED,)
    if not asked.path.exists() or asked.path.is_dir() or kind_of(asked.path) != "parcel":
        raise Unreadable(f"{asked.path} is no parcel; --opened says what one holds")
    if not asked.opened.is_dir():
        how = "open the parcel into one: age -d -i KEYS PARCEL | tar x -C FOLDER"
        raise Unreadable(f"{asked.opened} is no folder; {how}")
    return opened(asked.path, asked.opened, asked.permit_key)


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


def _start(path: Path, most: int = 64) -> bytes:
    with path.open("rb") as file:
        return file.read(most)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
