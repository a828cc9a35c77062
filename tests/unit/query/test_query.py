"""Queries on a site: what a purpose may see, what is opened, what stops a row, and what the ledger is told."""

import json
import threading

import pyarrow as pa
import pytest
from sqlalchemy import select

from onshore.ledger.entry import digest, read
from onshore.query.asking import answered, explained, visible
from onshore.query.entries import Question
from onshore.query.rows import Rows
from onshore.register import consents
from onshore.register.again import Again
from onshore.register.consents import Wish
from onshore.rights import cases
from onshore.vault.papers import queries, reading
from onshore.words.errors import Broken, Malformed, Refusal
from onshore.words.use import Use
from waiting import until

DAY = 86_400_000
NOON = 1_790_049_600_000  # 12:00 on 2026-09-22 in Shanghai
PURPOSE = "battery-research"
SPEED = '"Vehicle.Speed"'
CELLS = '"Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"'
PAD = "repeat('x', 20000)"


def give(hands, number, *categories, purpose=PURPOSE):
    wish = Wish([purpose], categories or ["vehicle-operation", "driving-behaviour"], "2026-11", separate=True)
    consents.give(hands.site, hands.car(number), wish)
    hands.now += 1000


def ask(hands, sql, purpose=PURPOSE, by="operator", limit=None):
    with answered(hands.site, Question(sql, purpose, by), limit=limit) as answer:
        return [row for batch in answer.batches for row in batch.to_pylist()]


def refusal(hands, sql, purpose=PURPOSE, by="operator"):
    with pytest.raises(Refusal) as why:
        ask(hands, sql, purpose, by)
    return why.value


def named(hands, number):
    return f"{hands.car(number).id:016x}"


def told(hands):
    hands.site.__dict__.pop("ledger", None)
    return [one for one in map(read, hands.site.ledger.entries(0)) if one["t"] == "query"]


@pytest.fixture
def fleet(hands):
    """Cars 1 and 2 allow battery research, car 3 nothing; three days."""
    hands.now = NOON - 60_000
    give(hands, 1)
    give(hands, 2)
    for day in range(3):
        hands.drive(1, 2, 3, seconds=10, start=NOON + day * DAY)
    return hands


def test_a_purpose_reads_the_rows_that_were_kept_for_it(fleet):
    counted = "SELECT vehicle, count(*) AS n FROM vehicle_operation GROUP BY vehicle ORDER BY vehicle"
    assert ask(fleet, counted) == [{"vehicle": one, "n": 30} for one in sorted(named(fleet, n) for n in (1, 2))]


def test_statutory_monitoring_reads_the_law_s_own_rows_of_every_car(fleet):
    assert ask(
        fleet, "SELECT count(DISTINCT vehicle) AS cars, count(*) AS n FROM vehicle_operation", "statutory-monitoring"
    ) == [{"cars": 3, "n": 90}]
    assert "track" not in visible(fleet.site, Question("", PURPOSE, "officer")).shown


def test_columns_are_of_the_catalogue_and_lists_are_numbers(fleet):
    (row,) = ask(
        fleet, f"SELECT vehicle, time, received, door, {CELLS} AS cells FROM vehicle_operation ORDER BY ALL LIMIT 1"
    )
    assert row["door"] == "gb32960"
    assert row["time"].isoformat() == "2026-09-22T04:00:00+00:00"
    assert row["received"] >= row["time"]
    assert all(3 < volts < 5 for volts in row["cells"])
    assert ask(fleet, f"SELECT max(list_max({CELLS})) < 5 AS fits FROM vehicle_operation") == [{"fits": True}]
    assert ask(fleet, 'SELECT count("Vehicle.Diagnostics.DTCList") AS n FROM vehicle_operation') == [{"n": 0}]


def test_which_rows_there_are_does_not_depend_on_the_columns(fleet):
    absent = '"Vehicle.Onshore.FuelCell.Voltage"'
    for what in ("1", "vehicle", absent, f"{absent}, {CELLS}", "*"):
        assert ask(fleet, f"SELECT count(*) AS n FROM (SELECT {what} FROM vehicle_operation)") == [{"n": 60}]


def test_categories_join_on_vehicle_and_time(fleet):
    plain = (
        f"SELECT count(*) AS n FROM vehicle_operation JOIN driving_behaviour USING (vehicle, time) WHERE {SPEED} >= 0"
    )
    assert ask(fleet, plain) == [{"n": 60}]
    asof = """SELECT o.time = d.time AS same, count(*) AS n FROM vehicle_operation o
               ASOF JOIN driving_behaviour d ON o.vehicle = d.vehicle AND o.time >= d.time GROUP BY ALL"""
    assert ask(fleet, asof) == [{"same": True, "n": 60}]


@pytest.mark.parametrize(
    "where", ["{speed} > 20", "{speed} BETWEEN 1 AND 30", "door <> 'gb32960'", "{speed} IS NULL", "hour(time) = 4"]
)
def test_filters_that_are_pushed_down_mean_the_same(fleet, where):
    where = where.format(speed=SPEED)
    (every,) = ask(fleet, f"SELECT count(*) AS n, count(*) FILTER ({where}) AS some FROM driving_behaviour")
    assert ask(fleet, f"SELECT count(*) AS n FROM driving_behaviour WHERE {where}") == [{"n": every["some"]}]


def test_one_car_s_day_opens_its_own_files_alone(fleet):
    one = f"vehicle = '{named(fleet, 1)}' AND time >= '2026-09-23 00:00+08' AND time < '2026-09-24 00:00+08'"
    sql = f"SELECT count(*) AS n, max({SPEED}) >= 0 AS fits FROM driving_behaviour WHERE {one}"
    (opening,) = explained(fleet.site, Question(sql, PURPOSE, "officer"))
    assert {s.place.day for s in opening.segments.values()} == {"2026-09-23"}
    assert {s.place.bucket for s in opening.segments.values()} == {fleet.car(1).id % 16}
    assert opening.vehicles == {fleet.car(1).id}
    assert opening.columns == {"Vehicle.Speed"}
    kept = {f"{id_}.parquet" for id_ in opening.segments}
    for file in fleet.site.vault.glob("segments/*/*/*/*.parquet"):
        if file.name not in kept:
            file.unlink()
    assert ask(fleet, sql) == [{"n": 10, "fits": True}]
    with pytest.raises(Broken, match="missing"):
        ask(fleet, "SELECT count(*) FROM driving_behaviour")
    assert told(fleet)[-1]["state"] == "failed"


def test_explaining_opens_nothing_and_says_what_would_be(fleet):
    for file in fleet.site.vault.glob("segments/*/*/*/*.parquet"):
        file.unlink()
    sql = f"""SELECT * FROM vehicle_operation o
              ASOF JOIN driving_behaviour d ON o.vehicle = d.vehicle AND o.time >= d.time WHERE {SPEED} > 3"""
    found = explained(fleet.site, Question(sql, PURPOSE, "officer"))
    assert [(o.category, sum(s.rows for s in o.segments.values()), o.vehicles) for o in found] == [
        ("driving-behaviour", 60, None),
        ("vehicle-operation", 60, None),
    ]
    assert told(fleet) == []


def test_a_car_named_in_one_of_two_scans_narrows_neither_in_what_is_told(fleet):
    both = (
        f"FROM vehicle_operation a, vehicle_operation b WHERE a.vehicle < b.vehicle OR a.vehicle = '{named(fleet, 1)}'"
    )
    (opening,) = explained(fleet.site, Question(f"SELECT count(*) {both}", PURPOSE, "officer"))
    assert opening.vehicles is None
    each = (
        f"SELECT 1 FROM vehicle_operation WHERE vehicle = '{named(fleet, 1)}' UNION ALL SELECT 1 FROM vehicle_operation"
    )
    (opening,) = explained(fleet.site, Question(each, PURPOSE, "officer"))
    assert opening.vehicles is None
    assert sum(segment.rows for segment in opening.segments.values()) == 60


def test_lists_of_texts_read_as_lists(fleet):
    codes = "Vehicle.Diagnostics.DTCList"
    table = visible(fleet.site, Question("", PURPOSE, "officer")).shown["vehicle_operation"]
    kept = pa.record_batch({"vehicle": [1, 1], codes: pa.array([b'["P0420","U0100"]', None], pa.binary())})
    (batch,) = Rows(table, [], lambda _scan: iter([kept])).scanner([codes]).to_reader()
    assert batch.to_pylist() == [{codes: ["P0420", "U0100"]}, {codes: None}]


def test_what_the_purpose_may_not_see_is_not_there_and_says_why(fleet):
    why = refusal(fleet, "SELECT * FROM track")
    assert (why.reason, why.article) == ("purpose-not-consented", fleet.site.pack.consent.purpose_not_consented.article)
    assert "category track" in str(why)
    assert refusal(fleet, "SELECT * FROM cabin_video", "statutory-monitoring").article
    assert refusal(fleet, "SELECT * FROM tracks").reason == "not-a-table"
    assert refusal(fleet, "SELECT 1", "advertising").reason == "purpose-unknown"
    assert refusal(fleet, "SELECT 1 FROM vehicle_operation", "repair").reason == "purpose-not-consented"


def test_the_judge_s_no_bars_a_category_that_somebody_consented_to(hands):
    give(hands, 1, "exterior-video")
    why = refusal(hands, "SELECT * FROM exterior_video")
    assert why.reason == "must-mask"
    assert why.article


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        ("engineer", "view-is-export"),
        ("owner", "not-your-act"),
        ("regulator", "not-your-act"),
        ("nobody", "not-your-act"),
    ],
)
def test_only_who_runs_the_site_or_answers_for_it_may_ask(fleet, by, reason):
    why = refusal(fleet, "SELECT * FROM vehicle_operation", by=by)
    assert why.reason == reason
    assert why.remedy
    assert bool(why.article) == (by == "engineer")
    assert told(fleet)[-1]["why"] == reason


def test_a_restriction_holds_from_the_next_batch_of_a_running_query_on(fleet):
    for day in range(3, 12):
        fleet.drive(1, 2, seconds=10, start=NOON + day * DAY)
    one = named(fleet, 1)
    sql = f"SELECT vehicle, time, {PAD} AS pad FROM vehicle_operation"
    with answered(fleet.site, Question(sql, PURPOSE, "operator")) as answer:
        before = next(answer.batches)
        cases.opened(fleet.site, fleet.car(1), "restrict", "owner")
        rest = [row for batch in answer.batches for row in batch.to_pylist()]
    seen = before.to_pylist() + rest
    assert sum(row["vehicle"] == one for row in seen) < 120  # all of its rows but for the restriction
    assert sum(row["vehicle"] != one for row in seen) == 120
    last = [row["time"] for row in seen if row["vehicle"] == one]
    assert all(row["vehicle"] != one for row in seen if last and row["time"] > max(last))
    assert ask(fleet, f"SELECT count(*) AS n FROM vehicle_operation WHERE vehicle = '{one}'") == [{"n": 0}]


@pytest.mark.parametrize("act", ["restrict", "withdraw"])
def test_what_falls_while_rows_are_read_holds_at_the_next_batch(fleet, act):
    found = Again(fleet.site, Use(PURPOSE)).rows(
        "vehicle-operation", start=0, until=1 << 50, vehicles=[fleet.car(1).id]
    )
    assert next(found).kept.num_rows == 10
    if act == "restrict":
        cases.opened(fleet.site, fleet.car(1), "restrict", "owner")
    else:
        consents.withdraw(fleet.site, fleet.car(1))
    assert [one.kept for one in found if one.kept is not None] == []


def test_a_consent_withdrawn_since_is_obeyed(fleet):
    fleet.now += 1000
    consents.withdraw(fleet.site, fleet.car(2))
    assert ask(fleet, "SELECT DISTINCT vehicle FROM vehicle_operation") == [{"vehicle": named(fleet, 1)}]


def test_the_ledger_knows_of_a_query_before_its_first_row_and_after_its_last(fleet):
    sql = f"SELECT vehicle FROM vehicle_operation WHERE vehicle = '{named(fleet, 1)}'"
    with answered(fleet.site, Question(sql, PURPOSE, "officer")) as answer:
        (asked,) = told(fleet)
        rows = sum(batch.num_rows for batch in answer.batches)
    assert {k: asked[k] for k in ("state", "role", "purpose", "categories")} == {
        "state": "asked",
        "role": "officer",
        "purpose": PURPOSE,
        "categories": ["vehicle-operation"],
    }
    ended = told(fleet)[-1]
    assert (ended["state"], ended["rows"], ended["obj"]) == ("answered", rows, asked["obj"])
    with reading(fleet.site.engine) as conn:
        paper = json.loads(conn.execute(select(queries.c.paper)).scalar_one())
    assert digest(paper) == asked["obj"]
    assert paper["by"] == "officer"
    assert paper["sql"] == digest({"salt": paper["salt"], "sql": sql})
    assert named(fleet, 1) not in json.dumps(paper) + json.dumps(told(fleet))


def test_a_refused_query_is_in_the_ledger_without_a_word_of_it(fleet):
    refusal(fleet, "COPY vehicle_operation TO 'LTEST000000000017.csv'")
    refusal(fleet, "SELECT 1", "for LTEST000000000017", "Anna Example")
    plain, strange = told(fleet)
    assert (plain["state"], plain["why"], plain["purpose"]) == ("refused", "select-only", PURPOSE)
    assert (strange["why"], strange.get("purpose"), strange.get("role")) == ("purpose-unknown", None, None)
    with reading(fleet.site.engine) as conn:
        papers = " ".join(conn.scalars(select(queries.c.paper)))
    assert "LTEST" not in papers
    assert "Anna" not in papers


def test_a_limit_cuts_and_says_so(fleet):
    assert len(ask(fleet, "SELECT * FROM vehicle_operation", limit=7)) == 7
    assert (told(fleet)[-1]["state"], told(fleet)[-1]["rows"]) == ("cut", 7)
    assert len(ask(fleet, "SELECT * FROM vehicle_operation", limit=60)) == 60
    assert told(fleet)[-1]["state"] == "answered"


def test_wrong_sql_is_malformed_and_counts_as_failed(fleet):
    with pytest.raises(Malformed, match="nosuch"):
        ask(fleet, "SELECT nosuch FROM vehicle_operation")
    with pytest.raises(Malformed, match="TRY_CAST") as why:
        ask(fleet, "SELECT CAST(vehicle AS INTEGER) FROM vehicle_operation")
    assert named(fleet, 1)[:8] not in str(why.value)
    assert [one["state"] for one in told(fleet)] == ["asked", "failed"] * 2


def bounded(hands, text):
    from onshore.site import open_site

    with (hands.site.folder / "site.toml").open("a") as file:
        file.write(f"\n[query]\n{text}\n")
    hands.site = open_site(hands.site.folder, clock=lambda: hands.now)


ENDLESS = "SELECT count(*) FROM range(10000) a, range(1000000000000) b WHERE hash(a.range + b.range) = 1"


def test_a_query_that_takes_too_long_is_stopped(fleet):
    bounded(fleet, "seconds = 1")
    assert refusal(fleet, ENDLESS).reason == "query-time"
    assert told(fleet)[-1]["state"] == "failed"


def test_a_query_that_needs_too_much_memory_ends_and_spills_nothing(fleet, tmp_path, monkeypatch):
    bounded(fleet, "memory_mb = 64")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    why = refusal(fleet, "SELECT list(hash(a.range)) FROM range(100000000) a")
    assert why.reason == "query-memory"
    assert "memory_mb" in why.remedy
    assert list((tmp_path / "here").iterdir()) == []


def stop(answer):
    next(answer.batches)
    raise KeyboardInterrupt


def test_a_query_that_whoever_asks_stops_is_told_as_stopped(fleet):
    question = Question("SELECT * FROM vehicle_operation", PURPOSE, "operator")
    with pytest.raises(KeyboardInterrupt), answered(fleet.site, question) as answer:
        stop(answer)
    assert told(fleet)[-1]["state"] == "stopped"
    until(lambda: not [t for t in threading.enumerate() if isinstance(t, threading.Timer)])
