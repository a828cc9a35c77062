"""The scenario book (format 1): cases read strictly, judged, and held against what they expect."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from onshore.rules.acts import Act, Collect, ConsentAsked, Facts, TransferAsked
from onshore.rules.judge import judge
from onshore.rules.local import local_day
from onshore.rules.pack import Pack
from onshore.words.errors import Malformed
from onshore.words.strict import BadValueError, among, read, toml
from onshore.words.verdict import Verdict

FORMAT = 1

ACTS: Mapping[str, type[Act]] = {"collect": Collect, "consent": ConsentAsked, "transfer": TransferAsked}
"""Acts that this version judges."""

ROUTES = ("none", "exempt", "contract-or-certificate", "assessment", "safeguards", "adequacy")

VERDICTS = {
    "collect": ("keep", "withhold", "mask"),
    "consent": ("accept", "reject"),
    "transfer": ("allow", "refuse"),
}
_FAIL_CLOSED = ("no-rule-pack", "stale-rules")
REASONS = {
    "collect": (
        "consented",
        "statutory",
        "no-consent",
        "default-off",
        "consent-expired",
        "consent-withdrawn",
        "purpose-not-consented",
        "not-separate",
        "biometric-not-for-safety",
        "not-in-catalogue",
        "restricted-zone",
        "must-mask",
        "guardian-needed",
        "function-not-running",
        *_FAIL_CLOSED,
    ),
    "consent": (
        "notice-incomplete",
        "not-separate",
        "bundled",
        "guardian-needed",
        "asked-too-soon",
        "biometric-not-for-safety",
        *_FAIL_CLOSED,
    ),
    "transfer": (
        "exempt",
        "within-permit",
        "assessment-required",
        "contract-or-certificate-required",
        "outside-permit",
        "permit-expired",
        "permit-revoked",
        "impact-assessment-missing",
        "notice-missing",
        "notice-incomplete",
        "separate-consent-missing",
        "survey-approval-required",
        "must-mask",
        "authority-approval-required",
        "recipient-blocked",
        "recipient-not-named",
        "possible-splitting",
        "bulk-threshold",
        "sensitive-site",
        "first-write-abroad",
        "no-mechanism",
        "vehicle-may-not-send-abroad",
        "gatekeeper",
        "not-regulator-notified",
        "transfer-assessment-missing",
        *_FAIL_CLOSED,
    ),
}
"""Reason codes that a case may expect."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a case expects; `reason` among the reasons, `route` equal, where given."""

    verdict: str
    reason: str | None = None
    route: str | None = None


class _Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    title: str
    basis: str
    jurisdiction: str
    at: int
    expect: dict[str, Any]
    given: dict[str, Any] = {}
    collect: dict[str, Any] | None = None
    consent: dict[str, Any] | None = None
    transfer: dict[str, Any] | None = None


@dataclass(frozen=True)
class Case:
    """One case, read."""

    id: str
    title: str
    basis: str
    jurisdiction: str
    act: Act
    facts: Facts
    expect: Expected


@dataclass(frozen=True)
class Outcome:
    """A case and the verdict that came."""

    case: Case
    came: Verdict

    @property
    def passed(self) -> bool:
        """Whether verdict, reason and route are as expected."""
        want, came = self.case.expect, self.came
        return (
            came.verdict == want.verdict
            and (want.reason is None or want.reason in came.codes())
            and (want.route is None or want.route == came.route)
        )

    def line(self) -> str:
        """What was expected, what came, and the rules that fired with their articles."""
        want = ", ".join(filter(None, (self.case.expect.verdict, self.case.expect.reason, self.case.expect.route)))
        fired = "; ".join(f"{reason.code} ({reason.article})" for reason in self.came.reasons) or "no rule fired"
        came = ", ".join(filter(None, (self.came.verdict, self.came.route)))
        return f"{self.case.id}: expected {want}; came {came}: {fired}"


def tables(text: str, where: str) -> list[dict[str, Any]]:
    """The cases of a book as they stand, not yet read. Malformed where the file is no book of format 1."""
    book = toml(text, where)
    if extra := sorted(set(book) - {"format", "scenario"}):
        raise Malformed(f"unknown key {', '.join(extra)}; allowed: format, scenario", where=where)
    if book.get("format") != FORMAT:
        raise Malformed(f"format {book.get('format')} is not known; allowed: {FORMAT}", where=where)
    cases = book.get("scenario", [])
    if not isinstance(cases, list) or not all(isinstance(case, dict) for case in cases):
        raise Malformed("cases are tables [[scenario]]", where=where)
    return cases


def read_case(table: Mapping[str, Any], where: str) -> Case:
    """Read one case. Malformed names the file (`where`), the case and the key; nothing is skipped."""
    here = f"{where}: {table.get('id', 'case without id')}"
    raw = read(_Case, _instants(dict(table), here), here)
    acts = [name for name in ACTS if getattr(raw, name) is not None]
    if len(acts) != 1:
        raise Malformed(f"a case has exactly one act of {', '.join(ACTS)}", where=here)
    if "at" in raw.given:
        raise Malformed("unknown key at; the clock is the case's own", where=f"{here}: given")
    return Case(
        id=raw.id,
        title=raw.title,
        basis=raw.basis,
        jurisdiction=raw.jurisdiction,
        act=read(ACTS[acts[0]], getattr(raw, acts[0]), f"{here}: {acts[0]}"),
        facts=read(Facts, {**raw.given, "at": raw.at}, f"{here}: given"),
        expect=_expected(raw.expect, acts[0], f"{here}: expect"),
    )


def check(text: str, packs: Iterable[Pack], where: str) -> list[Outcome]:
    """Read a book and judge every case by the pack that is in force there and then."""
    known = tuple(packs)
    cases = [read_case(table, where) for table in tables(text, where)]
    return [Outcome(case, judge(case.act, case.facts, in_force(case, known))) for case in cases]


def in_force(case: Case, packs: Iterable[Pack]) -> Pack | None:
    """The newest pack of the jurisdiction that has begun; where none has, the oldest, which then is stale."""
    own = sorted((p for p in packs if p.jurisdiction == case.jurisdiction), key=lambda p: p.valid_from)
    begun = [p for p in own if p.valid_from <= local_day(case.facts.at, p.zone)]
    return begun[-1] if begun else next(iter(own), None)


def _expected(table: object, act: str, where: str) -> Expected:
    expected = read(Expected, table, where)
    try:
        among("verdict", [expected.verdict], VERDICTS[act])
        among("reason", [expected.reason] if expected.reason else [], REASONS[act])
        among("route", [expected.route] if expected.route else [], ROUTES)
    except BadValueError as error:
        raise Malformed(error.what, where=f"{where}: {error.where}") from error
    return expected


def _instants(value: Any, where: str) -> Any:
    """Date-times become milliseconds UTC; one without an offset is refused, for nobody can say when it is."""
    if isinstance(value, dict):
        return {key: _instants(item, f"{where}: {key}") for key, item in value.items()}
    if isinstance(value, list):
        return [_instants(item, where) for item in value]
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise Malformed("a date and time needs an offset, e.g. +08:00", where=where)
        return (value - _EPOCH) // timedelta(milliseconds=1)
    return value
