"""Consenting: whether a consent that is submitted counts."""

from collections.abc import Iterator
from datetime import date, timedelta

from onshore.rules.acts import ConsentAsked, Facts
from onshore.rules.local import DAY_MS, local_day
from onshore.rules.pack import Pack
from onshore.rules.persons import is_minor, needs_separate
from onshore.words.verdict import Reason, Verdict


def judge_consent(act: ConsentAsked, facts: Facts, pack: Pack) -> Verdict:
    """`accept`, or `reject` with every reason."""
    reasons = (*_form(act, facts, pack), *_person(act, facts, pack), *_purposes(act, pack))
    return Verdict("reject" if reasons else "accept", reasons)


def _form(act: ConsentAsked, facts: Facts, pack: Pack) -> Iterator[Reason]:
    """How it was asked for."""
    rules = pack.consent
    if not set(rules.notice_incomplete.items) <= set(act.notice_items):
        yield rules.notice_incomplete.reason("notice-incomplete")
    if act.bundled_with not in {None, "none"}:
        yield rules.bundled.reason("bundled")
    minor = is_minor(act.person_born, facts.at, pack)
    on_its_own = act.separate and act.own_screen
    sensitive = any(needs_separate(category, minor=minor, pack=pack) for category in act.categories)
    if rules.not_separate and sensitive and not on_its_own:
        yield rules.not_separate.reason("not-separate")


def _person(act: ConsentAsked, facts: Facts, pack: Pack) -> Iterator[Reason]:
    """Who was asked, and when last."""
    rules = pack.consent
    if rules.guardian_needed and is_minor(act.person_born, facts.at, pack) and not act.guardian:
        yield rules.guardian_needed.reason("guardian-needed")
    if rules.asked_too_soon and _too_soon(act.last_refused, facts.at, rules.asked_too_soon.days, pack.zone):
        yield rules.asked_too_soon.reason("asked-too-soon")


def _purposes(act: ConsentAsked, pack: Pack) -> Iterator[Reason]:
    """What it would serve. The memo is asked for when something is collected."""
    limit = pack.consent.biometric_not_for_safety
    if limit and set(act.categories) & set(limit.categories) and not set(act.purposes) <= set(limit.purposes):
        yield limit.reason("biometric-not-for-safety")


def _too_soon(refused: int | date | None, at: int, days: int, zone: str) -> bool:
    """Whether fewer than `days` lie between: to the millisecond for an instant, local days for a date."""
    if refused is None:
        return False
    if isinstance(refused, date):
        return local_day(at, zone) < refused + timedelta(days=days)
    return at < refused + days * DAY_MS
