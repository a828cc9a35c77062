"""Tables: what a purpose may see here, category by category, and why it may not see the others."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
from sqlalchemy import select

from onshore.query.door import Door
from onshore.register import judgements
from onshore.register.judgements import Judged
from onshore.rules.acts import Collect, Facts, StandingConsent
from onshore.site import Site
from onshore.vault.papers import consents, reading
from onshore.words.catalogue import Signal
from onshore.words.packed import packed
from onshore.words.verdict import Reason
from onshore.words.vocabulary import CATEGORIES, STATUTORY

_TIME = pa.timestamp("us", "UTC")  # as DuckDB counts, so that its bounds compare without a cast

BASE = {"vehicle": pa.string(), "time": _TIME, "received": _TIME, "door": pa.string()}
"""vehicle: the site's random id, 16 hex digits; time: of the event; received: at the gate; door: its name."""


@dataclass(frozen=True)
class Shown:
    """A table of a query: its category, and the signals that the purpose may see, by name."""

    name: str
    category: str
    signals: dict[str, Signal]
    base: tuple[str, ...] = tuple(BASE)

    @property
    def schema(self) -> pa.Schema:
        """The base columns, then the signals."""
        return pa.schema(
            [*((n, BASE[n]) for n in self.base), *((name, type_of(signal)) for name, signal in self.signals.items())]
        )


@dataclass(frozen=True)
class Seen:
    """By table's name: what a purpose may see, why it may not see the others, and the judge's word on each.

    Through a door none is asked for: whoever opened that asks it.
    """

    shown: dict[str, Shown]
    barred: dict[str, tuple[str, Reason]]
    judged: dict[str, Judged]


def type_of(signal: Signal) -> pa.DataType:
    """The type of a signal's column in a query: lists of numbers and texts as lists, bytes as bytes."""
    how = packed(signal)
    if how is not None:
        return how.arrow
    return pa.list_(pa.string()) if signal.type == "string[]" else signal.arrow


def table_name(category: str) -> str:
    """A category as SQL names its table without quotes."""
    return category.replace("-", "_")


def seen(site: Site, purpose: str) -> Seen:
    """The tables for a purpose as the judge has it today, and as people consented; all others barred, with reasons."""
    found = Seen({}, {}, {})
    asked = _asked_for(site, purpose)
    for category, signals in _by_category(site, purpose):
        name = table_name(category)
        judged = found.judged[name] = _judged(site, purpose, category)
        no = None if judged.verdict.verdict == "keep" else judged.verdict.reasons[0]
        reason = no or _not_consented(site, purpose, category, asked) or _nothing_kept(site, category, signals)
        if reason is None:
            found.shown[name] = Shown(name, category, signals)
        else:
            found.barred[name] = category, reason
    return found


def through(site: Site, door: Door) -> Seen:
    """The tables that a door lets be seen: without when and where a row came in, as it would not leave either."""
    found = {
        table_name(category): Shown(
            table_name(category), category, {n: site.catalogue[n] for n in sorted(names)}, ("vehicle", "time")
        )
        for category, names in door.signals.items()
    }
    return Seen(found, {}, {})


def _by_category(site: Site, purpose: str) -> Iterator[tuple[str, dict[str, Signal]]]:
    """The signals of each category under the ground that serves the purpose."""
    lawful = frozenset[str]().union(*site.rulebook.statutory.values())
    for category in CATEGORIES:
        names = sorted(name for name, its in site.rulebook.category.items() if its == category)
        kept = [name for name in names if purpose != STATUTORY or name in lawful]
        yield category, {name: site.catalogue[name] for name in kept if name in site.catalogue}


def _asked_for(site: Site, purpose: str) -> frozenset[str]:
    """The categories for which anybody ever consented to the purpose."""
    t = consents.c
    with reading(site.engine) as conn:
        return frozenset(conn.scalars(select(t.category).where(t.purpose == purpose).distinct()))


def _not_consented(site: Site, purpose: str, category: str, asked: frozenset[str]) -> Reason | None:
    if purpose == STATUTORY or category in asked:
        return None
    rule = site.pack.consent.purpose_not_consented.reason("purpose-not-consented")
    return Reason(
        rule.code,
        rule.article,
        f"nobody here ever consented to {category} for {purpose}",
        "ask the keepers for their consent to it",
    )


def _judged(site: Site, purpose: str, category: str) -> Judged:
    """Whether the purpose may have a category at all, if persons allow it: asked with a consent that is nobody's."""
    ground = "statutory" if purpose == STATUTORY else "consent"
    wish = StandingConsent(purposes=(purpose,), categories=(category,), separate=True)
    facts = Facts(at=site.clock(), consent=wish, driver_setting="on")
    return judgements.ask(site, Collect(category=category, purpose=purpose, ground=ground), facts)


def _nothing_kept(site: Site, category: str, signals: dict[str, Signal]) -> Reason | None:
    article = site.pack.consent.no_consent.article
    return None if signals else Reason("nothing-kept", article, f"no signal of {category} is kept here for it")
