"""Letters: acts under the packs that ship, told with each jurisdiction's own words, figures and duties."""

from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from law import AT, CN_PACK, cn_pack, ms, pack, packs
from onshore.rules import names, questions, reasoning, reckoning
from onshore.rules.acts import (
    Act,
    Collect,
    ConsentAsked,
    Deadline,
    Exported,
    Facts,
    GroupExports,
    PermitInForce,
    Store,
    TransferAsked,
)
from onshore.rules.articles import NOTICE_ITEMS, PAPERS, ROUTES
from onshore.rules.asking import asked, in_play, undecided
from onshore.rules.explaining import letter
from onshore.rules.judge import judge
from onshore.rules.pack import parse, rules
from onshore.rules.pack_words import Words
from onshore.rules.recital import Telling, facts_told
from onshore.words.errors import Malformed
from onshore.words.verdict import Counter, Reason, Verdict

SILENT = "Asked as well, without changing the answer: "


def told(act: Act, by: str = "cn/2026-02", at: int = AT, **facts: Any) -> str:
    """The letter in one line."""
    own, known = pack(by), Facts(at=at, **facts)
    lines = letter(act, known, own.home[0], in_play(act, known, own, packs()), lambda a, f: judge(a, f, own, packs()))
    return " ".join(" ".join(lines).split())


def sent(to: str = "DE", category: str = "track", **act: Any) -> TransferAsked:
    return TransferAsked(**{"to": to, "purpose": "research", "categories": (category,), "recipient": "hq", **act})


def silent(text: str) -> str:
    return text.partition(SILENT)[2].partition("What these rules leave out")[0]


def test_a_rule_that_did_not_fire_is_told_as_its_question() -> None:
    text = told(sent(new_persons=9000), papers=frozenset({"impact-assessment"}))
    quiet = silent(text)
    assert "- PIPL Art. 55: whether its impact had to be assessed, and was." in quiet
    for fact in (
        "No impact assessment was made",
        "Nothing leaves the mainland",
        "A car does not send abroad",
        "revoked",
    ):
        assert fact not in text


def test_every_rule_of_every_pack_has_a_question() -> None:
    for each in packs():
        for path, rule in rules(each):
            if path.split(".")[0].split("[")[0] not in {"report", "switch"} and not (
                path.startswith("classes.") and hasattr(rule, "categories")
            ):
                asks = questions.question(path, rule, each.words)
                assert asks.startswith("whether "), path
                assert rule.says not in asks


@pytest.mark.parametrize(
    ("by", "path", "asks"),
    [
        ("cn/2026-02", "grounds.contract", "whether a contract with the person carries it"),
        ("cn/2026-02", "transfer.exemption[3]", "whether it is excepted, with a filed report of the vulnerability"),
        ("cn/2026-02", "transfer.exemption[0]", "whether it is excepted on the ground of a contract with the person"),
        ("cn/2026-02", "transfer.route[0]", "whether it may leave without a paper"),
        ("cn/2026-02", "store.cap[0]", "whether it is older than it may become (at most 14 days)"),
        ("eu/2025-09", "transfer.mechanism[0]", "whether it may leave to the United Kingdom by an adequacy decision"),
        ("jp/2022-04", "transfer.mechanism[0]", "whether it may leave by the whitelist"),
        ("us/2026-01", "transfer.bulk[0]", "whether the volume of such data reaches the figure (1,000 devices)"),
    ],
)
def test_a_question_names_grounds_papers_places_and_figures(by: str, path: str, asks: str) -> None:
    assert questions.question(path, dict(rules(pack(by)))[path], pack(by).words) == asks


def test_the_rule_that_carries_the_case_is_in_the_reasoning() -> None:
    text = told(sent("CN", "driving-behaviour"), "eu/2025-09", papers=frozenset({"standard-contract"}))
    carried = "What would carry it, were the rest as it should be: 1. Standard contractual clauses, or binding or"
    assert carried in text
    assert "by appropriate safeguards" not in silent(text)
    given = frozenset({"standard-contract", "impact-assessment", "export-notice", "separate-consent"})
    allowed = told(sent(new_persons=20), papers=given)
    assert allowed.startswith("Yes: it may leave.")
    assert "What carries it: 1. 100,000 persons this year, or one person's sensitive information" in allowed
    assert "Here: sensitive personal information of 20 persons, which passes 1." in allowed
    exempt = told(sent(ground="contract", new_persons=1))
    assert "What would carry it, were the rest as it should be: 1. Taken as given, and not judged here: Nec" in exempt
    assert "What carries it" not in told(sent("CN"))
    permit = PermitInForce(route="assessment", purpose="q")
    assert "What would carry it" not in told(sent(), permit=permit)


def test_the_limb_of_a_threshold_is_named_with_its_figure() -> None:
    text = told(sent(new_persons=9000), exported=Exported(sensitive=1500))
    assert "Here: sensitive personal information of 10,500 persons, which passes 10,000." in text
    assert "this act included: 10,500, which passes 10,000 (Cross-Border Data Flows Provisions (2024), Art. 7;" in text
    survey = told(sent(category="point-cloud", near_sensitive_site=True), critical_operator=True)
    assert "Here: important data (what was recorded near a sensitive site) and a critical information" in survey
    assert "The figures." not in survey
    scale = told(sent(category="vehicle-operation", subjects_in_dataset=100_001, new_persons=1))
    assert "important data (personal information of 100,001 persons, which passes 100,000)" in scale
    assert "Personal information of more than 100,000 persons is important data" in scale.partition("What decided")[0]
    flows = told(sent(category="traffic-flow"))
    assert "important data (counts of vehicles or people over places and times)" in flows
    ordinary = told(sent(category="identity", new_persons=100_000))
    assert "ordinary personal information of 100,000 persons, which reaches 100,000" in ordinary
    group = told(sent(category="identity", new_persons=1), group_exports=GroupExports(members=1, ordinary=10**6))
    assert "Together with what sister companies sent" in group


def test_counters_stand_only_where_the_pack_has_thresholds_each_with_its_window() -> None:
    for by in ("eu/2025-09", "gb/2026-02", "in/2027-05", "vn/2026-01", "kr/2023-09", "jp/2022-04", "sa/2024-09"):
        text = told(sent("CN", new_persons=500), by, at=max(AT, ms("2027-06-15T12:00:00Z") if by[:2] == "in" else AT))
        assert "calendar year" not in text, by
        assert "The figures." not in text, by
        assert "filed standard contract" not in text, by
    text = told(sent("CN", new_persons=700), "us/2026-01", devices_12_months=400)
    assert "twelve months, this act included: 1,100, which passes 1,000 (28 CFR 202.205; Onshore's own policy)" in text
    assert " and passes 1,001 (28 CFR 202.205, 202.242, 202.206); no higher threshold follows." in text
    assert "The guard stops one short" not in text
    guard = told(sent("CN", new_persons=1000), "us/2026-01")
    assert "The guard stops one short" in guard
    assert "Onshore's own policy, in view of 28 CFR 202.205 (from memory" in guard
    sofar = told(sent("CN"), "us/2026-01", exported=Exported(sensitive=3))
    assert "Exported so far: sensitive personal information of 3 persons." in sofar


def test_what_a_permit_does_not_cover_is_named() -> None:
    permit = PermitInForce(
        route="assessment", purpose="research", categories=("track",), recipient="hq", persons=100, used=90
    )
    text = told(sent(new_persons=20), permit=permit)
    assert "Here: more persons (90 sent already and 20 more, of 100)." in text
    other = PermitInForce(route="safeguards", purpose="q", persons=9, start=date(2027, 1, 1))
    text = told(sent(new_persons=1), permit=other)
    assert "another purpose, data that it does not name (tracks (positions over time, destinations)), another" in text
    assert "recipient, a day before its first (1 January 2027) and a route that these rules do not know." in text


def test_the_words_are_those_of_the_law_that_decided() -> None:
    text = told(sent("US", produced_in="DE", new_persons=1))
    assert (
        "with - a transfer impact assessment, - a complete notice of the transfer to the persons concerned, - st"
        in text
    )
    assert "ordinary personal information left" not in text
    carried = told(sent("US", produced_in="DE", new_persons=1), papers=frozenset({"standard-contract"}))
    assert "were the rest as it should be: 1. Standard contractual clauses" in carried


def test_what_a_zone_makes_of_data_is_told_as_its_standing() -> None:
    act = Collect(category="cabin-video", purpose="driver-monitoring", zone="restricted")
    text = told(act)
    assert "government sites is important data. (Automotive Data Provisions (Trial), Art. 3(1)) What decided" in text
    assert "sensitive site" not in silent(text)


def test_a_first_write_abroad_is_answered_with_the_statute_alone() -> None:
    text = told(Store(category="identity", place="DE", kind="first-write"), "ru/2025-07")
    assert "What decided: 1. Recording, accumulating and storing personal data" in text
    assert "mirror" not in text
    assert "with - keeping it in Russia." in text
    copy = told(Store(category="identity", place="DE", kind="replica"), "ru/2025-07")
    assert "1. A mirror of the data abroad is read as barred too." in copy


def test_an_order_of_which_the_rules_say_nothing_is_said_to_be_so() -> None:
    act = sent("US", "health", by="authority", new_persons=50)
    for by in ("sa/2024-09", "kr/2023-09", "vn/2026-01", "ru/2025-07", "jp/2022-04"):
        assert "Take care: a foreign court or authority asks for it, and these rules say nothing of such" in told(
            act, by
        )
    assert "Take care" not in told(act)
    assert "Take care" not in told(sent("US", "health"), "sa/2024-09")


def test_a_sentence_stands_once_and_keeps_every_remedy() -> None:
    text = told(sent("US", "identity", new_persons=100), "jp/2022-04")
    assert text.count("The destination is not on the whitelist") == 1
    reasons = (Reason("a", "Art. 1", "So.", "this"), Reason("b", "Art. 1", "So.", "that"), Reason("c", "Art. 1", "So."))
    (item,) = reasoning.items(Verdict("refuse", reasons), ())
    assert item.remedy == "this; that"


def test_a_ground_that_nothing_shows_is_taken_as_given() -> None:
    text = told(Collect(category="track", purpose="insurance", ground="contract"), "eu/2025-09")
    assert "1. Taken as given, and not judged here: A service that the person asked for" in text
    assert "whether the driver has switched" in silent(text)
    assert "consent" not in silent(text)


def test_rules_that_are_not_in_force_are_not_said_to_be_asked() -> None:
    act = Collect(category="track", purpose="research")
    old = cn_pack()
    facts = Facts(at=ms("2019-06-15T12:00:00+08:00"))
    text = " ".join(" ".join(letter(act, facts, "CN", [old], lambda a, f: judge(a, f, old))).split())
    assert "not those of that day, and so not asked" in text
    for absent in (SILENT.strip(), "What the data is in law", "What would change", "What these rules leave out"):
        assert absent not in text
    verdict = judge(act, facts, old)
    assert undecided(verdict)
    assert asked(act, verdict, [old]) == []
    assert not undecided(Verdict("accept", ()))


def test_what_a_notice_lacks_is_named() -> None:
    act = ConsentAsked(categories=("track",), purposes=("p",), notice_items=("types", "contact"))
    text = told(act)
    assert "It lacks: when it is collected and how to stop it, the purposes" in text
    assert "It lacks" not in told(ConsentAsked(categories=("track",), purposes=("p",), notice_items=NOTICE_ITEMS))


def test_a_refusal_that_is_to_be_reported_says_so_with_the_day() -> None:
    text = told(sent("CN", new_persons=1100), "us/2026-01")
    assert "What this answer starts. A refusal of what is prohibited is itself reported." in text
    assert "the report of a rejected offer is due on 29 June 2026. (28 CFR 202.1104)" in text


def test_a_permission_that_starts_a_duty_says_so_with_the_day() -> None:
    text = told(sent(), "vn/2026-01", papers=frozenset({"separate-consent"}))
    assert "the dossier of the transfer is due on 14 August 2026." in text
    kept = told(Store(category="track", place="SG", kind="log"), "vn/2026-01")
    assert "the dossier of the transfer is due on 14 August 2026." in kept
    for act in (sent("VN"), sent(category="diagnostic-aggregate"), Store(category="track", place="VN")):
        assert "What this answer starts" not in told(act, "vn/2026-01")


def test_a_duty_is_told_by_the_hour_or_without_a_day() -> None:
    own = pack("vn/2026-01")
    timed = replace(own, clock=(replace(own.clock[0], hours=24, days=None),))
    act, facts = sent(), Facts(at=AT)
    verdict = judge(act, facts, timed)
    (by_hour,) = reckoning.started(act, facts, verdict, [timed], lambda a, f: judge(a, f, timed))
    assert "is due on 16 June 2026 at 00:00." in by_hour
    (without,) = reckoning.started(act, facts, verdict, [timed], lambda a, f: judge(a, f, replace(own, clock=())))
    assert "These rules name no day." in without


def test_what_follows_an_emergency_is_named() -> None:
    act = sent(ground="emergency", new_persons=1)
    assert "What follows: a personal information protection impact assessment and a complete" in told(act)
    given = frozenset({"impact-assessment", "export-notice"})
    assert "What follows" not in told(act, papers=given)
    assert "What follows" not in told(sent(ground="emergency", category="diagnostic-aggregate"))
    assert "What follows" not in told(sent("GB"), "eu/2025-09")


def test_a_clock_says_that_it_is_over_and_whether_it_is_a_duty() -> None:
    act = Deadline(what="incident-report", start=ms("2026-06-15T09:30:00+08:00"))
    text = told(act, critical_operator=True)
    assert text.startswith("It is due on 15 June 2026 at 10:30 (Shanghai time). That is over already")
    assert "That is over" not in told(act)
    assert told(act, "in/2025-11").startswith("By Onshore's own policy, act by 18 June 2026 at 07:00 (Kolkata time).")
    yearly = told(Deadline(what="annual-report", start=date(2026, 6, 15)), "us/2026-01")
    assert yearly.startswith("It is due on 1 March 2027.")


def test_a_store_tells_what_the_data_is_and_what_is_on_file() -> None:
    act = Store(category="track", place="DE", kind="backup", age_days=4)
    text = told(act, papers=frozenset({"standard-contract"}))
    assert "The facts. On file: a filed standard contract." in text
    assert "are sensitive personal information." in text
    assert "whether it is kept under" not in text


def test_every_answer_is_bounded_by_what_the_rules_leave_out() -> None:
    assert "What these rules leave out, so that nothing here speaks of it: - The annex" in told(sent())


def test_figures_of_a_counter_without_a_rule_stand_alone() -> None:
    verdict = Verdict("allow", (), counters=(Counter("x", 3, 2), Counter("y", 1, None), Counter("ordinary", 2, 9)))
    assert list(reckoning.figures(verdict, [])) == [
        "On the count of x, this act included: 3, which passes 2; no higher threshold follows."
    ]


def test_the_words_of_a_pack_are_held_to_the_lists() -> None:
    words = Words(papers={"certificate": "a seal"}, routes={"exempt": "free"})
    assert (words.paper("certificate"), words.paper("assessment")) == ("a seal", "a security assessment")
    assert (words.route("exempt"), words.route("adequacy")) == ("free", "an adequacy decision")
    assert words.on_file(frozenset({"assessment", "certificate"})) == "a seal and a security assessment"
    text = (packs_text := CN_PACK.read_text("utf-8")).replace("[words.papers]\n", '[words.papers]\nodd-paper = "x"\n')
    assert text != packs_text
    with pytest.raises(Malformed, match="odd-paper"):
        parse(text, "p")
    with pytest.raises(Malformed, match="odd-route"):
        parse(packs_text.replace("[words.routes]\n", '[words.routes]\nodd-route = "x"\n'), "p")
    assert set(names.PAPER_WORDS) == set(PAPERS)
    assert set(names.ROUTE_WORDS) == set(ROUTES)
    assert set(names.ITEM_WORDS) == set(NOTICE_ITEMS)


def test_every_count_that_a_pack_names_is_one_of_its_own() -> None:
    for each in packs():
        own = {"ordinary", "sensitive"} | {rule.id for rule in each.transfer.bulk}
        assert set(each.words.counts) <= own, each.id


def test_the_facts_of_a_query_are_told_without_a_count() -> None:
    plain = Telling("JP", "Asia/Tokyo", pack("jp/2022-04").words, counts=False)
    assert facts_told(sent(), Facts(at=AT), plain) == "No paper is on file."
