"""The reference decoder: one frame to one dictionary, plainly. It defines what the fast decoder must find."""

from collections.abc import Callable
from typing import Any

from onshore.gate.gb32960 import parameters, reference_2025
from onshore.gate.gb32960 import tables as t
from onshore.gate.gb32960 import tables_2025 as t25
from onshore.gate.gb32960.protocol import (
    HEADER,
    MAX_UNITS,
    OVERHEAD,
    START_2016,
    START_2025,
    Command,
    Encryption,
    Flag,
    Header,
    checksum,
    header,
)
from onshore.gate.gb32960.reading import Data, Reader, text
from onshore.words.errors import Malformed


def decode(frame: bytes) -> Data:
    """What a frame says: version, command, ack, vin, encryption, body; null is invalid, "abnormal" abnormal.

    An encrypted body stays `ciphertext`. Raises Malformed for everything else that cannot be read whole.
    """
    head = envelope(frame)
    words = _words(head)
    return {
        "version": 2025 if head.start == START_2025 else 2016,
        "command": _command(head.command, words.COMMANDS),
        "ack": words.FLAGS[head.flag],
        "vin": text(head.vin),
        "encryption": words.ENCRYPTIONS[head.encryption],
        "body": _body(head, frame[HEADER:-1]),
    }


def envelope(frame: bytes) -> Header:
    """The header of a whole frame of either edition; Malformed where start, size, checksum or code is wrong."""
    if frame[:2] not in {START_2016, START_2025} and not _may_begin(frame):
        raise Malformed("bad start")
    if len(frame) < OVERHEAD or len(frame) < OVERHEAD + header(frame).length:
        raise Malformed("incomplete")
    head = header(frame)
    if len(frame) > OVERHEAD + head.length:
        raise Malformed("bytes after the frame")
    if checksum(frame[2:]):
        raise Malformed("bad checksum")
    _known_codes(head)
    return head


def _words(head: Header) -> Any:
    """The tables of a frame's edition."""
    return t25 if head.start == START_2025 else t


def _may_begin(frame: bytes) -> bool:
    return frame in {b"", b"#", b"$"}


def _known_codes(head: Header) -> None:
    words = _words(head)
    if head.command in {0x00, 0xFF}:
        raise Malformed(f"unknown command 0x{head.command:02x}")
    if head.flag not in words.FLAGS:
        raise Malformed(f"unknown response flag 0x{head.flag:02x}")
    if head.encryption not in words.ENCRYPTIONS:
        raise Malformed(f"unknown encryption 0x{head.encryption:02x}")


def _command(code: int, known: dict[int, str]) -> str:
    """The name of a command; the ranges are the standard's."""
    if code in known:
        return known[code]
    if code < 0x80:
        return "reserved_uplink"
    return "reserved_downlink" if code < 0xC0 else "private"


def _body(head: Header, body: bytes) -> Data:
    read = Reader(body)
    if body and head.encryption != Encryption.NONE:
        return {"ciphertext": body.hex()}
    if head.flag != Flag.COMMAND:
        return {"time": read.time(), "rest": read.all().hex()} if body else {}
    bodies = _BODIES_2025 if head.start == START_2025 else _BODIES
    data = bodies.get(head.command, _opaque)(read)
    if read.left():
        raise Malformed("bytes after the data unit", where=f"byte {HEADER + read.at}")
    return data


def _opaque(read: Reader) -> Data:
    return {"data": read.all().hex()}


def _login(read: Reader) -> Data:
    data = {"time": read.time(), "serial": read.number(2), "iccid": read.text(20)}
    number, length = (read.value(t.Field(n, 1)) for n in ("subsystems", "code_length"))
    listed = isinstance(number, int) and isinstance(length, int)
    codes = [read.text(length) for _ in range(number)] if listed else []
    # a length of zero says that no codes follow, not that they are empty
    return {**data, "subsystems": number, "code_length": length, "codes": codes if length else []}


def _logout(read: Reader) -> Data:
    return {"time": read.time(), "serial": read.number(2)}


def _platform_login(read: Reader, words: Any = t) -> Data:
    data = {
        "time": read.time(),
        "serial": read.number(2),
        "username": read.text(12),
        "password": read.text(20),
    }
    code = read.number(1)
    if code not in words.ENCRYPTIONS:
        raise Malformed(f"unknown encryption 0x{code:02x}")
    return {**data, "encryption": words.ENCRYPTIONS[code]}


def _realtime(read: Reader) -> Data:
    data: Data = {"time": read.time(), "units": []}
    seen: set[int] = set()
    while read.left():
        kind = read.unit()
        if len(data["units"]) == MAX_UNITS:
            raise Malformed(f"more than {MAX_UNITS} units", where=f"byte {HEADER + read.at - 1}")
        if kind in seen and kind not in t.MAY_REPEAT:
            raise Malformed(f"unit 0x{kind:02x} twice", where=f"byte {HEADER + read.at}")
        seen.add(kind)
        data["units"].append(_unit(kind, read))
    return data


def _unit(kind: int, read: Reader) -> Data:
    if kind in t.CUSTOM:
        return {"type": "custom", "id": kind, "data": read.take(read.number(2)).hex()}
    if kind not in t.UNITS:
        raise Malformed(f"unknown unit 0x{kind:02x}", where=f"byte {HEADER + read.at}")
    return {"type": t.UNITS[kind], "id": kind, "data": _UNITS[kind](read)}


def _fuel_cell(read: Reader) -> Data:
    first = read.fields(t.FUEL_CELL_FIELDS)
    probes = read.several(2, lambda: read.value(t.DEGREES))
    return {**first, "probe_temps_c": probes, **read.fields(t.HYDROGEN_FIELDS)}


def _pack(read: Reader) -> Data:
    return {**read.fields(t.PACK_FIELDS), "cell_v": read.several(1, lambda: read.value(t.CELL))}


_BODIES: dict[int, Callable[[Reader], Data]] = {
    Command.LOGIN: _login,
    Command.REALTIME: _realtime,
    Command.RESEND: _realtime,
    Command.LOGOUT: _logout,
    Command.PLATFORM_LOGIN: _platform_login,
    Command.PLATFORM_LOGOUT: _logout,
    Command.HEARTBEAT: lambda _: {},
    Command.TIME_SYNC: lambda _: {},
    Command.PARAMETER_QUERY: parameters.query,
    Command.PARAMETER_SET: lambda read: parameters.setting(read, parameters.PARAMETERS),
    Command.TERMINAL_CONTROL: parameters.control,
}
_BODIES_2025 = _BODIES | {
    Command.LOGIN: reference_2025.login,
    Command.REALTIME: reference_2025.realtime,
    Command.RESEND: reference_2025.realtime,
    Command.PLATFORM_LOGIN: lambda read: _platform_login(read, t25),
    Command.ACTIVATION: reference_2025.activation,
    Command.ACTIVATION_REPLY: reference_2025.activation_reply,
    Command.KEY_EXCHANGE: reference_2025.key_exchange,
    Command.PARAMETER_SET: lambda read: parameters.setting(read, parameters.PARAMETERS_2025),
}
_UNITS: dict[int, Callable[[Reader], Any]] = {
    t.VEHICLE: lambda read: read.fields(t.VEHICLE_FIELDS),
    t.MOTORS: lambda read: read.several(1, lambda: read.fields(t.MOTOR_FIELDS)),
    t.FUEL_CELL: _fuel_cell,
    t.ENGINE: lambda read: read.fields(t.ENGINE_FIELDS),
    t.POSITION: lambda read: reference_2025.position(read, ()),
    t.EXTREMES: lambda read: read.fields(t.EXTREME_FIELDS),
    t.ALARMS: lambda read: reference_2025.alarms(read, t.ALARM_BITS),
    t.VOLTAGES: lambda read: read.several(1, lambda: _pack(read)),
    t.TEMPERATURES: lambda read: read.several(1, lambda: reference_2025.probes(read)),
}
