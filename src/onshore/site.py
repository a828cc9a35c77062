"""One running site: its settings, its open rooms, the law it obeys today."""

import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, func, select, update

from onshore.ledger.entry import digest, entry
from onshore.ledger.law import Law, Turned, read_law, turned_here
from onshore.ledger.layout import CHECKPOINT
from onshore.ledger.log import Log
from onshore.ledger.note import Wrong, read_checkpoint
from onshore.rules.acts import Act, Facts, TransferAsked
from onshore.rules.judge import judge
from onshore.rules.local import local_day
from onshore.rules.pack import Pack
from onshore.vault import client, recall, switches
from onshore.vault.client import database
from onshore.vault.copies import refuse_long_copies
from onshore.vault.drain import Drained
from onshore.vault.drain import drain as drain_journals
from onshore.vault.journal_files import ask_rotate, journals_before
from onshore.vault.keeping import keeping
from onshore.vault.keys import site_key
from onshore.vault.lanes import Sending
from onshore.vault.opening import FILE, open_papers, sqlite_url
from onshore.vault.papers import entries, reading, writing
from onshore.vault.patience import looks
from onshore.vault.roots.places import Roots
from onshore.vault.split import Near
from onshore.vault.wrapping import Keyring, open_keyring
from onshore.words.catalogue import Signal
from onshore.words.catalogue import parse as parse_catalogue
from onshore.words.errors import Broken, Malformed, Refusal
from onshore.words.lines import place
from onshore.words.permit import Recipient
from onshore.words.rulebook import Rulebook
from onshore.words.settings import Person, Role, Settings
from onshore.words.strict import read, toml
from onshore.words.tally import Tally
from onshore.words.verdict import Verdict
from onshore.words.vocabulary import STATUTORY

_DAY, _MINUTE = 86_400_000, 60_000  # milliseconds


def read_settings(path: Path) -> Settings:
    """Read `site.toml`; an unknown key or bad value is Malformed with file, line and what is allowed."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Malformed("the settings are no UTF-8 text", where=str(path)) from None
    except FileNotFoundError:
        raise Malformed(
            "there is no site here; make one with 'onshore init --jurisdiction CN --name NAME'",
            where=str(path.parent),
        ) from None
    settings = read(Settings, toml(text, str(path)), str(path), text)
    if settings.site.purposes[:1] != [STATUTORY]:
        raise Malformed(f"the first of purposes must be '{STATUTORY}'", where=place(str(path), "site.purposes", text))
    return settings


@dataclass(frozen=True)
class Site:
    """An open site. Clock (milliseconds UTC) and randomness come from outside, so that a story can be told in time."""

    folder: Path
    settings: Settings
    engine: Engine
    root: Keyring
    law: Law
    readings: tuple[Turned, ...]
    catalogue: Mapping[str, Signal]
    clock: Callable[[], int]
    randomness: Callable[[int], bytes]
    _keys: dict[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def id(self) -> str:
        """The site's random id."""
        return self.settings.site.id

    @property
    def vault(self) -> Path:
        """The vault's folder."""
        return self.folder / "vault"

    def today(self) -> date:
        """The calendar day here, in the pack's zone."""
        return local_day(self.clock(), self.law.zone)

    @property
    def pack(self) -> Pack:
        """The pack that stands today, or stood last, as counsel reads it here."""
        return self.law.on(self.today()).pack

    @property
    def lenient(self) -> frozenset[str]:
        """The switches of that pack which counsel turned here."""
        return self.law.on(self.today()).lenient

    @property
    def rulebook(self) -> Rulebook:
        """Today's tables for the sieve; refuses (`stale-rules`) on a day on which no pack is in force."""
        return self.law.rulebook(self.today())

    def judge(self, act: Act, facts: Facts) -> Verdict:
        """The judge's word by the pack that stands today, and by those of other jurisdictions that the act concerns."""
        codes = {act.to, act.produced_in or act.to} if isinstance(act, TransferAsked) else ()
        return judge(act, facts, self.pack, self.law.concerned(codes))

    @cached_property
    def ledger(self) -> Log:
        """The site's log, open for reading; only `settle` writes it."""
        return Log(self.folder / "ledger", self.key("ledger"), self.settings.site.origin)

    def key(self, name: str) -> bytes:
        """One of the site's own keys, by name; made on first use and kept wrapped under the root key."""
        if name not in self._keys:
            self._keys[name] = site_key(self.engine, self.root, name, self.randomness)
        return self._keys[name]

    def new_id(self) -> int:
        """A random positive 63-bit id for a vehicle, person or consent."""
        return int.from_bytes(self.randomness(8), "big") >> 1 or 1

    def recipient(self, name: str) -> Recipient:
        """A recipient of the settings; refuses an unknown one."""
        known = self.settings.recipients.get(name)
        if known is None:
            raise Refusal(
                "recipient-unknown",
                f"no recipient '{name}' is set down in site.toml",
                remedy=f"add [recipients.{name}] with its jurisdiction and age public key",
            )
        return Recipient(name, known.jurisdiction, known.key, known.status)

    def person(self, name: str, *roles: Role) -> Person:
        """Somebody who may do this act: one of `roles`; refuses anybody else."""
        known = self.settings.people.get(name)
        if known is None or known.role not in roles:
            may = " or ".join(f"{n} ({p.role})" for n, p in self.settings.people.items() if p.role in roles)
            who = f"'{name}' is {known.role} here" if known else f"nobody here is called '{name}'"
            raise Refusal(
                "not-your-act",
                f"{who}; this act takes the role {' or '.join(roles)}",
                remedy=f"act with --as {may}" if may else "add a person with that role to site.toml",
            )
        return known

    def entry(self, kind: str, **fields: Any) -> bytes:
        """A ledger entry of this site, now."""
        identity = self.settings.site
        return entry(kind, at=self.clock(), site=identity.id, jurisdiction=identity.jurisdiction, **fields)

    def hand_in(self, conn: Connection, body: bytes) -> int:
        """Hand an entry to the ledger inside the transaction of the act that it records; returns its number."""
        row = conn.execute(entries.insert().values(body=body)).inserted_primary_key
        assert row is not None
        return int(row[0])

    def recall(self, conn: Connection, *what: recall.What, gone: recall.Gone | None = None) -> None:
        """Have a backup that lives not forget what this transaction takes away: `what` it wrote, and rows `gone`."""
        now, randomness = self.clock(), self.randomness
        obj = recall.note(conn, self.root, self.folder, what, now=now, randomness=randomness, gone=gone)
        if obj is not None:
            self.hand_in(conn, self.entry("recall", obj=obj))

    def keeping(self) -> AbstractContextManager[None]:
        """Hold the keep road, as `vault.keeping` says."""
        return keeping(self.folder)

    def drain(self, before: int | None = None) -> list[Drained]:
        """Turn closed journals into segments, and hand what was kept and withheld to the ledger.

        `before`: only those of earlier turns. Holds the keep road, so it refuses (`road-taken`) while another does.
        """
        with self.keeping():
            return list(iter(lambda: self._drain(before), None))

    def _drain(self, before: int | None) -> Drained | None:
        return drain_journals(
            self.engine,
            self.root,
            self.vault,
            self.id,
            zone=self.pack.zone,
            clock=self.clock,
            randomness=self.randomness,
            announce=self._announce,
            buckets=self.settings.site.buckets,
            near=Near(self.settings.gate.behind_days * _DAY, self.settings.gate.ahead_minutes * _MINUTE),
            before=before,
            sending=Sending(sorted(self.settings.forward)),
        )

    def bring_in(self) -> list[Drained]:
        """Have everything that gates acknowledged until now in segments before returning; what was drained here.

        Gates close their files at their next tick; where another process keeps the site, that one drains.
        """
        turn = ask_rotate(self.engine)
        done: list[Drained] = []
        for _ in looks():
            with suppress_taken(), self.keeping():
                done += self.drain()
            if not journals_before(self.engine, self.vault, turn):
                return done
        raise Broken("journals were not drained for 30 seconds; see whether the gate and keep processes are well")

    def _announce(self, drained: Drained) -> bytes:
        total = sum(drained.tallies.values(), Tally())
        return self.entry(
            "ingest",
            pack=",".join(sorted(drained.tallies)),
            packdigest=f"sha256:{self.law.on(self.today()).digest}",
            rows_in=total.rows_in,
            rows_kept=total.rows_kept,
            cells=total.as_rows(),
            segments=len(drained.segments),
            obj=digest("".join(f"sha256:{segment.sha256}\n" for segment in drained.segments)),
            journals=len(drained.journals),
            **({"damaged": damaged} if (damaged := sum(bool(one.lost) for one in drained.mishaps)) else {}),
        )

    def settle(self, number: int | None = None) -> None:
        """Have the entries handed in so far (up to `number`) in the log and under its checkpoint before returning.

        `keep` alone writes the log: where it runs elsewhere, wait for it; where nobody runs it, be it for a moment.
        """
        for _ in looks():
            with suppress_taken(), self.keeping():
                self.write_ledger()
            if not self._waiting(number):
                return
        raise Broken("the process that keeps the ledger wrote nothing for 30 seconds; look at it, then try again")

    def write_ledger(self) -> None:
        """Write what waits to the log, in order; holds the keep road.

        A crash between log and papers is mended here: entries already in the log are found by their bytes.
        """
        if not self._waiting(None):
            return
        with self.keeping():
            self._write_ledger()

    def _write_ledger(self) -> None:
        log = Log(self.folder / "ledger", self.key("ledger"), self.settings.site.origin)
        with writing(self.engine) as conn:
            waiting = conn.execute(
                select(entries.c.id, entries.c.body).where(entries.c.leaf.is_(None)).order_by(entries.c.id)
            ).all()
            known = _known_leaves(conn)
            if log.recover() < known:
                raise Broken("the log is shorter than the papers say; restore it from a backup")
            ahead = [log.entry_at(i) for i in range(known, log.size)]
            bodies = [bytes(row.body) for row in waiting]
            if ahead != bodies[: len(ahead)]:
                raise Broken("the log holds entries that the papers did not hand in; restore one from a backup")
            log.append(bodies[len(ahead) :])
            for leaf, row in enumerate(waiting, known):
                conn.execute(update(entries).where(entries.c.id == row.id).values(leaf=leaf))
        self.__dict__.pop("ledger", None)

    def _waiting(self, number: int | None) -> bool:
        ask = select(entries.c.id).where(entries.c.leaf.is_(None)).limit(1)
        with reading(self.engine) as conn:
            return conn.execute(ask if number is None else ask.where(entries.c.id <= number)).first() is not None

    def proof(self, number: int) -> str:
        """The `.tlog-proof` of an entry handed in earlier, once it is settled."""
        self.settle(number)
        with reading(self.engine) as conn:
            leaf = conn.execute(select(entries.c.leaf).where(entries.c.id == number)).scalar_one()
        self.__dict__.pop("ledger", None)
        return self.ledger.prove(leaf)


@contextmanager
def suppress_taken() -> Iterator[None]:
    """Go on where another process holds the road: it does the work."""
    try:
        yield
    except Refusal as refusal:
        if refusal.reason != "road-taken":
            raise


def _known_leaves(conn: Connection) -> int:
    last = conn.execute(select(entries.c.leaf).order_by(entries.c.leaf.desc().nulls_last()).limit(1)).scalar()
    return 0 if last is None else int(last) + 1


def read_catalogue() -> dict[str, Signal]:
    """The catalogue of signals that this release ships."""
    return parse_catalogue(_package_text("onshore.words", "catalogue.toml"))


def _package_text(package: str, path: str) -> str:
    return resources.files(package).joinpath(path).read_text(encoding="utf-8")


def readings_noted(site: Site) -> dict[str, dict[str, Any]]:
    """The switches that are turned as the ledger was told: `opinion` and `obj` of each, and `since` (ms UTC)."""
    with reading(site.engine) as conn:
        return switches.noted(conn)


def _note_readings(site: Site) -> None:
    """Hand the ledger an entry for each switch that is read otherwise than it was told last, once for each change."""
    now = {turned.name: {"opinion": turned.opinion, "obj": turned.obj} for turned in site.readings if turned.obj}
    if not switches.changed(readings_noted(site), now):
        return
    with writing(site.engine) as conn:
        for name in switches.changed(switches.noted(conn), now):
            told = {"state": "lenient", **now[name]} if name in now else {"state": "strict"}
            site.hand_in(conn, site.entry("switch", name=name, **told))
        switches.note(conn, now, site.clock())


def now_ms() -> int:
    """The machine's clock, milliseconds UTC."""
    return int(time.time() * 1000)


def open_papers_of(settings: Settings, folder: Path, *, new: bool = False) -> Engine:
    """The papers of the site in `folder`, which need no key to be opened; Broken where they are gone."""
    where = database(settings, folder)
    if where is not None:
        # Whoever guards what this program connects to hears of the one place before anything does.
        sys.audit("onshore.listed", client.__name__, where.place)
    at = where or sqlite_url(folder / FILE)
    return open_papers(at, folder=folder, site=settings.site.id, new=new)


def _refuse_older(engine: Engine, ledger: Path) -> None:
    """Broken where the papers are older than the log: every entry of that was in them first."""
    try:
        text, _, _ = (ledger / CHECKPOINT).read_text(encoding="utf-8").partition("\n\n")
        least = read_checkpoint(f"{text}\n").size
    except (FileNotFoundError, UnicodeDecodeError, Wrong):
        return  # whoever opens the log says so
    with reading(engine) as conn:
        waiting = conn.scalar(select(func.count()).where(entries.c.leaf.is_(None)))
        most = _known_leaves(conn) + (waiting or 0)
    if most < least:
        raise Broken(
            f"the papers are older than the ledger: they know of {most} entries, it holds {least}. What was decided "
            "since, such as erasures, they do not know; put back the newest, or restore the site"
        )


def open_site(
    folder: Path,
    *,
    new: bool = False,
    clock: Callable[[], int] = now_ms,
    randomness: Callable[[int], bytes] = secrets.token_bytes,
) -> Site:
    """Open the site in `folder`; says what is wrong where a setting, key or pack is.

    Broken where its papers are gone, unless it is `new`, and where they and the ledger are not of one time.
    """
    settings = read_settings(folder / "site.toml")
    catalogue, readings = read_catalogue(), turned_here(folder, settings.rules)
    law = read_law(folder, settings, catalogue, {turned.name for turned in readings if turned.obj})
    refuse_long_copies(settings.keys, [v.pack for v in law.ahead(local_day(clock(), law.zone))])
    engine = open_papers_of(settings, folder, new=new)
    _refuse_older(engine, folder / "ledger")
    site = Site(
        folder=folder,
        settings=settings,
        engine=engine,
        root=open_keyring(
            engine,
            Roots(folder, lambda: read_settings(folder / "site.toml").keys, randomness),
            settings.site.id,
            clock=clock,
            randomness=randomness,
            backup_days=settings.keys.backup_days,
        ),
        law=law,
        readings=readings,
        catalogue=catalogue,
        clock=clock,
        randomness=randomness,
    )
    _note_readings(site)
    return site
