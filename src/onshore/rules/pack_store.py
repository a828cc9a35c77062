"""The part of a pack on keeping: where sinks may stand, and how long what is kept."""

from collections.abc import Iterable

import msgspec

from onshore.rules.articles import PAPERS, Figure, Permission, Rule
from onshore.rules.lengths import length
from onshore.words.strict import among
from onshore.words.vocabulary import CATEGORIES

SINKS = ("primary", "replica", "backup", "log", "index", "first-write")
RECORDS = (
    "observation",
    "impact-assessment",
    "provision-record",
    "network-log",
    "recall-record",
    "decision-record",
)
EXCEPTIONS = ("none", "statutory-monitoring", "user-cloud", "road-test", "safety-clip")


class Sink(Rule, frozen=True, kw_only=True):
    """A rule against some kinds of sinks abroad, for some categories (none named: all).

    `to`: the jurisdictions against which it stands (none named: all that are abroad). `places`: jurisdictions that are
    allowed besides. One of `papers` together with all of `also` lifts it; so does, with `adequate`, a place that the
    pack calls adequate.
    """

    kinds: tuple[str, ...] = SINKS
    categories: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    papers: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    adequate: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        among("kinds", self.kinds, SINKS)
        among("categories", self.categories, CATEGORIES)
        among("papers", self.papers, PAPERS)
        among("also", self.also, PAPERS)


class FirstWrite(Sink, frozen=True, kw_only=True):
    """A rule against the first write abroad."""

    kinds: tuple[str, ...] = ("first-write",)


class Cap(Rule, frozen=True, kw_only=True):
    """The longest that some categories may be kept, in some kinds of record."""

    categories: tuple[str, ...]
    max: str
    records: tuple[str, ...] = ("observation",)

    def __post_init__(self) -> None:
        super().__post_init__()
        among("categories", self.categories, CATEGORIES)
        among("records", self.records, RECORDS)
        length(self.max, "max")


class Floor(Rule, frozen=True, kw_only=True):
    """The shortest that some kinds of record must be kept, of some categories (none named: all)."""

    records: tuple[str, ...]
    min: str
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        among("records", self.records, RECORDS)
        among("categories", self.categories, CATEGORIES)
        length(self.min, "min")


class Exempted(Rule, frozen=True, kw_only=True):
    """What lifts the caps from some categories (none named: all).

    `per_day`: so many of a car in a day at most; `max_seconds`: each no longer than this.
    """

    name: str
    categories: tuple[str, ...] = ()
    per_day: Figure | None = None
    max_seconds: Figure | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        among("name", [self.name], EXCEPTIONS[1:])
        among("categories", self.categories, CATEGORIES)


class Keeping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="kebab"):
    """Rules on keeping. A floor wins over a cap."""

    within_retention: Permission
    foreign_sink: tuple[Sink, ...] = ()
    first_write_abroad: FirstWrite | None = None
    cap: tuple[Cap, ...] = ()
    floor: tuple[Floor, ...] = ()
    exception: tuple[Exempted, ...] = ()


def outlives(rule: Exempted, caps: Iterable[Cap]) -> bool:
    """Whether an exception begins later than a cap that it lifts, which would let be kept what had to be purged."""
    lifted = (cap for cap in caps if not rule.categories or set(cap.categories) & set(rule.categories))
    return rule.since is not None and any(cap.since is None or cap.since < rule.since for cap in lifted)
