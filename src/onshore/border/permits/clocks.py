"""Whether the clock is to be believed: never earlier than what was already written down here."""

import ctypes
import hmac
import json
import sys
from collections.abc import Iterable
from datetime import date, datetime
from itertools import chain
from statistics import median_low
from zoneinfo import ZoneInfo

from sqlalchemy import Column, Connection, delete, func, or_, select

from onshore.ledger.entry import read
from onshore.rules.local import local_day, local_midnight, years_later
from onshore.site import Site
from onshore.vault.papers import entries, meta, parcels, permits, transfers
from onshore.words.errors import Broken, Refusal

_MARK = "clock"
"""In `meta`: [n, at, lifts, seal], the newest instant by the ledger's first n entries, so that they are read once."""

Lifts = list[list[int]]
"""Of each lift its instant and until when what was known before counts no more (ms UTC)."""

_AT, _LIFTED = b'"at":"', b'"state":"lifted"'
_UNSYNCHRONISED = 5  # TIME_ERROR, what adjtimex(2) answers where nothing keeps the clock in step
_TIMEX_BYTES = 512  # more than a struct timex takes anywhere; all zero, it asks and changes nothing


def believed(site: Site, conn: Connection) -> int:
    """The instant (ms UTC) by which a permit's days and the meter's years are told.

    Refused (`clock-in-doubt`) where the site's clock lies before the newest instant known here by more than the
    settings tolerate, or the settings ask for a clock in step and the system says that it is not.
    """
    now, known = site.clock(), newest(site, conn)
    if now < known - site.settings.clock.tolerance_seconds * 1000:
        raise Refusal(
            "clock-in-doubt",
            f"the clock says {_text(now, site)}, and papers and ledger know of {_text(known, site)}: it was set back",
            article=site.pack.transfer.permit.permit_expired.article,
            remedy="set the machine's clock; where it ran ahead before, two officers say so: 'onshore clock lift'",
        )
    if site.settings.clock.synchronised and not synchronised():
        raise Refusal(
            "clock-in-doubt",
            "the system says that nothing keeps its clock in step, and [clock] of site.toml asks for that",
            article=site.pack.transfer.permit.permit_expired.article,
            remedy="see that chronyd, ntpd or systemd-timesyncd runs and reaches its servers",
        )
    return max(now, known)


def today(site: Site, conn: Connection) -> date:
    """The calendar day in the pack's zone, by the clock that is believed; refuses as `believed` does."""
    return local_day(believed(site, conn), site.law.zone)


def year(site: Site, conn: Connection) -> int:
    """The calendar year in the pack's zone in which the meter counts now: a clock that is set back reopens none."""
    return local_day(_latest(site, conn), site.law.zone).year


def year_ago(site: Site, conn: Connection) -> int:
    """The instant (ms UTC) at which the local day began that lies twelve months back; of 29 February, the 28th."""
    day = local_day(_latest(site, conn), site.law.zone)
    if (day.month, day.day) == (2, 29):
        day = day.replace(day=28)
    return local_midnight(years_later(day, -1), site.law.zone)


def refuse_apart(site: Site) -> None:
    """Refuse (`clock-in-doubt`) where no witness of the ledger says about what the site's clock says.

    Asked once a proof was cosigned, so that what the witnesses said is fresh. It is what finds a clock that is ahead.
    """
    if site.witnesses is None:
        return
    now, limit = site.clock(), site.settings.clock.witness_minutes * 60_000
    if all(abs(now - at) > limit for at in witnessed(site)):
        raise Refusal(
            "clock-in-doubt",
            f"the clock says {_text(now, site)}, and no witness of the ledger says so within {limit // 60_000} minutes",
            article=site.pack.transfer.permit.permit_expired.article,
            remedy="compare the machine's clock with another one; set it, then ship again",
        )


def newest(site: Site, conn: Connection) -> int:
    """The newest instant (ms UTC) that the papers, the ledger or most of its witnesses know; 0 where they know none.

    What lay ahead of an instant at which two officers lifted it (`lifting`) is known no more.
    """
    told, lifts = _told(site, conn)
    if theirs := witnessed(site):
        told = max(told, median_low(theirs) - site.settings.clock.witness_minutes * 60_000)
    return max(told, *(_in_papers(conn, column, lifts) for column in _PAPERS))


def note(site: Site, conn: Connection) -> None:
    """Set the newest instant of the ledger down, inside a writing transaction, so that it need not be read again."""
    size = site.ledger.size
    at, lifts = _told(site, conn)
    said = json.dumps([size, at, lifts, _seal(site, size, at, lifts)])
    conn.execute(delete(meta).where(meta.c.name == _MARK))
    conn.execute(meta.insert().values(name=_MARK, value=said))


def synchronised() -> bool | None:
    """Whether the system keeps its clock in step with others; None where it does not say."""
    if sys.platform != "linux":
        return None
    answer = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return None if answer < 0 else answer != _UNSYNCHRONISED


def _latest(site: Site, conn: Connection) -> int:
    return max(site.clock(), newest(site, conn))


def witnessed(site: Site) -> list[int]:
    """When each witness cosigned last, by its own clock (ms UTC)."""
    return [one.at * 1000 for one in site.witnesses.standings() if one.at] if site.witnesses else []


_PAPERS = (transfers.c.asked, permits.c.granted, permits.c.revoked, parcels.c.reserved, parcels.c.left)


def _told(site: Site, conn: Connection) -> tuple[int, Lifts]:
    """The newest instant by the ledger, and what was lifted.

    Entries from the mark on, as the papers handed them in and as the ledger holds them: neither alone is enough.
    """
    size, at, lifts = _marked(site, conn)
    e = entries.c
    rows = conn.execute(select(e.leaf, e.body).where(or_(e.leaf.is_(None), e.leaf >= size)).order_by(e.id)).all()
    waiting = [bytes(row.body) for row in rows if row.leaf is None]
    handed_in = [bytes(row.body) for row in sorted((r for r in rows if r.leaf is not None), key=lambda r: r.leaf)]
    by_papers = _followed(at, lifts, chain(handed_in, waiting))
    by_ledger = _followed(at, lifts, chain(site.ledger.entries(size), waiting))
    return max(by_papers[0], by_ledger[0]), by_ledger[1]


def _followed(at: int, lifts: Lifts, bodies: Iterable[bytes]) -> tuple[int, Lifts]:
    """The newest instant after some more entries, in their order; a lift takes back what lay ahead of it."""
    for body in bodies:
        now = _instant(body)
        if _LIFTED in body and (until := int(read(body)["until"])) >= at:
            at, lifts = now, [*lifts, [now, until]]
        at = max(at, now)
    return at, lifts


def _in_papers(conn: Connection, column: Column[int], lifts: Lifts) -> int:
    """The newest instant of a column but for those that were lifted."""
    standing = (or_(column <= start, column > until) for start, until in lifts)
    return conn.execute(select(func.max(column)).where(*standing)).scalar() or 0


def marked(conn: Connection) -> str:
    """The mark as it stands in the papers; empty where there is none."""
    return str(conn.execute(select(meta.c.value).where(meta.c.name == _MARK)).scalar() or "")


def _marked(site: Site, conn: Connection) -> tuple[int, int, Lifts]:
    """What was noted; from nothing on where it is not this site's own word, or of a longer log than this one."""
    try:
        size, at, lifts, seal = json.loads(marked(conn))
        good = hmac.compare_digest(seal, _seal(site, size, at, lifts)) and size <= site.ledger.size
    except (ValueError, TypeError):
        good = False
    return (size, at, lifts) if good else (0, 0, [])


def _seal(site: Site, size: int, at: int, lifts: Lifts) -> str:
    """Whoever writes in the papers alone takes no instant back: the ledger's key vouches for the mark."""
    said = json.dumps(["clock", site.id, size, at, lifts]).encode()
    return hmac.new(site.key("ledger"), said, "sha256").hexdigest()


def _instant(body: bytes) -> int:
    """When an entry was made; its bytes are canonical JSON, in which no other field has this name."""
    begin = bytes(body).find(_AT) + len(_AT)
    try:
        return int(datetime.fromisoformat(body[begin : body.index(b'"', begin)].decode()).timestamp() * 1000)
    except ValueError:
        raise Broken("an entry of the ledger does not say when it was made: restore papers and ledger") from None


def _text(at: int, site: Site) -> str:
    return datetime.fromtimestamp(at / 1000, ZoneInfo(site.law.zone)).isoformat(timespec="seconds")
