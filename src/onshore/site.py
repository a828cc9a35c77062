"""One running site: its settings, its open rooms, its rule pack read."""

import hashlib
import re
import secrets
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import Connection, Engine, select, update

from onshore.ledger.entry import digest, entry
from onshore.ledger.log import Log
from onshore.rules.local import local_day
from onshore.rules.pack import Pack
from onshore.rules.pack import parse as parse_pack
from onshore.rules.rulebook import compile_rulebook
from onshore.vault.drain import Drained
from onshore.vault.drain import drain as drain_journals
from onshore.vault.journal_files import ask_rotate, journals_before
from onshore.vault.keeping import keeping
from onshore.vault.keys import RootKey, read_root_key, site_key
from onshore.vault.papers import entries, open_papers, reading, sqlite_url, writing
from onshore.words.catalogue import Signal
from onshore.words.catalogue import parse as parse_catalogue
from onshore.words.errors import Broken, Malformed, Refusal
from onshore.words.permit import Recipient
from onshore.words.rulebook import Rulebook
from onshore.words.tally import Tally
from onshore.words.vocabulary import MAX_PURPOSES, STATUTORY

_LOOKS, _PAUSE = 1500, 0.02  # how often, and seconds between, to look whether another process did its part

Role = Literal["operator", "officer", "regulator", "engineer", "owner"]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Identity(_Strict, frozen=True, kw_only=True):
    """Which site this is; `id` is random and never changes, `pack` the rules it obeys, `origin` its log's name."""

    id: str
    name: str
    jurisdiction: str
    pack: Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}/[0-9]{4}-[0-9]{2}(-[a-z]+)?$")]
    origin: str
    purposes: Annotated[list[str], msgspec.Meta(min_length=1, max_length=MAX_PURPOSES)]
    buckets: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 16


class Gate(_Strict, frozen=True, kw_only=True):
    """Where the doors listen; a batch is closed at so many frames or milliseconds, whichever comes first."""

    host: str = "127.0.0.1"
    gb32960: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 32960
    batch_frames: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 2000
    batch_ms: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 5
    rotate_seconds: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 60


class Person(_Strict, frozen=True, kw_only=True):
    """Somebody who acts at the site, by name; `vkey` verifies what a regulator signs."""

    role: Role
    vkey: str = ""


class Receiver(_Strict, frozen=True, kw_only=True):
    """Somebody abroad who may be sent something: jurisdiction code, age public key, status of the scenario book."""

    jurisdiction: str
    key: str
    status: str = "none"


class Notice(_Strict, frozen=True, kw_only=True):
    """A version of the notice shown to people, by which of the law's items it contains."""

    items: list[str]


class Settings(_Strict, frozen=True, kw_only=True):
    """All of `site.toml`."""

    site: Identity
    gate: Gate = Gate()
    people: dict[str, Person] = {}
    recipients: dict[str, Receiver] = {}
    notices: dict[str, Notice] = {}


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
    try:
        settings = msgspec.convert(tomllib.loads(text), Settings)
    except tomllib.TOMLDecodeError as error:
        raise Malformed(str(error), where=str(path)) from None
    except msgspec.ValidationError as error:
        raise Malformed(str(error), where=f"{path}, line {_line_of(text, str(error))}") from None
    if settings.site.purposes[:1] != [STATUTORY]:
        line = _line_of(text, "`purposes`")
        raise Malformed(f"the first of purposes must be '{STATUTORY}'", where=f"{path}, line {line}")
    return settings


def _line_of(text: str, error: str) -> int:
    """The line that a validation error speaks of: the last key it names, found in the text; 1 where it names none."""
    names = re.findall(r"`\$?\.?([^`]+)`", error)
    for name in reversed(names):
        key = re.escape(name.removeprefix("$.").split(".")[-1].split("[")[0])
        for number, line in enumerate(text.splitlines(), 1):
            if re.match(rf"\s*(\[+[\w.\"-]*{key}\]+|\"?{key}\"?\s*=)", line):
                return number
    return 1


@dataclass(frozen=True)
class Site:
    """An open site. Clock (milliseconds UTC) and randomness come from outside, so that a story can be told in time."""

    folder: Path
    settings: Settings
    engine: Engine
    root: RootKey
    pack: Pack
    catalogue: Mapping[str, Signal]
    rulebook: Rulebook
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
        return local_day(self.clock(), self.pack.zone)

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
            before=before,
        )

    def bring_in(self) -> list[Drained]:
        """Have everything that gates acknowledged until now in segments before returning; what was drained here.

        Gates close their files at their next tick; where another process keeps the site, that one drains.
        """
        turn = ask_rotate(self.engine)
        done: list[Drained] = []
        for _ in range(_LOOKS):
            with suppress_taken(), self.keeping():
                done += self.drain()
            if not journals_before(self.engine, self.vault, turn):
                return done
            time.sleep(_PAUSE)
        raise Broken("journals were not drained for 30 seconds; see whether the gate and keep processes are well")

    def _announce(self, drained: Drained) -> bytes:
        total = sum(drained.tallies.values(), Tally())
        return self.entry(
            "ingest",
            pack=",".join(sorted(drained.tallies)),
            packdigest=f"sha256:{self.rulebook.digest}",
            rows_in=total.rows_in,
            rows_kept=total.rows_kept,
            cells=total.as_rows(),
            segments=len(drained.segments),
            obj=digest("".join(f"sha256:{segment.sha256}\n" for segment in drained.segments)),
            journals=len(drained.journals),
        )

    def settle(self, number: int | None = None) -> None:
        """Have the entries handed in so far (up to `number`) in the log and under its checkpoint before returning.

        `keep` alone writes the log: where it runs elsewhere, wait for it; where nobody runs it, be it for a moment.
        """
        for _ in range(_LOOKS):
            with suppress_taken(), self.keeping():
                self.write_ledger()
            if not self._waiting(number):
                return
            time.sleep(_PAUSE)
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


def read_pack(name: str) -> tuple[Pack, str]:
    """A shipped rule pack by its name, such as "cn/2026-02", with the sha256 of its bytes."""
    text = _package_text("onshore.rules", f"packs/{name}/pack.toml")
    return parse_pack(text), hashlib.sha256(text.encode()).hexdigest()


def _package_text(package: str, path: str) -> str:
    found = resources.files(package).joinpath(path)
    if not found.is_file():
        raise Refusal("no-rule-pack", f"this release ships no {path}", remedy="name a pack that 'rules/packs' holds")
    return found.read_text(encoding="utf-8")


def now_ms() -> int:
    """The machine's clock, milliseconds UTC."""
    return time.time_ns() // 1_000_000


def open_site(
    folder: Path,
    *,
    clock: Callable[[], int] = now_ms,
    randomness: Callable[[int], bytes] = secrets.token_bytes,
) -> Site:
    """Open the site in `folder`; says what is wrong where a setting, key or pack is."""
    settings = read_settings(folder / "site.toml")
    pack, digest = read_pack(settings.site.pack)
    if pack.jurisdiction != settings.site.jurisdiction:
        raise Malformed(
            f"the pack {pack.id} is {pack.jurisdiction}'s, the site stands in {settings.site.jurisdiction}",
            where=str(folder / "site.toml"),
        )
    catalogue = read_catalogue()
    return Site(
        folder=folder,
        settings=settings,
        engine=open_papers(sqlite_url(folder / "papers.sqlite")),
        root=read_root_key(folder / "keys" / "root.key", randomness),
        pack=pack,
        catalogue=catalogue,
        rulebook=compile_rulebook(pack, catalogue, digest),
        clock=clock,
        randomness=randomness,
    )
