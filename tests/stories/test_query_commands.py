"""Queries on a real site, through the command line: who, for what, what comes out, and what the ledger says."""

import csv
import json
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from onshore.cli.main import cli
from waiting import until

NOON = 1_790_049_600_000
MAIN = "from onshore.cli.main import main; main()"
ENDLESS = "SELECT count(*) FROM range(10000) a, range(1000000000000) b WHERE hash(a.range + b.range) = 1"
SPEED = '"Vehicle.Speed"'


class Desk:
    def __init__(self, hands):
        self.hands = hands
        self.folder = hands.site.folder

    def run(self, *args, code=0):
        done = CliRunner().invoke(cli, [*args, "--site", str(self.folder)])
        assert done.exit_code == code, (args, done.output, done.exception)
        return done

    def query(self, sql, *more, purpose="warranty-analysis", by="operator", code=0):
        return self.run("query", sql, "--purpose", purpose, "--as", by, *more, code=code)

    def rows(self, sql, **more):
        return [json.loads(line) for line in self.query(sql, "--json", **more).stdout.splitlines()]

    def ledger(self):
        shown = self.run("ledger", "show", "--json").stdout.splitlines()
        return [e for line in shown if (e := json.loads(line)["entry"])["t"] == "query"]


@pytest.fixture
def desk(hands):
    hands.now = NOON - 60_000
    hands.allow(1, categories=("vehicle-operation", "driving-behaviour"))
    hands.drive(1, 2, seconds=20, start=NOON)
    return Desk(hands)


def test_an_operator_asks_and_the_ledger_can_be_verified_with_it(desk):
    (row,) = desk.rows(
        f"SELECT vehicle, count(*) AS n, round(avg({SPEED}), 1) AS speed FROM driving_behaviour GROUP BY vehicle"
    )
    assert row == {"vehicle": f"{desk.hands.car(1).id:016x}", "n": 20, "speed": row["speed"]}
    assert [e["state"] for e in desk.ledger()] == ["asked", "answered"]
    key = (desk.folder / "ledger" / "vkey").read_text()
    assert (
        "verified"
        in CliRunner().invoke(cli, ["verify", str(desk.folder / "ledger"), "--key", key.splitlines()[0]]).output
    )


def test_the_three_forms_of_an_answer(desk):
    sql = "SELECT time, door FROM vehicle_operation ORDER BY time LIMIT 2"
    table = desk.query(sql).stdout.splitlines()
    assert table[0].split() == ["time", "door"]
    assert len(table) == 4
    head, *lines = csv.reader(desk.query(sql, "--format", "csv").stdout.splitlines())
    assert head == ["time", "door"]
    assert lines[0] == ["2026-09-22T04:00:00.000Z", "gb32960"]
    assert [row["time"] for row in desk.rows(sql)] == [line[0] for line in lines]


def test_a_limit_is_told_on_stderr(desk):
    done = desk.query("SELECT * FROM vehicle_operation", "--limit", "3", "--format", "csv")
    assert len(done.stdout.splitlines()) == 4
    assert "there are more" in done.stderr


def test_the_tables_of_a_purpose_and_why_no_others(desk):
    shown = [json.loads(line) for line in desk.query("", "--tables", "--json").stdout.splitlines()]
    columns = {c["name"]: c for t in shown if t["table"] == "driving_behaviour" for c in t["columns"]}
    assert columns["Vehicle.Speed"] == {
        "name": "Vehicle.Speed",
        "type": "float",
        "unit": "km/h",
        "precision": "0.1 km/h",
    }
    assert columns["vehicle"] == {"name": "vehicle", "type": "string"}
    barred = {t["table"]: t["barred"] for t in shown if "barred" in t}
    assert barred["track"]["reason"] == "purpose-not-consented"
    assert barred["exterior_video"]["reason"] == "must-mask"
    told = desk.query("", "--tables")
    assert SPEED in told.stdout
    assert "track: may not be seen (purpose-not-consented)" in told.stderr


def test_what_would_be_opened(desk):
    (said,) = [
        json.loads(line)
        for line in desk.query(f"SELECT max({SPEED}) FROM driving_behaviour", "--explain", "--json").stdout.splitlines()
    ]
    assert {k: said[k] for k in ("category", "columns", "days", "segments", "rows", "vehicles")} == {
        "category": "driving-behaviour",
        "columns": ["Vehicle.Speed"],
        "days": ["2026-09-22"],
        "segments": 1,
        "rows": 20,
        "vehicles": None,
    }
    assert "1 segments of 1 days" in desk.query("SELECT * FROM driving_behaviour", "--dry-run").stdout
    assert desk.ledger() == []


@pytest.mark.parametrize(
    ("sql", "more", "reason"),
    [
        ("COPY vehicle_operation TO 'out.csv'", {}, "select-only"),
        ("SELECT * FROM read_text('/etc/passwd')", {}, "not-a-table"),
        ("SELECT * FROM track", {}, "purpose-not-consented"),
        ("SELECT * FROM vehicle_operation", {"by": "engineer"}, "view-is-export"),
        ("SELECT * FROM vehicle_operation", {"purpose": "advertising"}, "purpose-unknown"),
    ],
)
def test_a_refusal_prints_reason_article_and_remedy(desk, sql, more, reason):
    done = desk.query(sql, "--json", code=1, **more)
    assert json.loads(done.stdout)["refused"] == reason
    assert f"refused ({reason})" in done.stderr
    assert "what would help" in done.stderr
    assert desk.ledger()[-1]["why"] == reason


def test_wrong_usage_and_wrong_sql_are_exit_2(desk):
    desk.query("", code=2)
    assert "SELEC" not in desk.query("SELEC 'LTEST000000000017'", code=2).stdout
    assert (
        "LTEST"
        not in desk.query("SELECT nosuch FROM vehicle_operation WHERE door = 'LTEST000000000017'", code=2).output
    )


def test_without_the_database_it_says_what_to_install(desk, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert "onshore[query]" in desk.query("SELECT 1", code=1).stderr


def test_ctrl_c_stops_a_query_and_the_ledger_says_so(desk):
    what = ["query", ENDLESS, "--purpose", "warranty-analysis", "--as", "operator", "--site", str(desk.folder)]
    with subprocess.Popen([sys.executable, "-c", MAIN, *what], stderr=subprocess.PIPE, text=True) as running:
        until(lambda: running.poll() is not None or [e["state"] for e in desk.ledger()] == ["asked"])
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "Traceback" not in said
    assert [e["state"] for e in desk.ledger()] == ["asked", "stopped"]
