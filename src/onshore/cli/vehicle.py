"""`onshore vehicle`: register and look at vehicles."""

from typing import TYPE_CHECKING

import click

from onshore.cli.common import at_site, clock_text, put, say

if TYPE_CHECKING:
    from onshore.site import Site


@click.group()
def vehicle() -> None:
    """Register and look at vehicles."""


@vehicle.command()
@click.argument("vin")
@click.option("--owner", default="", help="The owner's name; sealed in the papers.")
@click.option("--contact", default="", help="How to reach the owner; sealed in the papers.")
@at_site("operator", "officer")
def add(here: "Site", vin: str, owner: str, contact: str, as_json: bool) -> None:
    """Register VIN with its owner."""
    from onshore.register import vehicles

    added = vehicles.add(here, vin, owner=owner, contact=contact)
    if as_json:
        put({"vehicle": f"{added.id:016x}", "owner": f"{added.owner:016x}"})
    else:
        say(f"registered; inside the site it is known as {added.id:016x}, its owner as {added.owner:016x}")


@vehicle.command()
@click.argument("vin")
@at_site()
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
    }
    if as_json:
        put(shown)
    else:
        for name, value in shown.items():
            click.echo(f"{name:11}{value or '-'}")


@vehicle.command("list")
@at_site()
def list_(here: "Site", as_json: bool) -> None:
    """List the vehicles by their random ids; no VIN is shown."""
    from onshore.register import vehicles

    ids = [f"{v:016x}" for v in vehicles.listed(here)]
    if as_json:
        put(ids)
    else:
        for one in ids:
            click.echo(one)
