"""Retiring: what the law of the day lets lie no longer goes, a turn at a time, each told to the ledger."""

import json
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, delete, func, select

from onshore.ledger.entry import article
from onshore.register import judgements
from onshore.rights.retained import retained
from onshore.rights.retention import Limits
from onshore.rules.local import DAY_MS, local_day
from onshore.site import Site
from onshore.vault.freed import owe, settle
from onshore.vault.papers import journals, reading, uploads, writing
from onshore.vault.ran import Ran, ran
from onshore.vault.retire import Retired, made_span, retire, ripe
from onshore.vault.segments import Shelf
from onshore.vault.wrapping import note, noted
from onshore.words.errors import Refusal
from onshore.words.vocabulary import CATEGORIES

_LOOKED = "retention looked"  # in meta: the latest instant (ms UTC) at which somebody looked for what is over
_RAN = "retention ran"  # in meta: which start of the machine that was in, and for how long it had run then
_DRIFT = 3_600_000  # milliseconds by which a clock may have been put right meanwhile
_LEAP = 7 * DAY_MS  # what a clock may have gone on by since, unless a person says that it is right


def turn(site: Site, step: Callable[[str], None] = lambda _step: None) -> tuple[Retired, ...]:
    """Drop what may lie no longer, as much as one turn takes; nothing where none is left. Holds the keep road."""
    limits, shelf = Limits(site, site.clock()), Shelf(site.root, site.vault, site.id)

    def announce(conn: Connection, done: Sequence[Retired]) -> None:
        for one in done:
            _hand_in(site, conn, limits, one)
        owe(conn)

    with site.keeping():
        done = retire(
            site.engine,
            shelf,
            site.law.zone,
            limits,
            clock=site.clock,
            randomness=site.randomness,
            alongside=announce,
            step=step,
        )
        _expire(site, limits.at)
        settle(site.engine)  # again with every turn until nobody is in the way
        step("forgotten")
    return done


def by_itself(site: Site, ran: Callable[[], Ran] = ran) -> tuple[Retired, ...]:
    """A turn that nobody asked for. Refused (`clock-leapt`) where the clock is a week or more past the last look.

    What goes goes for good, and a clock that runs ahead makes everything old. Where the machine ran all that time by
    its own count, which no setting of its clock touches, the site was at rest and goes on. Where it was off nothing
    here tells a rest from a leap, so a person looks.
    """
    with reading(site.engine) as conn:
        last, before, now = noted(conn, _LOOKED), noted(conn, _RAN), site.clock()
    if last is not None and now - int(last) > _LEAP and not _rested(now - int(last), before, ran()):
        raise Refusal(
            "clock-leapt",
            f"by this machine's clock it is {(now - int(last)) // DAY_MS} days since anybody looked for what may lie "
            "no longer, and the machine was off or its clock was set since: were the clock wrong, what must lie would "
            "go. All else goes on",
            remedy="see that the clock is right, and run 'onshore retention run' once",
        )
    done = turn(site)
    looked(site, ran)
    return done


def _rested(gone: int, before: str | None, now: Ran) -> bool:
    """Whether the machine counted itself, since then and without a start, what its clock says went by."""
    if before is None:
        return False
    boot, since = json.loads(before)
    return bool(boot == now.boot != "") and abs(now.milliseconds - int(since) - gone) < _DRIFT


def looked(site: Site, ran: Callable[[], Ran] = ran) -> None:
    """Note that somebody looked by a clock that is right."""
    with writing(site.engine) as conn:
        last, now = int(noted(conn, _LOOKED) or 0), site.clock()
        note(conn, _LOOKED, str(max(now, last)))
        if now >= last:
            note(conn, _RAN, json.dumps(ran()))


def overdue(site: Site) -> list[str]:
    """What should have gone a day ago by the law of that day, and has not, in words."""
    limits, shelf = Limits(site, site.clock() - DAY_MS), Shelf(site.root, site.vault, site.id)
    late = list(ripe(site.engine, shelf, site.law.zone, limits))
    said = [f"{len(late)} files hold rows that were to go over a day ago"] if late else []
    cuts = [cut for category in CATEGORIES if (cut := limits((category, "consent", ""))) is not None]
    if cuts:
        with reading(site.engine) as conn:
            stuck = conn.scalar(select(func.count()).where(journals.c.opened < max(cuts))) or 0
        said += [f"{stuck} journal files as old wait to be drained"] if stuck else []
    over = [one.papers for one in retained(site, limits.at) if one.over(limits.at)]
    return said + [f"the pack caps {papers}, which nothing here drops" for papers in over]


def _hand_in(site: Site, conn: Connection, limits: Limits, one: Retired) -> None:
    spans = [made_span(segment, site.law.zone) for segment in one.old]
    last = min(max(last for _, last in spans), (limits(one.kind) or 0) - 1)
    category, ground, exception = one.kind
    judgements.hand_in(
        site,
        conn,
        "retire",
        limits.judged(one.kind),
        category=category,
        ground=ground,
        **({"exception": exception} if exception else {}),
        articles=[article(reason.article) for reason in limits.why(one.kind)],
        first=local_day(min(first for first, _ in spans), site.law.zone).isoformat(),
        last=local_day(last, site.law.zone).isoformat(),
        rows=one.rows,
        old=[f"sha256:{segment.sha256}" for segment in one.old],
        new=[f"sha256:{segment.sha256}" for segment in one.new],
    )


def _expire(site: Site, now: int) -> None:
    """Files that cars sent, past the instant at which they expire: what was said of them goes."""
    with reading(site.engine) as conn:
        if conn.execute(select(uploads.c.id).where(uploads.c.until <= now).limit(1)).first() is None:
            return
    with writing(site.engine) as conn:
        conn.execute(delete(uploads).where(uploads.c.until <= now))
