"""Policies of cars: compiled from what stands, signed, counted, replaced, and checked in by the cars themselves."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from onshore.consent.policy import Host, Policy, Setting, Wanted, compile_policy, content, document
from onshore.ledger.entry import digest
from onshore.ledger.law import Law
from onshore.ledger.signer import Signer
from onshore.register import consents
from onshore.site import Site
from onshore.vault.papers import checkins, meta, policies, reading, retirements, writing
from onshore.words.errors import Malformed, Refusal
from onshore.words.rulebook import Rulebook

_DAY = 86_400_000  # milliseconds
_BY_LAW = Wanted(period=10 * 1000)  # GB/T 32960.3 has data sent every 30 seconds or more often
_HEAD = "onshore policy\n"
_ABOVE, _SPARE = "policies above", 1000  # in meta; versions that a ledger which lacks its end may not know of


@dataclass(frozen=True)
class Issued:
    """A version of a car's policy: when `made`, when it ends (ms UTC), the signed `note` as the car gets it."""

    vehicle: int
    version: int
    made: int
    until: int
    content: str
    note: str

    @property
    def said(self) -> dict[str, Any]:
        """The fields of the policy, as docs/policy.md has them."""
        found: dict[str, Any] = json.loads(self.note.split("\n")[1])
        return found


@dataclass(frozen=True)
class Obeyed:
    """What a car is known to obey: the version it named last, when it first and last did (ms UTC)."""

    version: int
    first: int
    last: int


def setting(site: Site) -> Setting:
    """What all cars' policies here are compiled by; refuses (`host-unknown`) a host that the settings do not list."""
    said, identity, pack = site.settings.policy, site.settings.site, site.pack
    wanted = {name: Wanted(w.period_ms, w.condition, w.precision) for name, w in said.wanted.items()}
    stays = pack.transfer.vehicle_may_not_send_abroad or pack.transfer.first_write_abroad or pack.transfer.inside
    ends = _turns(site.law, site.today(), said.days)
    return Setting(
        rulebook=site.rulebook,
        catalogue=site.catalogue,
        purposes=identity.purposes,
        wanted={identity.purposes[0]: _BY_LAW} | wanted,
        host=_host(site),
        home={identity.jurisdiction, *pack.home},
        pack_ends=None if ends is None else _midnight(ends, pack.zone),
        longest=said.days * _DAY,
        article=stays.article,
    )


def _host(site: Site) -> Host:
    said = site.settings.policy
    if not said.host:
        return Host(site.settings.gate.names[0], site.settings.site.jurisdiction)
    if said.host not in said.hosts:
        raise Refusal(
            "host-unknown",
            f"nobody set down where the host '{said.host}' stands",
            remedy=f'add [policy.hosts."{said.host}"] with its jurisdiction to site.toml',
        )
    return Host(said.host, said.hosts[said.host].jurisdiction)


@lru_cache(maxsize=16)
def _turns(law: Law, today: date, days: int) -> date | None:
    """The first of so many days after today on which the law is not what it is today, or none is in force."""
    version = law.on(today)
    rules = version.pack.as_of(today)
    for day in (today + timedelta(days=n) for n in range(1, days + 1)):
        if law.on(day) is not version or not version.stands(day) or version.pack.as_of(day) is not rules:
            return day
    return None


def _midnight(day: date, zone: str) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def compiled(site: Site, vehicle: int) -> Policy:
    """What a car may send, as of now; a clock that was set back undoes no withdrawal. Refuses what compiling does."""
    given = consents.of_vehicle(site, vehicle)
    now = max([site.clock(), *(consent.withdrawn for consent in given if consent.withdrawn is not None)])
    return compile_policy(vehicle, given, setting(site), now)


def current(site: Site, vehicle: int) -> Issued | None:
    """The policy in force, made and signed now where what stands is not what the last one says; None once retired.

    A policy is made anew too when half of its time is over and a new one would last longer, and when a new one would
    end earlier. Refuses what `compiled` refuses.
    """
    with reading(site.engine) as conn:
        last, least = _latest(conn, vehicle), _least(conn)
        if conn.scalar(select(retirements.c.at).where(retirements.c.vehicle == vehicle)) is not None:
            return None
    fresh = compiled(site, vehicle)
    if last is not None and last.version > least and not _differs(fresh, last):
        return last
    with writing(site.engine) as conn:
        last = _latest(conn, vehicle)  # another gate may have been quicker
        if last is not None and last.version > least and not _differs(fresh, last):
            return last
        return _issued(site, conn, fresh, max(least, 0 if last is None else last.version) + 1)


def go_above(conn: Connection, told: int) -> None:
    """Have all versions from now on be above any that lost papers can have known, in a writing transaction.

    `told`: how many policies the ledger knows of since; a spare covers those that it does not. Each car gets its next
    policy anew, whatever it said: one that was told a version of since must not be told less.
    """
    last = max(_least(conn), conn.scalar(select(func.max(policies.c.version))) or 0)
    conn.execute(delete(meta).where(meta.c.name == _ABOVE))
    conn.execute(insert(meta).values(name=_ABOVE, value=str(last + told + _SPARE)))


def _least(conn: Connection) -> int:
    """The version above which all are that count."""
    return int(conn.scalar(select(meta.c.value).where(meta.c.name == _ABOVE)) or 0)


def _differs(fresh: Policy, last: Issued) -> bool:
    if digest(content(fresh)) != last.content or fresh.until < last.until:
        return True
    return fresh.until > last.until and fresh.made >= _half(last)


def _half(issued: Issued) -> int:
    return (issued.made + issued.until) // 2


def _issued(site: Site, conn: Connection, fresh: Policy, version: int) -> Issued:
    text = document(fresh, site.id, version).decode()
    note = Signer(site.settings.site.origin, site.key("ledger")).sign(f"{_HEAD}{text}\n")
    salt = site.randomness(16).hex()
    body = site.entry(
        "policy",
        obj=digest({"policy": digest(note), "salt": salt}),
        signals=len(fresh.signals),
        purposes=len({line.purpose for line in fresh.lines}),
    )
    made = Issued(fresh.vehicle, version, fresh.made, fresh.until, digest(content(fresh)), note)
    row = {**vars(made), "salt": salt, "entry": site.hand_in(conn, body)}
    conn.execute(insert(policies).values(row))
    return made


def latest(site: Site, vehicle: int) -> Issued | None:
    """The last policy that was made for a car, None where none ever was; nothing is made."""
    with reading(site.engine) as conn:
        return _latest(conn, vehicle)


def _latest(conn: Connection, vehicle: int) -> Issued | None:
    ask = select(policies).where(policies.c.vehicle == vehicle).order_by(policies.c.version.desc()).limit(1)
    row = conn.execute(ask).one_or_none()
    return None if row is None else _read(row)


def _read(row: Row[Any]) -> Issued:
    return Issued(row.vehicle, row.version, row.made, row.until, row.content, row.note)


def check_in(site: Site, vehicle: int, version: int, at: int) -> None:
    """Note that a car said at an instant (ms UTC) that it obeys a version; Malformed where it never had such a one."""
    known = (policies.c.vehicle == vehicle) & (policies.c.version == version)
    said = (checkins.c.vehicle == vehicle) & (checkins.c.version == version)
    with writing(site.engine) as conn:
        if conn.execute(select(policies.c.version).where(known)).first() is None:
            raise Malformed("no such version of a policy was ever made for this car", where="check-in")
        if not conn.execute(update(checkins).where(said).values(last=at)).rowcount:
            conn.execute(insert(checkins).values(vehicle=vehicle, version=version, first=at, last=at))


def obeyed(site: Site, vehicle: int) -> Obeyed | None:
    """What the car said last that it obeys, None where it never said anything."""
    ask = select(checkins).where(checkins.c.vehicle == vehicle)
    with reading(site.engine) as conn:
        row = conn.execute(ask.order_by(checkins.c.last.desc(), checkins.c.version.desc()).limit(1)).one_or_none()
    return None if row is None else Obeyed(row.version, row.first, row.last)


@dataclass(frozen=True)
class Lag:
    """A car that was told and has not said that it obeys: since when (ms UTC), what it should obey, and what it does.

    `ended`: what it said it obeys is over, so a car that keeps to it sends nothing by it any more.
    """

    vehicle: int
    since: int
    version: int
    obeys: int | None
    ended: bool


def lagging(site: Site) -> list[Lag]:
    """Cars whose newest policy is older than `policy.lag_minutes` and not what they obey; longest ago first."""
    now = site.clock()
    before = now - site.settings.policy.lag_minutes * 60_000
    newest: dict[int, tuple[int, int]] = {}
    until: dict[tuple[int, int], int] = {}
    p, c = policies.c, checkins.c
    with reading(site.engine) as conn:
        gone = set(conn.scalars(select(retirements.c.vehicle)))
        for row in conn.execute(select(p.vehicle, p.version, p.made, p.until).order_by(p.version)):
            newest[row.vehicle] = row.version, row.made
            until[row.vehicle, row.version] = row.until
        asked = select(c.vehicle, c.version).order_by(c.last, c.version)
        says: dict[int, int] = {row.vehicle: row.version for row in conn.execute(asked)}
    found = [
        Lag(vehicle, made, version, says.get(vehicle), vehicle in says and until[vehicle, says[vehicle]] <= now)
        for vehicle, (version, made) in newest.items()
        if says.get(vehicle) != version and made <= before and vehicle not in gone
    ]
    return sorted(found, key=lambda lag: (lag.since, lag.vehicle))


class Policies:
    """The policies, as the doors of a gate ask for them. All of it raises OSError where the papers do not answer."""

    def __init__(self, site: Site) -> None:
        """Refuses at once what no policy could be compiled with."""
        self._site = site
        self._rules = self._today()
        if self._rules is not None:
            compile_policy(0, [], setting(site), site.clock())
        with _papers(), reading(site.engine) as conn:
            self._seen = consents.changes(conn)
        self._due: dict[int, int] = {}
        self._known: dict[int, int] = {}
        self._waiting: dict[int, None] = {}
        self._heard: dict[int, tuple[int, int]] = {}
        self._looked = 0

    def policy(self, vehicle: int) -> bytes | None:
        """The signed policy in force (a note, UTF-8), None for a car that is retired."""
        issued = self._current(vehicle)
        return None if issued is None else issued.note.encode()

    def checked_in(self, vehicle: int, version: int, at: int) -> None:
        """Keep what a car says that it obeys; the same again within some minutes is known. Refuses as `check_in`."""
        known = self._heard.get(vehicle)
        if known is not None and known[0] == version and 0 <= at - known[1] < _AGAIN:
            return
        with _papers():
            check_in(self._site, vehicle, version, at)
        if len(self._heard) >= _REMEMBERED:
            self._heard.clear()
        self._heard[vehicle] = version, at

    def untold(self, vehicle: int) -> tuple[int, Mapping[str, Any]] | None:
        """Version and fields of the policy in force, where the car has not said that it obeys it.

        None also for a car that nobody consented for and that was never told anything: the law's own needs no telling.
        """
        with _papers():
            if latest(self._site, vehicle) is None and not consents.of_vehicle(self._site, vehicle):
                return None
            issued, says = self._current(vehicle), obeyed(self._site, vehicle)
        told = issued is None or (says is not None and says.version == issued.version)
        return None if issued is None or told else (issued.version, issued.said)

    def changed(self, vehicles: Iterable[int]) -> list[tuple[int, bytes]]:
        """Of these cars, the policies that replace what this gave out before: for them to be told at once.

        Cheap where nothing changed. Where much did at once, as when a rule pack begins, some are done at each call.
        """
        here = set(vehicles)
        self._due = {vehicle: due for vehicle, due in self._due.items() if vehicle in here}
        self._known = {vehicle: version for vehicle, version in self._known.items() if vehicle in here}
        self._follow()
        mine = [vehicle for vehicle in self._waiting if vehicle in here][:_AT_ONCE]
        self._waiting = {vehicle: None for vehicle in self._waiting if vehicle in here}
        told: list[tuple[int, bytes]] = []
        for vehicle in mine:
            before = self._known.get(vehicle)
            try:
                issued = self._current(vehicle)
            except OSError:
                if not told:
                    raise
                break  # what is known as told must be told; this one and the others wait for the next call
            del self._waiting[vehicle]
            if issued is not None and issued.version != before:
                told.append((vehicle, issued.note.encode()))
        return told

    def _follow(self) -> None:
        now = self._site.clock()
        with _papers(), reading(self._site.engine) as conn:
            turn = consents.changes(conn)
            if turn != self._seen:
                self._waiting |= dict.fromkeys(consents.changed_since(conn, self._seen if turn > self._seen else -1))
                self._seen = turn
        if abs(now - self._looked) < _LOOK:
            return
        self._looked = now
        before, self._rules = self._rules, self._today()
        anew = before is not self._rules and before != self._rules
        self._waiting |= {vehicle: None for vehicle, due in self._due.items() if anew or now >= due}

    def _today(self) -> Rulebook | None:
        """Today's rules, None where none are in force: then nothing is made, and what was made has ended."""
        try:
            return self._site.rulebook
        except Refusal:
            return None

    def _current(self, vehicle: int) -> Issued | None:
        if self._today() is None:
            return None
        with _papers():
            issued = current(self._site, vehicle)
        if issued is not None:
            self._known[vehicle] = issued.version
            half = _half(issued)
            self._due[vehicle] = half if self._site.clock() < half else issued.until
        return issued


_AGAIN = 600_000  # milliseconds for which a check-in that says the same is not written again
_REMEMBERED = 1 << 17
_AT_ONCE = 32
_LOOK = 1000  # milliseconds between looks at which policies are to be renewed


@contextmanager
def _papers() -> Iterator[None]:
    """Papers that do not answer are a disk that does not."""
    try:
        yield
    except DBAPIError as failed:
        raise OSError(f"the papers do not answer: {failed.orig}") from failed
