"""`onshore rights`: what a person may ask about a car."""

import json
from pathlib import Path

import click

from onshore.cli.common import answers_for_errors, as_option, clock_text, iso, json_option, put, say, site_option


@click.group()
def rights() -> None:
    """What a person may ask: access, restrict, erase, show."""


@rights.command()
@click.argument("vin")
@as_option
@site_option
@json_option
@answers_for_errors
def access(vin: str, actor: str, site: Path, as_json: bool) -> None:
    """Print all that is held about VIN, always as one JSON document: purposes, grounds, periods, recipients."""
    del as_json
    from onshore.register import vehicles
    from onshore.rights.access import access as seen
    from onshore.site import open_site

    here = open_site(site)
    here.person(actor, "owner", "officer")
    put(seen(here, vehicles.find(here, vin), actor))


@rights.command()
@click.argument("vin")
@as_option
@site_option
@json_option
@click.option("--lift", is_flag=True, help="End the restriction instead.")
@answers_for_errors
def restrict(vin: str, actor: str, site: Path, as_json: bool, lift: bool) -> None:
    """From this moment no reader sees a row of VIN; what is kept stays."""
    from onshore.register import vehicles
    from onshore.rights import cases
    from onshore.site import open_site

    here = open_site(site)
    here.person(actor, "owner", "officer")
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
@as_option
@site_option
@json_option
@answers_for_errors
def erase(vin: str, out: Path | None, actor: str, site: Path, as_json: bool) -> None:
    """Erase all that arrived of VIN until now; a certificate says what was done and proves it."""
    from onshore.register import vehicles
    from onshore.rights.erase import certificate
    from onshore.rights.erase import erase as erased
    from onshore.site import open_site

    here = open_site(site)
    here.person(actor, "owner", "officer")
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
@site_option
@json_option
@answers_for_errors
def show(vin: str, site: Path, as_json: bool) -> None:
    """List the cases about VIN, with certificates where there are."""
    from onshore.register import vehicles
    from onshore.rights import cases
    from onshore.rights.erase import certificate
    from onshore.site import open_site

    here = open_site(site)
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
