"""`onshore decode mqtt`: a PUBLISH packet of either version, in words."""

import json

import pytest
from click.testing import CliRunner

from onshore.cli.main import cli
from onshore.gate.mqtt.packets import Ping, Publish
from onshore.gate.mqtt.protocol import V3, V5, Property, encode


def decoded(*packets, code=0, options=()):
    lines = "\n".join(packet.hex() for packet in packets)
    done = CliRunner().invoke(cli, ["decode", "mqtt", *options], input=lines)
    assert done.exit_code == code, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


TOPIC, SAID = "v1/00000000000000ff/t", '{"time":1,"Vehicle.Speed":42.5}'
WORDS = {"topic": TOPIC, "qos": 1, "retain": True, "payload": SAID}


@pytest.mark.parametrize("version", [V3, V5])
def test_a_message_in_words(version):
    message = Publish(TOPIC, SAID.encode(), 1, 7, retain=True)
    assert decoded(encode(message, version), encode(message, version)) == [WORDS, WORDS]


def test_properties_and_other_payloads():
    wordy = Publish(TOPIC, SAID.encode(), 1, 7, retain=True, properties={Property.CONTENT_TYPE: "application/json"})
    assert decoded(encode(wordy, V5)) == [WORDS]
    assert decoded(encode(Publish("a", b"hello"), V3))[0]["payload"] == "hello"
    assert decoded(encode(Publish("a", b"hello"), V5))[0]["payload"] == "hello"
    assert decoded(encode(Publish("a", b"\xff\xfe"), V3))[0]["payload"] == {"hex": "fffe"}
    assert decoded(encode(Publish("a", b"\xff\xfe"), V5))[0]["payload"] == {"hex": "fffe"}
    assert decoded(encode(Publish("a", b"\x01\x01\x01"), V3))[0]["payload"] == "\x01\x01\x01"


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (encode(Publish(TOPIC, SAID.encode()), V3)[:-1], "incomplete"),
        (encode(Publish(TOPIC, b"x"), V3) * 2, "not one PUBLISH packet"),
        (encode(Ping(answer=True), V3), "not one PUBLISH packet"),
        (bytes.fromhex("3003000161"), None),
        (bytes.fromhex("3600"), "a PUBLISH whose QoS, DUP or length cannot be"),
    ],
)
def test_what_is_none_is_rejected(packet, why):
    said = decoded(packet, code=0 if why is None else 1)[0]
    assert said == ({"topic": "a", "qos": 0, "retain": False, "payload": ""} if why is None else {"reject": why})


def test_there_is_no_stream_of_messages():
    done = CliRunner().invoke(cli, ["decode", "mqtt", "--stream"], input="")
    assert done.exit_code == 2
