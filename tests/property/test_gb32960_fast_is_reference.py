"""The fast decoder finds exactly what the reference decoder says, on any mix of frames, and refuses in its words."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onshore.gate.gb32960 import encode, reference
from onshore.gate.gb32960 import tables as t
from onshore.gate.gb32960.decode import decode
from onshore.gate.gb32960.groups import FEW, LOOKS
from onshore.gate.gb32960.layout import CUSTOM, CUSTOM_UNITS
from onshore.gate.gb32960.protocol import MAX_UNITS, Command, Encryption, Flag, frame
from onshore.words.batch import BASE_NAMES
from onshore.words.errors import Malformed

VIN = b"LTEST000000000017"
BATTERY, ONSHORE = "Vehicle.Powertrain.TractionBattery.", "Vehicle.Onshore."
GEARS = {"N": 0, "R": -1, "D": 127, "P": 126}


def number(unit, key, kind=np.uint8):
    """A column that is one field of a unit."""

    def value(data):
        said = data[0][key]
        if said is None or said == "abnormal":
            return None
        if isinstance(said, str):
            fields = t.VEHICLE_FIELDS + t.HYDROGEN_FIELDS + t.ENGINE_FIELDS
            words = next(f.words for f in fields if f.name == key and said in f.words.values())
            said = next(code for code, word in words.items() if word == said)
        return kind(said)

    return unit, value


def motor(key, kind=np.float32):
    def value(data):
        first = data[0][0] if isinstance(data[0], list) and data[0] else {key: None}
        if isinstance(first[key], str) and first[key] != "abnormal":
            words = t.MOTOR_FIELDS[1].words
            return next(code for code, word in words.items() if word == first[key])
        return number(2, key, kind)[1]([first])

    return 2, value


def odometer(data):
    km = data[0]["odometer_km"]
    return round(km * 1000) if isinstance(km, float) and km < 1_000_000 else None


def gear(data):
    position = data[0]["gear"]["position"]
    return GEARS[position] if position in GEARS else int(position)


def gear_flags(data):
    return data[0]["gear"]["braking"] | data[0]["gear"]["driving"] << 1


def coordinate(key, most):
    def value(data):
        degrees = data[0][key]
        return degrees if isinstance(degrees, float) and abs(degrees) <= most else None

    return 5, value


def binary(unit, joined):
    """A column that joins what all units of the type (0x08 and 0x09 may repeat) list; null where none lists."""

    def value(data):
        said = [joined(d) for d in data]
        known = [s for s in said if s is not None]
        return b"".join(known) if known else None

    return unit, value


def raw(fields, data):
    return b"".join(encode._value(f, data[f.name]) for f in fields)


def listed(data, item):
    return b"".join(item(d) for d in data) if isinstance(data, list) else None


def count(said, size, code=0):
    """A count as sent: how many, or its code."""
    return (len(said) if isinstance(said, list) else (256**size - (1 if said is None else 2))).to_bytes(size, "big")


def cells(pack):
    return listed(pack["cell_v"], lambda v: encode._value(t.CELL, v)[::-1]) or b""


def degrees(data):
    return listed(data, lambda c: encode._value(t.DEGREES, c))


def faults(key):
    return binary(7, lambda d: listed(d[key], bytes.fromhex))


F4 = np.float32
EXPECTED = {
    ONSHORE + "VehicleStatus": number(1, "status"),
    ONSHORE + "ChargingStatus": number(1, "charging"),
    ONSHORE + "RunningMode": number(1, "mode"),
    "Vehicle.Speed": number(1, "speed_kmh", F4),
    "Vehicle.TraveledDistance": (1, odometer),
    BATTERY + "CurrentVoltage": number(1, "voltage_v", F4),
    BATTERY + "CurrentCurrent": number(1, "current_a", F4),
    BATTERY + "StateOfCharge.Current": number(1, "soc_pct", F4),
    ONSHORE + "DcDcStatus": number(1, "dcdc"),
    "Vehicle.Powertrain.Transmission.CurrentGear": (1, gear),
    ONSHORE + "GearFlags": (1, gear_flags),
    ONSHORE + "InsulationResistance": number(1, "insulation_kohm", np.uint16),
    "Vehicle.Chassis.Accelerator.PedalPosition": number(1, "accelerator_pct"),
    "Vehicle.Chassis.Brake.PedalPosition": number(1, "brake_pct"),
    "Vehicle.Powertrain.ElectricMotor.Speed": motor("speed_rpm"),
    "Vehicle.Powertrain.ElectricMotor.Torque": motor("torque_nm"),
    "Vehicle.Powertrain.ElectricMotor.Temperature": motor("motor_temp_c"),
    ONSHORE + "ElectricMotor.Status": motor("status", np.uint8),
    ONSHORE + "ElectricMotor.ControllerTemperature": motor("controller_temp_c", np.int16),
    ONSHORE + "ElectricMotor.ControllerVoltage": motor("controller_voltage_v"),
    ONSHORE + "ElectricMotor.ControllerCurrent": motor("controller_current_a"),
    ONSHORE + "ElectricMotor.Records": binary(2, lambda d: listed(d, lambda m: raw(t.MOTOR_FIELDS, m))),
    ONSHORE + "FuelCell.Voltage": number(3, "voltage_v", F4),
    ONSHORE + "FuelCell.Current": number(3, "current_a", F4),
    ONSHORE + "FuelCell.Consumption": number(3, "consumption_kg_100km", F4),
    ONSHORE + "FuelCell.HydrogenMaxTemperature": number(3, "h2_max_temp_c", F4),
    ONSHORE + "FuelCell.HydrogenMaxTemperatureProbe": number(3, "h2_max_temp_probe"),
    ONSHORE + "FuelCell.HydrogenMaxConcentration": number(3, "h2_max_conc_raw", np.uint16),
    ONSHORE + "FuelCell.HydrogenMaxConcentrationSensor": number(3, "h2_max_conc_sensor"),
    ONSHORE + "FuelCell.HydrogenMaxPressure": number(3, "h2_max_pressure_mpa", F4),
    ONSHORE + "FuelCell.HydrogenMaxPressureSensor": number(3, "h2_max_pressure_sensor"),
    ONSHORE + "FuelCell.HighVoltageDcDcStatus": number(3, "hv_dcdc"),
    ONSHORE + "FuelCell.ProbeTemperatures": binary(3, lambda d: degrees(d["probe_temps_c"])),
    ONSHORE + "CombustionEngine.State": number(4, "status"),
    "Vehicle.Powertrain.CombustionEngine.Speed": number(4, "crank_rpm", F4),
    "Vehicle.Powertrain.FuelSystem.InstantConsumption": number(4, "fuel_rate_l_100km", F4),
    "Vehicle.CurrentLocation.Longitude": coordinate("longitude", 180),
    "Vehicle.CurrentLocation.Latitude": coordinate("latitude", 90),
    ONSHORE + "PositionValid": (5, lambda data: data[0]["valid"]),
    ONSHORE + "TractionBattery.MaxVoltageSubsystem": number(6, "max_v_subsystem"),
    BATTERY + "CellVoltage.IdMax": number(6, "max_v_cell", np.uint16),
    BATTERY + "CellVoltage.Max": number(6, "max_v", F4),
    ONSHORE + "TractionBattery.MinVoltageSubsystem": number(6, "min_v_subsystem"),
    BATTERY + "CellVoltage.IdMin": number(6, "min_v_cell", np.uint16),
    BATTERY + "CellVoltage.Min": number(6, "min_v", F4),
    ONSHORE + "TractionBattery.MaxTemperatureSubsystem": number(6, "max_t_subsystem"),
    ONSHORE + "TractionBattery.MaxTemperatureProbe": number(6, "max_t_probe"),
    BATTERY + "Temperature.Max": number(6, "max_t_c", F4),
    ONSHORE + "TractionBattery.MinTemperatureSubsystem": number(6, "min_t_subsystem"),
    ONSHORE + "TractionBattery.MinTemperatureProbe": number(6, "min_t_probe"),
    BATTERY + "Temperature.Min": number(6, "min_t_c", F4),
    ONSHORE + "Alarm.Level": number(7, "max_level"),
    ONSHORE + "Alarm.Flags": number(7, "flags_raw", np.uint32),
    ONSHORE + "Alarm.BatteryFaults": faults("battery_faults"),
    ONSHORE + "Alarm.MotorFaults": faults("motor_faults"),
    ONSHORE + "Alarm.EngineFaults": faults("engine_faults"),
    ONSHORE + "Alarm.OtherFaults": faults("other_faults"),
    BATTERY + "CellVoltage.CellVoltages": binary(8, lambda d: listed(d, cells)),
    ONSHORE + "TractionBattery.VoltageSubsystems": binary(
        8, lambda d: listed(d, lambda p: raw(t.PACK_FIELDS, p) + count(p["cell_v"], 1))
    ),
    BATTERY + "Temperature.CellTemperature": binary(9, lambda d: listed(d, lambda p: degrees(p["probe_c"]) or b"")),
    ONSHORE + "TractionBattery.TemperatureSubsystems": binary(
        9, lambda d: listed(d, lambda p: raw(t.PROBES, p) + count(p["probe_c"], 2))
    ),
}

octet = st.one_of(st.sampled_from((0, 1, 2, 0xFE, 0xFF)), st.integers(0, 255))


def octets(size):
    return st.lists(octet, min_size=size, max_size=size).map(bytes)


@st.composite
def counted(draw, size, most, item):
    """A count of `size` bytes, sometimes one of the codes, and its items."""
    many = draw(st.one_of(st.integers(0, most), st.sampled_from((256**size - 2, 256**size - 1))))
    items = range(many if many <= most else 0)
    return many.to_bytes(size, "big") + b"".join(draw(item) for _ in items)


def joined(*parts):
    return st.tuples(*parts).map(b"".join)


packs = joined(octets(9), counted(1, 5, octets(2)))
probes = joined(octets(1), counted(2, 5, octets(1)))
UNITS = {
    1: octets(20),
    2: counted(1, 3, octets(12)),
    3: joined(octets(6), counted(2, 4, octets(1)), octets(10)),
    4: octets(5),
    5: octets(9),
    6: octets(14),
    7: joined(octets(5), *[counted(1, 2, octets(4))] * 4),
    8: counted(1, 2, packs),
    9: counted(1, 2, probes),
    0x80: counted(2, 4, octets(1)).filter(lambda b: b[:1] != b"\xff"),
    0xFE: counted(2, 4, octets(1)).filter(lambda b: b[:1] != b"\xff"),
}
times = st.one_of(
    st.tuples(
        st.integers(0, 99),
        st.integers(1, 12),
        st.integers(1, 28),
        st.integers(0, 23),
        st.integers(0, 59),
        st.integers(0, 59),
    ).map(bytes),
    st.sampled_from([bytes((24, 2, 29, 0, 0, 0)), bytes((99, 12, 31, 23, 59, 59)), bytes((0, 1, 1, 0, 0, 0))]),
)


@st.composite
def bodies(draw):
    kinds = draw(st.lists(st.sampled_from(sorted(UNITS)), max_size=6, unique=True))
    kinds += draw(st.lists(st.sampled_from((8, 9)), max_size=2))
    return draw(times) + b"".join(bytes((kind,)) + draw(UNITS[kind]) for kind in kinds)


good = st.builds(
    lambda body, command: frame(command, Flag.COMMAND, VIN, body),
    bodies(),
    st.sampled_from((Command.REALTIME, Command.RESEND)),
)


@st.composite
def damaged(draw):
    """A frame with a byte changed, cut or put in: in the body with a right checksum, or anywhere."""
    body = bytearray(draw(bodies()))
    at = draw(st.integers(0, len(body)))
    how = draw(st.sampled_from(("change", "cut", "put in", "twice")))
    if how == "change":
        body[at : at + 1] = bytes((draw(octet),))
    elif how == "cut":
        del body[at:]
    elif how == "put in":
        body[at:at] = draw(octets(2))
    else:
        body += body[6:]
    sent = bytearray(
        frame(
            draw(st.sampled_from((2, 2, 2, 3, 1, 0))),
            draw(st.sampled_from((0xFE, 0xFE, 0xFE, 1, 9))),
            VIN,
            bytes(body),
            encryption=draw(st.sampled_from((1, 1, 1, 3, 7))),
        )
    )
    if draw(st.booleans()):
        at = draw(st.integers(0, len(sent) - 1))
        sent[at : at + 1] = draw(st.sampled_from((b"", b"\0", b"$", b"\xff\xff")))
    return bytes(sent)


def plainly(sent):
    """What the reference decoder says of a frame that should be real-time data, or why not."""
    try:
        head = reference.envelope(sent)
        if head.command not in {Command.REALTIME, Command.RESEND} or head.flag != Flag.COMMAND:
            return "not real-time data"
        if head.encryption != Encryption.NONE:
            return "encrypted"
        return reference.decode(sent)["body"]
    except Malformed as bad:
        return bad.what


def check(frames, decoded):
    said = [plainly(f) for f in frames]
    assert decoded.rejected == [(i, s) for i, s in enumerate(said) if isinstance(s, str)]
    kept = [i for i, s in enumerate(said) if not isinstance(s, str)]
    batch = decoded.batch
    batch.validate(full=True)
    assert batch.column("vehicle").to_pylist() == [i + 1000 for i in kept]
    assert batch.column("received").cast(pa.int64()).to_pylist() == [i + 5 for i in kept]
    assert batch.column("door").to_pylist() == ["gb32960"] * len(kept)
    times = [round(datetime.fromisoformat(said[i]["time"]).timestamp() * 1000) for i in kept]
    assert batch.column("time").cast(pa.int64()).to_pylist() == times
    rows = [by_kind(said[i]["units"]) for i in kept]
    carried = {kind for row in rows for kind in row}
    expected = {name: how for name, how in EXPECTED.items() if how[0] in carried}
    expected |= {CUSTOM_UNITS: binary(CUSTOM, bytes.fromhex)} if CUSTOM in carried else {}
    assert set(batch.schema.names) == expected.keys() | BASE_NAMES
    for name, (kind, value) in expected.items():
        column = batch.column(name)
        want = [value(row[kind]) if kind in row else None for row in rows]
        assert column.to_pylist() == want, name
        hides_nothing(column)


def by_kind(units):
    row = {}
    for unit in units:
        if unit["id"] < CUSTOM:
            row.setdefault(unit["id"], []).append(unit["data"])
        else:
            row.setdefault(CUSTOM, []).append(f"{unit['id']:02x}{len(unit['data']) // 2:04x}{unit['data']}")
    return row


def hides_nothing(column):
    """Every bit under a null is zero."""
    if pa.types.is_binary(column.type) or pa.types.is_boolean(column.type) or not column.null_count:
        return
    beneath = np.frombuffer(column.buffers()[1], np.uint8).reshape(-1, column.type.byte_width)
    assert not beneath[: len(column)][column.is_null().to_numpy(zero_copy_only=False)].any()


@given(st.lists(st.one_of(good, good, damaged()), max_size=12))
def test_fast_is_reference(frames):
    ids = np.arange(len(frames), dtype=np.int64)
    check(frames, decode(frames, ids + 1000, ids + 5))


@given(st.lists(good, min_size=1, max_size=6), st.data())
def test_many_alike_and_a_few_others(shapes, data):
    order = data.draw(st.lists(st.integers(0, len(shapes) - 1), min_size=20, max_size=60))
    frames = [shapes[i] for i in order]
    ids = np.arange(len(frames), dtype=np.int64)
    check(frames, decode(frames, ids + 1000, ids + 5))


@given(st.lists(st.one_of(good, damaged()), min_size=1, max_size=4), st.integers(FEW, 2 * LOOKS))
def test_among_more_layouts_than_are_looked_for(shapes, others):
    """Whether frames are read together or one by one, the same comes out."""
    unlike = [frame(2, Flag.COMMAND, VIN, bytes((26, 1, 15, 8, 30, 59, 0x80, 0, i)) + bytes(i)) for i in range(others)]
    frames = [*unlike, *shapes, *unlike, *shapes] * (FEW // 2)
    ids = np.arange(len(frames), dtype=np.int64)
    check(frames, decode(frames, ids + 1000, ids + 5))


@given(st.lists(st.sampled_from((b"\x08\0", b"\x09\0", b"\x80\0\0", b"\x80\0", b"\x0a", b"\x04\0")), max_size=3))
def test_the_limit_of_units_is_the_same(last):
    units = [b"\x08\0"] * (MAX_UNITS - 1) + last
    frames = [frame(2, Flag.COMMAND, VIN, bytes((26, 1, 15, 8, 30, 59)) + b"".join(units))]
    check(frames, decode(frames, [1000], [5]))


@given(st.lists(good, max_size=8))
def test_a_checksum_is_not_verified_twice(frames):
    wrong = [f[:-1] + bytes((f[-1] ^ 1,)) for f in frames]
    vehicles = list(range(len(frames)))
    assert decode(wrong, vehicles, 0, checked=True).batch.equals(decode(frames, vehicles, 0).batch)
    assert decode(wrong, vehicles, 0).rejected == [(i, "bad checksum") for i in vehicles]


@pytest.mark.parametrize("name", EXPECTED)
def test_every_column_can_carry_a_value(name):
    """The generators above would be worthless for a column that they leave null."""
    kind, value = EXPECTED[name]
    sizes = {1: 20, 4: 5, 5: 9, 6: 14}
    bodies = {
        2: b"\1" + bytes(12),
        3: bytes(6) + b"\0\1\5" + bytes(10),
        7: bytes(5) + b"\1abcd" * 4,
        8: b"\1" + bytes(9) + b"\1\2\3",
        9: b"\1" + bytes(1) + b"\0\1\7",
    }
    body = bytes((26, 1, 15, 8, 30, 59, kind)) + bodies.get(kind, bytes(sizes.get(kind, 0)))
    sent = frame(Command.REALTIME, Flag.COMMAND, VIN, body)
    got = decode([sent], [1], 0).batch.column(name).to_pylist()
    assert got == [value([reference.decode(sent)["body"]["units"][0]["data"]])]
    assert got != [None]
    assert got != [b""]
