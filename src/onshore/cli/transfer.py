"""`onshore transfer`: requests to send something abroad."""

import hashlib
from pathlib import Path
from typing import Any

import click

from onshore.cli.common import answers_for_errors, as_option, instant, json_option, put, say, site_option


@click.group()
def transfer() -> None:
    """Requests to send something abroad: ask, paper, ship, show, list."""


@transfer.command()
@click.option("--purpose", required=True, help="What for.")
@click.option("--category", "categories", multiple=True, required=True, help="Which data; may be repeated.")
@click.option("--recipient", required=True, help="Who: a name of site.toml.")
@click.option("--from", "start", required=True, help="Events from this date or time on, local to the site.")
@click.option("--until", required=True, help="Events before this date or time.")
@click.option("--vehicle", "vins", multiple=True, help="Only this VIN; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Only say what would be told and touched.")
@as_option
@site_option
@json_option
@answers_for_errors
def ask(
    purpose: str,
    categories: tuple[str, ...],
    recipient: str,
    start: str,
    until: str,
    vins: tuple[str, ...],
    dry_run: bool,
    actor: str,
    site: Path,
    as_json: bool,
) -> None:
    """Ask to send something abroad; the verdict comes at once. Exit 1 when it is a refusal."""
    from onshore.border import requests
    from onshore.register import vehicles
    from onshore.site import open_site
    from onshore.words.permit import Transfer

    here = open_site(site)
    here.person(actor, "engineer", "officer")
    request = Transfer(
        id=here.randomness(8).hex(),
        purpose=purpose,
        categories=categories,
        recipient=recipient,
        start=instant(start, here.pack.zone) or 0,
        until=instant(until, here.pack.zone) or 0,
        vehicles=tuple(vehicles.find(here, v).id for v in vins),
        asked_by=actor,
    )
    if dry_run:
        verdict, found = requests.dry_run(here, request)
        _tell_dry(verdict, found, as_json=as_json)
    else:
        standing = requests.ask(here, request)
        here.settle()
        verdict = standing.verdict
        _tell(standing, as_json=as_json)
    raise SystemExit(0 if verdict.verdict == "allow" else 1)


@transfer.command()
@click.argument("transfer_id", metavar="ID")
@click.argument("kind")
@click.option("--number", required=True, help="The paper's own number.")
@click.option("--until", help="Its last day, inclusive.")
@click.option("--file", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Its scan.")
@as_option
@site_option
@json_option
@answers_for_errors
def paper(
    transfer_id: str,
    kind: str,
    number: str,
    until: str | None,
    file: Path | None,
    actor: str,
    site: Path,
    as_json: bool,
) -> None:
    """Put a paper on a request's file (KIND as in the scenario book) and have it judged again."""
    from onshore.border import requests
    from onshore.site import open_site

    here = open_site(site)
    here.person(actor, "officer")
    request = requests.find(here, transfer_id).transfer
    digest = hashlib.sha256(file.read_bytes()).hexdigest() if file else None
    standing = requests.file_paper(here, request, kind, number=number, by=actor, until=until, sha256=digest)
    here.settle()
    _tell(standing, as_json=as_json)


@transfer.command()
@click.argument("transfer_id", metavar="ID")
@as_option
@site_option
@json_option
@answers_for_errors
def ship(transfer_id: str, actor: str, site: Path, as_json: bool) -> None:
    """Ship a permitted request: sieved again, metered, sealed, in the ledger, then in the outbox."""
    from onshore.border import transfer as border
    from onshore.site import open_site

    here = open_site(site)
    here.person(actor, "officer")
    shipped = border.ship(here, transfer_id)
    if as_json:
        put({"parcel": str(shipped.file), "persons": shipped.persons, "rows": shipped.rows})
    else:
        say(f"left: {shipped.rows} rows of {shipped.persons} persons")
        click.echo(shipped.file)


@transfer.command()
@click.argument("transfer_id", metavar="ID")
@click.option("--bundle", is_flag=True, help="The regulator's spot check: all of it, as one JSON document.")
@site_option
@json_option
@answers_for_errors
def show(transfer_id: str, bundle: bool, site: Path, as_json: bool) -> None:
    """Show a request: its state, verdict and papers."""
    from onshore.border import requests, spotcheck
    from onshore.site import open_site

    here = open_site(site)
    if bundle:
        put(spotcheck.bundle(here, transfer_id))
    else:
        _tell(requests.find(here, transfer_id), as_json=as_json)


@transfer.command("list")
@site_option
@json_option
@answers_for_errors
def list_(site: Path, as_json: bool) -> None:
    """List the requests, oldest first."""
    from onshore.border import requests
    from onshore.site import open_site

    for standing in requests.listed(open_site(site)):
        _tell(standing, as_json=as_json) if as_json else click.echo(
            f"{standing.transfer.id}  {standing.state:10}{standing.transfer.purpose} -> {standing.transfer.recipient}"
        )


def _tell(standing: Any, *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        put({"id": standing.transfer.id, "state": standing.state, **asdict(standing.verdict)})
        return
    click.echo(standing.transfer.id)
    say(f"{standing.state}; route: {standing.verdict.route or 'none'}")
    tell_verdict(standing.verdict)


def tell_verdict(verdict: Any) -> None:
    """A verdict for a person: each reason with its article and what would help, and the counters."""
    for reason in verdict.reasons:
        say(f"  {verdict.verdict} ({reason.code}): {reason.says}\n    article: {reason.article}")
        if reason.remedy:
            say(f"    what would help: {reason.remedy}")
    for counter in verdict.counters:
        say(f"  {counter.name}: {counter.used} of {counter.threshold or 'no limit'}")


def _tell_dry(verdict: Any, found: Any, *, as_json: bool) -> None:
    from dataclasses import asdict

    withheld = {r: n for _, g, r, n in found.tally.as_rows() if g == "consent" and r != "consented"}
    figures = {
        "rows": found.rows,
        "vehicles": len(found.vehicles),
        "persons": len(found.persons),
        "withheld_cells": withheld,
    }
    if as_json:
        put({"dry_run": True, **figures, **asdict(verdict)})
    else:
        say(f"would touch {figures['rows']} rows of {figures['persons']} persons; consent withholds {withheld or 0}")
        tell_verdict(verdict)
