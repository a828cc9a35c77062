"""The encoder where the property tests do not look: defaults and refusals."""

import pytest

from onshore.gate.gb32960 import encode, reference
from onshore.words.errors import Malformed

VIN = b"LTEST000000000017"
NOW = 1_768_437_059_000


def test_what_is_left_out_is_invalid():
    (unit,) = reference.decode(encode.realtime(VIN, NOW, {"vehicle": {"soc_pct": 50}}))["body"]["units"]
    said = unit["data"]
    assert said.pop("soc_pct") == 50
    assert said.pop("gear") == {"position": "N", "braking": False, "driving": False}
    assert said.pop("insulation_kohm") == 65535
    assert set(said.values()) == {None}


def test_a_position_left_out_is_not_valid():
    (unit,) = reference.decode(encode.realtime(VIN, NOW, {"position": {}}))["body"]["units"]
    assert unit["data"] == {"valid": False, "longitude": None, "latitude": None}


def test_alarm_lists_left_out_are_invalid():
    (unit,) = reference.decode(encode.realtime(VIN, NOW, {"alarms": {"max_level": 0}}))["body"]["units"]
    assert unit["data"]["battery_faults"] is None


def test_login_without_pack_codes_is_one_subsystem():
    body = reference.decode(encode.login(VIN, NOW, 1, "898600"))["body"]
    assert (body["subsystems"], body["codes"], body["iccid"]) == (1, [], "898600")


def test_small_frames():
    assert reference.decode(encode.heartbeat(VIN))["command"] == "heartbeat"
    assert reference.decode(encode.time_sync(VIN))["command"] == "time_sync"
    assert reference.decode(encode.logout(VIN, NOW, 3))["body"]["serial"] == 3
    assert encode.unit(0x80, "aabb") == b"\x80\0\2\xaa\xbb"


def test_a_value_that_does_not_fit():
    with pytest.raises(Malformed, match="soc_pct does not fit"):
        encode.realtime(VIN, NOW, {"vehicle": {"soc_pct": 256}})


def test_a_text_that_does_not_fit():
    with pytest.raises(Malformed, match="more than 20 characters"):
        encode.login(VIN, NOW, 1, "8" * 21)
