"""Explaining: letters without a word of code, for every case that ships, and what each act is told as."""

import functools
import re
from datetime import date

import pytest

from law import AT, by_cn, cn_pack, told
from onshore.rules import recital
from onshore.rules.acts import (
    Act,
    Collect,
    ConsentAsked,
    Deadline,
    Exported,
    Facts,
    GroupExports,
    PermitInForce,
    StandingConsent,
    Store,
    TransferAsked,
)
from onshore.rules.articles import NOTICE_ITEMS, PAPERS
from onshore.rules.asking import in_play
from onshore.rules.book import in_force
from onshore.rules.expected import ACTS, REASONS
from onshore.rules.explaining import letter, turns_told
from onshore.rules.judge import judge
from onshore.rules.pack import rules
from onshore.rules.recital import Telling
from onshore.words.verdict import Counter, Reason, Verdict
from onshore.words.vocabulary import CATEGORIES
from packs import every_case, every_pack

SPOKEN = {"assessment", "exempt", "bundled", "consented", "statutory", "gatekeeper", "certificate", "adequacy"}
CODES = {code for codes in REASONS.values() for code in codes} | set(PAPERS) | set(CATEGORIES) | set(NOTICE_ITEMS)
HYPHENED = {code for code in CODES if "-" in code} - SPOKEN
ODD = Reason("x", "Some Act, s. 1", "Because.", "do otherwise")
CHINA = Telling("CN", "Asia/Shanghai", cn_pack().words, counts=True)
ACTS_TOLD: list[tuple[Act, str]] = [
    (
        Collect(
            category="track",
            purpose="trip-history",
            zone="restricted",
            masked=True,
            person_born=date(2010, 5, 1),
            leaves_car=False,
            in_catalogue=False,
            function_running=False,
            biometric_necessity_memo=True,
        ),
        (
            "inside a restricted area, would be kept for trip history, on the ground of consent. The person was "
            "born on "
            "1 May 2010. It stays in the car. Nobody listed the signal in the catalogue. The function that needs it is "
            "not running. Why it is necessary was written down."
        ),
    ),
    (
        ConsentAsked(
            categories=("track",),
            purposes=("p", "q"),
            own_screen=False,
            bundled_with="warranty",
            person_born=date(2015, 1, 1),
            guardian=True,
            last_refused=AT,
        ),
        (
            "for p and q, not asked for on its own, and not on its own screen. The notice told of: nothing. "
            "The consent "
            "was tied to something else (warranty). The person was born on 1 January 2015, "
            "and a guardian consented. They last "
            "refused on "
            "15 June 2026 at 12:00."
        ),
    ),
    (
        Store(category="track", place="CN", age="1y2mo14d1s", ask="purge", record="impact-assessment"),
        "the impact assessment, now 1 year, 2 months, 14 days and 1 second old, would be purged (the primary copy, in",
    ),
    (
        Store(category="track", place="DE", kind="log", age_days=3, exception="safety-clip", clip_seconds=60),
        "now 3 days old, would be kept as a log in Germany. It is kept as a safety clip. The clip lasts 60 seconds; 0",
    ),
    (Store(category="track", place="ZZ"), "would be kept as the primary copy in ZZ."),
    (Store(category="track", place="DE", kind="first-write"), "would be written first in Germany."),
    (Deadline(what="erasure", start=date(2026, 6, 1)), "from 1 June 2026. Asked on 15 June 2026 at 12:00 (Shanghai"),
    (
        TransferAsked(to="US", by="view", purpose="p", categories=("track",), new_persons=1),
        ", concerning 1 person not yet counted this year, would be looked at by somebody in the United States, while",
    ),
    (
        TransferAsked(to="US", by="authority", purpose="p", categories=("track",)),
        "be handed from mainland China to a court or authority that asks for it, in the United States, for p",
    ),
    (
        TransferAsked(
            to="US",
            recipient="detroit",
            by="vehicle",
            purpose="p",
            categories=("track",),
            new_devices=2,
            subjects_in_dataset=9,
            recipient_status="covered-person",
            produced_in="DE",
            joined_with_local=True,
            coordinates=True,
            precision_m=10,
            near_sensitive_site=True,
        ),
        (
            ", concerning nobody who was not counted yet, with 2 new devices, in data about 9 persons, would be sent "
            "by the car itself from mainland China to “detroit” in the United States, for p, on the ground of "
            "consent. The recipient is a covered "
            "person. "
            "The data was produced in Germany, joined with domestic data. It carries coordinates. Positions are "
            "given to "
            "10 m. It was recorded near a sensitive site."
        ),
    ),
]
GIVEN = frozenset({"standard-contract", "impact-assessment", "export-notice", "separate-consent"})


def words_of_code(text: str) -> list[str]:
    return [
        word
        for word in re.findall(r"[A-Za-z0-9_-]+", text)
        if re.search(r"[a-z]_[a-z]", word) or word.strip("-") in HYPHENED
    ]


@functools.cache
def sentences() -> str:
    """Everything that packs say in sentences of their own: these words are counsel's."""
    said = [f"{rule.says} {rule.article} {rule.remedy}" for pack in every_pack() for _, rule in rules(pack)]
    heads = [text for pack in every_pack() for text in (pack.title, *pack.not_covered)]
    places = [f"{source.law} {source.address}" for pack in every_pack() for source in pack.source]
    return " ".join([*heads, *places, *said])


@pytest.mark.parametrize("kind", list(ACTS))
def test_no_letter_has_a_word_of_code(kind: str) -> None:
    for case in every_case():
        if recital.name_of(case.act) == kind:
            pack = in_force(case, every_pack())
            packs = in_play(case.act, case.facts, pack, every_pack())
            lines = letter(
                case.act, case.facts, case.jurisdiction, packs, lambda a, f, p=pack: judge(a, f, p, every_pack())
            )
            assert [word for word in words_of_code("\n".join(lines)) if word not in sentences()] == [], case.id
            assert max(len(line) for line in lines) <= 96


def test_the_search_for_words_of_code_finds() -> None:
    assert words_of_code("see new_persons and separate-consent, please") == ["new_persons", "separate-consent"]


def test_a_refusal_says_what_decided_and_what_would_turn_it() -> None:
    act = TransferAsked(to="DE", purpose="warranty-analysis", categories=("track",), new_persons=1)
    text = told(act, Facts(at=AT, papers=frozenset({"impact-assessment", "export-notice", "separate-consent"})))
    assert text.startswith("No: it is refused.")
    assert "from mainland China to Germany, for warranty analysis" in text.replace("\n", " ")
    assert "By the same rules it becomes yes, for instance, with\n  - a filed standard contract." in text
    assert "Asked as well, without changing the answer:\n" in text
    assert "- PIPL Art. 55: whether its impact had to be assessed, and was." in text
    assert "What these rules leave out" in text


def test_what_no_paper_turns_is_said_to_be_so() -> None:
    act = TransferAsked(to="DE", purpose="p", categories=("track",), recipient_status="blocked")
    assert "the act itself would have to be another" in told(act, Facts(at=AT)).replace("\n", " ")


def test_a_permission_says_nothing_of_what_would_change_it() -> None:
    text = told(TransferAsked(to="DE", purpose="p", categories=("diagnostic-aggregate",)), Facts(at=AT))
    assert text.startswith("Yes: it may leave.")
    assert "What would change" not in text


def test_without_a_pack_nothing_is_allowed_and_no_rule_was_asked() -> None:
    act = TransferAsked(to="DE", purpose="p", categories=("track",))
    lines = letter(act, Facts(at=AT), "BR", [], lambda a, f: judge(a, f, None))
    assert "     No article: what no rule in force decides is not allowed." in lines
    assert "Asked as well" not in "\n".join(lines)


def test_an_answer_without_a_reason_says_that_no_rule_speaks_against_it() -> None:
    act = Collect(category="track", purpose="p")
    lines = letter(act, Facts(at=AT), "CN", [cn_pack()], lambda _a, _f: Verdict("keep", ()))
    assert "No rule speaks against it." in lines


@pytest.mark.parametrize(
    ("verdict", "says"),
    [
        (Verdict("due", (), due=date(2026, 3, 1)), "It is due on 1 March 2026.\nThat is over already"),
        (Verdict("due", (), due=AT), "It is due on 15 June 2026 at 12:00 (Shanghai time).\n\nThe act."),
        (Verdict("unknown", (), warnings=("calendar-missing",)), "Take care: the calendar of working days does not"),
        (Verdict("unknown", (), earlier=date(2027, 1, 2)), "To be safe, act by 2 January 2027: the calendar does not"),
        (Verdict("unknown", (), warnings=("odd-thing",)), "No day can be named.\nTake care: odd thing."),
        (Verdict("unknown", (ODD,)), "1. Because.\n     Some Act, s. 1\n     What it asks for: do otherwise."),
    ],
)
def test_a_clock_says_when(verdict: Verdict, says: str) -> None:
    act = Deadline(what="erasure", start=date(2026, 1, 1))
    text = "\n".join(letter(act, Facts(at=AT, calendar_until=2026), "CN", [cn_pack()], lambda _a, _f: verdict))
    assert says in text
    assert "an erasure that a person asked for falls due, counted from 1 January 2026." in text.replace("\n", " ")


def test_counters_at_nought_are_left_out_beside_others() -> None:
    counters = (
        Counter("ordinary", 0, 100),
        Counter("sensitive", 7, None),
        Counter("odd-ones", 3, 10),
        Counter("full", 9, 9),
    )
    verdict = Verdict("allow", (ODD,), counters=counters)
    act = TransferAsked(to="DE", purpose="p", categories=("track",))
    text = " ".join("\n".join(letter(act, Facts(at=AT), "CN", [cn_pack()], lambda _a, _f: verdict)).split())
    assert "ordinary personal information left" not in text
    assert "in the calendar year, this act included: 7, which passes 1 (Cross-Border Data Flows" in text
    assert "On the count of odd ones, this act included: 3; the next threshold is 10, 7 away." in text
    assert "On the count of full, this act included: 9, which reaches 9; no higher threshold follows." in text


@pytest.mark.parametrize(("act", "says"), ACTS_TOLD, ids=lambda value: type(value).__name__)
def test_an_act_is_told_with_all_that_is_particular_to_it(act: Act, says: str) -> None:
    assert says in recital.act_told(act, Facts(at=AT), CHINA)


def test_the_facts_are_told() -> None:
    act = TransferAsked(to="DE", purpose="p", categories=("track",))
    revocable = Facts(at=AT, permit=PermitInForce(route="assessment", purpose="p", recipient="r"))
    assert "It was revoked." not in recital.facts_told(act, revocable, CHINA)
    permit = PermitInForce(
        route="assessment", categories=("track",), persons=5, used=2, until=date(2026, 12, 31), revoked=True
    )
    consent = StandingConsent(
        purposes=("p",),
        categories=("track",),
        recipients=("stuttgart",),
        start=AT,
        until=AT + 1,
        withdrawn=AT,
        notice="incomplete",
    )
    facts = Facts(
        at=AT,
        exported=Exported(sensitive=1, ordinary=2),
        devices_12_months=3,
        others_12_months=Exported(sensitive=6, ordinary=7),
        critical_operator=True,
        permit=permit,
        group_exports=GroupExports(members=2, ordinary=3, sensitive=4),
        consent=consent,
        calendar_until=2026,
    )
    text = recital.facts_told(act, facts, CHINA)
    for says in (
        "calendar year: sensitive personal information of 1 person and ordinary personal information of 2 persons.",
        "In twelve months, 3 devices' locations went to this recipient.",
        "Sister companies sent the same recipient sensitive information of 4 persons and ordinary information of 3",
        (
            "A permit (a security assessment) stands for tracks (positions over time, destinations), for no "
            "purpose, to "
            "nobody, for 5 persons until 31 December 2026; 2 were sent under it already. It was revoked."
        ),
        "not asked for on its own, naming “stuttgart” as recipient, from 15 June 2026 at 12:00 until 15 June 2026 at",
        "; withdrawn on 15 June 2026 at 12:00; the notice was incomplete.",
        "The operator is a critical information infrastructure operator.",
        "The calendar of working days is known until 2026.",
    ):
        assert says in text


def test_the_words_of_a_pack_are_those_of_its_jurisdiction() -> None:
    act = TransferAsked(to="DE", purpose="p", categories=("track",), new_persons=1)
    facts = Facts(at=AT, papers=GIVEN - {"standard-contract"})
    assert turns_told(act, facts, by_cn, "CN", [cn_pack()]) == ["a filed standard contract"]
    assert turns_told(act, facts, lambda a, f: judge(a, f, None), "BR", []) == []
