"""`onshore transfer`: requests to send something abroad."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onshore.cli.common import at_site, clock_text, instant, put, say
from onshore.rules.articles import PAPERS

if TYPE_CHECKING:
    from onshore.site import Site


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
@click.option("--produced-in", default="", metavar="CODE", help="Where it was made, if not here.")
@click.option("--dry-run", is_flag=True, help="Only say what would be told and touched.")
@at_site("engineer", "officer")
def ask(
    here: "Site",
    purpose: str,
    categories: tuple[str, ...],
    recipient: str,
    start: str,
    until: str,
    vins: tuple[str, ...],
    produced_in: str,
    dry_run: bool,
    actor: str,
    as_json: bool,
) -> None:
    """Ask to send something abroad; the verdict comes at once. Exit 1 when it is a refusal."""
    from onshore.border import requests
    from onshore.register import vehicles
    from onshore.words.permit import Transfer

    request = Transfer(
        id=here.randomness(8).hex(),
        purpose=purpose,
        categories=categories,
        recipient=recipient,
        start=instant(start, here.pack.zone) or 0,
        until=instant(until, here.pack.zone) or 0,
        vehicles=tuple(vehicles.find(here, v).id for v in vins),
        asked_by=actor,
        produced_in=produced_in,
    )
    if dry_run:
        verdict, found = requests.dry_run(here, request)
        _tell_dry(verdict, found, as_json=as_json)
    else:
        standing = requests.ask(here, request)
        here.settle()
        verdict = standing.verdict
        _tell(here, standing, as_json=as_json)
    raise SystemExit(0 if verdict.verdict == "allow" else 1)


@transfer.command(epilog=f"KIND is one of: {', '.join(PAPERS)}.")
@click.argument("transfer_id", metavar="ID")
@click.argument("kind", type=click.Choice(PAPERS), metavar="KIND")
@click.option("--number", required=True, help="The paper's own number.")
@click.option("--until", help="Its last day, inclusive.")
@click.option("--file", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Its scan.")
@at_site("officer")
def paper(
    here: "Site",
    transfer_id: str,
    kind: str,
    number: str,
    until: str | None,
    file: Path | None,
    actor: str,
    as_json: bool,
) -> None:
    """Put a paper of some KIND on a request's file and have the request judged again."""
    from onshore.border import requests

    request = requests.find(here, transfer_id).transfer
    digest = hashlib.sha256(file.read_bytes()).hexdigest() if file else None
    standing = requests.file_paper(here, request, kind, number=number, by=actor, until=until, sha256=digest)
    here.settle()
    _tell(here, standing, as_json=as_json)


@transfer.command()
@click.argument("transfer_id", metavar="ID")
@at_site("officer")
def ship(here: "Site", transfer_id: str, as_json: bool) -> None:
    """Ship a permitted request: sieved again, metered, sealed, in the ledger, then in the outbox."""
    from onshore.border import transfer as border

    shipped = border.ship(here, transfer_id)
    if as_json:
        put({"parcel": str(shipped.file), "persons": shipped.persons, "rows": shipped.rows})
    else:
        say(f"left: {counted(shipped.rows, 'row')} of {counted(shipped.persons, 'person')}")
        click.echo(shipped.file)


@transfer.command()
@click.argument("transfer_id", metavar="ID")
@click.option("--bundle", is_flag=True, help="The regulator's spot check: all of it, as one JSON document.")
@at_site()
def show(here: "Site", transfer_id: str, bundle: bool, as_json: bool) -> None:
    """Show a request: state, route, reasons, counters, papers, permits and parcels."""
    from onshore.border import spotcheck

    if bundle:
        put(spotcheck.bundle(here, transfer_id))
        return
    seen = spotcheck.overview(here, transfer_id)
    put(seen) if as_json else click.echo("\n".join(_lines(seen)))


@transfer.command("list")
@at_site()
def list_(here: "Site", as_json: bool) -> None:
    """List the requests, oldest first."""
    from onshore.border import requests

    for standing in requests.listed(here):
        asked = standing.transfer
        if as_json:
            put({**_document(standing), "purpose": asked.purpose, "recipient": asked.recipient})
        else:
            click.echo(f"{asked.id}  {standing.state:10}{asked.purpose} -> {asked.recipient}")


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 person, 2 persons."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _document(standing: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return {"id": standing.transfer.id, "state": standing.state, **asdict(standing.verdict)}


def _tell(here: Any, standing: Any, *, as_json: bool) -> None:
    if as_json:
        put(_document(standing))
        return
    click.echo(standing.transfer.id)
    say(f"{standing.state}; route: {standing.verdict.route or 'none'}")
    tell_verdict(standing.verdict)
    say(f"next: {_next(here, standing)}")


def _next(here: Any, standing: Any) -> str:
    """The command that brings a request further, with somebody of this site who may give it."""
    act, words, role = {
        "refused": ("transfer paper", "KIND --number N", "officer"),
        "cleared": ("permit grant", "--persons N --from DAY --until DAY", "regulator"),
        "revoked": ("permit grant", "--persons N --from DAY --until DAY", "regulator"),
        "permitted": ("transfer ship", "", "officer"),
    }[standing.state]
    who = next((name for name, person in here.settings.people.items() if person.role == role), role.upper())
    return " ".join(filter(None, ("onshore", act, standing.transfer.id, words, "--as", who)))


def _lines(seen: dict[str, Any]) -> list[str]:
    """A request for a person to read, line by line."""
    asked = seen["request"]
    period = f"{clock_text(asked['start'])} to {clock_text(asked['until'])}"
    cars = counted(len(asked["vehicles"]), "vehicle") if asked["vehicles"] else "all vehicles"
    return [
        f"{seen['id']}  {seen['state']}; route: {seen['route'] or 'none'}",
        f"  {asked['purpose']} -> {asked['recipient']}: {', '.join(asked['categories'])}, {period}, {cars}",
        *(_reason_lines(seen["verdict"], r["code"], r["says"], r["article"], r["remedy"]) for r in seen["reasons"]),
        *(_counter_line(c["name"], c["used"], c["threshold"]) for c in seen["counters"]),
        *(
            f"  paper {p['kind']}: number {p['number']}, until {p['until'] or 'further notice'}, "
            f"filed {clock_text(p['filed'])} by {p['filed_by']}"
            for p in seen["papers"]
        ),
        *(
            f"  permit {p['id']}: granted {clock_text(p['granted'])}, {counted(p['used'], 'person')} used, "
            + (f"revoked {clock_text(p['revoked'])}" if p["revoked"] else "not revoked")
            for p in seen["permits"]
        ),
        *(
            f"  parcel {p['id']}: {p['state']}, {counted(p['persons'], 'person')}, permit {p['permit']}"
            + (f", left {clock_text(p['left'])}" if p["left"] else "")
            for p in seen["parcels"]
        ),
    ]


def _reason_lines(verdict: str, code: str, says: str, article: str, remedy: str) -> str:
    lines = f"  {verdict} ({code}): {says}\n    article: {article}"
    return f"{lines}\n    what would help: {remedy}" if remedy else lines


def _counter_line(name: str, used: int, threshold: int | None) -> str:
    return f"  {name}: {used} of {threshold or 'no limit'}"


def tell_verdict(verdict: Any) -> None:
    """A verdict for a person: each reason with its article and what would help, and the counters."""
    for reason in verdict.reasons:
        say(_reason_lines(verdict.verdict, reason.code, reason.says, reason.article, reason.remedy))
    for counter in verdict.counters:
        say(_counter_line(counter.name, counter.used, counter.threshold))


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
        touched = f"{counted(found.rows, 'row')} of {counted(len(found.persons), 'person')}"
        say(f"would touch {touched}; consent withholds {withheld or 0}")
        tell_verdict(verdict)
