"""Whatever a scenario book holds: verdicts, or one error that names the file. Nothing else comes out of it."""

import re
import tomllib
from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from law import packs
from onshore.rules.book import check
from onshore.words.errors import Malformed

HEAD = {
    "id": "T-1",
    "title": "t",
    "basis": "b",
    "jurisdiction": "CN",
    "at": datetime(2026, 6, 15, 12, tzinfo=UTC),
    "given": {
        "exported": {"sensitive": 9_999, "ordinary": 1},
        "devices_12_months": 1,
        "critical_operator": False,
        "papers": ["assessment"],
        "permit": {
            "route": "assessment",
            "purpose": "p",
            "categories": ["track"],
            "recipient": "r",
            "persons": 9,
            "used": 1,
            "from": date(2026, 1, 1),
            "until": date(2027, 1, 1),
            "revoked": False,
        },
        "group_exports": {"members": 2, "ordinary": 1, "sensitive": 1},
        "strict_art3_5": True,
        "consent": {
            "purposes": ["p"],
            "categories": ["track"],
            "recipients": ["r"],
            "from": datetime(2026, 1, 1, tzinfo=UTC),
            "until": datetime(2027, 1, 1, tzinfo=UTC),
            "separate": True,
            "withdrawn": datetime(2026, 5, 1, tzinfo=UTC),
            "notice": "complete",
        },
        "driver_setting": "on",
        "calendar_until": 2026,
        "pack_valid_until": date(2027, 1, 1),
    },
}
ACTS = [
    {"collect": {"category": "track", "purpose": "p", "person_born": date(2012, 2, 29), "zone": "none"}},
    {
        "consent": {
            "categories": ["biometric"],
            "purposes": ["p"],
            "notice_items": ["types"],
            "person_born": date(2012, 2, 29),
            "last_refused": datetime(2026, 6, 1, tzinfo=UTC),
        }
    },
    {"store": {"category": "track", "place": "CN", "age": "1y2mo", "exception": "safety-clip", "clip_seconds": 1.5}},
    {"store": {"category": "track", "place": "DE", "age_days": 15, "clips_today": 3}},
    {
        "transfer": {
            "to": "US",
            "purpose": "p",
            "categories": ["track"],
            "recipient": "r",
            "new_persons": 1,
            "new_devices": 1,
            "precision_m": 5.0,
            "subjects_in_dataset": 1,
            "produced_in": "DE",
        }
    },
    {"deadline": {"what": "erasure", "from": date(2026, 12, 17)}},
    {"deadline": {"what": "incident-report", "from": datetime(2026, 12, 17, tzinfo=UTC)}},
    {"deadline": {"what": "permit-expiry", "from": date(2026, 2, 28)}},
]
EXPECT = {
    "collect": {"verdict": "keep"},
    "consent": {"verdict": "accept"},
    "store": {"verdict": "keep"},
    "transfer": {"verdict": "allow", "reason": "exempt", "route": "exempt"},
    "deadline": {"due": date(2027, 1, 4), "warning": "calendar-missing"},
}
CASES = [{**HEAD, **act, "expect": EXPECT[next(iter(act))]} for act in ACTS]
PACKS = packs()


def written(value: object) -> str:
    """A value as TOML has it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(key)} = {written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(sign):08x}" for sign in value) + '"'
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value).lower()


def book(case: dict[str, object]) -> str:
    return "format = 1\n[[scenario]]\n" + "\n".join(f"{written(key)} = {written(item)}" for key, item in case.items())


def paths(node: object, at: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner = node.items() if isinstance(node, dict) else ()
    return [at, *(found for key, child in inner for found in paths(child, (*at, key)))][0 if at else 1 :]


PLACES = [(number, path) for number, case in enumerate(CASES) for path in paths(case)]
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
edges = st.sampled_from(["0001-01-01", "9999-12-31", "9000-12-31", "9997-06-30", "1900-01-01", "2000-02-29"])
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
leaves = st.one_of(
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 10**12, 10**13, 1 << 63, 10**400]),
    st.floats(),
    texts,
    st.sampled_from(["9" * 5000 + "s", "9999y", "1y", "none", "CN", "US", "EU", "track", "assessment", "", "\0"]),
    st.dates(),
    edges.map(date.fromisoformat),
    st.datetimes(timezones=st.none() | offsets),
    st.builds(lambda day, zone: datetime.fromisoformat(f"{day}T23:59:59").replace(tzinfo=zone), edges, offsets),
    st.times(),
)
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)


def judged(text):
    """Judge a book; what it is refused for, if it is, names the file, and no type that only Python knows."""
    says = ""
    try:
        outcomes = check(text, PACKS, "b.toml")
    except Malformed as error:
        outcomes, says = [], str(error)
    assert all(outcome.line() for outcome in outcomes)
    assert says.startswith("b.toml" if says else "")
    assert not set(re.findall(r"`(.*?)`", says)) & {"int", "str", "float", "array", "object", "null"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: list(case)[-2])
def test_what_is_changed_below_is_judged_as_it_stands(case):
    assert tomllib.loads(book(case))["scenario"] == [case]
    assert check(book(case), PACKS, "b.toml")


@given(st.sampled_from(PLACES), anything)
@settings(max_examples=400, deadline=None)
def test_a_good_case_with_one_value_changed(place, value):
    number, path = place
    judged(book(changed(CASES[number], path, value)))


def changed(node, path, value):
    return {**node, path[0]: changed(node[path[0]], path[1:], value)} if path else value


@given(st.sampled_from(CASES), st.data())
@settings(max_examples=150, deadline=None)
def test_a_good_book_with_a_few_signs_changed(case, data):
    text = book(case)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 8, len(text))))
    judged(text[:start] + data.draw(st.text(st.sampled_from("[]{}=.,\"'#\n \\01-:Taé\0"), max_size=6)) + text[end:])


@given(st.text(max_size=60))
@example("x = " + "[" * 100_000)
@example("[[scenario]]\n" * 2_000 + "a = [[[[" + "{a.a.a.a.a.a.a.a = [" * 900)
@example("[" + ".".join(["a"] * 50_000) + "]")
@example("format = 1" + "0" * 5_000)
@example("a = 'x" + "." * 200_000)
@settings(max_examples=100, deadline=None)
def test_anything(text):
    judged(text)
