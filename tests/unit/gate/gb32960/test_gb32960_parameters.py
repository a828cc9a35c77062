"""What a platform asks of a car, as far as it is read here."""

import pytest

from onshore.gate.gb32960 import encode, reference
from onshore.gate.gb32960.protocol import frame
from onshore.words.errors import Malformed

VIN = b"LTEST000000000017"
NOW = bytes((26, 1, 15, 8, 30, 59))


def body(command, data, start=b"##"):
    return reference.decode(frame(command, 0xFE, VIN, NOW + data, start=start))["body"]


def test_a_query_lists_what_it_asks_for():
    assert body(0x80, b"\2\1\x10")["ids"] == [1, 16]


def test_parameters_by_name():
    said = body(0x81, b"\5\1\3\xe8\4\3\5abc\7V1.0\0\x10\1")["parameters"]
    assert said == {
        "local_store_period_ms": 1000,
        "platform_domain_length": 3,
        "platform_domain": "abc",
        "hardware_version": "V1.0",
        "sampling": 1,
    }


def test_two_periods_are_shorter_in_2025():
    assert body(0x81, b"\2\2\0\x1e\3\3\xe8")["parameters"] == {"report_period_s": 30, "alarm_report_period_ms": 1000}
    later = body(0x81, b"\2\2\x1e\3\1", b"$$")["parameters"]
    assert later == {"report_period_s": 30, "alarm_report_period_s": 1}


def test_a_parameter_whose_length_nobody_knows_is_the_end():
    with pytest.raises(Malformed, match="unknown parameter 0x11"):
        body(0x81, b"\1\x11\0")


@pytest.mark.parametrize(("kind", "word"), [(1, "upgrade"), (6, "alarm"), (7, "start_sampling"), (8, 8)])
@pytest.mark.parametrize("start", [b"##", b"$$"])
def test_a_terminal_control_is_read(kind, word, start):
    said = body(0x82, bytes((kind,)) + b"ab", start)
    assert (said["control"], said["parameters"]) == (word, "6162")


@pytest.mark.parametrize("command", [0x80, 0x81, 0x82])
def test_none_of_it_is_ever_built(command):
    said = reference.decode(frame(command, 0xFE, VIN, NOW + b"\0"))
    with pytest.raises(KeyError):
        encode.encode(said)
