"""onshore ledger: the log at the site, shown, proven, checked."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from onshore.cli.common import answers_for_errors, at_site, instant, put, site_option
from onshore.words.errors import Broken, Malformed, Refusal

if TYPE_CHECKING:
    from onshore.site import Site


_SECONDS = 60.0
"""How long an auditor waits for one file."""


@click.group()
def ledger() -> None:
    """The log at the site: show, prove, fsck, rejudge; and fetch, for whoever audits it."""


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


@ledger.command()
@click.argument("url")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--key", required=True, metavar="VKEY", help="The log's verifier key, or a file that holds it.")
@click.option("--policy", type=click.Path(path_type=Path), help="A file that says which witnesses are enough.")
@click.option("--most", type=click.IntRange(min=1), default=50_000_000, show_default=True, help="Entries a year.")
@answers_for_errors
def fetch(url: str, folder: Path, key: str, policy: Path | None, most: int) -> None:
    """Bring the mirror DIR up to the logs that a site serves at URL; for auditors, no site is needed.

    Only what is new is fetched. It counts once all of DIR holds, and goes on from what lay there: `verified`. If not,
    DIR stays as it was, exit 3. Later: `onshore verify DIR --key VKEY`.
    """
    from onshore.ledger import __main__ as verifier
    from onshore.ledger.mirror.client import Line
    from onshore.ledger.mirror.fetch import fetch as fetched
    from onshore.ledger.note import Unreadable, Wrong

    try:
        trust = verifier.trust(key, policy, None)
    except (Unreadable, OSError) as error:
        raise Malformed(str(error)) from None
    with Line(url, _SECONDS) as line:
        sys.audit("onshore.listed", Line.__module__, line.place)
        try:
            for finding in fetched(line.get, folder, trust, most):
                click.echo(str(finding))
        except Wrong as wrong:
            raise Broken(f"what is served at {url} is wrong: {wrong}; the mirror stays as it was. Keep both") from None
        except ConnectionError as error:
            raise Refusal("not-reached", f"{url}: {error}", remedy="ask again; what was fetched stays") from None
    click.echo("verified")


@ledger.command()
@click.option("--since", help="From this date or time on; without it, all.")
@at_site()
def rejudge(here: "Site", since: str | None, as_json: bool) -> None:
    """Judge again whatever the law decided, on the facts and by the packs that its entry names.

    Exit 3 where a verdict or a reason differs, or the facts are others, or taken away.
    """
    from dataclasses import asdict

    from onshore.register.rejudging import rejudged

    here.settle()
    counts = {True: 0, False: 0, None: 0}
    for one in rejudged(here, instant(since, here.law.zone) or 0):
        counts[one.same] += 1
        if as_json:
            put(asdict(one))
        elif not one.same:
            word = "not judged again" if one.same is None else "differs"
            click.echo(f"{one.number}  {one.kind}  {one.said}: {word}: {one.why}")
    if not as_json:
        click.echo(f"{counts[True]} the same, {counts[False]} different, {counts[None]} not judged again")
    if counts[False]:
        raise Broken(f"{counts[False]} entries say what their facts and packs do not; see which, and who wrote them")


def _brief(value: object) -> str:
    """A list by its length, a digest by its beginning: --json prints them whole."""
    if isinstance(value, list):
        return f"[{len(value)}]"
    text = str(value)
    return f"{text[:15]}…" if text.startswith("sha256:") else text
