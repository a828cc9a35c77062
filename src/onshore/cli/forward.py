"""`onshore forward`: what a person decides about rows that do not reach their platform."""

from typing import TYPE_CHECKING

import click

from onshore.cli.common import at_site, put, say

if TYPE_CHECKING:
    from onshore.site import Site


@click.group()
def forward() -> None:
    """What the law has sent on and no platform takes: again, drop. 'onshore check' shows it."""


@forward.command()
@click.argument("endpoint")
@click.option("--refused", "why", flag_value="refused", help="Only what the platform refused too often.")
@click.option("--lost", "why", flag_value="lost", help="Only what lies in files that are gone or do not open.")
@at_site("operator", "officer")
def drop(here: "Site", endpoint: str, why: str | None, as_json: bool) -> None:
    """Give up for good what waits for ENDPOINT, one that is no longer in [forward]; the ledger says so."""
    from onshore.cli.forwarding import drop as dropped

    rows = dropped(here, endpoint, why or "unlisted")
    here.settle()
    if as_json:
        put({"endpoint": endpoint, "rows": rows})
    else:
        say(f"{rows} rows are given up; their keys are destroyed, and the ledger says so")


@forward.command()
@click.argument("endpoint")
@at_site("operator", "officer")
def again(here: "Site", endpoint: str, as_json: bool) -> None:
    """Have what ENDPOINT refused too often tried again from now on."""
    from onshore.vault import unsent

    rows = unsent.once_more(here.engine, endpoint, here.clock())
    if as_json:
        put({"endpoint": endpoint, "rows": rows})
    else:
        say(f"{rows} rows are sent again" if rows else "nothing is set apart for a platform of this name")
