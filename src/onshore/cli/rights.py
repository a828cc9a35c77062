"""`onshore rights`: what a person may ask about a car."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from onshore.cli.common import at_site, clock_text, iso, person_id, put, say

if TYPE_CHECKING:
    from onshore.site import Site


@click.group()
def rights() -> None:
    """What a person may ask: access, restrict, erase, show."""


@rights.command()
@click.argument("vin")
@click.option("--person", metavar="ID", help="A driver, or who owned it before; its id of 'vehicle show'.")
@at_site("owner", "officer")
def access(here: "Site", vin: str, person: str | None, actor: str) -> None:
    """Print what is held about the owner by VIN, always as one JSON document: purposes, grounds, periods, recipients.

    What the car did in another's time, or on another's drives, is theirs alone to see.
    """
    from onshore.register import vehicles
    from onshore.rights.access import access as seen

    put(seen(here, vehicles.find(here, vin), actor, person=person_id(person)))


@rights.command()
@click.argument("vin")
@click.option("--lift", is_flag=True, help="End the restriction instead.")
@at_site("owner", "officer")
def restrict(here: "Site", vin: str, actor: str, as_json: bool, lift: bool) -> None:
    """From this moment no reader sees a row of VIN; what is kept stays."""
    from onshore.register import vehicles
    from onshore.rights import cases

    if lift:
        cases.end_restriction(here, vehicles.find(here, vin))
        say("lifted: what is kept may be read again for what it was kept for")
        return
    case = cases.opened(here, vehicles.find(here, vin), "restrict", actor)
    if as_json:
        put({"case": case.id, "kind": case.kind, "asked": iso(case.asked)})
    else:
        say("restricted: nobody reads it, nothing of it leaves; 'onshore rights erase' would erase it")
        click.echo(case.id)


@rights.command()
@click.argument("vin")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to put the certificate.")
@at_site("owner", "officer")
def erase(here: "Site", vin: str, out: Path | None, actor: str, as_json: bool) -> None:
    """Erase all that arrived of VIN until now; a certificate says what was done and proves it."""
    from onshore.register import vehicles
    from onshore.rights.erase import certificate
    from onshore.rights.erase import erase as erased

    if out:
        out.touch(0o600)  # before anything is erased: a certificate that has no place to go must not come too late
    case = erased(here, vehicles.find(here, vin), actor)
    paper = certificate(here, case)
    if out:
        out.write_text(json.dumps(paper, ensure_ascii=False))
    if as_json:
        put(paper)
    else:
        done = paper["receipt"]
        say(f"erased {done['rows']} rows; {done['keys_destroyed']} keys destroyed; {done['remains']}")
        click.echo(case.id)


@rights.command()
@click.argument("vin")
@at_site()
def show(here: "Site", vin: str, as_json: bool) -> None:
    """List the cases about VIN, with certificates where there are."""
    from onshore.register import vehicles
    from onshore.rights import cases
    from onshore.rights.erase import certificate

    for case in cases.of_vehicle(here, vehicles.find(here, vin).id):
        if as_json:
            paper = certificate(here, case) if case.certificate else None
            put(
                {
                    "case": case.id,
                    "kind": case.kind,
                    "state": case.state,
                    "asked": iso(case.asked),
                    "certificate": paper,
                }
            )
        else:
            click.echo(f"{case.id}  {case.kind:9}{case.state:7}{clock_text(case.asked)}  {clock_text(case.done)}")
