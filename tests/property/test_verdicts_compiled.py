"""Compiled and judged agree on every combination: what the sieve keeps by a pack's rulebook, the judge keeps.

The sieve and the judge share no code below `words`: each row of these batches is one combination, sieved at once
with all others on one side, judged alone on the other.
"""

import itertools
from datetime import UTC, datetime, time, timedelta

import pyarrow as pa
import pytest

from law import packs
from onshore.consent.columns import compile_consents
from onshore.consent.sieve import sieve
from onshore.consent.zones import Zones
from onshore.rules.acts import Collect, Facts, StandingConsent
from onshore.rules.judge import judge
from onshore.rules.pack import rules
from onshore.rules.rulebook import compile_rulebook
from onshore.rules.standing import is_draft
from onshore.words.batch import BASE, DOOR, TIME, purposes_column
from onshore.words.catalogue import Signal
from onshore.words.consent import Consent
from onshore.words.place import DATUM, LATITUDE, LONGITUDE, Zone
from onshore.words.use import Use
from onshore.words.vocabulary import CATEGORIES, STATUTORY

SQUARE = ((10.0, 10.0), (10.0, 11.0), (11.0, 11.0), (11.0, 10.0), (10.0, 10.0))
ZONES = Zones((Zone("yard", "military", "WGS-84", 0, ((SQUARE,),)),))
WHERE = {"none": 30.0, "restricted": 10.5}

STATES = {
    "given": {},
    "not begun": {"start": 1},
    "over": {"until": 0},
    "ends later": {"until": 1},
    "withdrawn": {"withdrawn": 0},
    "withdrawn later": {"withdrawn": 1},
    "other purpose": {"purpose": "other"},
    "other category": {"category": None},
    "none at all": None,
}
"""What is special about the consent; instants count from the moment of judging."""

ROWS = list(itertools.product(STATES, (True, False), WHERE))


def phases():
    """Every pack of law, once for each phase of its days: with the first whole day of that phase."""
    for pack in packs():
        if not is_draft(pack):
            begins = {rule.since for _, rule in rules(pack) if rule.since is not None}
            yield from ((pack, day) for day in (pack.valid_from + timedelta(1), *sorted(begins)))


EACH = [pytest.param(pack, day, id=f"{pack.id} {day}") for pack, day in phases()]


def noon(day):
    """Noon of a day, UTC, which is the same day in every jurisdiction that has a pack."""
    return round(datetime.combine(day, time(12), UTC).timestamp() * 1000)


def purposes_of(pack):
    """One of each class: purposes that some rule names, and one that none does."""
    limit = pack.consent.biometric_not_for_safety
    grounds = [pack.grounds.consent, pack.grounds.statutory]
    named = {p for ground in grounds if ground for p in ground.purposes or ()} | set(limit.purposes if limit else ())
    return sorted(named - {STATUTORY} | {"trips"})


def signal(category):
    return Signal(f"S.{category}", None, "uint8", "uint8", category, "raw", "", True, "01.x")


SIGNALS = {f"S.{category}": signal(category) for category in CATEGORIES}


def consent_of(vehicle, purpose, category, *, separate, start, until=None, withdrawn=None):
    return Consent(1, 1, vehicle, purpose, category, start, until, withdrawn, "1", separate, frozenset())


def consents(at, purpose):
    """Per row its consents, one of each category."""
    for vehicle, (state, separate, _) in enumerate(ROWS, 1):
        special = STATES[state]
        for number, category in enumerate(CATEGORIES if special is not None else ()):
            instants = {k: at + v for k, v in special.items() if k in {"start", "until", "withdrawn"}}
            other = CATEGORIES[number - 1] if "category" in special else category
            yield (
                (vehicle, category),
                consent_of(
                    vehicle, special.get("purpose", purpose), other, separate=separate, **{"start": at} | instants
                ),
            )


def batch(at, category, door):
    """A row per combination, with a cell of this category; positions lie in columns that nobody listed."""
    rows = len(ROWS)
    place = pa.array([WHERE[zone] for _, _, zone in ROWS])
    said = {DATUM: "WGS-84"}
    columns = {f"S.{category}": pa.array([1] * rows, pa.uint8()), LONGITUDE: place, LATITUDE: place}
    arrays = [
        pa.array(range(1, rows + 1), pa.int64()),
        *[pa.array([at] * rows, pa.int64()).cast(TIME)] * 2,
        pa.array([door] * rows).dictionary_encode().cast(DOOR),
        *columns.values(),
    ]
    fields = [pa.field(name, a.type, metadata=said if a is place else None) for name, a in columns.items()]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema([*BASE, *fields]))


def sieved(pack, at, category, purpose, memos, given):
    """Which rows are kept for a purpose, by the tables of a pack as it stands."""
    book = compile_rulebook(pack, SIGNALS, "00", memos=memos)
    door = next(iter(book.statutory), "mqtt") if purpose == STATUTORY else "mqtt"
    columns = compile_consents(given, (STATUTORY, *(p for p in (*purposes_of(pack), "other"))))
    kept = sieve(batch(at, category, door), columns, book, at, only=Use(purpose), zones=ZONES).kept
    if kept is None:
        return set()
    bit = columns.purposes.index(purpose)
    bits = kept.column(purposes_column(category)).to_pylist()
    return {v for v, some in zip(kept.column("vehicle").to_pylist(), bits, strict=True) if some >> bit & 1}


def judged(pack, at, act, consent):
    standing = consent and StandingConsent(
        purposes=(consent.purpose,),
        categories=(consent.category,),
        separate=consent.separate,
        start=consent.start,
        until=consent.until,
        withdrawn=consent.withdrawn,
    )
    return judge(act, Facts(at=at, driver_setting="on", consent=standing), pack).verdict == "keep"


@pytest.mark.parametrize("memo", [True, False])
@pytest.mark.parametrize(("pack", "day"), EACH)
def test_consented_cells_are_those_that_the_judge_keeps(pack, day, memo):
    at, kept, stands = noon(day), 0, pack.as_of(day)
    for purpose in purposes_of(pack):
        given = dict(consents(at, purpose))
        for category in CATEGORIES:
            own = [consent for (_, of), consent in given.items() if of == category]
            found = sieved(stands, at, category, purpose, CATEGORIES if memo else (), own)
            for vehicle, (state, separate, zone) in enumerate(ROWS, 1):
                act = Collect(category=category, purpose=purpose, zone=zone, biometric_necessity_memo=memo)
                keeps = judged(pack, at, act, given.get((vehicle, category)))
                assert (vehicle in found) == keeps, (category, purpose, state, separate, zone)
            kept += len(found)
    assert kept


@pytest.mark.parametrize("memo", [True, False])
@pytest.mark.parametrize(("pack", "day"), EACH)
def test_statutory_cells_are_those_that_the_judge_keeps(pack, day, memo):
    """A law that names no door claims no batch on that ground."""
    at, ground, stands = noon(day), pack.grounds.statutory, pack.as_of(day)
    for category in CATEGORIES:
        found = sieved(stands, at, category, STATUTORY, CATEGORIES if memo else (), ())
        for vehicle, (_, _, zone) in enumerate(ROWS, 1):
            act = Collect(
                category=category, purpose=STATUTORY, ground="statutory", zone=zone, biometric_necessity_memo=memo
            )
            keeps = judged(pack, at, act, None) and ground is not None and bool(ground.doors)
            assert (vehicle in found) == keeps, (category, zone)


@pytest.mark.parametrize(("pack", "day"), EACH)
def test_a_batch_claims_no_other_ground(pack, day):
    """Contract, emergency and safety are claimed by acts, not by batches: without a consent nothing is kept."""
    at, stands = noon(day), pack.as_of(day)
    for category, purpose in itertools.product(CATEGORIES, purposes_of(pack)):
        assert sieved(stands, at, category, purpose, CATEGORIES, ()) == set()
