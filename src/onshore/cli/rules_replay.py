"""`onshore rules replay`: what another pack, such as a draft, would do to this site."""

import shutil
import textwrap
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import click

from onshore.cli.common import answers_for_errors, json_option, put, site_option
from onshore.cli.rules_shelf import Packs, packs_option

if TYPE_CHECKING:
    from onshore.cli.replayed_row import Row
    from onshore.rules.pack import Pack

_DAY_MS = 86_400_000
_HEADS = {
    "kept": "What was kept in these days",
    "stored": "What lies here now",
    "export": "Requests to send something abroad",
    "clock": "Clocks",
    "reading": "What counsel decides",
    "later": "Rules that begin only later",
}
_NARROW, _WIDE = 72, 120
"""Columns within which the table stays, whatever the terminal says."""


@click.command()
@click.argument("pack")
@click.option("--days", type=click.IntRange(min=1), default=30, show_default=True, help="How many days back.")
@packs_option
@site_option
@json_option
@answers_for_errors
def replay(pack: str, days: int, packs: Packs, site: Path, as_json: bool) -> None:
    """Judge the site's own last days by PACK, a name, file or folder, signed or not, as if it had been in force.

    From evidence alone: the ledger's counts, consents, files, requests with the facts they were judged on, papers,
    parcels and cases. Where the site keeps no evidence, the table says so.
    """
    from dataclasses import asdict

    from onshore.cli.replayed import replayed
    from onshore.site import open_site

    here = open_site(site)
    other = packs.named(pack).pack()
    rows = replayed(here, other, here.clock() - days * _DAY_MS)
    if as_json:
        put({"pack": other.id, "instead_of": here.pack.id, "days": days, "rows": [asdict(row) for row in rows]})
    else:
        width = min(max(shutil.get_terminal_size().columns, _NARROW), _WIDE)
        click.echo("\n".join([*_top(here.pack, other, days, width), *_table(rows, here.pack.id, other.id, width)]))


def _top(own: "Pack", other: "Pack", days: int, width: int) -> Iterator[str]:
    """Which pack, of what standing, and how it is taken here."""
    from onshore.rules import wording as w
    from onshore.rules.standing import reviewed, validity

    yield from textwrap.wrap(f"{other.id} in place of {own.id}, over the last {w.counted(days, 'day')}", width)
    told = f"{other.id}: {validity(other)}; {reviewed(other)}. It is judged here as if it had been in force."
    if other.jurisdiction != own.jurisdiction:
        where = w.jurisdiction(other.jurisdiction)
        told += f" It is the law of {where}: the site is judged as if it stood there."
    yield from textwrap.wrap(told, width)


def _table(rows: "list[Row]", own: str, other: str, width: int) -> Iterator[str]:
    """The rows by part, in three columns that wrap; marks in front, reasons below each."""
    for part, head in _HEADS.items():
        mine = [row for row in rows if row.part == part]
        yield ""
        if not mine:
            yield f"{head}: nothing"
            continue
        yield from _cells("", head, f"by {own}", f"by {other}", width)
        yield "-" * width
        for row in mine:
            yield from _cells("" if row.evidence else "?", row.what, row.here, row.there, width, changed=row.changed)
            for why in row.why:
                yield from textwrap.wrap(why, width, initial_indent=" " * 6, subsequent_indent=" " * 8)
    yield ""
    yield from textwrap.wrap(_sum(rows), width)


def _cells(mark: str, what: str, here: str, there: str, width: int, *, changed: bool = False) -> Iterator[str]:
    third = (width - 6) * 3 // 10
    first = width - 6 - 2 * third
    columns = (textwrap.wrap(what, first), textwrap.wrap(here, third), textwrap.wrap(there, third))
    for number, (a, b, c) in enumerate(zip_longest(*columns, fillvalue="")):
        sign = ("*" if changed else mark) if number == 0 else ""
        yield f"{sign:2}{a:{first}}  {b:{third}}  {c}".rstrip()


def _sum(rows: "list[Row]") -> str:
    harder, unknown = sum(row.changed for row in rows), sum(not row.evidence for row in rows)
    told = f"{harder} of {len(rows)} lines would be harder (*)."
    return f"{told} On {unknown} it cannot be said, as no evidence is kept (?)." if unknown else told
