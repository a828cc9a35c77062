"""What a case of the scenario book may expect: the closed lists of verdicts, reasons, routes and warnings."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from onshore.rules.acts import Act, Collect, ConsentAsked, Deadline, Instant, Store, TransferAsked
from onshore.rules.articles import ROUTES
from onshore.rules.clocks import CALENDAR_MISSING, DUE, HOLIDAY_DIFFERS, NO_CLOCK, UNKNOWN
from onshore.rules.moments import moments
from onshore.words.errors import Malformed
from onshore.words.strict import BadValueError, among, read

ACTS: Mapping[str, type[Act]] = {
    "collect": Collect,
    "consent": ConsentAsked,
    "store": Store,
    "transfer": TransferAsked,
    "deadline": Deadline,
}
"""The five acts."""

VERDICTS = {
    "collect": ("keep", "withhold", "mask"),
    "consent": ("accept", "reject"),
    "store": ("keep", "purge", "refuse"),
    "transfer": ("allow", "refuse"),
    "deadline": (DUE, UNKNOWN),
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
    "store": (
        "foreign-sink",
        "first-write-abroad",
        "retention-over",
        "clip-quota",
        "below-retention-floor",
        "within-retention",
        *_FAIL_CLOSED,
    ),
    "deadline": _FAIL_CLOSED,
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

WARNINGS = (CALENDAR_MISSING, HOLIDAY_DIFFERS, NO_CLOCK, *_FAIL_CLOSED)


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a case expects: `reason` and `warning` among those that came, the others equal, where given.

    `due`: a local date, or milliseconds UTC; nothing is due where a warning is expected without it.
    """

    verdict: str | None = None
    reason: str | None = None
    route: str | None = None
    due: Instant | date | None = None
    warning: str | None = None


def expected(table: Mapping[str, Any], act: str, where: str) -> Expected:
    """Read what a case of this act expects; Malformed names the key, and what is allowed there."""
    found = read(Expected, moments(Expected, table, where), where)
    try:
        among("verdict", _some(found.verdict), VERDICTS[act])
        among("reason", _some(found.reason), REASONS[act])
        among("route", _some(found.route), ROUTES if act == "transfer" else ())
        among("warning", _some(found.warning), WARNINGS if act == "deadline" else ())
    except BadValueError as error:
        raise Malformed(error.what, where=f"{where}: {error.where}") from error
    if act != "deadline" and found.due is not None:
        raise Malformed("only a deadline is due", where=f"{where}: due")
    if act == "deadline" and found == Expected():
        raise Malformed("says when it is due, or what one is warned of", where=where)
    if act != "deadline" and found.verdict is None:
        raise Malformed("missing required field `verdict`", where=where)
    return found


def _some(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)
