"""Cars that speak as a Tesla's stream client does: protobuf in a FlatBuffers envelope in a WebSocket frame."""

from collections.abc import Callable
from typing import Any

import numpy as np

from onshore.cli.driving.measured import PARKED_GEAR
from onshore.cli.voices.spoken import Pace, Source
from onshore.gate.fleet import envelope, upgrade
from onshore.gate.fleet.encode import payload
from onshore.gate.fleet.envelope import ACK, Stream
from onshore.gate.fleet.websocket import Frames, Message, Opcode, Ping, frame
from onshore.words.errors import Malformed

MILE = 1.609344
_MOST = 1 << 16
_NUMBERS = {
    "VehicleSpeed": ("speed_kmh", 1 / MILE, 1),
    "Odometer": ("odometer_km", 1 / MILE, 3),
    "PackVoltage": ("voltage_v", 1, 1),
    "PackCurrent": ("current_a", -1, 1),
    "Soc": ("soc_pct", 1, 1),
    "GpsHeading": ("heading", 1, 1),
    "PedalPosition": ("accelerator_pct", 1, 0),
}


class Voice:
    """Cars known by their certificates. `randomness`: of masks and of the request's nonce."""

    finest = 1

    def __init__(self, host: str, source: Source, randomness: Callable[[int], bytes]) -> None:
        self._host, self._source, self._randomness = host, source, randomness
        self._nonces: dict[int, bytes] = {}

    def greetings(self, car: int, now: int) -> list[bytes]:
        """The request that opens the WebSocket."""
        del now
        nonce = self._nonces[car] = self._randomness(16)
        return [upgrade.asked(self._host, nonce, headers={"X-Network-Interface": "cellular", "Version": "simulated"})]

    def frames(self, first: int, many: int, at: Pace) -> list[list[bytes]]:
        """Records of topic `V`, each a masked binary frame."""
        said = payloads(self._source, first, many, at)
        return [
            [self._frame(car, first + i, at.at(first + i), one) for i, one in enumerate(row)]
            for car, row in enumerate(said)
        ]

    def ears(self, car: int) -> "Ears":
        """For a connection of a car."""
        return Ears(self._nonces[car])

    def _frame(self, car: int, number: int, at: int, said: bytes) -> bytes:
        txid = b"%08x-%08x" % (car, number)
        data = envelope.record(txid, b"V", Stream(created=at // 1000, payload=said), txid)
        return frame(Opcode.BINARY, data, mask=self._randomness(4))


def payloads(source: Source, first: int, many: int, at: Pace) -> list[list[bytes]]:
    """Of each car its payloads number `first` and on."""
    said = source.said(first, many, at)
    numbers = {key: made for key, made in _NUMBERS.items() if made[0] in said}
    columns = {key: np.round(said[name] * by, digits).tolist() for key, (name, by, digits) in numbers.items()}
    where = {name: said[name].tolist() for name in ("longitude", "latitude")}
    parked = (said["gear"] == PARKED_GEAR).tolist()

    def one(car: int, i: int) -> bytes:
        data: list[dict[str, Any]] = [
            {"key": key, "value": {"double_value": column[car][i]}} for key, column in columns.items()
        ]
        data.append({"key": "Location", "value": {"location_value": {n: v[car][i] for n, v in where.items()}}})
        data.append({"key": "Gear", "value": {"shift_state_value": "ShiftState" + ("P" if parked[car][i] else "D")}})
        return payload({"data": data, "created_at": at.at(first + i)})

    return [[one(car, i) for i in range(many)] for car in range(source.count)]


class Ears:
    """Hears the answer to the request, then acknowledgements and errors."""

    def __init__(self, nonce: bytes) -> None:
        self._nonce = nonce
        self._head: bytes | None = b""
        self._frames = Frames(_MOST, from_client=False)
        self._pings: list[bytes] = []

    def hear(self, data: bytes) -> tuple[int, int]:
        """The WebSocket that opens says yes, and so do acknowledgements; anything else says no."""
        if self._head is None:
            return self._records(data)
        head, ended, rest = (self._head + data).partition(upgrade.END)
        if not ended:
            self._head = head
            return 0, 0
        self._head = None
        if not upgrade.opens(head, self._nonce):
            return 0, 1
        good, bad = self._records(rest)
        return good + 1, bad

    def due(self) -> bytes:
        """Pongs, masked as a client's frames are."""
        pings, self._pings = self._pings, []
        return b"".join(frame(Opcode.PONG, ping, mask=self._nonce[:4]) for ping in pings)

    def _records(self, data: bytes) -> tuple[int, int]:
        events = self._frames.feed(data)
        self._pings += [event.data for event in events if isinstance(event, Ping)]
        said = [_says_yes(event.data) for event in events if isinstance(event, Message)]
        return said.count(True), said.count(False)


def _says_yes(data: bytes) -> bool:
    try:
        return envelope.read(data).type == ACK
    except Malformed:
        return False
