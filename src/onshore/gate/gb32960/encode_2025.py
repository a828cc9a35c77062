"""Bodies and data units of the 2025 edition from values. The reverse of `reference_2025`, in its shapes."""

from collections.abc import Callable
from typing import Any

from onshore.gate.gb32960 import tables as t
from onshore.gate.gb32960 import tables_2025 as t25
from onshore.gate.gb32960 import writing as w
from onshore.gate.gb32960.protocol import Command
from onshore.gate.gb32960.writing import Data

Sign = Callable[[bytes], tuple[int, bytes, bytes]]
"""From the bytes that are signed to the algorithm's code, R and S (empty for RSA)."""


def unit(kind: int, data: Any) -> bytes:
    """One data unit with its type byte; a custom one is hex, and gets its length."""
    return w.custom(kind, data) if kind in t.CUSTOM else bytes((kind,)) + UNITS[kind](data)


def signature(algorithm: int, r: bytes, s: bytes) -> bytes:
    """Algorithm, R and S (table 8), without the FF that comes before them at the end of real-time data."""
    return bytes((algorithm,)) + w.two(len(r)) + r + w.two(len(s)) + s


def _signed(said: Data) -> bytes:
    code = w.code_of(t25.SIGNATURES, said["algorithm"])
    return signature(code, bytes.fromhex(said["r"]), bytes.fromhex(said["s"]))


def _login(body: Data) -> bytes:
    head = w.time(body["time"]) + w.two(body["serial"]) + w.text(body["iccid"], 20)
    packs = w.several(1, body["packs_per_bms"], lambda count: w.value(t.Field("packs", 1), count))
    return head + packs + b"".join(w.text(code, 24) for codes in body["codes"] for code in codes)


def _realtime(body: Data) -> bytes:
    units = b"".join(unit(u["id"], u["data"]) for u in body["units"])
    signed = bytes((t25.SIGNATURE,)) + _signed(body["signature"]) if body["signature"] else b""
    return w.time(body["time"]) + units + signed


def _activation(body: Data) -> bytes:
    key = bytes.fromhex(body["public_key"])
    who = w.time(body["time"]) + w.text(body["chip"], 16) + w.two(len(key)) + key + w.text(body["vin"], 17)
    return who + _signed(body["signature"])


def _activation_reply(body: Data) -> bytes:
    return bytes((w.code_of(t25.RESULTS, body["result"]), body["info"]))


def _key_exchange(body: Data) -> bytes:
    key = bytes.fromhex(body["key"])
    head = bytes((w.code_of(t25.ENCRYPTIONS, body["encryption"]),)) + w.two(len(key)) + key
    return head + w.time(body["start"]) + w.time(body["until"])


def _alarms(data: Data) -> bytes:
    return w.alarms(data) + w.several(1, data.get("levels"), _level)


def _level(said: Data) -> bytes:
    name: str = said["alarm"]
    bit = t25.ALARM_BITS.index(name) if name in t25.ALARM_BITS else int(name.removeprefix("reserved_"))
    return bytes((bit,)) + w.value(t.Field("level", 1), said["level"])


def _capacitor(data: Data) -> bytes:
    cells = w.cells(2, data.get("cell_v"))
    return w.fields(t25.CAPACITOR_FIELDS, data) + cells + w.several(2, data.get("probe_c"), w.degrees)


def _pack(data: Data) -> bytes:
    return w.fields(t25.PACK_FIELDS, data) + w.cells(2, data.get("cell_v"))


def _stack(data: Data) -> bytes:
    return w.fields(t25.STACK_FIELDS, data) + w.several(2, data.get("coolant_temps_c"), w.degrees)


BODIES: dict[int, Callable[[Data], bytes]] = {
    Command.LOGIN: _login,
    Command.REALTIME: _realtime,
    Command.RESEND: _realtime,
    Command.ACTIVATION: _activation,
    Command.ACTIVATION_REPLY: _activation_reply,
    Command.KEY_EXCHANGE: _key_exchange,
}
UNITS: dict[int, Callable[[Any], bytes]] = {
    t25.VEHICLE: lambda data: w.fields(t25.VEHICLE_FIELDS, data),
    t25.MOTORS: lambda data: w.several(1, data, lambda motor: w.fields(t25.MOTOR_FIELDS, motor)),
    t25.FUEL_CELL: lambda data: w.fields(t25.HYDROGEN_FIELDS, data),
    t25.ENGINE: lambda data: w.fields(t25.ENGINE_FIELDS, data),
    t25.POSITION: lambda data: w.position(data, (t25.DATUM,)),
    t25.ALARMS: _alarms,
    t25.VOLTAGES: lambda data: w.several(1, data, _pack),
    t25.TEMPERATURES: lambda data: w.several(1, data, w.probes),
    t25.STACKS: lambda data: w.several(1, data, _stack),
    t25.CAPACITOR: _capacitor,
    t25.CAPACITOR_EXTREMES: lambda data: w.fields(t25.CAPACITOR_EXTREME_FIELDS, data),
}
