"""The fast decoder on cases picked by hand: values, nulls, order, refusals, hostile mixes."""

import numpy as np
import pyarrow as pa
import pytest

from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.decode import decode
from onshore.gate.gb32960.groups import FEW, LOOKS, groups
from onshore.gate.gb32960.layout import CUSTOM_UNITS, Layout, walk
from onshore.gate.gb32960.protocol import MAX_UNITS, frame
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
    shape = Layout.shape
    monkeypatch.setattr("onshore.gate.gb32960.groups.walk", lambda frame: done["walked"].append(frame) or walk(frame))
    monkeypatch.setattr(Layout, "shape", lambda self, frame: done["held"].append(frame) or shape(self, frame))
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
    assert len(groups(frames, False, {})) <= LOOKS + 1


def test_frames_that_cannot_be_read_cost_a_walk_each(work):
    frames = [sent(b"\x04" + bytes(4))] * 200
    assert len(decode(frames, range(200), 0).rejected) == 200
    assert work["walked"] == frames


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
