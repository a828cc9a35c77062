"""`onshore meter`: who was counted, how far each count is from its threshold, and what sister companies declared."""

from typing import TYPE_CHECKING, Any

import click

from onshore.cli.common import at_site, put, say

if TYPE_CHECKING:
    from onshore.site import Site


@click.group()
def meter() -> None:
    """Counts of persons and vehicles that left, with the law's thresholds; what sister companies declare."""


@meter.command()
@click.option("--year", type=click.IntRange(1900, 9000), help="The calendar year; by default this one.")
@at_site()
def show(here: "Site", year: int | None, as_json: bool) -> None:
    """Show each count with the thresholds of the pack in force and their articles."""
    from onshore.border.metering import counters

    seen = counters.standing(here, year)
    if as_json:
        put(seen)
        return
    for line in _lines(seen):
        click.echo(line)


@meter.command()
@click.option("--by", "sister", required=True, help="The sister company's name.")
@click.option("--year", type=int, required=True, help="Of which calendar year.")
@click.option("--sensitive", type=click.IntRange(min=0), required=True, help="Persons with sensitive information.")
@click.option("--ordinary", type=click.IntRange(min=0), required=True, help="Persons with other information.")
@click.option("--paper", required=True, metavar="NUMBER", help="The number of the paper that declares it.")
@click.option("--recipient", default="", help="To whom, a name of site.toml; without it counts against any.")
@click.option("--purpose", default="", help="What for; without it counts against any.")
@at_site("officer")
def declare(
    here: "Site",
    sister: str,
    year: int,
    sensitive: int,
    ordinary: int,
    paper: str,
    recipient: str,
    purpose: str,
    actor: str,
    as_json: bool,
) -> None:
    """Set down what a sister company sent abroad; it counts when the law asks whether an export was split."""
    from onshore.border.metering import sisters

    sisters.declare(here, sisters.Declared(sister, year, sensitive, ordinary, paper, recipient, purpose), actor)
    if as_json:
        put({"declared": sister, "year": year, "sensitive": sensitive, "ordinary": ordinary})
    else:
        say(f"declared: it counts beside what leaves here in {year}; requests are judged with it from now on")


def _lines(seen: dict[str, Any]) -> list[str]:
    return [
        f"{seen['year']}, persons counted since 1 January in {seen['zone']}:",
        *(f"  {_of(c)}" for c in seen["counts"]),
        *(["in the last twelve months, to each recipient:"] if seen["windows"] else []),
        *(f"  {_of(c)}" for c in seen["windows"]),
        *(["under permits:"] if seen["permits"] else []),
        *(
            f"  {p['id']}: {p['persons']} of {p['persons_limit']} persons, {p['rows']} of "
            f"{p['rows_limit'] or 'no limit of'} rows"
            for p in seen["permits"]
        ),
        *(["declared by sister companies:"] if seen["declared"] else []),
        *(
            f"  {d['by']}: {d['sensitive']} sensitive, {d['ordinary']} ordinary; to {d['recipient'] or 'any'} for "
            f"{d['purpose'] or 'any purpose'}; paper {d['paper']}"
            for d in seen["declared"]
        ),
    ]


def _of(count: dict[str, Any]) -> str:
    steps = "; ".join(f"{s['from']}: {s['route']} ({s['article']})" for s in count["thresholds"])
    return f"{count['name']}: {count['used']}" + (f"; from {steps}" if steps else "")
