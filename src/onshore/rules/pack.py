"""A pack: the law of one jurisdiction as data, read strictly from its TOML."""

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from onshore.rules.articles import (
    PAPERS,
    Interval,
    Limited,
    Notice,
    OnCategories,
    OnGrounds,
    OnPapers,
    OnPurposes,
    OnStatuses,
    Rule,
    Scale,
    Survey,
    UnderAge,
)
from onshore.words.errors import Malformed
from onshore.words.strict import BadValueError, among, read, toml
from onshore.words.vocabulary import CATEGORIES, GROUNDS

FORMAT = 1


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
    important: OnCategories
    important_sites: Rule | None = None
    important_scale: Scale | None = None

    def is_personal(self, category: str) -> bool:
        """Whether the category is personal information, sensitive or not."""
        return category in self.sensitive.categories or category in self.personal.categories


class Ground(Rule, frozen=True, kw_only=True):
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
    consent_expired: Rule
    consent_withdrawn: Rule
    purpose_not_consented: Rule
    notice_incomplete: Notice
    bundled: Rule
    not_separate: Rule | None = None
    guardian_needed: UnderAge | None = None
    asked_too_soon: Interval | None = None
    biometric_not_for_safety: Limited | None = None


class Exemption(Rule, frozen=True, kw_only=True):
    """Frees personal information from the routes, for a ground or for whoever holds one of some papers.

    `papers_follow`: the other papers may come later. `critical_operator`: whether it frees those as well.
    """

    ground: str | None = None
    papers: tuple[str, ...] = ()
    papers_follow: bool = False
    critical_operator: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        among("ground", [self.ground] if self.ground else [], GROUNDS)
        among("papers", self.papers, PAPERS)
        if not self.ground and not self.papers:
            raise BadValueError("an exemption names a ground or papers", where="ground")


class Route(Rule, frozen=True, kw_only=True):
    """A route and what makes it necessary; its `id` is a route of the scenario book, `code` the reason code.

    `ordinary_from`, `sensitive_from`: distinct persons in the calendar year, this transfer included.
    `lasts_years`: a permit for it runs out then at the latest.
    """

    code: str = ""
    papers: tuple[str, ...] = ()
    ordinary_from: int | None = None
    sensitive_from: int | None = None
    important: bool = False
    critical_operator: bool = False
    lasts_years: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        among("papers", self.papers, PAPERS)
        if bool(self.code) != bool(self.papers):
            raise BadValueError("a route that asks for papers names a reason code, and only such a route", where="code")


class Permits(_Part, frozen=True, kw_only=True):
    """Rules on transfers under a permit."""

    within_permit: Rule
    outside_permit: Rule
    permit_expired: Rule
    permit_revoked: Rule


class Leaving(_Part, frozen=True, kw_only=True):
    """Rules on what may leave; routes from the lightest to the strictest."""

    inside: Rule
    foreign_origin: Rule
    no_personal: Rule
    impact_assessment_missing: OnPapers
    notice_missing: OnPapers
    notice_incomplete: OnPapers
    separate_consent_missing: OnPapers
    recipient_not_named: Rule
    recipient_blocked: OnStatuses
    possible_splitting: Rule
    permit: Permits
    route: tuple[Route, ...]
    exemption: tuple[Exemption, ...] = ()
    vehicle_may_not_send_abroad: Rule | None = None
    authority_approval_required: OnPapers | None = None
    survey_approval_required: Survey | None = None
    must_mask: OnCategories | None = None
    no_mechanism: OnPurposes | None = None

    def __post_init__(self) -> None:
        if not self.route or self.route[0].papers:
            raise BadValueError("the first route is the one that asks for no papers", where="route")


class Pack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version of one jurisdiction's law. `home`: jurisdiction codes that are inside; `zone`: IANA name.

    `reviewed_by` stays empty until a named person has reviewed the pack.
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
    valid_until: date | None = None
    reviewed_by: str = ""


def parse(text: str, where: str = "pack") -> Pack:
    """Read a pack (`format = 1`); Malformed names the key and what is allowed there.

    Refused besides: an id given to two rules, a mark that points at no source, a zone that nobody knows.
    """
    pack = read(Pack, toml(text, where), where)
    if pack.format != FORMAT:
        raise Malformed(f"format {pack.format} is not known; allowed: {FORMAT}", where=where)
    _known_zone(pack.zone, where)
    sources = {source.code for source in pack.source}
    seen: set[str] = set()
    for path, rule in rules(pack):
        if rule.id in seen:
            raise Malformed(f"id {rule.id!r} is given to two rules", where=f"{where}: {path}")
        if missing := _cited(rule) - sources:
            raise Malformed(f"no source {', '.join(sorted(missing))}", where=f"{where}: {path}.mark")
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


def _cited(rule: Rule) -> set[str]:
    """Codes of the sources that a mark names."""
    return set(rule.mark.removeprefix("seen: ").split(", ")) if rule.mark.startswith("seen") else set()


def _known_zone(name: str, where: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Malformed(f"{name!r} is no IANA time zone", where=f"{where}: zone") from error
