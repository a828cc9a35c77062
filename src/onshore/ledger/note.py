"""Signed notes, checkpoints and trust policies of C2SP: read, checked, written."""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from onshore.ledger.signatures import ed25519

ED25519 = 1
COSIGNATURE = 4
"""Signature types: Ed25519 over the text; the same with a time, by a witness (C2SP tlog-cosignature)."""

MAX_NOTE = 1 << 20
MAX_SIGNATURES = 256
"""C2SP signed-note: a reader sets a limit and takes at least 16 signatures."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_KINDS = {ED25519, COSIGNATURE}


class Wrong(ValueError):
    """What was to be verified is wrong: what, and where."""

    def __init__(self, what: str, where: str) -> None:
        super().__init__(f"{where}: {what}")
        self.what = what
        self.where = where


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
    """A note whose signatures by known keys all hold: its text, who of them signed, names of the others."""

    text: str
    signers: tuple[Key, ...]
    others: tuple[str, ...]


@dataclass(frozen=True)
class Checkpoint:
    """A log's word: at `size` entries, the root of `origin` is this (C2SP tlog-checkpoint)."""

    origin: str
    size: int
    root: bytes


def read_key(text: str) -> Key:
    """The key behind a vkey line; Unreadable where its id does not fit it, or where it is not Ed25519."""
    name, _, rest = text.strip().partition("+")
    key_id, _, material = rest.partition("+")
    raw = decoded(material)
    if not _is_key_name(name) or not raw or not _is_utf8(name):
        raise Unreadable("this is no verifier key; it reads name+id+key, as the log's file 'vkey' does")
    key = Key(name, raw[0], raw[1:])
    if key.kind not in _KINDS or len(key.public) != 32:
        raise Unreadable(f"the key of {name} has type {key.kind}; only Ed25519 (types 1 and 4) is checked here")
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

    Limits: 1 MiB, 256 signatures (C2SP signed-note).
    """
    text, lines = _parted(note)
    known = {(k.name, k.id): k for k in (read_key(k) if isinstance(k, str) else k for k in keys)}
    signers: dict[Key, None] = {}
    others: dict[str, None] = {}
    for name, signature in map(_signature, lines):
        key = known.get((name, signature[:4]))
        if key is None:
            others[name] = None
        elif not _holds(key, text, signature[4:]):
            raise Wrong(f"the signature of {name} does not hold over the text", "signed note")
        else:
            signers[key] = None
    if not signers:
        raise Wrong("no key that you trust has signed it", "signed note")
    return Note(text, tuple(signers), tuple(others))


def read_checkpoint(text: str) -> Checkpoint:
    """The checkpoint that a note's text states; lines after the third are opaque and may not be empty."""
    lines = text.split("\n")[:-1]
    if len(lines) < 3 or not all(lines) or not _DECIMAL.fullmatch(lines[1]):
        raise Wrong("it is not an origin, a size and a root, one a line", "checkpoint")
    root = decoded(lines[2])
    if root is None or len(root) != 32:
        raise Wrong("the root is no SHA-256 hash in base64", "checkpoint")
    return Checkpoint(lines[0], int(lines[1]), root)


def checkpoint_text(point: Checkpoint) -> str:
    """The text that a log signs."""
    return f"{point.origin}\n{point.size}\n{base64.b64encode(point.root).decode()}\n"


def signature_line(key: Key, signature: bytes) -> str:
    """The line that a signature adds to a note."""
    return f"\u2014 {key.name} {base64.b64encode(key.id + signature).decode()}\n"


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
    at = int.from_bytes(signature[:8], "big")
    cosigned = f"cosignature/v1\ntime {at}\n{text}".encode()
    return at < 1 << 63 and ed25519(key.public, cosigned, signature[8:])


def _is_key_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(c.isspace() or c < " " for c in name)


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)


@dataclass(frozen=True)
class Policy:
    """Which logs are believed, and which witnesses together are enough (C2SP tlog-policy).

    `witnesses`: name to key. `groups`: name to (how many, members), each defined after its members.
    """

    logs: tuple[Key, ...]
    witnesses: Mapping[str, Key]
    groups: Mapping[str, tuple[int, tuple[str, ...]]]
    quorum: str

    def met_by(self, signers: Sequence[Key]) -> bool:
        """Whether these keys, whose signatures hold, reach the quorum."""
        met = {"none"} | {name for name, key in self.witnesses.items() if key in signers}
        for name, (enough, members) in self.groups.items():
            if sum(m in met for m in members) >= enough:
                met.add(name)
        return self.quorum in met


def read_policy(raw: bytes) -> Policy:
    """A policy file; Unreadable, with the line, where a name is used undefined or another rule is broken."""
    draft = _Draft()
    for number, line in enumerate(raw.split(b"\n"), 1):
        try:
            draft.take(line)
        except Unreadable as error:
            raise Unreadable(f"policy, line {number}: {error}") from None
    if draft.quorum is None:
        raise Unreadable("policy: no quorum line; 'quorum none' asks for no witness")
    return Policy(tuple(draft.logs), draft.witnesses, draft.groups, draft.quorum)


class _Draft:
    """A policy while its lines are read."""

    def __init__(self) -> None:
        self.logs: list[Key] = []
        self.witnesses: dict[str, Key] = {}
        self.groups: dict[str, tuple[int, tuple[str, ...]]] = {}
        self.quorum: str | None = None
        self._grouped: set[str] = set()

    def take(self, line: bytes) -> None:
        if any((c < 0x20 and c != 0x09) or c == 0x7F for c in line):
            raise Unreadable("a control character")
        # Names are opaque octets; what is not UTF-8 travels as surrogates, one for each.
        words = re.split(r"[ \t]+", line.decode("utf-8", "surrogateescape").strip(" \t"))
        if not words[0] or words[0].startswith("#"):
            return
        match words:
            case ["log", key] | ["log", key, _]:
                self._log(read_key(key))
            case ["witness", name, key] | ["witness", name, key, _]:
                self._witness(name, read_key(key))
            case ["group", name, enough, *members]:
                self._group(name, enough, tuple(members))
            case ["quorum", name]:
                self._quorum(name)
            case _:
                raise Unreadable("it is not log, witness, group or quorum with what belongs to it")

    def _log(self, key: Key) -> None:
        if key.kind != ED25519 or key.public in {k.public for k in self.logs}:
            raise Unreadable("a log takes a key of type 1 that no other log has")
        self.logs.append(key)

    def _witness(self, name: str, key: Key) -> None:
        if key.kind != COSIGNATURE or key.public in {k.public for k in self.witnesses.values()}:
            raise Unreadable("a witness takes a key of type 4 that no other witness has")
        self._new(name)
        self.witnesses[name] = key

    def _group(self, name: str, enough: str, members: tuple[str, ...]) -> None:
        self._new(name)
        if not members or len(set(members)) < len(members):
            raise Unreadable("a group takes one member or more, each once")
        for member in members:
            if member not in self._defined() or member in self._grouped:
                raise Unreadable(f"the member {member!a} is not defined above, or is in a group already")
        count = {"any": 1, "all": len(members)}.get(enough, decimal(enough) or 0)
        if not 1 <= count <= len(members):
            raise Unreadable("how many are enough: 'any', 'all' or a number from 1 to the number of members")
        self._grouped.update(members)
        self.groups[name] = count, members

    def _quorum(self, name: str) -> None:
        if self.quorum is not None or name not in {"none", *self._defined()}:
            raise Unreadable("there is one quorum line, and it names what is defined above it, or none")
        self.quorum = name

    def _defined(self) -> set[str]:
        return {*self.witnesses, *self.groups}

    def _new(self, name: str) -> None:
        if name == "none" or name in self._defined():
            raise Unreadable(f"the name {name!a} is taken")
