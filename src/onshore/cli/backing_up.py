"""Backing up: a consistent copy of a running site, ciphertext but for the ledger and the settings."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, func, select

from onshore import __version__
from onshore.desk.looks.backups import LAST
from onshore.ledger.entry import digest
from onshore.ledger.layout import CHECKPOINT, VKEY, paths
from onshore.ledger.years import turning
from onshore.vault import aside, lanes, recall
from onshore.vault.copies import KeyPart, export_wrapping
from onshore.vault.deposit import Deposit, Manifest, Step, Stored, sealed_manifest
from onshore.vault.disk import make_folder
from onshore.vault.dump import write_dump
from onshore.vault.journal_files import path_of as journal_path
from onshore.vault.keys import KEY_BYTES
from onshore.vault.lock import hold
from onshore.vault.migrations import HEAD
from onshore.vault.papers import forwards, journals, mishaps, reading, segments, vehicles, writing
from onshore.vault.segments import path_of as segment_path
from onshore.vault.segments import segments_where
from onshore.vault.wrapping import current, note
from onshore.words.errors import Broken, Refusal

if TYPE_CHECKING:
    from onshore.site import Site

_PASSES = 50


class Made(NamedTuple):
    """A backup: its manifest, the manifest's digest, and how many files and bytes of it were new."""

    manifest: Manifest
    digest: str
    files: int
    bytes: int


class _Papers(NamedTuple):
    stored: Stored
    secret: bytes
    key: str
    part: KeyPart
    listed: list[tuple[str, str]]
    rows: int
    vehicles: int


def context(site: str, id_: str) -> str:
    """What the key of a backup's papers is bound to."""
    return f"backup/{site}/{id_}"


def back_up(site: "Site", folder: Path, step: Step = lambda _step: None, *, look: bool = False) -> Made:
    """Copy a site into a folder while it runs, or bring the copy there up to date; only what is new is copied.

    The copy is of one instant of the papers, with every file that these list, and with the ledger as it stood just
    after. The former backup stays whole until this one is in its place. It is an entry of the ledger before it is in
    place. Refused as `export_wrapping` says, and where the folder holds another site's backup (`backup-of-another`) or
    lies in the site itself (`backup-inside`), or holds other things (`not-a-backup`). `look`: files that are there are
    read, and copied anew where they are no longer what they were.
    """
    if folder.resolve().is_relative_to(site.folder.resolve()):
        raise Refusal(
            "backup-inside", "a backup in the site's own folder goes where that goes", remedy="choose another"
        )
    deposit = Deposit(folder, step, look=look)
    deposit.refuse_other()
    make_folder(folder)
    with hold(folder / "lock", "backup"):
        former = deposit.manifest()
        if former is not None and former[0].site != site.id:
            raise Refusal(
                "backup-of-another", "this folder holds the backup of another site", remedy="give each its own folder"
            )
        return _Round(site, deposit, {} if former is None else former[0].files).made()


class _Round:
    """One backup under way; `known`: files of the former one, by path."""

    def __init__(self, site: "Site", deposit: Deposit, known: dict[str, Stored]) -> None:
        self._site, self._deposit, self._known = site, deposit, known
        self._same_log = False
        self._files: dict[str, Stored] = {}
        self._new = self._bytes = 0

    def made(self) -> Made:
        site, deposit = self._site, self._deposit
        deposit.end_keys(site.clock())
        recall.end_keys(site.engine, site.folder, site.clock())
        for name in ("column", "lookup", "pseudonym"):  # what is recalled may be sealed with these, made before then
            site.key(name)
        id_ = site.randomness(16).hex()
        self._look_first()
        papers = self._papers(id_)
        checkpoint = self._ledger()
        for name in _beside(site):
            self._put(name)
        deposit.synced()
        wrapping = papers.part.rows[0]["id"]
        manifest = Manifest(
            v=1,
            id=id_,
            site=site.id,
            release=__version__,
            format=HEAD,
            at=site.clock(),
            until=papers.part.until,
            wrapping=wrapping,
            key=papers.key,
            checkpoint=checkpoint,
            papers=papers.stored,
            files=self._files,
            segments=sum(name.startswith("vault/segments/") for name in self._files),
            rows=papers.rows,
            vehicles=papers.vehicles,
        )
        raw = sealed_manifest(manifest, papers.secret)
        part = {"site": site.id, "until": papers.part.until, "rows": papers.part.rows}
        deposit.write_key_part(wrapping, part)
        self._tell(manifest, digest(raw))
        deposit.place(raw)
        return Made(manifest, digest(raw), self._new, self._bytes)

    def _look_first(self) -> None:
        """Copy most of it before the look that counts, so that little can change between that look and its end."""
        with reading(self._site.engine) as conn:
            listed = list(_listed(conn, self._site.vault))
        for name, sha256 in listed:
            if name.startswith("vault/segments/"):
                self._segment(name, sha256)

    def _papers(self, id_: str) -> _Papers:
        """The papers at one instant and all the files that they list; looked at anew where one went meanwhile."""
        for _ in range(_PASSES):
            with reading(self._site.engine) as conn:
                part = export_wrapping(conn, self._site.clock())
            self._site.key(recall.key_name(part.until))  # before the look: whatever comes after that is recalled
            found = self._dumped(id_, part)
            self._files = {}
            if found is not None and all(self._take(name, sha256) for name, sha256 in found.listed):
                return found
        raise Broken("files of the site went faster than they could be copied: try again")

    def _dumped(self, id_: str, part: KeyPart) -> _Papers | None:
        """The papers of one look, under a key that the key part opens, whatever is rotated since. None: look anew."""
        site, key = self._site, self._site.randomness(KEY_BYTES)
        with reading(site.engine) as conn, self._deposit.writing() as (out, done):
            stands = current(conn)
            if stands is None or export_wrapping(conn, site.clock()) != part:
                return None
            wrapped = site.root.wrap_by(conn, stands)(key, context(site.id, id_)).hex()
            listed = list(_listed(conn, site.vault))
            counts = write_dump(conn, out, key, context(site.id, id_), site.randomness)
            rows = conn.scalar(select(func.sum(segments.c.rows))) or 0
        return _Papers(done(), key, wrapped, part, listed, int(rows), counts[vehicles.name])

    def _take(self, name: str, sha256: str) -> bool:
        """Copy a file that papers list; False where it went, and the papers no longer list it."""
        return self._segment(name, sha256) if sha256 else self._put(name, listed=True)

    def _segment(self, name: str, sha256: str) -> bool:
        """Copy a segment unless it is there; False where it is gone. Broken where it is not what papers say."""
        path = self._site.folder / name
        try:
            stored = Stored(sha256, path.stat().st_size)
            if not self._deposit.has(stored):
                stored = self._copied(path)
        except FileNotFoundError:
            return False
        if stored.sha256 != sha256:
            raise Broken(f"{name} is not what the papers say: see 'onshore check --deep' before you back it up")
        self._files[name] = stored
        return True

    def _put(self, name: str, *, listed: bool = False) -> bool:
        """Copy a file of the site; False where it is gone, though not with what listed it."""
        path, known = self._site.folder / name, self._known.get(name)
        closed = re.match(r"ledger/\d{4}/tile/", name) is not None
        lasting = name.startswith("outbox/") or closed or (self._same_log and name.startswith("ledger/tile/"))
        if known and lasting and ".p/" not in name and self._deposit.has(known):
            self._files[name] = known
            return True
        try:
            self._files[name] = self._copied(path)
        except FileNotFoundError:
            if not listed:
                return False
            with reading(self._site.engine) as conn:
                return (name, "") in _listed(conn, self._site.vault)  # a key whose file a crash kept from being made
        return True

    def _copied(self, path: Path) -> Stored:
        stored = self._deposit.put(path)
        self._new, self._bytes = self._new + 1, self._bytes + stored.bytes
        return stored

    def _ledger(self) -> str:
        """Copy the ledger as it stands under one checkpoint; that."""
        folder = self._site.folder / "ledger"
        for _ in range(_PASSES):
            logs = self._site.reopened()
            raw, vkeys = logs.checkpoint.encode(), logs.vkeys.encode()
            # At New Year another log takes this one's place, under the same names.
            known = self._known.get(f"ledger/{VKEY}")
            self._same_log = known is not None and known.sha256 == hashlib.sha256(vkeys).hexdigest()
            closed = [
                path for year in logs.closed for path in sorted((folder / str(year)).rglob("*")) if path.is_file()
            ]
            names = [*paths(logs.log.size), VKEY, *(path.relative_to(folder).as_posix() for path in closed)]
            whole = all(self._put(f"ledger/{name}") for name in names)
            if whole and not turning(folder) and self._site.reopened().vkeys.encode() == vkeys:
                with self._deposit.writing() as (out, done):
                    out.write(raw)
                self._files[f"ledger/{CHECKPOINT}"] = done()
                return raw.decode()
            self._files = {name: one for name, one in self._files.items() if not name.startswith("ledger/")}
        raise Broken("the ledger grew faster than it could be copied: try again")

    def _tell(self, manifest: Manifest, obj: str) -> None:
        """Have the entry of this backup in the ledger: whoever restores it is shown by it that theirs is later."""
        site, files = self._site, manifest.files
        size = sum(stored.bytes for stored in files.values()) + manifest.papers.bytes
        with writing(site.engine) as conn:
            body = site.entry("backup", obj=obj, files=len(files), bytes=size, rows=manifest.rows)
            number = site.hand_in(conn, body)
            note(conn, LAST, json.dumps({"at": manifest.at, "until": manifest.until}))
        site.settle(number)


def _listed(conn: Connection, vault: Path) -> Iterator[tuple[str, str]]:
    """Files below the site's folder that papers list, each with its SHA-256 where they know that."""
    for segment in segments_where(conn):
        yield f"vault/{segment_path(segment.place, segment.id)}", segment.sha256
    for id_ in conn.scalars(select(journals.c.id)).all():
        gate, number = id_.split("/")
        yield f"vault/{journal_path(vault, gate, int(number)).relative_to(vault)}", ""
    for lane in conn.execute(select(forwards.c.endpoint, forwards.c.id)).all():
        yield f"vault/{lanes.path_of(lane.endpoint, lane.id)}", ""
    for mishap in aside.kept(conn, mishaps):
        yield f"vault/{mishap.path}", ""


def _beside(site: "Site") -> list[str]:
    """What else a site consists of: settings, its own packs, opinions, its policy of witnesses, parcels that left."""
    opinions = [turned.file for turned in site.readings if turned.obj and turned.file.is_relative_to(site.folder)]
    found = [site.folder / "site.toml", *opinions]
    policy = site.folder / site.settings.witnesses.policy
    found += [policy] if policy.is_file() and policy.is_relative_to(site.folder) else []
    found += [path for path in sorted((site.folder / "packs").rglob("*")) if path.is_file()]
    found += sorted(path for path in (site.folder / "outbox").glob("*") if path.suffix in {".parcel", ".tlog-proof"})
    return [path.relative_to(site.folder).as_posix() for path in found]
