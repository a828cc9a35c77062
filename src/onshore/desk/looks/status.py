"""Status: what must be well at a site that is open, a line each: what `onshore check` and the operator's page say."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import select

from onshore.border import blocking
from onshore.border.cases import courts, filing, tasks
from onshore.border.permits import clocks, lifting
from onshore.border.sending import reconciling
from onshore.desk.looks import backups, bridge, keys, platforms, witnesses
from onshore.register import complaints, incidents, policies
from onshore.rights.clocks import told
from onshore.rights.retention import Limits
from onshore.rights.retiring import overdue
from onshore.site import Site
from onshore.vault import aside, switched
from onshore.vault.compact import waiting
from onshore.vault.giving_up import lost
from onshore.vault.papers import mishaps, parcels, reading
from onshore.vault.soundness import look
from onshore.vault.space import free_bytes, held
from onshore.words.errors import Broken, OnshoreError, Refusal
from onshore.words.instants import clock_text

_MISHAPS = 7 * 86_400_000  # milliseconds for which what a crash did is told


class Line(NamedTuple):
    """A look: at what, whether it is well, and what there is to say."""

    what: str
    good: bool
    says: str


def looks(site: Site, *, deep: bool = False) -> Iterator[Line]:
    """Look at everything but what takes long; `deep`: open what waits to be sent on as well."""
    yield from (Line(*one) for one in _looks(site, deep=deep))


_Found = tuple[str, bool, str]


def _looks(site: Site, *, deep: bool) -> Iterator[_Found]:
    yield _clock(site)
    yield _disk(site)
    yield _papers(site)
    yield _tried("keys", lambda: keys.checked(site))
    yield _rules(site)
    yield from _switches(site)
    yield _sinks(site)
    if site.settings.gate.mqtt_bridge is not None:
        yield "bridge", *bridge.look(site, site.settings.gate.mqtt_bridge)
    yield _tried("egress", lambda: _outbox(site))
    yield from reconciling.looks(site)
    yield _tried("forward", lambda: platforms.state(site))
    yield from (("forward", False, says) for says in platforms.troubles(site, deep=deep))
    yield _tried("policies", lambda: _policies(site))
    yield _tried("segments", lambda: _small(site))
    yield _tried("retention", lambda: _over(site))
    yield "rights", *told(site)
    yield "filed", *filing.told(site)
    yield "tasks", *tasks.told(site)
    yield "courts", *courts.told(site)
    yield "blocked", *blocking.told(site)
    yield "incidents", *incidents.told(site)
    yield "complaints", *complaints.told(site)
    yield "backup", *backups.told(site)
    yield _tried("ledger", lambda: f"{site.ledger.size} entries under a checkpoint of ours")
    yield from _witnesses(site)
    yield from _mishaps(site)


def _clock(site: Site) -> _Found:
    """Whether the clock is believed beside what papers, ledger and witnesses know; in doubt, nothing leaves."""
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


def _disk(site: Site) -> _Found:
    """Whether there is room, and which gates take nothing in for want of it or because the disk is slow."""
    free, least = free_bytes(site.folder), site.settings.vault.least_free
    says = f"{free >> 20} MiB free"
    if free < least:
        says += f"; gates take nothing in below {least >> 20} MiB ([vault] least_free)"
    resting = held(site.engine, site.vault)
    for one in resting:
        why = "the disk is full" if one.why == "full" else "the disk is slow to sync"
        says += f"; gate {one.gate} takes nothing in since {clock_text(one.since)}: {why}"
    return "disk", free >= least and not resting, says


def _papers(site: Site) -> _Found:
    """Whether the papers' database keeps what it is told, and nothing that was struck for longer than it may."""
    settings = site.settings
    return "papers", *look(
        site.engine, archive_days=settings.papers.archive_days, backup_days=settings.keys.backup_days
    )


def _mishaps(site: Site) -> Iterator[_Found]:
    """What crashes of the last days did to journals; bad where something was lost, until its file is given up."""
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


def _rules(site: Site) -> _Found:
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


def _switches(site: Site) -> Iterator[_Found]:
    """Each switch that the settings turn, with the opinion behind it; bad where that does not lie where they say."""
    with reading(site.engine) as conn:
        noted = switched.noted(conn)
    for turned in site.readings:
        if turned.obj is None:
            why = f"opinion {turned.opinion} is missing ({turned.file}): the strict reading holds"
            yield "switch", False, f"{turned.name}: {why}"
        else:
            since = clock_text(noted[turned.name]["since"])
            yield "switch", True, f"{turned.name}: lenient since {since} by opinion {turned.opinion}, {turned.obj}"


def _sinks(site: Site) -> _Found:
    abroad = [f"{name} ({r.jurisdiction})" for name, r in site.settings.recipients.items()]
    return "sinks", True, "nobody abroad is named" if not abroad else "parcels may be asked for by " + ", ".join(abroad)


def _outbox(site: Site) -> str:
    """Every parcel in the outbox is one that the papers let out; Broken where a file came there another way."""
    with reading(site.engine) as conn:
        known = {row.id: row.sha256 for row in conn.execute(select(parcels.c.id, parcels.c.sha256))}
    there = sorted((site.folder / "outbox").glob("*.parcel"))
    for path in there:
        with path.open("rb") as file:
            if known.get(path.stem) != hashlib.file_digest(file, "sha256").hexdigest():
                raise Broken(f"{path.name} in the outbox is not what the papers let out: find out who put it there")
    return f"{len(there)} parcels in the outbox, each as the papers let it out"


def _witnesses(site: Site) -> Iterator[_Found]:
    try:
        yield from witnesses.looks(site)
    except (OnshoreError, OSError) as error:
        yield "witnesses", False, str(error)


def _policies(site: Site) -> str:
    """How many cars have not said that they obey what they were told; a car in a garage may say nothing for weeks."""
    policies.Policies(site)  # refuses what none could be compiled with
    host = policies.setting(site).host
    behind = policies.lagging(site)
    ended = sum(lag.ended for lag in behind)
    return f"cars send to {host.name} ({host.jurisdiction}); {len(behind)} lag, {ended} of them past their policy's end"


def _small(site: Site) -> str:
    """How many small files wait."""
    many = waiting(site.engine, site.clock())
    return f"{many} small files wait to be merged; whoever keeps the site does it" if many else "no small file waits"


def _over(site: Site) -> str:
    """Broken where something lies that was to go over a day ago."""
    late = overdue(site)
    if late:
        raise Broken("; ".join(late) + ": see that a process keeps the site, or run 'onshore retention run'")
    return f"nothing lies for longer than {Limits(site, site.clock()).pack.id} allows"


def _tried(what: str, look: Callable[[], str]) -> _Found:
    try:
        return what, True, look()
    except (OnshoreError, OSError) as error:
        return what, False, str(error)
