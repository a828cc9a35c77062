"""Values of channels as columns of signals: what a type cannot hold is absent."""

import numpy as np
import pyarrow as pa
import pytest

from onshore.gate.upload.decode import LATEST, Target, batch, numbers, texts
from onshore.gate.upload.reading import Rows
from upload_files import signal

NAN = np.nan


@pytest.mark.parametrize(
    ("storage", "values", "wanted"),
    [
        ("float32", [1.5, NAN, 1e39, np.inf], [1.5, None, None, None]),
        ("float64", [1e39, -np.inf], [1e39, None]),
        ("int8", [1.4, 1.6, 127.4, 128, -129, NAN], [1, 2, 127, None, None, None]),
        ("uint32", [0, -1, 4294967295.0], [0, None, 4294967295]),
        ("bool", [0, 1, 2, NAN], [False, True, True, None]),
        ("string", [1.0, 2.5, NAN], ["1", "2.5", None]),
        ("binary", [1.0], [None]),
    ],
)
def test_numbers(storage, values, wanted):
    assert numbers(Target(signal("S", storage)), np.array(values, np.float64)).to_pylist() == wanted


def test_numbers_are_scaled_and_may_stand_for_something():
    assert numbers(Target(signal("S"), 2, 1), np.array([1.0])).to_pylist() == [3.0]
    named = Target(signal("S", "string"), values={"1": "D", "0": "P"})
    assert numbers(named, np.array([1.0, 0.0, 7.0, NAN])).to_pylist() == ["D", "P", None, None]


def test_texts():
    assert texts(Target(signal("S")), ["1.5", " 2 ", "", None, "x", "true", "FALSE"]).to_pylist() == [
        1.5, 2.0, None, None, None, 1.0, 0.0,
    ]  # fmt: skip
    assert texts(Target(signal("S", "string")), ["a ", " "]).to_pylist() == ["a", None]
    gear = Target(signal("S", "int8"), values={"D": 127, "N": 0, "on": True, "odd": "x"})
    assert texts(gear, ["D", "N", "P", None, "on", "odd"]).to_pylist() == [127, 0, None, None, 1, None]


def rows(times, **columns):
    return Rows(np.array(times, np.int64), {name: pa.array(cells) for name, cells in columns.items()})


def test_rows_become_one_batch_and_empty_ones_none():
    made = batch(7, 9, [rows([1, 2, 3], a=[1.0, None, 3.0]), rows([4], b=["x"]), rows([5])])
    assert made.schema.names == ["vehicle", "time", "received", "door", "a", "b"]
    assert made.column("time").cast("int64").to_pylist() == [1, 3, 4]
    assert made.column("a").to_pylist() == [1.0, 3.0, None]
    assert set(made.column("vehicle").to_pylist()) == {7}
    assert made.column("door").to_pylist() == ["upload"] * 3
    assert batch(7, 9, []).num_rows == 0
    assert batch(7, 9, [rows([-1, LATEST + 1], a=[1.0, 1.0])]).num_rows == 0
    both = batch(7, 9, [rows([1], a=[None], b=[1.0])])
    assert both.schema.names[4:] == ["b"]
