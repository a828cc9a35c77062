"""Reader: what is no MQTT ends it, with the reason that a client of version 5 is told."""

import pytest

from onshore.gate.mqtt import properties
from onshore.gate.mqtt.packets import Answers, Auth, Connack, Connect, Disconnect, Publish, Will
from onshore.gate.mqtt.protocol import PUBACK, V3, V5, Fault, Kind, Property, Reader, Reason, encode
from onshore.gate.mqtt.wire import Cursor, Wrong, text, varint

MOST = 1000
CONNECT3, CONNECT5 = encode(Connect(V3, "car"), V3), encode(Connect(V5, "car"), V5)


def packet(first, body):
    return bytes((first,)) + varint(len(body)) + body


def server(data, *, version=V5, aliases=0, most=MOST):
    """What comes out after a CONNECT."""
    reader = Reader(most, aliases=aliases)
    return reader.feed((CONNECT5 if version == V5 else CONNECT3) + data)[1:]


def client(data, version=V5):
    return Reader(MOST, version=version).feed(data)


def reason(events):
    assert isinstance(events[-1], Fault), events
    return events[-1].reason


def connect(flags=2, *, name="MQTT", level=5, after=b"\0\0\3car", keep=b"\0\0"):
    return packet(0x10, text(name) + bytes((level, flags)) + keep + after)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (connect(name="MQIsdp", level=3), Reason.VERSION),
        (connect(name="mqtt"), Reason.VERSION),
        (connect(level=6), Reason.VERSION),
        (connect(flags=3), Reason.MALFORMED_PACKET),  # 3.1.2-3, reserved
        (connect(flags=0x1A), Reason.MALFORMED_PACKET),  # a will's QoS without a will
        (connect(flags=0x22), Reason.MALFORMED_PACKET),
        (connect(flags=0x1E), Reason.MALFORMED_PACKET),  # QoS 3
        (connect(flags=0x40, level=4, after=text("car") + text("x")), Reason.MALFORMED_PACKET),  # 3.1.2-22
        (connect(flags=6, after=b"\0" + text("car") + b"\0" + text("a/+") + text("x")), Reason.PROTOCOL_ERROR),
        (connect(flags=6, after=b"\0" + text("car") + b"\0" + text("") + text("x")), Reason.PROTOCOL_ERROR),
        (connect(after=b"\0" + text("car") + b"more"), Reason.MALFORMED_PACKET),
        (connect(after=b"\0\0\x03ca"), Reason.MALFORMED_PACKET),
        (connect(after=b"\0\0\x01\xff"), Reason.MALFORMED_PACKET),
        (connect(after=b"\0\0\x03\xed\xa0\x80"), Reason.MALFORMED_PACKET),  # 1.5.4-1, a surrogate
        (connect(after=b"\0\0\x01\0"), Reason.MALFORMED_PACKET),  # 1.5.4-2
        (connect(after=b"\x05\x11\0\0\0\x01"), Reason.MALFORMED_PACKET),  # no client id
        (connect(after=b"\x03\x21\0\0" + text("")), Reason.PROTOCOL_ERROR),  # receive maximum 0
        (connect(after=b"\x02\x17\x02" + text("")), Reason.PROTOCOL_ERROR),  # a flag of 2
        (connect(after=b"\x04\x17\x01\x17\x01" + text("")), Reason.PROTOCOL_ERROR),  # twice
        (connect(after=b"\x02\x01\x01" + text("")), Reason.MALFORMED_PACKET),  # of a PUBLISH
        (connect(after=b"\x02\x7e\x01" + text("")), Reason.MALFORMED_PACKET),  # there is none
        (connect(after=b"\x04\x16\0\x01x" + text("")), Reason.PROTOCOL_ERROR),  # 3.1.2.11.10, data without a method
        (connect(after=b"\x55" + b"\x26\0\0\0\0" * 17 + text("")), Reason.QUOTA),
        (b"\xc0\0", Reason.PROTOCOL_ERROR),  # 3.1.0-1
        (b"\x30\x05\0\x01ax", Reason.PROTOCOL_ERROR),
        (b"\0\0", Reason.PROTOCOL_ERROR),
    ],
)
def test_the_first_packet_is_a_right_connect(data, why):
    assert reason(Reader(MOST).feed(data + (b"\0\0" if data[:1] == b"\x30" else b""))) == why


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (CONNECT5, Reason.PROTOCOL_ERROR),  # 3.1.0-2
        (encode(Connack(), V5), Reason.PROTOCOL_ERROR),
        (b"\xd0\0", Reason.PROTOCOL_ERROR),
        (b"\xc1\0", Reason.MALFORMED_PACKET),
        (b"\x80\0", Reason.MALFORMED_PACKET),  # 3.8.1-1
        (b"\0\0", Reason.PROTOCOL_ERROR),
        (b"\xc0\x80\x80\x80\x80\x01", Reason.MALFORMED_PACKET),
        (b"\xc0\x80\0", Reason.MALFORMED_PACKET),  # 1.5.5-1
        (b"\x30\xff\x7f", Reason.TOO_LARGE),
        (packet(0x36, text("a") + b"\0\1\0"), Reason.MALFORMED_PACKET),  # 3.3.1-4, QoS 3
        (packet(0x38, text("a") + b"\0"), Reason.MALFORMED_PACKET),  # 3.3.1-2, DUP at QoS 0
        (packet(0x32, text("a")), Reason.MALFORMED_PACKET),
        (packet(0x32, text("a") + b"\0\0\0"), Reason.PROTOCOL_ERROR),  # 2.2.1-3
        (packet(0x30, text("a/#") + b"\0"), Reason.PROTOCOL_ERROR),  # 3.3.2-2
        (packet(0x30, b"\0\x05a"), Reason.MALFORMED_PACKET),
        (packet(0x30, text("") + b"\0"), Reason.PROTOCOL_ERROR),  # no topic, no alias
        (packet(0x30, text("a") + b"\x03\x23\0\0"), Reason.TOPIC_ALIAS),  # 3.3.2-8
        (packet(0x30, text("a") + b"\x03\x23\0\x03"), Reason.TOPIC_ALIAS),  # 3.3.2-9
        (packet(0x30, text("") + b"\x03\x23\0\x01"), Reason.PROTOCOL_ERROR),  # an alias for nothing
        (packet(0x30, text("a") + b"\x80\x80\x80\x80"), Reason.MALFORMED_PACKET),
        (packet(0x30, text("a") + b"\x80\0"), Reason.MALFORMED_PACKET),
        (packet(0x30, text("a") + b"\x55" + b"\x26\0\0\0\0" * 17), Reason.QUOTA),
        (packet(0xA2, b"\0\x01\0" + text("")), Reason.PROTOCOL_ERROR),  # 4.7.3-1
        (packet(0x82, b"\0\x01\0"), Reason.PROTOCOL_ERROR),  # 3.8.3-2
        (packet(0x82, b"\0\0\0" + text("a") + b"\0"), Reason.PROTOCOL_ERROR),
        (packet(0x82, b"\0\x01\0" + text("a") + b"\x03"), Reason.PROTOCOL_ERROR),
        (packet(0x82, b"\0\x01\0" + text("a") + b"\x30"), Reason.PROTOCOL_ERROR),
        (packet(0x82, b"\0\x01\0" + text("a") + b"\x40"), Reason.PROTOCOL_ERROR),  # 3.8.3-5
        (packet(0x82, b"\0\x01\0" + text("") + b"\0"), Reason.PROTOCOL_ERROR),
        (packet(0x82, b"\0\x01\x02\x0b\0" + text("a") + b"\0"), Reason.PROTOCOL_ERROR),
        (packet(0xA2, b"\0\x01\0"), Reason.PROTOCOL_ERROR),
    ],
)
def test_what_comes_later_is_right_too(data, why):
    events = server(data, aliases=2)
    assert reason(events) == why
    assert len(events) == 1


@pytest.mark.parametrize(
    "data",
    [
        packet(0x82, b"\0\x01" + text("a") + b"\x04"),  # 3.1.1, 3.8.3-4
        b"\xf0\0",  # AUTH
        packet(0xE0, b"\0"),
        packet(0x40, b"\0\x01\0"),
        packet(0x30, text("")),
    ],
)
def test_3_1_1_has_less(data):
    assert server(data, version=V3)[-1].says


@pytest.mark.parametrize(
    ("version", "data"), [(V3, b"\x20\x02\0\x06"), (V3, b"\x20\x02\x02\0"), (V5, b"\x20\x03\x02\0\0")]
)
def test_an_answer_that_cannot_be(version, data):
    assert reason(client(data, version)) == Reason.MALFORMED_PACKET


def test_nothing_is_read_after_a_fault():
    reader = Reader(MOST)
    assert len(reader.feed(CONNECT5 + b"\xc1\0" + b"\xc0\0")) == 2
    assert reader.feed(b"\xc0\0") == []


def test_a_packet_too_long_is_not_waited_for():
    reader = Reader(20, version=V3)
    assert reason(reader.feed(b"\x30\x80")[:0] + reader.feed(b"\x01")) == Reason.TOO_LARGE
    assert not Reader(131, version=V3).feed(b"\x30\x80\x01")


def test_a_packet_that_drips_is_joined_once():
    message = encode(Publish("v1/0/t", b"x" * 900), V5)
    reader = Reader(MOST, version=V5)
    pieces = [message[at : at + 1] for at in range(len(message))]
    assert all(not reader.feed(piece) for piece in pieces[:-1])
    assert reader.unfinished
    assert reader.feed(pieces[-1])[0].payload == b"x" * 900
    assert not reader.unfinished


def test_aliases_stand_for_topics():
    def said(topic, alias):
        return encode(Publish(topic, b"", properties={Property.TOPIC_ALIAS: alias}), V5)

    events = server(said("a", 1) + said("", 1) + said("b", 1) + said("", 1), aliases=1)
    assert [event.topic for event in events] == ["a", "a", "b", "b"]
    other = encode(Publish("c", b"", properties={Property.CONTENT_TYPE: "x"}), V5)
    assert server(other)[0].topic == "c"


def test_short_forms_of_version_5():
    assert client(b"\x40\x03\0\x01\x10")[0].reason == 0x10
    assert client(b"\xe0\x01\x8e")[0] == Disconnect(0x8E)
    assert client(b"\xf0\0")[0] == Auth()
    assert encode(Disconnect(Reason.TAKEN_OVER), V5) == b"\xe0\x01\x8e"
    assert encode(Auth(properties={Property.AUTH_METHOD: "x"}), V5) == b"\xf0\x06\0\x04\x15\0\x01x"


def test_3_1_1_is_told_in_its_own_words():
    assert encode(Connack(Reason.VERSION), V3) == b"\x20\x02\0\x01"
    assert encode(Connack(Reason.QOS), V3) == b"\x20\x02\0\x05"
    assert encode(Answers(Kind.SUBACK, 1, [Reason.NOT_AUTHORIZED, 1]), V3) == b"\x90\x04\0\x01\x80\x01"
    assert encode(Disconnect(Reason.BUSY), V3) == b"\xe0\0"
    assert PUBACK + b"\0\x07" == b"\x40\x02\0\x07"


def test_a_connect_of_the_standard():
    """3.1.1, figure 3.6 and 5.0, figure 3.6: a user name and password, a will at QoS 1."""
    whole = bytes.fromhex("101d00044d51545404ce000a0003636172000374776f000178000175000170")
    will = Will("two", b"x", 1)
    assert Reader(MOST).feed(whole) == [Connect(V3, "car", True, 10, will, "u", b"p")]


def test_a_cursor_reads_no_further_than_there_is():
    with pytest.raises(Wrong, match="ends before"):
        Cursor(b"\0").number(2)
    with pytest.raises(Wrong, match="shortest form"):
        Cursor(b"\xff\xff\xff\xff\x7f").varint()
    assert properties.read(Cursor(b"\x05\x26\0\0\0\0"), Kind.PUBACK) == {Property.USER: [("", "")]}
