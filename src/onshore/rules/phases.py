"""Phases: the days on which rules begin within a pack, and what a rule is before its day."""

from collections.abc import Iterable
from datetime import date

from msgspec.structs import replace

from onshore.rules.articles import Rule
from onshore.rules.pack_transfer import Route


def days(found: Iterable[Rule]) -> tuple[date, ...]:
    """The days on which some of these rules begin, in order."""
    each = (day for rule in found for day in (rule.since, getattr(rule, "counts_since", None)))
    return tuple(sorted({day for day in each if day is not None}))


def begun(rule: Rule, day: date) -> Rule | None:
    """What there is of a rule on the days before `day`; None where it begins only then or later.

    Of a route there remains what a paper for it carries: a paper given early is worth no less than one given late.
    """
    if not isinstance(rule, Route):
        return None if rule.since is not None and rule.since >= day else rule
    if rule.since is not None and rule.since >= day:
        return replace(
            rule, ordinary_from=None, sensitive_from=None, important=False, critical_operator=False, since=None
        )
    if rule.counts_since is not None and rule.counts_since >= day:
        return replace(rule, ordinary_from=None, sensitive_from=None, counts_since=None)
    return rule
