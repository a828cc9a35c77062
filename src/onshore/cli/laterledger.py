"""Later ledger: what shows a restore all that happened since the backup, or has it refused."""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, insert, select, update

from onshore.ledger import history, verify
from onshore.ledger.layout import VKEY
from onshore.ledger.note import Unreadable, Wrong
from onshore.ledger.signer import LogSigner
from onshore.ledger.verify import Trust
from onshore.ledger.years import Years
from onshore.vault.disk import make_folder, sync_folder, write_new
from onshore.vault.papers import entries
from onshore.words.errors import Broken, Refusal

_CHECKPOINT = "checkpoint"


@dataclass(frozen=True)
class Later:
    """A ledger that extends the backup's, verified: its entries, and the instant of the last (ms UTC).

    `recall`: where the records lie that its entries name. `seen`: how many entries the checkpoint had that somebody
    else showed; None where the operator alone states that there is no newer ledger.
    `upto`: how many of the entries a checkpoint covers.
    """

    folder: Path
    recall: Path
    bodies: list[bytes]
    known: int
    at: int
    vkeys: str
    upto: Callable[[bytes], int]
    seen: int | None = None

    @property
    def size(self) -> int:
        """How many entries."""
        return len(self.bodies)

    def put(self, ledger: Path, recall: Path) -> None:
        """Put it, and the records that it names, where the restored site has them; `folder` is a copy of our own."""
        if self.folder != ledger:
            shutil.rmtree(ledger, ignore_errors=True)
            self.folder.rename(ledger)
            sync_folder(ledger.parent)
        if not (ledger / VKEY).exists():  # a mirror may do without
            write_new(ledger / VKEY, self.vkeys.encode())
        if self.recall.resolve() != recall.resolve() and self.recall.is_dir():
            make_folder(recall)
            for path in sorted(self.recall.iterdir()):
                if path.is_file() and not (recall / path.name).exists():
                    write_new(recall / path.name, path.read_bytes())

    def align(self, conn: Connection) -> int:
        """Have the papers know its entries as theirs, in a writing transaction; the first they had not handed in.

        What they had handed in and not seen in the log comes first there. Broken where it does not.
        """
        waiting = conn.execute(select(entries).where(entries.c.leaf.is_(None)).order_by(entries.c.id)).all()
        first = self.known
        for row in waiting:
            if first >= self.size or self.bodies[first] != bytes(row.body):
                raise Broken(
                    "the ledger lacks what the site had handed in when it was backed up: it is not this site's"
                )
            conn.execute(update(entries).where(entries.c.id == row.id).values(leaf=first))
            first += 1
        new = [{"body": body, "leaf": leaf} for leaf, body in enumerate(self.bodies[first:], first)]
        if new:
            conn.execute(insert(entries), new)
        return first

    def records(self, first: int) -> list[bytes]:
        """What the entries from `first` on have this site recall, in order; refused where a record is missing."""
        found = []
        for body in self.bodies[first:]:
            fields = verify.read_entry(body)
            if fields.get("t") != "recall":
                continue
            name = str(fields["obj"]).removeprefix("sha256:")
            path = self.recall / name
            if not path.is_file():
                raise Refusal(
                    "recall-missing",
                    f"the ledger says that something was decided which must not be forgotten, and {path} is not there",
                    remedy="--recall FOLDER, the folder 'recall' that lay beside that ledger, whole",
                )
            raw = path.read_bytes()
            if hashlib.sha256(raw).hexdigest() != name:
                raise Broken(f"{path} is not the record that the ledger names: take another copy of that folder")
            found.append(raw)
        return found


def copied(ledger: Path, target: Path) -> Path:
    """A copy of a ledger's folder, durable; Broken where there is no checkpoint in it."""
    if not (ledger / _CHECKPOINT).is_file():
        raise Broken(f"there is no ledger in {ledger}: it holds no checkpoint")
    for path in sorted(ledger.rglob("*")):
        if path.is_file():
            make_folder((target / path.relative_to(ledger)).parent)
            write_new(target / path.relative_to(ledger), path.read_bytes())
    return target


def read_later(
    folders: Sequence[tuple[Path, Path]],
    *,
    site_key: Callable[[str], bytes],
    origin: str,
    checkpoint: bytes,
    since: bytes | None,
    newest: bool,
    backup: str,
    bodies: list[bytes],
) -> Later:
    """The longest of ledgers in `folders`, each with its folder of records, once every one is verified.

    Refused: none at all (`no-later-ledger`), one that does not know of this backup (`ledger-too-old`: nobody can tell
    what happened since), one of which no checkpoint from after the backup (`since`) shows, and nobody states
    (`newest`), that there is no newer (`newest-unknown`: a stale mirror looks alike). Broken: one that is altered, or
    does not extend the `checkpoint` of the backup or `since`, or another of them, or the entries (`bodies`) that the
    papers know.
    """
    if not folders:
        raise Refusal(
            "no-later-ledger",
            "without the ledger as it stood last nobody can tell what was erased, restricted or withdrawn since this "
            "backup, and it would all come back",
            remedy="--ledger FOLDER: the old disk's, or a mirror of it, with the folder 'recall' beside it",
        )
    signer = LogSigner(origin, site_key("ledger"))
    later = max(
        (_read(folder, recall, signer, (checkpoint, since), len(bodies)) for folder, recall in folders),
        key=lambda one: one.size,
    )
    for folder, _ in folders:
        _extends(later.folder, signer, (folder / _CHECKPOINT).read_bytes())
    if later.bodies[: later.known] != bodies:
        raise Broken("the ledger does not hold what the papers of this backup handed in to it")
    told = [n for n, body in enumerate(later.bodies) if _is_backup(body, backup)]
    if not told:
        raise Refusal(
            "ledger-too-old",
            f"the ledger in {later.folder} does not know of this backup: it is older, and nobody can tell from it what "
            "was erased, restricted or withdrawn since",
            remedy="take the ledger as it stood last",
        )
    seen = None if since is None else later.upto(since)
    if seen is not None and seen > told[0]:
        return replace(later, seen=seen)
    if not newest:
        raise Refusal(
            "newest-unknown",
            "nothing shows that this ledger is the newest there is: a mirror that missed what was erased or withdrawn "
            "last looks alike, and it would come back",
            remedy="--since CHECKPOINT, from after the backup, that a witness, a regulator or a receipt has; or "
            "--newest, where you know it: the ledger then says that you stated it",
        )
    return later


def _is_backup(body: bytes, digest: str) -> bool:
    fields = verify.read_entry(body)
    return fields["t"] == "backup" and fields.get("obj") == digest


def _read(folder: Path, recall: Path, signer: LogSigner, older: Sequence[bytes | None], known: int) -> Later:
    _extends(folder, signer, *(point for point in older if point is not None))
    logs = Years(folder, signer.seed, signer.origin, write=True)
    logs.log.recover()  # a checkpoint that was signed, and that a crash kept from its place, binds the site
    bodies = list(logs.entries())
    last = datetime.fromisoformat(verify.read_entry(bodies[-1])["at"]) if bodies else None
    at = 0 if last is None else int(last.timestamp() * 1000)
    return Later(folder, recall, bodies, known, at, logs.vkeys, logs.upto)


def _extends(folder: Path, signer: LogSigner, *points: bytes) -> None:
    """Broken unless the logs hold, each whole and each from the last, and extend each of these checkpoints."""

    def read(name: str) -> bytes | None:
        try:
            return (folder / name).read_bytes()
        except FileNotFoundError:
            return None

    for point in points:
        try:
            # The first key alone: of an older release, the second signature is not there.
            list(history.log(read, Trust(signer.keys[:1], since=point)))
        except (Wrong, Unreadable) as wrong:
            raise Broken(f"the ledger in {folder} is not one that goes on from this backup: {wrong}") from None
