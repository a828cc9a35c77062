"""`onshore rules replay`: what another pack, such as a draft, would do to this site."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from onshore.cli.common import answers_for_errors, json_option, put, site_option
from onshore.cli.rules_shelf import Packs, packs_option

if TYPE_CHECKING:
    from onshore.cli.replayed import Row

_DAY_MS = 86_400_000
_HEADS = {
    "kept": "What was kept",
    "stored": "What lies here now",
    "export": "Requests to send something abroad",
    "clock": "What persons asked for",
}


@click.command()
@click.argument("pack")
@click.option("--days", type=click.IntRange(min=1), default=30, show_default=True, help="How many days back.")
@packs_option
@site_option
@json_option
@answers_for_errors
def replay(pack: str, days: int, packs: Packs, site: Path, as_json: bool) -> None:
    """Judge the site's own last days by PACK, a name, file or folder, signed or not, as if it had been in force.

    From evidence alone: the ledger's counts, consents, requests with the facts they were judged on, cases.
    """
    from dataclasses import asdict

    from onshore.cli.replayed import replayed
    from onshore.rules.standing import as_if_in_force
    from onshore.rules.switches import turned
    from onshore.site import open_site

    here = open_site(site)
    other = packs.named(pack).pack()
    rows = replayed(here, turned(as_if_in_force(other), here.lenient), here.clock() - days * _DAY_MS)
    if as_json:
        put({"pack": other.id, "instead_of": here.pack.id, "days": days, "rows": [asdict(row) for row in rows]})
    else:
        click.echo("\n".join(_table(rows, here.pack.id, other.id, days)))


def _table(rows: "list[Row]", own: str, other: str, days: int) -> list[str]:
    """The rows by part; a star marks where the other pack is harder."""
    lines = [f"{other} in place of {own}, over the last {days} days"]
    for part, head in _HEADS.items():
        mine = [row for row in rows if row.part == part]
        width = max([len(row.what) for row in mine], default=0)
        middle = max([len(row.here) for row in mine], default=0)
        lines += ["", f"{head}:" if mine else f"{head}: nothing"]
        for row in mine:
            lines.append(f"{'*' if row.changed else ' '} {row.what:{width}}  {row.here:{middle}}  ->  {row.there}")
            lines += [f"      {why}" for why in row.why]
    changed = sum(row.changed for row in rows)
    return [*lines, "", f"{changed} of {len(rows)} lines would be harder (*)"]
