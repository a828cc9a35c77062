"""A harness for each decoder of the gate, and what it starts from: whatever comes, a documented refusal at worst."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from onshore.gate.fleet import encode as payloads
from onshore.gate.fleet import envelope, observed, protocol, said, upgrade, websocket
from onshore.gate.fleet.decode import Record
from onshore.gate.fleet.decode import decode as decode_records
from onshore.gate.gb32960 import decode, encode, reference, signatures
from onshore.gate.gb32960.cipher import Secret, in_the_clear
from onshore.gate.gb32960.protocol import BadChecksum, Splitter, TooLong, frame, reply
from onshore.gate.mqtt import decode as messages
from onshore.gate.mqtt.packets import Connect, Publish, Subscribe
from onshore.gate.mqtt.packets import Filter as Asked
from onshore.gate.mqtt.protocol import V3, V5, Fault, Reader
from onshore.gate.mqtt.protocol import encode as packet
from onshore.gate.mqtt.shapes import Shapes
from onshore.gate.upload import dbc, manifest
from onshore.site import read_catalogue
from onshore.words.errors import Malformed, Refusal
from upload_files import FORMATS

NOW = 1_790_000_000_000
VIN = b"LTEST%012d" % 17
VEHICLE = {"speed_kmh": 61.5, "soc_pct": 80, "gear": {"position": "D", "braking": False, "driving": True}}
UNITS = {
    "vehicle": VEHICLE,
    "motors": [{"no": 1, "status": "consuming", "speed_rpm": 4000, "torque_nm": 80.5}],
    "position": {"valid": True, "longitude": 121.4737, "latitude": 31.2304},
    "voltages": [{"subsystem": 1, "voltage_v": 380.0, "current_a": 4.0, "cell_v": [3.9] * 12}],
    "temperatures": [{"subsystem": 1, "probe_c": [25] * 6}],
}
SECRET = Secret(aes128=bytes(16), sm4=bytes(16))


@dataclass(frozen=True)
class Harness:
    """What is fed with bytes, and good ones to start from. It may raise Malformed and Refusal, and nothing else."""

    feed: Callable[[bytes], object]
    seeds: tuple[bytes, ...]


def _signed(_: bytes) -> tuple[int, bytes, bytes]:
    return 3, bytes(32), bytes(32)


def _frames() -> tuple[bytes, ...]:
    later = {**UNITS, "vehicle": VEHICLE}
    return (
        encode.login(VIN, NOW, 1, "8" * 20, ["PK01", "PK02"]),
        encode.realtime(VIN, NOW, UNITS),
        encode.login_2025(VIN, NOW, 1, "8" * 20, [["P" * 24]]),
        encode.realtime(VIN, NOW, later, edition=2025, sign=_signed),
        encode.activation(VIN, NOW, "CHIP", bytes(65), _signed),
        encode.platform_login(b"PLATFORM", NOW, 1, "user", "password"),
        frame(0x0B, 0xFE, VIN, bytes((5, 0, 2, 1, 2)) + bytes((26, 1, 15, 8, 30, 59)) * 2, start=b"$$"),
        frame(0x81, 0xFE, VIN, bytes((26, 1, 15, 8, 30, 59, 1, 2, 0, 10))),
    )


def _split(data: bytes) -> None:
    splitter = Splitter(2000)
    half = len(data) // 2
    for event in (*splitter.feed(data[:half]), *splitter.feed(data[half:])):
        assert isinstance(event, bytes | BadChecksum | TooLong)
        reply(event if isinstance(event, bytes) else event.frame, 2, bytes(6))


def _fast(data: bytes) -> None:
    found = decode.decode([data], [1], NOW, checked=True)
    assert found.batch.num_rows + len(found.rejected) == 1


def _clear(data: bytes) -> None:
    if len(data) >= 25:
        signatures.verify(in_the_clear(data, SECRET), None)


def _talk(data: bytes) -> None:
    talk = protocol.Conversation(5000)
    for event in talk.feed(data):
        if isinstance(event, upgrade.Request):
            talk.accept()


def _framed(data: bytes) -> None:
    for event in websocket.Frames(5000).feed(data):
        if isinstance(event, websocket.Message):
            protocol.heard(event.data)


def _payload(topic: str) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        found = decode_records([Record(topic, data, NOW)], [1], NOW)
        found.batch.validate()
        try:
            observed.observe(topic, data, NOW)
        except Malformed:
            assert found.rejected
        said.payload(topic, data)

    return read


@cache
def _shapes() -> Shapes:
    return Shapes(read_catalogue())


def _message(data: bytes) -> None:
    found = messages.decode([data], [1], NOW, _shapes())
    assert all(why for _, why in found.rejected)


def _read(version: int | None) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        half = len(data) // 3
        reader = Reader(3000, aliases=2, version=version)
        events = [*reader.feed(data[:half]), *reader.feed(data[half:])]
        assert sum(isinstance(event, Fault) for event in events) <= 1

    return read


def _upload(kind: str) -> Callable[[bytes], None]:
    make = FORMATS[kind][0]

    def read(data: bytes) -> None:
        reader = make()
        for _ in (*reader.feed(data), *reader.finish()):
            pass

    return read


def harnesses() -> dict[str, Harness]:
    """One for each decoder that bytes of strangers reach, by name."""
    frames = _frames()
    record = payloads.payload({"data": [{"key": "VehicleSpeed", "value": {"double_value": 30.5}}], "created_at": NOW})
    alert = payloads.alerts({"alerts": [{"name": "A", "audiences": ["Customer"], "started_at": NOW}]})
    failure = payloads.errors({"errors": [{"name": "E", "created_at": NOW, "tags": {"a": "b"}, "body": "x"}]})
    envelopes = (envelope.record(b"id", b"V", envelope.Stream(NOW // 1000, payload=record)), envelope.ack(b"id", b"V"))
    spoken = [websocket.frame(websocket.Opcode.BINARY, one, mask=b"abcd") for one in envelopes]
    telemetry = json.dumps({"time": NOW, "Vehicle.Speed": 3.5, "Vehicle.CurrentLocation.Latitude": 31.2}).encode()
    packets = (Connect(V5, "car"), Publish("v1/0/t", telemetry, 1, 1), Subscribe(1, [Asked("v1/0/p", 1)]))
    spoken_in = tuple(b"".join(packet(one, version) for one in packets) for version in (V3, V5))
    listed = b'{"format": "mcap", "channels": {"v": "Vehicle.Speed"}}'
    database = b'BO_ 37 S: 8 X\n SG_ A : 3|12@0- (1.5,0) [0|5] "" X\n'
    found = {
        "gb32960 splitter": Harness(_split, (*frames, b"".join(frames))),
        "gb32960 reference": Harness(reference.decode, frames),
        "gb32960 decoder": Harness(_fast, frames),
        "gb32960 cipher and signatures": Harness(_clear, frames),
        "fleet websocket": Harness(_framed, (b"".join(spoken), *spoken)),
        "fleet connection": Harness(_talk, (upgrade.asked("localhost", bytes(16)) + spoken[0],)),
        "fleet envelope": Harness(protocol.heard, envelopes),
        "fleet payload": Harness(_payload("V"), (record,)),
        "fleet alerts": Harness(_payload("alerts"), (alert,)),
        "fleet errors": Harness(_payload("errors"), (failure,)),
        "mqtt packets, of any version": Harness(_read(None), spoken_in),
        "mqtt packets of a broker": Harness(_read(V5), tuple(packet(p, V5) for p in packets)),
        "mqtt messages": Harness(_message, (telemetry, b"[" + telemetry + b"]")),
        "mqtt check-ins": Harness(messages.check_in, (b'{"policy": 3}',)),
        "upload manifest": Harness(manifest.read, (listed,)),
        "upload dbc": Harness(lambda data: dbc.parse(data.decode("latin-1")), (database,)),
    }
    return found | {f"upload {kind}": Harness(_upload(kind), (made[1](),)) for kind, made in FORMATS.items()}


REFUSALS = (Malformed, Refusal)
