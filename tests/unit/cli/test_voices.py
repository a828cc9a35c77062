"""What simulated cars say is what encoders write and readers read; what they hear is counted as it was meant."""

import json

import numpy as np
import pytest

from onshore.cli.drives import Moment
from onshore.cli.driving.cars import SHANGHAI, City, cars
from onshore.cli.driving.measured import units
from onshore.cli.loading import Script, Wish
from onshore.cli.simulated import test_vins as vins_of
from onshore.cli.terminals import Latencies
from onshore.cli.voices import fleet, gb32960, mqtt
from onshore.cli.voices.spoken import Modelled, Pace, Played, pace
from onshore.gate.fleet import envelope, said, upgrade
from onshore.gate.fleet.websocket import Frames, Message, Opcode, frame
from onshore.gate.gb32960 import encode, reference, signatures
from onshore.gate.gb32960.decode import decode
from onshore.gate.gb32960.protocol import Command, Flag, reply
from onshore.gate.gb32960.setting import report_period
from onshore.gate.mqtt import decode as mqtt_decode
from onshore.gate.mqtt.packets import Answer, Connack, Connect, Ping, Publish
from onshore.gate.mqtt.protocol import V3, V5, Kind, Reader, Reason
from onshore.gate.mqtt.protocol import encode as packet
from onshore.gate.mqtt.shapes import Shapes
from onshore.site import read_catalogue

NOW = 1_790_000_000_000
AT = Pace(NOW, 1000)
VINS = vins_of(3)
MODEL = Modelled(cars(SHANGHAI, 3, 1, 4))
SOUTH = Modelled(cars(City(-58.4, -34.6, 4000), 3, 1, 4))
RECORDED = Played(
    [
        Moment(1000 * i, {
            "vehicle": {"speed_kmh": 30.0 + i, "soc_pct": 80, "gear": {"position": "D"}},
            "position": {"longitude": 121.4, "latitude": 31.2},
        })
        for i in range(4)
    ],
    3,
)  # fmt: skip


@pytest.mark.parametrize("source", [MODEL, SOUTH])
def test_frames_of_many_are_those_of_the_encoder(source):
    frames = gb32960.Voice(VINS, source).frames(5, 40, AT)
    told = source.said(5, 40, AT)
    for car, row in enumerate(frames):
        for i in (0, 7, 39):
            assert row[i] == encode.realtime(VINS[car], AT.at(5 + i), units(told, (car, i)))


def test_frames_of_2025_are_read_and_their_signatures_hold():
    voice = gb32960.Voice(VINS, MODEL, 2025)
    activation, login = voice.greetings(1, NOW)
    known = signatures.key(bytes.fromhex(reference.decode(activation)["body"]["public_key"]))
    assert signatures.verify(activation, known) == signatures.State.VALID
    assert reference.decode(login)["command"] == "login"
    for one in voice.frames(0, 3, AT)[1]:
        assert signatures.verify(one, known) == signatures.State.VALID
        assert len(reference.decode(one)["body"]["units"]) == 5
        assert decode([one], [1], NOW).rejected == []
    assert (
        gb32960.Voice(VINS, MODEL, 2025).greetings(1, NOW)[0][:-73] == activation[:-73]
    )  # the same chip and key again


@pytest.mark.parametrize("edition", [2016, 2025])
def test_a_recorded_drive_says_what_was_recorded_and_nothing_else(edition):
    frames = gb32960.Voice(VINS, RECORDED, edition).frames(3, 2, AT)
    vehicle, position = (unit["data"] for unit in reference.decode(frames[2][0])["body"]["units"])
    assert (vehicle["speed_kmh"], vehicle["soc_pct"], vehicle["gear"]["position"]) == (33.0, 80, "D")
    assert (vehicle["odometer_km"], vehicle["voltage_v"], vehicle["mode"]) == (None, None, None)
    assert (position["longitude"], position["latitude"]) == (121.4, 31.2)
    again = reference.decode(frames[0][1])["body"]["units"][0]["data"]
    assert again["speed_kmh"] == 30.0  # and over again


@pytest.mark.parametrize("source", [MODEL, RECORDED])
@pytest.mark.parametrize("version", [V3, V5])
def test_messages_are_kept_whole_by_the_mqtt_door(source, version):
    voice = mqtt.Voice([1, 2, 3], source, version)
    reader = Reader(65_535)
    assert isinstance(reader.feed(voice.greetings(1, NOW)[0])[0], Connect)
    sent = [event for one in voice.frames(65_530, 10, AT)[1] for event in reader.feed(one)]
    assert [event.packet_id for event in sent] == [*range(65_531, 65_536), *range(1, 6)]
    assert {(event.topic, event.qos) for event in sent} == {("v1/0000000000000002/t", 1)}
    decoded = mqtt_decode.decode([event.payload for event in sent], [2] * 10, NOW, Shapes(read_catalogue()))
    assert (decoded.batch.num_rows, decoded.rejected, decoded.unknown) == (10, [], 0)
    assert ("Vehicle.TraveledDistance" in json.loads(sent[0].payload)) == (source is MODEL)


@pytest.mark.parametrize("source", [MODEL, RECORDED])
def test_records_are_read_as_a_stream_clients(source):
    voice = fleet.Voice("localhost", source, lambda size: bytes(range(size)))
    opening = voice.greetings(2, NOW)[0]
    request = upgrade.read(opening.removesuffix(upgrade.END))
    ears = voice.ears(2)
    answer = upgrade.accepted(request.key)
    assert ears.hear(answer[:30]) == (0, 0)
    assert ears.hear(answer[30:]) == (1, 0)
    event = Frames(1 << 20).feed(voice.frames(4, 1, AT)[2][0])[0]
    assert isinstance(event, Message)
    sent = envelope.read(event.data)
    told = said.payload("V", sent.stream.payload)
    keys = {datum["key"] for datum in told["data"]}
    assert {"VehicleSpeed", "Location", "Gear", "Soc"} <= keys
    assert ("Odometer" in keys) == (source is MODEL)
    answers = [envelope.ack(sent.txid, b"V"), envelope.error(sent.txid), b"?"]
    assert ears.hear(b"".join(frame(Opcode.BINARY, one) for one in answers)) == (1, 2)
    assert ears.hear(frame(Opcode.PING, b"there?")) == (0, 0)
    assert ears.due() == frame(Opcode.PONG, b"there?", mask=bytes(range(4)))
    assert ears.due() == b""


def test_a_websocket_that_does_not_open_is_a_no():
    voice = fleet.Voice("localhost", MODEL, bytes)
    voice.greetings(0, NOW)
    assert voice.ears(0).hear(upgrade.answered("403 Forbidden", "no")[:-2]) == (0, 1)


@pytest.mark.parametrize("cut", [1, 23, 31, 40, 1000])
def test_answers_are_counted_however_they_come(cut):
    sent = gb32960.Voice(VINS, MODEL).frames(0, 3, AT)[0]
    login = encode.login(VINS[0], NOW, 1, "8" * 20)
    flags = (Flag.OK, Flag.ERROR, Flag.OK)
    stream = reply(login, Flag.OK, b"") + b"".join(reply(s, f, bytes(6)) for s, f in zip(sent, flags, strict=True))
    stream += encode.activation_reply(VINS[0], good=True) + encode.activation_reply(VINS[0], good=False, info=2)
    ears = gb32960.Ears()
    heard = np.sum([ears.hear(stream[at : at + cut]) for at in range(0, len(stream), cut)], axis=0)
    assert heard.tolist() == [4, 2]
    assert ears.due() == b""


@pytest.mark.parametrize("later", [False, True])
def test_a_car_obeys_when_its_report_period_is_set(later):
    asked = report_period(VINS[0], NOW, 10, later=later)
    ears = gb32960.Ears()
    assert ears.hear(asked) == (0, 0)
    answer = reference.decode(ears.due())
    assert (answer["command"], answer["ack"]) == ("parameter_set", "ok")
    assert asked[2] == Command.PARAMETER_SET


@pytest.mark.parametrize("version", [V3, V5])
def test_acknowledgements_are_counted_however_they_come(version):
    yes, no = Answer(Kind.PUBACK, 7), Answer(Kind.PUBACK, 8, Reason.PAYLOAD)
    packets = [Connack(), yes, yes, *([no] if version == V5 else [Connack(Reason.NOT_AUTHORIZED)]), Ping(answer=True)]
    stream = b"".join(packet(one, version) for one in packets)
    for cut in (1, 4, len(stream)):
        ears = mqtt.Ears(version)
        heard = np.sum([ears.hear(stream[at : at + cut]) for at in range(0, len(stream), cut)], axis=0)
        assert heard.tolist() == [3, 1]
    ears = mqtt.Ears(version)
    assert ears.hear(packet(yes, version) * 5) == (5, 0)
    assert ears.hear(packet(Publish("t", b"", 0), version)) == (0, 0)
    assert ears.hear(b"\0\0") == (0, 1)
    assert ears.due() == b""


@pytest.mark.parametrize(("rate", "finest", "step", "begins"), [
    (1, 1000, 1000, 0), (0.1, 1000, 10_000, 0), (10, 1000, 1000, -90_000), (10, 1, 100, 0),
    (0, 1000, 1000, -1_728_000_000),
])  # fmt: skip
def test_frames_are_of_instants_of_their_own_and_none_of_the_future(rate, finest, step, begins):
    found = pace(NOW, rate, 10, finest)
    assert (found.step, found.start - NOW) == (step, begins)
    assert found.at(max(0, int(rate * 10) - 1)) <= NOW + 10_000


@pytest.mark.parametrize(("wish", "count"), [(Wish(1, 3), 1), (Wish(0, 1), 1), (Wish(2, 5, burst=10), 10)])
def test_packets_are_the_frames_in_their_order_also_beyond_what_was_built(wish, count, monkeypatch):
    monkeypatch.setattr("onshore.cli.loading._AHEAD", 3 * 301 * 8)
    monkeypatch.setattr("onshore.cli.loading._PIECE", 15)
    voice = gb32960.Voice(VINS, MODEL)
    script = Script(voice, 3, AT, wish)
    for car in range(3):
        wanted = voice.frames(0, 40, AT)[car]
        sent = [script.packet(car, at, count) for at in range(0, 40, count)]
        assert b"".join(sent) == b"".join(wanted)


def test_latencies_are_told_within_what_their_steps_allow():
    found = Latencies()
    assert found.share(0.99) == 0
    for ms in range(1, 1001):
        found.add(ms)
    assert found.share(0.5) == pytest.approx(500, rel=0.025)
    assert found.share(0.99) == pytest.approx(990, rel=0.025)
    found.add(0)
    assert found.share(0) < 0.01
