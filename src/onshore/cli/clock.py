"""`onshore clock`: whether the site's clock is believed, and what two officers say where it once ran ahead."""

from typing import TYPE_CHECKING

import click

from onshore.cli.common import at_site, clock_text, put, say
from onshore.words.errors import Refusal

if TYPE_CHECKING:
    from onshore.site import Site


@click.group()
def clock() -> None:
    """Whether the clock is believed: what leaves, and when a permit is over, is told by it."""


@clock.command()
@at_site()
def show(here: "Site", as_json: bool) -> None:
    """Say what the clock says, the newest instant known here, and whether the one is believed beside the other."""
    from onshore.border.permits import clocks, lifting
    from onshore.vault.papers import reading

    with reading(here.engine) as conn:
        now, known = here.clock(), clocks.newest(here, conn)
        try:
            clocks.believed(here, conn)
            why = ""
        except Refusal as refusal:
            why = refusal.says
    said = lifting.pending(here)
    if as_json:
        put({"clock": now, "known": known, "believed": not why, "doubted_until": said.until if said else None})
        return
    click.echo(f"clock: {clock_text(now)}\nnewest instant known: {clock_text(known)}\n{why or 'the clock is believed'}")
    if said:
        click.echo(f"one officer said that it ran ahead (paper {said.number}); another one may lift it")


@clock.command()
@click.option("--number", required=True, help="The number of the paper that says why, such as an incident's.")
@at_site("officer")
def doubt(here: "Site", number: str, actor: str, as_json: bool) -> None:
    """Say that the clock ran ahead once, so that what it left behind here is no instant of this world."""
    from onshore.border.permits import lifting

    said = lifting.doubt(here, actor, number)
    if as_json:
        put({"doubted_until": said.until})
    else:
        say(f"said, up to {clock_text(said.until)}; it counts once another officer says so: 'onshore clock lift'")


@clock.command()
@at_site("officer")
def lift(here: "Site", actor: str, as_json: bool) -> None:
    """Say so as the second officer: permits and meter go by the clock again. Witnesses, where there are, must agree."""
    from onshore.border.permits import lifting

    said = lifting.lift(here, actor)
    if as_json:
        put({"lifted_until": said.until})
    else:
        say("lifted: permits and meter go by the clock again; the ledger says who else could have known")
