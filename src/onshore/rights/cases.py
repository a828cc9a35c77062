"""Cases: what a person asked for, how wide, when, who checked who they are, and what became of it."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Row, Select, or_, select, update

from onshore.register import consents
from onshore.register.vehicles import Vehicle
from onshore.rights import moves
from onshore.site import Site
from onshore.vault import papers, restrictions
from onshore.vault.journal_files import raise_counter
from onshore.vault.papers import reading, rights_cases, wishes, writing
from onshore.vault.restrictions import Scope
from onshore.words.errors import Malformed, Refusal

DESK = "desk"
"""How who asks was checked, where nobody says it: by whoever runs the desk."""

_CODE = re.compile(r"(?!.*[0-9]{6})[a-z0-9][a-z0-9-]{0,39}", re.ASCII)


@dataclass(frozen=True)
class Wish:
    """How wide a case is. `person`: whose rows, by the register's id; None: of everybody who kept the vehicle.

    `identity`: how the desk checked who asks, a code such as "id-card". `period`: it asks for a time of their choosing,
    so no consent ends with it. `detail`: what its kind needs besides.
    """

    scope: Scope
    person: int | None = None
    identity: str = DESK
    period: bool = field(default=False, compare=False)
    detail: dict[str, Any] | None = None


@dataclass(frozen=True)
class Case:
    """One request of a person about one vehicle; `entry` and `certificate` once an erasure is done.

    `turn`: an erasure takes what lies in journals of turns before it. `draft`: what the certificate will say of rows
    that are gone already, while something may still hold their keys. `held_until`: until then the law has some of it
    kept; `struck`: since when the salt of its certificate is not here any more (milliseconds UTC).
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
    wish: Wish
    turn: int | None = None
    draft: dict[str, Any] | None = None
    held_until: int | None = None
    struck: int | None = None


def check_identity(how: str) -> str:
    """The code for how who asks was checked; Malformed where it may be more than a code: it must name nobody."""
    if not _CODE.fullmatch(how):
        raise Malformed(
            "how who asks was checked is a short code, such as desk, id-card or bank-id, and no number of a paper",
            where="--identity-checked",
        )
    return how


def opened(site: Site, vehicle: Vehicle, kind: str, by: str, wish: Wish | None = None) -> Case:
    """Open a case, and in the same commit restrict what it means and withdraw the consents, as the kind asks.

    One of the same width that is under way already is that case again, not a second one; an erasure then takes what
    arrived until now. Without a `wish` it is about all of the vehicle.
    """
    site.key("column")  # made in a transaction of its own
    with writing(site.engine) as conn:
        case = open_within(site, conn, vehicle, kind, by, wish or Wish(Scope(vehicle.id)))
    return find(site, case)


def open_within(site: Site, conn: Connection, vehicle: Vehicle, kind: str, by: str, wish: Wish) -> str:
    """As `opened`, inside a transaction that does more; the case's id."""
    now = site.clock()  # no earlier than the lock: nothing is consented to between this instant and the commit
    same = _same(conn, vehicle.id, kind, wish)
    case = site.randomness(8).hex() if same is None else same
    if same is None:
        values = {"id": case, "vehicle": vehicle.id, "kind": kind, "asked": now, "asked_by": by, "state": "asked"}
        conn.execute(rights_cases.insert().values(values))
        conn.execute(wishes.insert().values(id=case, **_columns(wish)))
        if kind in ("restrict", "erase"):
            restrictions.restrict(conn, wish.scope, since=now, case=case)
    if kind == "erase":
        _withdraw(site, conn, vehicle, wish, now)
        turn = raise_counter(conn, "rotate")
        conn.execute(update(rights_cases).where(rights_cases.c.id == case).values(turn=turn))
    if kind in ("restrict", "erase"):
        mine = (rights_cases.c.id == case), (wishes.c.id == case), (papers.restrictions.c.case == case)
        site.recall(conn, *zip((rights_cases, wishes, papers.restrictions), mine, strict=True))
    return case


def _withdraw(site: Site, conn: Connection, vehicle: Vehicle, wish: Wish, now: int) -> None:
    """End the consents that rows of this width rest on; of a period none: what comes is allowed as before."""
    if not wish.period:
        consents.withdraw_all(site, conn, vehicle, now, person=wish.person, categories=wish.scope.categories)


def _same(conn: Connection, vehicle: int, kind: str, wish: Wish) -> str | None:
    """The case of that kind and width that is under way and has changed nothing yet."""
    t = rights_cases.c
    fresh = or_(t.certificate.is_(None), t.kind == "take")  # what is sealed is only to be put in its place
    ask = _all().where(t.vehicle == vehicle, t.kind == kind, t.state.in_(("asked", "sealed")), fresh)
    open_ = (_case(row) for row in conn.execute(ask))
    return next((c.id for c in open_ if (c.wish.scope, c.wish.detail) == (wish.scope, wish.detail)), None)


def note(conn: Connection, case: Case, draft: dict[str, Any]) -> None:
    """Note what an erasure did, inside its transaction; the case stays open until nothing holds an old key."""
    text = json.dumps(draft, sort_keys=True)
    conn.execute(update(rights_cases).where(rights_cases.c.id == case.id).values(certificate=text))


def ask_what_came_since(site: Site, conn: Connection, case: Case, turn: int) -> None:
    """Open an erasure like one that was just noted, in its transaction, where it was asked for anew meanwhile.

    It then took what arrived before `turn`, and who asked again meant what arrived until then (PIPL Art. 47).
    """
    asked = conn.scalar(select(rights_cases.c.turn).where(rights_cases.c.id == case.id)) or 0
    if asked > turn:
        vehicle = Vehicle(case.vehicle, 0, None, case.wish.person or 0)
        again = replace(case.wish, period=True)  # whoever asked has ended the consents that were to end
        open_within(site, conn, vehicle, case.kind, case.asked_by, again)


def move(conn: Connection, case: Case, state: str, **values: Any) -> None:
    """Move a case to a state, inside the transaction of what brings it there; refuses a move that is none."""
    moves.check(case.kind, case.state, state)
    paper = values.pop("certificate", None)
    text = {} if paper is None else {"certificate": json.dumps(paper, sort_keys=True)}
    conn.execute(update(rights_cases).where(rights_cases.c.id == case.id).values(state=state, **text, **values))


def detailed(conn: Connection, case: Case, detail: dict[str, Any]) -> None:
    """Note what else belongs to a case, inside the transaction that made it so."""
    text = json.dumps(detail, sort_keys=True)
    conn.execute(update(wishes).where(wishes.c.id == case.id).values(detail=text))


def reopen(conn: Connection, case: Case) -> None:
    """Ask again what was held, inside a transaction: its certificate was of what could go then."""
    moves.check(case.kind, case.state, "asked")
    ended = {"state": "asked", "certificate": None, "entry": None, "done": None}
    conn.execute(update(rights_cases).where(rights_cases.c.id == case.id).values(ended))


def close(conn: Connection, case: Case, at: int, *, entry: int | None = None, certificate: Any = None) -> None:
    """Mark a case done, inside the transaction of what it asked for, and end what it restricted."""
    move(conn, case, "done", done=at, entry=entry, certificate=certificate)
    restrictions.lift(conn, case.id)


def end_restriction(site: Site, vehicle: Vehicle, scope: Scope | None = None) -> None:
    """End the restrictions that were asked for (of a `scope`: that very one); what an erasure restricts stays so."""
    standing = [
        case
        for case in of_vehicle(site, vehicle.id)
        if (case.kind, case.state) == ("restrict", "asked") and scope in (None, case.wish.scope)
    ]
    if not standing:
        raise Refusal(
            "not-restricted", "no such restriction of this vehicle stands", remedy="'onshore rights show VIN'"
        )
    with writing(site.engine) as conn:
        for case in standing:
            close(conn, case, site.clock())


def find(site: Site, case: str) -> Case:
    """A case by its id; refuses an unknown one."""
    with reading(site.engine) as conn:
        row = conn.execute(_all().where(rights_cases.c.id == case)).one_or_none()
    if row is None:
        raise Refusal("case-unknown", "there is no such case", remedy="'onshore rights show VIN' lists them")
    return _case(row)


def of_vehicle(site: Site, vehicle: int) -> list[Case]:
    """The cases about a vehicle, oldest first."""
    with reading(site.engine) as conn:
        ask = _all().where(rights_cases.c.vehicle == vehicle).order_by(rights_cases.c.asked)
        return [_case(row) for row in conn.execute(ask)]


def waiting(site: Site, *kinds: str, states: Collection[str] = ("asked",)) -> list[Case]:
    """Cases of some kinds in some states, as asked and not done; an erasure that came first comes first."""
    t = rights_cases.c
    with reading(site.engine) as conn:
        ask = _all().where(t.kind.in_(kinds), t.state.in_(sorted(states)))
        return [_case(row) for row in conn.execute(ask.order_by(t.turn, t.asked))]


def _all() -> Select[Any]:
    w = [wishes.c[name] for name in ("person", "driver", "categories", "start", "until", "identity", "detail")]
    rest = (wishes.c.held_until, wishes.c.struck)
    return select(rights_cases, *w, *rest).select_from(rights_cases.outerjoin(wishes, wishes.c.id == rights_cases.c.id))


def _columns(wish: Wish) -> dict[str, Any]:
    scope = wish.scope
    return {
        "person": wish.person,
        "driver": scope.driver,
        "categories": None if scope.categories is None else json.dumps(sorted(scope.categories)),
        "start": scope.start,
        "until": scope.until,
        "identity": wish.identity,
        "detail": None if wish.detail is None else json.dumps(wish.detail, sort_keys=True),
    }


def _case(row: Row[Any]) -> Case:
    categories = None if row.categories is None else frozenset(json.loads(row.categories))
    scope = Scope(row.vehicle, row.driver, categories, row.start, row.until)
    detail = None if row.detail is None else json.loads(row.detail)
    wish = Wish(scope, row.person, row.identity or DESK, detail=detail)
    paper = json.loads(row.certificate) if row.certificate else None
    finished = row.state != "asked"
    return Case(
        id=row.id,
        vehicle=row.vehicle,
        kind=row.kind,
        asked=row.asked,
        asked_by=row.asked_by,
        state=row.state,
        done=row.done,
        entry=row.entry,
        certificate=paper if finished else None,
        wish=wish,
        turn=row.turn,
        draft=None if finished else paper,
        held_until=row.held_until,
        struck=row.struck,
    )
