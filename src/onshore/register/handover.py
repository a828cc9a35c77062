"""Hand-over and retirement: what ends for whom when a vehicle changes hands, or leaves the road."""

from onshore.register import acts, certificates, consents, persons
from onshore.register.vehicles import Vehicle
from onshore.site import Site
from onshore.vault.papers import keepers, retirements, writing


def sell(site: Site, vehicle: Vehicle, *, owner: str, contact: str = "") -> tuple[int, acts.Act]:
    """Hand a vehicle over to a new owner, from this instant; the new owner's id, and the act.

    All consents of the old owner and of drivers end (PIPL Art. 15: a consent is the person's, not the car's); the new
    owner has given none. What was collected before belongs to those who kept the car then: the new owner neither sees
    it nor lets it leave. The car stays who it is, so its certificates stay. Refuses one that is retired.
    """
    now = site.clock()
    site.key("column")  # made in a transaction of its own
    with writing(site.engine) as conn:
        certificates.refuse_retired(conn, vehicle.id)
        ended = consents.withdraw_all(site, conn, vehicle, now)
        persons.end_all(site, conn, vehicle.id)
        new = persons.enrol(site, conn, name=owner, contact=contact)
        conn.execute(keepers.insert().values(vehicle=vehicle.id, person=new, role=persons.OWNER, start=now))
        said = {"from": f"{vehicle.owner:016x}", "to": f"{new:016x}", "consents_ended": len(ended)}
        return new, acts.recorded(site, conn, vehicle.id, "sold", **said)


def dismiss(site: Site, vehicle: Vehicle, driver: int) -> None:
    """End a driver's time with a vehicle, and the consents given for it; refuses whoever does not drive it."""
    with writing(site.engine) as conn:
        persons.remove_driver(site, conn, vehicle.id, driver)
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
        return acts.recorded(site, conn, vehicle.id, "retired")
