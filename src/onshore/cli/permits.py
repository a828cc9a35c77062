"""`onshore permit`: the regulator's papers."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from onshore.cli.common import answers_for_errors, as_option, clock_text, json_option, put, say, site_option


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
    type=click.Path(path_type=Path, exists=True),
    help="The regulator's signing key; by default the site's.",
)
@click.option("--note", type=click.Path(path_type=Path, exists=True), help="A permit that was signed elsewhere.")
@as_option
@site_option
@json_option
@answers_for_errors
def grant(
    transfer_id: str | None,
    persons: int | None,
    start: datetime | None,
    until: datetime | None,
    key: Path | None,
    note: Path | None,
    actor: str,
    site: Path,
    as_json: bool,
) -> None:
    """Grant a permit for TRANSFER with limits, or take in one signed elsewhere (--note)."""
    from onshore.border import grants
    from onshore.site import open_site

    here = open_site(site)
    here.person(actor, "regulator")
    if note:
        granted = grants.put_on_file(here, note.read_text())
    else:
        if not (transfer_id and persons and start and until):
            raise click.UsageError("give TRANSFER with --persons, --from and --until, or --note FILE")
        granted = _drafted(here, transfer_id, persons, start.date(), until.date(), actor, key)
    if as_json:
        put({"permit": granted.id, "persons": granted.persons, "until": granted.until.isoformat()})
    else:
        say(f"granted: at most {granted.persons} persons, {granted.start} to {granted.until}, route {granted.route}")
        click.echo(granted.id)


@permit.command()
@click.argument("permit_id", metavar="PERMIT")
@as_option
@site_option
@json_option
@answers_for_errors
def revoke(permit_id: str, actor: str, site: Path, as_json: bool) -> None:
    """Revoke a permit, from this instant."""
    from onshore.border import grants
    from onshore.site import open_site

    here = open_site(site)
    here.person(actor, "regulator")
    grants.revoke(here, permit_id)
    put({"revoked": permit_id}) if as_json else say("revoked: nothing more leaves under it")


@permit.command()
@click.argument("permit_id", metavar="PERMIT", required=False)
@site_option
@json_option
@answers_for_errors
def show(permit_id: str | None, site: Path, as_json: bool) -> None:
    """Show a permit as it was signed, with what was used of it; all of them without an id."""
    from onshore.border import grants
    from onshore.site import open_site

    here = open_site(site)
    for one in [permit_id] if permit_id else grants.listed(here):
        shown = grants.show(here, one)
        granted = shown.permit
        if as_json:
            put({"permit": one, "note": shown.note, "used": shown.used, "revoked": shown.revoked})
            continue
        state = f"revoked {clock_text(shown.revoked)}" if shown.revoked else f"{granted.start} to {granted.until}"
        click.echo(
            f"{one}  {state}  {shown.used} of {granted.persons} persons  {granted.purpose} -> {granted.recipient}"
        )


def _drafted(here: Any, transfer_id: str, persons: int, start: date, until: date, actor: str, key: Path | None) -> Any:
    from onshore.border import grants, requests
    from onshore.ledger.signer import Signer
    from onshore.words.errors import Refusal

    request = requests.find(here, transfer_id)
    if request.state == "refused":
        first = request.verdict.reasons[0]
        raise Refusal(first.code, first.says, article=first.article, remedy=first.remedy)
    path = key or here.folder / "keys" / "regulator.key"
    signer = Signer(f"{here.settings.site.name}/{actor}", path.read_bytes())
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
