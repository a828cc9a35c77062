"""onshore ledger: the log at the site, shown, proven, checked."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from onshore.cli.common import answers_for_errors, at_site, put, site_option
from onshore.words.errors import Broken

if TYPE_CHECKING:
    from onshore.site import Site


@click.group()
def ledger() -> None:
    """The log at the site: show, prove, fsck."""


@ledger.command()
@click.option("--from", "start", type=click.IntRange(min=0), default=0, show_default=True, help="First number.")
@at_site()
def show(here: "Site", start: int, as_json: bool) -> None:
    """The log's entries, one a line: number, instant, kind, and what they say."""
    from onshore.ledger.entry import read

    for number, raw in enumerate(here.ledger.entries(start), start):
        said = read(raw)
        if as_json:
            put({"index": number, "entry": said})
        else:
            at, kind = said.pop("at", "-"), said.pop("t", "-")
            rest = (f"{k}={_brief(v)}" for k, v in said.items() if k not in {"v", "site", "jurisdiction"})
            click.echo(f"{number}  {at}  {kind:8}  {'  '.join(rest)}".rstrip())


@ledger.command()
@click.argument("index", type=click.IntRange(min=0))
@site_option
@answers_for_errors
def prove(site: Path, index: int) -> None:
    """The .tlog-proof of entry INDEX, for `onshore verify`."""
    from onshore.site import open_site

    click.echo(open_site(site).ledger.prove(index), nl=False)


@ledger.command()
@at_site()
def fsck(here: "Site", as_json: bool) -> None:
    """Recompute every hash of the log from its files; name each file that is wrong, exit 3 if there is any."""
    from onshore.cli import deep

    wrong = list(deep.ledger(here))
    if wrong:
        if as_json:
            put({"verified": False, "wrong": [{"file": name, "says": says} for name, says in wrong]})
        raise Broken("; ".join(f"{name}: {says}" for name, says in wrong) + "; restore it from a backup")
    log = here.ledger
    told = []
    for finding in log.fsck():
        told.append(finding)
        if not as_json:
            click.echo(str(finding))
    if as_json:
        put({"verified": True, "size": log.size, "checked": [f.says for f in told if f.checked]})
    else:
        click.echo("verified")


def _brief(value: object) -> str:
    """A list by its length, a digest by its beginning: --json prints them whole."""
    if isinstance(value, list):
        return f"[{len(value)}]"
    text = str(value)
    return f"{text[:15]}…" if text.startswith("sha256:") else text
