"""What is judged: the acts and facts of the scenario book, with its defaults."""

from datetime import date
from math import isfinite
from typing import Annotated

import msgspec

from onshore.rules.articles import MEANS, NOTICE_ITEMS, PAPERS, ROUTES, STATUSES
from onshore.rules.lengths import Length, length
from onshore.rules.local import FIRST_YEAR, INSTANT, LAST_YEAR, counted
from onshore.rules.pack_clock import CLOCKS
from onshore.rules.pack_store import EXCEPTIONS, RECORDS, SINKS
from onshore.words.strict import BadValueError, among
from onshore.words.vocabulary import CATEGORIES, GROUNDS

MOST = 10**12
"""More than there are persons, devices, days or metres to count."""

Count = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
Measure = Annotated[float, msgspec.Meta(ge=0, le=MOST)]
Code = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
Year = Annotated[int, msgspec.Meta(ge=FIRST_YEAR, le=9999)]
Instant = Annotated[int, INSTANT]
"""Milliseconds UTC."""

ZONES = ("none", "restricted")
SETTINGS = ("on", "off", "unset")
ASKS = ("keep", "purge")
NOTICES = ("complete", "incomplete")
TRANSFER_GROUNDS = ("consent", "contract", "emergency", "statutory")


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"start": "from"}):
    """A table of the scenario book; its key `from` is called `start` here."""


class Collect(_Strict, frozen=True, kw_only=True):
    """An observation reaches the gate."""

    category: str
    purpose: str
    ground: str = "consent"
    person_born: date | None = None
    zone: str = "none"
    masked: bool = False
    in_catalogue: bool = True
    leaves_car: bool = True
    biometric_necessity_memo: bool = False
    function_running: bool = True

    def __post_init__(self) -> None:
        among("category", [self.category], CATEGORIES)
        among("ground", [self.ground], GROUNDS)
        among("zone", [self.zone], ZONES)
        _dated("person_born", self.person_born)


class ConsentAsked(_Strict, frozen=True, kw_only=True):
    """A consent is submitted. `last_refused`: an instant, or a local date."""

    categories: tuple[str, ...]
    purposes: tuple[str, ...]
    notice_items: tuple[str, ...] = ()
    separate: bool = False
    bundled_with: str | None = None
    guardian: bool = False
    person_born: date | None = None
    own_screen: bool = True
    last_refused: Instant | date | None = None

    def __post_init__(self) -> None:
        _some("categories", self.categories)
        _some("purposes", self.purposes)
        among("categories", self.categories, CATEGORIES)
        among("notice_items", self.notice_items, NOTICE_ITEMS)
        _dated("person_born", self.person_born)
        _dated("last_refused", self.last_refused)


class TransferAsked(_Strict, frozen=True, kw_only=True):
    """Something would leave. `produced_in`: the site's own jurisdiction where not given."""

    to: Code
    purpose: str
    categories: tuple[str, ...]
    recipient: str | None = None
    by: str = "file"
    new_persons: Count = 0
    new_devices: Count = 0
    precision_m: Measure | None = None
    subjects_in_dataset: Count = 0
    coordinates: bool = False
    ground: str = "consent"
    produced_in: Code | None = None
    joined_with_local: bool = False
    recipient_status: str = "none"
    near_sensitive_site: bool = False

    def __post_init__(self) -> None:
        _some("categories", self.categories)
        among("categories", self.categories, CATEGORIES)
        among("by", [self.by], MEANS)
        among("ground", [self.ground], TRANSFER_GROUNDS)
        among("recipient_status", [self.recipient_status], STATUSES)
        _measured("precision_m", self.precision_m)


class Store(_Strict, frozen=True, kw_only=True):
    """Something is kept, or to be purged. Its age is `age` (a run such as 2y364d) or `age_days`, else nothing.

    `clips_today`: kept already, before this one. A clip of which neither this nor its seconds is told is none.
    """

    category: str
    place: Code
    kind: str = "primary"
    age_days: Count | None = None
    age: str | None = None
    record: str = "observation"
    ask: str = "keep"
    exception: str = "none"
    clips_today: Count | None = None
    clip_seconds: Measure | None = None

    def __post_init__(self) -> None:
        among("category", [self.category], CATEGORIES)
        among("kind", [self.kind], SINKS)
        among("record", [self.record], RECORDS)
        among("ask", [self.ask], ASKS)
        among("exception", [self.exception], EXCEPTIONS)
        if self.age is not None and self.age_days is not None:
            raise BadValueError("either age or age_days", where="age")
        _measured("clip_seconds", self.clip_seconds)
        self.length()

    def length(self) -> Length:
        """Its age."""
        return length(f"{self.age_days or 0}d" if self.age is None else self.age, "age")


class Deadline(_Strict, frozen=True, kw_only=True):
    """A clock. `start`: the instant, or the local day, on which it begins."""

    what: str
    start: Instant | date

    def __post_init__(self) -> None:
        among("what", [self.what], CLOCKS)
        _dated("from", self.start)


Act = Collect | ConsentAsked | Store | TransferAsked | Deadline


class Exported(_Strict, frozen=True, kw_only=True):
    """Distinct persons already exported this calendar year, local time."""

    sensitive: Count = 0
    ordinary: Count = 0


class GroupExports(_Strict, frozen=True, kw_only=True):
    """What sister companies sent to the same recipient for the same purpose."""

    members: Count | tuple[str, ...] = 0
    ordinary: Count = 0
    sensitive: Count = 0


class StandingConsent(_Strict, frozen=True, kw_only=True):
    """The person's consent on record; it holds over [start, until) and not from `withdrawn` on."""

    purposes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    start: Instant | None = None
    until: Instant | None = None
    separate: bool = False
    withdrawn: Instant | None = None
    notice: str = "complete"

    def __post_init__(self) -> None:
        among("categories", self.categories, CATEGORIES)
        among("notice", [self.notice], NOTICES)


class PermitInForce(_Strict, frozen=True, kw_only=True):
    """Limits of the paper in force, dates inclusive and local. What it does not name it bars."""

    route: str
    purpose: str | None = None
    categories: tuple[str, ...] = ()
    recipient: str | None = None
    persons: Count = 0
    used: Count = 0
    start: date | None = None
    until: date | None = None
    revoked: bool | Instant | date = False

    def __post_init__(self) -> None:
        among("route", [self.route], ROUTES)
        among("categories", self.categories, CATEGORIES)
        _dated("from", self.start)


class Facts(_Strict, frozen=True, kw_only=True):
    """What is known when an act is judged. `at` is the only clock.

    `others_12_months`: distinct persons of whom this recipient was sent anything in twelve months and who are not in
    what is asked now; where nobody counted them, those `exported` this year stand for them.
    """

    at: Instant
    exported: Exported = Exported()
    devices_12_months: Count = 0
    others_12_months: Exported | None = None
    critical_operator: bool = False
    papers: frozenset[str] = frozenset()
    permit: PermitInForce | None = None
    group_exports: GroupExports | None = None
    strict_art3_5: bool = True
    consent: StandingConsent | None = None
    driver_setting: str = "unset"
    calendar_until: Year | None = None
    pack_valid_until: date | None = None

    def __post_init__(self) -> None:
        among("papers", sorted(self.papers), PAPERS)
        among("driver_setting", [self.driver_setting], SETTINGS)
        _dated("at", self.at)


def _some(key: str, values: tuple[str, ...]) -> None:
    if not values:
        raise BadValueError("at least one is needed", where=key)


def _measured(key: str, value: float | None) -> None:
    if value is not None and not isfinite(value):
        raise BadValueError("it is no number that can be measured", where=key)


def _dated(key: str, when: int | date | None) -> None:
    if not counted(when):
        raise BadValueError(f"it lies outside the years {FIRST_YEAR} to {LAST_YEAR}, where days are counted", where=key)
