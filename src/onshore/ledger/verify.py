"""What a stranger checks offline: a whole log, a proof, a receipt, a parcel. Bytes in, findings out."""

import base64
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from onshore.ledger import tree
from onshore.ledger.canonical import canonical, digest, must_be_same, read_entry, read_object
from onshore.ledger.note import (
    COSIGNATURE,
    ED25519,
    MLDSA44,
    Checkpoint,
    Key,
    Note,
    Unreadable,
    Wrong,
    decimal,
    decoded,
    open_note,
    plain,
    read_checkpoint,
)
from onshore.ledger.policy import Policy
from onshore.ledger.totals import Totals

__all__ = [
    "Finding",
    "Proof",
    "Read",
    "Trust",
    "canonical",
    "checkpoint",
    "digest",
    "log",
    "parcel",
    "proof",
    "read_bundle",
]
__all__ += ["read_entry", "read_proof", "read_tile", "receipt", "write_proof"]

PROOF = "c2sp.org/tlog-proof@v1"
_YEAR = re.compile(r"/[0-9]{4}\Z")
Read = Callable[[str], bytes | None]
"""Reads a file of a log's folder by its path with "/"; None where it is absent."""


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was looked at, and whether it was checked. What is wrong is raised."""

    checked: bool
    says: str

    def __post_init__(self) -> None:
        """Names and entries in it are the sender's words."""
        object.__setattr__(self, "says", plain(self.says))

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


def log(read: Read, trust: Trust, totals: Totals | None = None) -> Iterator[Finding]:
    """A whole log: checkpoint, each entry against each tile, the root; that it extends `trust.since`.

    With a policy the quorum is looked for under the checkpoint, or under an older one of the log's, in the file
    `witnessed`, which the log then has to extend. `totals`: hears what each entry states of bytes that left, none of
    which may go down.
    """
    totals = Totals() if totals is None else totals
    raw = read("checkpoint")
    if raw is None:
        raise Unreadable("there is no file 'checkpoint' in it, so it is no log")
    marks: dict[str, Checkpoint] = {}
    cosigned = _cosigned(read, raw) if trust.policy else None
    if cosigned is not None:
        marks["witnessed"], told = checkpoint(cosigned, trust)
        trust = replace(trust, policy=None)
    point, said = checkpoint(raw, trust)
    yield from said if cosigned is None else [*said[:-1], told[-1]]
    older = _older(trust, point)
    marks |= {} if older is None else {"since": older}
    known, then, row = tree.Growing(), {0: tree.EMPTY}, list[bytes]()
    for number, width in _widths(point.size):
        hashes = _leaves(read, number, width, totals)
        for entry_hash in hashes:
            known.add(entry_hash)
            if any(known.size == mark.size for mark in marks.values()):
                then[known.size] = known.root()
        row += _raised(hashes)
    yield Finding(True, f"entries: {point.size} in bundles, each as the tree's lowest tiles have it")
    if totals.most:
        yield Finding(True, f"totals: {totals.most['total']} bytes left by sockets; no entry states fewer than before")
    tiles = _upper_tiles(read, row)
    yield Finding(True, f"tiles: {tiles} above the lowest, each as the tiles under it have it")
    if known.root() != point.root:
        raise Wrong("the entries do not lead to the root that the log signed", "checkpoint")
    yield Finding(True, "root: the entries lead to the root that the log signed")
    for where, mark in marks.items():
        which = "older checkpoint" if where == "since" else "witnesses' checkpoint"
        if then.get(mark.size) != mark.root:
            raise Wrong(f"the log does not extend the {which} of {mark.size} entries", where)
        yield Finding(True, f"{where}: the log extends the {which} of {mark.size} entries")


def _cosigned(read: Read, raw: bytes) -> bytes | None:
    """The file `witnessed`, if there is one of this log, not of the year before."""
    found = read("witnessed")
    same = found is not None and found.partition(b"\n")[0] == raw.partition(b"\n")[0]
    return found if same else None


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
    must_be_same(entry.get("obj"), named, "receipt", "the entry names another paper than this receipt")
    yield Finding(True, f"receipt: it is the paper that the entry ({entry.get('t')}) names")


def parcel(text: bytes, sealed_sha256: str, trust: Trust) -> Iterator[Finding]:
    """A parcel, by the proof beside it and the sealed file's SHA-256 (hex): it was logged as released."""
    found = read_proof(text)
    yield from _proven(found, trust)
    entry = read_entry(found.entry or b"")
    must_be_same(
        (entry.get("t"), entry.get("state")), ("release", "leaving"), "proof", "its entry lets no parcel leave"
    )
    due, otherwise = f"sha256:{sealed_sha256}", "its bytes are not those that the ledger says were released"
    must_be_same(entry.get("obj"), due, "parcel", otherwise)
    yield Finding(True, "parcel: its bytes are those that the ledger says were released")


NOT_OPENED = Finding(False, "manifest, permit and parts: the parcel was not opened (no identity was given)")


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
    point, said = checkpoint(found.checkpoint.encode(), trust)
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
        must_be_same(older.root, point.root, "since", "the older checkpoint has the same size and another root")
        yield Finding(True, f"since: the same {older.size} entries as the older checkpoint")
    else:
        yield Finding(False, "since: that takes the whole log; a proof does not show that it extends the older one")


_NAMES = {ED25519: "Ed25519", MLDSA44: "ML-DSA-44"}
"""How a log signs its checkpoints; who knows its keys of both kinds is shown both signatures, or is shown nothing."""


def checkpoint(raw: bytes, trust: Trust, *, both: bool = True) -> tuple[Checkpoint, list[Finding]]:
    """A signed checkpoint alone; Wrong unless keys of its log signed it, of `both` kinds where both are known."""
    origin = raw.partition(b"\n")[0].decode("utf-8", "replace")
    mine = _of_log(trust.keys, origin)
    witnesses = tuple(trust.policy.witnesses.values()) if trust.policy else ()
    note = open_note(raw, [*mine, *witnesses])
    point = read_checkpoint(note.text)
    logs = [k for k in note.signers if k in mine]
    if not logs:
        raise Wrong(f"no key that you trust for the log {point.origin} has signed it", "checkpoint")
    kinds = {k.kind for k in logs}
    lacks = [_NAMES[kind] for kind in sorted({k.kind for k in mine} - kinds)] if both else []
    if lacks:
        since = "a checkpoint from before the log had that key is verified with its other key alone"
        raise Wrong(f"it lacks the log's {lacks[0]} signature, whose key you trust; {since}", "checkpoint")
    if trust.policy and trust.policy.logs and not set(logs) & set(_of_log(trust.policy.logs, origin)):
        raise Wrong(f"the policy does not list the log {point.origin} with this key", "checkpoint")
    names = " and ".join(_NAMES[kind] for kind in sorted(kinds))
    said = [Finding(True, f"checkpoint: signed by {point.origin} with {names}, {point.size} entries")]
    if origin in note.others:
        said.append(Finding(False, f"checkpoint: a further signature by {origin}, whose key was not given"))
    return point, [*said, _witnesses(note, trust.policy, origin)]


def _of_log(keys: Iterable[Key], origin: str) -> list[Key]:
    """The keys that a log of this origin signs with: its own, or of the logs that one site has, one a year."""
    mine = [key for key in keys if key.kind != COSIGNATURE and without_year(key.name) == without_year(origin)]
    return [Key(origin, key.kind, key.public) for key in mine]


def without_year(origin: str) -> str:
    """The origin of a site's first log; those that follow it have "/" and the year behind it, and the same keys."""
    return _YEAR.sub("", origin)


def _witnesses(note: Note, policy: Policy | None, origin: str) -> Finding:
    if policy is None:
        others = [name for name in note.others if name != origin]
        names = f"; signatures by {', '.join(others)}" if others else ""
        return Finding(False, f"witnesses: no policy was given{names}")
    if not policy.met_by(note.signers):
        raise Wrong(f"the policy's quorum '{policy.quorum}' of witnesses is not reached", "checkpoint")
    count = sum(k in policy.witnesses.values() for k in note.signers)
    return Finding(True, f"witnesses: {count} cosigned, the quorum '{policy.quorum}' is reached")


def _older(trust: Trust, point: Checkpoint) -> Checkpoint | None:
    if trust.since is None:
        return None
    older, _ = checkpoint(trust.since, Trust(trust.keys), both=False)
    must_be_same(older.origin, point.origin, "since", "the older checkpoint is of another log")
    if older.size > point.size:
        raise Wrong(f"the older checkpoint has {older.size} entries, this one {point.size}", "since")
    return older


def _widths(size: int) -> Iterator[tuple[int, int]]:
    for start in range(0, size, tree.SPAN):
        yield start // tree.SPAN, min(tree.SPAN, size - start)


def _leaves(read: Read, number: int, width: int, totals: Totals) -> list[bytes]:
    """The hashes of a bundle's entries, held against their tile: one of the two files is wrong where they differ."""
    found = read_bundle(read, number, width)
    hashes = [tree.leaf(e) for e in found]
    stored = read_tile(read, 0, number, width)
    entries, tile = tree.tile_path(None, number, width), tree.tile_path(0, number, width)
    for i, (entry_hash, held) in enumerate(zip(hashes, stored, strict=True)):
        if entry_hash != held:
            raise Wrong(f"entry {number * tree.SPAN + i} is not the one in the tree, in {tile}", entries)
    for i, body in enumerate(found):
        if fell := totals.hear(body):
            raise Wrong(f"entry {number * tree.SPAN + i} states fewer bytes than one before it ({fell})", entries)
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
            must_be_same(held, due, tree.tile_path(level, number, width), "it does not fit the tiles under it")
            above += _raised(due)
            count += 1
        level, row = level + 1, above
    return count


def _hash(line: str) -> bytes:
    raw = decoded(line)
    if raw is None or len(raw) != tree.HASH:
        raise Wrong("a line of the proof is no SHA-256 hash in base64", "proof")
    return raw


def _receipt_parts(raw: bytes) -> tuple[dict[str, Any], str]:
    whole = read_object(raw, "receipt")
    paper, text = whole.get("receipt"), whole.get("proof")
    if set(whole) != {"receipt", "proof"} or not isinstance(paper, dict) or not isinstance(text, str):
        raise Wrong("it is not an object of 'receipt' and 'proof'", "receipt")
    return paper, text
