"""The catalogue: what exists here, since when, about how much, and what it would take to have it; never a row.

A count is told from MOST_HIDDEN + 1 vehicles on that have rows here, as of the first of the month, and rounded down:
docs/decisions/0055 says why.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import distinct, func, or_, select

from onshore.register import views
from onshore.rules.acts import Facts, TransferAsked
from onshore.rules.local import local_midnight
from onshore.site import Site
from onshore.vault.papers import consents, reading, segments
from onshore.vault.read import read
from onshore.words.errors import Refusal
from onshore.words.verdict import Verdict
from onshore.words.vocabulary import CATEGORIES, STATUTORY

MOST_HIDDEN = 10
"""Vehicles behind a count that is not told: as the US health agency CMS has it of cells of 1 to 10 persons."""

_ROWS_TOLD, _VEHICLES_TOLD = 1, 2
"""Leading digits: how many rows a car has is its own doing, so of rows only one is told."""

_TEN = 10
_FAR = 1 << 52  # milliseconds: before anything


@dataclass(frozen=True)
class Way:
    """What a transfer of one category for one purpose would take: the judge's route, papers that lack, and reasons."""

    purpose: str
    vehicles: int | None
    verdict: Verdict


@dataclass(frozen=True)
class Listed:
    """A category: its signals (name, unit, precision), the month since which rows are here, rows and vehicles, ways.

    None for `since`, `rows` or `vehicles`: fewer vehicles had rows when the month began than may be told.
    """

    category: str
    signals: tuple[dict[str, str], ...]
    since: str | None
    rows: int | None
    vehicles: int | None
    by_law: bool
    ways: tuple[Way, ...]


def destination(site: Site, actor: str, recipient: str = "") -> tuple[str, str]:
    """To whom a transfer is judged: jurisdiction and recipient; that named, else whom the actor works for, or sits.

    Refuses (`recipient-unknown`) a name that site.toml does not have.
    """
    if recipient:
        return site.recipient(recipient).jurisdiction, recipient
    who = views.looking(site, actor)
    return who.abroad or who.works_for, who.recipient


def catalogue(site: Site, to: str, recipient: str = "") -> list[Listed]:
    """Every category of which a signal is known here, with what a transfer to a jurisdiction, or recipient, takes."""
    return [one for category in CATEGORIES if (one := _listed(site, category, to, recipient))]


def rounded(count: int, digits: int = _VEHICLES_TOLD) -> int:
    """A count with its first digits alone, and in tens at the least: one car more or less shows at a step only."""
    step: int = max(_TEN, 10 ** max(0, len(str(count)) - digits))
    return count // step * step


def month(site: Site) -> date:
    """The first of this month, local: what changed since is told to nobody, whoever asks before and after one car."""
    return site.today().replace(day=1)


def _listed(site: Site, category: str, to: str, recipient: str) -> Listed | None:
    names = sorted(name for name, its in site.rulebook.category.items() if its == category and name in site.catalogue)
    if not names:
        return None
    ways = tuple(_ways(site, category, to, recipient))
    driven: set[int] = set()
    for purpose in _purposes(site):
        driven |= _behind_rows(site, category, purpose, but=driven)
    told = len(driven) > MOST_HIDDEN
    first, rows = _kept(site, category) if told else (None, 0)
    lawful = frozenset[str]().union(*site.rulebook.statutory.values())
    return Listed(
        category=category,
        signals=tuple(_signal(site, name) for name in names),
        since=date.fromisoformat(first).strftime("%Y-%m") if first else None,
        rows=rounded(rows, _ROWS_TOLD) if told else None,
        vehicles=_told(_consenting(site, category)) if told else None,
        by_law=bool(lawful & set(names)),
        ways=ways,
    )


def _kept(site: Site, category: str) -> tuple[str | None, int]:
    t = segments.c
    mine = (t.category == category, t.ground == "consent", t.day < month(site).isoformat())
    with reading(site.engine) as conn:
        first, rows = conn.execute(select(func.min(t.day), func.sum(t.rows)).where(*mine)).one()
    return first, int(rows or 0)


def _behind_rows(site: Site, category: str, purpose: str, *, but: Collection[int] = ()) -> set[int]:
    """Vehicles of which there are rows for a purpose from before this month, `but` some: until it is enough to tell."""
    until, found = local_midnight(month(site), site.pack.zone), set[int]()
    try:
        tables = read(
            site.engine,
            site.root,
            site.vault,
            site.id,
            use=purpose,
            categories=[category],
            start=-_FAR,
            until=until,
            columns=(),
        )
    except Refusal:
        return found  # nobody ever consented to it
    for table in tables:
        found.update(pc.unique(table.column("vehicle")).cast(pa.int64()).to_pylist())
        if len(found.difference(but)) + len(but) > MOST_HIDDEN:
            break
    return found


def _signal(site: Site, name: str) -> dict[str, str]:
    signal = site.catalogue[name]
    return {"name": name, "unit": signal.unit or "", "precision": str(getattr(signal, "precision", "") or "")}


def _purposes(site: Site) -> list[str]:
    return [purpose for purpose in site.settings.site.purposes if purpose != STATUTORY]


def _ways(site: Site, category: str, to: str, recipient: str) -> Iterator[Way]:
    for purpose in _purposes(site):
        told = len(_behind_rows(site, category, purpose)) > MOST_HIDDEN
        vehicles = _told(_consenting(site, category, purpose)) if told else None
        yield Way(purpose, vehicles, _judged(site, category, purpose, to, recipient))


def _told(vehicles: int) -> int | None:
    return rounded(vehicles) if vehicles > MOST_HIDDEN else None


def _judged(site: Site, category: str, purpose: str, to: str, recipient: str) -> Verdict:
    status = site.recipient(recipient).status if recipient else "none"
    act = TransferAsked(
        to=to,
        recipient=recipient or None,
        recipient_status=status,
        purpose=purpose,
        categories=(category,),
        new_persons=1,
    )
    return site.judge(act, Facts(at=site.clock()))


def _consenting(site: Site, category: str, purpose: str | None = None) -> int:
    """Vehicles whose consents to a category, for a purpose or any, stood when this month began."""
    t, then = consents.c, local_midnight(month(site), site.pack.zone)
    stood = (t.start <= then) & or_(t.withdrawn.is_(None), t.withdrawn > then) & or_(t.until.is_(None), t.until > then)
    ask = select(func.count(distinct(t.vehicle))).where(t.category == category, stood)
    with reading(site.engine) as conn:
        return int(conn.execute(ask if purpose is None else ask.where(t.purpose == purpose)).scalar_one())


def document(site: Site, listed: list[Listed], to: str, recipient: str) -> dict[str, Any]:
    """The catalogue as one JSON document."""
    return {
        "site": site.id,
        "jurisdiction": site.settings.site.jurisdiction,
        "pack": site.pack.id,
        "to": to,
        "recipient": recipient,
        "hidden_up_to_vehicles": MOST_HIDDEN,
        "as_of": month(site).isoformat(),
        "categories": [_one(one) for one in listed],
    }


def _one(one: Listed) -> dict[str, Any]:
    return {
        "category": one.category,
        "signals": list(one.signals),
        "since": one.since,
        "rows": one.rows,
        "vehicles": one.vehicles,
        "kept_by_law_too": one.by_law,
        "purposes": [
            {
                "purpose": way.purpose,
                "vehicles": way.vehicles,
                "verdict": way.verdict.verdict,
                "route": way.verdict.route,
                "papers": list(way.verdict.missing),
                "reasons": [{"reason": r.code, "says": r.says, "article": r.article} for r in way.verdict.reasons],
            }
            for way in one.ways
        ],
    }
