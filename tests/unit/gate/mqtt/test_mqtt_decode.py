"""Messages become a batch: JSON with VSS names, held against the catalogue."""

import json
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from onshore.gate.mqtt import shapes as shaping
from onshore.gate.mqtt.decode import NOT_A_MESSAGE, check_in, decode
from onshore.gate.mqtt.lists import packer
from onshore.gate.mqtt.shapes import LATEST, MOST_ROWS, Shapes
from onshore.site import read_catalogue
from onshore.words.errors import Malformed

CATALOGUE = read_catalogue()
SPEED, GEAR = "Vehicle.Speed", "Vehicle.Powertrain.Transmission.CurrentGear"
CELLS = "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"
PROBES = "Vehicle.Powertrain.TractionBattery.Temperature.CellTemperature"
FAULTS = "Vehicle.Onshore.Alarm.BatteryFaults"
T = 1_790_000_000_000


def text(*rows, **row):
    return json.dumps(list(rows) if rows else {"time": T} | row).encode()


def of(**named):
    return text(**named)


@pytest.fixture(params=["as strangers", "as their shapes were learnt"])
def read(request):
    """Decode messages of one car, all at once."""

    def decoded(*messages):
        known = Shapes(CATALOGUE)
        for message in messages if request.param != "as strangers" else ():
            decode([message], [7], 0, known)
        return decode(list(messages), [7] * len(messages), T + 1, known)

    return decoded


def column(decoded, name):
    return decoded.batch.column(name).to_pylist()


def test_a_message_becomes_a_row(read):
    decoded = read(of(**{SPEED: 42.5, GEAR: -1, "Vehicle.IsBrokenDown": True, "Vehicle.Cabin.Seat": 1}))
    assert decoded.rejected == []
    assert decoded.unknown == 1
    row = decoded.batch.to_pylist()[0]
    at = datetime.fromtimestamp(T / 1000, UTC)
    assert (row["vehicle"], row["time"], row["door"]) == (7, at, "mqtt")
    assert row["received"].timestamp() * 1000 == T + 1
    assert (row[SPEED], row[GEAR], row["Vehicle.IsBrokenDown"]) == (42.5, -1, True)
    assert decoded.batch.schema.field(SPEED).type == pa.float32()
    assert decoded.batch.schema.field(GEAR).type == pa.int8()


def test_a_list_of_rows(read):
    decoded = read(b" " + text({"time": T, SPEED: 1}, {"time": T + 1, GEAR: 2}, {"time": T + 2}), b"[]")
    assert decoded.rejected == []
    assert column(decoded, SPEED)[:2] == [1, None]
    assert column(decoded, GEAR)[:2] == [None, 2]
    assert decode([b"[]", text(x=1)], [1, 1], 0, Shapes(CATALOGUE)).batch.num_rows == 0


def test_cars_with_different_signals_share_a_batch(read):
    known = Shapes(CATALOGUE)
    messages = [of(**{SPEED: 1}), of(**{GEAR: 2, CELLS: [3.6]}), of(**{SPEED: 3}), of(x=1)]
    for _ in range(2):
        decoded = decode(messages, [1, 2, 3, 4], T, known)
        rows = {row["vehicle"]: row for row in decoded.batch.to_pylist()}
        assert {v: (r[SPEED], r[GEAR]) for v, r in rows.items()} == {1: (1, None), 2: (None, 2), 3: (3, None)} | (
            {4: (None, None)} if 4 in rows else {}
        )
        assert decoded.unknown == 1
        decoded.batch.validate(full=True)


@pytest.mark.parametrize(
    ("time", "at"),
    [
        (T, T),
        (0, 0),
        (LATEST, LATEST),
        ("2026-03-01T18:00:00.250+08:00", 1_772_359_200_250),
        ("1970-01-01T00:00:00Z", 0),
    ],
)
def test_times(read, time, at):
    decoded = read(of(time=time, **{SPEED: 1}))
    assert decoded.batch.column("time").cast(pa.int64()).to_pylist() == [at]


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"{}",
        b"7",
        b"null",
        b'{"Vehicle.Speed":1}',
        b'{"time":null,"Vehicle.Speed":1}',
        b'{"time":1.5,"Vehicle.Speed":1}',
        b'{"time":-1,"Vehicle.Speed":1}',
        b'{"time":253402300800000,"Vehicle.Speed":1}',
        b'{"time":"2026-03-01T18:00:00","Vehicle.Speed":1}',
        b'{"time":"1969-12-31T23:59:59Z","Vehicle.Speed":1}',
        b'{"time":"9999-12-31T23:59:59-01:00","Vehicle.Speed":1}',
        b'{"time":"soon","Vehicle.Speed":1}',
        b'{"time":1,"Vehicle.Speed":"fast"}',
        b'{"time":1,"Vehicle.Speed":true}',
        b'{"time":1,"Vehicle.Speed":NaN}',
        b'{"time":1,"Vehicle.Speed":1e39}',
        b'{"time":1,"Vehicle.Speed":1e999}',
        b'{"time":1,"Vehicle.Speed":[1]}',
        b'{"time":1,"Vehicle.Speed":1',
        b'{"time":1,"Vehicle.Powertrain.Transmission.CurrentGear":128}',
        b'{"time":1,"Vehicle.Powertrain.Transmission.CurrentGear":1.5}',
        b'{"time":1,"Vehicle.VehicleIdentification.LicensePlate":"\xff"}',
        b'{"time":1,"Vehicle.VehicleIdentification.LicensePlate":"\\ud800"}',
        b'{"time":1,"x":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'[{"time":1},7]',
        b"[" + b",".join([b'{"time":1,"Vehicle.Speed":1}'] * (MOST_ROWS + 1)) + b"]",
    ],
)
def test_what_is_no_message_is_rejected_and_harms_no_other(read, bad):
    good = of(**{SPEED: 1})
    decoded = read(good, bad, good)
    assert decoded.rejected == [(1, NOT_A_MESSAGE)]
    assert column(decoded, SPEED) == [1, 1]


@pytest.mark.parametrize("time", [-1, "1969-12-31T23:59:59Z", "9999-12-31T23:59:59-01:00"])
def test_a_stranger_has_no_other_times(time):
    assert decode([of(time=time, **{SPEED: 1})], [1], T, Shapes(CATALOGUE)).rejected == [(0, NOT_A_MESSAGE)]


def test_of_a_name_given_twice_the_last_counts(read):
    decoded = read(b'{"time":1,"Vehicle.Speed":1,"Vehicle.Speed":2}')
    assert column(decoded, SPEED) == [2]


def test_null_is_absent(read):
    decoded = read(of(**{SPEED: None, GEAR: 1, CELLS: None}), of(**{GEAR: None, SPEED: 2}))
    assert sorted(column(decoded, GEAR), key=str) == [1, None]
    assert CELLS not in decoded.batch.schema.names


@pytest.mark.parametrize(
    ("written", "millivolts"),
    [
        ("[3.651,3.649,0.000]", [3651, 3649, 0]),
        ("[3.65, 3.649]", [3650, 3649]),
        ("[3.6514,4]", [3651, 4000]),
        ("[65.533]", [65533]),
        ("[3.651,null]", [3651, 0xFFFF]),
        ("[]", []),
    ],
)
def test_cell_voltages_are_kept_as_the_other_door_keeps_them(read, written, millivolts):
    decoded = read(b'{"time":1,"%b":%b}' % (CELLS.encode(), written.encode()))
    assert np.frombuffer(column(decoded, CELLS)[0], "<u2").tolist() == millivolts


@pytest.mark.parametrize("written", ["[3.651,-1]", "[66]", '["3"]', "3.651", '{"a":1}', "[3.651,true]", "[[3.651]]"])
def test_a_list_that_cannot_be_rejects_its_message_alone(read, written):
    good, bad = of(**{CELLS: [3.6]}), b'{"time":1,"%b":%b}' % (CELLS.encode(), written.encode())
    decoded = read(good, bad, good)
    assert decoded.rejected == [(1, f"{CELLS} is no list of what its signal takes")]
    assert decoded.batch.num_rows == 2


def test_one_bad_list_takes_all_rows_of_its_message(read):
    rows = [{"time": 1, SPEED: 1}, {"time": 2, CELLS: [99]}, {"time": 3, FAULTS: [1], PROBES: [20]}]
    decoded = read(text(*rows), of(**{CELLS: [1.5], FAULTS: [2], SPEED: 5}))
    assert [place for place, _ in decoded.rejected] == [0]
    assert column(decoded, SPEED) == [5]
    assert column(decoded, FAULTS) == [b"\0\0\0\2"]
    decoded = read(of(**{CELLS: [99]}))
    assert decoded.batch.num_rows == 0


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        (PROBES, "[-40,20.4,213,null]", bytes((0, 60, 253, 255))),
        (FAULTS, "[1,4294967295]", b"\0\0\0\1\xff\xff\xff\xff"),
        (FAULTS, "[null]", None),
        ("Vehicle.Onshore.Supercapacitor.CellVoltages", "[2.5]", b"\x09\xc4"),
        ("Vehicle.Onshore.Biometric.HeartRhythm", "[1.5]", np.array([1.5], "<f4").tobytes()),
        ("Vehicle.Onshore.Navigation.Route", "[121.5,31.25]", np.array([121.5, 31.25], "<f8").tobytes()),
        ("Vehicle.Diagnostics.DTCList", '["P0A1F", "P0A80"]', b'["P0A1F","P0A80"]'),
        ("Vehicle.Diagnostics.DTCList", "[1]", None),
        ("Vehicle.Onshore.Alarm.Levels", "[0,255]", b"\0\xff"),
        ("Vehicle.Onshore.Alarm.Levels", "[256]", None),
        ("Vehicle.Onshore.Alarm.Levels", '"AP8="', b"\0\xff"),
        ("Vehicle.Onshore.Alarm.Levels", '"AP8"', None),
        ("Vehicle.Onshore.Alarm.Levels", '"\\u00e9"', None),
    ],
)
def test_lists_by_their_signals(name, value, kept):
    assert packer(CATALOGUE[name]).pack([value.encode()]) == [kept]


def test_lists_of_one_width_and_others_are_kept_alike():
    cells = packer(CATALOGUE[CELLS])
    wide = [b"[3.651,3.649]", b"[0.001]"]
    assert cells.pack(wide) == [cells.pack([one])[0] for one in wide]
    assert cells.pack([b"[3.651,3.649]", b"[0.1234]"]) == [b"\x43\x0e\x41\x0e", b"\x7b\0"]
    assert cells.pack([b"[3e-01]"]) == [b"\x2c\x01"]
    assert cells.pack([b"[1e-03]", b"[3.651]"]) == [b"\1\0", b"\x43\x0e"]
    assert cells.pack([]) == []


def test_a_car_that_keeps_changing_costs_no_memory(monkeypatch):
    monkeypatch.setattr(shaping, "_CHANGES", 2)
    known = Shapes(CATALOGUE)
    messages = [of(**{f"x{i}": 1, SPEED: i}) for i in range(6)]
    decoded = decode(messages, [1] * 6, 0, known)
    assert (sorted(column(decoded, SPEED)), decoded.unknown) == ([0, 1, 2, 3, 4, 5], 6)
    assert len(known._compiled) == 2


def test_what_is_compiled_is_bounded(monkeypatch):
    monkeypatch.setattr(shaping, "_NAMES", 1)
    known = Shapes(CATALOGUE)
    for _ in range(2):
        assert decode([of(**{SPEED: 1, GEAR: 1})], [1], 0, known).batch.num_rows == 1
    assert known.of(1) is None


def test_a_new_shape_takes_the_place_of_the_one_used_longest_ago(monkeypatch):
    monkeypatch.setattr(shaping, "_SHAPES", 2)
    known = Shapes(CATALOGUE)
    for car, name in ((1, SPEED), (2, GEAR), (1, SPEED), (3, "x"), (1, SPEED)):
        assert not decode([of(**{name: 1})], [car], 0, known).rejected
    assert len(known._compiled) == 2
    assert [known.of(car) is None for car in (1, 2, 3)] == [False, True, False]
    assert column(decode([of(**{GEAR: 1})], [2], 0, known), GEAR) == [1]
    assert [known.of(car) is None for car in (1, 2, 3)] == [True, False, False]


def test_a_car_that_keeps_changing_leaves_others_their_shapes(monkeypatch):
    monkeypatch.setattr(shaping, "_SHAPES", 4)
    monkeypatch.setattr(shaping, "_CHANGES", 2)
    known = Shapes(CATALOGUE)
    decode([of(**{SPEED: 1})] * 3, [1, 2, 3], 0, known)
    shape = known.of(1)
    decode([of(**{f"x{i}": 1}) for i in range(9)], [4] * 9, 0, known)
    assert known.of(1) is shape
    assert len(known._compiled) == 3


def test_cars_are_forgotten_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(shaping, "_CARS", 1)
    known = Shapes(CATALOGUE)
    decode([of(**{SPEED: 1})] * 2, [1, 2], 0, known)
    assert (known.of(1), known.of(2) is None) == (None, False)


def test_names_that_cannot_be_compiled_are_counted_all_the_same():
    known = Shapes(CATALOGUE)
    for _ in range(2):
        assert decode([b'{"time":1,"\\u0001":1,"Vehicle.Speed":2}'], [1], 0, known).unknown == 1
    assert known.of(1) is None


def test_a_check_in():
    assert check_in(b'{"policy": 12, "since": 5}').policy == 12
    for bad in (b"{}", b'{"policy":-1}', b'{"policy":"12"}', b"12", b"\xff", b"[" * 9999):
        with pytest.raises(Malformed, match="version of a policy"):
            check_in(bad)
