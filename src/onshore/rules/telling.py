"""Telling: what persons must have been told and asked, and what assessed, before their data leaves."""

from collections.abc import Iterator

from onshore.rules.acts import Facts, StandingConsent, TransferAsked
from onshore.rules.articles import OnRoutes
from onshore.rules.pack import Pack
from onshore.rules.persons import over
from onshore.words.verdict import Reason

SEPARATE = "separate-consent"
INCOMPLETE = "notice-incomplete"
NO_CONSENT = "separate-consent-missing"
NOT_NAMED = "recipient-not-named"


def told_and_asked(act: TransferAsked, facts: Facts, pack: Pack, route: str, *, sensitive: bool) -> Iterator[Reason]:
    """What lacks before personal information may leave by a route; consent is asked for on its ground alone."""
    rules = pack.transfer
    for rule, code in (
        (rules.impact_assessment_missing, "impact-assessment-missing"),
        (rules.transfer_assessment_missing, "transfer-assessment-missing"),
        (rules.not_regulator_notified, "not-regulator-notified"),
    ):
        if rule and _asked(rule, act, route, sensitive=sensitive) and not facts.papers & set(rule.papers):
            yield rule.reason(code)
    if rules.notice_missing and _asked(rules.notice_missing, act, route, sensitive=sensitive):
        yield from _notice(rules.notice_missing, facts, pack)
    if act.ground == "consent":
        yield from _consent(act, facts, pack, route, sensitive=sensitive)


def separately_consented(act: TransferAsked, facts: Facts, pack: Pack) -> bool:
    """Whether the persons agreed to this export on its own: by paper, or by a consent on record.

    A consent on record that does not stand for this counts against the paper: it is what the person last
    said.
    """
    if act.ground != "consent":
        return False
    if facts.consent is None:
        return _by_paper(facts, pack)
    return _stands(facts.consent, act, facts, pack)


def on_file(paper: str, act: TransferAsked, facts: Facts, pack: Pack) -> bool:
    """Whether a paper counts; a separate consent by what the person last said."""
    return separately_consented(act, facts, pack) if paper == SEPARATE else paper in facts.papers


def _asked(rule: OnRoutes, act: TransferAsked, route: str, *, sensitive: bool) -> bool:
    """Whether a rule concerns this destination, ground and route."""
    here = (not rule.to or act.to in rule.to) and (not rule.grounds or act.ground in rule.grounds)
    return here and (not rule.routes or route in rule.routes or (rule.sensitive and sensitive))


def _notice(rule: OnRoutes, facts: Facts, pack: Pack) -> Iterator[Reason]:
    lacks = pack.transfer.notice_incomplete
    if facts.papers & set(rule.papers):
        return
    if lacks and facts.papers & set(lacks.papers):
        yield lacks.reason(INCOMPLETE)
    else:
        yield rule.reason("notice-missing")


def _consent(act: TransferAsked, facts: Facts, pack: Pack, route: str, *, sensitive: bool) -> Iterator[Reason]:
    rules, consent = pack.transfer, facts.consent
    separate = rules.separate_consent_missing
    if separate and _asked(separate, act, route, sensitive=sensitive) and not separately_consented(act, facts, pack):
        yield separate.reason(NO_CONSENT)
    if consent is None:
        return
    if not separate or not _asked(separate, act, route, sensitive=sensitive):
        yield from _lapsed(act, consent, facts, pack)
    if rules.notice_incomplete and consent.notice != "complete":
        yield rules.notice_incomplete.reason(INCOMPLETE)
    named = not consent.recipients if act.recipient is None else act.recipient in consent.recipients
    if rules.recipient_not_named and not named:
        yield rules.recipient_not_named.reason(NOT_NAMED)


def _lapsed(act: TransferAsked, consent: StandingConsent, facts: Facts, pack: Pack) -> Iterator[Reason]:
    """Why what the person last said does not carry this export: without a consent to it its ground is gone."""
    rules = pack.consent
    if consent.start is not None and facts.at < consent.start:
        yield rules.no_consent.reason(NO_CONSENT)
    if over(consent, facts.at, pack):
        yield rules.consent_expired.reason(NO_CONSENT)
    if consent.withdrawn is not None and consent.withdrawn <= facts.at:
        yield rules.consent_withdrawn.reason(NO_CONSENT)
    if act.purpose not in consent.purposes:
        yield rules.purpose_not_consented.reason(NO_CONSENT)
    if not _personal(act, pack) <= set(consent.categories):
        yield rules.no_consent.reason(NO_CONSENT)
    if consent.recipients and act.recipient not in consent.recipients and not pack.transfer.recipient_not_named:
        yield rules.no_consent.reason(NOT_NAMED)


def _stands(consent: StandingConsent, act: TransferAsked, facts: Facts, pack: Pack) -> bool:
    """The consent on record: standing now, separate (or shown so by paper), for purpose and categories."""
    return (
        (consent.start is None or consent.start <= facts.at)
        and not over(consent, facts.at, pack)
        and (consent.withdrawn is None or facts.at < consent.withdrawn)
        and (_by_paper(facts, pack) or (consent.separate and act.recipient is not None))
        and act.purpose in consent.purposes
        and _personal(act, pack) <= set(consent.categories)
    )


def _personal(act: TransferAsked, pack: Pack) -> set[str]:
    return {category for category in act.categories if pack.classes.is_personal(category)}


def _by_paper(facts: Facts, pack: Pack) -> bool:
    rule = pack.transfer.separate_consent_missing
    return bool(facts.papers & set(rule.papers if rule else (SEPARATE,)))
