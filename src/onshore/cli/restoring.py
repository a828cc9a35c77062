"""Restoring: a site out of its backup, and all that it decided since, before it serves anybody."""

import json
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Engine, func, select, update

from onshore.cli.laterledger import Later, copied, read_later
from onshore.ledger import verify
from onshore.ledger.entry import digest
from onshore.register import policies
from onshore.site import open_papers_of, open_site, read_settings
from onshore.vault import counts, recall
from onshore.vault.copies import import_wrapping
from onshore.vault.deposit import Deposit, Manifest, Step, check_manifest
from onshore.vault.disk import make_folder, sync_folder, write_new
from onshore.vault.dump import RESTORING, go_on_counting, is_empty, load_dump, read_dump
from onshore.vault.journal_files import in_use
from onshore.vault.lock import hold
from onshore.vault.migrations import HEAD
from onshore.vault.papers import entries, metadata, parcels, reading, rights_cases, writing
from onshore.vault.roots.places import Roots
from onshore.vault.wrapping import Keyring, current, note, noted
from onshore.words.errors import Broken, Malformed, Refusal

if TYPE_CHECKING:
    from onshore.words.settings import Settings

_BACKUP = "backup"


@dataclass(frozen=True)
class Asked:
    """What a restore is given: the deposit, where to, the root key, the later ledger, and where other things lie.

    `root_key`: None where it is in a token, whose `pin` is a file. `recall`, `key_part`: where they do not lie beside
    the ledger and in the deposit. `papers`: another database than the settings name ("": a file of the site's folder).
    `since`: a checkpoint that somebody else has seen, which the ledger must extend. `newest`: the operator states that
    there is no newer ledger.
    """

    folder: Path
    target: Path
    ledger: Path | None
    root_key: Path | None = None
    pin: Path | None = None
    since: Path | None = None
    newest: bool = False
    recall: Path | None = None
    key_part: Path | None = None
    papers: str | None = None
    password: Path | None = None


class Restored(NamedTuple):
    """What came back: of when the backup is (ms UTC), what was recalled since, and what was erased again."""

    at: int
    recalled: int
    erased: int
    entries: int


def restore(
    asked: Asked,
    *,
    clock: Callable[[], int],
    randomness: Callable[[int], bytes],
    step: Step = lambda _step: None,
) -> Restored:
    """Restore a backup into a folder that is empty or not there; nothing serves it before this is done.

    All of it is made in a folder beside, `<target>.part`, which takes its name at the very end. Taken up after a crash
    by asking again; what was signed in the meantime is not signed otherwise. Refused: a key part that has ended
    (`key-part-ended`) or is not there (`key-part-missing`), a folder that is not empty (`not-empty`), papers of another
    format (`papers-format`), and whatever would have it forget what was decided since (`laterledger`).
    """
    part = asked.target.with_name(f"{asked.target.name}.part")
    _refuse_places(asked, part)
    deposit = Deposit(asked.folder, step)
    found = deposit.manifest()
    if found is None:
        raise Malformed("there is no backup here", where=str(asked.folder))
    make_folder(part / "locks")
    with hold(part / "locks" / "restore", "restore"):
        work = _Work(asked, deposit, *found, part, clock, randomness, step)
        return work.done()


@dataclass
class _Work:
    asked: Asked
    deposit: Deposit
    manifest: Manifest
    raw: bytes
    part: Path
    clock: Callable[[], int]
    randomness: Callable[[int], bytes]
    step: Step

    def done(self) -> Restored:
        rows = self._key_part()
        self._clear()
        self._lay_files()
        settings = self._settings()
        engine = open_papers_of(settings, self.part, new=True)
        try:
            ring = self._papers(engine, rows, settings)
            later = self._later(engine, ring, settings)
            recalled = self._replay(engine, ring, later)
        finally:
            engine.dispose()
        erased, size = self._as_a_site(later, recalled)
        self._put_in_place()
        return Restored(self.manifest.at, recalled, erased, size)

    def _key_part(self) -> list[dict[str, Any]]:
        """The rows of the key part; refused where it has ended, or is not where it should be."""
        manifest, now = self.manifest, self.clock()
        if manifest.format != HEAD:
            raise Refusal(
                "papers-format",
                f"the backup was made by release {manifest.release}, whose papers have format {manifest.format}; this "
                f"release has {HEAD}",
                remedy="restore it with that release, then open the site with this one, which upgrades it",
            )
        if manifest.until <= now:
            raise Refusal(
                "key-part-ended",
                f"the key part of this backup has ended, as [keys] backup_days wants it: {manifest.told()} of it can "
                "be opened by nobody any more",
                remedy="take a later backup; the ledger can still be verified",
            )
        path = self.asked.key_part or self.deposit.key_part(manifest.wrapping)
        try:
            said = json.loads(path.read_bytes())
            same, rows = (said["site"], said["until"]) == (manifest.site, manifest.until), list(said["rows"])
        except FileNotFoundError:
            raise Refusal(
                "key-part-missing",
                f"the key part {manifest.wrapping} is not in {path.parent}; {manifest.told()} open with it alone",
                remedy="--key-part FILE, from where it is kept",
            ) from None
        except (ValueError, KeyError, TypeError):
            raise Malformed("this is no key part of a backup", where=str(path)) from None
        if not same or manifest.wrapping not in {row.get("id") for row in rows if isinstance(row, dict)}:
            raise Refusal(
                "key-part-other", "this key part is another backup's", remedy=f"take that of {manifest.wrapping}"
            )
        return rows

    def _clear(self) -> None:
        """Leave of an attempt that a crash ended what it may have signed, and begin anew."""
        for path in sorted(self.part.iterdir()):
            if path.name in {"ledger", "locks", RESTORING, recall.FOLDER}:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        if not (self.part / RESTORING).exists():
            beside = self.part / f"{RESTORING}.new"
            write_new(beside, self.randomness(16).hex().encode())
            beside.rename(self.part / RESTORING)
            sync_folder(self.part)
        self.step("cleared")

    def _lay_files(self) -> None:
        for name, stored in self.manifest.files.items():
            if not _is_plain(name):
                raise Broken("the manifest names a path outside of a site: take another copy of the backup")
            if not name.startswith("ledger/"):
                self.deposit.copy(stored, self.part / name, name)
        for folder in ("keys", "vault/journal", "vault/segments", "ledger", "outbox"):
            make_folder(self.part / folder)
        for path in (self.part, *(path for path in self.part.rglob("*") if path.is_dir())):
            sync_folder(path)
        if self.asked.root_key is not None:
            write_new(self.part / "keys" / "root.key", self.asked.root_key.read_bytes())
        self.step("files restored")

    def _settings(self) -> "Settings":
        """The settings as they were, but for where the papers lie where that is asked for."""
        path, asked = self.part / "site.toml", self.asked
        if asked.papers is not None:
            text = re.sub(r"(?ms)^\[papers\]\n.*?(?=^\[|\Z)", "", path.read_text(encoding="utf-8"))
            code = read_settings(path).site.jurisdiction
            said = {"url": asked.papers, "jurisdiction": code} if asked.papers else {}
            said |= {"password": str(asked.password.absolute())} if asked.papers and asked.password else {}
            table = "".join(f"{name} = {json.dumps(value)}\n" for name, value in said.items())
            path.write_text(text + (f"\n[papers]\n{table}" if table else ""), encoding="utf-8")
        settings = read_settings(path)
        token = settings.keys.pkcs11
        if asked.pin is not None and token is not None and not Path(token.pin).is_absolute():
            write_new(self.part / token.pin, asked.pin.read_bytes())
        if settings.site.id != self.manifest.site:
            raise Broken("the settings in this backup are another site's: take another copy of it")
        return settings

    def _papers(self, engine: Engine, rows: list[dict[str, Any]], settings: "Settings") -> Keyring:
        """Enter the papers; what an attempt that a crash ended had entered goes first. The keyring that opens them."""
        self._empty(engine)
        roots = Roots(self.part, lambda: settings.keys, self.randomness)
        with writing(engine) as conn:
            import_wrapping(conn, rows)
        with reading(engine) as conn:
            stands = current(conn)
        assert stands is not None
        try:
            ring = Keyring(engine, roots, roots.find(stands.root), self.manifest.site, self.clock, self.randomness)
            key = ring.unwrap(bytes.fromhex(self.manifest.key), f"backup/{self.manifest.site}/{self.manifest.id}")
        except (Broken, ValueError) as why:
            raise Broken(
                f"this backup does not open: {why}. It takes the root key {stands.root}: where that was rotated since, "
                f"the copy from before that. In it lie {self.manifest.told()}"
            ) from why
        check_manifest(self.raw, key)
        copy = self.part / "papers.sealed"
        self.deposit.copy(self.manifest.papers, copy, "the papers")
        with copy.open("rb") as file, writing(engine) as conn:
            load_dump(conn, read_dump(file, key, f"backup/{self.manifest.site}/{self.manifest.id}"))
            note(conn, _BACKUP, json.dumps({"at": self.manifest.at, "until": self.manifest.until}))
        copy.unlink()
        self.step("papers restored")
        return ring

    def _empty(self, engine: Engine) -> None:
        """Note in papers that this restore fills them; refused (`papers-there`) where they are somebody's."""
        mark = (self.part / RESTORING).read_text()
        with writing(engine) as conn:
            if noted(conn, RESTORING) == mark:
                for table in reversed(metadata.sorted_tables):
                    conn.execute(table.delete())
            elif not is_empty(conn):
                raise Refusal(
                    "papers-there",
                    "the database holds the papers of a site already",
                    remedy="--papers URL names an empty one",
                )
            else:
                conn.execute(metadata.tables["meta"].delete())
            note(conn, RESTORING, mark)

    def _later(self, engine: Engine, ring: Keyring, settings: "Settings") -> Later:
        """The ledger that goes on from here, in place; all refusals are `laterledger`'s."""
        with reading(engine) as conn:
            known = conn.execute(select(entries.c.body).where(entries.c.leaf.is_not(None)).order_by(entries.c.leaf))
            bodies = [bytes(row.body) for row in known]
        asked = self.asked
        folders = []
        if asked.ledger is not None:
            copy = copied(asked.ledger, self.part / "later")
            folders.append((copy, asked.recall or asked.ledger.parent / recall.FOLDER))
        if (self.part / "ledger" / "checkpoint").exists():  # what a former attempt signed
            folders.append((self.part / "ledger", self.part / recall.FOLDER))
        later = read_later(
            folders,
            site_key=lambda name: ring.unwrap(_wrapped(engine, name), f"site-key/{name}"),
            origin=settings.site.origin,
            checkpoint=self.manifest.checkpoint.encode(),
            since=None if asked.since is None else asked.since.read_bytes(),
            newest=asked.newest,
            backup=digest(self.raw),
            bodies=bodies,
        )
        if later.at > self.clock() or later.at >= self.manifest.until:
            raise Refusal(
                "clock-behind",
                "the ledger holds entries of a later instant than this machine's clock, or than the key part's end",
                remedy="set the clock; a key part that has ended opens nothing",
            )
        later.put(self.part / "ledger", self.part / recall.FOLDER)
        self.step("ledger in place")
        return later

    def _replay(self, engine: Engine, ring: Keyring, later: Later) -> int:
        """Number the ledger's entries in the papers, and enter what was decided since; how many records."""
        name = recall.key_name(self.manifest.until)
        with writing(engine) as conn:
            left = later.align(conn)
            records = later.records(left)
            key = ring.unwrap(_wrapped(engine, name), f"site-key/{name}") if records else b""
            for raw in records:
                recall.replay(conn, raw, key, self.manifest.until)
            # Of these nobody knows here whether they left, as of those that records name.
            unsure = parcels.c.state.in_(("leaving", "sending"))
            conn.execute(update(parcels).where(unsure).values(state="left"))
            counts.recount(conn)
            policies.go_above(conn, sum(verify.read_entry(body)["t"] == "policy" for body in later.bodies[left:]))
            turns = conn.scalar(select(func.max(rights_cases.c.turn)))
            recall.later_turns(conn, [] if turns is None else [int(turns)])
            go_on_counting(conn)
        self.step("recalled")
        return len(records)

    def _as_a_site(self, later: Later, recalled: int) -> tuple[int, int]:
        """Drain, erase again what was erased or is to be, and have it in the ledger; how many cases, how long that."""
        from onshore.border.sending.regaining import regain
        from onshore.rights.cases import waiting
        from onshore.rights.erase import carry_out
        from onshore.rights.retiring import looked
        from onshore.rights.retiring import turn as retire

        site = open_site(self.part, clock=self.clock, randomness=self.randomness)
        try:
            site.drain()
            self.step("drained")
            cases = waiting(site, "erase")
            for case, failed in carry_out(site).items():
                raise Broken(f"what case {case} asked to have erased cannot be: {failed}") from failed
            self.step("erased")
            with suppress(Refusal):  # no pack is in force today: then nobody can say what is over
                while retire(site):
                    self.step("retired")
                looked(site)
            regain(site)
            self.step("accounts regained")
            with writing(site.engine) as conn:
                said = {"since": later.size, "recalled": recalled, "erased": len(cases)}
                said |= {"known": later.known} | ({} if later.seen is None else {"seen": later.seen})
                newest = "stated" if later.seen is None else "shown"
                site.hand_in(conn, site.entry("restore", obj=digest(self.raw), newest=newest, **said))
            site.settle()
            self.step("told")
            return len(cases), site.ledger.size
        finally:
            site.engine.dispose()

    def _put_in_place(self) -> None:
        shutil.rmtree(self.part / "staging", ignore_errors=True)
        shutil.rmtree(self.part / "later", ignore_errors=True)
        self.part.rename(self.asked.target)
        sync_folder(self.asked.target.parent)
        (self.asked.target / RESTORING).unlink(missing_ok=True)
        (self.asked.target / "locks" / "restore").unlink(missing_ok=True)
        self.step("in place")


def _refuse_places(asked: Asked, part: Path) -> None:
    """Refuse (`not-empty`) where something lies that is not ours, and (`site-runs`) the ledger of a site that runs."""
    target = asked.target
    empty = target.is_dir() and not any(target.iterdir())
    if target.is_symlink() or (target.exists() and not empty):
        raise Refusal("not-empty", f"{target} is not an empty folder", remedy="restore into a folder of its own")
    left = {path.name for path in part.iterdir()} if part.is_dir() else set()
    if RESTORING not in left and left - {"locks", f"{RESTORING}.new"}:
        raise Refusal(
            "not-empty",
            f"{part}, where this would work, holds what no restore left there",
            remedy="move that away, or restore into a folder of another name",
        )
    old = asked.ledger.parent if asked.ledger is not None else None
    if old is not None and any(in_use(lock) for lock in (*old.glob("locks/*"), *old.glob("vault/journal/*/lock"))):
        raise Refusal(
            "site-runs",
            f"a process runs the site in {old}, whose ledger goes on: two sites would sign one log",
            remedy="stop it, and never start it again",
        )


def _wrapped(engine: Engine, name: str) -> bytes:
    table = metadata.tables["site_keys"]
    with reading(engine) as conn:
        found: bytes | None = conn.scalar(select(table.c.wrapped).where(table.c.name == name))
    if found is None:
        raise Broken(f"the papers of this backup hold no key '{name}': take another copy of it")
    return found


def _is_plain(name: str) -> bool:
    path = Path(name)
    return not path.is_absolute() and ".." not in path.parts and name == path.as_posix()
