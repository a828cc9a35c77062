"""Lists of numbers, packed as the doors pack them, are the same numbers again."""

import json

import pyarrow as pa
import pytest

from onshore.gate.mqtt.lists import packer
from onshore.site import read_catalogue
from onshore.words.packed import packed

CATALOGUE = read_catalogue()
CELLS = "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"
PROBES = "Vehicle.Powertrain.TractionBattery.Temperature.CellTemperature"
FAULTS = "Vehicle.Onshore.Alarm.MotorFaults"
ROUTE = "Vehicle.Onshore.Navigation.Route"
HEART = "Vehicle.Onshore.Biometric.HeartRhythm"


def lists(name, rows, start=0):
    signal = CATALOGUE[name]
    column = pa.array(rows, pa.binary()).slice(start)
    return packed(signal).lists(column).to_pylist()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (CELLS, [3.651, None, 0.0, 65.533]),
        ("Vehicle.Onshore.Supercapacitor.CellVoltages", [2.5, None, 2.7]),
        (PROBES, [-40.0, 21.0, None, 213.0]),
        (FAULTS, [0, 1, 4_294_967_295]),
        (ROUTE, [121.473701, 31.230416]),
        (HEART, [0.5, None, 1.25]),
    ],
)
def test_what_a_door_packs_reads_the_same(name, values):
    (raw,) = packer(CATALOGUE[name]).pack([json.dumps(values).encode()])
    assert lists(name, [raw, None, b"", raw]) == [values, None, [], values]
    assert lists(name, [raw, None, raw], start=1) == [None, values]


def test_every_list_of_numbers_of_the_catalogue_has_a_way():
    for signal in CATALOGUE.values():
        numbers = signal.storage == "binary" and signal.type not in {"uint8[]", "string[]"}
        assert (packed(signal) is not None) == numbers, signal.name


def test_codes_that_are_no_measurement_are_null():
    assert lists(CELLS, [b"\xfe\xff\xff\xff\x43\x0e"]) == [[None, None, 3.651]]
    assert lists(PROBES, [b"\xfe\xff\x28"]) == [[None, None, 0.0]]


def test_bytes_of_an_odd_length_are_no_list_and_harm_no_other():
    assert lists(CELLS, [b"\x43\x0e", b"\x43", None, b"\x44\x0e"]) == [[3.651], None, None, [3.652]]


def test_bytes_left_under_a_null_are_not_read():
    offsets = pa.py_buffer(bytes.fromhex("00000000 02000000 04000000".replace(" ", "")))
    column = pa.Array.from_buffers(pa.binary(), 2, [pa.py_buffer(b"\x01"), offsets, pa.py_buffer(b"\x43\x0e\x44\x0e")])
    assert packed(CATALOGUE[CELLS]).lists(column).to_pylist() == [[3.651], None]


def test_a_column_of_nothing():
    assert lists(CELLS, []) == []
    assert lists(CELLS, [None, None]) == [None, None]
    assert packed(CATALOGUE[FAULTS]).arrow == pa.list_(pa.uint32())
    assert packed(CATALOGUE[CELLS]).arrow == pa.list_(pa.float64())
