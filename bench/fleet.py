"""Payloads of a car's stream decoded per second and core, from bytes to an Arrow batch, beside what one would take.

Payloads of 40 data, typed and as text (old firmware), in batches of 1,000 and of 100; the plain reader, which also
reads what no encoder writes; and the worst a sender can do. Beside them Google's protobuf (upb) to dicts of the same
data, and on to columns. Then messages that are unmasked and taken out of their frames, and envelopes, per second.
"""

import random
import time
from collections.abc import Callable

import pyarrow as pa
from bench._fleet_proto import Payload, as_dict

from onshore.gate.fleet import encode, envelope, observed, signals, tables
from onshore.gate.fleet.decode import Record, decode
from onshore.gate.fleet.reference import MAX_DATA
from onshore.gate.fleet.websocket import Frames, Opcode, frame
from onshore.gate.fleet.wire import put

BATCH, DATA = 1000, 40
NUMBERS = [tables.FIELDS[key] for key, targets in signals.TARGETS.items() if targets[0].plain][: DATA - 10]
START = 1_767_225_600_123


def payloads(count: int, *, typed: bool, seed: int = 1) -> list[bytes]:
    """Payloads of 40 data each, of a car on the road."""
    dice = random.Random(seed)
    return [(_typed if typed else _text)(dice, START + 1000 * i) for i in range(count)]


def run() -> dict[str, float]:
    """Payloads, or messages, per second by name, the best of several rounds each."""
    found = {}
    for name, typed in (("typed", True), ("as text", False)):
        sent = payloads(BATCH, typed=typed)
        for size in (BATCH, 100):
            found[f"fleet {name}, batches of {size:,}"] = BATCH / _best(lambda s=sent, n=size: _decode(s, n), 10)
        found[f"fleet {name}, plain reader"] = BATCH / _best(lambda s=sent: [observed.observe("V", p, 0) for p in s], 3)
        found |= {f"fleet {name}, peer: {peer}": rate for peer, rate in _peers(sent).items()}
    worst = [put(1, put(1, 4) + put(2, put(5, 1.0))) * 3 * MAX_DATA] * 20
    megabytes = sum(map(len, worst)) / 1e6
    found["fleet hostile: MB/s of data without end"] = megabytes / _best(lambda: _decode(worst, 20, bad=True), 3)
    return found | _framing(payloads(BATCH, typed=True))


def _decode(sent: list[bytes], size: int, *, bad: bool = False) -> None:
    for at in range(0, len(sent), size):
        part = [Record("V", payload, START) for payload in sent[at : at + size]]
        decoded = decode(part, range(len(part)), START)
        assert len(decoded.rejected) == bad * len(part)


def _peers(sent: list[bytes]) -> dict[str, float]:
    def dicts() -> list[dict[str, object]]:
        return [as_dict(Payload.FromString(payload)) for payload in sent]

    def columns() -> None:
        assert pa.RecordBatch.from_pylist([_flat(one) for one in dicts()]).num_rows == len(sent)

    assert all(len(one) == DATA for one in dicts())
    return {
        "protobuf (upb) to dicts": len(sent) / _best(dicts, 3),
        "protobuf (upb) to dicts to Arrow": len(sent) / _best(columns, 3),
    }


def _flat(values: dict[str, object]) -> dict[str, object]:
    """Without the small messages, which Arrow does not take."""
    return {name: value for name, value in values.items() if isinstance(value, int | float | str)}


def _framing(sent: list[bytes]) -> dict[str, float]:
    """Messages with their envelopes, one frame each, ten to a read."""
    messages = [envelope.record(b"5f1c2ad9", b"V", envelope.Stream(0, b"", payload)) for payload in sent]
    framed = [frame(Opcode.BINARY, message, mask=b"abcd") for message in messages]
    reads = [b"".join(framed[i : i + 10]) for i in range(0, len(framed), 10)]

    def ours() -> None:
        frames = Frames(1_000_000)
        assert sum(len(frames.feed(read)) for read in reads) == len(messages)

    return {
        "fleet messages out of their frames": BATCH / _best(ours, 10),
        "fleet envelopes read and acknowledged": BATCH / _best(lambda: [_answered(m) for m in messages], 5),
    }


def _answered(message: bytes) -> bytes:
    read = envelope.read(message)
    return envelope.ack(read.txid, read.topic)


def _best(act: Callable[[], object], rounds: int) -> float:
    def once() -> float:
        start = time.process_time()
        act()
        return time.process_time() - start

    return min(once() for _ in range(rounds))


def _payload(values: dict[str, dict[str, object]], at: int) -> bytes:
    assert len(values) == DATA
    return encode.payload({"data": [{"key": key, "value": value} for key, value in values.items()], "created_at": at})


def _typed(dice: random.Random, at: int) -> bytes:
    kinds = ("double_value", "float_value")
    numbers = {name: {dice.choice(kinds): round(dice.uniform(0, 200), 3)} for name in NUMBERS}
    place = {"latitude": 31.2 + dice.random(), "longitude": 121.4 + dice.random()}
    return _payload(
        numbers
        | {
            "Location": {"location_value": place},
            "Gear": {"shift_state_value": "ShiftStateD"},
            "Locked": {"boolean_value": True},
            "DetailedChargeState": {"detailed_charge_state_value": "DetailedChargeStateCharging"},
            "DoorState": {"door_value": {"DriverFront": dice.random() < 0.5}},
            "SentryMode": {"sentry_mode_state_value": dice.randrange(7)},
            "FdWindow": {"window_state_value": "WindowStateClosed"},
            "HvacPower": {"invalid": True},
            "MediaAudioVolume": {"float_value": 3.0},
            "Version": {"string_value": "2025.44.25"},
        },
        at,
    )


def _text(dice: random.Random, at: int) -> bytes:
    numbers = {name: f"{dice.uniform(0, 200):.3f}" for name in NUMBERS}
    others = {
        "Location": f"({31.2 + dice.random():.6f} N, {121.4 + dice.random():.6f} E)",
        "Gear": "D",
        "Locked": "true",
        "ChargeState": "Charging",
        "DoorState": "DriverFront|TrunkRear",
        "SentryMode": "Off",
        "FdWindow": "Closed",
        "VehicleName": "a name",
        "MediaAudioVolume": "3.0",
        "Version": "2025.44.25",
    }
    return _payload({name: {"string_value": text} for name, text in (numbers | others).items()}, at)


if __name__ == "__main__":
    for name, rate in run().items():
        print(f"{name:60} {rate:12,.0f}")
