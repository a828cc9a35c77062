"""A site and its witnesses: checkpoints handed in to each, cosignatures kept, and a quorum of them or no proof."""

import fcntl
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from onshore.ledger import client, durable, verify
from onshore.ledger.client import Place
from onshore.ledger.layout import WITNESSED
from onshore.ledger.log import Log
from onshore.ledger.note import Key, Unreadable, Wrong, decimal, open_note
from onshore.ledger.policy import Policy, read_policy
from onshore.ledger.witness import Answer, lines_of, write_request
from onshore.words.errors import Malformed, Refusal
from onshore.words.settings_border import Witnesses as Said

FOLDER = "witnesses"
_SAYS = {403: "it does not trust this log's key", 404: "it does not know this log"}
_LINE = 200
"""Bytes of what a witness says that are told on."""


class _Trouble(Exception):
    """Why a witness did not cosign. `refuses`: it saw another history of this log than ours."""

    def __init__(self, says: str, *, refuses: bool = False) -> None:
        super().__init__(says)
        self.refuses = refuses


@dataclass(frozen=True)
class Standing:
    """What is known of a witness: entries that it cosigned last, when by its clock (seconds), what went wrong since.

    `refuses`: it saw another history of this log than ours.
    """

    name: str
    origin: str = ""
    size: int = 0
    at: int = 0
    trouble: str = ""
    refuses: bool = False


@dataclass(frozen=True)
class Gathered:
    """A checkpoint with the cosignatures that were got for it, and whether they reach the policy's quorum."""

    log: Log
    index: int
    note: str
    reached: bool
    missing: Mapping[str, str]


class Witnesses:
    """The witnesses of a site's log; `folder`: the site's.

    Malformed where the policy cannot be read, or names a witness without saying where it is; refuses
    (`witness-not-listed`) one at a host that the settings do not name.
    """

    def __init__(self, folder: Path, said: Said) -> None:
        self._folder, self._seconds = folder, said.seconds
        self.policy, self.digest = _policy(folder / said.policy)
        for name in self.policy.witnesses:
            if name not in self.policy.urls:
                raise Malformed(f"the witness {name!a} has no URL, so it cannot be asked", where=said.policy)
        urls = self.policy.urls.items()
        self.places: dict[str, Place] = {n: client.place_of(url, said.hosts, folder) for n, url in urls}

    def gather(self, latest: Callable[[], tuple[Log, int]], *, enough: bool = False) -> Gathered:
        """Have the newest checkpoint cosigned, and keep what was got; `enough`: wait for the quorum alone.

        `latest` opens the log as it is now, of a site with logs by year the one that matters, and names an entry of
        it. One process asks at a time, so that none hands in an older checkpoint than another did.
        """
        with self._alone():
            log, index = latest()
            lines: dict[str, str] = {}
            missing = dict.fromkeys(self.places, "it did not answer in time")
            for name, found in self._asked(log):
                if isinstance(found, _Trouble):
                    missing[name] = str(found)
                    self._note(replace(self._standing(name), trouble=str(found), refuses=found.refuses))
                else:
                    del missing[name]
                    lines[name] = found[0]
                    self._note(Standing(name, log.origin, log.size, found[1]))
                if enough and self._reached(lines):
                    break
            gathered = Gathered(log, index, log.checkpoint + "".join(lines.values()), self._reached(lines), missing)
            if gathered.reached:
                durable.write_all(self._folder / "ledger", {WITNESSED: gathered.note.encode()}, _on)
            return gathered

    def proof(self, latest: Callable[[], tuple[Log, int]]) -> str:
        """The `.tlog-proof` of that entry under a checkpoint that the quorum cosigned; refuses (`no-quorum`) else."""
        found = self.gather(latest, enough=True)
        if not found.reached:
            why = "; ".join(f"{name}: {says}" for name, says in found.missing.items())
            raise Refusal(
                "no-quorum",
                f"the ledger's checkpoint of {found.log.size} entries does not reach the quorum '{self.policy.quorum}' "
                f"of witnesses, and without it nothing leaves. {why}",
                remedy="have these witnesses run, reachable from here, with this log's keys (ledger/vkey) trusted; "
                "then ship again. Taking in, draining and erasing go on meanwhile",
            )
        proven = verify.read_proof(found.log.prove(found.index).encode())
        return verify.write_proof(replace(proven, checkpoint=found.note))

    def standings(self) -> list[Standing]:
        """What is known of each witness, without asking any."""
        return [self._standing(name) for name in self.policy.witnesses]

    def _asked(self, log: Log) -> Iterator[tuple[str, tuple[str, int] | _Trouble]]:
        """Each witness's cosignatures and their time, or its trouble, as they come; those that never answer are left.

        Threads that die with the process, as nothing bounds how long a name's look-up takes.
        """
        done: queue.Queue[tuple[str, tuple[str, int] | _Trouble]] = queue.Queue()
        until = time.monotonic() + self._seconds
        known = {name: self._standing(name) for name in self.places}
        sizes = {name: one.size if one.origin == log.origin else 0 for name, one in known.items()}

        def one(name: str) -> None:
            try:
                done.put((name, self._one(name, log, sizes[name], until)))
            except _Trouble as trouble:
                done.put((name, trouble))
            except OSError as error:
                done.put((name, _Trouble(f"it does not answer ({error.strerror or error})")))

        for name in self.places:
            threading.Thread(target=one, args=(name,), daemon=True).start()
        for _ in self.places:
            try:
                yield done.get(timeout=max(0.0, until - time.monotonic()) + 0.5)
            except queue.Empty:
                return

    def _one(self, name: str, log: Log, size: int, until: float) -> tuple[str, int]:
        """Hand in the checkpoint, once more where the witness says that it starts from another size."""
        answer = self._add(name, log, min(size, log.size), until)
        if answer.status == 409:
            held = decimal(answer.body.decode("ascii", "replace").rstrip("\n"))
            if held is None:
                raise _Trouble("its answer is none of a witness (409 without a size)")
            if held > log.size:
                says = f"IT COSIGNED {held} ENTRIES OF THIS LOG, WHICH HAS {log.size} HERE: this ledger is an old copy"
                raise _Trouble(says, refuses=True)
            if held < size:
                says = f"IT FORGOT WHAT IT COSIGNED: {size} entries of this log, {held} by its own word: its disk was "
                raise _Trouble(says + "put back, and it may cosign a fork; have it given up", refuses=True)
            answer = self._add(name, log, held, until)
        if answer.status == 422:
            raise _Trouble("IT COSIGNED ANOTHER HISTORY OF THIS LOG: this ledger was altered, or forked", refuses=True)
        if answer.status != 200:
            raise _Trouble(f"{_SAYS.get(answer.status, 'it does not cosign')} ({answer.status}{_reason(answer)})")
        return self._taken(name, log, answer)

    def _add(self, name: str, log: Log, old: int, until: float) -> Answer:
        body = write_request(old, log.consistency(old), log.checkpoint)
        return client.add_checkpoint(self.places[name], body, max(0.001, until - time.monotonic()))

    def _taken(self, name: str, log: Log, answer: Answer) -> tuple[str, int]:
        """The line of the witness's key that it answered last, whatever others there are, and its time.

        One line: a witness that cosigns the same a hundred times would fill a proof up until nobody reads it.
        """
        key = self.policy.witnesses[name]
        text = log.checkpoint.rpartition("\n\n")[0] + "\n"
        try:
            note = open_note(log.checkpoint.encode() + answer.body, [key])
        except Wrong as wrong:
            raise _Trouble(f"its cosignature does not hold by the policy's key: {wrong}") from None
        if note.text != text:
            raise _Trouble("its answer is no cosignature")
        return lines_of(f"{text}\n{answer.body.decode()}", [key]).split("\n")[-2] + "\n", note.times[key]

    def _reached(self, lines: Mapping[str, str]) -> bool:
        return self.policy.met_by([self.policy.witnesses[name] for name in lines])

    def _standing(self, name: str) -> Standing:
        try:
            raw = (self._folder / FOLDER / _file(self.policy.witnesses[name])).read_bytes()
            return replace(msgspec.json.decode(raw, type=Standing), name=name)
        except (FileNotFoundError, msgspec.DecodeError):
            return Standing(name)  # it says itself how far it is when it is asked

    def _note(self, standing: Standing) -> None:
        name = _file(self.policy.witnesses[standing.name])
        durable.write_all(self._folder / FOLDER, {name: msgspec.json.encode(standing)}, _on)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        path = self._folder / "locks" / FOLDER
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _reason(answer: Answer) -> str:
    """What a witness says of itself, if it is one plain line."""
    says = answer.body[:_LINE].decode("ascii", "replace").strip()
    return f": {says}" if says.isprintable() and says.isascii() and says else ""


def _policy(path: Path) -> tuple[Policy, str]:
    """The policy in a file, and the digest of its bytes."""
    try:
        raw = path.read_bytes()
        return read_policy(raw), verify.digest(raw)
    except (Unreadable, OSError) as error:
        says = str(error) if isinstance(error, Unreadable) else "it cannot be read"
        raise Malformed(f"{says}; it is what [witnesses] in site.toml names", where=str(path)) from None


def _file(key: Key) -> str:
    return f"{key.id.hex()}.json"


def _on(_step: str) -> None:
    """What follows a step, outside of tests: the next."""
