"""Phases: a rule that begins within a pack's days is asked from its day on, and nothing is permitted by waiting."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from law import CN_PACK, cn_pack, ms, pack, packs
from onshore.rules.acts import Collect, Deadline, Facts, PermitInForce, StandingConsent, Store, TransferAsked
from onshore.rules.asking import asked, facts_of, in_play
from onshore.rules.book import check, in_force, read_case, tables
from onshore.rules.diff import changes, told
from onshore.rules.explaining import letter
from onshore.rules.judge import judge
from onshore.rules.lawpage import page
from onshore.rules.pack import Pack, parse, rules
from onshore.rules.rulebook import compile_rulebook
from onshore.rules.schema import pack_schema
from onshore.rules.standing import as_if_in_force, is_draft
from onshore.words.catalogue import Signal
from onshore.words.errors import Malformed

TEXT = CN_PACK.read_text("utf-8")
EU = (CN_PACK.parents[2] / "eu" / "2025-09" / "pack.toml").read_text("utf-8")
DAY = date(2026, 9, 1)
BEFORE, ON = ms("2026-08-31T23:59:59+08:00"), ms("2026-09-01T00:00:00+08:00")
OLD = pack("cn/2021-10")


def since(*ids: str, day: str = "2026-09-01", text: str = TEXT) -> str:
    """The text of a pack with these rules beginning on a day."""
    for name in ids:
        assert f'id = "{name}"\n' in text
        text = text.replace(f'id = "{name}"\n', f'id = "{name}"\nsince = {day}\n', 1)
    return text


def asks(by: Pack, at: int, papers: tuple[str, ...] = (), **act: Any) -> frozenset[str]:
    facts = {key: act.pop(key) for key in ("permit", "consent", "exported") if key in act}
    wanted = {"to": "DE", "purpose": "repair", "categories": ("track",), "new_persons": 1, **act}
    return frozenset(judge(TransferAsked(**wanted), Facts(at=at, papers=frozenset(papers), **facts), by).codes())


def test_a_rule_is_asked_from_the_first_moment_of_its_day_here() -> None:
    by = parse(since("impact-assessment-missing", "recipient-blocked"))
    first = {"impact-assessment-missing", "recipient-blocked"}
    assert asks(by, BEFORE, recipient_status="blocked") == asks(cn_pack(), BEFORE, recipient_status="blocked") - first
    assert asks(by, ON, recipient_status="blocked") == asks(cn_pack(), ON, recipient_status="blocked")


def test_a_phase_is_one_pack_all_through() -> None:
    assert cn_pack().as_of(date(2030, 1, 1)) is cn_pack()
    by = parse(since("impact-assessment-missing", day="2026-12-01", text=since("guardian-needed")))
    phases = [by.as_of(DAY - timedelta(1)), by.as_of(DAY), by.as_of(date(2026, 12, 1))]
    assert len({id(phase) for phase in phases}) == 3
    assert phases[0] is by.as_of(by.valid_from)
    assert phases[1] is by.as_of(date(2026, 11, 30))
    assert phases[2] is by
    counts = [sum(1 for _ in rules(phase)) for phase in phases]
    assert [after - before for before, after in pairwise(counts)] == [1, 1]


def test_the_packs_of_others_are_asked_as_they_stand() -> None:
    act = TransferAsked(
        to="US", purpose="repair", categories=("identity",), produced_in="CN", recipient_status="blocked", new_persons=1
    )
    here = pack("gb/2026-02")
    other = parse(since("recipient-blocked"))
    reasons = {"before": judge(act, Facts(at=BEFORE), here, (other,)), "on": judge(act, Facts(at=ON), here, (other,))}
    articles = {when: {reason.article for reason in found.reasons} for when, found in reasons.items()}
    assert "PIPL Art. 42" in articles["on"] - articles["before"]


def test_a_clock_and_a_floor_begin_as_well() -> None:
    clock = Deadline(what="contract-filing", start=date(2023, 5, 30))
    assert judge(clock, Facts(at=ms("2023-05-31T12:00:00+08:00")), OLD).warnings == ("no-clock",)
    assert judge(clock, Facts(at=ms("2023-06-01T12:00:00+08:00")), OLD).verdict == "due"
    purge = Store(category="identity", place="CN", record="impact-assessment", age="1y", ask="purge")
    assert judge(purge, Facts(at=ms("2021-10-31T12:00:00+08:00")), OLD).verdict == "purge"
    assert judge(purge, Facts(at=ms("2021-11-01T12:00:00+08:00")), OLD).codes() == {"below-retention-floor"}


def test_a_route_asks_nobody_before_its_day_and_its_paper_counts_all_the_same() -> None:
    before, on = ms("2021-10-31T12:00:00+08:00"), ms("2021-11-01T12:00:00+08:00")
    assert asks(OLD, before, categories=("vehicle-operation",)) == {"exempt"}
    assert "contract-or-certificate-required" in asks(OLD, on, categories=("vehicle-operation",))
    permit = PermitInForce(
        route="contract-or-certificate", purpose="repair", categories=("vehicle-operation",), recipient="p", persons=9
    )
    held: dict[str, Any] = {"permit": permit, "recipient": "p", "categories": ("vehicle-operation",)}
    assert asks(OLD, before, **held) == {"within-permit"}
    assert "outside-permit" not in asks(OLD, on, **held)


def test_the_figures_of_a_route_may_begin_later_than_the_rest_of_it() -> None:
    papers = ("standard-contract", "impact-assessment", "export-notice", "separate-consent")
    before, on = ms("2022-08-31T12:00:00+08:00"), ms("2022-09-01T12:00:00+08:00")
    assert asks(OLD, before, papers, new_persons=10_000) == {"within-permit"}
    assert asks(OLD, on, papers, new_persons=10_000) == {"assessment-required"}
    assert asks(OLD, before, papers, categories=("charging-network",), new_persons=0) >= {"assessment-required"}


def test_tables_change_on_the_day() -> None:
    by = parse(since("biometric-not-for-safety", "not-separate"))
    signals = {"S.b": Signal("S.b", None, "uint8", "uint8", "biometric", "raw", "", True, "01.x")}
    books = [compile_rulebook(by.as_of(day), signals, "00") for day in (DAY - timedelta(1), DAY)]
    assert [bool(book.only_for) for book in books] == [False, True]
    assert [bool(book.separate) for book in books] == [False, True]
    act, consent = (
        Collect(category="biometric", purpose="fun"),
        StandingConsent(purposes=("fun",), categories=("biometric",)),
    )
    for at, verdict in ((BEFORE, "keep"), (ON, "withhold")):
        assert judge(act, Facts(at=at, driver_setting="on", consent=consent), by).verdict == verdict


WRONG = [
    (since("impact-assessment-missing", day="2026-01-30"), "2026-01-30 does not lie within the pack's days"),
    (since("impact-assessment-missing", day="2025-01-01"), "2025-01-01 does not lie within the pack's days"),
    (since("no-consent"), "every pack needs this rule, so it begins with the pack"),
    (since("ground-contract"), "what permits begins with a version of its own"),
    (since("no-personal"), "what permits begins with a version of its own"),
    (since("exempt"), "what permits begins with a version of its own"),
    (since("exempt-contract"), "what permits begins with a version of its own"),
    (since("within-permit"), "what permits begins with a version of its own"),
    (since("exception-road-test"), "a cap that it lifts begins earlier"),
    (since("exception-road-test", day="2026-10-01", text=since("cap-14-days")), "a cap that it lifts begins earlier"),
    (TEXT.replace("valid_from = 2026-01-30", "valid_from = 2026-01-30\nvalid_until = 2026-08-31").replace(
        'id = "notice-missing"', 'id = "notice-missing"\nsince = 2026-09-01'), "does not lie within the pack's days"),
    (TEXT.replace('id = "consent-expired"', 'id = "consent-expired"\nopen_ended = false'), "only a draft"),
    (since("safeguards", text=EU), "what permits"),
    (since("no-mechanism", text=EU), "every pack"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "says"), WRONG)
def test_what_may_not_begin_later_is_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(Malformed, match=says) as caught:
        parse(text, "x/pack.toml")
    assert caught.value.where.startswith("x/pack.toml, line ")
    assert caught.value.where.endswith(("since", "open_ended"))


def test_an_exception_may_begin_with_its_cap() -> None:
    assert parse(since("cap-14-days", "exception-road-test")).store is not None


@pytest.mark.parametrize("law", [law for law in packs() if not is_draft(law)], ids=lambda law: law.id)
def test_a_verdict_cites_nothing_that_had_not_begun(law: Pack) -> None:
    """On the last day before each text begins, no rule of it is among those that stand."""
    for _, rule in rules(law):
        if rule.since is not None:
            standing = {each.id for _, each in rules(law.as_of(rule.since - timedelta(1))) if each.since == rule.since}
            assert standing == set()
            assert rule.id in {each.id for _, each in rules(law.as_of(rule.since))}


CASE = """format = 1
[[scenario]]
id = "T-1"
title = "t"
basis = "b"
jurisdiction = "CN"
at = {at}
collect = {{ category = "track", purpose = "trips" }}
expect = {{ verdict = "withhold", reason = "{reason}" }}
"""


def test_a_draft_is_never_chosen_by_date() -> None:
    """The draft of May 2021 has begun and has no end: neither the book nor the judge takes it for law."""
    draft, law = pack("cn/2021-05-draft"), packs()
    assert is_draft(draft)
    text = CASE.format(at="2021-06-15T12:00:00+08:00", reason="consented")
    (case,) = (read_case(table, "b") for table in tables(text, "b"))
    chosen = in_force(case, law)
    assert chosen is not None
    assert not is_draft(chosen)
    assert check(text, law, "b")[0].came.codes() == {"stale-rules"}
    at = Facts(at=ms("2021-06-15T12:00:00+08:00"))
    act = TransferAsked(to="DE", purpose="repair", categories=("charging-network",), produced_in="CN")
    eu = pack("eu/2018-05")
    assert judge(act, at, eu, law) == judge(act, at, eu, [p for p in law if not is_draft(p)])
    assert judge(act, at, eu, law) != judge(act, at, eu, [replace(draft, draft=False, id="cn/2021-05")])
    assert [p.id for p in in_play(act, at, eu, law)] == ["eu/2018-05"]


def test_a_draft_that_is_named_judges() -> None:
    text = CASE.format(at="2021-06-15T12:00:00+08:00", reason="default-off")
    assert check(text, [pack("cn/2021-05-draft")], "b")[0].passed


def test_a_consent_that_may_not_stand_open_is_over_without_an_end() -> None:
    draft = pack("cn/2021-05-draft")
    at = ms("2021-06-15T12:00:00+08:00")
    act = Collect(category="track", purpose="trips")
    for until, codes in ((None, {"consent-expired"}), (at + 1, {"consented"}), (at, {"consent-expired"})):
        consent = StandingConsent(purposes=("trips",), categories=("track",), separate=True, until=until)
        assert judge(act, Facts(at=at, driver_setting="on", consent=consent), draft).codes() == codes


def test_as_if_in_force_every_rule_has_begun() -> None:
    whole = as_if_in_force(OLD)
    assert whole.as_of(date(2000, 1, 1)) is whole
    assert [rule.id for _, rule in rules(whole)] == [rule.id for _, rule in rules(OLD)]


def test_a_letter_says_since_when_and_what_begins_later() -> None:
    act = TransferAsked(to="DE", purpose="repair", categories=("vehicle-operation",), new_persons=1)
    facts = Facts(at=ms("2022-01-15T12:00:00+08:00"))
    known = in_play(act, facts, OLD, packs())
    text = " ".join(" ".join(letter(act, facts, "CN", known, lambda a, f: judge(a, f, OLD))).split())
    assert "PIPL Art. 39 (binding law; seen in: github.com/LawRefBook/Laws; since 1 November 2021)" in text
    later = text.partition("Not asked, for they begin later: ")[2]
    assert "- Standard Contract Measures (2023), Art. 4, begins on 1 June 2023: Together with" in later
    assert "PIPL Art. 39" not in later
    assert "Art. 4, 14, its numbers of persons begin on 1 September 2022: 100,000 persons" in later
    early = replace(facts, at=ms("2021-10-15T12:00:00+08:00"))
    told_then = " ".join(" ".join(letter(act, early, "CN", known, lambda a, f: judge(a, f, OLD))).split())
    silent, _, later = told_then.partition("Not asked, for they begin later: ")
    assert "Every person's information needs a contract" not in silent
    assert "PIPL Art. 38; Standard Contract Measures (2023), Art. 4, begins on 1 November 2021: Every" in later
    verdict = judge(act, facts, OLD)
    rows = {row["id"]: row for row in facts_of(asked(act, verdict, [OLD]))}
    assert rows["possible-splitting"]["since"] == "2023-06-01"
    assert "possible-splitting" not in {each.rule.id for each in asked(act, verdict, [OLD], facts.at)}
    assert "begin later" not in "\n".join(letter(act, facts, "CN", [cn_pack()], lambda a, f: judge(a, f, cn_pack())))


def test_the_page_the_schema_and_the_difference_tell_the_day() -> None:
    assert "begins on: 1 November 2021" in page([OLD])
    assert "these figures begin on: 1 September 2022" in page([OLD])
    assert "a consent without an end stands: no" in page([pack("cn/2021-05-draft")])
    tables_ = pack_schema()["$defs"]
    assert "since" in tables_["Rule"]["properties"]
    assert "draft" in tables_["Pack"]["properties"]
    new = parse(since("impact-assessment-missing").replace('"cn/2026-02"', '"cn/2027-01"'))
    (change,) = (change for change in changes(cn_pack(), new) if change.path)
    assert change.fields == (("since", None, DAY),)
    added = "\n".join(told(replace(new, report=()), new))
    assert "begins on" not in added
    report = new.report[0]
    later = replace(new, report=(*new.report, replace(report, id="later", since=DAY)))
    assert "begins on 1 September 2026" in "\n".join(told(new, later))


def test_a_day_that_is_past_when_the_next_version_begins_is_no_change() -> None:
    fields = [field for change in changes(OLD, pack("cn/2024-03")) for field in change.fields]
    assert [field for field in fields if field[0] in {"since", "counts_since"} and field[2] is None] == []
