"""`onshore transfer papers|paper|withdraw|dossier`: the papers of a request, and a draft of its dossier."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onshore.cli.common import at_site, clock_text, put, say
from onshore.cli.standing import tell
from onshore.rules.articles import EXPORT_ITEMS, PAPERS

if TYPE_CHECKING:
    from onshore.site import Site


@click.command(epilog=f"KIND is one of: {', '.join(PAPERS)}.")
@click.argument("transfer_id", metavar="ID")
@click.argument("kind", type=click.Choice(PAPERS), metavar="KIND")
@click.option("--number", required=True, help="The paper's own number.")
@click.option("--from", "start", help="Its first day.")
@click.option("--until", help="Its last day, inclusive.")
@click.option("--recipient", "recipients", multiple=True, help="Whom it names, if not the request's; may be repeated.")
@click.option("--category", "categories", multiple=True, help="Which data it names, if not the request's.")
@click.option("--purpose", "purposes", multiple=True, help="What for by its words, if not the request's.")
@click.option("--item", "items", multiple=True, type=click.Choice(EXPORT_ITEMS), help="What an export notice says.")
@click.option(
    "--file", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Its scan, sealed here."
)
@at_site("officer")
def paper(
    here: "Site",
    transfer_id: str,
    kind: str,
    number: str,
    start: str | None,
    until: str | None,
    recipients: tuple[str, ...],
    categories: tuple[str, ...],
    purposes: tuple[str, ...],
    items: tuple[str, ...],
    file: Path | None,
    actor: str,
    as_json: bool,
) -> None:
    """Put a paper of some KIND on a request's file and have the request judged again.

    A renewal is filed beside what it renews; the newest that has begun counts.
    """
    from onshore.border import requests
    from onshore.border.cases.filing import Scope

    standing = requests.file_paper(
        here,
        requests.find(here, transfer_id).transfer,
        kind,
        number=number,
        by=actor,
        start=start,
        until=until,
        scope=Scope(recipients, categories, purposes),
        items=items or None,
        file=file.read_bytes() if file else None,
    )
    here.settle()
    if kind == "export-notice" and not items:
        say(f"its items were not named: it counts as whole on the word of {actor}; --item names each")
    tell(here, standing, as_json=as_json)


@click.command()
@click.argument("transfer_id", metavar="ID")
@click.option("--scan", "number", type=int, metavar="PAPER", help="Write the scan of this paper; --out says where.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A file that is not there yet.")
@click.option("--as", "actor", metavar="NAME", help="Who opens a scan: an officer or regulator.")
@at_site()
def papers(
    here: "Site", transfer_id: str, number: int | None, out: Path | None, actor: str | None, as_json: bool
) -> None:
    """List the papers of a request: number, days, scope, whether each counts, and which run out."""
    from onshore.border import requests
    from onshore.border.cases import filing
    from onshore.border.views.spotcheck import SEERS, said
    from onshore.vault.papers import reading

    request = requests.find(here, transfer_id).transfer
    if number is not None:
        _write_scan(here, transfer_id, number, out, actor, SEERS)
        return
    with reading(here.engine) as conn:
        found = [said(one, request, here.today()) for one in filing.of_request(conn, transfer_id)]
    ends = {one.paper.id: one for one in filing.endings(here)}
    for one in found:
        ending = ends.get(one["paper"])
        if as_json:
            soon = {"runs_out": ending.state, "renewal_by": ending.renewal, "article": ending.article} if ending else {}
            put(one | soon)
        else:
            click.echo(_line(one) + (f"; runs out: {ending.state}{_renewal(ending)}" if ending else ""))
    if not found and not as_json:
        say("no paper is on this request's file")


@click.command()
@click.argument("transfer_id", metavar="ID")
@click.argument("number", type=int, metavar="PAPER")
@at_site("officer")
def withdraw(here: "Site", transfer_id: str, number: int, actor: str, as_json: bool) -> None:
    """Take PAPER, by its number of 'onshore transfer papers', off a request's file; it is judged again without it."""
    from onshore.border import requests

    standing = requests.withdraw_paper(here, requests.find(here, transfer_id).transfer, number, by=actor)
    here.settle()
    tell(here, standing, as_json=as_json)


@click.command()
@click.argument("transfer_id", metavar="ID")
@at_site()
def dossier(here: "Site", transfer_id: str, as_json: bool) -> None:
    """Draft the dossier of a request from what the site knows now; what a human must write is marked as such."""
    from onshore.border.views import dossier as drafts

    draft = drafts.draft(here, transfer_id)
    put(drafts.document(draft)) if as_json else click.echo(drafts.markdown(draft), nl=False)


def _write_scan(
    here: "Site", transfer_id: str, number: int, out: Path | None, actor: str | None, roles: tuple[Any, ...]
) -> None:
    from onshore.border.cases import filing
    from onshore.register.views import refuse_abroad
    from onshore.vault.disk import write_new
    from onshore.words.errors import Malformed

    if out is None or actor is None:
        raise Malformed("a scan is written with --out FILE --as NAME", where="onshore transfer papers")
    here.person(actor, *roles)
    refuse_abroad(here, actor, "paper-scan")  # a scan may name people
    write_new(out, memoryview(filing.scan(here, transfer_id, number)))
    say(f"written to {out}")


def _line(one: dict[str, Any]) -> str:
    scope = ", ".join(f"{k} {'/'.join(v)}" for k, v in one["scope"].items()) or "as the request"
    days = f"{one['from'] or 'its filing'} to {one['until'] or 'further notice'}"
    lacks = f", lacks {', '.join(one['missing_items'])}" if one["missing_items"] else ""
    scan = "scan kept" if one["scan_kept"] else "no scan"
    head = f"{one['paper']}  {one['state']:13}{one['kind']}  number {one['number']}  {days}  ({scope}; {scan})"
    return f"{head}{lacks}  filed {clock_text(one['filed'])} by {one['filed_by']}"


def _renewal(ending: Any) -> str:
    return f", its renewal is asked for by {ending.renewal} ({ending.article})" if ending.renewal else ""


COMMANDS = [paper, papers, withdraw, dossier]
"""The commands, for the group `transfer`."""
