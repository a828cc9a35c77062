"""Persons: whose age makes a guardian speak for them, what is sensitive for them, and whether their consent is over."""

from datetime import date

from onshore.rules.acts import StandingConsent
from onshore.rules.local import local_day, years_later
from onshore.rules.pack import Pack


def is_minor(born: date | None, at: int, pack: Pack) -> bool:
    """Whether a person is too young to consent alone; nobody is where the pack has no such age.

    The age is reached when the birthday begins, local time (PIPL Art. 28).
    """
    rule = pack.consent.guardian_needed
    return rule is not None and born is not None and local_day(at, pack.zone) < years_later(born, rule.under_years)


def needs_separate(category: str, *, minor: bool, pack: Pack) -> bool:
    """Whether consent to this must be asked for on its own; of a minor everything personal is sensitive."""
    return category in separate_categories(pack) or (minor and pack.classes.is_personal(category))


def separate_categories(pack: Pack) -> tuple[str, ...]:
    """Categories to which consent counts only when asked for on its own; none where the pack has no such rule."""
    rule = pack.consent.not_separate
    if rule is None:
        return ()
    return pack.classes.sensitive.categories if rule.categories is None else rule.categories


def over(consent: StandingConsent, at: int, pack: Pack) -> bool:
    """Whether a consent is past its end; one without an end is, where the law lets none stand open."""
    if consent.until is None:
        return not pack.consent.consent_expired.open_ended
    return consent.until <= at
