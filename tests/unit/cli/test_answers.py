"""Answers on stdout: a table, CSV, or a JSON object a line."""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from onshore.cli.answers import plain, writer

BATCH = pa.record_batch(
    {
        "vehicle": ["21da2cc4e0ba583d", "409d5bf912ca8200"],
        "time": pa.array([1_790_000_000_000, None], pa.timestamp("ms", "UTC")),
        "volts": pa.array([[3.5, None], []], pa.list_(pa.float64())),
        "said": ["a\x1b[31m\nb", None],
    }
)


def test_a_json_object_a_line(capsys):
    writer("json", BATCH.schema)(BATCH)
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {
        "vehicle": "21da2cc4e0ba583d",
        "time": "2026-09-21T14:13:20.000Z",
        "volts": [3.5, None],
        "said": "a\x1b[31m\nb",
    }
    assert second["time"] is second["said"] is None


def test_a_float_has_the_digits_that_it_was_given(capsys):
    speeds = pa.record_batch({"speed": pa.array([35.7, None, float("nan"), 1e-30], pa.float32())})
    writer("json", speeds.schema)(speeds)
    assert [json.loads(line)["speed"] for line in capsys.readouterr().out.splitlines()] == [35.7, None, None, 1e-30]


def test_csv_has_a_head_even_without_a_row(capsys):
    write = writer("csv", BATCH.schema)
    assert capsys.readouterr().out == "vehicle,time,volts,said\n"
    write(BATCH)
    assert capsys.readouterr().out.splitlines()[-1] == "409d5bf912ca8200,,[],"


def test_a_table_is_aligned_and_steers_no_terminal(capsys):
    write = writer("table", BATCH.schema)
    write(BATCH)
    write(BATCH)
    head, rule, first, *more = capsys.readouterr().out.splitlines()
    assert head.split() == ["vehicle", "time", "volts", "said"]
    assert set(rule) == {"-", " "}
    assert "\\x1b[31m\\nb" in first
    assert first.index("2026") == head.index("time")
    assert len(more) == 3


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (datetime(2026, 9, 21, tzinfo=UTC), "2026-09-21T00:00:00.000Z"),
        (date(2026, 9, 21), "2026-09-21"),
        (time(8, 30), "08:30:00"),
        (timedelta(minutes=1), 60.0),
        (b"\x01\xff", "01ff"),
        (float("nan"), None),
        (float("inf"), None),
        (True, True),
        (2**80, 2**80),
        (Decimal("1.50"), "1.50"),
        ({"a": b"\x02"}, {"a": "02"}),
        ([(1, b"\x03")], [[1, "03"]]),
    ],
)
def test_every_value_of_a_database_is_one_of_json(value, told):
    assert plain(value) == told
    json.dumps(plain(value), allow_nan=False)
