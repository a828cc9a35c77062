"""What a witness answers: a request and what it cosigned last go in, an answer comes out (C2SP tlog-witness v1.0.0)."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from onshore.ledger.note import (
    MAX_NOTE,
    Checkpoint,
    Key,
    Wrong,
    decimal,
    decoded,
    open_note,
    read_checkpoint,
)
from onshore.ledger.tree import EMPTY, HASH, consistent

MAX_PROOF = 63
"""Hashes of a consistency proof at most, whatever the size of the log."""
MAX_BODY = MAX_NOTE + 64 * 64
"""Bytes of a request at most."""
SIZE = "text/x.tlog.size"
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """An answer as HTTP gives it: status, body, type of the body, how long it may be kept.

    `zips`: the body may go gzipped to whoever takes it so. `more`: further headers.
    """

    status: int
    body: bytes = b""
    kind: str = TEXT
    cache: str = "no-store"
    zips: bool = False
    more: tuple[tuple[str, str], ...] = ()


class Declined(Exception):
    """What a witness will not cosign. `forked`: the log signed something that disagrees with what it signed before."""

    def __init__(self, status: int, says: str, *, size: int | None = None, forked: bool = False) -> None:
        super().__init__(says)
        body, kind = (f"{says}\n", TEXT) if size is None else (f"{size}\n", SIZE)
        self.answer = Answer(status, body.encode(), kind)
        self.forked = forked


@dataclass(frozen=True)
class Request:
    """A checkpoint handed in: the size that the proof starts from, the proof, the signed note, whose log it is."""

    old: int
    proof: tuple[bytes, ...]
    note: str
    origin: str


def place(origin: str) -> str:
    """How a log is named in paths and addresses: SHA-256 of its origin, in hex."""
    return sha256(origin.encode()).hexdigest()


def write_request(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """The body that hands in a checkpoint, with the proof that it extends the one of `old` entries."""
    return "\n".join([f"old {old}", *(b64encode(h).decode() for h in proof), "", note]).encode()


def read_request(body: bytes) -> Request:
    """A request taken apart; Declined with 400 where it is not in its one form."""
    try:
        head, blank, note = body.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise Declined(400, "this is not UTF-8") from None
    old, *lines = head.split("\n")
    size = decimal(old.removeprefix("old ")) if old.startswith("old ") else None
    hashes = [decoded(line) for line in lines]
    proof = tuple(h for h in hashes if h is not None and len(h) == HASH)
    if size is None or not blank or len(proof) < len(lines) or len(lines) > MAX_PROOF:
        raise Declined(400, "this is not 'old' with a size, at most 63 hashes in base64, a blank line and a checkpoint")
    return Request(size, proof, note, note.partition("\n")[0])


def agreed(request: Request, keys: Sequence[Key], held: Checkpoint | None) -> tuple[Checkpoint, str]:
    """The checkpoint that may be cosigned, and the lines of its note to keep: text and signatures of these keys.

    `keys`: those trusted for this log, none for an unknown one. `held`: what was cosigned last, if anything was. Raises
    Declined with the status that the protocol has for the reason.
    """
    if not keys:
        raise Declined(404, "this witness does not know that log")
    point, kept = _signed(request, keys)
    size = held.size if held else 0
    forked = held is not None and point.size == size and point.root != held.root
    if request.old > point.size:
        raise Declined(400, "the old size is above the checkpoint's")
    if request.old != size:
        raise Declined(409, "the old size is not the one that was cosigned last", size=size, forked=forked)
    # The empty tree begins every tree; its root is fixed all the same.
    if not consistent(size, point.size, request.proof, held.root if held else EMPTY, point.root):
        raise Declined(422, "the checkpoint does not extend what this witness cosigned of that log", forked=forked)
    return point, kept


def _signed(request: Request, keys: Sequence[Key]) -> tuple[Checkpoint, str]:
    try:
        note = open_note(request.note, keys)
        point = read_checkpoint(note.text)
    except Wrong as wrong:
        raise Declined(403, f"no signature that this witness trusts for that log: {wrong}") from None
    return point, f"{note.text}\n{lines_of(request.note, note.signers)}"


def lines_of(note: str, keys: Sequence[Key]) -> str:
    """The signature lines of a note which these keys made, as far as name and id tell; the note was opened before.

    Each once: else whoever hands a note in says how many there are to keep, and of too many nobody reads any.
    """
    named = {(key.name, key.id) for key in keys}
    lines = dict.fromkeys(note.rpartition("\n\n")[2].split("\n")[:-1])
    return "".join(f"{line}\n" for line in lines if _whose(line) in named)


def _whose(line: str) -> tuple[str, bytes]:
    _, name, material = line.split(" ")
    return name, (decoded(material) or b"")[:4]
