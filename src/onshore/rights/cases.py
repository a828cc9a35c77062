"""Cases: what a person asked for, when, and what became of it."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select, update

from onshore.register import consents
from onshore.register.vehicles import Vehicle
from onshore.site import Site
from onshore.vault.journal_files import raise_counter
from onshore.vault.papers import reading, rights_cases, vehicles, writing
from onshore.words.errors import Refusal

STATES = {"asked": frozenset({"done"}), "done": frozenset()}
"""A case is asked and done; what a crash left as asked is taken up again by whoever keeps the site."""


@dataclass(frozen=True)
class Case:
    """One request of a person about one vehicle; `entry` and `certificate` once an erasure is done.

    `turn`: an erasure takes what lies in journals of turns before it. `draft`: what the certificate will say of rows
    that are gone already, while something may still hold their keys.
    """

    id: str
    vehicle: int
    kind: str
    asked: int
    asked_by: str
    state: str
    done: int | None
    entry: int | None
    certificate: dict[str, Any] | None
    turn: int | None = None
    draft: dict[str, Any] | None = None


def opened(site: Site, vehicle: Vehicle, kind: str, by: str) -> Case:
    """Open a case, and in the same commit restrict the vehicle and withdraw its consents, as the kind asks.

    An erasure that is under way already is that case again, not a second one; it takes what arrived until now.
    """
    case = site.randomness(8).hex()
    with writing(site.engine) as conn:
        now = site.clock()  # no earlier than the lock: nothing is consented to between this instant and the commit
        row = conn.execute(select(rights_cases.c.id).where(*_same(vehicle.id, kind))).first()
        if row is not None:
            case = row.id
        else:
            values = {"id": case, "vehicle": vehicle.id, "kind": kind, "asked": now, "asked_by": by}
            conn.execute(rights_cases.insert().values(**values, state="asked"))
        if kind in ("restrict", "erase"):
            _restrict(conn, vehicle.id, now)
        if kind == "erase":
            consents.withdraw_all(site, conn, vehicle, now)
            turn = raise_counter(conn, "rotate")
            conn.execute(update(rights_cases).where(rights_cases.c.id == case).values(turn=turn))
    return find(site, case)


def _same(vehicle: int, kind: str) -> tuple[ColumnElement[bool], ...]:
    asked = rights_cases.c.vehicle == vehicle, rights_cases.c.kind == kind, rights_cases.c.state == "asked"
    return (*asked, rights_cases.c.certificate.is_(None))


def note(conn: Connection, case: Case, draft: dict[str, Any]) -> None:
    """Note what an erasure did, inside its transaction; the case stays open until nothing holds an old key."""
    text = json.dumps(draft, sort_keys=True)
    conn.execute(update(rights_cases).where(rights_cases.c.id == case.id).values(certificate=text))


def close(conn: Connection, case: Case, at: int, *, entry: int | None = None, certificate: Any = None) -> None:
    """Mark a case done, inside the transaction of what it asked for."""
    text = None if certificate is None else json.dumps(certificate, sort_keys=True)
    conn.execute(
        update(rights_cases)
        .where(rights_cases.c.id == case.id)
        .values(state="done", done=at, entry=entry, certificate=text)
    )


def lift(conn: Connection, vehicle: int) -> None:
    """Let readers see the vehicle's rows again, unless a restriction or another erasure was asked for and stands."""
    standing = rights_cases.c.kind.in_(("restrict", "erase")) & (rights_cases.c.state == "asked")
    asked = (rights_cases.c.vehicle == vehicle) & standing
    since = conn.execute(select(rights_cases.c.asked).where(asked).order_by(rights_cases.c.asked)).scalar()
    conn.execute(update(vehicles).where(vehicles.c.id == vehicle).values(restricted=since))


def end_restriction(site: Site, vehicle: Vehicle) -> None:
    """End the restrictions that were asked for; an erasure under way keeps the vehicle restricted all the same."""
    mine = (rights_cases.c.vehicle == vehicle.id) & (rights_cases.c.kind == "restrict")
    with writing(site.engine) as conn:
        ended = (
            update(rights_cases).where(mine, rights_cases.c.state == "asked").values(state="done", done=site.clock())
        )
        if conn.execute(ended).rowcount == 0:
            raise Refusal("not-restricted", "no restriction of this vehicle stands", remedy="'onshore rights show VIN'")
        lift(conn, vehicle.id)


def find(site: Site, case: str) -> Case:
    """A case by its id; refuses an unknown one."""
    with reading(site.engine) as conn:
        row = conn.execute(select(rights_cases).where(rights_cases.c.id == case)).one_or_none()
    if row is None:
        raise Refusal("case-unknown", "there is no such case", remedy="'onshore rights show VIN' lists them")
    return _case(row)


def of_vehicle(site: Site, vehicle: int) -> list[Case]:
    """The cases about a vehicle, oldest first."""
    with reading(site.engine) as conn:
        ask = select(rights_cases).where(rights_cases.c.vehicle == vehicle).order_by(rights_cases.c.asked)
        return [_case(row) for row in conn.execute(ask)]


def waiting(site: Site, kind: str) -> list[Case]:
    """Cases of a kind that are asked and not done."""
    with reading(site.engine) as conn:
        ask = select(rights_cases).where(rights_cases.c.kind == kind, rights_cases.c.state == "asked")
        return [_case(row) for row in conn.execute(ask.order_by(rights_cases.c.turn, rights_cases.c.asked))]


def _restrict(conn: Connection, vehicle: int, now: int) -> None:
    free = (vehicles.c.id == vehicle) & vehicles.c.restricted.is_(None)
    conn.execute(update(vehicles).where(free).values(restricted=now))


def _case(row: Row[Any]) -> Case:
    fields = dict(row._mapping)  # noqa: SLF001 (the documented way to a row's columns by name)
    paper = json.loads(row.certificate) if row.certificate else None
    fields |= {"certificate": None, "draft": paper} if row.state == "asked" else {"certificate": paper}
    return Case(**fields)
