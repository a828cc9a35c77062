"""Builds frames of either edition from values: what a car sends. The reverse of the reference decoder, in its shapes.

No parameter is asked for or set, and no terminal control built: those are read alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from onshore.gate.gb32960 import encode_2025
from onshore.gate.gb32960 import tables as t
from onshore.gate.gb32960 import tables_2025 as t25
from onshore.gate.gb32960 import writing as w
from onshore.gate.gb32960.encode_2025 import Sign
from onshore.gate.gb32960.protocol import START_2016, START_2025, Command, Flag, frame, time6
from onshore.gate.gb32960.writing import Data

_TYPES = {2016: {name: kind for kind, name in t.UNITS.items()}, 2025: {name: kind for kind, name in t25.UNITS.items()}}
_STARTS = {2016: START_2016, 2025: START_2025}


def encode(said: Data) -> bytes:
    """The frame that `reference.decode` reads as `said`."""
    words: Any = t25 if said["version"] == 2025 else t
    command = w.code_of(words.COMMANDS, said["command"])
    flag, encryption = w.code_of(words.FLAGS, said["ack"]), w.code_of(words.ENCRYPTIONS, said["encryption"])
    body = said["body"]
    if "ciphertext" in body:
        raw = bytes.fromhex(body["ciphertext"])
    elif flag != Flag.COMMAND:
        raw = w.time(body["time"]) + bytes.fromhex(body["rest"]) if body else b""
    else:
        raw = (_BODIES_2025 if words is t25 else _BODIES)[command](body)
    return frame(command, flag, w.text(said["vin"], 17), raw, encryption=encryption, start=_STARTS[said["version"]])


def login(vin: bytes, at: int, serial: int, iccid: str, codes: Sequence[str] = ()) -> bytes:
    """Vehicle login (2016) at an instant (ms UTC) with the codes of its battery packs, all of one length."""
    length = len(codes[0]) if codes else 0
    head = time6(at) + w.two(serial) + w.text(iccid, 20) + bytes((len(codes) or 1, length))
    return frame(Command.LOGIN, Flag.COMMAND, vin, head + b"".join(w.text(c, length) for c in codes))


def login_2025(vin: bytes, at: int, serial: int, iccid: str, packs: Sequence[Sequence[str]] = ()) -> bytes:
    """Vehicle login (2025) at an instant (ms UTC); `packs`: per battery management system the codes of its packs."""
    counts = bytes((len(packs), *map(len, packs)))
    codes = b"".join(w.text(code, 24) for bms in packs for code in bms)
    body = time6(at) + w.two(serial) + w.text(iccid, 20) + counts + codes
    return frame(Command.LOGIN, Flag.COMMAND, vin, body, start=START_2025)


def realtime(
    vin: bytes,
    at: int,
    units: Mapping[str, Any],
    *,
    resend: bool = False,
    edition: int = 2016,
    sign: Sign | None = None,
) -> bytes:
    """Real-time data of an instant (ms UTC), or the same sent later (`resend`), of either edition.

    `units` by name, in the order given, with values as the reference decoder reads them; a value left out
    carries the invalid code (the gear, which has none, is N). `sign`: signs a frame of 2025, which without it has
    no signature.
    """
    one = encode_2025.unit if edition == 2025 else unit
    body = time6(at) + b"".join(one(_TYPES[edition][name], data) for name, data in units.items())
    if edition == 2025 and sign is not None:
        body += bytes((t25.SIGNATURE,)) + encode_2025.signature(*sign(body))
    command = Command.RESEND if resend else Command.REALTIME
    return frame(command, Flag.COMMAND, vin, body, start=_STARTS[edition])


def activation(vin: bytes, at: int, chip: str, public_key: bytes, sign: Sign) -> bytes:
    """Activation (2025): a security chip's name and public key, signed by it."""
    body = time6(at) + w.text(chip, 16) + w.two(len(public_key)) + public_key + vin.ljust(17, b"\0")
    return frame(Command.ACTIVATION, Flag.COMMAND, vin, body + encode_2025.signature(*sign(body)), start=START_2025)


def activation_reply(vin: bytes, *, good: bool, info: int = 1) -> bytes:
    """What a platform says to an activation; `info`: 1 fine, 2 the chip is in use, 3 the VIN is (table B.4)."""
    return frame(Command.ACTIVATION_REPLY, Flag.COMMAND, vin, bytes((1 if good else 2, info)), start=START_2025)


def logout(vin: bytes, at: int, serial: int, *, edition: int = 2016) -> bytes:
    """Vehicle logout at an instant (ms UTC)."""
    return frame(Command.LOGOUT, Flag.COMMAND, vin, time6(at) + w.two(serial), start=_STARTS[edition])


def heartbeat(vin: bytes, *, edition: int = 2016) -> bytes:
    """Heartbeat: nothing but the header."""
    return frame(Command.HEARTBEAT, Flag.COMMAND, vin, start=_STARTS[edition])


def time_sync(vin: bytes, *, edition: int = 2016) -> bytes:
    """Asks the platform for its time."""
    return frame(Command.TIME_SYNC, Flag.COMMAND, vin, start=_STARTS[edition])


def platform_login(
    platform: bytes, at: int, serial: int, username: str, password: str, *, edition: int = 2016, logout: bool = False
) -> bytes:
    """Platform login or logout at an instant (ms UTC): a platform's code stands where a car's VIN would."""
    body = time6(at) + w.two(serial)
    if not logout:
        body += w.text(username, 12) + w.text(password, 20) + b"\1"
    command = Command.PLATFORM_LOGOUT if logout else Command.PLATFORM_LOGIN
    return frame(command, Flag.COMMAND, platform, body, start=_STARTS[edition])


def unit(kind: int, data: Any) -> bytes:
    """One data unit (2016) with its type byte; a custom one is hex, and gets its length."""
    return w.custom(kind, data) if kind in t.CUSTOM else bytes((kind,)) + _UNITS[kind](data)


def _login(body: Data) -> bytes:
    head = w.time(body["time"]) + w.two(body["serial"]) + w.text(body["iccid"], 20)
    counts = b"".join(w.value(t.Field(n, 1), body[n]) for n in ("subsystems", "code_length"))
    return head + counts + b"".join(w.text(code, body["code_length"]) for code in body["codes"])


def _logout(body: Data) -> bytes:
    return w.time(body["time"]) + w.two(body["serial"])


def _platform_login(body: Data) -> bytes:
    who = w.text(body["username"], 12) + w.text(body["password"], 20)
    return _logout(body) + who + bytes((w.code_of(t25.ENCRYPTIONS, body["encryption"]),))


def _realtime(body: Data) -> bytes:
    return w.time(body["time"]) + b"".join(unit(u["id"], u["data"]) for u in body["units"])


def _fuel_cell(data: Data) -> bytes:
    probes = w.several(2, data.get("probe_temps_c"), w.degrees)
    return w.fields(t.FUEL_CELL_FIELDS, data) + probes + w.fields(t.HYDROGEN_FIELDS, data)


def _pack(data: Data) -> bytes:
    return w.fields(t.PACK_FIELDS, data) + w.cells(1, data.get("cell_v"))


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
_BODIES_2025 = _BODIES | encode_2025.BODIES
_UNITS: dict[int, Callable[[Any], bytes]] = {
    t.VEHICLE: lambda data: w.fields(t.VEHICLE_FIELDS, data),
    t.MOTORS: lambda data: w.several(1, data, lambda motor: w.fields(t.MOTOR_FIELDS, motor)),
    t.FUEL_CELL: _fuel_cell,
    t.ENGINE: lambda data: w.fields(t.ENGINE_FIELDS, data),
    t.POSITION: w.position,
    t.EXTREMES: lambda data: w.fields(t.EXTREME_FIELDS, data),
    t.ALARMS: w.alarms,
    t.VOLTAGES: lambda data: w.several(1, data, _pack),
    t.TEMPERATURES: lambda data: w.several(1, data, w.probes),
}
