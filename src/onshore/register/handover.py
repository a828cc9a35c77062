"""Hand-over and retirement: what ends for whom when a vehicle changes hands, or leaves the road."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection

from onshore.register import acts, certificates, consents, persons, policies
from onshore.register.vehicles import Vehicle
from onshore.site import Site
from onshore.vault import papers
from onshore.vault.arriving import COMING
from onshore.vault.papers import keepers, retirements, uploads, writing
from onshore.words.errors import Refusal


@dataclass(frozen=True)
class Sold:
    """A hand-over: the new owner's id, the instant from which they keep the vehicle (ms UTC), and the act."""

    owner: int
    at: int
    act: acts.Act


def sell(
    site: Site,
    vehicle: Vehicle,
    *,
    owner: str,
    contact: str = "",
    keep_certificates: bool = False,
    alongside: Callable[[Connection, int], None] = lambda _conn, _now: None,
) -> Sold:
    """Hand a vehicle over to a new owner, from this instant, in one commit.

    All consents of the old owner and of drivers end (PIPL Art. 15: a consent is the person's, not the car's); the new
    owner has given none. What was collected before belongs to those who kept the car then: the new owner neither sees
    it nor lets it leave; files that it was sending go on no more. Certificates that it was known by are taken back,
    unless the car keeps them (`keep_certificates`: nobody but its maker ever had the key), and its policy is made anew.
    `alongside` writes what becomes of the old owner's data, with the instant of the sale. Refuses a vehicle that is
    retired.
    """
    site.key("column")  # made in a transaction of its own
    with writing(site.engine) as conn:
        now = site.clock()
        certificates.refuse_retired(conn, vehicle.id)
        ended = consents.withdraw_all(site, conn, vehicle, now)
        persons.end_all(conn, vehicle.id, now)
        revoked = None if keep_certificates else certificates.revoke_all(site, conn, vehicle.id)
        _end_uploads(conn, vehicle.id)
        new = persons.enrol(site, conn, name=owner, contact=contact)
        conn.execute(keepers.insert().values(vehicle=vehicle.id, person=new, role=persons.OWNER, start=now))
        mine = (papers.persons, papers.persons.c.id == new), (keepers, keepers.c.vehicle == vehicle.id)
        site.recall(conn, *mine, gone={uploads: {"vehicle": vehicle.id, "fate": COMING}})
        alongside(conn, now)
        said = {"from": f"{vehicle.owner:016x}", "to": f"{new:016x}", "consents_ended": len(ended)}
        taken = 0 if revoked is None else len(revoked.paper["serials"])
        act = acts.recorded(site, conn, vehicle.id, "sold", **said, certificates_revoked=taken)
    with suppress(Refusal):  # where no policy can be made today the gate makes it when one can
        policies.current(site, vehicle.id)
    return Sold(new, now, act)


def _end_uploads(conn: Connection, vehicle: int) -> None:
    """Files that the car was sending are the old owner's; no door knows them any more, so it sends no more of them."""
    conn.execute(uploads.delete().where(uploads.c.vehicle == vehicle, uploads.c.fate == COMING))


def dismiss(site: Site, vehicle: Vehicle, driver: int) -> None:
    """End a driver's time with a vehicle, and the consents given for it; refuses whoever does not drive it."""
    with writing(site.engine) as conn:
        persons.remove_driver(site, conn, vehicle.id, driver)
        site.recall(conn, (keepers, keepers.c.vehicle == vehicle.id))
        consents.withdraw_all(site, conn, vehicle, site.clock(), person=driver)


def retire(site: Site, vehicle: Vehicle) -> acts.Act:
    """Retire a vehicle, for good: no door knows it from now on, and its certificates are revoked.

    What is held about it stays until its retention ends or somebody asks for its erasure. Refuses one that is retired.
    """
    with writing(site.engine) as conn:
        certificates.refuse_retired(conn, vehicle.id)
        certificates.revoke_all(site, conn, vehicle.id)
        conn.execute(retirements.insert().values(vehicle=vehicle.id, at=site.clock()))
        acts.mark_changed(conn, vehicle.id)
        site.recall(conn, (retirements, retirements.c.vehicle == vehicle.id))
        return acts.recorded(site, conn, vehicle.id, "retired")
