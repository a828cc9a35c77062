"""Signed notes and checkpoints of C2SP: read, checked, written."""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from onshore.ledger.mldsa import PUBLIC, mldsa44
from onshore.ledger.signatures import ed25519

ED25519 = 1
COSIGNATURE = 4
MLDSA44 = 6
"""Signature types: Ed25519 over the text; the same with a time, by a witness; ML-DSA-44 over the checkpoint that the
text states and a time, by a log or a witness (C2SP signed-note, tlog-cosignature)."""

MAX_NOTE = 1 << 20
MAX_SIGNATURES = 256
"""C2SP signed-note: a reader sets a limit and takes at least 16 signatures."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_KINDS = {ED25519: 32, COSIGNATURE: 32, MLDSA44: PUBLIC}
"""Bytes of a public key of each type."""
_SUBTREE = b"subtree/v1\n\0"
_TIME = 8
_ROOT = 32


def plain(text: str) -> str:
    """Words that others chose, as a person is shown them: without what would steer a terminal, or begin a line."""
    return "".join(c if c.isprintable() else "?" for c in text)


class Wrong(ValueError):
    """What was to be verified is wrong: what, and where."""

    def __init__(self, what: str, where: str) -> None:
        self.what, self.where = plain(what), plain(where)
        super().__init__(f"{self.where}: {self.what}")


class Unreadable(ValueError):
    """What the person who verifies gave us (a key, a policy, a path) cannot be read."""


@dataclass(frozen=True)
class Key:
    """A verifier key: its name, signature type and public key."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that name the key in a signature line."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        """The key as C2SP writes it: name+id+key."""
        material = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{material}"


@dataclass(frozen=True)
class Note:
    """A note whose signatures by known keys all hold: its text, who of them signed, names of the others.

    `times`: when a key of a timed type says that it signed (seconds since 1970; 0: it does not say).
    """

    text: str
    signers: tuple[Key, ...]
    others: tuple[str, ...]
    times: Mapping[Key, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """A log's word: at `size` entries, the root of `origin` is this (C2SP tlog-checkpoint)."""

    origin: str
    size: int
    root: bytes


def read_key(text: str) -> Key:
    """The key behind a vkey line; Unreadable where its id does not fit it, or its type is none of 1, 4 and 6."""
    name, _, rest = text.strip().partition("+")
    key_id, _, material = rest.partition("+")
    raw = decoded(material)
    if not _is_key_name(name) or not raw or not _is_utf8(name):
        raise Unreadable("this is no verifier key; it reads name+id+key, as the log's file 'vkey' does")
    key = Key(name, raw[0], raw[1:])
    if len(key.public) != _KINDS.get(key.kind):
        kinds = "only Ed25519 (types 1 and 4) and ML-DSA-44 (type 6) are checked here"
        raise Unreadable(f"the key of {name} has type {key.kind} and {len(key.public)} bytes; {kinds}")
    if key.id.hex() != key_id:
        raise Unreadable(f"the key of {name} does not fit its id {key_id}; copy the whole line again")
    return key


def read_keys(text: str) -> tuple[Key, ...]:
    """The keys of a text, one a line; Unreadable where there is none."""
    keys = tuple(read_key(line) for line in text.split("\n") if line.strip())
    if not keys:
        raise Unreadable("no verifier key stands in it")
    return keys


def open_note(note: str | bytes, keys: Iterable[Key | str]) -> Note:
    """The note, once checked; Wrong unless a known key signed it and none wrongly. Unknown keys are ignored.

    Limits: 1 MiB, 256 signatures (C2SP signed-note). One that is said again is not checked again: ML-DSA takes long.
    """
    text, lines = _parted(note)
    known = {(k.name, k.id): k for k in (read_key(k) if isinstance(k, str) else k for k in keys)}
    signers: dict[Key, None] = {}
    others: dict[str, None] = {}
    times: dict[Key, int] = {}
    for name, signature in dict.fromkeys(map(_signature, lines)):
        key = known.get((name, signature[:4]))
        if key is None:
            others[name] = None
        elif not _holds(key, text, signature[4:]):
            raise Wrong(f"the signature of {name} does not hold over the text", "signed note")
        else:
            signers[key] = None
            if key.kind != ED25519:
                times[key] = int.from_bytes(signature[4 : 4 + _TIME], "big")
    if not signers:
        raise Wrong("no key that you trust has signed it", "signed note")
    return Note(text, tuple(signers), tuple(others), times)


def read_checkpoint(text: str) -> Checkpoint:
    """The checkpoint that a note's text states; lines after the third are opaque and may not be empty."""
    lines = text.split("\n")[:-1]
    if len(lines) < 3 or not all(lines) or not _DECIMAL.fullmatch(lines[1]):
        raise Wrong("it is not an origin, a size and a root, one a line", "checkpoint")
    root = decoded(lines[2])
    if root is None or len(root) != _ROOT:
        raise Wrong("the root is no SHA-256 hash in base64", "checkpoint")
    return Checkpoint(lines[0], int(lines[1]), root)


def checkpoint_text(point: Checkpoint) -> str:
    """The text that a log signs."""
    return f"{point.origin}\n{point.size}\n{base64.b64encode(point.root).decode()}\n"


def signature_line(key: Key, signature: bytes) -> str:
    """The line that a signature adds to a note."""
    return f"\u2014 {key.name} {base64.b64encode(key.id + signature).decode()}\n"


def cosigned_text(text: str, at: int) -> bytes:
    """What a key of type 4 signs of a note's text at a time, in seconds (C2SP tlog-cosignature)."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def subtree(name: str, at: int, point: Checkpoint) -> bytes:
    """What a key of type 6 called `name` signs of a checkpoint at a time, in seconds (C2SP tlog-cosignature).

    ValueError where the name or the log's origin takes more than 255 bytes: such a checkpoint has no such signature.
    """
    named, origin = (bytes([len(raw)]) + raw for raw in (name.encode(), point.origin.encode()))
    start, end = (n.to_bytes(8, "big") for n in (0, point.size))
    return _SUBTREE + named + at.to_bytes(_TIME, "big") + origin + start + end + point.root


def decoded(text: str) -> bytes | None:
    """Bytes of base64 in its one spelling (RFC 4648 §4), or None."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if base64.b64encode(raw).decode() == text else None


def decimal(text: str) -> int | None:
    """A number in ASCII digits without leading zeros, or None."""
    return int(text) if _DECIMAL.fullmatch(text) else None


def _parted(note: str | bytes) -> tuple[str, list[str]]:
    try:
        whole = (note if isinstance(note, bytes) else note.encode()).decode()
    except UnicodeError:
        raise Wrong("it is not UTF-8", "signed note") from None
    if len(whole) > MAX_NOTE or any(c < " " and c != "\n" for c in whole):
        raise Wrong("it is over-long or holds control characters", "signed note")
    text, blank, signatures = whole.rpartition("\n\n")
    lines = signatures.split("\n")
    if not blank or lines.pop() or not 0 < len(lines) <= MAX_SIGNATURES:
        raise Wrong("it is not a text, a blank line and lines of signatures", "signed note")
    return text + "\n", lines


def _signature(line: str) -> tuple[str, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, material = rest.partition(" ")
    raw = decoded(material)
    if dash != "\u2014" or not _is_key_name(name) or raw is None or len(raw) <= 4:
        raise Wrong("a signature line is not a dash, a key name and base64", "signed note")
    return name, raw


def _holds(key: Key, text: str, signature: bytes) -> bool:
    if key.kind == ED25519:
        return ed25519(key.public, text.encode(), signature)
    at, signature = int.from_bytes(signature[:_TIME], "big"), signature[_TIME:]
    if at >= 1 << 63:
        return False
    if key.kind == COSIGNATURE:
        return ed25519(key.public, cosigned_text(text, at), signature)
    try:
        message = subtree(key.name, at, read_checkpoint(text))
    except ValueError:
        return False
    return mldsa44(key.public, message, signature)


def _is_key_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(c.isspace() or c < " " for c in name)


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)
