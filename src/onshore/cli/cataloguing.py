"""`onshore catalogue`: what exists here and what it would take to have it, for who may not see a row."""

from typing import TYPE_CHECKING

import click

from onshore.cli.common import at_site, put, say

if TYPE_CHECKING:
    from onshore.border.views.catalogue import Listed
    from onshore.site import Site


@click.command()
@click.option("--recipient", default="", help="For a transfer to this recipient; by default whom --as works for.")
@click.option("--category", "categories", multiple=True, help="Only this category; may be repeated.")
@at_site("engineer", "officer", "operator", "regulator")
def catalogue(here: "Site", recipient: str, categories: tuple[str, ...], actor: str, as_json: bool) -> None:
    """Show what exists: signals, units, since when, about how much, and which route and papers a transfer takes.

    Never a row, and no count of what comes from ten vehicles or fewer; counts are of the first of this month.
    """
    from onshore.border.views import catalogue as room

    to, name = room.destination(here, actor, recipient)
    found = [one for one in room.catalogue(here, to, name) if not categories or one.category in categories]
    if as_json:
        put(room.document(here, found, to, name))
        return
    for one in found:
        for line in _lines(one):
            click.echo(line)
    say(f"judged for {name or 'a recipient'} in {to}")
    say(f"counts are of {room.month(here)}, rounded down; those of few vehicles are not told")


def _lines(one: "Listed") -> list[str]:
    few = "of too few vehicles to say"
    amount = few if one.rows is None else f"about {one.rows} rows of {one.vehicles} vehicles, since {one.since}"
    law = "; some of it is kept by law as well, which leaves for nobody" if one.by_law else ""
    return [
        f"{one.category}: {amount}{law}",
        *(f"  {s['name']}  {s['unit']}".rstrip() for s in one.signals),
        *(
            f"  for {way.purpose} ({'few' if way.vehicles is None else f'about {way.vehicles}'} vehicles): "
            f"{way.verdict.verdict}, route {way.verdict.route or 'none'}"
            + (f", papers: {', '.join(way.verdict.missing)}" if way.verdict.missing else "")
            for way in one.ways
        ),
    ]
