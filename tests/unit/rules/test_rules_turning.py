"""What turns a refusal, held to the judge; the rules that were asked, told to a machine."""

from collections.abc import Callable

import pytest

from law import AT, by_cn, cn_pack, ms, told
from onshore.rules.acts import (
    Act,
    Collect,
    ConsentAsked,
    Facts,
    PermitInForce,
    StandingConsent,
    Store,
    TransferAsked,
)
from onshore.rules.asking import asked, facts_of, in_play
from onshore.rules.explaining import letter, turns_told
from onshore.rules.judge import judge
from onshore.rules.turning import YES, turns
from onshore.words.verdict import Verdict

MINOR = StandingConsent(purposes=("p",), categories=("track",), separate=True)
GIVEN = frozenset({"standard-contract", "impact-assessment", "export-notice", "separate-consent"})
CASES: list[tuple[Act, Facts, list[str]]] = [
    (
        Collect(category="biometric", purpose="driving-safety", function_running=False),
        Facts(at=AT),
        [
            "the driver switching optional collection on",
            "collecting it only while the function that needs it runs",
            "a written memo of why the biometrics are necessary",
            "a consent of the person, asked for on its own with a complete notice, to this purpose and this data",
        ],
    ),
    (
        ConsentAsked(categories=("track",), purposes=("p",), bundled_with="x", last_refused=AT),
        Facts(at=AT),
        [
            "a notice with every item that the law asks for",
            "asking for it on its own, on its own screen",
            "not tying it to anything else",
            "waiting until the interval since the last refusal is over",
        ],
    ),
    (
        TransferAsked(to="DE", purpose="p", categories=("track",), by="vehicle", coordinates=True, new_persons=1),
        Facts(at=AT, papers=GIVEN),
        ["sending it through the site, not from the car itself", "taking the coordinates out"],
    ),
    (
        TransferAsked(to="DE", purpose="p", categories=("exterior-video",), new_persons=1),
        Facts(at=AT, papers=GIVEN),
        ["masking every face and plate first"],
    ),
    (
        TransferAsked(to="DE", purpose="p", categories=("track",), recipient="s", new_persons=1),
        Facts(at=AT, papers=GIVEN, consent=MINOR),
        ["a separate consent of the persons concerned, after a complete notice, that names this recipient"],
    ),
    (
        TransferAsked(to="DE", purpose="p", categories=("track",), new_persons=1),
        Facts(at=AT, papers=GIVEN, permit=PermitInForce(route="contract-or-certificate")),
        ["a permit in force that covers all of it"],
    ),
    (
        TransferAsked(to="DE", purpose="p", categories=("track",), new_persons=1),
        Facts(at=AT, papers=(GIVEN - {"export-notice"}) | {"export-notice-incomplete"}),
        ["a complete notice of the transfer to the persons concerned"],
    ),
]


@pytest.mark.parametrize(("act", "facts", "words"), CASES)
def test_what_turns_a_refusal_is_held_against_the_judge(act: Act, facts: Facts, words: list[str]) -> None:
    assert by_cn(act, facts).verdict not in YES
    found = turns(act, facts, by_cn)
    assert [move.words for move in found if move.words] == words
    for move in found:
        act, facts = move.made(act, facts)
    assert by_cn(act, facts).verdict in YES


def test_nothing_turns_an_act_of_keeping() -> None:
    assert turns(Store(category="track", place="DE"), Facts(at=AT), by_cn) == ()


def test_a_place_at_home_turns_an_act_of_keeping_unless_it_lay_too_long() -> None:
    fresh, old = Store(category="track", place="DE"), Store(category="track", place="DE", age_days=15)
    assert turns_told(fresh, Facts(at=AT), by_cn, "CN", []) == ["keeping it in mainland China"]
    assert "In mainland China it could lie, but it has lain too long" in told(old, Facts(at=AT)).replace("\n", " ")
    young = Store(category="track", place="CN", record="impact-assessment", ask="purge")
    assert "the act itself would have to be another" in told(young, Facts(at=AT)).replace("\n", " ")


def test_the_rules_asked_are_told_to_a_machine() -> None:
    act, facts = TransferAsked(to="DE", purpose="p", categories=("track",)), Facts(at=AT)
    found = list(facts_of(asked(act, by_cn(act, facts), [cn_pack()])))
    assert {"exempt-contract", "sensitive"} & {each["id"] for each in found} == set()
    assert {each["id"] for each in found if each["fired"]} >= {"impact-assessment-missing", "contract-or-certificate"}


def test_the_recipients_pack_is_asked_only_where_it_binds_a_recipient() -> None:
    from msgspec.structs import replace

    own, abroad = cn_pack(), replace(cn_pack(), jurisdiction="US", home=("US",), id="us/1")
    bound = replace(abroad.transfer, inside=replace(abroad.transfer.inside, binds_recipient=True))
    binding = replace(abroad, transfer=bound)
    act, facts = TransferAsked(to="US", purpose="p", categories=("track",)), Facts(at=AT)
    assert in_play(act, facts, own, [own, abroad]) == [own]
    assert in_play(act, facts, own, [own, binding]) == [own, binding]
    assert in_play(act, Facts(at=ms("1999-01-01T00:00:00Z")), own, [binding]) == [own]
    assert in_play(act, facts, None, [binding]) == []
    assert in_play(Collect(category="track", purpose="p"), facts, own, [binding]) == [own]
    origin = TransferAsked(to="CN", purpose="p", categories=("track",), produced_in="US")
    assert in_play(origin, facts, own, [abroad]) == [own, abroad]
    found = asked(act, by_cn(act, facts), [binding])
    assert [each.rule for each in found] == [binding.transfer.inside]
    judged: Callable[[Act, Facts], Verdict] = lambda a, f: judge(a, f, own, [binding])  # noqa: E731
    text = "\n".join(letter(act, facts, "CN", [own, binding], judged)).replace("\n", " ")
    assert "Asked as well, for the data's origin or the recipient:" in text
