"""`onshore check`: what must be well at a site, one line each."""

import hashlib
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from sqlalchemy.exc import SQLAlchemyError

from onshore.cli.common import answers_for_errors, clock_text, json_option, put, site_option
from onshore.words.errors import Broken, OnshoreError, Refusal

if TYPE_CHECKING:
    from onshore.site import Site
    from onshore.words.settings_gate import MqttBridge

_MISHAPS = 7 * 86_400_000  # milliseconds for which what a crash did is told
_EARLIEST = 1_735_689_600  # 2025-01-01: a clock before it was never set

Line = tuple[str, bool, str]


@click.command()
@click.option("--deep", is_flag=True, help="Also recompute the whole ledger and open every segment.")
@site_option
@json_option
@answers_for_errors
def check(deep: bool, site: Path, as_json: bool) -> None:
    """Look at settings, keys, clock, disk, rule pack and ledger; exit 1 if any is bad."""
    lines = list(_looks(site, deep=deep))
    if as_json:
        put([{"what": what, "good": good, "says": says} for what, good, says in lines])
    for what, good, says in () if as_json else lines:
        click.echo(f"{'good' if good else 'BAD ':5}{what:9} {says}")
    raise SystemExit(0 if all(good for _, good, _ in lines) else 1)


def _looks(folder: Path, *, deep: bool) -> Iterator[Line]:
    from onshore.site import open_site

    if time.time() <= _EARLIEST:
        yield "clock", False, "was never set"
    rotten = list(_rot(folder)) if deep else []  # before anything of it is opened
    yield from rotten
    if any(says.startswith("papers.sqlite: it is missing") for _, _, says in rotten):
        return  # to open it would be to begin another
    try:
        site = open_site(folder)
    except (OnshoreError, SQLAlchemyError) as error:
        lost = "the papers do not open: papers.sqlite, or the database that [papers] names; restore it from a backup"
        yield "settings", False, str(error) if isinstance(error, OnshoreError) else lost
        return
    yield _clock(site)
    yield _disk(site)
    yield "settings", True, f"{folder / 'site.toml'} is read"
    yield _papers(site)
    yield _tried("keys", lambda: _keys(site))
    yield _rules(site)
    yield from _switches(site)
    yield _sinks(site)
    if site.settings.gate.mqtt_bridge is not None:
        yield _bridge(site, site.settings.gate.mqtt_bridge)
    yield _tried("egress", lambda: _outbox(site))
    yield from _departures(site)
    yield _tried("forward", lambda: _forward(site))
    yield from (("forward", False, says) for says in _unsent(site, deep=deep))
    yield _tried("policies", lambda: _policies(site))
    yield _tried("segments", lambda: _small(site))
    yield _tried("retention", lambda: _over(site))
    yield _rights(site)
    yield from _owed(site)
    yield _backup(site)
    yield _tried("ledger", lambda: f"{site.ledger.size} entries under a checkpoint of ours")
    yield from _witnesses(site)
    yield from _mishaps(site)
    if deep:
        yield from _deep(site)


def _clock(site: "Site") -> Line:
    """Whether the clock is believed beside what papers, ledger and witnesses know; in doubt, nothing leaves."""
    from onshore.border.permits import clocks, lifting
    from onshore.vault.papers import reading

    good, says = True, "set, and believed beside what papers and ledger know"
    try:
        with reading(site.engine) as conn:
            clocks.believed(site, conn)
    except (OnshoreError, OSError) as error:
        what_helps = f": {error.remedy}" if isinstance(error, Refusal) and error.remedy else ""
        good, says = False, f"{error}; nothing leaves until that is right{what_helps}"
    if said := lifting.pending(site):
        until = clock_text(said.until)
        says += f"; one officer said that it ran ahead until {until}: another may say so too, 'onshore clock lift'"
    return "clock", good, says


def _disk(site: "Site") -> Line:
    """Whether there is room, and which gates take nothing in for want of it or because the disk is slow."""
    from onshore.vault.space import free_bytes, held

    free, least = free_bytes(site.folder), site.settings.vault.least_free
    says = f"{free >> 20} MiB free"
    if free < least:
        says += f"; gates take nothing in below {least >> 20} MiB ([vault] least_free)"
    resting = held(site.engine, site.vault)
    for one in resting:
        why = "the disk is full" if one.why == "full" else "the disk is slow to sync"
        says += f"; gate {one.gate} takes nothing in since {clock_text(one.since)}: {why}"
    return "disk", free >= least and not resting, says


def _papers(site: "Site") -> Line:
    """Whether the papers' database keeps what it is told, and nothing that was struck for longer than it may."""
    from onshore.vault.soundness import look

    settings = site.settings
    return "papers", *look(
        site.engine, archive_days=settings.papers.archive_days, backup_days=settings.keys.backup_days
    )


def _mishaps(site: "Site") -> Iterator[Line]:
    """What crashes of the last days did to journals; bad where something was lost, until its file is given up."""
    from onshore.vault import aside
    from onshore.vault.giving_up import lost
    from onshore.vault.papers import mishaps, reading

    with reading(site.engine) as conn:
        found = aside.told(conn, mishaps, site.clock() - _MISHAPS)
    gone = lost(site.engine, site.vault)
    for one in found:
        read = f"{one.read} records recovered, {one.torn} bytes of a torn one cut off"
        if one.lost:
            where = f", the file kept aside: vault/{one.path}" if one.wrapped else ""
            where += "; put it back from a backup to have it read" if one.journal in gone else ""
            good = not one.wrapped and one.journal not in gone
            yield "journal", good, f"{one.journal} was damaged: {one.lost} lost, {read}{where}"
        else:
            says = f"{one.journal} ended without being closed, drained {clock_text(one.at)}: {read}, nothing lost"
            yield "journal", True, says


def _rot(folder: Path) -> Iterator[Line]:
    """Files which are not what was sealed, as far as one can tell of a site that need not open."""
    from onshore.vault import seal

    papers = folder / seal.PAPERS
    if seal.covers(folder, seal.PAPERS) and not (papers.exists() and papers.stat().st_size):
        yield "damage", False, f"{seal.PAPERS}: it is missing or empty; restore it from a backup"
        return
    for name, wrong in seal.broken(folder, None):
        yield "damage", False, f"{name}: {wrong}"


def _deep(site: "Site") -> Iterator[Line]:
    from onshore.cli import deep
    from onshore.vault.papers import reading
    from onshore.vault.segments import segments_where

    found = list(deep.damage(site))
    for name, wrong in found:
        yield "damage", False, f"{name}: {wrong}"
    if not found:
        with reading(site.engine) as conn:
            count = len(segments_where(conn))
        yield "deep", True, f"every file is what it should be: {count} segments open, the whole log holds"


def _keys(site: "Site") -> str:
    from onshore.cli.key_rounds import checked

    return checked(site)


def _rules(site: "Site") -> Line:
    """Whether the pack stands today; where its last day is known and no other follows, that is said beforehand."""
    version = site.law.on(site.today())
    pack, inside = version.pack, version.stands(site.today())
    reviewed = f"reviewed by {pack.reviewed_by}" if pack.reviewed_by else "not reviewed by counsel"
    ends = ""
    if inside and pack.valid_until is not None:
        after = site.law.on(pack.valid_until + timedelta(days=1))
        goes_on = after is not version
        ends = f", until {pack.valid_until}, then {after.pack.id if goes_on else 'nothing is kept: name what follows'}"
    return "rules", inside, f"{pack.id}, {'in force' if inside else 'NOT in force'} today{ends}, {reviewed}"


def _switches(site: "Site") -> Iterator[Line]:
    """Each switch that the settings turn, with the opinion behind it; bad where that does not lie where they say."""
    from onshore.vault import switched
    from onshore.vault.papers import reading

    with reading(site.engine) as conn:
        noted = switched.noted(conn)
    for turned in site.readings:
        if turned.obj is None:
            why = f"opinion {turned.opinion} is missing ({turned.file}): the strict reading holds"
            yield "switch", False, f"{turned.name}: {why}"
        else:
            since = clock_text(noted[turned.name]["since"])
            yield "switch", True, f"{turned.name}: lenient since {since} by opinion {turned.opinion}, {turned.obj}"


def _sinks(site: "Site") -> Line:
    abroad = [f"{name} ({r.jurisdiction})" for name, r in site.settings.recipients.items()]
    return "sinks", True, "nobody abroad is named" if not abroad else "parcels may be asked for by " + ", ".join(abroad)


def _bridge(site: "Site", settings: "MqttBridge") -> Line:
    from onshore.cli.mqtt import bridge_check

    return ("bridge", *bridge_check(site, settings))


def _outbox(site: "Site") -> str:
    """Every parcel in the outbox is one that the papers let out; Broken where a file came there another way."""
    from sqlalchemy import select

    from onshore.vault.papers import parcels, reading

    with reading(site.engine) as conn:
        known = {row.id: row.sha256 for row in conn.execute(select(parcels.c.id, parcels.c.sha256))}
    there = sorted((site.folder / "outbox").glob("*.parcel"))
    for path in there:
        with path.open("rb") as file:
            if known.get(path.stem) != hashlib.file_digest(file, "sha256").hexdigest():
                raise Broken(f"{path.name} in the outbox is not what the papers let out: find out who put it there")
    return f"{len(there)} parcels in the outbox, each as the papers let it out"


def _departures(site: "Site") -> Iterator[Line]:
    """Whether every byte that the border's sockets took is accounted for, and what tried to leave by another way."""
    from onshore.border.sending.reconciling import looks

    return looks(site)


def _witnesses(site: "Site") -> Iterator[Line]:
    from onshore.cli.witnessing import looks

    try:
        yield from looks(site)
    except (OnshoreError, OSError) as error:
        yield "witnesses", False, str(error)


def _forward(site: "Site") -> str:
    from onshore.cli.forwarding import state

    return state(site)


def _small(site: "Site") -> str:
    from onshore.cli.compacting import state

    return state(site)


def _over(site: "Site") -> str:
    from onshore.cli.retention import state

    return state(site)


def _unsent(site: "Site", *, deep: bool) -> Iterator[str]:
    from onshore.cli.forwarding import troubles

    return troubles(site, deep=deep)


def _policies(site: "Site") -> str:
    """How many cars have not said that they obey what they were told; a car in a garage may say nothing for weeks."""
    from onshore.register import policies

    policies.Policies(site)  # refuses what none could be compiled with
    host = policies.setting(site).host
    behind = policies.lagging(site)
    ended = sum(lag.ended for lag in behind)
    return f"cars send to {host.name} ({host.jurisdiction}); {len(behind)} lag, {ended} of them past their policy's end"


def _rights(site: "Site") -> Line:
    """The cases of persons that wait, and whether a clock of the law ran out on one."""
    from onshore.rights.clocks import told

    return ("rights", *told(site))


def _owed(site: "Site") -> Iterator[Line]:
    """Papers of requests that run out, tasks with clocks, what courts asked for, and who is blocked by now."""
    from onshore.border import blocking
    from onshore.border.cases import courts, filing, tasks

    yield "filed", *filing.told(site)
    yield "tasks", *tasks.told(site)
    yield "courts", *courts.told(site)
    yield "blocked", *blocking.told(site)


def _backup(site: "Site") -> Line:
    """How old the last backup is; bad once its key part has ended, as it opens no more."""
    from onshore.cli.backing_up import told

    return ("backup", *told(site))


def _tried(what: str, look: Callable[[], str]) -> Line:
    try:
        return what, True, look()
    except (OnshoreError, OSError) as error:
        return what, False, str(error)
