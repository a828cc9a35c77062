"""`onshore retention`: what lies here, until when it must and may, what goes next and by which article; have it go."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onshore.cli.common import answers_for_errors, at_site, clock_text, instant, iso, json_option, put, say, site_option

if TYPE_CHECKING:
    from onshore.rights.retained import Retained
    from onshore.rights.retention import Stay
    from onshore.rules.keeping import Term
    from onshore.site import Site
    from onshore.vault.retire import Retired


@click.group(invoke_without_command=True)
@click.option("--at", metavar="DATE", help="As it would be at this local day or time, were nothing done until then.")
@site_option
@json_option
@answers_for_errors
def retention(at: str | None, site: Path, as_json: bool) -> None:
    """How long what is kept may lie; changes nothing. 'run' has go what is over, as whoever keeps the site does."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    from onshore.rights.retained import retained
    from onshore.rights.retention import Limits, stays
    from onshore.site import open_site

    here = open_site(site)
    now = instant(at, here.law.zone)
    now = here.clock() if now is None else now
    limits, found, papers = Limits(here, now), stays(here, now), list(retained(here, now))
    if as_json:
        told = {"at": iso(now), "pack": limits.pack.id, "packdigest": f"sha256:{limits.digest}"}
        put(told | {"segments": [_told(one) for one in found], "papers": [_told_papers(one) for one in papers]})
        return
    click.echo(f"by {limits.pack.id} at {clock_text(now)}; nothing was touched")
    for one in found:
        for line in _lines(one):
            click.echo(line)
    for record in papers:
        click.echo(f"{record.papers}: {record.count} ({record.record}), the earliest of {clock_text(record.first)}")
        click.echo(f"  {_stays(record.must, record.may)}")


@retention.command()
@at_site("officer", "operator")
def run(here: "Site", as_json: bool) -> None:
    """Have what may lie no longer go now, all of it; each turn is an entry of the ledger."""
    from onshore.rights.retiring import looked, turn

    done: list[Retired] = []
    with here.keeping():
        while some := turn(here):
            done += some
        looked(here)
        here.write_ledger()
    told = [
        {
            "category": one.kind[0],
            "ground": one.kind[1],
            "exception": one.kind[2],
            "rows": one.rows,
            "files": len(one.old),
            "rewritten": len(one.new),
        }
        for one in done
    ]
    if as_json:
        put(told)
    for one in told if not as_json else ():
        click.echo(f"{one['category']}, {one['ground']}: {one['rows']} rows of {one['files']} files went")
    if not told:
        say("nothing is over")


def _lines(one: "Stay") -> list[str]:
    category, ground, exception = one.kind
    tagged = f" ({exception})" if exception else ""
    hidden = f"; {one.restricted} restrictions stand on it" if one.restricted else ""
    size = f"{one.rows} rows in {one.files} files, {one.size} bytes"
    said = [f"{category}, {ground}{tagged}: {size}, the earliest of {clock_text(one.first)}{hidden}"]
    said.append(f"  {_stays(one.must, one.may)}")
    if one.due_files:
        split = one.due_files - one.due_whole
        said.append(f"  over: {one.due_rows} rows go, {one.due_whole} files as a whole, {split} rewritten")
    return said


def _stays(must: "Term | None", may: "Term | None") -> str:
    floor = f"must lie until {clock_text(must.until)} ({must.article}); " if must else ""
    return floor + (f"may lie until {clock_text(may.until)}: {may.article}" if may else "no law here says until when")


def _told(one: "Stay") -> dict[str, Any]:
    category, ground, exception = one.kind
    return {
        "category": category,
        "ground": ground,
        "exception": exception or None,
        "rows": one.rows,
        "files": one.files,
        "bytes": one.size,
        "earliest": iso(one.first),
        "must": _term(one.must),
        "may": _term(one.may),
        "due": {"rows": one.due_rows, "files": one.due_files, "whole": one.due_whole, "bytes": one.due_bytes},
        "restrictions": one.restricted,
    }


def _told_papers(one: "Retained") -> dict[str, Any]:
    said = {"papers": one.papers, "record": one.record, "count": one.count, "earliest": iso(one.first)}
    return said | {"must": _term(one.must), "may": _term(one.may)}


def _term(term: "Term | None") -> dict[str, Any] | None:
    return None if term is None else {"until": iso(term.until), "article": term.article, "says": term.says}
