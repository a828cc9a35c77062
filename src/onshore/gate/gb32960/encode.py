"""Builds 2016 frames from values: what a car sends. The reverse of the reference decoder, in its shapes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from onshore.gate.gb32960 import tables as t
from onshore.gate.gb32960.protocol import Command, Flag, frame, time6
from onshore.words.errors import Malformed

Data = Mapping[str, Any]
_TYPES = {name: kind for kind, name in t.UNITS.items()}


def encode(said: Data) -> bytes:
    """The frame that `reference.decode` reads as `said`."""
    command = _code(t.COMMANDS, said["command"])
    flag, encryption = _code(t.FLAGS, said["ack"]), _code(t.ENCRYPTIONS, said["encryption"])
    body = said["body"]
    if "ciphertext" in body:
        raw = bytes.fromhex(body["ciphertext"])
    elif flag != Flag.COMMAND:
        raw = _time(body) + bytes.fromhex(body["rest"]) if body else b""
    else:
        raw = _BODIES[command](body)
    return frame(command, flag, _text(said["vin"], 17), raw, encryption=encryption)


def login(vin: bytes, at: int, serial: int, iccid: str, codes: Sequence[str] = ()) -> bytes:
    """Vehicle login at an instant (ms UTC) with the codes of its battery packs, all of one length."""
    length = len(codes[0]) if codes else 0
    head = time6(at) + _two(serial) + _text(iccid, 20) + bytes((len(codes) or 1, length))
    return frame(Command.LOGIN, Flag.COMMAND, vin, head + b"".join(_text(c, length) for c in codes))


def realtime(vin: bytes, at: int, units: Mapping[str, Any], *, resend: bool = False) -> bytes:
    """Real-time data of an instant (ms UTC), or the same sent later (`resend`).

    `units` by name, in the order given, with values as the reference decoder reads them; a value left out
    carries the invalid code (the gear, which has none, is N).
    """
    body = time6(at) + b"".join(unit(_TYPES[name], data) for name, data in units.items())
    return frame(Command.RESEND if resend else Command.REALTIME, Flag.COMMAND, vin, body)


def logout(vin: bytes, at: int, serial: int) -> bytes:
    """Vehicle logout at an instant (ms UTC)."""
    return frame(Command.LOGOUT, Flag.COMMAND, vin, time6(at) + _two(serial))


def heartbeat(vin: bytes) -> bytes:
    """Heartbeat: nothing but the header."""
    return frame(Command.HEARTBEAT, Flag.COMMAND, vin)


def time_sync(vin: bytes) -> bytes:
    """Asks the platform for its time."""
    return frame(Command.TIME_SYNC, Flag.COMMAND, vin)


def unit(kind: int, data: Any) -> bytes:
    """One data unit with its type byte; a custom one is hex, and gets its length."""
    if kind in t.CUSTOM:
        raw = bytes.fromhex(data)
        return bytes((kind,)) + len(raw).to_bytes(2, "big") + raw
    return bytes((kind,)) + _UNITS[kind](data)


def _code(words: Mapping[int, str | None], word: str | None) -> int:
    return next(code for code, name in words.items() if name == word)


def _text(text: str, size: int) -> bytes:
    raw = text.encode("ascii")
    if len(raw) > size:
        raise Malformed(f"more than {size} characters")
    return raw.ljust(size, b"\0")


def _two(number: int) -> bytes:
    return number.to_bytes(2, "big")


def _time(body: Data) -> bytes:
    return time6(round(datetime.fromisoformat(body["time"]).timestamp() * 1000))


def _value(field: t.Field, value: Any) -> bytes:
    """One field; None is the invalid code, "abnormal" the abnormal one."""
    top = (1 << 8 * field.size) - 1
    if value is None or value == "abnormal":
        return (top if value is None else top - 1).to_bytes(field.size, "big")
    if isinstance(value, str):
        value = _code(field.words, value)
    raw: int = round(value * field.per) + field.zero
    if not 0 <= raw <= top:
        raise Malformed(f"{field.name} does not fit")
    return raw.to_bytes(field.size, "big")


def _fields(fields: Sequence[t.Field], data: Data) -> bytes:
    return b"".join(_gear(data.get("gear")) if f is t.GEAR else _value(f, data.get(f.name)) for f in fields)


def _gear(gear: Data | None) -> bytes:
    if gear is None:
        return b"\0"
    position = {"N": 0, "R": 13, "D": 14, "P": 15}.get(gear["position"])
    low: int = int(gear["position"]) if position is None else position
    return bytes((low | gear["braking"] << 4 | gear["driving"] << 5,))


def _several(size: int, items: Any, item: Callable[[Any], bytes]) -> bytes:
    if not isinstance(items, list | tuple):
        return _value(t.Field("count", size), items)
    return _value(t.Field("count", size), len(items)) + b"".join(map(item, items))


def _login(body: Data) -> bytes:
    head = _time(body) + _two(body["serial"]) + _text(body["iccid"], 20)
    counts = b"".join(_value(t.Field(n, 1), body[n]) for n in ("subsystems", "code_length"))
    return head + counts + b"".join(_text(code, body["code_length"]) for code in body["codes"])


def _logout(body: Data) -> bytes:
    return _time(body) + _two(body["serial"])


def _platform_login(body: Data) -> bytes:
    who = _text(body["username"], 12) + _text(body["password"], 20)
    return _logout(body) + who + bytes((_code(t.ENCRYPTIONS, body["encryption"]),))


def _realtime(body: Data) -> bytes:
    return _time(body) + b"".join(unit(u["id"], u["data"]) for u in body["units"])


def _fuel_cell(data: Data) -> bytes:
    probes = _several(2, data.get("probe_temps_c"), lambda c: _value(t.DEGREES, c))
    return _fields(t.FUEL_CELL_FIELDS, data) + probes + _fields(t.HYDROGEN_FIELDS, data)


def _position(data: Data) -> bytes:
    coordinates = [data.get("longitude"), data.get("latitude")]
    west, south = (isinstance(c, float) and c < 0 for c in coordinates)
    state = (not data.get("valid")) | south << 1 | west << 2
    magnitudes = [abs(c) if isinstance(c, float) else c for c in coordinates]
    return bytes((state,)) + b"".join(map(_value, t.COORDINATES, magnitudes))


def _alarms(data: Data) -> bytes:
    faults = (_several(1, data.get(name), bytes.fromhex) for name in t.FAULTS)
    return _fields(t.ALARM_FIELDS, data) + b"".join(faults)


def _pack(data: Data) -> bytes:
    return _fields(t.PACK_FIELDS, data) + _several(1, data.get("cell_v"), lambda v: _value(t.CELL, v))


def _probes(data: Data) -> bytes:
    return _fields(t.PROBES, data) + _several(2, data.get("probe_c"), lambda c: _value(t.DEGREES, c))


_BODIES: dict[int, Callable[[Data], bytes]] = {
    Command.LOGIN: _login,
    Command.REALTIME: _realtime,
    Command.RESEND: _realtime,
    Command.LOGOUT: _logout,
    Command.PLATFORM_LOGIN: _platform_login,
    Command.PLATFORM_LOGOUT: _logout,
    Command.HEARTBEAT: lambda _: b"",
    Command.TIME_SYNC: lambda _: b"",
}
_UNITS: dict[int, Callable[[Any], bytes]] = {
    t.VEHICLE: lambda data: _fields(t.VEHICLE_FIELDS, data),
    t.MOTORS: lambda data: _several(1, data, lambda motor: _fields(t.MOTOR_FIELDS, motor)),
    t.FUEL_CELL: _fuel_cell,
    t.ENGINE: lambda data: _fields(t.ENGINE_FIELDS, data),
    t.POSITION: _position,
    t.EXTREMES: lambda data: _fields(t.EXTREME_FIELDS, data),
    t.ALARMS: _alarms,
    t.VOLTAGES: lambda data: _several(1, data, _pack),
    t.TEMPERATURES: lambda data: _several(1, data, _probes),
}
