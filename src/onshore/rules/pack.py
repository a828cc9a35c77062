"""A pack: the law of one jurisdiction as data, read strictly from its TOML."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from onshore.rules.articles import (
    Ending,
    Interval,
    Limited,
    Notice,
    OnCategories,
    OnGrounds,
    Permission,
    Rule,
    Scale,
    Separate,
    UnderAge,
)
from onshore.rules.pack_clock import Clock, Report, Switch
from onshore.rules.pack_store import Exempted, Keeping, outlives
from onshore.rules.pack_transfer import Leaving
from onshore.rules.pack_words import Words
from onshore.rules.parts import changed
from onshore.rules.phases import begun, days
from onshore.words.errors import Malformed
from onshore.words.lines import place
from onshore.words.strict import among, read, toml
from onshore.words.vocabulary import CATEGORIES

FORMAT = 1
_READ = 64  # texts of packs that are kept read: each site that opens in a process asks for the same


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="kebab"):
    """A table of rules named by reason codes. An absent rule does not exist in that jurisdiction."""


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A text that rules point at by its code."""

    code: str
    law: str
    address: str


class Classes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the categories are in law."""

    sensitive: OnCategories
    personal: OnCategories
    important: OnCategories | None = None
    important_sites: Rule | None = None
    important_scale: Scale | None = None

    def is_personal(self, category: str) -> bool:
        """Whether the category is personal information, sensitive or not."""
        return category in self.sensitive.categories or category in self.personal.categories

    def kind_of(self, category: str) -> str:
        """What the category is: "sensitive", "personal" or "none", with "+important" where it is important data."""
        name = "sensitive" if category in self.sensitive.categories else "none"
        name = "personal" if name == "none" and category in self.personal.categories else name
        return f"{name}+important" if self.important and category in self.important.categories else name


class Ground(Permission, frozen=True, kw_only=True):
    """A ground for keeping: its reason code, and the purposes and categories it is limited to (none: any).

    `doors`: door to the units of its protocol which the law itself has kept.
    """

    code: str
    purposes: tuple[str, ...] | None = None
    categories: tuple[str, ...] | None = None
    doors: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        among("categories", self.categories or (), CATEGORIES)


class Grounds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The grounds that this law knows."""

    consent: Ground
    statutory: Ground | None = None
    contract: Ground | None = None
    emergency: Ground | None = None
    safety: Ground | None = None

    def find(self, name: str) -> Ground | None:
        """The ground of that name, if this law knows it."""
        ground: Ground | None = getattr(self, name)
        return ground


class Collecting(_Part, frozen=True, kw_only=True):
    """Rules on what may be kept."""

    not_in_catalogue: Rule
    restricted_zone: OnCategories | None = None
    must_mask: OnCategories | None = None
    function_not_running: OnGrounds | None = None
    default_off: OnGrounds | None = None


class Consenting(_Part, frozen=True, kw_only=True):
    """Rules on what a consent needs in order to count."""

    no_consent: Rule
    consent_expired: Ending
    consent_withdrawn: Rule
    purpose_not_consented: Rule
    notice_incomplete: Notice
    bundled: Rule
    not_separate: Separate | None = None
    guardian_needed: UnderAge | None = None
    asked_too_soon: Interval | None = None
    biometric_not_for_safety: Limited | None = None


class Pack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """One version of one jurisdiction's law. `home`: jurisdiction codes that are inside; `zone`: IANA name.

    `reviewed_by` stays empty until a named person has reviewed the pack. Without `store` nothing is kept by it.
    `not_covered`: what it leaves out, in sentences. `words`: how its law calls things, for letters. `draft`: it never
    came into force, and is obeyed nowhere.
    """

    format: int
    id: str
    jurisdiction: str
    title: str
    home: tuple[str, ...]
    zone: str
    valid_from: date
    source: tuple[Source, ...]
    classes: Classes
    grounds: Grounds
    collect: Collecting
    consent: Consenting
    transfer: Leaving
    store: Keeping | None = None
    clock: tuple[Clock, ...] = ()
    report: tuple[Report, ...] = ()
    switch: tuple[Switch, ...] = ()
    not_covered: tuple[str, ...] = ()
    words: Words = Words()
    valid_until: date | None = None
    draft: bool = False
    reviewed_by: str = ""

    def as_of(self, day: date) -> "Pack":
        """The pack as it stands on a local day: without what begins only later. One object for each phase."""
        first_days, stands = self._phases
        return stands[bisect_right(first_days, day)]

    @cached_property
    def _phases(self) -> "tuple[tuple[date, ...], tuple[Pack, ...]]":
        """The days on which something begins within this version; the pack before the first of them and from each."""
        first_days = days(rule for _, rule in rules(self))
        return first_days, (*(self._before(day) for day in first_days), self)

    def _before(self, day: date) -> "Pack":
        """The pack as it stood until the day before."""
        found: Pack = changed(self, lambda rule: begun(rule, day))
        return found


@lru_cache(maxsize=_READ)
def parse(text: str, where: str = "pack") -> Pack:
    """Read a pack (`format = 1`); Malformed names the key and what is allowed there.

    Refused besides: an id given to two rules, a mark that points at no source, a switch that is not among the pack's,
    a zone that nobody knows, a rule that begins outside the pack's days or that may not begin within them, and
    consents that may not stand open-ended where the pack is no draft.
    """
    pack = read(Pack, toml(text, where), where, text)
    if pack.format != FORMAT:
        raise Malformed(f"format {pack.format} is not known; allowed: {FORMAT}", where=place(where, "format", text))
    _known_zone(pack.zone, where, text)
    if not (pack.draft or pack.consent.consent_expired.open_ended):
        what = (
            "a site lets a consent stand until it ends or is withdrawn; only a draft (draft = true) may say otherwise"
        )
        raise Malformed(what, where=place(where, "consent.consent-expired.open_ended", text))
    sources = {source.code for source in pack.source}
    switches = {switch.name for switch in pack.switch}
    needed = {rule.id for rule in (*_needed(pack), *_last_resort(pack))}
    seen: set[str] = set()
    for path, rule in rules(pack):
        if rule.id in seen:
            raise Malformed(f"id {rule.id!r} is given to two rules", where=place(where, path, text))
        if missing := _cited(rule) - sources:
            raise Malformed(f"no source {', '.join(sorted(missing))}", where=place(where, f"{path}.mark", text))
        if rule.switch and rule.switch not in switches:
            raise Malformed(f"no switch {rule.switch!r}", where=place(where, f"{path}.switch", text))
        if rule.switch and rule.id in needed:
            what = "every pack needs this rule, so no switch turns it off"
            raise Malformed(what, where=place(where, f"{path}.switch", text))
        if what := _begins_wrongly(rule, pack, needed=rule.id in needed):
            raise Malformed(what, where=place(where, f"{path}.since", text))
        seen.add(rule.id)
    return pack


def rules(part: object, path: str = "") -> Iterator[tuple[str, Rule]]:
    """Every rule of a pack (or part of one) with its path, e.g. ("collect.must-mask", …)."""
    if isinstance(part, Rule):
        yield path, part
    elif isinstance(part, tuple):
        for number, item in enumerate(part):
            yield from rules(item, f"{path}[{number}]")
    elif isinstance(part, msgspec.Struct):
        for field in msgspec.structs.fields(part):
            yield from rules(getattr(part, field.name), f"{path}.{field.encode_name}".lstrip("."))


def _needed(part: msgspec.Struct) -> Iterator[Rule]:
    """The rules that no pack is without."""
    for field in msgspec.structs.fields(part):
        value = getattr(part, field.name)
        if isinstance(value, Rule):
            yield from (value,) if field.required else ()
        elif isinstance(value, msgspec.Struct):
            yield from _needed(value)


def _begins_wrongly(rule: Rule, pack: Pack, *, needed: bool) -> str:
    """What is wrong with the day on which a rule begins; empty where nothing is."""
    for day in days([rule]):
        if needed:
            return "every pack needs this rule, so it begins with the pack"
        if day <= pack.valid_from or (pack.valid_until is not None and pack.valid_until < day):
            return f"{day} does not lie within the pack's days, after the first"
    if isinstance(rule, Exempted) and pack.store is not None and outlives(rule, pack.store.cap):
        return "a cap that it lifts begins earlier; what permits begins with a version of its own, or with its cap"
    return ""


def _last_resort(pack: Pack) -> Iterator[Rule]:
    """What says that nothing carries a transfer: mechanisms cannot do without it."""
    if pack.transfer.mechanism and pack.transfer.no_mechanism is not None:
        yield pack.transfer.no_mechanism


def _cited(rule: Rule) -> set[str]:
    """Codes of the sources that a mark names."""
    return set(rule.mark.removeprefix("seen: ").split(", ")) if rule.mark.startswith("seen") else set()


def _known_zone(name: str, where: str, text: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Malformed(f"{name!r} is no IANA time zone", where=place(where, "zone", text)) from error
