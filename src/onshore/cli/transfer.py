"""`onshore transfer`: requests to send something abroad."""

from typing import TYPE_CHECKING, Any

import click

from onshore.cli.approving import COMMANDS
from onshore.cli.asking import choosing, chosen, tell_dry, tell_supposed
from onshore.cli.common import at_site, instant, put, say
from onshore.cli.filing import COMMANDS as FILING
from onshore.cli.leaving import taken
from onshore.cli.standing import counted, document, lines, tell

if TYPE_CHECKING:
    from onshore.site import Site
    from onshore.words.permit import Method, Transfer
    from onshore.words.verdict import Verdict


@click.group()
def transfer() -> None:
    """Requests to send something abroad: ask, paper, approve, ship, show, list."""


@transfer.command()
@click.option("--purpose", required=True, help="What for: a purpose of site.toml.")
@click.option("--category", "categories", multiple=True, required=True, help="Which data: track, …; may be repeated.")
@click.option("--recipient", required=True, help="Who: a name of site.toml.")
@click.option("--from", "start", required=True, help="Events from this date or time on, local to the site.")
@click.option("--until", required=True, help="Events before this date or time.")
@click.option("--vehicle", "vins", multiple=True, help="Only this VIN; may be repeated.")
@click.option("--signal", "signals", multiple=True, help="Only this signal of the categories; may be repeated.")
@click.option(
    "--method",
    type=click.Choice(("file", "feed", "view")),
    default="file",
    show_default=True,
    help="One parcel, a standing feed, or a view by somebody abroad.",
)
@click.option("--produced-in", default="", metavar="CODE", help="Where it was made, if not here.")
@click.option("--emergency", is_flag=True, help="Life, health or property is in danger: an officer answers for it.")
@click.option("--dry-run", is_flag=True, help="Only say what would be told and touched.")
@choosing
@at_site("engineer", "officer")
def ask(
    here: "Site",
    purpose: str,
    categories: tuple[str, ...],
    recipient: str,
    start: str,
    until: str,
    vins: tuple[str, ...],
    signals: tuple[str, ...],
    method: "Method",
    produced_in: str,
    emergency: bool,
    dry_run: bool,
    transforms: tuple[str, ...],
    actor: str,
    as_json: bool,
    **choice: Any,
) -> None:
    """Ask to send something abroad; the verdict comes at once. Exit 1 when it is a refusal.

    To somebody abroad no count is told: how much there is, 'onshore catalogue' has, rounded.
    """
    from onshore.register.views import is_abroad
    from onshore.words.permit import Transfer

    abroad = is_abroad(here, actor)
    request = Transfer(
        id=here.randomness(8).hex(),
        purpose=purpose,
        categories=categories,
        recipient=recipient,
        start=instant(start, here.pack.zone) or 0,
        until=instant(until, here.pack.zone) or 0,
        asked_by=actor,
        produced_in=produced_in,
        signals=signals,
        method=method,
        ground="emergency" if emergency else "consent",
        **({} if dry_run and abroad else chosen(here, vins, **choice)),
    )
    if dry_run:
        verdict = _dry(here, request, transforms, abroad=abroad, as_json=as_json)
    elif transforms:
        raise click.UsageError("--transform is for a --dry-run: what is done to rows, a permit says")
    else:
        verdict = _asked(here, request, abroad=abroad, as_json=as_json)
    raise SystemExit(0 if verdict.verdict == "allow" else 1)


def _dry(here: "Site", request: "Transfer", transforms: tuple[str, ...], *, abroad: bool, as_json: bool) -> "Verdict":
    from onshore.border import dryrun
    from onshore.border.views import asking

    if abroad:
        verdict = asking.supposed(here, request)
        tell_supposed(verdict, as_json=as_json)
        return verdict
    run = dryrun.dry_run(here, request, transforms)
    tell_dry(run, as_json=as_json)
    return run.verdict


def _asked(here: "Site", request: "Transfer", *, abroad: bool, as_json: bool) -> "Verdict":
    from dataclasses import replace

    from onshore.border import requests
    from onshore.border.views import asking

    standing = requests.ask(here, request)
    here.settle()
    if abroad:
        standing = replace(standing, verdict=asking.without_counts(here, request, standing.verdict))
    tell(here, standing, as_json=as_json)
    return standing.verdict


@transfer.command()
@click.argument("transfer_id", metavar="ID")
@at_site("officer")
def ship(here: "Site", transfer_id: str, as_json: bool) -> None:
    """Ship a permitted request: sieved again, metered, sealed, in the ledger, then in the outbox."""
    from onshore.border import transfer as border

    shipped = border.ship(here, transfer_id)
    if as_json:
        put({"parcel": shipped.where, "persons": shipped.persons, "rows": shipped.rows})
    else:
        say(f"left: {counted(shipped.rows, 'row')} of {counted(shipped.persons, 'person')}")
        click.echo(shipped.where)


@transfer.command()
@click.argument("transfer_id", metavar="ID")
@click.option("--bundle", is_flag=True, help="The regulator's spot check: all of it, as one JSON document.")
@click.option("--text", is_flag=True, help="The spot check as a page to read.")
@click.option("--as", "actor", metavar="NAME", help="A regulator or officer, who sees a few rows with --bundle.")
@at_site()
def show(here: "Site", transfer_id: str, bundle: bool, text: bool, actor: str | None, as_json: bool) -> None:
    """Show a request: state, route, reasons, counters, papers, approvals, permits, parcels, moves, what comes next."""
    from onshore.border import requests
    from onshore.border.views import spotcheck, spotpage

    if bundle or text:
        found = spotcheck.bundle(here, transfer_id, by=actor or "")
        click.echo(spotpage.page(found), nl=False) if text else put(found)
        return
    seen = spotcheck.overview(here, transfer_id, by=actor or "")
    if as_json:
        put(seen)
    else:
        click.echo("\n".join(lines(here, seen, requests.find(here, transfer_id))))


@transfer.command("list")
@at_site()
def list_(here: "Site", as_json: bool) -> None:
    """List the requests, oldest first."""
    from onshore.border import requests

    for standing in requests.listed(here):
        asked = standing.transfer
        if as_json:
            put({**document(standing), "purpose": asked.purpose, "recipient": asked.recipient})
        else:
            click.echo(f"{asked.id}  {standing.state:10}{asked.purpose} -> {asked.recipient}")


for command in (taken, *COMMANDS, *FILING):
    transfer.add_command(command)
