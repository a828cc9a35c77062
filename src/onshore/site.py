"""One running site: its settings, its open rooms, the law it obeys today."""

import secrets
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from onshore.ledger import client as witness_client
from onshore.ledger.entry import digest, entry
from onshore.ledger.law import Law, Turned, read_law, turned_here
from onshore.ledger.log import Log
from onshore.ledger.quorum import Witnesses
from onshore.ledger.years import Years, handed_in, is_link, turning
from onshore.rules.acts import Act, Facts
from onshore.rules.judge import concerned, judge
from onshore.rules.local import local_day
from onshore.rules.pack import Pack
from onshore.vault import client, handed, recall, switched
from onshore.vault.client import database
from onshore.vault.copies import refuse_long_copies
from onshore.vault.drain import Drained
from onshore.vault.drain import drain as drain_journals
from onshore.vault.journal_files import ask_rotate, journals_before
from onshore.vault.keeping import keeping, suppress_taken
from onshore.vault.keys import site_key
from onshore.vault.lanes import Sending
from onshore.vault.opening import FILE, open_papers, sqlite_url
from onshore.vault.papers import entries
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
        return judge(act, facts, self.pack, self.law.concerned(concerned(act)))

    @cached_property
    def ledger(self) -> Years:
        """The site's logs, open for reading; only `settle` writes them, and ends what a crash left at New Year."""
        for _ in looks():
            if not turning(self.folder / "ledger"):
                break
            with suppress_taken(), self.keeping():
                self._years(write=True)
        return self._years()

    def reopened(self) -> Years:
        """The logs as they are now."""
        self.__dict__.pop("ledger", None)
        return self.ledger

    def _years(self, *, write: bool = False) -> Years:
        named = self.key("ledger"), self.settings.site.origin
        return Years(self.folder / "ledger", *named, zone=self.law.zone, clock=self.clock, write=write)

    @cached_property
    def witnesses(self) -> Witnesses | None:
        """Who else signs the log, where the settings name a policy."""
        found = Witnesses(self.folder, self.settings.witnesses) if self.settings.witnesses.policy else None
        for where in found.places.values() if found else ():
            sys.audit("onshore.listed", witness_client.__name__, (where.host, where.port))
        return found

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
        handed.write_down(self.engine, self._years(write=True), self.entry, is_link)
        self.__dict__.pop("ledger", None)

    def _waiting(self, number: int | None) -> bool:
        return handed.waits(self.engine, number)

    def proof(self, number: int) -> str:
        """The `.tlog-proof` of an entry handed in earlier, once settled; of what a person is given, at any time."""
        self.settle(number)
        log, index = self._found(number)
        return log.prove(index)

    def witnessed_proof(self, number: int) -> str:
        """The same of what is to leave: cosigned to the quorum that the settings ask for; refuses `no-quorum` else.

        Under that checkpoint the ledger also says which policy this quorum is of, where it is another than before.
        """
        self.settle(max([number, *_note_policy(self)]))
        return self.witnesses.proof(lambda: self._found(number)) if self.witnesses else self.proof(number)

    def _found(self, number: int) -> tuple[Log, int]:
        """The log that holds an entry, opened anew, and the entry's number in it."""
        self.__dict__.pop("ledger", None)
        return self.ledger.at(handed.number_of(self.engine, number))


@cache
def read_catalogue() -> Mapping[str, Signal]:
    """The catalogue of signals that this release ships."""
    text = resources.files("onshore.words").joinpath("catalogue.toml").read_text(encoding="utf-8")
    return parse_catalogue(text)


def _note_readings(site: Site) -> None:
    """Hand the ledger an entry for each switch that is read otherwise than it was told last, once for each change."""

    def tell(conn: Connection, name: str, paper: Mapping[str, Any] | None) -> None:
        said = {"state": "lenient", **paper} if paper else {"state": "strict"}
        site.hand_in(conn, site.entry("switch", name=name, **said))

    now = {turned.name: {"opinion": turned.opinion, "obj": turned.obj} for turned in site.readings if turned.obj}
    switched.note(site.engine, now, site.clock(), tell)


def _note_policy(site: Site) -> list[int]:
    """Hand the ledger an entry where things are to leave by another policy of witnesses than last; its number."""
    numbers: list[int] = []

    def tell(conn: Connection, _name: str, paper: Mapping[str, Any] | None) -> None:
        said = {"state": "asked", **paper} if paper else {"state": "none"}
        numbers.append(site.hand_in(conn, site.entry("witnesses", **said)))

    now = {"policy": {"obj": site.witnesses.digest, "witnesses": len(site.witnesses.places)}} if site.witnesses else {}
    switched.note(site.engine, now, site.clock(), tell, switched.WITNESSES)
    return numbers


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
    most, least = handed.most(engine), handed_in(ledger)
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
