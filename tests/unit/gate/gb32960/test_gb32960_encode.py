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


def sign(signed):
    """As a car would, but for the arithmetic."""
    return 2, b"R" + bytes((len(signed),)), b""


def test_what_is_left_out_is_invalid_in_2025_too():
    units = ("vehicle", "motors", "fuel_cell", "position", "alarms", "supercapacitor", "supercapacitor_extremes")
    sent = encode.realtime(VIN, NOW, {name: None if name == "motors" else {} for name in units}, edition=2025)
    body = reference.decode(sent)["body"]
    said = {u["type"]: u["data"] for u in body["units"]}
    assert body["signature"] is None
    assert said["vehicle"].pop("gear") == {"position": "N", "braking": False, "driving": False, "valid": True}
    assert set(said["vehicle"].values()) | set(said["fuel_cell"].values()) == {None}
    assert said["motors"] is None
    assert said["position"] == {"valid": False, "datum": None, "longitude": None, "latitude": None}
    assert said["alarms"].pop("flags") == []
    assert set(said["alarms"].values()) | set(said["supercapacitor_extremes"].values()) == {None}
    assert set(said["supercapacitor"].values()) == {None}


def test_a_signer_gets_all_from_the_time_to_the_last_unit():
    plain = encode.realtime(VIN, NOW, {"engine": {"crank_rpm": 1}}, edition=2025)
    sent = encode.realtime(VIN, NOW, {"engine": {"crank_rpm": 1}}, edition=2025, sign=sign, resend=True)
    said = reference.decode(sent)
    assert said["command"] == "resend"
    assert said["body"]["signature"] == {"algorithm": "rsa", "r": "52" + f"{len(plain) - 25:02x}", "s": ""}


def test_small_frames_of_2025():
    frames = [
        encode.heartbeat(VIN, edition=2025),
        encode.time_sync(VIN, edition=2025),
        encode.logout(VIN, NOW, 3, edition=2025),
        encode.login_2025(VIN, NOW, 1, "898600", [["PACK-A"], []]),
        encode.activation(VIN, NOW, "CHIP", b"key", sign),
        encode.activation_reply(VIN, good=True),
        encode.activation_reply(VIN, good=False, info=3),
        encode.platform_login(b"PLATFORM", NOW, 1, "name", "word", edition=2025),
        encode.platform_login(b"PLATFORM", NOW, 1, "", "", edition=2025, logout=True),
    ]
    said = [reference.decode(sent) for sent in frames]
    assert {s["version"] for s in said} == {2025}
    assert [encode.encode(s) for s in said] == frames
    assert (said[3]["body"]["packs_per_bms"], said[3]["body"]["codes"]) == ([1, 0], [["PACK-A"], []])
    assert (said[4]["body"]["chip"], said[4]["body"]["public_key"]) == ("CHIP", b"key".hex())
    assert [s["body"]["result"] for s in said[5:7]] == ["ok", "failed"]
    assert said[7]["body"]["username"] == "name"
    assert said[8]["command"] == "platform_logout"


def test_a_code_without_a_word_stands_for_itself():
    said = {
        "version": 2025,
        "command": "activation_reply",
        "ack": "command",
        "vin": "X",
        "encryption": "none",
        "body": {"result": 9, "info": 200},
    }
    assert reference.decode(encode.encode(said)) == said
