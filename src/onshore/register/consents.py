"""What people allowed: given, withdrawn, shown; and the standing consents that the sieve obeys."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Row, Select, delete, func, insert, select, union_all, update

from onshore.consent.changes import replaced
from onshore.consent.columns import Consents, compile_columns, compile_consents
from onshore.consent.records import FIELDS, Records, records
from onshore.ledger.entry import digest
from onshore.register import judgements, persons
from onshore.register.judgements import Judged
from onshore.register.vehicles import Vehicle
from onshore.rules.acts import ConsentAsked, Facts
from onshore.site import Site
from onshore.vault.papers import consent_changes, consents, drivers, meta, reading, receipts, writing
from onshore.words.consent import Consent
from onshore.words.errors import Malformed, Refusal

COUNTER = "consents"


@dataclass(frozen=True)
class Given:
    """A consent given or withdrawn: the record, its receipt (salted) and the number of its ledger entry."""

    consent: Consent
    receipt: dict[str, Any]
    entry: int


@dataclass(frozen=True)
class Wish:
    """What a person allows: purposes, categories, notice version, until when, for which recipients abroad."""

    purposes: Sequence[str]
    categories: Sequence[str]
    notice: str
    until: int | None = None
    separate: bool = False
    recipients: frozenset[str] = frozenset()
    bundled_with: str | None = None
    guardian: bool = False


def give(site: Site, vehicle: Vehicle, wish: Wish, *, driver: int | None = None) -> list[Given]:
    """Record a consent per purpose and category, judged first; refuses what the law's form does not allow.

    It is the owner's, for drives that are nobody else's; or a `driver`'s (person id), for theirs alone.
    """
    judged = _judge(site, wish)
    now, person = site.clock(), vehicle.owner if driver is None else driver
    if driver is not None:
        persons.refuse_stranger(site, vehicle.id, driver)
    given = [
        Consent(
            id=site.new_id(),
            person=person,
            vehicle=vehicle.id,
            purpose=purpose,
            category=category,
            start=now,
            until=wish.until,
            withdrawn=None,
            notice=wish.notice,
            separate=wish.separate,
            recipients=wish.recipients,
        )
        for purpose in wish.purposes
        for category in wish.categories
    ]
    with writing(site.engine) as conn:
        conn.execute(consents.insert(), [_columns(c) for c in given])
        _mark_changed(conn, vehicle.id)
        return [_recorded(site, conn, c, "given", judged) for c in given]


def withdraw(
    site: Site, vehicle: Vehicle, *, purpose: str | None = None, category: str | None = None, driver: int | None = None
) -> list[Given]:
    """Withdraw the standing consents for a purpose and category (all where None), from this instant.

    Those of the owner, or of a `driver` (person id).
    """
    now, person = site.clock(), vehicle.owner if driver is None else driver
    with writing(site.engine) as conn:
        gone = [
            replace(c, withdrawn=now)
            for c in _read(conn, vehicle.id)
            if _is_open(c, now)
            and c.person == person
            and purpose in (None, c.purpose)
            and category in (None, c.category)
        ]
        if not gone:
            raise Refusal(
                "no-consent",
                "no standing consent of this person for this vehicle fits",
                article=site.pack.consent.consent_withdrawn.article,
                remedy="'onshore consent show VIN' lists what stands",
            )
        return _withdrawn(site, conn, gone)


def withdraw_all(
    site: Site,
    conn: Connection,
    vehicle: Vehicle,
    now: int,
    *,
    person: int | None = None,
    categories: Collection[str] | None = None,
) -> list[Given]:
    """Withdraw whatever stands for a vehicle, be it nothing, inside the transaction that asks.

    Of one `person`, of some `categories`; of all where None.
    """
    gone = [
        replace(c, withdrawn=now)
        for c in _read(conn, vehicle.id)
        if _is_open(c, now) and person in (None, c.person) and (categories is None or c.category in categories)
    ]
    return _withdrawn(site, conn, gone)


def _is_open(c: Consent, now: int) -> bool:
    return c.withdrawn is None and (c.until is None or now < c.until)


def _withdrawn(site: Site, conn: Connection, gone: list[Consent]) -> list[Given]:
    for c in gone:
        conn.execute(update(consents).where(consents.c.id == c.id).values(withdrawn=c.withdrawn))
    for vehicle in {c.vehicle for c in gone}:
        _mark_changed(conn, vehicle)
    if gone:
        site.recall(conn, (consents, consents.c.id.in_([c.id for c in gone])))
    return [_recorded(site, conn, c, "withdrawn") for c in gone]


def of_vehicle(site: Site, vehicle: int) -> list[Consent]:
    """All consents ever given for a vehicle, oldest first."""
    with reading(site.engine) as conn:
        return _read(conn, vehicle)


class Standing:
    """The site's consents compiled to columns, which follow the papers: only vehicles that changed are read again."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._seen = -1
        self._newest = 0
        self._columns = compile_consents([], site.settings.site.purposes)

    def columns(self) -> Consents:
        """The columns as of now: a withdrawal that is on paper when this is asked is in them."""
        with reading(self._site.engine) as conn:
            turn = changes(conn)
            if turn != self._seen:
                self._columns = self._followed(conn, turn)
                self._newest = max(self._newest, self._last_withdrawal(conn))
                self._seen = turn
        return self._columns

    def now(self) -> int:
        """The site's clock, but never before the newest withdrawal: a clock set back must not undo one."""
        return max(self._site.clock(), self._newest)

    def _last_withdrawal(self, conn: Connection) -> int:
        ask = select(func.max(consents.c.withdrawn))
        if self._seen >= 0:
            changed = select(consent_changes.c.vehicle).where(consent_changes.c.turn > self._seen)
            ask = ask.where(consents.c.vehicle.in_(changed))
        return conn.execute(ask).scalar() or 0

    def _followed(self, conn: Connection, turn: int) -> Consents:
        """Compiled anew at first, when much has changed, and when the papers are older than what was seen."""
        known = self._site.settings.site.purposes  # a purpose that the site gave up serves nobody any more
        given = _by_person(conn).where(consents.c.purpose.in_(known))
        if 0 <= self._seen < turn:
            changed = select(consent_changes.c.vehicle).where(consent_changes.c.turn > self._seen)
            those = select(drivers.c.id).where(drivers.c.vehicle.in_(changed))
            vehicles = np.array(conn.scalars(union_all(changed, those).limit(_MANY)).all(), np.int64)
            if len(vehicles) < _MANY:
                return replaced(self._columns, vehicles, _fetched(conn, given.where(consents.c.vehicle.in_(changed))))
        return compile_columns(_fetched(conn, given), known)


_MANY = 1 << 16


def _by_person(conn: Connection) -> Select[Any]:
    """All consents; a driver's stand under the driver's id in place of the vehicle's, as `consent.drives` has rows."""
    fields: list[ColumnElement[Any]] = [consents.c[name] for name in FIELDS]
    if conn.execute(select(drivers.c.id).limit(1)).first() is None:
        return select(*fields)  # a quarter faster
    theirs = (drivers.c.vehicle == consents.c.vehicle) & (drivers.c.person == consents.c.person)
    fields[FIELDS.index("vehicle")] = func.coalesce(drivers.c.id, consents.c.vehicle)
    return select(*fields).select_from(consents.outerjoin(drivers, theirs))


def _fetched(conn: Connection, ask: Select[Any]) -> Records:
    """Consents of the papers as columns, streamed as the driver hands them over."""
    text = str(ask.compile(conn, compile_kwargs={"literal_binds": True}))
    rows = conn.execution_options(yield_per=8192).exec_driver_sql(text)
    return records(rows, lambda names: frozenset(json.loads(names)))


def receipt(site: Site, given: Given) -> dict[str, Any]:
    """The receipt with its proof, for the person to keep and to verify without us."""
    return {"receipt": given.receipt, "proof": site.proof(given.entry)}


def receipts_of(site: Site, consent: Consent) -> list[dict[str, Any]]:
    """The receipts of a consent again, as given and as withdrawn, each with a proof under the present checkpoint."""
    with reading(site.engine) as conn:
        ask = select(receipts.c.entry, receipts.c.paper).where(receipts.c.consent == consent.id)
        rows = conn.execute(ask.order_by(receipts.c.entry)).all()
    return [{"receipt": json.loads(row.paper), "proof": site.proof(row.entry)} for row in rows]


def _judge(site: Site, wish: Wish) -> Judged:
    """The judge's word, where that accepts the form; refuses with its reason."""
    if wish.until is not None and wish.until <= site.clock():
        raise Malformed("the consent would end before it begins", where="until")
    unknown = [p for p in wish.purposes if p not in site.settings.site.purposes[1:]]
    if unknown:
        raise Refusal(
            "purpose-unknown",
            f"this site has no purpose '{unknown[0]}' that a person may consent to",
            article=site.pack.consent.purpose_not_consented.article,
            remedy="choose one of: " + ", ".join(site.settings.site.purposes[1:]),
        )
    notice = site.settings.notices.get(wish.notice)
    asked = ConsentAsked(
        categories=tuple(wish.categories),
        purposes=tuple(wish.purposes),
        notice_items=tuple(notice.items) if notice else (),
        separate=wish.separate,
        bundled_with=wish.bundled_with,
        guardian=wish.guardian,
    )
    judged = judgements.ask(site, asked, Facts(at=site.clock()))
    if judged.verdict.verdict != "accept":
        first = judged.verdict.reasons[0]
        raise Refusal(first.code, first.says, article=first.article, remedy=first.remedy)
    return judged


def _recorded(site: Site, conn: Connection, consent: Consent, state: str, *judged: Judged) -> Given:
    paper = {
        "kind": "consent",
        "state": state,
        "site": site.id,
        "consent": f"{consent.id:016x}",
        "vehicle": f"{consent.vehicle:016x}",
        "person": f"{consent.person:016x}",
        "purpose": consent.purpose,
        "category": consent.category,
        "notice": consent.notice,
        "separate": consent.separate,
        "recipients": sorted(consent.recipients),
        "start": consent.start,
        "until": consent.until or 0,
        "withdrawn": consent.withdrawn or 0,
        "salt": site.randomness(16).hex(),
    }
    number = judgements.hand_in(site, conn, "consent", judged, obj=digest(paper), state=state)
    conn.execute(receipts.insert().values(entry=number, consent=consent.id, paper=json.dumps(paper)))
    return Given(consent, paper, number)


def _columns(c: Consent) -> dict[str, Any]:
    return asdict(c) | {"recipients": json.dumps(sorted(c.recipients))}


def _read(conn: Connection, vehicle: int) -> list[Consent]:
    ask = select(consents).where(consents.c.vehicle == vehicle).order_by(consents.c.start, consents.c.id)
    return [_consent(row) for row in conn.execute(ask)]


def _consent(row: Row[Any]) -> Consent:
    columns = dict(row._mapping)  # noqa: SLF001 (the documented way to a row's columns by name)
    return Consent(**columns | {"recipients": frozenset(json.loads(row.recipients))})


def changes(conn: Connection) -> int:
    """How often consents were given or withdrawn."""
    found = conn.execute(select(meta.c.value).where(meta.c.name == COUNTER)).scalar()
    return int(found) if found else 0


def _mark_changed(conn: Connection, vehicle: int) -> None:
    """Count the change, and note whose consents it touched."""
    turn = changes(conn) + 1
    conn.execute(delete(meta).where(meta.c.name == COUNTER))
    conn.execute(insert(meta).values(name=COUNTER, value=str(turn)))
    conn.execute(delete(consent_changes).where(consent_changes.c.vehicle == vehicle))
    conn.execute(insert(consent_changes).values(vehicle=vehicle, turn=turn))


def changed_since(conn: Connection, turn: int) -> set[int]:
    """The vehicles whose consents changed since a turn."""
    return set(conn.scalars(select(consent_changes.c.vehicle).where(consent_changes.c.turn > turn)))
