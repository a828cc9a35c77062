"""What holds for every verdict of every pack: nothing widens, order does not matter, every reason has an article."""

from functools import partial

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from law_strategies import (
    COUNTS,
    DAY,
    PURPOSES,
    acts,
    collects,
    facts,
    lawful,
    near,
    start_of,
    stores,
    transfers,
)

from law import packs
from onshore.rules.acts import Act, Collect, Facts, StandingConsent, Store, TransferAsked
from onshore.rules.articles import PAPERS
from onshore.rules.judge import judge
from onshore.rules.local import local_midnight
from onshore.rules.pack import Pack, rules
from onshore.rules.persons import is_minor
from onshore.words.verdict import Verdict
from onshore.words.vocabulary import CATEGORIES, GROUNDS

YES = {"keep", "allow"}
GOOD = {"exempt", "within-permit", "consented", "within-retention", *GROUNDS}
more = settings(max_examples=150, deadline=None)
replace = msgspec.structs.replace


def judged(act: Act, known: Facts, pack: Pack) -> Verdict:
    """By the pack, with all others beside it, at an instant when it is in force."""
    return judge(act, replace(known, at=start_of(pack)), pack, packs())


def allowed(act: Act, known: Facts, pack: Pack) -> bool:
    return judged(act, known, pack).verdict in YES


@more
@given(lawful, transfers | stores, facts(), st.sampled_from(PAPERS))
def test_taking_a_paper_away_never_permits(pack: Pack, act: TransferAsked | Store, known: Facts, paper: str) -> None:
    fewer = replace(known, papers=known.papers - {paper})
    assert allowed(act, known, pack) or not allowed(act, fewer, pack)


@more
@given(lawful, transfers, facts(), COUNTS, COUNTS)
def test_more_persons_never_permit(pack: Pack, act: TransferAsked, known: Facts, persons: int, devices: int) -> None:
    wider = replace(act, new_persons=act.new_persons + persons, new_devices=act.new_devices + devices)
    assert allowed(act, known, pack) or not allowed(wider, known, pack)


@more
@given(lawful, transfers, facts(), st.sampled_from(CATEGORIES))
def test_more_categories_never_permit(pack: Pack, act: TransferAsked, known: Facts, extra: str) -> None:
    wider = replace(act, categories=(*act.categories, extra))
    assert allowed(act, known, pack) or not allowed(wider, known, pack)


def moments(pack: Pack) -> st.SearchStrategy[int]:
    """Instants of the pack's days: any noon, and the last and first of each phase."""
    begins = (
        local_midnight(day, pack.zone) for day in sorted({rule.since or pack.valid_from for _, rule in rules(pack)})
    )
    edges = [at + edge for at in begins for edge in (-1, 0) if at + edge > start_of(pack)]
    noons = st.integers(0, 3650).map(lambda days: start_of(pack) + days * DAY)
    found = st.sampled_from([start_of(pack), *edges]) | noons
    return found if pack.valid_until is None else found.map(partial(min, last_of(pack)))


def last_of(pack: Pack) -> int:
    assert pack.valid_until is not None
    return local_midnight(pack.valid_until, pack.zone) + DAY - 1


@settings(max_examples=400, deadline=None)
@given(lawful, collects | transfers, st.data())
def test_a_later_date_never_permits(pack: Pack, act: Collect | TransferAsked, data: st.DataObject) -> None:
    """Within the pack's validity, with age class, consents and papers unchanged and in force at both dates."""
    first, later = sorted((data.draw(moments(pack)), data.draw(moments(pack))))
    known = data.draw(facts(first))
    consent = known.consent and replace(known.consent, until=None, withdrawn=None, start=None)
    permit = known.permit and replace(known.permit, start=None, until=None)
    known = replace(known, consent=consent, permit=permit)
    if isinstance(act, Collect) and is_minor(act.person_born, first, pack) != is_minor(act.person_born, later, pack):
        act = replace(act, person_born=None)
    then = judge(act, replace(known, at=later), pack)
    assert "stale-rules" not in then.codes()
    assert judge(act, known, pack).verdict in YES or then.verdict not in YES


@more
@given(lawful, collects | transfers, st.data())
def test_a_withdrawal_never_widens(pack: Pack, act: Collect | TransferAsked, data: st.DataObject) -> None:
    at = start_of(pack)
    known = data.draw(facts(at))
    consent = known.consent or StandingConsent(purposes=PURPOSES, categories=CATEGORIES, separate=True)
    standing = replace(known, consent=replace(consent, withdrawn=None))
    withdrawn = replace(known, consent=replace(consent, withdrawn=data.draw(near(at))))
    assert allowed(act, standing, pack) or not allowed(act, withdrawn, pack)


@more
@given(lawful, transfers, facts())
def test_the_order_of_facts_does_not_matter(pack: Pack, act: TransferAsked, known: Facts) -> None:
    turned = replace(act, categories=act.categories[::-1])
    permit = known.permit and replace(known.permit, categories=known.permit.categories[::-1])
    consent = known.consent and replace(
        known.consent,
        categories=known.consent.categories[::-1],
        purposes=known.consent.purposes[::-1],
        recipients=known.consent.recipients[::-1],
    )
    papers = frozenset(sorted(known.papers, reverse=True))
    other = replace(known, permit=permit, consent=consent, papers=papers)
    assert judged(turned, other, pack) == judged(act, known, pack)


@more
@given(lawful, transfers, facts(), st.permutations(packs()))
def test_the_order_of_packs_does_not_matter(pack: Pack, act: TransferAsked, known: Facts, turned: list[Pack]) -> None:
    at = replace(known, at=start_of(pack))
    assert judge(act, at, pack, turned) == judge(act, at, pack, packs())


@more
@given(lawful, acts, facts())
def test_the_same_facts_give_the_same_verdict_byte_for_byte(pack: Pack, act: Act, known: Facts) -> None:
    again = msgspec.json.decode(msgspec.json.encode(known), type=Facts)
    acted = msgspec.json.decode(msgspec.json.encode(act), type=type(act))
    once, twice = (msgspec.json.encode(judged(a, k, pack)) for a, k in ((act, known), (acted, again)))
    assert once == twice


@more
@given(lawful, acts, facts())
def test_every_reason_has_an_article(pack: Pack, act: Act, known: Facts) -> None:
    verdict = judged(act, known, pack)
    assert verdict.reasons or verdict.verdict == "accept" or verdict.warnings
    assert all(reason.article and reason.says for reason in verdict.reasons)
    if verdict.verdict in {*YES, "withhold", "refuse"} and not isinstance(act, Store):
        assert (verdict.verdict in YES) == (verdict.codes() <= GOOD)


@more
@given(lawful, stores, facts())
def test_what_is_refused_or_purged_says_why(pack: Pack, act: Store, known: Facts) -> None:
    verdict = judged(act, known, pack)
    assert verdict.verdict in {"keep", "purge", "refuse"}
    assert verdict.verdict != "keep" or verdict.codes() == {"within-retention"}
    assert verdict.verdict != "refuse" or "within-retention" not in verdict.codes()
