"""Cars that speak MQTT: telemetry as JSON with VSS names, at QoS 1, in version 3.1.1 or 5."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from onshore.cli.driving.measured import Measured
from onshore.cli.voices.spoken import Pace, Source
from onshore.gate.mqtt.packets import Answer, Connack, Connect
from onshore.gate.mqtt.protocol import PUBACK, V3, V5, Fault, Kind, Reader, encode
from onshore.gate.mqtt.topics import TELEMETRY, name_of, topic
from onshore.gate.mqtt.wire import text, varint

_MOST = 65_535
_BATTERY = "Vehicle.Powertrain.TractionBattery."
_NAMES = {
    "Vehicle.Speed": ("speed_kmh", 1),
    "Vehicle.Acceleration.Longitudinal": ("gain", 2),
    "Vehicle.CurrentLocation.Longitude": ("longitude", 6),
    "Vehicle.CurrentLocation.Latitude": ("latitude", 6),
    "Vehicle.CurrentLocation.Heading": ("heading", 1),
    f"{_BATTERY}CurrentVoltage": ("voltage_v", 1),
    f"{_BATTERY}CurrentCurrent": ("current_a", 1),
    f"{_BATTERY}StateOfCharge.Current": ("soc_pct", 0),
    f"{_BATTERY}CellVoltage.CellVoltages": ("cell_v", 3),
    "Vehicle.Powertrain.ElectricMotor.Speed": ("speed_rpm", 0),
    "Vehicle.Powertrain.ElectricMotor.Torque": ("torque_nm", 1),
    "Vehicle.Powertrain.ElectricMotor.Temperature": ("motor_temp_c", 0),
}
_WHOLE = {
    "Vehicle.TraveledDistance": "odometer_m",
    "Vehicle.Chassis.Accelerator.PedalPosition": "accelerator_pct",
    "Vehicle.Chassis.Brake.PedalPosition": "brake_pct",
}


class Voice:
    """Cars by their ids."""

    finest = 1

    def __init__(self, vehicles: Sequence[int], source: Source, version: int = V3) -> None:
        self._vehicles, self._source, self._version = vehicles, source, version
        self._topics = [text(topic(vehicle, TELEMETRY)) for vehicle in vehicles]

    def greetings(self, car: int, now: int) -> list[bytes]:
        """CONNECT, under the name that the certificate has."""
        del now
        return [encode(Connect(self._version, name_of(self._vehicles[car]), keep_alive=60), self._version)]

    def frames(self, first: int, many: int, at: Pace) -> list[list[bytes]]:
        """PUBLISH packets (3.3) with packet identifiers that come round."""
        said = payloads(self._source, first, many, at)
        return [
            [self._packet(head, (first + i) % _MOST + 1, payload) for i, payload in enumerate(row)]
            for head, row in zip(self._topics, said, strict=True)
        ]

    def ears(self, car: int) -> "Ears":
        """For a connection of a car."""
        del car
        return Ears(self._version)

    def _packet(self, head: bytes, number: int, payload: bytes) -> bytes:
        none = b"\0" if self._version == V5 else b""
        body = b"".join((head, number.to_bytes(2, "big"), none, payload))
        return bytes((Kind.PUBLISH << 4 | 1 << 1,)) + varint(len(body)) + body


def payloads(source: Source, first: int, many: int, at: Pace) -> list[list[bytes]]:
    """Of each car its messages number `first` and on, each a JSON object."""
    columns = {"time": [[at.at(first + i) for i in range(many)]] * source.count}
    columns |= _columns(source.said(first, many, at))
    encoder = msgspec.json.Encoder()
    rows = (zip(*(column[car] for column in columns.values()), strict=True) for car in range(source.count))
    return [[encoder.encode(dict(zip(columns, values, strict=True))) for values in row] for row in rows]


def _columns(said: Measured) -> dict[str, list[list[Any]]]:
    """By the names of the catalogue: of each car the values of its frames; what is not measured is left out."""
    more = dict(said)
    if "cell_mv" in said:
        more |= {"odometer_m": said["odometer_km"] * 1000, "cell_v": said["cell_mv"] / 1000}
    found = {n: np.round(more[name], digits).tolist() for n, (name, digits) in _NAMES.items() if name in more}
    return found | {n: np.rint(more[name]).astype(np.int64).tolist() for n, name in _WHOLE.items() if name in more}


class Ears:
    """Hears acknowledgements."""

    def __init__(self, version: int) -> None:
        self._reader = Reader(_MOST, version=version)

    def hear(self, data: bytes) -> tuple[int, int]:
        """PUBACK and CONNACK; those of version 5 say no with reasons from 0x80 on, and CONNACKs of 3.1.1 with any."""
        count, over = divmod(len(data), 4)
        plain = not over and not self._reader.unfinished
        if plain and data[::4] == PUBACK[:1] * count and data[1::4] == PUBACK[1:] * count:
            return count, 0
        good = bad = 0
        for event in self._reader.feed(data):
            match event:
                case Fault():
                    bad += 1
                case Connack(reason=reason) | Answer(reason=reason):
                    good, bad = (good, bad + 1) if reason else (good + 1, bad)
        return good, bad

    def due(self) -> bytes:
        """Nothing: the car subscribes to nothing."""
        return b""
