"""Keeping: where a sink may stand, how long what is kept, and what outweighs what."""

from typing import Any

import msgspec
import pytest

from law import AT, pack
from onshore.rules.acts import Facts, Store
from onshore.rules.judge import judge
from onshore.rules.keeping import cap_of, floor_of
from onshore.rules.pack import Pack
from onshore.rules.pack_store import Cap, Exempted, FirstWrite, Floor, Keeping, Sink
from onshore.words.verdict import Verdict

RULE = {"article": "Art. 1", "mark": "mem-H", "kind": "LAW", "says": "It is so."}
WITHIN = pack("cn/2026-02").store
assert WITHIN is not None
RULES = Keeping(
    within_retention=WITHIN.within_retention,
    foreign_sink=(
        Sink(
            id="sink",
            kinds=("primary", "backup"),
            categories=("track", "health"),
            places=("KR",),
            papers=("standard-contract", "certificate"),
            also=("transfer-assessment",),
            adequate=True,
            **RULE,
        ),
    ),
    first_write_abroad=FirstWrite(id="first", **RULE),
    cap=(Cap(id="cap", categories=("track", "exterior-video"), max="14d", **RULE),),
    floor=(
        Floor(id="floor", records=("network-log", "observation"), min="6mo", categories=("identity",), **RULE),
        Floor(id="floor-track", records=("observation",), min="1d", categories=("track",), **RULE),
    ),
    exception=(
        Exempted(id="clip", name="safety-clip", categories=("exterior-video",), per_day=3, max_seconds=120, **RULE),
        Exempted(id="cloud", name="user-cloud", **RULE),
    ),
)


def site(rules: Keeping | None = RULES, name: str = "eu/2025-09") -> Pack:
    return msgspec.structs.replace(pack(name), store=rules)


def store(papers: tuple[str, ...] = (), by: Pack | None = None, **act: Any) -> Verdict:
    facts = Facts(at=AT, papers=frozenset(papers))
    return judge(Store(**{"category": "track", "place": "FR", **act}), facts, by or site())


@pytest.mark.parametrize(
    ("act", "verdict", "codes"),
    [
        ({"age": "14d"}, "keep", {"within-retention"}),
        ({"age_days": 14}, "keep", {"within-retention"}),
        ({}, "keep", {"within-retention"}),
        ({"age": "14d1s"}, "purge", {"retention-over"}),
        ({"age": "14d1s", "record": "network-log"}, "keep", {"within-retention"}),
        ({"age": "14d1s", "category": "identity"}, "keep", {"within-retention"}),
        ({"age": "14d1s", "exception": "user-cloud"}, "keep", {"within-retention"}),
        ({"age": "14d1s", "exception": "road-test"}, "purge", {"retention-over"}),
        ({"age": "14d1s", "exception": "safety-clip"}, "purge", {"retention-over"}),
        ({"age": "12h"}, "keep", {"within-retention"}),
        ({"ask": "purge", "age": "12h"}, "refuse", {"below-retention-floor"}),
        ({"ask": "purge", "age": "1d"}, "purge", {"within-retention"}),
        ({"ask": "purge", "age": "15d"}, "purge", {"retention-over"}),
        ({"ask": "purge", "age": "15d", "place": "US"}, "purge", {"retention-over"}),
        ({"ask": "purge", "category": "identity", "age": "6mo"}, "purge", {"within-retention"}),
        ({"ask": "purge", "category": "identity", "age": "5mo30d"}, "refuse", {"below-retention-floor"}),
        ({"ask": "purge", "category": "health", "age": "1d"}, "purge", {"within-retention"}),
        ({"place": "US"}, "refuse", {"foreign-sink"}),
        ({"place": "US", "kind": "log"}, "keep", {"within-retention"}),
        ({"place": "US", "category": "identity"}, "keep", {"within-retention"}),
        ({"place": "US", "category": "identity", "kind": "first-write"}, "refuse", {"first-write-abroad"}),
        ({"place": "US", "age": "15d"}, "refuse", {"foreign-sink", "retention-over"}),
        ({"place": "KR"}, "keep", {"within-retention"}),
        ({"place": "GB"}, "keep", {"within-retention"}),
        ({"place": "US", "papers": ("adequacy",)}, "keep", {"within-retention"}),
        ({"place": "US", "papers": ("standard-contract",)}, "refuse", {"foreign-sink"}),
        ({"place": "US", "papers": ("certificate", "transfer-assessment")}, "keep", {"within-retention"}),
    ],
)
def test_keeping(act: dict[str, Any], verdict: str, codes: set[str]) -> None:
    found = store(**act)
    assert (found.verdict, found.codes()) == (verdict, codes)


@pytest.mark.parametrize(
    ("clip", "verdict"),
    [
        ({"clips_today": 2, "clip_seconds": 120}, "keep"),
        ({"clips_today": 3, "clip_seconds": 120}, "refuse"),
        ({"clips_today": 2, "clip_seconds": 120.5}, "refuse"),
    ],
)
def test_clips(clip: dict[str, Any], verdict: str) -> None:
    found = store(category="exterior-video", exception="safety-clip", age="20d", **clip)
    assert found.verdict == verdict
    assert found.codes() == ({"clip-quota"} if verdict == "refuse" else {"within-retention"})


def test_without_rules_on_keeping_nothing_is_kept() -> None:
    assert (store(by=site(None)).verdict, store(by=site(None)).codes()) == ("refuse", {"no-rule-pack"})


def test_a_sink_without_papers_is_lifted_by_none() -> None:
    bare = Keeping(within_retention=RULES.within_retention, foreign_sink=(Sink(id="sink", **RULE),))
    assert store(papers=("standard-contract",), by=site(bare), place="GB", kind="index").codes() == {"foreign-sink"}
    assert store(by=site(Keeping(within_retention=RULES.within_retention)), place="US").verdict == "keep"


@pytest.mark.parametrize("kind", ["first", "last"])
def test_an_act_is_read_strictly(kind: str) -> None:
    with pytest.raises(ValueError, match="kind"):
        Store(category="track", place="CN", kind=kind)


def test_each_of_several_rules_on_sinks_is_lifted_by_its_own_papers() -> None:
    """Personal data by a certificate, map data by a licence, and both together by nothing less."""
    two = (
        Sink(id="persons", categories=("track",), papers=("certificate",), **RULE),
        Sink(id="maps", categories=("track", "point-cloud"), papers=("survey-approval",), **RULE),
    )
    by = site(Keeping(within_retention=RULES.within_retention, foreign_sink=two))
    assert store(("certificate",), by, category="point-cloud", place="US").verdict == "refuse"
    assert store(("survey-approval",), by, category="point-cloud", place="US").verdict == "keep"
    assert len(store((), by, place="US").reasons) == 2
    assert store(("certificate",), by, place="US").verdict == "refuse"
    assert store(("certificate", "survey-approval"), by, place="US").verdict == "keep"


def test_a_rule_on_sinks_may_stand_against_some_places_alone() -> None:
    by = site(Keeping(within_retention=RULES.within_retention, foreign_sink=(Sink(id="s", to=("RU",), **RULE),)))
    assert store((), by, place="RU").codes() == {"foreign-sink"}
    assert store((), by, place="US").verdict == "keep"


@pytest.mark.parametrize("seconds", [float("inf"), float("nan")])
def test_a_length_is_a_number_that_can_be_measured(seconds: float) -> None:
    with pytest.raises(ValueError, match="no number that can be measured"):
        Store(category="track", place="CN", clip_seconds=seconds)


DAY = 86_400_000


def test_a_floor_says_until_when_and_by_what() -> None:
    track = Store(category="track", place="FR")
    found = floor_of(track, AT, site())
    assert found is not None
    assert (found.until - AT, found.article) == (DAY, "Art. 1")
    assert floor_of(Store(category="health", place="FR"), AT, site()) is None
    assert floor_of(track, AT, site(None)) is None
    long = floor_of(Store(category="identity", place="FR"), AT, site())
    assert long is not None
    assert judge(Store(category="identity", place="FR", ask="purge"), Facts(at=AT), site()).verdict == "refuse"
    age = f"{(long.until - AT) // 1000}s"
    kept = judge(Store(category="identity", place="FR", ask="purge", age=age), Facts(at=long.until), site())
    assert kept.verdict == "purge"


def test_a_cap_says_until_when_unless_a_floor_or_an_exception_has_it_longer() -> None:
    track = Store(category="track", place="FR")
    found = cap_of(track, AT, site())
    assert found is not None
    assert found.until - AT == 14 * DAY
    assert cap_of(Store(category="track", place="FR", exception="user-cloud"), AT, site()) is None
    assert cap_of(Store(category="health", place="FR"), AT, site()) is None
    assert cap_of(track, AT, site(None)) is None
    longer = Floor(id="f", records=("observation",), min="1y", categories=("track",), **RULE)
    both = site(msgspec.structs.replace(RULES, floor=(longer,)))
    assert cap_of(track, AT, both) == floor_of(track, AT, both)
