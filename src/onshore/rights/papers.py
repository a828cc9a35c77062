"""What papers hold of a person by a car: consents with receipts, policies, certificates, uploads, drives, cases."""

from typing import Any

from sqlalchemy import func, select

from onshore.register import certificates, chips, consents, persons, vehicles
from onshore.register.vehicles import Vehicle
from onshore.rights import cases
from onshore.site import Site
from onshore.vault.papers import checkins, drives, policies, reading, uploads


def keeper(site: Site, vehicle: Vehicle, person: int) -> dict[str, Any]:
    """Who the person is to the site, opened for them alone."""
    kept = next(k for k in persons.of_vehicle(site, vehicle.id) if k.person == person)
    return {
        "person": f"{person:016x}",
        "name": persons.name_of(site, person),
        "contact": persons.contact_of(site, person),
        "role": kept.role,
        "from": kept.start,
        "until": kept.until,
        "vehicle": f"{vehicle.id:016x}",
        "vin": vehicles.vin_of(site, vehicle.id),
    }


def consented(site: Site, vehicle: Vehicle, person: int) -> list[dict[str, Any]]:
    """The person's consents for the car, each with its receipts."""
    return [
        {
            "purpose": c.purpose,
            "category": c.category,
            "start": c.start,
            "until": c.until,
            "withdrawn": c.withdrawn,
            "notice": c.notice,
            "separate": c.separate,
            "recipients": sorted(c.recipients),
            "receipts": consents.receipts_of(site, c),
        }
        for c in consents.of_vehicle(site, vehicle.id)
        if c.person == person
    ]


def of_the_car(site: Site, vehicle: Vehicle, since: int, until: int) -> dict[str, Any]:
    """What papers hold of the car itself in its owner's time, [since, until) (ms UTC): it is the owner's to see."""
    return {
        "policies": _policies(site, vehicle.id, since, until),
        "certificates": [
            {"serial": one.serial, "from": one.start, "until": one.until, "revoked": one.revoked}
            for one in certificates.of_vehicle(site, vehicle.id)
            if one.start < until and min(one.until, one.revoked or one.until) > since
        ],
        "chip": chips.key_of(site, vehicle.id) is not None,
        "uploads": _uploads(site, vehicle.id, since, until),
    }


def _policies(site: Site, vehicle: int, since: int, until: int) -> list[dict[str, Any]]:
    p, c = policies.c, checkins.c
    both = (c.vehicle == p.vehicle) & (c.version == p.version)
    ask = select(p.version, p.made, p.until, c.first, c.last).select_from(policies.outerjoin(checkins, both))
    mine = ask.where(p.vehicle == vehicle, p.made < until, p.until > since).order_by(p.version)
    with reading(site.engine) as conn:
        return [
            {"version": r.version, "made": r.made, "until": r.until, "obeyed_from": r.first, "obeyed_last": r.last}
            for r in conn.execute(mine)
        ]


def _uploads(site: Site, vehicle: int, since: int, until: int) -> list[dict[str, Any]]:
    u = uploads.c
    ask = select(u.id, u.size, u.offset, u.until, u.fate).where(u.vehicle == vehicle, u.until > since)
    with reading(site.engine) as conn:
        rows = conn.execute(ask.order_by(u.until)).all()
    # An upload knows when it expires, not when it began: one that does so after a sale may be the next owner's.
    return [
        {"upload": r.id, "bytes": r.size, "taken_in": r.offset, "expires": r.until, "fate": r.fate}
        for r in rows
        if r.until < until
    ]


def driven(site: Site, vehicle: int, asked: int, since: int, until: int) -> dict[str, Any]:
    """How often the car said that the person drives, and when first and last; an owner's drives are all the others.

    In their own time, [since, until) (ms UTC): what it said in another owner's is not theirs to see.
    """
    d = drives.c
    whose = d.driver.is_(None) if asked == vehicle else d.driver == asked
    mine = (d.vehicle == vehicle, whose, d.at >= since, d.at < until)
    ask = select(func.count(), func.min(d.at), func.max(d.at)).where(*mine)
    with reading(site.engine) as conn:
        count, first, last = conn.execute(ask).one()
    return {"said": int(count), "first": first, "last": last}


def requests(site: Site, vehicle: int, person: int, since: int, until: int) -> list[dict[str, Any]]:
    """What was asked before about the person's data: by them, or of the whole car in [since, until) (ms UTC)."""
    return [
        {
            "case": c.id,
            "kind": c.kind,
            "asked": c.asked,
            "state": c.state,
            "done": c.done,
            "identity": c.wish.identity,
            "held_until": c.held_until,
        }
        for c in cases.of_vehicle(site, vehicle)
        if c.wish.person == person or (c.wish.person is None and since <= c.asked < until)
    ]
