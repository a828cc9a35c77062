"""Retiring: what the law of the day lets lie no longer goes, a turn at a time, each told to the ledger."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, delete, func, select

from onshore.ledger.entry import article
from onshore.rights.retained import retained
from onshore.rights.retention import Limits
from onshore.rules.local import DAY_MS, local_day
from onshore.site import Site
from onshore.vault.forgetting import forget_freed_pages
from onshore.vault.papers import journals, meta, reading, uploads, writing
from onshore.vault.retire import Retired, made_span, retire, ripe
from onshore.vault.segments import Shelf
from onshore.vault.wrapping import note, noted
from onshore.words.errors import Refusal
from onshore.words.vocabulary import CATEGORIES

_LOOKED = "retention looked"  # in meta: the latest instant (ms UTC) at which somebody looked for what is over
_LEAP = 7 * DAY_MS  # what a clock may have gone on by since, unless a person says that it is right
_LEFT = "retired"  # in meta while struck keys may still lie in the freed pages of the papers


def turn(site: Site, step: Callable[[str], None] = lambda _step: None) -> tuple[Retired, ...]:
    """Drop what may lie no longer, as much as one turn takes; nothing where none is left. Holds the keep road."""
    limits, shelf = Limits(site, site.clock()), Shelf(site.root, site.vault, site.id)

    def announce(conn: Connection, done: Sequence[Retired]) -> None:
        for one in done:
            _hand_in(site, conn, limits, one)
        _note(conn)

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
        _forget(site)
        step("forgotten")
    return done


def by_itself(site: Site) -> tuple[Retired, ...]:
    """A turn that nobody asked for. Refused (`clock-leapt`) where the clock is a week or more past the last look.

    What goes goes for good, and a clock that runs ahead makes everything old; after a week at rest a person looks.
    """
    with reading(site.engine) as conn:
        last, now = noted(conn, _LOOKED), site.clock()
    if last is not None and now - int(last) > _LEAP:
        raise Refusal(
            "clock-leapt",
            f"by this machine's clock it is {(now - int(last)) // DAY_MS} days since anybody looked for what may lie "
            "no longer: were the clock wrong, what must lie would go",
            remedy="see that the clock is right, and run 'onshore retention run' once",
        )
    done = turn(site)
    looked(site)
    return done


def looked(site: Site) -> None:
    """Note that somebody looked by a clock that is right."""
    with writing(site.engine) as conn:
        note(conn, _LOOKED, str(max(site.clock(), int(noted(conn, _LOOKED) or 0))))


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
    site.hand_in(
        conn,
        site.entry(
            "retire",
            packdigest=f"sha256:{limits.digest}",
            category=category,
            ground=ground,
            **({"exception": exception} if exception else {}),
            articles=[article(reason.article) for reason in limits.why(one.kind)],
            first=local_day(min(first for first, _ in spans), site.law.zone).isoformat(),
            last=local_day(last, site.law.zone).isoformat(),
            rows=one.rows,
            old=[f"sha256:{segment.sha256}" for segment in one.old],
            new=[f"sha256:{segment.sha256}" for segment in one.new],
        ),
    )


def _expire(site: Site, now: int) -> None:
    """Files that cars sent, past the instant at which they expire: what was said of them goes."""
    with reading(site.engine) as conn:
        if conn.execute(select(uploads.c.id).where(uploads.c.until <= now).limit(1)).first() is None:
            return
    with writing(site.engine) as conn:
        conn.execute(delete(uploads).where(uploads.c.until <= now))


def _note(conn: Connection) -> None:
    conn.execute(delete(meta).where(meta.c.name == _LEFT))
    conn.execute(meta.insert().values(name=_LEFT, value="1"))


def _forget(site: Site) -> None:
    """Have no byte of the papers hold a key that went; tried again with every turn until nobody is in the way."""
    with reading(site.engine) as conn:
        left = conn.scalar(select(meta.c.value).where(meta.c.name == _LEFT))
    if left is not None and forget_freed_pages(site.engine, rebuild=True):
        with writing(site.engine) as conn:
            conn.execute(delete(meta).where(meta.c.name == _LEFT))
