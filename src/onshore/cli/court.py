"""`onshore court`: what foreign courts and police ask for; a queue of its own."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onshore.cli.common import at_site, clock_text, instant, put, say
from onshore.cli.standing import tell_verdict

if TYPE_CHECKING:
    from onshore.border.cases.courts import Court
    from onshore.site import Site


@click.group()
def court() -> None:
    """What foreign courts and police ask for: ask, approve, refuse, list. Nothing is disclosed without an approval."""


@court.command()
@click.option("--kind", type=click.Choice(("court", "police")), required=True)
@click.option("--authority", required=True, help="Its name, as it signs; sealed in the papers.")
@click.option("--reference", required=True, help="Its own reference; sealed in the papers.")
@click.option("--recipient", required=True, help="A name of site.toml with authority = true.")
@click.option("--category", "categories", multiple=True, required=True, help="Which data; may be repeated.")
@click.option("--from", "start", required=True, help="Events from this date or time on, local to the site.")
@click.option("--until", required=True, help="Events before this date or time.")
@click.option("--vehicle", "vins", multiple=True, help="Only this VIN; may be repeated.")
@at_site("officer")
def ask(
    here: "Site",
    kind: str,
    authority: str,
    reference: str,
    recipient: str,
    categories: tuple[str, ...],
    start: str,
    until: str,
    vins: tuple[str, ...],
    actor: str,
    as_json: bool,
) -> None:
    """Set down what an authority asks for; the rules on authorities are told at once. Exit 1 when they refuse."""
    from onshore.border.cases import courts
    from onshore.register import vehicles

    zone = here.pack.zone
    cars = tuple(vehicles.find(here, vin).id for vin in vins)
    wanted = courts.Wanted(categories, instant(start, zone) or 0, instant(until, zone) or 0, cars)
    one = courts.ask(here, kind, recipient, wanted, authority=authority, reference=reference, by=actor)
    _tell(one, as_json=as_json)
    raise SystemExit(0 if one.verdict.verdict == "allow" else 1)


@court.command()
@click.argument("court_id", metavar="ID")
@click.option("--number", required=True, help="Of the approval of the competent authority here.")
@click.option("--from", "start", help="Its first day.")
@click.option("--until", help="Its last day, inclusive.")
@click.option(
    "--file", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Its scan, sealed here."
)
@at_site("officer")
def approve(
    here: "Site",
    court_id: str,
    number: str,
    start: str | None,
    until: str | None,
    file: Path | None,
    actor: str,
    as_json: bool,
) -> None:
    """Put the competent authority's approval on a request's file; a transfer to that recipient can then be asked."""
    from onshore.border.cases import courts

    scan = file.read_bytes() if file else None
    one = courts.approve(here, court_id, actor, number=number, start=start, until=until, file=scan)
    _tell(one, as_json=as_json)


@court.command()
@click.argument("court_id", metavar="ID")
@click.option("--says", required=True, help="Why, in words; sealed in the papers.")
@at_site("officer")
def refuse(here: "Site", court_id: str, says: str, actor: str, as_json: bool) -> None:
    """Refuse a request."""
    from onshore.border.cases import courts

    _tell(courts.refuse(here, court_id, actor, says), as_json=as_json)


@court.command("list")
@at_site("officer", "regulator", shows="court-list")
def list_(here: "Site", as_json: bool) -> None:
    """List the queue: who asks for what, and what was decided; those that wait first."""
    from onshore.border.cases import courts

    found = courts.listed(here)
    for one in found:
        if as_json:
            put(_said(one))
        else:
            asked = f"{one.kind} of {one.jurisdiction}, {one.authority}, {one.reference}"
            click.echo(f"{one.id}  {one.state:9}{clock_text(one.asked)}  {asked}: {', '.join(one.wanted.categories)}")
    if not found and not as_json:
        say("nobody asked")


def _tell(one: "Court", *, as_json: bool) -> None:
    if as_json:
        put(_said(one))
        return
    click.echo(one.id)
    say(f"{one.state}; nothing is disclosed by this")
    if one.state != "refused":
        tell_verdict(one.verdict)


def _said(one: "Court") -> dict[str, Any]:
    import msgspec

    return {
        "id": one.id,
        "kind": one.kind,
        "state": one.state,
        "recipient": one.recipient,
        "jurisdiction": one.jurisdiction,
        "authority": one.authority,
        "reference": one.reference,
        "categories": list(one.wanted.categories),
        "from": one.wanted.start,
        "until": one.wanted.until,
        "vehicles": [f"{vehicle:016x}" for vehicle in one.wanted.vehicles],
        "asked": one.asked,
        "asked_by": one.asked_by,
        "verdict": msgspec.to_builtins(one.verdict),
        "approval": one.number,
        "approval_from": one.start,
        "approval_until": one.until,
        "decided": one.decided,
        "decided_by": one.decided_by,
    }
