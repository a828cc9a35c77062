"""Sale: a car changes hands; the old owner's data is erased, handed out, or kept restricted, as they chose."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from onshore.consent.records import BEFORE_TIME
from onshore.register import acts, handover, persons
from onshore.register.vehicles import Vehicle
from onshore.rights import cases, erase, take
from onshore.rights.cases import DESK, Case, Wish
from onshore.rights.erase import TROUBLE, Failed
from onshore.site import Site
from onshore.vault import papers, restrictions
from onshore.vault.age import check_recipient
from onshore.vault.freed import owe, settle
from onshore.vault.papers import rights_cases, wishes, writing
from onshore.vault.restrictions import Scope

SOLD = "sold"
"""Why rows of before a sale are restricted: for good, until their retention ends."""


@dataclass(frozen=True)
class Choice:
    """What the old owner chose: to have it erased, to take it along first (folder, age key), or neither."""

    erase: bool = False
    take: tuple[Path, str] | None = None


@dataclass(frozen=True)
class Sold:
    """What a sale came to: the new owner, the act, the case, and what the old owner took along."""

    owner: int
    act: acts.Act
    case: Case
    taken: take.Taken | None


def sell(
    site: Site,
    vehicle: Vehicle,
    by: str,
    choice: Choice,
    *,
    owner: str,
    contact: str = "",
    identity: str = DESK,
    keep_certificates: bool = False,
) -> Sold:
    """Hand a vehicle over, and do with the old owner's data what they chose.

    In one commit with the hand-over every row of before is restricted, for good, and what was chosen is asked for: a
    crash leaves either nothing done or cases that are taken up. Drivers' rows of before stay theirs, restricted.
    """
    folder, to = (None, None) if choice.take is None else (choice.take[0].resolve(), check_recipient(choice.take[1]))
    since, _ = persons.span(site, vehicle.id, vehicle.owner)
    scope = Scope(vehicle.id, vehicle.id, None, None if since == BEFORE_TIME else since)
    made: list[str] = []

    def ask(conn: Connection, now: int) -> None:
        mine = Wish(replace(scope, until=now), vehicle.owner, cases.check_identity(identity))
        detail: dict[str, Any] = {"erase": choice.erase}
        if to is not None:
            along = replace(mine, detail={"to": to, "folder": str(folder)})
            detail["take"] = cases.open_within(site, conn, vehicle, "take", by, along)
        elif choice.erase:
            detail["erasure"] = cases.open_within(site, conn, vehicle, "erase", by, mine)
        sale = cases.open_within(site, conn, vehicle, "sale", by, replace(mine, detail=detail))
        restrictions.restrict(conn, Scope(vehicle.id, until=now), since=now, case=sale, reason=SOLD)
        _recall(site, conn, [sale, *([detail["take"]] if to is not None else [])])
        made.append(sale)

    sold = handover.sell(
        site, vehicle, owner=owner, contact=contact, keep_certificates=keep_certificates, alongside=ask
    )
    taken = carry_through(site, cases.find(site, made[0]))
    return Sold(sold.owner, sold.act, cases.find(site, made[0]), taken)


def _recall(site: Site, conn: Connection, asked: list[str]) -> None:
    """A site that is restored from a backup of before the sale knows what was asked for in it, and hides what it hid.

    Its erasure is known by itself (`cases.open_within`).
    """
    tables = (rights_cases, wishes, papers.restrictions)
    mine = rights_cases.c.id.in_(asked), wishes.c.id.in_(asked), papers.restrictions.c.case.in_(asked)
    site.recall(conn, *zip(tables, mine, strict=True))


def carry_through(site: Site, sale: Case) -> take.Taken | None:
    """Bring a sale to its end from wherever it stopped: first what is taken along, then the erasure, then the case."""
    detail, taken = sale.wish.detail or {}, None
    if "take" in detail:
        along = cases.find(site, detail["take"])
        taken = take.finish(site, along) if along.state != "done" else None
    advance(site)
    erasure = (cases.find(site, sale.id).wish.detail or {}).get("erasure")
    if erasure is not None and (asked := cases.find(site, erasure)).state == "asked":
        erase.awaited(site, asked)
    advance(site)
    return taken


def advance(site: Site) -> None:
    """Move every sale on that may: ask for the erasure once all was taken along, end the case once all is done."""
    for sale in cases.waiting(site, "sale"):
        detail = sale.wish.detail or {}
        if "take" in detail and cases.find(site, detail["take"]).state != "done":
            continue
        if detail["erase"] and "erasure" not in detail:
            _ask_erasure(site, sale)
        elif not detail["erase"] or cases.find(site, detail["erasure"]).state != "asked":
            _end(site, sale, erased=detail["erase"])


def _ask_erasure(site: Site, sale: Case) -> None:
    detail = sale.wish.detail or {}
    with writing(site.engine) as conn:
        vehicle = Vehicle(sale.vehicle, 0, None, sale.wish.person or 0)
        mine = replace(sale.wish, detail=None)
        erasure = cases.open_within(site, conn, vehicle, "erase", sale.asked_by, mine)
        cases.detailed(conn, sale, detail | {"erasure": erasure})


def _end(site: Site, sale: Case, *, erased: bool) -> None:
    """End a sale; who had all erased is not known by name any more. Its restriction stays."""
    with writing(site.engine) as conn:
        if erased and sale.wish.person is not None:
            persons.forget(conn, sale.wish.person)
            owe(conn)
        cases.move(conn, sale, "done", done=site.clock())
    if erased:
        settle(site.engine)


def carry_on(site: Site, *, later: Collection[str] = ()) -> Failed:
    """What whoever keeps the site does at each look: the erasures that wait, and the sales that wait for them."""
    advance(site)
    failed = erase.carry_out(site, later=later)
    advance(site)
    return failed


def resume(site: Site) -> Failed:
    """Take up everything that stopped halfway; a case that fails does not stop the others: it is in the answer."""
    failed: Failed = {}
    for case in cases.waiting(site, "take", states=("asked", "sealed")):
        try:
            take.finish(site, case)
        except TROUBLE as error:
            failed[case.id] = error
    return failed | carry_on(site)
