"""Deposit: a folder that holds one backup: files by their digests, a manifest that names them, a key part that ends."""

import contextlib
import hashlib
import hmac
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from onshore.vault.disk import make_folder, sync_folder
from onshore.words.errors import Broken, Malformed, Refusal

MANIFEST = "manifest"
_DATA, _KEYS, _NEW = "data", "keys", ".new"
_PIECE = 1 << 20
_OURS = {_DATA, _KEYS, f"{MANIFEST}{_NEW}", "lock", "lost+found"}
_FILE = re.compile(r"[0-9a-f]{64}|[0-9a-f]{16}\.json(\.new)?")
"""How files of a backup are called; no other is ever taken away."""

Step = Callable[[str], None]


class Stored(msgspec.Struct, frozen=True, array_like=True):
    """A file of the deposit: its SHA-256 (hex), by which it is named, and its bytes."""

    sha256: str
    bytes: int


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a backup consists of. Instants in milliseconds UTC; paths are of the site's folder.

    `key` opens `papers`, wrapped by the wrapping key `wrapping`, whose key part ends at `until`. `checkpoint`: the
    ledger's, as it was copied. `rows`, `vehicles`: what there was, for whoever learns that it is lost.
    """

    v: int
    id: str
    site: str
    release: str
    format: str
    at: int
    until: int
    wrapping: str
    key: str
    checkpoint: str
    papers: Stored
    files: dict[str, Stored]
    segments: int
    rows: int
    vehicles: int

    def told(self) -> str:
        """What it holds, in words."""
        return f"{self.segments} segments with {self.rows} rows, and the papers of {self.vehicles} cars"


class Deposit:
    """One folder; `step` is told after each step that a crash may follow. What is in place is on the disk.

    `look`: what is there is read before it is believed; else its size is enough.
    """

    def __init__(self, folder: Path, step: Step = lambda _step: None, *, look: bool = False) -> None:
        self.folder, self._step, self._look = folder, step, look
        self._looked: set[Path] = set()
        self._made: set[Path] = set()

    def has(self, stored: Stored) -> bool:
        """Whether a file of that digest and size is there."""
        path = self.path(stored)
        if not path.is_file() or path.stat().st_size != stored.bytes:
            return False
        if self._look and path not in self._looked:
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != stored.sha256:
                    return False
            self._looked.add(path)
        return True

    def refuse_other(self) -> None:
        """Refuse (`not-a-backup`) a folder that holds what no backup, nor one that crashed, left there."""
        if not self.folder.is_dir() or (self.folder / MANIFEST).exists():
            return
        names = {path.name for path in self.folder.iterdir()}
        inside = [*(self.folder / _DATA).glob("*/*"), *(self.folder / _KEYS).glob("*")]
        if names - _OURS or not all(_FILE.fullmatch(path.name) for path in inside):
            raise Refusal(
                "not-a-backup",
                "this folder holds other things than a backup, which takes away what it does not know",
                remedy="name a folder that is empty or not there",
            )

    def path(self, stored: Stored) -> Path:
        """Where a file lies."""
        return self.folder / _DATA / stored.sha256[:2] / stored.sha256

    def put(self, source: Path) -> Stored:
        """Copy a file in, unless it is there; FileNotFoundError where it is gone by now."""
        with source.open("rb") as file, self.writing() as (out, done):
            shutil.copyfileobj(file, out, _PIECE)
        return done()

    @contextmanager
    def writing(self) -> Iterator[tuple[BinaryIO, Callable[[], Stored]]]:
        """A file to be written, and what names it once that is done."""
        make_folder(self.folder / _DATA)
        beside = self.folder / _DATA / f"{os.getpid()}{_NEW}"
        said: list[Stored] = []
        try:
            with beside.open("wb") as out:
                yield out, lambda: said[0]
                out.flush()
                os.fsync(out.fileno())
            self._step("file written")
            with beside.open("rb") as file:
                said.append(Stored(hashlib.file_digest(file, "sha256").hexdigest(), beside.stat().st_size))
            target = self.path(said[0])
            make_folder(target.parent)
            beside.rename(target)
            self._made.add(target.parent)
        finally:
            beside.unlink(missing_ok=True)

    def synced(self) -> None:
        """Make the names of what was put in last."""
        for folder in sorted(self._made):
            sync_folder(folder)
        self._made.clear()
        self._step("files synced")

    def manifest(self) -> tuple[Manifest, bytes] | None:
        """The manifest, and its bytes; None where there is none yet. Malformed where it cannot be read."""
        try:
            raw = (self.folder / MANIFEST).read_bytes()
        except FileNotFoundError:
            return None
        try:
            return msgspec.json.decode(raw.partition(b"\n")[0], type=Manifest), raw
        except msgspec.MsgspecError:
            raise Malformed("this is no manifest of a backup", where=str(self.folder / MANIFEST)) from None

    def write_key_part(self, id_: str, part: dict[str, Any]) -> None:
        """Put a key part in its place; each has an end."""
        make_folder(self.folder / _KEYS)
        _write(self.key_part(id_), json.dumps(part, sort_keys=True).encode() + b"\n")
        self._step("key part written")

    def key_part(self, id_: str) -> Path:
        """Where the key part of a wrapping key lies, unless whoever keeps it moved it."""
        return self.folder / _KEYS / f"{id_}.json"

    def place(self, raw: bytes) -> None:
        """Have this backup take the former one's place, and remove what it does not name, key parts too."""
        _write(self.folder / MANIFEST, raw)
        self._step("manifest in place")
        self.tidy()

    def tidy(self) -> None:
        """Remove what the manifest does not name."""
        found = self.manifest()
        if found is None:
            return
        stands = found[0]
        named = {self.path(stored) for stored in (*stands.files.values(), stands.papers)}
        named.add(self.key_part(stands.wrapping))
        for path in [*(self.folder / _DATA).glob("*/*"), *(self.folder / _KEYS).glob("*")]:
            if path not in named and _FILE.fullmatch(path.name):
                path.unlink()
        for path in sorted((self.folder / _DATA).glob(f"*{_NEW}")):
            path.unlink()
        for path in sorted((self.folder / _DATA).glob("*")):
            with contextlib.suppress(OSError):
                path.rmdir()
        self._step("tidied")

    def end_keys(self, now: int) -> bool:
        """Remove the key part where it has ended; whether it had."""
        there = [path for path in (self.folder / _KEYS).glob("*.json") if _FILE.fullmatch(path.name)]
        ended = [path for path in there if _until(path) <= now]
        for path in ended:
            path.unlink()
        return bool(ended)

    def copy(self, stored: Stored, target: Path, name: str) -> None:
        """Copy a file out; Broken, with its name at the site, where it is missing or not what the manifest says."""
        make_folder(target.parent)
        try:
            with self.path(stored).open("rb") as file, target.open("wb") as out:
                shutil.copyfileobj(file, out, _PIECE)
                out.flush()
                os.fsync(out.fileno())
        except FileNotFoundError:
            raise Broken(f"{name} is missing from the backup: take another copy of it") from None
        with target.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != stored.sha256:
                raise Broken(f"{name} is not what the backup says it is: take another copy of it")
        self._step("file restored")


def sealed_manifest(manifest: Manifest, key: bytes) -> bytes:
    """The bytes of a manifest: a line of JSON, and a line of HMAC-SHA256 under a key derived from `key`."""
    line = msgspec.json.encode(manifest)
    return line + b"\n" + _mac(key, line) + b"\n"


def check_manifest(raw: bytes, key: bytes) -> None:
    """Broken where a manifest is not one that the site wrote."""
    line, _, mac = raw.partition(b"\n")
    if not hmac.compare_digest(_mac(key, line), mac.rstrip(b"\n")):
        raise Broken("the manifest is not one that this site wrote: take another copy of the backup")


def _mac(key: bytes, line: bytes) -> bytes:
    own = hmac.digest(key, b"manifest of a backup", "sha256")
    return hmac.digest(own, line, "sha256").hex().encode()


def _write(path: Path, data: bytes) -> None:
    beside = path.with_name(path.name + _NEW)
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
    sync_folder(path.parent)


def _until(path: Path) -> int:
    try:
        return int(json.loads(path.read_bytes())["until"])
    except (ValueError, KeyError, TypeError):
        return 0
