"""`onshore vehicle sell`, `retire` and `driver`: who keeps a car, and until when."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from onshore.cli.common import at_site, person_id, put, say
from onshore.words.errors import Malformed

if TYPE_CHECKING:
    from onshore.site import Site


@click.command()
@click.argument("vin")
@click.option("--owner", required=True, help="The new owner's name; sealed in the papers.")
@click.option("--contact", default="", help="How to reach the new owner; sealed in the papers.")
@click.option("--erase", is_flag=True, help="The old owner has their data erased; else it stays, restricted.")
@click.option("--take", "folder", type=click.Path(path_type=Path, file_okay=False), help="A copy for the old owner.")
@click.option("--to", "key", metavar="AGE-KEY", help="The old owner's age public key, to which it is sealed.")
@click.option(
    "--keep-certificates", is_flag=True, help="The car stays known by them: nobody but its maker had its key."
)
@click.option("--identity-checked", "identity", default="desk", help="How the desk checked who the old owner is.")
@at_site("operator", "officer")
def sell(
    here: "Site",
    vin: str,
    owner: str,
    contact: str,
    erase: bool,
    folder: Path | None,
    key: str | None,
    keep_certificates: bool,
    identity: str,
    actor: str,
    as_json: bool,
) -> None:
    """Hand VIN over: consents end, certificates are revoked, and nobody reads what was before.

    The old owner's data stays until its retention ends, unless they have it erased; they may take a copy before.
    """
    from onshore.register import acts, vehicles
    from onshore.rights import sale

    if (folder is None) != (key is None):
        raise Malformed("--take DIR and --to AGE-KEY go together", where="onshore vehicle sell")
    choice = sale.Choice(erase, None if folder is None or key is None else (folder, key))
    done = sale.sell(
        here,
        vehicles.find(here, vin),
        actor,
        choice,
        owner=owner,
        contact=contact,
        identity=identity,
        keep_certificates=keep_certificates,
    )
    if as_json:
        file = None if done.taken is None else str(done.taken.file)
        said = {"owner": f"{done.owner:016x}", "case": done.case.id, "state": done.case.state, "taken": file}
        put(said | {"receipt": acts.receipt(here, done.act)})
        return
    paper, old = done.act.paper, "erased" if erase else "kept, restricted, until its retention ends"
    say(f"handed over; inside the site the new owner is known as {done.owner:016x}")
    say(f"{paper['consents_ended']} consents ended, none stands; {paper['certificates_revoked']} certificates revoked")
    say(f"what was collected before is {old}" + ("" if done.taken is None else f"; a copy lies in {done.taken.file}"))


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
