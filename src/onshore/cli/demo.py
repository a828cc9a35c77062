"""`onshore demo`: a whole site with simulated cars; plays the story, one line per step."""

import asyncio
import time
from pathlib import Path

import click

from onshore.cli.common import answers_for_errors, say, site_option


@click.command()
@click.option("--once", is_flag=True, help="End after the story; exit 0 only if every step came out as told.")
@click.option("--cars", type=click.IntRange(min=4), default=6, show_default=True)
@click.option(
    "--drive",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Let the first car replay this recorded drive (CSV).",
)
@site_option
@answers_for_errors
def demo(once: bool, cars: int, drive: Path | None, site: Path) -> None:
    """Make a site, let cars drive, and play the story of one export and one erasure."""
    import uvloop

    from onshore.cli.story import Story

    began = time.perf_counter()
    story = Story(site, cars, drive, click.echo)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(story.play())
    click.echo(f"{story.steps} steps came out as told")
    say(f"told in {time.perf_counter() - began:.1f} s")
    if not once:
        say("\nLook around with:")
        say(f"  onshore check --site {site}")
        say(f"  onshore ledger show --site {site}")
        say(f"  onshore transfer list --site {site}")
        say(f"  onshore verify {story.parcel} --key {site / 'ledger' / 'vkey'} --identity {story.identity}")
        say("or in a browser, as docs/desk.md says: 'onshore account add', 'onshore serve --only desk'")
