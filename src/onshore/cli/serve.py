"""`onshore serve`: run the roads of a site: the gate takes in, keep drains, writes the ledger and erases."""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click

from onshore.cli.common import answers_for_errors, say, site_option
from onshore.gate.gb32960.server import Door, Limits
from onshore.gate.gb32960.server import serve as listen
from onshore.gate.intake import Intake
from onshore.rights.erase import carry_out
from onshore.site import Site, open_site
from onshore.vault.journal import Journal
from onshore.vault.journal import Limits as JournalLimits
from onshore.vault.lock import hold
from onshore.words.errors import Malformed, OnshoreError

ROADS = ("gate", "keep")
_TICK = 0.1  # seconds between looks at what the journal or the keeper has to do


@asynccontextmanager
async def gate(site: Site, *, port: int | None = None) -> AsyncIterator[tuple[Door, int]]:
    """The gate with its doors open: (the GB/T 32960 door, its port). Closing it keeps and answers what waits."""
    settings = site.settings.gate
    with Journal(
        site.engine,
        site.root,
        site.vault,
        site=site.id,
        gate="0",
        clock=site.clock,
        randomness=site.randomness,
        limits=JournalLimits(age=settings.rotate_seconds * 1000),
    ) as journal:
        intake = Intake(site, journal)
        limits = Limits(batch_frames=settings.batch_frames, batch_ms=settings.batch_ms)
        door = Door(intake.look_up, intake.take_in, site.clock, limits)
        server = await listen(door, settings.host, settings.gb32960 if port is None else port)
        ticking = asyncio.create_task(_tick(door, intake))
        try:
            yield door, server.sockets[0].getsockname()[1]
        finally:
            ticking.cancel()
            await door.stop(server)


async def _tick(door: Door, intake: Intake) -> None:
    while True:
        await asyncio.sleep(_TICK)
        door.flush()  # what arrived before somebody asked for a new file goes into the old one
        intake.tick()


def keep(site: Site, stop: threading.Event) -> None:
    """Drain, erase and write the ledger until told to stop; holds the keep road meanwhile."""
    with hold(site.folder / "locks" / "keep", "keep"):
        while not stop.wait(_TICK):
            carry_out(site)
            site.drain()
            site.write_ledger()


@click.command()
@click.option("--only", help=f"Only these roads, comma-separated: {', '.join(ROADS)}.")
@site_option
@answers_for_errors
def serve(only: str | None, site: Path) -> None:
    """Run the site: all roads in one process, or the named ones. Ends on Ctrl-C or SIGTERM, keeping what it heard."""
    import uvloop

    roads = tuple((only or ",".join(ROADS)).split(","))
    unknown = [r for r in roads if r not in ROADS]
    if unknown:
        raise Malformed(f"there is no road '{unknown[0]}'; there are {', '.join(ROADS)}", where="--only")
    here = open_site(site)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(here, roads))


async def _serve(site: Site, roads: tuple[str, ...]) -> None:
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, done.set)
    stop = threading.Event()
    keeper = asyncio.create_task(asyncio.to_thread(keep, site, stop)) if "keep" in roads else None
    waits = {asyncio.create_task(done.wait()), *([keeper] if keeper else [])}
    if "gate" in roads:
        async with gate(site) as (_, port):
            say(f"gate gb32960 listens on {site.settings.gate.host}:{port}")
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    else:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    if keeper:
        await keeper
        _last_look(site)


def _last_look(site: Site) -> None:
    """What the gate closed on its way out is drained before the process ends."""
    try:
        with hold(site.folder / "locks" / "keep", "keep"):
            site.drain()
            site.write_ledger()
    except OnshoreError as error:
        say(f"left for the next start: {error}")
