"""The reference decoder's answers where the vectors are silent: codes, ranges, refusals."""

import pytest

from onshore.gate.gb32960 import reference
from onshore.gate.gb32960.protocol import frame
from onshore.words.errors import Malformed

VIN = b"LTEST000000000017"
NOW = bytes((26, 1, 15, 8, 30, 59))
GOOD = frame(7, 0xFE, VIN)


def units(body):
    return reference.decode(frame(2, 0xFE, VIN, NOW + body))["body"]["units"]


def data(body):
    return units(body)[0]["data"]


def wrong(sent):
    with pytest.raises(Malformed) as bad:
        reference.decode(sent)
    return bad.value.what


@pytest.mark.parametrize(
    ("sent", "what"),
    [
        (b"", "incomplete"),
        (b"#", "incomplete"),
        (b"$", "incomplete"),
        (b"#$", "bad start"),
        (b"x", "bad start"),
        (GOOD[:10], "incomplete"),
        (GOOD[:-1], "incomplete"),
        (GOOD + b"\0", "bytes after the frame"),
        (GOOD[:-1] + b"\0", "bad checksum"),
        (frame(7, 5, VIN), "unknown response flag 0x05"),
        (frame(2, 0xFE, VIN, b"\1", encryption=5), "unknown encryption 0x05"),
        (frame(0, 0xFE, VIN), "unknown command 0x00"),
        (frame(0xFF, 0xFE, VIN), "unknown command 0xff"),
        (frame(7, 9, VIN), "unknown response flag 0x09"),
        (frame(7, 0xFE, VIN, encryption=4), "unknown encryption 0x04"),
        (frame(7, 0xFE, VIN, b"x"), "bytes after the data unit"),
        (frame(4, 0xFE, VIN, NOW + b"\0"), "body cut short"),
        (frame(4, 0xFE, VIN, NOW + b"\0\1\2"), "bytes after the data unit"),
        (frame(2, 1, VIN, b"\1\2"), "no time"),
        (frame(5, 0xFE, VIN, NOW + b"\0\1" + bytes(32) + b"\x09"), "unknown encryption 0x09"),
        (frame(2, 0xFE, VIN, NOW + b"\x01" + bytes(19)), "unit 0x01 cut short"),
        (frame(2, 0xFE, VIN, NOW + b"\x02\x02" + bytes(12)), "unit 0x02 cut short"),
        (frame(2, 0xFE, VIN, NOW + b"\x80\x00\x05abcd"), "unit 0x80 cut short"),
        (frame(2, 0xFE, VIN, NOW + b"\x0a\x00\x01a"), "unknown unit 0x0a"),
        (frame(2, 0xFE, VIN, NOW + b"\xff"), "unknown unit 0xff"),
        (frame(2, 0xFE, VIN, NOW + b"\x02\x00\x02\x00"), "unit 0x02 twice"),
    ],
)
def test_refusals(sent, what):
    assert wrong(sent) == what


@pytest.mark.parametrize(
    "time6",
    [
        (100, 1, 1, 0, 0, 0),
        (26, 0, 1, 0, 0, 0),
        (26, 13, 1, 0, 0, 0),
        (26, 2, 29, 0, 0, 0),
        (26, 1, 0, 0, 0, 0),
        (26, 1, 1, 24, 0, 0),
        (26, 1, 1, 0, 60, 0),
        (26, 1, 1, 0, 0, 60),
    ],
)
def test_times_that_are_none(time6):
    assert wrong(frame(2, 0xFE, VIN, bytes(time6))) == "bad time"


def test_no_error_text_repeats_the_frame():
    with pytest.raises(Malformed) as bad:
        reference.decode(frame(2, 0xFE, VIN, NOW + b"\x01LTEST"))
    assert str(bad.value) == "byte 36: unit 0x01 cut short"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (9, "reserved_uplink"),
        (0x83, "reserved_downlink"),
        (0xC0, "private"),
    ],
)
def test_commands_without_a_body_of_ours_stay_opaque(command, name):
    said = reference.decode(frame(command, 0xFE, VIN, b"\1\2"))
    assert (said["command"], said["body"]) == (name, {"data": "0102"})


def test_encryption_of_unknown_kind_is_opaque_too():
    assert reference.decode(frame(2, 0xFE, VIN, b"\1", encryption=0xFE))["body"] == {"ciphertext": "01"}
    assert reference.decode(frame(7, 0xFE, VIN, encryption=0xFF))["encryption"] is None


def test_a_login_whose_counts_are_invalid_lists_nothing():
    body = reference.decode(frame(1, 0xFE, VIN, NOW + b"\0\1" + bytes(20) + b"\xff\xfe"))["body"]
    assert (body["subsystems"], body["code_length"], body["codes"]) == (None, "abnormal", [])


def test_abnormal_is_a_word():
    said = data(b"\x04\xfe\xff\xfe\xff\xfe")
    assert said == {"status": "abnormal", "crank_rpm": "abnormal", "fuel_rate_l_100km": "abnormal"}


def test_a_word_that_the_standard_does_not_have_stays_a_number():
    assert data(b"\x04\x07\0\0\0\0")["status"] == 7


def test_counts_without_a_list():
    assert data(b"\x02\xff") is None
    assert data(b"\x02\x00") == []
    assert data(b"\x08\xfe") == "abnormal"
    said = data(b"\x07\x00" + bytes(4) + b"\xff\xfe\x00\x01abcd")
    assert [said[f"{of}_faults"] for of in ("battery", "motor", "engine", "other")] == [
        None,
        "abnormal",
        [],
        ["61626364"],
    ]


def test_alarm_flags_that_are_invalid_name_nothing():
    said = data(b"\x07\xff" + b"\xff" * 8)
    assert (said["max_level"], said["flags_raw"], said["flags"]) == (None, None, [])


def test_alarm_bits_that_are_reserved():
    assert data(b"\x07\x00\x80\x00\x00\x01" + bytes(4))["flags"] == ["temp_difference", "reserved_31"]


@pytest.mark.parametrize(
    ("state", "valid", "longitude", "latitude"),
    [(0, True, 1.0, 2.0), (1, False, 1.0, 2.0), (2, True, 1.0, -2.0), (4, True, -1.0, 2.0), (7, False, -1, -2)],
)
def test_position(state, valid, longitude, latitude):
    said = data(bytes((5, state)) + (1_000_000).to_bytes(4, "big") + (2_000_000).to_bytes(4, "big"))
    assert said == {"valid": valid, "longitude": longitude, "latitude": latitude}


def test_position_without_coordinates():
    assert data(b"\x05\x07" + b"\xff" * 7 + b"\xfe") == {
        "valid": False,
        "longitude": None,
        "latitude": "abnormal",
    }


@pytest.mark.parametrize(("raw", "position"), [(0, "N"), (1, "1"), (12, "12"), (13, "R"), (14, "D"), (15, "P")])
def test_gears(raw, position):
    body = bytearray(21)
    body[0], body[16] = 1, raw | 16
    assert data(bytes(body))["gear"] == {"position": position, "braking": True, "driving": False}


def test_cells_may_come_in_several_units():
    unit = b"\x08\x01" + bytes(9) + b"\x00"
    assert [u["id"] for u in units(unit + unit)] == [8, 8]


def test_a_vin_is_text_whatever_it_holds():
    assert reference.decode(frame(7, 0xFE, b"\xffABC"))["vin"] == "\\xffABC"
