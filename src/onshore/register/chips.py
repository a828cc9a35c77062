"""Security chips of vehicles (GB/T 32960.3-2025): the public key that each told when it was activated."""

from enum import IntEnum

from sqlalchemy import delete, select

from onshore.register import acts
from onshore.site import Site
from onshore.vault.keys import mac, open_sealed, seal
from onshore.vault.papers import chips, reading, writing
from onshore.words.errors import Malformed, Refusal

_CHIP = 16  # bytes of a chip's id, filled up with zeros (table B.2)


class Info(IntEnum):
    """What an activation is answered (table B.4)."""

    KEPT = 1
    CHIP_IN_USE = 2
    VIN_IN_USE = 3


def activate(site: Site, vehicle: int, chip: bytes, key: bytes, *, first: bool = True) -> Info:
    """Keep the public key of a vehicle's chip, whose possession the caller has checked; the first one stays.

    Told again, it is kept already. Another chip or key of this vehicle is VIN_IN_USE until somebody takes the old one
    back (`forget`): else whoever knows a VIN could take the car's place. A chip that another vehicle has is
    CHIP_IN_USE. Where a chip is awaited, no other is kept; unless the `first` one may come, none but those.
    """
    fingerprint = _fingerprint(site, chip)
    with writing(site.engine) as conn:
        mine = conn.execute(select(chips).where(chips.c.vehicle == vehicle)).one_or_none()
        if mine is not None and not mine.key_sealed:
            if mine.chip_mac != fingerprint:
                return Info.VIN_IN_USE
            conn.execute(delete(chips).where(chips.c.vehicle == vehicle))
        elif mine is not None:
            same = mine.chip_mac == fingerprint and _opened(site, vehicle, mine.key_sealed) == key
            return Info.KEPT if same else Info.VIN_IN_USE
        elif not first:
            return Info.VIN_IN_USE
        if conn.execute(select(chips.c.vehicle).where(chips.c.chip_mac == fingerprint)).first():
            return Info.CHIP_IN_USE
        sealed = seal(site.key("column"), key, _place(vehicle), site.randomness)
        conn.execute(chips.insert().values(vehicle=vehicle, chip_mac=fingerprint, key_sealed=sealed, at=site.clock()))
        acts.recorded(site, conn, vehicle, "activated")
    return Info.KEPT


def expect(site: Site, vehicle: int, chip: str) -> None:
    """Await a chip (1 to 16 characters of ASCII) in a vehicle: its next activation is believed of that chip alone.

    Refused (`chip-in-use`) where the vehicle has one or awaits one, or another vehicle does this one.
    """
    if not (chip.isascii() and chip.isprintable() and 0 < len(chip) <= _CHIP):
        raise Malformed(f"a chip's id has 1 to {_CHIP} characters of ASCII (GB/T 32960.3-2025)", where="--await")
    fingerprint = _fingerprint(site, chip.encode().ljust(_CHIP, b"\0"))
    with writing(site.engine) as conn:
        if conn.execute(
            select(chips.c.vehicle).where((chips.c.vehicle == vehicle) | (chips.c.chip_mac == fingerprint))
        ).first():
            raise Refusal(
                "chip-in-use",
                "this vehicle has a chip or awaits one, or another vehicle has this one",
                remedy="'onshore vehicle chip VIN --forget' takes the old one back first",
            )
        conn.execute(chips.insert().values(vehicle=vehicle, chip_mac=fingerprint, key_sealed=b"", at=site.clock()))
        acts.recorded(site, conn, vehicle, "awaited")


def key_of(site: Site, vehicle: int) -> bytes | None:
    """The public key that a vehicle's chip told, None where it was never activated."""
    with reading(site.engine) as conn:
        sealed = conn.execute(select(chips.c.key_sealed).where(chips.c.vehicle == vehicle)).scalar()
    return _opened(site, vehicle, sealed) if sealed else None


def forget(site: Site, vehicle: int) -> bool:
    """Take a vehicle's chip back, so that another can be activated; whether there was one.

    Doors know it from the car's next login on.
    """
    with writing(site.engine) as conn:
        there = conn.execute(delete(chips).where(chips.c.vehicle == vehicle)).rowcount > 0
        if there:
            site.recall(conn, gone={chips: {"vehicle": vehicle}})
            acts.recorded(site, conn, vehicle, "deactivated")
    return there


def _fingerprint(site: Site, chip: bytes) -> bytes:
    return mac(site.key("lookup"), b"chip" + chip)


def _opened(site: Site, vehicle: int, sealed: bytes) -> bytes:
    return open_sealed(site.key("column"), sealed, _place(vehicle))


def _place(vehicle: int) -> str:
    return f"chips/{vehicle}/key"
