"""`onshore vehicle sell`, `retire` and `driver`: who keeps a car, and until when."""

from typing import TYPE_CHECKING

import click

from onshore.cli.common import at_site, person_id, put, say

if TYPE_CHECKING:
    from onshore.site import Site


@click.command()
@click.argument("vin")
@click.option("--owner", required=True, help="The new owner's name; sealed in the papers.")
@click.option("--contact", default="", help="How to reach the new owner; sealed in the papers.")
@at_site("operator", "officer")
def sell(here: "Site", vin: str, owner: str, contact: str, as_json: bool) -> None:
    """Hand VIN over to a new owner: consents given so far end, and what was collected stays the old owner's."""
    from onshore.register import acts, handover, vehicles

    new, act = handover.sell(here, vehicles.find(here, vin), owner=owner, contact=contact)
    if as_json:
        put({"owner": f"{new:016x}", "receipt": acts.receipt(here, act)})
    else:
        ended = act.paper["consents_ended"]
        say(f"handed over; inside the site the new owner is known as {new:016x}; {ended} consents ended, none stands")


@click.command()
@click.argument("vin")
@at_site("operator", "officer")
def retire(here: "Site", vin: str, as_json: bool) -> None:
    """Retire VIN for good: no door knows it any more, its certificates are revoked; what is held stays its time."""
    from onshore.register import acts, handover, vehicles

    act = handover.retire(here, vehicles.find(here, vin))
    if as_json:
        put({"retired": act.paper["vehicle"], "receipt": acts.receipt(here, act)})
    else:
        say("retired; no door knows it any more, and open connections of it end within a tick of the gate")


@click.group()
def driver() -> None:
    """Drivers of a car beside its owner: a drive is theirs when the car says so."""


@driver.command("add")
@click.argument("vin")
@click.option("--name", required=True, help="The driver's name; sealed in the papers.")
@click.option("--contact", default="", help="How to reach the driver; sealed in the papers.")
@click.option("--mark", required=True, help="What the car calls them: Identifier.Subject of its driver's seat (VSS).")
@at_site("owner", "operator", "officer")
def add(here: "Site", vin: str, name: str, contact: str, mark: str, as_json: bool) -> None:
    """Register a driver of VIN; drives of which the car says so are theirs from now on."""
    from onshore.register import persons, vehicles

    person = persons.add_driver(here, vehicles.find(here, vin).id, name=name, contact=contact, mark=mark)
    if as_json:
        put({"driver": f"{person:016x}"})
    else:
        say(f"registered; inside the site the driver is known as {person:016x}")


@driver.command()
@click.argument("vin")
@click.argument("person", metavar="ID")
@at_site("owner", "operator", "officer")
def remove(here: "Site", vin: str, person: str, as_json: bool) -> None:
    """End the time of the driver ID with VIN, and their consents."""
    from onshore.register import handover, vehicles

    handover.dismiss(here, vehicles.find(here, vin), person_id(person) or 0)
    if as_json:
        put({"removed": person.lower()})
    else:
        say("removed; their consents for this car have ended")
