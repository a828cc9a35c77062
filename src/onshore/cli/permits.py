"""`onshore permit`: the regulator's papers."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onshore.cli.common import at_site, clock_text, put, say
from onshore.cli.transfer import counted
from onshore.words.errors import Malformed, Refusal

if TYPE_CHECKING:
    from onshore.site import Site


@click.group()
def permit() -> None:
    """The regulator's papers: grant, revoke, show."""


@permit.command()
@click.argument("transfer_id", metavar="TRANSFER", required=False)
@click.option("--persons", type=click.IntRange(min=1), help="How many distinct persons at most.")
@click.option("--from", "start", type=click.DateTime(["%Y-%m-%d"]), help="First day.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Last day, inclusive.")
@click.option(
    "--key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The regulator's signing key; by default the site's.",
)
@click.option(
    "--note",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A permit that was signed elsewhere.",
)
@at_site("regulator")
def grant(
    here: "Site",
    transfer_id: str | None,
    persons: int | None,
    start: datetime | None,
    until: datetime | None,
    key: Path | None,
    note: Path | None,
    actor: str,
    as_json: bool,
) -> None:
    """Grant a permit for TRANSFER with limits, or take in one signed elsewhere (--note)."""
    from onshore.border import grants

    if note:
        granted = grants.put_on_file(here, _text_of(note))
    else:
        if not (transfer_id and persons and start and until):
            raise click.UsageError("give TRANSFER with --persons, --from and --until, or --note FILE")
        granted = _drafted(here, transfer_id, persons, start.date(), until.date(), actor, key)
    if as_json:
        put({"permit": granted.id, "persons": granted.persons, "until": granted.until.isoformat()})
    else:
        limit = f"at most {counted(granted.persons, 'person')}"
        say(f"granted: {limit}, {granted.start} to {granted.until}, route {granted.route}")
        click.echo(granted.id)


@permit.command()
@click.argument("permit_id", metavar="PERMIT")
@at_site("regulator")
def revoke(here: "Site", permit_id: str, as_json: bool) -> None:
    """Revoke a permit, from this instant."""
    from onshore.border import grants

    gone = grants.revoke(here, permit_id)
    if as_json:
        put({"revoked": permit_id, "on_their_way": gone})
        return
    say("revoked: nothing more leaves under it")
    for parcel in gone:
        say(f"  parcel {parcel} was on its way into the outbox already")


@permit.command()
@click.argument("permit_id", metavar="PERMIT", required=False)
@at_site()
def show(here: "Site", permit_id: str | None, as_json: bool) -> None:
    """Show a permit as it was signed, with what was used of it; all of them without an id."""
    from onshore.border import grants

    for one in [permit_id] if permit_id else grants.listed(here):
        shown = grants.show(here, one)
        granted = shown.permit
        if as_json:
            put({"permit": one, "note": shown.note, "used": shown.used, "revoked": shown.revoked})
            continue
        state = f"revoked {clock_text(shown.revoked)}" if shown.revoked else f"{granted.start} to {granted.until}"
        limit = counted(granted.persons, "person")
        click.echo(f"{one}  {state}  {shown.used} of {limit}  {granted.purpose} -> {granted.recipient}")
        if permit_id:
            click.echo(f"\n{shown.note}", nl=False)


def _text_of(note: Path) -> str:
    try:
        return note.read_bytes().decode()
    except UnicodeDecodeError:
        raise Malformed("it holds no text, so it is no permit", where=str(note)) from None


def _signer(here: Any, actor: str, path: Path) -> Any:
    """The regulator's key in a file; Malformed where it is none, refused where site.toml knows another."""
    from onshore.ledger.signer import Signer

    try:
        signer = Signer(f"{here.settings.site.name}/{actor}", path.read_bytes())
    except FileNotFoundError:
        raise Malformed("there is no such file; give the regulator's signing key with --key", where=str(path)) from None
    except ValueError:
        raise Malformed("no signing key; one is 32 bytes and nothing else", where=str(path)) from None
    if signer.vkey != here.person(actor, "regulator").vkey:
        raise Refusal(
            "wrong-key",
            f"the key in {path} is not the one whose verifier key site.toml has for '{actor}'",
            remedy=f"sign with {actor}'s own key",
        )
    return signer


def _drafted(here: Any, transfer_id: str, persons: int, start: date, until: date, actor: str, key: Path | None) -> Any:
    from onshore.border import grants, requests

    request = requests.find(here, transfer_id)
    if request.state == "refused":
        first = request.verdict.reasons[0]
        raise Refusal(first.code, first.says, article=first.article, remedy=first.remedy)
    from onshore.cli.init import regulator_key

    path = key or regulator_key(here.folder)
    signer = _signer(here, actor, path)
    draft = grants.draft(
        here,
        request.transfer,
        persons=persons,
        start=start,
        until=until,
        by=actor,
        route=request.verdict.route or "none",
    )
    return grants.grant(here, draft, signer)
