"""Mine: which car of whoever asks is meant; nobody is shown another's."""

from dataclasses import dataclass

from onshore.desk.asked import Asked
from onshore.desk.who import Who
from onshore.register import consents, persons, vehicles
from onshore.register.vehicles import Vehicle
from onshore.rights.whose import wish
from onshore.site import Site
from onshore.vault.restrictions import Scope
from onshore.words.consent import Consent
from onshore.words.errors import Refusal
from onshore.words.vocabulary import STATUTORY


@dataclass(frozen=True)
class Mine:
    """A car of whoever asks, in which `role` they keep it, since when (ms UTC), and the last letters of its VIN."""

    vehicle: Vehicle
    person: int
    role: str
    since: int
    vin_ends: str

    @property
    def id(self) -> str:
        """The car's random id, as paths and data have it."""
        return f"{self.vehicle.id:016x}"

    @property
    def driver(self) -> int | None:
        """As the register is told whose consents are meant: None for an owner's."""
        return self.person if self.role == persons.DRIVER else None


@dataclass(frozen=True)
class Car:
    """The same as pages show it; `others`: ids and last letters of all cars that are theirs, to choose another."""

    id: str
    vin_ends: str
    role: str
    others: list[tuple[str, str]]


def all_of(site: Site, who: Who) -> list[Mine]:
    """The cars that whoever asks keeps now, oldest first."""
    if who.person is None:
        return []
    kept = persons.kept_by(site, who.person).items()
    return [
        Mine(vehicles.by_id(site, car), who.person, one.role, one.start, vehicles.vin_of(site, car)[-4:])
        for car, one in kept
    ]


def one_of(site: Site, who: Who, asked: Asked) -> Mine:
    """The car that is asked for by the field `car`, else their first; refuses any that is not theirs."""
    wanted = asked.text("car", "", longest=16)
    found = next((one for one in all_of(site, who) if wanted in ("", one.id)), None)
    if found is None:
        raise Refusal("vehicle-unknown", "no such car is registered in your name", remedy="ask whoever runs the site")
    return found


def shown(site: Site, who: Who, one: Mine) -> Car:
    """A car as a page shows it."""
    others = [(other.id, other.vin_ends) for other in all_of(site, who)]
    return Car(one.id, one.vin_ends, one.role, others)


def scope(site: Site, one: Mine) -> Scope:
    """Which rows of the car are theirs: of an owner's time, of a driver's own drives."""
    return wish(site, one.vehicle, person=one.person).scope


def given(site: Site, one: Mine) -> list[Consent]:
    """What they ever allowed of the car, oldest first."""
    return [consent for consent in consents.of_vehicle(site, one.vehicle.id) if consent.person == one.person]


def purposes(site: Site) -> list[str]:
    """What a person may be asked for here, in the site's order."""
    return [purpose for purpose in site.settings.site.purposes if purpose != STATUTORY]


def categories(site: Site, purpose: str) -> list[str]:
    """What cars of this site can send for a purpose: the law's own for its own, else all that may be consented to."""
    book = site.rulebook
    known = set(site.catalogue)
    if purpose == STATUTORY:
        known &= frozenset[str]().union(*book.statutory.values())
    found = {category for name, category in book.category.items() if name in known}
    if purpose != STATUTORY:
        found = {one for one in found if purpose in book.only_for.get(one, (purpose,))}
    return sorted(found)
