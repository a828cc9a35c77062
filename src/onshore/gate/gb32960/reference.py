"""The reference decoder: one frame to one dictionary, plainly. It defines what the fast decoder must find."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from onshore.gate.gb32960 import tables as t
from onshore.gate.gb32960.protocol import (
    BEIJING,
    HEADER,
    MAX_UNITS,
    OVERHEAD,
    START_2016,
    START_2025,
    TIME,
    Command,
    Encryption,
    Flag,
    Header,
    checksum,
    header,
)
from onshore.words.errors import Malformed

Data = dict[str, Any]


def decode(frame: bytes) -> Data:
    """What a frame says: version, command, ack, vin, encryption, body; null is invalid, "abnormal" abnormal.

    An encrypted body stays `ciphertext`. Raises Malformed for everything else that cannot be read whole.
    """
    head = envelope(frame)
    return {
        "version": 2016,
        "command": _command(head.command),
        "ack": t.FLAGS[head.flag],
        "vin": _text(head.vin),
        "encryption": t.ENCRYPTIONS[head.encryption],
        "body": _body(head, frame[HEADER:-1]),
    }


def envelope(frame: bytes) -> Header:
    """The header of a whole frame of this edition; Malformed where start, size, checksum or code is wrong."""
    if frame[:2] not in {START_2016, START_2025} and not _may_begin(frame):
        raise Malformed("bad start")
    if len(frame) < OVERHEAD or len(frame) < OVERHEAD + header(frame).length:
        raise Malformed("incomplete")
    head = header(frame)
    if len(frame) > OVERHEAD + head.length:
        raise Malformed("bytes after the frame")
    if checksum(frame[2:]):
        raise Malformed("bad checksum")
    if head.start == START_2025:
        raise Malformed("edition 2025 is not supported")
    _known_codes(head)
    return head


def _may_begin(frame: bytes) -> bool:
    return frame in {b"", b"#", b"$"}


def _known_codes(head: Header) -> None:
    if head.command in {0x00, 0xFF}:
        raise Malformed(f"unknown command 0x{head.command:02x}")
    if head.flag not in t.FLAGS:
        raise Malformed(f"unknown response flag 0x{head.flag:02x}")
    if head.encryption not in t.ENCRYPTIONS:
        raise Malformed(f"unknown encryption 0x{head.encryption:02x}")


def _command(code: int) -> str:
    """The name of a command; the ranges are the standard's."""
    if code in t.COMMANDS:
        return t.COMMANDS[code]
    if code < 0x80:
        return "reserved_uplink"
    return "reserved_downlink" if code < 0xC0 else "private"


def _body(head: Header, body: bytes) -> Data:
    read = Reader(body)
    if body and head.encryption != Encryption.NONE:
        return {"ciphertext": body.hex()}
    if head.flag != Flag.COMMAND:
        return {"time": read.time(), "rest": read.all().hex()} if body else {}
    data = _BODIES.get(head.command, _opaque)(read)
    if read.left():
        raise Malformed("bytes after the data unit", where=f"byte {HEADER + read.at}")
    return data


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode("ascii", "backslashreplace")


class Reader:
    """Takes bytes off the front of a data unit; Malformed where there are too few."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.at = 0
        self._what = "body cut short"

    def left(self) -> int:
        """How many bytes are left."""
        return len(self._body) - self.at

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        if self.left() < size:
            raise Malformed(self._what, where=f"byte {HEADER + self.at}")
        self.at += size
        return self._body[self.at - size : self.at]

    def all(self) -> bytes:
        """All that is left."""
        return self.take(self.left())

    def number(self, size: int) -> int:
        """A big-endian integer."""
        return int.from_bytes(self.take(size), "big")

    def text(self, size: int) -> str:
        """ASCII, filled up with zeros."""
        return _text(self.take(size))

    def time(self) -> str:
        """Six binary bytes YY MM DD hh mm ss, Beijing time, in ISO 8601."""
        if self.left() < TIME:
            raise Malformed("no time", where=f"byte {HEADER}")
        year, month, day, hour, minute, second = self.take(TIME)
        try:
            at = datetime(2000 + year, month, day, hour, minute, second, tzinfo=BEIJING)
        except ValueError:
            at = None
        if at is None or year > 99:
            raise Malformed("bad time", where=f"byte {HEADER}")
        return at.isoformat()

    def unit(self) -> int:
        """A data unit's type; what is cut short from here on is that unit."""
        kind = self.number(1)
        self._what = f"unit 0x{kind:02x} cut short"
        return kind

    def value(self, field: t.Field) -> Any:
        """One field: a number, a word, null for invalid, "abnormal"."""
        raw, top = self.number(field.size), 256**field.size
        if field.codes and raw >= top - 2:
            return None if raw == top - 1 else "abnormal"
        if field.per > 1:
            return (raw - field.zero) / field.per
        return field.words.get(raw, raw - field.zero)

    def fields(self, fields: Sequence[t.Field]) -> Data:
        """Several fields by name."""
        return {f.name: _gear(self.number(1)) if f is t.GEAR else self.value(f) for f in fields}

    def several(self, size: int, item: Callable[[], Any]) -> Any:
        """A count of `size` bytes and that many items; an invalid or abnormal count has none."""
        count = self.value(t.Field("count", size))
        return [item() for _ in range(count)] if isinstance(count, int) else count


def _gear(raw: int) -> Data:
    """Bits 0-3 the gear, bit 4 braking force, bit 5 driving force."""
    position = {0: "N", 13: "R", 14: "D", 15: "P"}.get(raw & 15, str(raw & 15))
    return {"position": position, "braking": bool(raw & 16), "driving": bool(raw & 32)}


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


def _platform_login(read: Reader) -> Data:
    data = {
        "time": read.time(),
        "serial": read.number(2),
        "username": read.text(12),
        "password": read.text(20),
    }
    code = read.number(1)
    if code not in t.ENCRYPTIONS:
        raise Malformed(f"unknown encryption 0x{code:02x}")
    return {**data, "encryption": t.ENCRYPTIONS[code]}


def _realtime(read: Reader) -> Data:
    data: Data = {"time": read.time(), "units": []}
    seen: set[int] = set()
    while read.left():
        kind = read.unit()
        if len(data["units"]) == MAX_UNITS:
            raise Malformed(f"more than {MAX_UNITS} units", where=f"byte {HEADER + read.at - 1}")
        if kind in seen and kind not in {
            t.VOLTAGES,
            t.TEMPERATURES,
        }:  # more than 200 cells may come in several
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


def _position(read: Reader) -> Data:
    """State bit 0 set is *invalid*, bit 1 south, bit 2 west."""
    state = read.number(1)
    longitude, latitude = read.fields(t.COORDINATES).values()
    return {
        "valid": not state & 1,
        "longitude": -longitude if state & 4 and isinstance(longitude, float) else longitude,
        "latitude": -latitude if state & 2 and isinstance(latitude, float) else latitude,
    }


def _alarms(read: Reader) -> Data:
    data = read.fields(t.ALARM_FIELDS)
    flags = data["flags_raw"] if isinstance(data["flags_raw"], int) else 0
    names = dict(enumerate(t.ALARM_BITS))
    data["flags"] = [names.get(i, f"reserved_{i}") for i in range(32) if flags >> i & 1]
    return {**data, **{name: read.several(1, lambda: read.take(4).hex()) for name in t.FAULTS}}


def _pack(read: Reader) -> Data:
    return {**read.fields(t.PACK_FIELDS), "cell_v": read.several(1, lambda: read.value(t.CELL))}


def _probes(read: Reader) -> Data:
    return {**read.fields(t.PROBES), "probe_c": read.several(2, lambda: read.value(t.DEGREES))}


_BODIES: dict[int, Callable[[Reader], Data]] = {
    Command.LOGIN: _login,
    Command.REALTIME: _realtime,
    Command.RESEND: _realtime,
    Command.LOGOUT: _logout,
    Command.PLATFORM_LOGIN: _platform_login,
    Command.PLATFORM_LOGOUT: _logout,
    Command.HEARTBEAT: lambda _: {},
    Command.TIME_SYNC: lambda _: {},
}
_UNITS: dict[int, Callable[[Reader], Any]] = {
    t.VEHICLE: lambda read: read.fields(t.VEHICLE_FIELDS),
    t.MOTORS: lambda read: read.several(1, lambda: read.fields(t.MOTOR_FIELDS)),
    t.FUEL_CELL: _fuel_cell,
    t.ENGINE: lambda read: read.fields(t.ENGINE_FIELDS),
    t.POSITION: _position,
    t.EXTREMES: lambda read: read.fields(t.EXTREME_FIELDS),
    t.ALARMS: _alarms,
    t.VOLTAGES: lambda read: read.several(1, lambda: _pack(read)),
    t.TEMPERATURES: lambda read: read.several(1, lambda: _probes(read)),
}
