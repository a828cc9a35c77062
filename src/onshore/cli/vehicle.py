"""`onshore vehicle`: register and look at vehicles."""

from pathlib import Path

import click

from onshore.cli.common import answers_for_errors, as_option, clock_text, json_option, put, say, site_option


@click.group()
def vehicle() -> None:
    """Register and look at vehicles."""


@vehicle.command()
@click.argument("vin")
@click.option("--owner", default="", help="The owner's name; sealed in the papers.")
@click.option("--contact", default="", help="How to reach the owner; sealed in the papers.")
@as_option
@site_option
@json_option
@answers_for_errors
def add(vin: str, owner: str, contact: str, actor: str, site: Path, as_json: bool) -> None:
    """Register VIN with its owner."""
    from onshore.register import vehicles
    from onshore.site import open_site

    here = open_site(site)
    here.person(actor, "operator", "officer")
    added = vehicles.add(here, vin, owner=owner, contact=contact)
    if as_json:
        put({"vehicle": f"{added.id:016x}", "owner": f"{added.owner:016x}"})
    else:
        say(f"registered; inside the site it is known as {added.id:016x}, its owner as {added.owner:016x}")


@vehicle.command()
@click.argument("vin")
@site_option
@json_option
@answers_for_errors
def show(vin: str, site: Path, as_json: bool) -> None:
    """Show what is registered for VIN."""
    from onshore.register import vehicles
    from onshore.site import open_site

    here = open_site(site)
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
@site_option
@json_option
@answers_for_errors
def list_(site: Path, as_json: bool) -> None:
    """List the vehicles by their random ids; no VIN is shown."""
    from onshore.register import vehicles
    from onshore.site import open_site

    ids = [f"{v:016x}" for v in vehicles.listed(open_site(site))]
    if as_json:
        put(ids)
    else:
        for one in ids:
            click.echo(one)
