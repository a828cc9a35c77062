"""A witness in a folder: its keys, the logs it knows, what it cosigned of each, on the disk before it tells."""

import base64
import fcntl
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from onshore.ledger import durable
from onshore.ledger.note import (
    COSIGNATURE,
    MLDSA44,
    Checkpoint,
    Key,
    Unreadable,
    Wrong,
    decoded,
    open_note,
    read_checkpoint,
    read_key,
    read_keys,
)
from onshore.ledger.signer import Cosigner
from onshore.ledger.verify import without_year
from onshore.ledger.witness import Answer, Declined, Request, agreed, lines_of, place, read_request
from onshore.words.errors import Broken, Malformed, Refusal

SECRETS, VKEY, LOGS, CHECKPOINT, FIRST, FORKED = "keys", "vkey", "logs", "checkpoint", "first", "forked"
_KINDS = (COSIGNATURE, MLDSA44)
_LONGEST = 255
"""Bytes of a name at most (C2SP tlog-cosignature)."""
_PLACE = re.compile(r"[0-9a-f]{64}")
_CLOSING = 86_400
"""Seconds after the next year's log began in which what was entered before may still be cosigned."""
_FRESH = 5
"""Seconds in which the same checkpoint is answered with the same cosignatures, and nothing is written."""
_EVIDENCE = 16
"""Checkpoints at most that are kept of a log as evidence that it forked."""


def make(folder: Path, name: str, randomness: Callable[[int], bytes]) -> tuple[Key, ...]:
    """Make a witness called `name`, with an Ed25519 and an ML-DSA-44 key of its own; refuses where one is already.

    `name`: an address without its scheme, such as "witness.example.org/shanghai" (C2SP tlog-cosignature).
    """
    if (folder / SECRETS).exists():
        raise Refusal(
            "witness-exists",
            f"there is a witness in {folder} already; new keys would make it another one",
            remedy="choose an empty folder, or go on with 'onshore witness serve'",
        )
    seeds = {kind: randomness(32) for kind in _KINDS}
    cosigners = [Cosigner(name, seed, kind) for kind, seed in seeds.items()]
    keys = tuple(cosigner.key for cosigner in cosigners)
    if not _is_name(name):
        raise Malformed("a witness's name takes 1 to 255 bytes, no blanks and no '+'", where="--name")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    secrets = "".join(f"{kind} {base64.b64encode(seed).decode()} {name}\n" for kind, seed in seeds.items())
    _write_secret(folder / SECRETS, secrets)
    durable.write_all(folder, {VKEY: "".join(f"{key}\n" for key in keys).encode(), LOGS: b""}, _on)
    return keys


def trust(folder: Path, keys: tuple[Key, ...]) -> None:
    """Have the witness cosign the logs of these keys too; a running one hears of it at its next start.

    Malformed for a key that is no log's: of a witness, or the witness's own.
    """
    own = {cosigner.key.public for cosigner in _cosigners(folder)}
    known = _logs(folder)
    for key in keys:
        if key.kind == COSIGNATURE or key.public in own or len(key.name.encode()) > _LONGEST - len("/2027"):
            raise Malformed(f"the key of {key.name} is a witness's, or its name is too long; a log's is needed")
    listed = "".join(f"{key}\n" for key in dict.fromkeys([*known, *keys]))
    durable.write_all(folder, {LOGS: listed.encode()}, _on)


def _year(origin: str) -> int:
    """The year that a log is of; 0 for a site's first, whose name says none."""
    return 0 if origin == without_year(origin) else int(origin[-4:])


def _is_name(name: str) -> bool:
    try:
        return read_key(str(Key(name, COSIGNATURE, bytes(32)))).name == name and len(name.encode()) <= _LONGEST
    except (Unreadable, UnicodeEncodeError):
        return False


@dataclass(frozen=True)
class Seen:
    """What was cosigned last of a log, and at what time (seconds since 1970)."""

    point: Checkpoint
    at: int


class Witness:
    """A witness that may answer several requests at once; `clock`: milliseconds UTC. Broken where its state is lost.

    What it cosigned lies in the folder, synced, before anybody hears of it: killed at any step it never cosigns two
    checkpoints of a log that disagree. A state that was lost, or brought back from a copy, cannot be told from a
    younger one: such a witness is given up, not repaired.

    Who trusts a log's key trusts it for the logs of later years, whose names have "/" and the year behind the first's:
    one after the other, the one before at its end a day after the next began. Else a site could keep another log beside
    its own, under the name of a year that nobody asks for.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], int], step: durable.Step | None = None) -> None:
        self._folder, self._clock, self._step = folder, clock, step or _on
        self._cosigners = _cosigners(folder)
        self._logs: dict[str, tuple[Key, ...]] = {}
        for key in _logs(folder):
            site = without_year(key.name)
            self._logs[site] = (*self._logs.get(site, ()), key)
        self._locks = {name: threading.Lock() for name in self._logs}
        rooms = sorted(path.name for path in folder.iterdir() if _PLACE.fullmatch(path.name))
        self._seen = {seen.point.origin: seen for seen in map(self._read, rooms) if seen}
        self._begun = {origin: self._first(origin, seen.at) for origin, seen in self._seen.items()}

    @property
    def keys(self) -> tuple[Key, ...]:
        """The verifier keys."""
        return tuple(cosigner.key for cosigner in self._cosigners)

    @property
    def logs(self) -> dict[str, Seen | None]:
        """Each log that it knows, by origin, those of later years too, and what it cosigned last of it."""
        return {**dict.fromkeys(self._logs), **self._seen}

    def add_checkpoint(self, body: bytes) -> Answer:
        """The answer to a checkpoint handed in (`POST <prefix>/add-checkpoint`)."""
        try:
            request = read_request(body)
            named = without_year(request.origin)
            if named not in self._logs:
                agreed(request, (), None)
            with self._locks[named]:
                self._refuse_year(request.origin)
                return self._cosign(request, [Key(request.origin, k.kind, k.public) for k in self._logs[named]])
        except Declined as no:
            if no.forked:
                self._keep(place(request.origin), request.note.encode())
            return no.answer

    def checkpoint(self, named: str) -> bytes | None:
        """The last checkpoint cosigned of a log, with its signatures (`GET <prefix>/<origin hash>/checkpoint`)."""
        return self._bytes(named, CHECKPOINT) if _PLACE.fullmatch(named) else None

    def _cosign(self, request: Request, keys: Sequence[Key]) -> Answer:
        seen = self._seen.get(request.origin)
        point, kept = agreed(request, keys, seen.point if seen else None)
        if seen and point.size > seen.point.size and self._is_over(request.origin):
            raise Declined(403, "the log of a later year went on from this one, which grows no more")
        # A clock set back must not have the witness say that it saw more entries earlier than fewer.
        at = max(self._clock() // 1000, seen.at if seen else 1)
        folder, text = place(request.origin), kept.partition("\n\n")[0] + "\n"
        held = (self._bytes(folder, CHECKPOINT) or b"").decode()
        if seen and at - seen.at < _FRESH and held.partition("\n\n")[0] + "\n" == text:
            return Answer(200, lines_of(held, self.keys).encode())
        lines = "".join(cosigner.line(text, at) for cosigner in self._cosigners)
        durable.write_all(self._folder, {f"{folder}/{CHECKPOINT}": (kept + lines).encode()}, self._step)
        if self._bytes(folder, FIRST) is None:
            durable.write_all(self._folder, {f"{folder}/{FIRST}": (kept + lines).encode()}, self._step)
        self._begun.setdefault(request.origin, at)
        self._seen[request.origin] = Seen(point, at)
        self._step("kept")
        return Answer(200, lines.encode())

    def _refuse_year(self, origin: str) -> None:
        """Declined where logs of a site would not follow each other: none begins before one that was begun already.

        Nor under a year that was over when that was: there are many such, and no log goes on under one of them.
        """
        if origin in self._seen:
            return
        if self._later(origin):
            raise Declined(404, "this witness cosigned the log of a later year already")
        begun = [at for other, at in self._begun.items() if without_year(other) == without_year(origin)]
        if any(_year(origin) < datetime.fromtimestamp(at - _CLOSING, UTC).year for at in begun):
            raise Declined(404, "this witness began a log of this site when that year was over already")

    def _is_over(self, origin: str) -> bool:
        """Whether the log of a later year took the place of this one long enough ago."""
        return any(self._clock() // 1000 - self._begun[later] > _CLOSING for later in self._later(origin))

    def _later(self, origin: str) -> list[str]:
        """The logs of the same site that are of later years, of those that were cosigned."""
        site, year = without_year(origin), _year(origin)
        return [other for other in list(self._seen) if without_year(other) == site and _year(other) > year]

    def _read(self, folder: str) -> Seen | None:
        raw = self._bytes(folder, CHECKPOINT)
        if raw is None and self._bytes(folder, FIRST) is None:
            return None  # ended by a crash before it was told
        try:
            note = open_note(raw or b"", self.keys)
            point = read_checkpoint(note.text)
        except Wrong:
            point = Checkpoint("", 0, b"")
        if place(point.origin) != folder:
            lost = f"what this witness cosigned of a log was lost or altered ({self._folder / folder})"
            raise Broken(f"{lost}; it could cosign a fork now: give this witness up, and make one with new keys")
        return Seen(point, max(note.times.values()))

    def _first(self, origin: str, otherwise: int) -> int:
        """When a log was cosigned first, in seconds; a crash may have kept that from being noted."""
        try:
            return max(open_note(self._bytes(place(origin), FIRST) or b"", self.keys).times.values())
        except Wrong:
            return otherwise

    def _keep(self, folder: str, note: bytes) -> None:
        room = self._folder / folder / FORKED
        name = f"{folder}/{FORKED}/{sha256(note).hexdigest()}"
        if not (self._folder / name).exists() and (not room.exists() or len(list(room.iterdir())) < _EVIDENCE):
            durable.write_all(self._folder, {name: note}, self._step)

    def _bytes(self, folder: str, name: str) -> bytes | None:
        return _maybe(self._folder / folder / name)


def answers(witness: Witness) -> Callable[[str, str, bytes], Answer]:
    """What a witness answers over HTTP, at the prefix "": method, path and body in (C2SP tlog-witness)."""

    def answer(method: str, path: str, body: bytes) -> Answer:
        if path == "/add-checkpoint":
            return witness.add_checkpoint(body) if method == "POST" else Answer(405, b"POST a checkpoint\n")
        _, named, *rest = f"{path}//".split("/", 2)
        if method not in {"GET", "HEAD"} or rest != [f"{CHECKPOINT}//"]:
            return Answer(404, b"ask for /add-checkpoint, or for /SHA-256-OF-ORIGIN/checkpoint\n")
        found = witness.checkpoint(named)
        return (
            Answer(404, b"this witness never cosigned a checkpoint of that log\n") if not found else Answer(200, found)
        )

    return answer


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the witness's folder; refuses (`witness-runs`) where another process has it, as both could cosign apart."""
    with (folder / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            what = f"another process runs the witness in {folder}"
            raise Refusal("witness-runs", what, remedy="end it first, or leave it to that one") from None
        yield


def _cosigners(folder: Path) -> list[Cosigner]:
    path = folder / SECRETS
    raw = _maybe(path)
    if raw is None:
        raise Malformed("there is no witness here; make one with 'onshore witness init --name NAME'", where=str(folder))
    if path.stat().st_mode & 0o077:
        raise Malformed("others may read these keys; 'chmod 600' it, or make a new witness", where=str(path))
    found = [_cosigner(line.split(" "), str(path)) for line in raw.decode("utf-8", "replace").split("\n") if line]
    if not found:
        raise Malformed("there is no key in it", where=str(path))
    return found


def _cosigner(words: list[str], where: str) -> Cosigner:
    """The cosigner of a line; the line itself stands in no error, as it is secret."""
    kinds = {str(kind): kind for kind in _KINDS}
    seed = decoded(words[1]) if len(words) == 3 else None
    if seed is None or len(seed) != 32 or words[0] not in kinds:
        raise Malformed("a line is no key of a witness; take the file again from where it is kept", where=where)
    return Cosigner(words[2], seed, kinds[words[0]])


def _logs(folder: Path) -> tuple[Key, ...]:
    raw = _maybe(folder / LOGS) or b""
    try:
        return read_keys(raw.decode()) if raw.strip() else ()
    except (Unreadable, UnicodeDecodeError) as error:
        raise Malformed(str(error), where=str(folder / LOGS)) from None


def _write_secret(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(handle)


def _maybe(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _on(_step: str) -> None:
    """What follows a step, outside of tests: the next."""
