"""The reference decoder on what the 2025 edition has beside 2016, case by case."""

import pytest

from onshore.gate.gb32960 import reference
from onshore.gate.gb32960.protocol import MAX_UNITS, frame
from onshore.words.errors import Malformed

VIN = b"LTEST000000000025"
NOW = bytes((26, 1, 15, 8, 30, 59))
THEN = bytes((27, 1, 15, 8, 30, 59))


def sent(command, body, flag=0xFE, **more):
    return frame(command, flag, VIN, body, start=b"$$", **more)


def body(command, data):
    return reference.decode(sent(command, data))["body"]


def data(unit):
    (found,) = body(2, NOW + unit)["units"]
    return found["data"]


def wrong(whole):
    with pytest.raises(Malformed) as bad:
        reference.decode(whole)
    return bad.value.what


@pytest.mark.parametrize(
    ("flag", "word"),
    [(4, "vin_unknown"), (5, "signature_invalid"), (6, "structure_invalid"), (7, "decryption_failed")],
)
def test_response_flags_that_2016_does_not_have(flag, word):
    assert reference.decode(sent(2, NOW, flag))["ack"] == word
    assert wrong(frame(2, flag, VIN, NOW)) == f"unknown response flag 0x{flag:02x}"


def test_encryptions_that_2016_does_not_have():
    assert [reference.decode(sent(2, b"\1", encryption=e))["encryption"] for e in (4, 5)] == ["sm2", "sm4"]


def test_login_without_a_count_of_systems_lists_no_packs():
    head = NOW + b"\0\1" + b"8" * 20
    assert body(1, head + b"\xff")["packs_per_bms"] is None
    said = body(1, head + b"\2\xfe\1" + b"P" * 24)
    assert (said["packs_per_bms"], said["codes"]) == (["abnormal", 1], [[], ["P" * 24]])


def test_activation_and_what_is_said_to_it():
    said = body(9, NOW + b"CHIP".ljust(16, b"\0") + b"\0\2ab" + VIN + b"\1\0\1r\0\1s")
    assert said == {
        "time": "2026-01-15T08:30:59+08:00",
        "chip": "CHIP",
        "public_key": "6162",
        "vin": VIN.decode(),
        "signature": {"algorithm": "sm2", "r": "72", "s": "73"},
    }
    assert body(10, b"\2\3") == {"result": "failed", "info": 3}
    assert body(10, b"\7\1")["result"] == 7


def test_key_exchange():
    said = body(11, b"\3\0\2ab" + NOW + THEN)
    assert (said["encryption"], said["key"], said["until"]) == ("aes128", "6162", "2027-01-15T08:30:59+08:00")
    assert wrong(sent(11, b"\x09\0\0" + NOW + THEN)) == "unknown encryption 0x09"


def test_platform_login_may_name_the_later_encryptions():
    login = NOW + b"\0\1" + bytes(32) + b"\5"
    assert body(5, login)["encryption"] == "sm4"
    assert wrong(frame(5, 0xFE, VIN, login)) == "unknown encryption 0x05"


def test_an_algorithm_that_nobody_knows_stays_a_number():
    assert body(2, NOW + b"\xff\x09\0\0\0\0")["signature"] == {"algorithm": 9, "r": "", "s": ""}


@pytest.mark.parametrize(
    ("units", "what"),
    [
        (b"\xff\1\0\1", "unit 0xff cut short"),
        (b"\xff\1\0\0\0\0\x04\0\0", "bytes after the data unit"),
        (b"\x09\0", "unknown unit 0x09"),
        (b"\x04\0\0\x04\0\0", "unit 0x04 twice"),
        (b"\x07\0" * (MAX_UNITS + 1), "more than 64 units"),
    ],
)
def test_refusals(units, what):
    assert wrong(sent(2, NOW + units)) == what


def test_units_that_the_carmaker_defines():
    (unit,) = body(2, NOW + b"\x80\0\2ab")["units"]
    assert unit == {"type": "custom", "id": 0x80, "data": "6162"}


def test_vehicle():
    said = data(b"\x01\1\3\1" + b"\0\x0a" + b"\0\0\0\1" + b"\0\1" + b"\x75\x30" + b"\x32\1\x81\xff\xfe")
    assert (said["current_a"], said["soc_pct"], said["insulation_kohm"]) == (0.0, 50, "abnormal")
    assert said["gear"] == {"position": "1", "braking": False, "driving": False, "valid": False}
    assert "brake_pct" not in said


def test_motors():
    (said,) = data(b"\x02\1\1\4\x28\x7d\0\0\3\x0d\x40\x29")
    assert said == {
        "no": 1,
        "status": "ready",
        "controller_temp_c": 0,
        "speed_rpm": 0,
        "torque_nm": 0.0,
        "motor_temp_c": 1,
    }


def test_hydrogen():
    said = data(b"\x03\1\x90\1\0\7\2\0\x0a\3\1\x32\x29")
    assert said == {
        "h2_max_temp_c": 0.0,
        "h2_max_temp_probe": 1,
        "h2_max_conc_raw": 7,
        "h2_max_conc_sensor": 2,
        "h2_max_pressure_mpa": 1.0,
        "h2_max_pressure_sensor": 3,
        "hv_dcdc": "working",
        "h2_remaining_pct": 50,
        "hv_dcdc_temp_c": 1,
    }


def test_stacks():
    said = data(b"\x30\1\1\0\x0a\0\x14\3\xe8\3\xf2\x29\0\1\x2a")
    assert said == [
        {
            "no": 1,
            "voltage_v": 1.0,
            "current_a": 2.0,
            "h2_inlet_kpa": 0.0,
            "air_inlet_kpa": 1.0,
            "air_inlet_temp_c": 1,
            "coolant_temps_c": [2],
        }
    ]


def test_extremes_of_supercapacitors():
    said = data(b"\x32\1\0\2\x0a\x8c\1\0\3\x0a\x82\1\0\4\x46\1\xff\xff\xff")
    assert (said["max_v_cell"], said["max_v"], said["min_t_probe"], said["min_t_c"]) == (2, 2.7, None, None)


def test_alarm_levels():
    said = data(b"\x06\4\x18\0\0\0\0\0\0\0\2\x1b\4\x1f\xff")
    assert said["flags"] == ["stack_over_temp", "reserved_28"]
    assert said["levels"] == [{"alarm": "stack_over_temp", "level": 4}, {"alarm": "reserved_31", "level": None}]
    assert data(b"\x06\0" + bytes(8) + b"\xff")["levels"] is None
