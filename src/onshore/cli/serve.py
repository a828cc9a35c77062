"""`onshore serve`: run the roads of a site: the gate takes in, keep drains, writes the ledger and erases."""

import asyncio
import logging
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import click
from sqlalchemy.exc import DBAPIError

from onshore.border.transfer import resume
from onshore.cli.common import answers_for_errors, say, site_option
from onshore.gate.gb32960.server import Door, Limits
from onshore.gate.gb32960.server import serve as listen
from onshore.gate.intake import Intake
from onshore.rights.erase import carry_out
from onshore.site import Site, open_site
from onshore.vault.journal import Journal
from onshore.vault.journal import Limits as JournalLimits
from onshore.vault.journal_files import turn_of
from onshore.vault.lock import hold
from onshore.vault.papers import reading
from onshore.words.errors import Malformed, OnshoreError

ROADS = ("gate", "border", "keep")
_TICK = 0.1  # seconds between looks at what the journal or the keeper has to do
_AGAIN = 600  # ticks until an erasure that failed is tried again
_TROUBLE = (OnshoreError, OSError, DBAPIError)  # what may pass, or a person can mend, while the site runs

log = logging.getLogger(__name__)


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
        server = await _open(door, settings.host, settings.gb32960 if port is None else port)
        ticking = asyncio.create_task(_tick(door, intake))
        try:
            yield door, server.sockets[0].getsockname()[1]
        finally:
            ticking.cancel()
            await door.stop(server)


async def _open(door: Door, host: str, port: int) -> asyncio.Server:
    try:
        return await listen(door, host, port)
    except (OSError, OverflowError, ValueError) as failed:
        what = f"the door {door.name} cannot listen on {host}:{port}: {failed}; end what holds it, or choose another"
        raise Malformed(what, where="site.toml, [gate]") from failed


async def _tick(door: Door, intake: Intake) -> None:
    told = Told()
    while True:
        await asyncio.sleep(_TICK)
        try:
            door.flush()  # what arrived before somebody asked for a new file goes into the old one
            intake.tick()
            told.well("gate")
        except Exception as error:  # a gate that no longer looks would never close its file
            if told.is_new("gate", error):
                log.exception("a tick of the gate failed and is tried again: %s", type(error).__name__)


class Told:
    """What went wrong, told once for as long as it lasts."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def well(self, what: str) -> None:
        """It works again; the next trouble is new."""
        self._last.pop(what, None)

    def is_new(self, what: str, error: Exception) -> bool:
        """Whether this trouble was not told before."""
        text = _text(error)
        return self._last.get(what) != text and not self._last.update({what: text})


def _text(error: Exception) -> str:
    if isinstance(error, DBAPIError):
        return f"the papers do not answer: {error.orig}"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def keep(site: Site, stop: threading.Event) -> None:
    """Drain, erase and write the ledger until told to stop; holds the keep road meanwhile.

    What fails is told once and tried again: nothing of it may stop the rest, or end the process.
    """
    keeper = Keeper(site)
    with site.keeping():
        while not stop.wait(_TICK):
            keeper.look()


class Keeper:
    """One look after another at what there is to keep; holds on to what failed before."""

    def __init__(self, site: Site, tell: Callable[[str], None] = say) -> None:
        self._site, self._tell, self._told = site, tell, Told()
        self._later: set[str] = set()
        self._looks = 0

    def look(self) -> None:
        """Do what there is to do; the caller holds the keep road."""
        if self._looks % _AGAIN == 0:
            self._later.clear()
        self._looks += 1
        self._try("rules", lambda: self._site.rulebook)
        self._try("drain", self._drain)
        self._try("ledger", self._site.write_ledger)

    def _drain(self) -> None:
        with reading(self._site.engine) as conn:
            turn = turn_of(conn)  # before the look at cases: what arrives after the next one is asked waits for it
        self._try("erasures", self._erase)
        self._site.drain(before=turn + 1)

    def _erase(self) -> None:
        failed = carry_out(self._site, later=self._later)
        self._later |= set(failed)
        for case, error in failed.items():
            self._tell(f"keep: the erasure {case} waits, its rows restricted: {_text(error)}")

    def _try(self, what: str, act: Callable[[], object]) -> None:
        try:
            act()
        except _TROUBLE as error:
            if self._told.is_new(what, error):
                self._tell(f"keep ({what}): {_text(error)}; tried again until it works")
        else:
            self._told.well(what)


@click.command()
@click.option("--only", help=f"Only these roads, comma-separated: {', '.join(ROADS)}.")
@site_option
@answers_for_errors
def serve(only: str | None, site: Path) -> None:
    """Run the site: all roads in one process, or the named ones. Ends on Ctrl-C or SIGTERM, keeping what it heard."""
    import uvloop

    roads = _roads(only)
    here = open_site(site)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(here, roads))


def _roads(only: str | None) -> tuple[str, ...]:
    roads = ROADS if only is None else tuple(name.strip() for name in only.split(","))
    for road in roads:
        if road == "desk":
            raise Malformed("there is no console yet; act with the commands of 'onshore'", where="--only")
        if road not in ROADS:
            raise Malformed(f"there is no road '{road}'; there are {', '.join(ROADS)}", where="--only")
    return roads


async def _serve(site: Site, roads: tuple[str, ...]) -> None:
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, done.set)
    stop = threading.Event()
    keeper = asyncio.create_task(asyncio.to_thread(keep, site, stop)) if "keep" in roads else None
    try:
        async with AsyncExitStack() as stack:
            if "gate" in roads:
                _, port = await stack.enter_async_context(gate(site))
                say(f"gate gb32960 listens on {site.settings.gate.host}:{port}")
            waits = {asyncio.create_task(done.wait()), *([keeper] if keeper else [])}
            if "border" in roads:
                await asyncio.to_thread(_take_up_border, site)
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        if keeper:
            await keeper
    if keeper:
        _last_look(site)


def _take_up_border(site: Site) -> None:
    """What a crash left half-way is finished or unwound before anybody ships again; then the road is free."""
    try:
        with hold(site.folder / "locks" / "border", "border"):
            resume(site)
        say("border is in order")
    except _TROUBLE as error:
        say(f"border: {_text(error)}; 'onshore transfer ship' takes it up again")


def _last_look(site: Site) -> None:
    """What the gate closed on its way out is drained before the process ends."""
    try:
        with site.keeping():
            site.drain()
            site.write_ledger()
    except _TROUBLE as error:
        say(f"left for the next start: {_text(error)}")
