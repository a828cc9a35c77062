"""Trust policies (C2SP tlog-policy): which logs are believed, and which witnesses together are enough."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from onshore.ledger.note import COSIGNATURE, ED25519, Key, Unreadable, decimal, read_key

MAX_POLICY = 8 << 20
"""Bytes of a policy at most: some thousand witnesses."""


@dataclass(frozen=True)
class Policy:
    """Which logs are believed, and which witnesses together are enough (C2SP tlog-policy).

    `witnesses`: name to key. `groups`: name to (how many, members), each defined after its members. `urls`: name of a
    witness to where checkpoints are handed in (its submission prefix), where the policy says so.
    """

    logs: tuple[Key, ...]
    witnesses: Mapping[str, Key]
    groups: Mapping[str, tuple[int, tuple[str, ...]]]
    quorum: str
    urls: Mapping[str, str] = field(default_factory=dict)

    def met_by(self, signers: Sequence[Key]) -> bool:
        """Whether these keys, whose signatures hold, reach the quorum."""
        met = {"none"} | {name for name, key in self.witnesses.items() if key in signers}
        for name, (enough, members) in self.groups.items():
            if sum(m in met for m in members) >= enough:
                met.add(name)
        return self.quorum in met


def read_policy(raw: bytes) -> Policy:
    """A policy file; Unreadable, with the line, where a name is used undefined or another rule is broken."""
    if len(raw) > MAX_POLICY:
        raise Unreadable(f"policy: it is longer than {MAX_POLICY} bytes")
    draft = _Draft()
    for number, line in enumerate(raw.split(b"\n"), 1):
        try:
            draft.take(line)
        except Unreadable as error:
            raise Unreadable(f"policy, line {number}: {error}") from None
    if draft.quorum is None:
        raise Unreadable("policy: no quorum line; 'quorum none' asks for no witness")
    return Policy(tuple(draft.logs), draft.witnesses, draft.groups, draft.quorum, draft.urls)


class _Draft:
    """A policy while its lines are read."""

    def __init__(self) -> None:
        self.logs: list[Key] = []
        self.witnesses: dict[str, Key] = {}
        self.groups: dict[str, tuple[int, tuple[str, ...]]] = {}
        self.quorum: str | None = None
        self.urls: dict[str, str] = {}
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
            case ["witness", name, key, *url] if len(url) <= 1:
                self._witness(name, read_key(key))
                self.urls |= dict.fromkeys([name], url[0]) if url else {}
            case ["group", name, enough, *members]:
                self._group(name, enough, tuple(members))
            case ["quorum", name]:
                self._quorum(name)
            case _:
                raise Unreadable("it is not log, witness, group or quorum with what belongs to it")

    def _log(self, key: Key) -> None:
        if key.kind == COSIGNATURE or key.public in {k.public for k in self.logs}:
            raise Unreadable("a log takes a key of type 1 or 6 that no other log has")
        self._of_one(key)
        self.logs.append(key)

    def _witness(self, name: str, key: Key) -> None:
        if key.kind == ED25519 or key.public in {k.public for k in self.witnesses.values()}:
            raise Unreadable("a witness takes a key of type 4 or 6 that no other witness has")
        self._of_one(key)
        self._new(name)
        self.witnesses[name] = key

    def _of_one(self, key: Key) -> None:
        """A log that is its own witness shows nothing to anybody else (C2SP tlog-cosignature: no key serves two)."""
        if key.public in {k.public for k in (*self.logs, *self.witnesses.values())}:
            raise Unreadable("the same key serves as a log's and as a witness's")

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
