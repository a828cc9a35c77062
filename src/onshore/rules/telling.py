"""Telling: what persons must have been told and asked, and what assessed, before their data leaves."""

from collections.abc import Iterator

from onshore.rules.acts import Facts, StandingConsent, TransferAsked
from onshore.rules.pack import Pack
from onshore.words.verdict import Reason


def told_and_asked(act: TransferAsked, facts: Facts, pack: Pack) -> Iterator[Reason]:
    """What lacks before personal information may leave: assessment and notice always, consent on its ground."""
    rules = pack.transfer
    if not facts.papers & set(rules.impact_assessment_missing.papers):
        yield rules.impact_assessment_missing.reason("impact-assessment-missing")
    if not facts.papers & set(rules.notice_missing.papers):
        if facts.papers & set(rules.notice_incomplete.papers):
            yield rules.notice_incomplete.reason("notice-incomplete")
        else:
            yield rules.notice_missing.reason("notice-missing")
    if act.ground == "consent":
        yield from _consent(act, facts, pack)


def separately_consented(act: TransferAsked, facts: Facts, pack: Pack) -> bool:
    """Whether the persons agreed to this export on its own: by paper, or by a consent on record.

    A consent on record that does not stand for this counts against the paper: it is what the person last
    said.
    """
    if act.ground != "consent":
        return False
    if facts.consent is None:
        return bool(facts.papers & set(pack.transfer.separate_consent_missing.papers))
    return _stands(facts.consent, act, facts, pack)


def _consent(act: TransferAsked, facts: Facts, pack: Pack) -> Iterator[Reason]:
    rules = pack.transfer
    if not separately_consented(act, facts, pack):
        yield rules.separate_consent_missing.reason("separate-consent-missing")
    consent = facts.consent
    if consent is None:
        return
    if consent.notice != "complete":
        yield rules.notice_incomplete.reason("notice-incomplete")
    named = not consent.recipients if act.recipient is None else act.recipient in consent.recipients
    if not named:
        yield rules.recipient_not_named.reason("recipient-not-named")


def _stands(consent: StandingConsent, act: TransferAsked, facts: Facts, pack: Pack) -> bool:
    """The consent on record: standing now, separate (or shown so by paper), for purpose and categories."""
    papers = bool(facts.papers & set(pack.transfer.separate_consent_missing.papers))
    personal = {category for category in act.categories if pack.classes.is_personal(category)}
    return (
        (consent.start is None or consent.start <= facts.at)
        and (consent.until is None or facts.at < consent.until)
        and (consent.withdrawn is None or facts.at < consent.withdrawn)
        and (papers or (consent.separate and act.recipient is not None))
        and act.purpose in consent.purposes
        and personal <= set(consent.categories)
    )
