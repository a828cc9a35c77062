"""`onshore serve`: run the roads of a site: the gate takes in, keep drains, writes the ledger and erases."""

import asyncio
import gc
import signal
import threading
from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

import click
from sqlalchemy.exc import DBAPIError

from onshore.border.blocking import suspend
from onshore.border.life import expire
from onshore.border.permits import clocks
from onshore.border.underway import resume
from onshore.border.views import viewing
from onshore.cli import logs
from onshore.cli.common import answers_for_errors, missing_desk, say, site_option
from onshore.cli.compacting import turn as compact_turn
from onshore.cli.deep import no_longer_aside, note_seal
from onshore.cli.doors import doors
from onshore.cli.egress import record
from onshore.cli.forwarding import forward, listed
from onshore.cli.key_rounds import round_of
from onshore.cli.told import Told, text
from onshore.cli.watching import watching
from onshore.cli.witnessing import ask as ask_witnesses
from onshore.desk.watch.answers import Counting
from onshore.ledger.serve import published
from onshore.rights.retiring import by_itself as retire_turn
from onshore.rights.sale import carry_on
from onshore.site import Site, open_site
from onshore.vault.freed import settle
from onshore.vault.journal_files import turn_of
from onshore.vault.lock import hold
from onshore.vault.papers import reading, writing
from onshore.vault.recall import end_keys
from onshore.words.errors import Malformed, OnshoreError

ROADS = ("gate", "border", "keep", "desk")
_TICK = 0.1  # seconds between looks at what there is to keep
_AGAIN = 600  # ticks until an erasure that failed is tried again
_KEYS, _BATCHES = 20, 20  # ticks between looks at the keys, and commits of them that a look may take
_REST = 100  # ticks between looks for small segments, where there were none
_OVER = 36_000  # ticks between looks for what may be kept no longer: an hour
_BLOCKED = 600  # ticks between looks for requests of recipients that are blocked: a minute
_FREED = 50  # ticks between tries to empty pages of the papers, where somebody was in the way
_SEALS = 6000  # ticks between seals of what nothing else vouches for: ten minutes
_TROUBLE = (OnshoreError, OSError, DBAPIError)  # what may pass, or a person can mend, while the site runs


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
        self._looks = self._rest = self._over = 0

    def look(self) -> None:
        """Do what there is to do; the caller holds the keep road."""
        if self._looks % _AGAIN == 0:
            self._later.clear()
        self._looks += 1
        self._try("rules", lambda: self._site.rulebook)
        self._try("drain", self._drain)
        if self._looks % _KEYS == 1:
            self._try("keys", lambda: round_of(self._site, batches=_BATCHES))
        if self._looks >= self._rest:
            self._try("compaction", self._compact)
        if self._looks >= self._over:
            self._try("retention", self._retire)
        if self._looks % _BLOCKED == 1:
            self._try("blocked", lambda: suspend(self._site))
        self._try("attempts", lambda: record(self._site))
        self._try("ledger", self._site.write_ledger)
        if self._looks % _FREED == 0:
            self._try("freed pages", lambda: settle(self._site.engine))
        if self._looks % _SEALS == 0:
            self._try("permits", lambda: expire(self._site))
            self._try("clock", self._note_clock)
            self._try("seal", lambda: note_seal(self._site))
            self._try("aside", lambda: no_longer_aside(self._site))
            self._try("recall", lambda: end_keys(self._site.engine, self._site.folder, self._site.clock()))

    def _note_clock(self) -> None:
        """Note what the ledger knows of the time, so that whoever asks whether the clock is believed reads little."""
        with writing(self._site.engine) as conn:
            clocks.note(self._site, conn)

    def _drain(self) -> None:
        with reading(self._site.engine) as conn:
            turn = turn_of(conn)  # before the look at cases: what arrives after the next one is asked waits for it
        self._try("erasures", self._erase)
        for one in (one for drained in self._site.drain(before=turn + 1) for one in drained.mishaps if one.lost):
            self._tell(f"keep: journal {one.journal} was damaged: {one.lost} lost; 'onshore check' says what to do")

    def _compact(self) -> None:
        """One turn, so that an erasure waits for no more; the next at once, or after a rest where nothing waits."""
        self._rest = self._looks + _REST  # after a failure too
        if compact_turn(self._site):
            self._rest = self._looks

    def _retire(self) -> None:
        """One turn, as with compaction; then not for an hour."""
        self._over = self._looks + _OVER
        if retire_turn(self._site):
            self._over = self._looks

    def _erase(self) -> None:
        failed = carry_on(self._site, later=self._later)
        self._later |= set(failed)
        for case, error in failed.items():
            self._tell(f"keep: the erasure {case} waits, its rows restricted: {text(error)}")

    def _try(self, what: str, act: Callable[[], object]) -> None:
        try:
            act()
        except _TROUBLE as error:
            if self._told.is_new(what, error):
                self._tell(f"keep ({what}): {text(error)}; tried again until it works")
        else:
            self._told.well(what)


@click.command()
@click.option("--only", help=f"Only these roads, comma-separated: {', '.join(ROADS)}.")
@click.option(
    "--log",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    envvar="ONSHORE_LOG",
    help="What is said on stderr: for people, or a JSON object a line.",
)
@site_option
@answers_for_errors
def serve(only: str | None, log: str, site: Path) -> None:
    """Run the site: all roads in one process, or the named ones; the desk where site.toml has a table for it.

    Ends on Ctrl-C or SIGTERM, keeping what it heard.
    """
    import uvloop

    roads = _roads(only)
    here = open_site(site)
    if only is None and here.settings.desk is None:
        roads = tuple(road for road in roads if road != "desk")
    if log == "json":
        logs.begin(here.id, roads)
    gc.freeze()  # what was loaded stays; looking through it again and again would hold up the cars
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(here, roads))


def _roads(only: str | None) -> tuple[str, ...]:
    roads = ROADS if only is None else tuple(name.strip() for name in only.split(","))
    for road in roads:
        if road not in ROADS:
            raise Malformed(f"there is no road '{road}'; there are {', '.join(ROADS)}", where="--only")
    return roads


async def _serve(site: Site, roads: tuple[str, ...]) -> None:
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, done.set)
    stop, seen = threading.Event(), list[Counting]()
    endpoints = listed(site) if "keep" in roads else []
    asks = "keep" in roads and site.witnesses is not None  # a policy that cannot be read stops the start
    keeper = asyncio.create_task(asyncio.to_thread(keep, site, stop)) if "keep" in roads else None
    forwarder = asyncio.create_task(asyncio.to_thread(forward, site, endpoints, stop)) if endpoints else None
    asker = asyncio.create_task(asyncio.to_thread(ask_witnesses, site, stop)) if asks else None
    try:
        async with AsyncExitStack() as stack:
            if "gate" in roads:
                for name, port in (await stack.enter_async_context(doors(site, seen))).items():
                    say(f"gate {name} listens on {site.settings.gate.host}:{port}")
            await _open_pages(site, roads, stack)
            if watched := await stack.enter_async_context(watching(site, roads, seen)):
                say(f"watched at {watched}/metrics")
            waits = {asyncio.create_task(done.wait()), *filter(None, (keeper, forwarder, asker))}
            if "border" in roads:
                await asyncio.to_thread(_take_up_border, site)
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        if keeper:
            await keeper
        if forwarder:
            await forwarder
        if asker:
            await asker
        record(site)
    if keeper:
        _last_look(site)


async def _open_pages(site: Site, roads: Collection[str], stack: AsyncExitStack) -> None:
    """What is read in browsers: the ledger's files where they have a port, the desk."""
    if "keep" in roads and (at := site.settings.ledger).port:
        served = published(site.folder / "ledger", site.law.zone, at.host, at.port)
        say(f"ledger is read at http://{at.host}:{await stack.enter_async_context(served)}/")
    if "desk" in roads:
        say(f"desk is at {await stack.enter_async_context(_desk(site))}")


def _desk(site: Site) -> AbstractAsyncContextManager[str]:
    if missing := missing_desk():
        raise Malformed(f"the desk needs {missing}: pip install 'onshore[desk]'", where="[desk]")
    from onshore.desk.serve import served

    return served(site)


def _take_up_border(site: Site) -> None:
    """What a crash left half-way is finished or unwound before anybody ships again; then the road is free."""
    try:
        with hold(site.folder / "locks" / "border", "border"):
            resume(site)
        viewing.resume(site)
        say("border is in order")
    except _TROUBLE as error:
        say(f"border: {text(error)}; 'onshore transfer ship' takes it up again")


def _last_look(site: Site) -> None:
    """What the gate closed on its way out is drained before the process ends."""
    try:
        with site.keeping():
            site.drain()
            site.write_ledger()
            note_seal(site)
    except _TROUBLE as error:
        say(f"left for the next start: {text(error)}")
