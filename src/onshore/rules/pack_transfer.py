"""The part of a pack on leaving: routes by count, mechanisms by destination, and what bars the way."""

from datetime import date
from typing import Annotated

import msgspec

from onshore.rules.articles import (
    PAPERS,
    ROUTES,
    STATUSES,
    Asking,
    Barred,
    ByMeans,
    Figure,
    OnCategories,
    OnPapers,
    OnRoutes,
    Permission,
    Rule,
    Survey,
    Years,
)
from onshore.words.strict import BadValueError, among
from onshore.words.vocabulary import CATEGORIES, GROUNDS

Metres = Annotated[float, msgspec.Meta(ge=0, le=10**9)]


class Exemption(Permission, frozen=True, kw_only=True):
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

    `ordinary_from`, `sensitive_from`: distinct persons in the calendar year, this transfer included; with
    `counts_since` these figures are asked from that local day on, and the rest of the route before.
    `lasts_years`: a permit for it runs out then at the latest.
    """

    code: str = ""
    papers: tuple[str, ...] = ()
    ordinary_from: Figure | None = None
    sensitive_from: Figure | None = None
    counts_since: date | None = None
    important: bool = False
    critical_operator: bool = False
    lasts_years: Years | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        among("papers", self.papers, PAPERS)
        if bool(self.code) != bool(self.papers):
            raise BadValueError("a route that asks for papers names a reason code, and only such a route", where="code")
        if not self.papers and (self.since or self.counts_since):
            raise BadValueError("what permits begins with a version of its own, with its valid_from", where="since")


class Mechanism(Permission, frozen=True, kw_only=True):
    """What carries personal data to some destinations (none named: to any), on a ground or on any.

    One of `papers` (none: no paper) and all of `also` must be on file. `until`: the last local day of relying on it.
    """

    route: str
    to: tuple[str, ...] = ()
    until: date | None = None
    ground: str | None = None
    papers: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    papers_follow: bool = False
    lasts_years: Years | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        among("route", [self.route], ROUTES)
        among("ground", [self.ground] if self.ground else [], GROUNDS)
        among("papers", self.papers, PAPERS)
        among("also", self.also, PAPERS)


class NoMechanism(Rule, frozen=True, kw_only=True):
    """Why something does not leave: it serves one of `purposes`, or no mechanism carries it.

    For the latter `route` is reported, `papers` named as missing, and `codes` given as further reasons.
    """

    purposes: tuple[str, ...] = ()
    route: str = "safeguards"
    papers: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        among("route", [self.route], ROUTES)
        among("papers", self.papers, PAPERS)


class Located(Rule, frozen=True, kw_only=True):
    """A rule on recipients of concern: by jurisdiction or by status.

    `coordinates`: it concerns besides whatever other data carries coordinates. `within_m`: it concerns positions no
    coarser than this; one of unknown precision counts as fine.
    """

    categories: tuple[str, ...]
    to: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    within_m: Metres | None = None
    coordinates: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        among("categories", self.categories, CATEGORIES)
        among("statuses", self.statuses, STATUSES)


class Bulk(Located, frozen=True, kw_only=True, rename={"start": "from"}):
    """A rule on volume: the guard refuses when the total with this transfer reaches `from`, unless a paper helps."""

    count: str
    start: Figure
    papers: tuple[str, ...] = ()
    route: str = "safeguards"

    def __post_init__(self) -> None:
        super().__post_init__()
        among("count", [self.count], ("devices", "persons"))
        among("papers", self.papers, PAPERS)
        among("route", [self.route], ROUTES)


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="kebab"):
    """A table of rules named by reason codes. An absent rule does not exist in that jurisdiction."""


class Permits(_Part, frozen=True, kw_only=True):
    """Rules on transfers under a permit."""

    within_permit: Permission
    outside_permit: Rule
    permit_expired: Rule
    permit_revoked: Rule


class Leaving(_Part, frozen=True, kw_only=True):
    """Rules on what may leave: by routes from the lightest to the strictest, or by mechanisms in their order."""

    inside: Permission
    permit: Permits
    route: tuple[Route, ...] = ()
    mechanism: tuple[Mechanism, ...] = ()
    exemption: tuple[Exemption, ...] = ()
    bulk: tuple[Bulk, ...] = ()
    foreign_origin: Permission | None = None
    no_personal: Permission | None = None
    impact_assessment_missing: OnRoutes | None = None
    notice_missing: OnRoutes | None = None
    notice_incomplete: OnRoutes | None = None
    separate_consent_missing: OnRoutes | None = None
    transfer_assessment_missing: OnRoutes | None = None
    not_regulator_notified: OnRoutes | None = None
    recipient_not_named: Rule | None = None
    recipient_blocked: Barred | None = None
    gatekeeper: Barred | None = None
    first_write_abroad: ByMeans | None = None
    vehicle_may_not_send_abroad: Rule | None = None
    authority_approval_required: Asking | None = None
    survey_approval_required: Survey | None = None
    sensitive_site: Located | None = None
    must_mask: OnCategories | None = None
    no_mechanism: NoMechanism | None = None
    possible_splitting: Rule | None = None

    def __post_init__(self) -> None:
        if bool(self.route) == bool(self.mechanism):
            raise BadValueError("either routes or mechanisms are needed, and not both", where="route")
        if self.route and self.route[0].papers:
            raise BadValueError("the first route is the one that asks for no papers", where="route")
        if self.mechanism and self.no_mechanism is None:
            raise BadValueError("says what is missing where no mechanism fits", where="no-mechanism")


def first_paper(rule: OnPapers | Route | NoMechanism | None) -> str | None:
    """The paper that a rule would have, of alternatives the first."""
    return rule.papers[0] if rule is not None and rule.papers else None
