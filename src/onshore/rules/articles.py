"""The shapes of rules in a pack: each with an id, its article and how well that is known."""

import re
from datetime import date
from typing import Annotated

import msgspec

from onshore.words.strict import BadValueError, among
from onshore.words.verdict import Reason
from onshore.words.vocabulary import CATEGORIES, GROUNDS

Years = Annotated[int, msgspec.Meta(ge=0, le=200)]
Days = Annotated[int, msgspec.Meta(ge=0, le=73_000)]
Figure = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
"""Numbers that a rule may hold: none is negative, and from no day that is counted do they lead out of the calendar."""

KINDS = ("LAW", "MGB", "STD", "POLICY", "INT", "DRAFT")
"""Binding text, mandatory standard, other standard or guide, our policy, interpretation, not in force."""

PAPERS = (
    "standard-contract",
    "certificate",
    "assessment",
    "impact-assessment",
    "export-notice",
    "export-notice-incomplete",
    "separate-consent",
    "risk-assessment",
    "survey-approval",
    "authority-approval",
    "adequacy",
    "transfer-assessment",
    "regulator-notified",
    "restricted-transaction-programme",
    "counsel-opinion-art3-5",
    "filed-vulnerability-report",
)
NOTICE_ITEMS = (
    "types",
    "circumstances-and-how-to-stop",
    "purpose-and-method",
    "place-and-period",
    "access-and-deletion",
    "contact",
    "other",
)
EXPORT_ITEMS = ("recipient", "contact", "purpose", "method", "types", "rights")
"""What a notice of an export may say; a pack's rule on incomplete ones has it say all of it (PIPL Art. 39)."""
ROUTES = ("none", "exempt", "contract-or-certificate", "assessment", "safeguards", "adequacy")
MEANS = ("file", "query", "view", "vehicle", "authority")
STATUSES = ("none", "blocked", "covered-person", "gatekeeper", "consumer-reporting-agency")

_MARK = re.compile(r"mem-[HML]|seen: S\d\d(, S\d\d)*")


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One rule. `mark`: "seen: S01" or "mem-H"; `kind`: of KINDS; `verify`: not held against the text yet.

    `binds_recipient`: it is asked as well where only the recipient stands in this jurisdiction. `switch`: the name of
    the setting by which counsel of a site may do without it. `since`: the first local day of a rule that begins within
    the pack's own days; before, it does not exist.
    """

    id: str
    article: str
    mark: str
    kind: str
    says: str
    remedy: str = ""
    verify: bool = False
    binds_recipient: bool = False
    switch: str = ""
    since: date | None = None

    def __post_init__(self) -> None:
        among("kind", [self.kind], KINDS)
        if not _MARK.fullmatch(self.mark):
            raise BadValueError(f"{self.mark!r} is neither like 'seen: S01, S02' nor mem-H, mem-M, mem-L", where="mark")
        for key in ("id", "article", "says"):
            if not getattr(self, key).strip():
                raise BadValueError("may not be empty", where=key)

    def reason(self, code: str) -> Reason:
        """This rule as a reason of a verdict."""
        return Reason(code, self.article, self.says, self.remedy)


class Permission(Rule, frozen=True, kw_only=True):
    """A rule that permits. It begins with the pack alone: within one pack's days the law only ever asks for more."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.since is not None:
            raise BadValueError("what permits begins with a version of its own, with its valid_from", where="since")


class OnCategories(Rule, frozen=True, kw_only=True):
    """A rule that concerns some categories of data."""

    categories: tuple[str, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        among("categories", self.categories, CATEGORIES)


class OnGrounds(Rule, frozen=True, kw_only=True):
    """A rule that asks something of collection on some grounds."""

    grounds: tuple[str, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        among("grounds", self.grounds, GROUNDS)


class OnPapers(Rule, frozen=True, kw_only=True):
    """A rule that asks for one of some papers."""

    papers: tuple[str, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        among("papers", self.papers, PAPERS)


class OnRoutes(OnPapers, frozen=True, kw_only=True):
    """A rule that asks for one of some papers before personal data leaves.

    `routes`, `to`, `grounds`: it is asked on these alone (none named: on all). `sensitive`: it is asked besides on
    any route when sensitive categories leave.
    """

    routes: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    grounds: tuple[str, ...] = ()
    sensitive: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        among("routes", self.routes, ROUTES)
        among("grounds", self.grounds, GROUNDS)


class Asking(OnPapers, frozen=True, kw_only=True):
    """A rule that asks for a paper from some askers, and for some categories whoever asks."""

    by: tuple[str, ...] = ("authority",)
    categories: tuple[str, ...] = ()
    important: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        among("by", self.by, MEANS)
        among("categories", self.categories, CATEGORIES)


class OnStatuses(Rule, frozen=True, kw_only=True):
    """A rule that concerns recipients of some status."""

    statuses: tuple[str, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        among("statuses", self.statuses, STATUSES)


class Barred(OnStatuses, frozen=True, kw_only=True):
    """A rule that bars recipients of some status, or in some jurisdictions, from some categories (none named: all)."""

    to: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        among("categories", self.categories, CATEGORIES)


class ByMeans(Rule, frozen=True, kw_only=True):
    """A rule against some means of sending some categories (none named: all)."""

    by: tuple[str, ...]
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        among("by", self.by, MEANS)
        among("categories", self.categories, CATEGORIES)


class Separate(Rule, frozen=True, kw_only=True):
    """A rule for consent asked on its own. `categories`: those that need it; none given: the sensitive ones."""

    categories: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        among("categories", self.categories or (), CATEGORIES)


class Limited(OnCategories, frozen=True, kw_only=True):
    """Categories that serve some purposes alone; `memo`: only where their necessity was written down."""

    purposes: tuple[str, ...]
    memo: bool = False


class UnderAge(Rule, frozen=True, kw_only=True):
    """A rule for persons younger than `under_years`, by their birthday in the pack's zone."""

    under_years: Years


class Ending(Rule, frozen=True, kw_only=True):
    """A rule on consents that have ended. `open_ended`: whether one without an end stands at all."""

    open_ended: bool = True


class Notice(Rule, frozen=True, kw_only=True):
    """The items that a notice must have."""

    items: tuple[str, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        among("items", self.items, NOTICE_ITEMS)


class Interval(Rule, frozen=True, kw_only=True):
    """A rule that asks for some days between two acts."""

    days: Days


class Scale(Rule, frozen=True, kw_only=True):
    """A rule for data of more than so many persons, unless one of some papers is on file."""

    more_than: Figure
    unless_papers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        among("unless_papers", self.unless_papers, PAPERS)


class Survey(OnPapers, frozen=True, kw_only=True):
    """Papers for some categories and, with `coordinates`, for any data that carries coordinates."""

    categories: tuple[str, ...]
    coordinates: bool

    def __post_init__(self) -> None:
        super().__post_init__()
        among("categories", self.categories, CATEGORIES)
