"""What holds for every verdict: nothing widens, order does not matter, every reason has an article."""

from datetime import date

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from law import AT, cn_pack
from onshore.rules.acts import (
    MEANS,
    SETTINGS,
    STATUSES,
    TRANSFER_GROUNDS,
    ZONES,
    Collect,
    Exported,
    Facts,
    GroupExports,
    PermitInForce,
    StandingConsent,
    TransferAsked,
)
from onshore.rules.articles import PAPERS
from onshore.rules.judge import judge
from onshore.words.vocabulary import CATEGORIES, GROUNDS

PURPOSES = ("driving-safety", "repair", "statutory-monitoring")
RECIPIENTS = ("plant-1", "plant-2")
COUNTS = st.sampled_from([0, 1, 9_998, 9_999, 99_998, 99_999, 100_000, 100_001, 999_999, 1_000_000])
some_categories = st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=3, unique=True).map(tuple)
instants = st.integers(AT - 3, AT + 3)
consents = st.builds(
    StandingConsent,
    purposes=st.lists(st.sampled_from(PURPOSES), unique=True).map(tuple),
    categories=some_categories,
    recipients=st.lists(st.sampled_from(RECIPIENTS), unique=True).map(tuple),
    start=st.none() | instants,
    until=st.none() | instants,
    separate=st.booleans(),
    withdrawn=st.none() | instants,
    notice=st.sampled_from(("complete", "complete", "incomplete")),
)
permits = st.builds(
    PermitInForce,
    route=st.sampled_from(("contract-or-certificate", "assessment", "elsewhere")),
    purpose=st.sampled_from(PURPOSES),
    categories=some_categories,
    recipient=st.sampled_from(RECIPIENTS),
    persons=COUNTS,
    used=COUNTS,
    start=st.sampled_from((date(2026, 3, 2), date(2026, 6, 16))),
    until=st.sampled_from((date(2026, 6, 14), date(2029, 3, 1))),
    revoked=st.booleans(),
)
facts = st.builds(
    Facts,
    at=st.just(AT),
    exported=st.builds(Exported, sensitive=COUNTS, ordinary=COUNTS),
    critical_operator=st.booleans(),
    papers=st.frozensets(st.sampled_from(PAPERS)) | st.just(frozenset(PAPERS)),
    permit=st.none() | permits,
    group_exports=st.none() | st.builds(GroupExports, sensitive=COUNTS, ordinary=COUNTS),
    strict_art3_5=st.booleans(),
    consent=st.none() | consents,
    driver_setting=st.sampled_from(SETTINGS),
)
collects = st.builds(
    Collect,
    category=st.sampled_from(CATEGORIES),
    purpose=st.sampled_from(PURPOSES),
    ground=st.sampled_from(GROUNDS),
    person_born=st.none() | st.sampled_from((date(2012, 6, 15), date(2012, 6, 16))),
    zone=st.sampled_from(ZONES),
    masked=st.booleans(),
    in_catalogue=st.booleans(),
    leaves_car=st.booleans(),
    biometric_necessity_memo=st.booleans(),
    function_running=st.booleans(),
)
transfers = st.builds(
    TransferAsked,
    to=st.sampled_from(("DE", "HK", "CN")),
    purpose=st.sampled_from(PURPOSES),
    categories=some_categories,
    recipient=st.none() | st.sampled_from(RECIPIENTS),
    by=st.sampled_from(MEANS),
    new_persons=COUNTS,
    subjects_in_dataset=COUNTS,
    coordinates=st.booleans(),
    ground=st.sampled_from(TRANSFER_GROUNDS),
    produced_in=st.none() | st.sampled_from(("CN", "DE")),
    joined_with_local=st.booleans(),
    recipient_status=st.sampled_from(STATUSES),
    near_sensitive_site=st.booleans(),
)
YES = {"keep", "allow"}
more = settings(max_examples=100, deadline=None)


def allowed(act: Collect | TransferAsked, known: Facts) -> bool:
    return judge(act, known, cn_pack()).verdict in YES


@more
@given(transfers, facts, st.sampled_from(PAPERS))
def test_taking_a_paper_away_never_permits(act: TransferAsked, known: Facts, paper: str) -> None:
    fewer = msgspec.structs.replace(known, papers=known.papers - {paper})
    assert allowed(act, known) or not allowed(act, fewer)


@more
@given(transfers, facts, COUNTS)
def test_more_persons_never_permit(act: TransferAsked, known: Facts, extra: int) -> None:
    wider = msgspec.structs.replace(act, new_persons=act.new_persons + extra)
    assert allowed(act, known) or not allowed(wider, known)


@more
@given(transfers, facts, st.sampled_from(CATEGORIES))
def test_more_categories_never_permit(act: TransferAsked, known: Facts, extra: str) -> None:
    wider = msgspec.structs.replace(act, categories=(*act.categories, extra))
    assert allowed(act, known) or not allowed(wider, known)


@more
@given(collects | transfers, facts, instants)
def test_a_withdrawal_never_widens(act: Collect | TransferAsked, known: Facts, at: int) -> None:
    consent = known.consent or StandingConsent(purposes=PURPOSES, categories=CATEGORIES, separate=True)
    standing = msgspec.structs.replace(known, consent=msgspec.structs.replace(consent, withdrawn=None))
    withdrawn = msgspec.structs.replace(known, consent=msgspec.structs.replace(consent, withdrawn=at))
    assert allowed(act, standing) or not allowed(act, withdrawn)


@more
@given(transfers, facts)
def test_the_order_of_facts_does_not_matter(act: TransferAsked, known: Facts) -> None:
    turned = msgspec.structs.replace(act, categories=act.categories[::-1])
    assert judge(turned, known, cn_pack()) == judge(act, known, cn_pack())


@more
@given(collects | transfers, facts)
def test_every_reason_has_an_article(act: Collect | TransferAsked, known: Facts) -> None:
    verdict = judge(act, known, cn_pack())
    assert verdict.reasons
    assert all(reason.article and reason.says for reason in verdict.reasons)
    assert (verdict.verdict in YES) == (verdict.codes() <= {"exempt", "within-permit", "consented", *GROUNDS})
