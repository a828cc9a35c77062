"""Collecting: whether an observation that reaches the gate may be kept."""

from collections.abc import Iterator

from onshore.rules.acts import Collect, Facts, StandingConsent
from onshore.rules.pack import Ground, Pack
from onshore.rules.persons import is_minor, needs_separate, over
from onshore.words.verdict import Reason, Verdict


def judge_collect(act: Collect, facts: Facts, pack: Pack) -> Verdict:
    """`keep`, `withhold` or `mask`, with every reason. A ground that does not fit the act is no ground."""
    ground = pack.grounds.find(act.ground)
    withheld = [*_never(act, pack), *_not_now(act, facts, pack), *_no_ground(act, facts, ground, pack)]
    masked = list(_unmasked(act, pack))
    if withheld:
        return Verdict("withhold", tuple(withheld + masked))
    if masked:
        return Verdict("mask", tuple(masked))
    return Verdict("keep", (ground.reason(ground.code),) if ground else ())


def _never(act: Collect, pack: Pack) -> Iterator[Reason]:
    """What no ground helps against."""
    rules = pack.collect
    if not act.in_catalogue:
        yield rules.not_in_catalogue.reason("not-in-catalogue")
    zone = rules.restricted_zone
    if zone and act.zone == "restricted" and act.category in zone.categories:
        yield zone.reason("restricted-zone")
    limit = pack.consent.biometric_not_for_safety
    if limit and act.category in limit.categories:
        unfounded = limit.memo and not act.biometric_necessity_memo
        if act.purpose not in limit.purposes or unfounded:
            yield limit.reason("biometric-not-for-safety")


def _not_now(act: Collect, facts: Facts, pack: Pack) -> Iterator[Reason]:
    """What a switch of the driver or a running function would change."""
    idle = pack.collect.function_not_running
    if idle and act.ground in idle.grounds and not act.function_running:
        yield idle.reason("function-not-running")
    off = pack.collect.default_off
    if off and act.ground in off.grounds and facts.driver_setting != "on":
        yield off.reason("default-off")


def _no_ground(act: Collect, facts: Facts, ground: Ground | None, pack: Pack) -> Iterator[Reason]:
    """Why the ground does not carry the act."""
    rules = pack.consent
    if ground is None or (ground.categories is not None and act.category not in ground.categories):
        yield rules.no_consent.reason("no-consent")
    if ground and ground.purposes is not None and act.purpose not in ground.purposes:
        yield rules.purpose_not_consented.reason("purpose-not-consented")
    if act.ground == "consent":
        yield from _consent_lacks(act, facts, pack)


def _consent_lacks(act: Collect, facts: Facts, pack: Pack) -> Iterator[Reason]:
    rules, consent = pack.consent, facts.consent
    minor = is_minor(act.person_born, facts.at, pack)
    if minor and rules.guardian_needed:
        yield rules.guardian_needed.reason("guardian-needed")
    if consent is None or not _covers(consent, act.category, facts.at):
        yield rules.no_consent.reason("no-consent")
    if consent is None:
        return
    if over(consent, facts.at, pack):
        yield rules.consent_expired.reason("consent-expired")
    if consent.withdrawn is not None and consent.withdrawn <= facts.at:
        yield rules.consent_withdrawn.reason("consent-withdrawn")
    if act.purpose not in consent.purposes:
        yield rules.purpose_not_consented.reason("purpose-not-consented")
    separate = needs_separate(act.category, minor=minor, pack=pack)
    if rules.not_separate and separate and not consent.separate:
        yield rules.not_separate.reason("not-separate")


def _covers(consent: StandingConsent, category: str, at: int) -> bool:
    """Begun, given under a complete notice, and for this category."""
    begun = consent.start is None or consent.start <= at
    return begun and consent.notice == "complete" and category in consent.categories


def _unmasked(act: Collect, pack: Pack) -> Iterator[Reason]:
    """People on the road never consented, whatever the owner did; what stays in the car concerns no one."""
    rule = pack.collect.must_mask
    if rule and act.category in rule.categories and act.leaves_car and not act.masked:
        yield rule.reason("must-mask")
