"""Rows go where they belong: by category, ground, local day and bucket; nothing widens on the way."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from onshore.vault.split import Near, split
from onshore.words.batch import purposes_of, signals, with_exception
from onshore.words.errors import Broken
from onshore.words.vocabulary import STATUTORY
from vault_makers import DAY, NOON, PACK, USE, ZONE, sieved

SPEED, CELLS, LATITUDE = "Vehicle.Speed", "Vehicle.Powertrain.TractionBattery.Cells", "Vehicle.CurrentLocation.Latitude"


def cut(*batches, buckets=16, zone=ZONE):
    found = list(split([one.kept for one in batches], pack=PACK, zone=zone, buckets=buckets))
    assert all(place.pack == PACK for place, _ in found)
    return {(p.category, p.ground, p.day, p.bucket): table for p, table in found}


def instant(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_grounds_and_categories_part():
    found = cut(sieved([1, 1], [NOON, NOON + 1]))
    assert {key[:2]: (signals(t.schema), set(t.column("purposes").to_pylist())) for key, t in found.items()} == {
        ("vehicle-operation", "statutory"): ([SPEED], {0b01}),
        ("vehicle-operation", "consent"): ([SPEED, CELLS], {0b10}),
        ("track", "consent"): ([LATITUDE], {0b10}),
    }


def test_statutory_rows_alone_make_no_consent_segment():
    found = cut(sieved([1], [NOON], operation=1, track=0))
    assert [key[:2] for key in found] == [("vehicle-operation", "statutory")]
    assert [purposes_of(t.schema) for t in found.values()] == [(STATUTORY,)]


def test_consented_rows_alone_make_no_statutory_segment():
    assert {key[1] for key in cut(sieved([1], [NOON], operation=0b10))} == {"consent"}


def test_rows_without_a_value_are_left_out():
    found = cut(sieved([1, 1], [NOON, NOON + 1], operation=1, speeds=[None, 12.5]))
    assert found["vehicle-operation", "statutory", "2026-05-29", 1].column(SPEED).to_pylist() == [12.5]


@pytest.mark.parametrize(
    ("zone", "utc", "day"),
    [
        ("Asia/Shanghai", "2026-05-29T15:59:59.999", "2026-05-29"),
        ("Asia/Shanghai", "2026-05-29T16:00:00", "2026-05-30"),
        ("Asia/Kolkata", "2026-05-29T18:29:59.999", "2026-05-29"),
        ("Asia/Kolkata", "2026-05-29T18:30:00", "2026-05-30"),
        ("Europe/Berlin", "2026-03-28T22:59:59.999", "2026-03-28"),
        ("Europe/Berlin", "2026-03-28T23:00:00", "2026-03-29"),
        ("Europe/Berlin", "2026-03-29T21:59:59.999", "2026-03-29"),
        ("Europe/Berlin", "2026-03-29T22:00:00", "2026-03-30"),
        ("UTC", "1970-01-01T00:00:00", "1970-01-01"),
    ],
)
def test_days_are_local(zone, utc, day):
    assert {key[2] for key in cut(sieved([1], [instant(utc)]), zone=zone)} == {day}


@pytest.mark.parametrize("broken_clock", [-(2**60), -1, 2**60, 2**63 - 1])
def test_a_broken_clock_does_not_stop_the_drain(broken_clock):
    found = cut(sieved([1], [NOON], operation=1, track=0, speeds=[1.0]))
    assert len(found) == 1
    batch = sieved([1, 1], [NOON, NOON], operation=1, track=0, speeds=[1.0, 2.0]).kept
    times = pa.array([NOON, broken_clock], pa.int64()).cast(batch.schema.field("time").type)
    odd = batch.set_column(1, batch.schema.field("time"), times)
    tables = [t for _, t in split([odd], pack=PACK, zone=ZONE, buckets=16)]
    kept = sorted(int(v) for t in tables for v in t.column("time").cast(pa.int64()).to_pylist())
    assert kept == sorted([NOON, broken_clock])


def test_buckets_and_order():
    cars, times = [33, 2, 17, 1, 2], [NOON, NOON + 9, NOON, NOON + DAY, NOON]
    found = cut(sieved(cars, times), buckets=16)
    rows = {
        key[2:]: list(zip(t.column("vehicle").to_pylist(), t.column("time").cast(pa.int64()).to_pylist(), strict=True))
        for key, t in found.items()
        if key[0] == "track"
    }
    assert rows == {
        ("2026-05-29", 1): [(17, NOON), (33, NOON)],
        ("2026-05-29", 2): [(2, NOON), (2, NOON + 9)],
        ("2026-05-30", 1): [(1, NOON + DAY)],
    }


def test_schemas_that_differ_are_united_with_nulls():
    found = cut(sieved([1], [NOON]), sieved([1], [NOON + 1], without=lambda name: name == CELLS))
    table = found["vehicle-operation", "consent", "2026-05-29", 1]
    assert table.column(CELLS).to_pylist() == [NOON.to_bytes(8, "big"), None]
    assert table.schema.field(SPEED).metadata == {b"category": b"vehicle-operation", b"statutory": b"1"}


def test_purpose_bits_keep_their_meaning_when_lists_differ():
    other = (STATUTORY, "insurance", "repair", USE)
    found = cut(sieved([1], [NOON], track=0b110), sieved([1], [NOON + 1], track=0b1100, purposes=other))
    table = found["track", "consent", "2026-05-29", 1]
    said = purposes_of(table.schema)
    meant = [{p for i, p in enumerate(said) if bits >> i & 1} for bits in table.column("purposes").to_pylist()]
    assert meant == [{USE, "insurance"}, {"repair", USE}]


def test_statutory_flag_of_one_door_does_not_spread_to_another():
    batch = sieved([1], [NOON], operation=1, track=0).kept
    index = batch.schema.get_field_index(SPEED)
    field = batch.schema.field(index).with_metadata({"category": "vehicle-operation", "statutory": "0"})
    other = batch.set_column(index, field, pa.array([77.0]))
    tables = [t for _, t in split([batch, other], pack=PACK, zone=ZONE, buckets=16)]
    assert [t.column(SPEED).to_pylist() for t in tables] == [batch.column(index).to_pylist()]


def test_unsaid_meaning_is_broken():
    with pytest.raises(Broken, match="bit 0"):
        cut(sieved([1], [NOON], purposes=(USE, STATUTORY)))


def test_too_many_purposes_are_broken():
    many = (STATUTORY, *(f"purpose-{i}" for i in range(63)))
    with pytest.raises(Broken, match="63 purposes"):
        cut(sieved([1], [NOON], purposes=many))


def test_nothing_gives_nothing():
    assert list(split([], pack=PACK, zone=ZONE, buckets=16)) == []


def test_a_time_that_is_not_believed_is_filed_apart_under_the_day_of_its_arrival():
    week, minute = 7 * DAY, 60_000
    times = [NOON, NOON - week, NOON + minute, NOON + 10 * 365 * DAY, 0, NOON + 11 * minute, NOON - 31 * DAY]
    batch = sieved([1] * 7, times, operation=1, track=0, received=[NOON] * 7)
    found = list(split([batch.kept], pack=PACK, zone=ZONE, buckets=16))
    filed = [(place.day, t.column("time").cast(pa.int64()).to_pylist()) for place, t in found]
    assert filed == [
        ("2026-05-22", [NOON - week]),
        ("2026-05-29", [NOON, NOON + minute]),
        ("2026-05-29", [0, NOON - 31 * DAY, NOON + 11 * minute, NOON + 10 * 365 * DAY]),
    ]


def test_how_far_a_time_is_believed_can_be_said():
    batch = sieved([1], [NOON - 2 * DAY], operation=1, track=0, received=[NOON])
    days = [
        next(split([batch.kept], pack=PACK, zone=ZONE, buckets=16, near=Near(behind * DAY, 0)))[0].day
        for behind in (1, 2)
    ]
    assert days == ["2026-05-29", "2026-05-27"]


def test_rows_of_an_exception_lie_apart_but_for_what_the_law_has_kept():
    plain, test = sieved([1], [NOON]).kept, with_exception(sieved([1], [NOON + 1]).kept, "road-test")
    found = {
        (p.category, p.ground, p.exception): table.num_rows
        for p, table in split([plain, test], pack=PACK, zone=ZONE, buckets=16)
    }
    assert found == {
        ("track", "consent", ""): 1,
        ("track", "consent", "road-test"): 1,
        ("vehicle-operation", "consent", ""): 1,
        ("vehicle-operation", "consent", "road-test"): 1,
        ("vehicle-operation", "statutory", ""): 2,
    }
