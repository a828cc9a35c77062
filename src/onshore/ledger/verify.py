"""What a stranger checks offline: a whole log, a proof, a receipt, a parcel. Bytes in, findings out."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from onshore.ledger import tree
from onshore.ledger.note import (
    ED25519,
    Checkpoint,
    Key,
    Note,
    Policy,
    Unreadable,
    Wrong,
    decimal,
    decoded,
    open_note,
    read_checkpoint,
)

PROOF = "c2sp.org/tlog-proof@v1"
Read = Callable[[str], bytes | None]
"""Reads a file of a log's folder by its path with "/"; None where it is absent."""


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was looked at, and whether it was checked. What is wrong is raised."""

    checked: bool
    says: str

    def __str__(self) -> str:
        """As it is printed."""
        return f"{'checked' if self.checked else 'not checked'}: {self.says}"


@dataclass(frozen=True)
class Trust:
    """What whoever verifies believes: the log's keys, a policy of witnesses, a checkpoint seen earlier."""

    keys: tuple[Key, ...]
    policy: Policy | None = None
    since: bytes | None = None


@dataclass(frozen=True)
class Proof:
    """A `.tlog-proof`: the entry it carries, its index, the hashes to the root, the checkpoint verbatim."""

    entry: bytes | None
    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str


def log(read: Read, trust: Trust) -> Iterator[Finding]:
    """A whole log: checkpoint, each entry against each tile, the root; that it extends `trust.since`."""
    raw = read("checkpoint")
    if raw is None:
        raise Unreadable("there is no file 'checkpoint' in it, so it is no log")
    point, said = _checkpoint(raw, trust)
    yield from said
    older = _older(trust, point)
    known = tree.Growing()
    then = known.root() if older and older.size == 0 else b""
    row: list[bytes] = []
    for number, width in _widths(point.size):
        hashes = _leaves(read, number, width)
        for entry_hash in hashes:
            known.add(entry_hash)
            if older and known.size == older.size:
                then = known.root()
        row += _raised(hashes)
    yield Finding(True, f"entries: {point.size} in bundles, each as the tree's lowest tiles have it")
    tiles = _upper_tiles(read, row)
    yield Finding(True, f"tiles: {tiles} above the lowest, each as the tiles under it have it")
    if known.root() != point.root:
        raise Wrong("the entries do not lead to the root that the log signed", "checkpoint")
    yield Finding(True, "root: the entries lead to the root that the log signed")
    if older:
        if then != older.root:
            raise Wrong(f"the log does not extend the older checkpoint of {older.size} entries", "since")
        yield Finding(True, f"since: the log extends the older checkpoint of {older.size} entries")


def proof(text: bytes, trust: Trust) -> Iterator[Finding]:
    """A proof alone: the entry it carries is in the log whose checkpoint it carries."""
    return _proven(read_proof(text), trust)


def receipt(raw: bytes, trust: Trust) -> Iterator[Finding]:
    """A receipt, JSON of `receipt` and `proof`: the log holds an entry that names this receipt's digest."""
    paper, text = _receipt_parts(raw)
    found = read_proof(text.encode("utf-8", "surrogatepass"))
    yield from _proven(found, trust)
    entry = read_entry(found.entry or b"")
    try:
        named = digest(paper)
    except (ValueError, RecursionError):
        raise Wrong("it holds what no receipt holds", "receipt") from None
    _same(entry.get("obj"), named, "receipt", "the entry names another paper than this receipt")
    yield Finding(True, f"receipt: it is the paper that the entry ({entry.get('t')}) names")


def parcel(text: bytes, sealed_sha256: str, trust: Trust) -> Iterator[Finding]:
    """A parcel, by the proof beside it and the sealed file's SHA-256 (hex): it was logged as released."""
    found = read_proof(text)
    yield from _proven(found, trust)
    entry = read_entry(found.entry or b"")
    _same((entry.get("t"), entry.get("state")), ("release", "leaving"), "proof", "its entry lets no parcel leave")
    due, otherwise = f"sha256:{sealed_sha256}", "its bytes are not those that the ledger says were released"
    _same(entry.get("obj"), due, "parcel", otherwise)
    yield Finding(True, "parcel: its bytes are those that the ledger says were released")


NOT_OPENED = Finding(False, "manifest, permit and parts: the parcel was not opened (no identity was given)")


def contents(text: bytes, manifest: bytes, permit: bytes, parts: Mapping[str, str]) -> Iterator[Finding]:
    """What an opened parcel holds, against its entry: manifest, permit, parts (name to SHA-256 in hex)."""
    entry = read_entry(read_proof(text).entry or b"")
    _same(entry.get("manifest"), digest(manifest), "manifest", "it is not the one that the ledger names")
    yield Finding(True, "manifest: it is the one that the ledger names")
    said = _object(manifest, "manifest")
    _same(entry.get("permit"), digest(permit), "permit", "it is not the one that the ledger names")
    _same(said.get("permit"), digest(permit), "permit", "it is not the one that the manifest names")
    yield Finding(True, "permit: it is the one that the manifest and the ledger name")
    _permitted(entry, said, _object(permit.rpartition(b"\n\n")[0], "permit"))
    yield Finding(True, "permit's terms: request, purpose, categories, recipient, period, persons and day are within")
    listed = _listed(said)
    for name in sorted({*listed, *parts}):
        if name not in parts or name not in listed:
            raise Wrong("it is missing" if name in listed else "the manifest does not list it", name)
        _same(listed[name], parts[name], name, "its bytes are not those that the manifest names")
    _same(entry.get("parts"), [f"sha256:{h}" for h in listed.values()], "parts", "the ledger names others")
    yield Finding(True, f"parts: {len(listed)}, each as manifest and ledger name it")


_TERMS = {"dest": "recipient_jurisdiction", "start": "events_from", "until": "events_until"}
"""What a manifest and a permit call by different names."""


def read_proof(raw: bytes) -> Proof:
    """A `.tlog-proof` taken apart (C2SP tlog-proof); Wrong where it is not in its one form."""
    try:
        head, blank, checkpoint = raw.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise Wrong("it is not UTF-8", "proof") from None
    lines = head.split("\n")
    if lines[0] != PROOF or not blank:
        raise Wrong(f"it does not start with {PROOF}, or carries no checkpoint", "proof")
    entry = None
    if lines[1:2] and lines[1].startswith("extra "):
        entry = decoded(lines.pop(1).removeprefix("extra "))
        if entry is None:
            raise Wrong("the line 'extra' is not base64", "proof")
    index = decimal(lines[1].removeprefix("index ")) if lines[1:2] and lines[1].startswith("index ") else None
    if index is None:
        raise Wrong("the line 'index' is missing or no number", "proof")
    hashes = [_hash(line) for line in lines[2:]]
    return Proof(entry, index, tuple(hashes), checkpoint)


def write_proof(found: Proof) -> str:
    """The text that `read_proof` reads."""
    extra = [] if found.entry is None else [f"extra {base64.b64encode(found.entry).decode()}"]
    hashes = [base64.b64encode(h).decode() for h in found.hashes]
    return "\n".join([PROOF, *extra, f"index {found.index}", *hashes, "", found.checkpoint])


def canonical(value: object) -> bytes:
    """JSON in its one spelling (RFC 8785): sorted keys, no spaces, UTF-8.

    Text, whole numbers below 2**53, truth, lists and objects; ValueError for anything else (floats, null).
    """
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":")).encode()


def digest(paper: Mapping[str, Any] | str | bytes) -> str:
    """How an entry names a paper: "sha256:" and hex, over text as UTF-8, over fields as canonical JSON."""
    if isinstance(paper, str):
        return digest(paper.encode())
    raw = paper if isinstance(paper, bytes) else canonical(dict(paper))
    return f"sha256:{sha256(raw).hexdigest()}"


def read_entry(raw: bytes) -> dict[str, Any]:
    """An entry's fields; Wrong unless its bytes are canonical JSON of an object."""
    fields = _object(raw, "entry")
    try:
        same = canonical(fields) == raw
    except (ValueError, RecursionError):
        same = False
    if not same:
        raise Wrong("it is not JSON in its one spelling (RFC 8785)", "entry")
    return fields


def read_tile(read: Read, level: int, number: int, width: int) -> list[bytes]:
    """The first `width` hashes of a tile; from the full one where the partial is gone (C2SP tlog-tiles)."""
    path, raw, full = _stored(read, level, number, width)
    if len(raw) != (tree.SPAN if full else width) * tree.HASH:
        raise Wrong("it has the wrong length", path)
    return [raw[i : i + tree.HASH] for i in range(0, width * tree.HASH, tree.HASH)]


def read_bundle(read: Read, number: int, width: int) -> list[bytes]:
    """The first `width` entries of a bundle; from the full one where the partial is gone."""
    path, raw, full = _stored(read, None, number, width)
    entries = tree.unpack(raw)
    if entries is None or len(entries) != (tree.SPAN if full else width):
        raise Wrong("it is torn, or holds another number of entries than it should", path)
    return entries[:width]


def _stored(read: Read, level: int | None, number: int, width: int) -> tuple[str, bytes, bool]:
    for path, full in (
        (tree.tile_path(level, number, width), width == tree.SPAN),
        (tree.tile_path(level, number), True),
    ):
        raw = read(path)
        if raw is not None:
            return path, raw, full
    raise Wrong("it is missing", tree.tile_path(level, number, width))


def _proven(found: Proof, trust: Trust) -> Iterator[Finding]:
    point, said = _checkpoint(found.checkpoint.encode(), trust)
    yield from said
    if found.entry is None:
        raise Wrong("it carries no entry (line 'extra'), so nothing can be held against the log", "proof")
    entry_hash = tree.leaf(found.entry)
    if not tree.included(entry_hash, found.index, point.size, found.hashes, point.root):
        raise Wrong(f"the entry is not number {found.index} of the log's {point.size} entries", "proof")
    yield Finding(True, f"entry: number {found.index} of the log's {point.size} entries")
    older = _older(trust, point)
    if older is None:
        return
    if older.size == point.size:
        _same(older.root, point.root, "since", "the older checkpoint has the same size and another root")
        yield Finding(True, f"since: the same {older.size} entries as the older checkpoint")
    else:
        yield Finding(False, "since: that takes the whole log; a proof does not show that it extends the older one")


def _checkpoint(raw: bytes, trust: Trust) -> tuple[Checkpoint, list[Finding]]:
    witnesses = tuple(trust.policy.witnesses.values()) if trust.policy else ()
    note = open_note(raw, [*trust.keys, *witnesses])
    point = read_checkpoint(note.text)
    logs = [k for k in note.signers if k.kind == ED25519 and k in trust.keys and k.name == point.origin]
    if not logs:
        raise Wrong(f"no key that you trust for the log {point.origin} has signed it", "checkpoint")
    if trust.policy and trust.policy.logs and not set(logs) & set(trust.policy.logs):
        raise Wrong(f"the policy does not list the log {point.origin} with this key", "checkpoint")
    signed = Finding(True, f"checkpoint: signed by {point.origin}, {point.size} entries")
    return point, [signed, _witnesses(note, trust.policy)]


def _witnesses(note: Note, policy: Policy | None) -> Finding:
    if policy is None:
        names = f"; signatures by {', '.join(note.others)}" if note.others else ""
        return Finding(False, f"witnesses: no policy was given{names}")
    if not policy.met_by(note.signers):
        raise Wrong(f"the policy's quorum '{policy.quorum}' of witnesses is not reached", "checkpoint")
    count = sum(k in policy.witnesses.values() for k in note.signers)
    return Finding(True, f"witnesses: {count} cosigned, the quorum '{policy.quorum}' is reached")


def _older(trust: Trust, point: Checkpoint) -> Checkpoint | None:
    if trust.since is None:
        return None
    older, _ = _checkpoint(trust.since, Trust(trust.keys))
    _same(older.origin, point.origin, "since", "the older checkpoint is of another log")
    if older.size > point.size:
        raise Wrong(f"the older checkpoint has {older.size} entries, this one {point.size}", "since")
    return older


def _widths(size: int) -> Iterator[tuple[int, int]]:
    for start in range(0, size, tree.SPAN):
        yield start // tree.SPAN, min(tree.SPAN, size - start)


def _leaves(read: Read, number: int, width: int) -> list[bytes]:
    hashes = [tree.leaf(e) for e in read_bundle(read, number, width)]
    stored = read_tile(read, 0, number, width)
    for i, (entry_hash, held) in enumerate(zip(hashes, stored, strict=True)):
        if entry_hash != held:
            raise Wrong(f"entry {number * tree.SPAN + i} is not the one in the tree", tree.tile_path(None, number))
    return hashes


def _raised(hashes: list[bytes]) -> list[bytes]:
    return [tree.root(hashes)] if len(hashes) == tree.SPAN else []


def _upper_tiles(read: Read, row: list[bytes]) -> int:
    level, count = 1, 0
    while row:
        above: list[bytes] = []
        for number, width in _widths(len(row)):
            held = read_tile(read, level, number, width)
            due = row[number * tree.SPAN : number * tree.SPAN + width]
            _same(held, due, tree.tile_path(level, number, width), "it does not fit the tiles under it")
            above += _raised(due)
            count += 1
        level, row = level + 1, above
    return count


def _same(held: object, due: object, where: str, otherwise: str) -> None:
    if held != due:
        raise Wrong(otherwise, where)


def _hash(line: str) -> bytes:
    raw = decoded(line)
    if raw is None or len(raw) != tree.HASH:
        raise Wrong("a line of the proof is no SHA-256 hash in base64", "proof")
    return raw


def _receipt_parts(raw: bytes) -> tuple[dict[str, Any], str]:
    whole = _object(raw, "receipt")
    paper, text = whole.get("receipt"), whole.get("proof")
    if set(whole) != {"receipt", "proof"} or not isinstance(paper, dict) or not isinstance(text, str):
        raise Wrong("it is not an object of 'receipt' and 'proof'", "receipt")
    return paper, text


def _listed(manifest: Mapping[str, Any]) -> dict[str, str]:
    try:
        listed = {str(part["name"]): str(part["sha256"]).removeprefix("sha256:") for part in manifest["parts"]}
    except (KeyError, TypeError):
        raise Wrong("it does not list its parts with name and sha256", "manifest") from None
    if len(listed) != len(manifest["parts"]):
        raise Wrong("it lists a part twice", "manifest")
    return listed


def _permitted(entry: Mapping[str, Any], said: Mapping[str, Any], terms: Mapping[str, Any]) -> None:
    """Hold an entry and a manifest against a permit's words (Automotive Data Provisions, Art. 12)."""
    for name in ("site", "transfer", "request", "purpose", "recipient", *_TERMS):
        term = _TERMS.get(name, name)
        if said.get(name) is None or said[name] != terms.get(term) or entry.get(name, said[name]) != said[name]:
            raise Wrong(f"its '{name}' is not the permit's '{term}', or not the ledger's", "manifest")
    try:
        asked = {*said["categories"], *(part["category"] for part in said["parts"])}
        at = datetime.fromisoformat(entry["at"])
        # The permit's days are local to a site whose zone a stranger need not know: some zone on earth has to have one.
        last, first = ((at + timedelta(hours=h)).date().isoformat() for h in (14, -12))
        held = {
            "categories": asked <= set(terms["categories"]),
            "subjects": 0 <= said["subjects"] == entry["subjects"] <= terms["persons"],
            "day": first <= terms["until"] and terms["start"] <= last,
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Wrong("it or the manifest does not say what was permitted", "permit") from None
    for name, within in held.items():
        if not within:
            raise Wrong(f"its {name}: beyond what the permit allows, or not the ledger's", "manifest")


def _object(raw: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(raw, object_pairs_hook=_without_twins)
    except (ValueError, RecursionError):
        raise Wrong("it is no JSON that can be read in one way only", where) from None
    if not isinstance(value, dict):
        raise Wrong("it is no JSON object", where)
    return value


def _without_twins(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    listed = list(pairs)
    if len(dict(listed)) != len(listed):
        raise ValueError
    return dict(listed)


def _plain(value: object) -> object:
    match value:
        case bool() | str():
            return value
        case int() if abs(value) < 1 << 53:
            return value
        case list() | tuple():
            return [_plain(v) for v in value]
        case dict() if all(isinstance(k, str) for k in value):
            # RFC 8785 §3.2.3: names sort by their UTF-16 code units.
            return {k: _plain(value[k]) for k in sorted(value, key=lambda k: k.encode("utf-16-be"))}
    raise ValueError(f"a {type(value).__name__} (or a number beyond 2**53) has no place in a ledger entry or receipt")
