"""`onshore vehicle`: register vehicles and look at them; certificates and keepers in the modules beside."""

from typing import TYPE_CHECKING, Any

import click

from onshore.cli.common import at_site, clock_text, put, say
from onshore.cli.vehicle_certify import authority, certify, chip, revoked
from onshore.cli.vehicle_keepers import driver, retire, sell
from onshore.cli.vehicle_policy import lagging as print_lagging
from onshore.cli.vehicle_policy import policy, text
from onshore.cli.vehicle_policy import shown as policy_shown

if TYPE_CHECKING:
    from onshore.register.vehicles import Vehicle
    from onshore.site import Site


@click.group()
def vehicle() -> None:
    """Register vehicles, look at them, certify them, hand them over, retire them."""


for _command in (authority, certify, chip, driver, policy, retire, revoked, sell):
    vehicle.add_command(_command)


@vehicle.command()
@click.argument("vin")
@click.option("--owner", default="", help="The owner's name; sealed in the papers.")
@click.option("--contact", default="", help="How to reach the owner; sealed in the papers.")
@click.option("--check-digit/--no-check-digit", default=True, help="Refuse a wrong one where the market has it.")
@at_site("operator", "officer")
def add(here: "Site", vin: str, owner: str, contact: str, check_digit: bool, as_json: bool) -> None:
    """Register VIN with its owner."""
    from onshore.register import vehicles

    added = vehicles.add(here, vin, owner=owner, contact=contact, check_digit=check_digit)
    if as_json:
        put({"vehicle": f"{added.id:016x}", "owner": f"{added.owner:016x}"})
    else:
        say(f"registered; inside the site it is known as {added.id:016x}, its owner as {added.owner:016x}")


@vehicle.command()
@click.argument("vin")
@at_site(shows="vehicle-show")
def show(here: "Site", vin: str, as_json: bool) -> None:
    """Show what is registered for VIN."""
    from onshore.register import vehicles

    found = vehicles.find(here, vin)
    shown = {
        "vehicle": f"{found.id:016x}",
        "owner": f"{found.owner:016x}",
        "name": vehicles.owner_name(here, found.owner),
        "added": clock_text(found.added),
        "restricted": clock_text(found.restricted),
        "retired": clock_text(vehicles.retired(here, found.id)),
    }
    if as_json:
        more = {"keepers": _keepers(here, found), "certificates": _certificates(here, found)}
        put(shown | more | {"policy": policy_shown(here, found.id)})
        return
    for name, value in shown.items():
        click.echo(f"{name:13}{value or '-'}")
    for keeper in _keepers(here, found):
        click.echo(f"{keeper['role']:13}{keeper['person']} {keeper['from']} to {keeper['until']}")
    for one in _certificates(here, found):
        click.echo(f"certificate  {one['serial']} {one['from']} to {one['until']}, revoked {one['revoked']}")
    click.echo(f"policy       {text(policy_shown(here, found.id))}")


def _keepers(site: "Site", found: "Vehicle") -> list[dict[str, Any]]:
    from onshore.register import persons

    return [
        {"person": f"{k.person:016x}", "role": k.role, "from": clock_text(k.start), "until": clock_text(k.until)}
        for k in persons.of_vehicle(site, found.id)
    ]


def _certificates(site: "Site", found: "Vehicle") -> list[dict[str, Any]]:
    from onshore.register import certificates

    return [
        {
            "serial": one.serial,
            "from": clock_text(one.start),
            "until": clock_text(one.until),
            "revoked": clock_text(one.revoked),
        }
        for one in certificates.of_vehicle(site, found.id)
    ]


@vehicle.command("list")
@click.option("--lagging", is_flag=True, help="Only cars that have not said that they obey what they were told.")
@at_site(shows="vehicle-list")
def list_(here: "Site", lagging: bool, as_json: bool) -> None:
    """List the vehicles by their random ids; no VIN is shown."""
    from onshore.register import vehicles

    if lagging:
        print_lagging(here, as_json=as_json)
        return
    ids = [f"{v:016x}" for v in vehicles.listed(here)]
    if as_json:
        put(ids)
    else:
        for one in ids:
            click.echo(one)
