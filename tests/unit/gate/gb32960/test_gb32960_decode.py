"""The fast decoder on cases picked by hand: values, nulls, order, refusals, hostile mixes."""

import numpy as np
import pyarrow as pa
import pytest

from law import catalogue
from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.columns import SIGNATURE_STATE, columns
from onshore.gate.gb32960.decode import decode
from onshore.gate.gb32960.groups import FEW, LOOKS, groups, shape
from onshore.gate.gb32960.layout import CUSTOM_UNITS, attempt, walk
from onshore.gate.gb32960.protocol import MAX_UNITS, frame
from onshore.gate.gb32960.signatures import State
from onshore.gate.gb32960.sources import LISTS, PARTS_OF
from onshore.words.batch import BASE, signals
from onshore.words.errors import Malformed

VIN = b"LTEST000000000017"
NOW = 1_768_437_059_000
TIME6 = bytes((26, 1, 15, 8, 30, 59))


def sent(*bodies):
    return frame(2, 0xFE, VIN, TIME6 + b"".join(bodies))


def one(name, *bodies):
    return decode([sent(*bodies)], [1], 0).batch.column(name).to_pylist()[0]


def test_nothing_in_nothing_out():
    decoded = decode([], [], 0)
    assert decoded.batch.schema == pa.schema(BASE)
    assert (decoded.batch.num_rows, decoded.rejected) == (0, [])


def test_base_columns():
    batch = decode([sent(), sent()], np.array([7, 2**63 - 1]), [NOW + 1, NOW + 2], "somewhere").batch
    assert batch.schema == pa.schema(BASE)
    assert batch.column("vehicle").to_pylist() == [7, 2**63 - 1]
    assert batch.column("time").cast(pa.int64()).to_pylist() == [NOW, NOW]
    assert batch.column("received").cast(pa.int64()).to_pylist() == [NOW + 1, NOW + 2]
    assert batch.column("door").to_pylist() == ["somewhere"] * 2


def test_rows_keep_the_order_of_frames_whatever_their_layout():
    shapes = ({"vehicle": {"soc_pct": 0}}, {"vehicle": {"soc_pct": 0}, "motors": []}, {"engine": {}})
    frames = [encode.realtime(VIN, NOW + 1000 * i, shapes[i % 3]) for i in range(9)]
    batch = decode(frames, range(9), 0).batch
    assert batch.column("vehicle").to_pylist() == list(range(9))
    assert batch.column("time").cast(pa.int64()).to_pylist() == [NOW + 1000 * i for i in range(9)]
    soc = batch.column("Vehicle.Powertrain.TractionBattery.StateOfCharge.Current")
    assert soc.to_pylist() == [0, 0, None] * 3


def test_rejected_are_told_by_index_and_harm_no_other():
    frames = [
        sent(b"\x04\1\2\3\4\5"),
        b"",
        sent(b"\x04\1\2\3\4"),
        sent(b"\x04\1\2\3\4\5")[:-1] + b"\0",
        frame(7, 0xFE, VIN),
        frame(2, 0xFE, VIN, bytes(16), encryption=3),
        frame(2, 0xFE, VIN, bytes(6)),
        sent(b"\x04\1\2\3\4\5"),
    ]
    decoded = decode(frames, range(8), 0)
    assert decoded.batch.column("vehicle").to_pylist() == [0, 7]
    assert decoded.rejected == [
        (1, "incomplete"),
        (2, "unit 0x04 cut short"),
        (3, "bad checksum"),
        (4, "not real-time data"),
        (5, "encrypted"),
        (6, "bad time"),
    ]


@pytest.mark.parametrize(("raw", "metres"), [(0, 0), (9_999_999, 999_999_900), (10_000_000, None), (2**32 - 1, None)])
def test_odometer(raw, metres):
    body = b"\x01" + bytes(5) + raw.to_bytes(4, "big") + bytes(11)
    assert one("Vehicle.TraveledDistance", body) == metres


@pytest.mark.parametrize(
    ("longitude", "latitude", "state", "expected"),
    [
        (121_473_700, 31_230_400, 0, (121.4737, 31.2304)),
        (180_000_000, 90_000_000, 6, (-180.0, -90.0)),
        (180_000_001, 90_000_001, 0, (None, None)),
        (2**32 - 1, 2**32 - 2, 6, (None, None)),
    ],
)
def test_coordinates(longitude, latitude, state, expected):
    body = bytes((5, state)) + longitude.to_bytes(4, "big") + latitude.to_bytes(4, "big")
    names = ("Vehicle.CurrentLocation.Longitude", "Vehicle.CurrentLocation.Latitude")
    assert tuple(one(name, body) for name in names) == expected


def test_withheld_bits_are_zero_even_of_negative_values():
    """A zero with a minus sign would tell on which side of zero the value was."""
    body = bytes((5, 6)) + b"\xff" * 8 + b"\x02\x01" + b"\xff" * 12
    batch = decode([sent(body)], [1], 0).batch
    for name in signals(batch.schema):
        column = batch.column(name)
        if column.null_count and not pa.types.is_binary(column.type):
            assert not any(column.buffers()[1].to_pybytes()), name


def test_cells_of_all_subsystems_little_endian():
    pack = bytes(9) + b"\2\x0f\x79\x0f\x78"
    cells = one("Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages", b"\x08\2" + pack + pack)
    assert np.frombuffer(cells, "<u2").tolist() == [3961, 3960] * 2


def test_all_units_of_the_carmaker_are_one_column():
    split = b"\x80\0\3abc\x04\1\2\3\4\5\xfe\0\1d"
    batch = decode([sent(split), sent(b"\x81\0\0"), sent()], range(3), 0).batch
    assert batch.column(CUSTOM_UNITS).to_pylist() == [b"\x80\0\3abc\xfe\0\1d", b"\x81\0\0", None]
    assert batch.schema.names[-1] == "gb32960.custom"


def customs(*sizes):
    return sent(*(bytes((0x80 + i, 0, size)) + bytes(size) for i, size in enumerate(sizes)))


def test_no_sender_decides_how_many_columns_there_are():
    frames = [sent(bytes((kind, 0, 1, 7))) for kind in range(0x80, 0xFF)]
    assert decode(frames, range(len(frames)), 0).batch.schema.names == [*pa.schema(BASE).names, CUSTOM_UNITS]


@pytest.mark.parametrize("unit", [b"\x08\0", b"\x09\0"])
def test_units_of_a_frame_are_limited(unit):
    frames = [sent(unit * (MAX_UNITS - 1) + b"\x80\0\0"), sent(unit * MAX_UNITS + b"\x80\0\0")]
    assert decode(frames, range(2), 0).rejected == [(1, "more than 64 units")]
    assert decode([customs(*[0] * MAX_UNITS), customs(*[0] * (MAX_UNITS + 1))], range(2), 0).rejected == [
        (1, "more than 64 units")
    ]


def test_list_counts_that_are_invalid():
    records = "Vehicle.Onshore.ElectricMotor.Records"
    assert one(records, b"\x02\xff") is None
    assert one(records, b"\x02\x00") == b""
    assert one("Vehicle.Onshore.TractionBattery.VoltageSubsystems", b"\x08\xff") is None
    assert one("Vehicle.Onshore.TractionBattery.VoltageSubsystems", b"\x08\0") == b""
    assert one("Vehicle.Onshore.FuelCell.ProbeTemperatures", b"\x03" + bytes(6) + b"\xff\xff" + bytes(10)) is None
    assert one("Vehicle.Onshore.Alarm.MotorFaults", b"\x07" + bytes(5) + b"\0\xff\0\0") is None


@pytest.mark.parametrize("body", [b"\x0a", b"\xff", b"\x01" + bytes(19), b"\x05" + bytes(9) + b"\x05" + bytes(9)])
def test_a_walk_that_leads_nowhere(body):
    with pytest.raises(Malformed):
        walk(sent(body))


@pytest.fixture
def work(monkeypatch):
    """What decoding did: frames walked, and layouts that others were held against."""
    done = {"walked": [], "held": []}
    monkeypatch.setattr("onshore.gate.gb32960.groups.attempt", lambda f: done["walked"].append(f) or attempt(f))
    monkeypatch.setattr("onshore.gate.gb32960.groups.shape", lambda n, f: done["held"].append(f) or shape(n, f))
    return done


SAME_SIZE = [customs(*(250 * (i == n) for i in range(n + 1)), *[0] * (59 - n)) for n in range(60)]
SAME_SIZE += [customs(i, 250 - i, *[0] * 58) for i in range(1, 250)]
MANY_SIZES = [customs(size) for size in range(250)] + [customs(size, 250) for size in range(250)]


@pytest.mark.parametrize(
    "frames", [SAME_SIZE, MANY_SIZES, [f for f in MANY_SIZES[:40] for _ in range(FEW)], SAME_SIZE[:50] * FEW]
)
def test_frames_that_differ_cost_a_walk_each_and_a_few_looks(work, frames):
    """A car may send a new layout each time: each frame costs one walk at most, and few are held against all."""
    decoded = decode(frames, range(len(frames)), 0)
    assert not decoded.rejected
    assert decoded.batch.num_rows == len(frames)
    assert len(work["walked"]) <= len(frames)
    assert len(work["held"]) <= LOOKS
    assert len(groups(frames, False, {})[0]) <= LOOKS + 1


def test_frames_that_cannot_be_read_cost_a_walk_each_unless_they_are_alike(work):
    frames = [sent(b"\x04" + bytes((i, 0, 0, 0))) for i in range(200)]
    assert decode(frames, range(200), 0).rejected == [(i, "unit 0x04 cut short") for i in range(200)]
    assert work["walked"] == frames[:1]


@pytest.mark.parametrize("unlike", [SAME_SIZE, MANY_SIZES])
def test_frames_that_cannot_be_read_and_differ_cost_a_walk_each_and_a_few_looks(work, unlike):
    frames = [frame(2, 0xFE, VIN, f[24:-1] + b"\x0a") for f in unlike]
    reasons = {why for _, why in decode(frames, range(len(frames)), 0).rejected}
    assert reasons == {"unknown unit 0x0a"}
    assert len(work["walked"]) <= len(frames)
    assert len(work["held"]) <= LOOKS


def test_what_fails_alike_is_told_apart_from_what_does_not():
    good, bad = sent(b"\x80\0\1a"), sent(b"\x80\0\2a")
    decoded = decode([good, bad] * FEW, range(2 * FEW), 0, checked=True)
    assert decoded.rejected == [(i, "unit 0x80 cut short") for i in range(1, 2 * FEW, 2)]


def test_frames_that_are_alike_cost_one_walk(work):
    frames = [customs(i % 3) for i in range(300)]
    assert decode(frames, range(300), 0).batch.num_rows == 300
    assert len(work["walked"]) == 3


def test_many_of_one_size_that_are_illegible_are_told_apart():
    good, bad = customs(1), customs(1)[:-1] + b"\0"
    late = frame(2, 0xFE, VIN, bytes(6) + b"\x80\0\1\0")
    decoded = decode([good, bad, late] * FEW, range(3 * FEW), 0)
    assert decoded.rejected == [(i, "bad checksum" if i % 3 == 1 else "bad time") for i in range(3 * FEW) if i % 3]
    assert decoded.batch.column("vehicle").to_pylist() == list(range(0, 3 * FEW, 3))


def sent_2025(*bodies):
    return frame(2, 0xFE, VIN, TIME6 + b"".join(bodies), start=b"$$")


SIGNED = b"\xff\1\0\2ab\0\0"


def test_frames_of_both_editions_share_columns_and_are_not_taken_for_one_another():
    """Type 06 means extremes in 2016 and alarms in 2025; the sizes here are alike."""
    frames = [sent(b"\x06" + bytes(14)), sent_2025(b"\x06\2" + bytes(4) + b"\xff" * 5, b"\x80\0\1a")] * FEW
    batch = decode(frames, range(len(frames)), 0).batch
    assert len(set(map(len, frames))) == 1
    assert batch.column("Vehicle.Onshore.Alarm.Level").to_pylist() == [None, 2] * FEW
    assert batch.column("Vehicle.Powertrain.TractionBattery.CellVoltage.Max").to_pylist() == [0, None] * FEW


def test_the_datum_stands_beside_each_position():
    places = [b"\x05\0" + bytes((datum,)) + bytes(8) for datum in (1, 2, 3, 0xFF)]
    batch = decode([sent(b"\x05" + bytes(9)), *map(sent_2025, places)], range(5), 0).batch
    assert batch.column("Vehicle.Onshore.Datum").to_pylist() == [None, 1, 2, 3, None]
    assert batch.column("Vehicle.CurrentLocation.Longitude").to_pylist() == [0.0] * 5


@pytest.mark.parametrize(("raw", "torque"), [(0, -20000.0), (200_001, 0.1), (400_000, 20000.0), (400_001, None)])
def test_torque_of_2025(raw, torque):
    body = b"\x02\1" + bytes(5) + raw.to_bytes(4, "big") + bytes(1)
    found = decode([sent_2025(body)], [1], 0).batch.column("Vehicle.Powertrain.ElectricMotor.Torque")
    assert found.to_pylist() == [torque if torque is None else np.float32(torque)]


def test_a_gear_that_is_not_valid_is_none():
    bodies = [b"\x01" + bytes(15) + bytes((gear,)) + bytes(2) for gear in (0x2E, 0xAE)]
    batch = decode(list(map(sent_2025, bodies)), range(2), 0).batch
    assert batch.column("Vehicle.Powertrain.Transmission.CurrentGear").to_pylist() == [127, None]
    assert batch.column("Vehicle.Onshore.GearFlags").to_pylist() == [2, 2]


def test_several_supercapacitors_are_one_list_and_the_first_has_columns():
    one, other = (b"\x31" + bytes((n,)) + bytes(4) + b"\0\1ab\0\1c" for n in (1, 2))
    batch = decode([sent_2025(one, other)], [1], 0).batch
    name = "Vehicle.Onshore.Supercapacitor."
    systems = b"".join(bytes((n,)) + bytes(4) + b"\0\1\0\1" for n in (1, 2))
    assert batch.column(name + "Systems").to_pylist() == [systems]
    assert batch.column(name + "CellVoltages").to_pylist() == [b"abab"]
    assert batch.column(name + "Voltage").to_pylist() == [0.0]


def test_what_signatures_are_worth_is_a_column_and_an_invalid_one_a_rejection():
    good = sent_2025(b"\x04\1\2", SIGNED)
    states = [State.VALID, State.INVALID, State.NOT_VERIFIABLE, None, State.INVALID]
    decoded = decode([good, good, good, sent(), b""], range(5), 0, signed=states)
    assert decoded.rejected == [(1, "signature invalid"), (4, "signature invalid")]
    assert decoded.batch.column(SIGNATURE_STATE).to_pylist() == [1, 3, None]
    assert decoded.batch.schema.names[-1] == SIGNATURE_STATE
    assert decoded.batch.column(SIGNATURE_STATE).buffers()[1].to_pybytes()[:3] == b"\1\3\0"
    assert SIGNATURE_STATE not in decode([good, sent()], range(2), 0).batch.schema.names
    assert SIGNATURE_STATE not in decode([sent()], range(1), 0, signed=[None]).batch.schema.names


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"\xff", "unit 0xff cut short"),
        (b"\xff\1\0\1", "unit 0xff cut short"),
        (SIGNED + b"\x04\1\2", "bytes after the data unit"),
        (b"\x0a", "unknown unit 0x0a"),
        (b"\x09\0", "unknown unit 0x09"),
        (b"\x01" + bytes(17), "unit 0x01 cut short"),
        (b"\x30\2" + bytes(12), "unit 0x30 cut short"),
        (b"\x04\1\2\x04\1\2", "unit 0x04 twice"),
    ],
)
def test_frames_of_2025_that_cannot_be_read(body, what):
    assert decode([sent_2025(body)], [1], 0).rejected == [(0, what)]


def test_where_the_signature_stands():
    assert walk(sent_2025(b"\x04\1\2", SIGNED)).signature == 33
    assert walk(sent_2025(b"\x04\1\2")).signature is None


def test_every_column_is_in_the_catalogue_with_its_type_but_what_carmakers_add():
    schema = columns(frozenset(PARTS_OF) | frozenset(LISTS)).signed
    known = {name: signal.arrow for name, signal in catalogue().items()}
    assert {f.name: f.type for f in schema if f.name in known} == {n: known[n] for n in schema.names if n in known}
    assert set(schema.names) - known.keys() == {*pa.schema(BASE).names, CUSTOM_UNITS}
