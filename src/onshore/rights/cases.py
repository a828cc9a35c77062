"""Cases: what a person asked for, when, and what became of it."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update

from onshore.register.vehicles import Vehicle
from onshore.site import Site
from onshore.vault.papers import reading, rights_cases, vehicles, writing
from onshore.words.errors import Refusal

STATES = {"asked": frozenset({"done"}), "done": frozenset()}
"""A case is asked and done; what a crash left as asked is taken up again by whoever keeps the site."""


@dataclass(frozen=True)
class Case:
    """One request of a person about one vehicle; `entry` and `certificate` once an erasure is done."""

    id: str
    vehicle: int
    kind: str
    asked: int
    asked_by: str
    state: str
    done: int | None
    entry: int | None
    certificate: dict[str, Any] | None


def opened(site: Site, vehicle: Vehicle, kind: str, by: str) -> Case:
    """Open a case; an erasure that is under way already is that case again, not a second one."""
    now, case = site.clock(), site.randomness(8).hex()
    with writing(site.engine) as conn:
        same = (
            (rights_cases.c.vehicle == vehicle.id) & (rights_cases.c.kind == kind) & (rights_cases.c.state == "asked")
        )
        row = conn.execute(select(rights_cases).where(same)).first()
        if row is not None:
            return _case(row)
        values = {
            "id": case,
            "vehicle": vehicle.id,
            "kind": kind,
            "asked": now,
            "asked_by": by,
            "state": "asked",
        }
        conn.execute(rights_cases.insert().values(**values))
        if kind in ("restrict", "erase"):
            _restrict(conn, vehicle.id, now)
    return find(site, case)


def close(conn: Connection, case: Case, at: int, *, entry: int | None = None, certificate: Any = None) -> None:
    """Mark a case done, inside the transaction of what it asked for."""
    text = None if certificate is None else json.dumps(certificate, sort_keys=True)
    conn.execute(
        update(rights_cases)
        .where(rights_cases.c.id == case.id)
        .values(state="done", done=at, entry=entry, certificate=text)
    )


def lift(conn: Connection, vehicle: int) -> None:
    """Let readers see the vehicle's rows again, unless a restriction that somebody asked for still stands."""
    asked = (rights_cases.c.vehicle == vehicle) & (rights_cases.c.kind == "restrict")
    since = conn.execute(select(rights_cases.c.asked).where(asked).order_by(rights_cases.c.asked)).scalar()
    conn.execute(update(vehicles).where(vehicles.c.id == vehicle).values(restricted=since))


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
        return [_case(row) for row in conn.execute(ask.order_by(rights_cases.c.asked))]


def _restrict(conn: Connection, vehicle: int, now: int) -> None:
    free = (vehicles.c.id == vehicle) & vehicles.c.restricted.is_(None)
    conn.execute(update(vehicles).where(free).values(restricted=now))


def _case(row: Row[Any]) -> Case:
    fields = dict(row._mapping)  # noqa: SLF001 (the documented way to a row's columns by name)
    fields["certificate"] = json.loads(row.certificate) if row.certificate else None
    return Case(**fields)
