"""Frames of GB/T 32960.3: header, checksum, replies, and a splitter that finds them in a stream of bytes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum
from typing import NamedTuple

import numpy as np

START_2016 = b"##"
START_2025 = b"$$"  # same envelope, other units: the start mark says by which tables to read
HEADER = 24
OVERHEAD = HEADER + 1  # the checksum follows the data unit
TIME = 6
MAX_FRAME = 65531 + OVERHEAD  # the longest data unit that the standard allows
MAX_UNITS = 64
"""Data units of one frame: a limit of ours, so that a frame costs little to read. The standard defines nine
types; two of them may come in several units, and a carmaker may add its own (0x80 to 0xFE)."""
BEIJING = timezone(timedelta(hours=8))


class Command(IntEnum):
    """Command identifiers of GB/T 32960.3; 09 to 0B came with the 2025 edition."""

    LOGIN = 0x01
    REALTIME = 0x02
    RESEND = 0x03
    LOGOUT = 0x04
    PLATFORM_LOGIN = 0x05
    PLATFORM_LOGOUT = 0x06
    HEARTBEAT = 0x07
    TIME_SYNC = 0x08
    ACTIVATION = 0x09
    ACTIVATION_REPLY = 0x0A
    KEY_EXCHANGE = 0x0B
    PARAMETER_QUERY = 0x80
    PARAMETER_SET = 0x81
    TERMINAL_CONTROL = 0x82  # known so that it can be read; nothing here ever sends it


class Flag(IntEnum):
    """Response flags; a command carries FE. 04 to 07 are of the 2025 edition alone."""

    OK = 0x01
    ERROR = 0x02
    VIN_DUPLICATE = 0x03
    VIN_UNKNOWN = 0x04
    SIGNATURE_INVALID = 0x05
    STRUCTURE_INVALID = 0x06
    DECRYPTION_FAILED = 0x07
    COMMAND = 0xFE


class Encryption(IntEnum):
    """How the data unit is encrypted; SM2 and SM4 came with the 2025 edition."""

    NONE = 0x01
    RSA = 0x02
    AES128 = 0x03
    SM2 = 0x04
    SM4 = 0x05
    ABNORMAL = 0xFE
    INVALID = 0xFF


class Header(NamedTuple):
    """The 24 bytes before the data unit; `length` is what they claim the data unit has."""

    start: bytes
    command: int
    flag: int
    vin: bytes
    encryption: int
    length: int


def header(frame: bytes) -> Header:
    """The header of at least 24 bytes, as it stands there; nothing is judged."""
    return Header(frame[:2], frame[2], frame[3], frame[4:21], frame[21], int.from_bytes(frame[22:HEADER], "big"))


def checksum(data: bytes) -> int:
    """BCC: all bytes XORed. The integer is folded in halves, so Python touches words and not bytes."""
    value, half = int.from_bytes(data, "little"), 1 << len(data).bit_length() >> 1
    while half:
        value ^= value >> (8 * half)
        half >>= 1
    return value & 0xFF


def time6(at: int) -> bytes:
    """An instant (ms UTC) of the years 2000 to 2099 as YY MM DD hh mm ss, binary, Beijing time."""
    local = datetime.fromtimestamp(at / 1000, UTC).astimezone(BEIJING)
    return bytes((local.year - 2000, local.month, local.day, local.hour, local.minute, local.second))


def frame(
    command: int,
    flag: int,
    vin: bytes,
    body: bytes = b"",
    *,
    encryption: int = Encryption.NONE,
    start: bytes = START_2016,
) -> bytes:
    """One frame around a data unit of at most 65531 bytes; a `vin` under 17 bytes is filled up with zeros."""
    head = bytes((command, flag)) + vin.ljust(17, b"\0") + bytes((encryption,)) + len(body).to_bytes(2, "big")
    return start + head + body + bytes((checksum(head + body),))


def reply(request: bytes, flag: int, now6: bytes) -> bytes:
    """The platform's answer to a frame, or to what is legible of one: the flag changed, the 6-byte time kept.

    A heartbeat has no time. Time sync carries the platform's, `now6`; so does the answer to a request that
    does not begin with a time or has it encrypted, and that answer itself is in the clear.
    """
    head, time6 = header(request), request[HEADER : HEADER + TIME]
    if head.command == Command.HEARTBEAT:
        body = b""
    elif head.command in {Command.TIME_SYNC, Command.KEY_EXCHANGE} or head.length < TIME or len(time6) < TIME:
        body = now6
    else:
        body = time6 if head.encryption == Encryption.NONE else now6
    return frame(head.command, flag, head.vin, body, start=head.start)


SIGNATURE_INVALID, NOT_DECRYPTABLE = "signature invalid", "not decryptable"
"""Why a frame is rejected, where the 2025 edition has a response flag of its own for it."""

_FLAGS = {SIGNATURE_INVALID: Flag.SIGNATURE_INVALID, NOT_DECRYPTABLE: Flag.DECRYPTION_FAILED}


def flag_of(request: bytes, why: str) -> Flag:
    """The response flag of a frame that is rejected because of `why`; the 2016 edition knows errors alone."""
    return _FLAGS.get(why, Flag.STRUCTURE_INVALID) if request[:2] == START_2025 else Flag.ERROR


def vin_unknown(request: bytes) -> Flag:
    """The response flag for a car that is not registered here; the 2016 edition has none but error."""
    return Flag.VIN_UNKNOWN if request[:2] == START_2025 else Flag.ERROR


@dataclass(frozen=True, slots=True)
class BadChecksum:
    """A header that is legible over bytes that are damaged: `frame` holds it, and the time where there is one."""

    frame: bytes


@dataclass(frozen=True, slots=True)
class TooLong:
    """A header that claims more than the limit; `frame` holds the header."""

    frame: bytes


Event = bytes | BadChecksum | TooLong
"""What a splitter finds; bytes are a whole frame with a right checksum."""

# Start mark, command, flag, VIN (printable, filled up with zeros), encryption: everything that a header can
# be held against. Two bytes that happen to look like a start mark inside damaged bytes do not pass.
_LEGIBLE = re.compile(rb"(?:##|\$\$)[^\x00][\x01-\x07\xfe][\x20-\x7e\x00]{17}[\x01-\x05\xfe\xff]", re.DOTALL)
_AFTER = frozenset((b"", b"#", b"$"))
_MAY_BEGIN = re.compile(rb"##|\$\$|[#$]\Z")


class Splitter:
    """Bytes in, frames out; one per connection. Takes time linear in what it is fed, whatever that is.

    A damaged frame costs itself alone: after a wrong checksum the search goes on one byte after where it
    began, so frames that a wrong length would have swallowed are still found. While a frame is unfinished, a
    whole frame with a right checksum among its bytes, at whose end the bytes end too or another frame begins,
    shows that the length was a lie; where nothing shows it, `give_up` is for a caller whose patience ends.
    """

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self.skipped = 0  # bytes so far that belonged to no frame
        self._max = max_frame
        self._bytes = bytearray()
        self._xor = bytearray((0,))  # _xor[i]: XOR of the first i bytes since the last clean start
        self._looked = 0  # up to where the bytes of the unfinished frame were searched for whole ones

    @property
    def rest(self) -> bytes:
        """The bytes of the frame that is still unfinished, or of what may become a start mark."""
        return bytes(self._bytes)

    @property
    def unfinished(self) -> bool:
        """Whether a frame has begun whose end has not come."""
        return bool(self._bytes)

    def feed(self, data: bytes) -> Sequence[Event]:
        """What one read from the socket completes, in order."""
        if not data:
            return ()
        if not self._bytes and self._is_frame(data):
            return (data,)
        self._append(data)
        return self._search(0)

    def give_up(self) -> Sequence[Event]:
        """Stop waiting for the unfinished frame: skip its start mark, and see what else its bytes hold."""
        if not self._bytes:
            return ()
        self.skipped += 1
        return self._search(1)

    def _is_frame(self, data: bytes) -> bool:
        """Whether one read is exactly one good frame, which it nearly always is: no copy then."""
        size = len(data)
        return (
            OVERHEAD <= size <= self._max
            and int.from_bytes(data[22:HEADER], "big") + OVERHEAD == size
            and _LEGIBLE.match(data) is not None
            and not checksum(data[2:])
        )

    def _append(self, data: bytes) -> None:
        sums = np.bitwise_xor.accumulate(np.frombuffer(data, np.uint8)) ^ np.uint8(self._xor[-1])
        self._bytes += data
        self._xor += sums.tobytes()

    def _search(self, at: int) -> list[Event]:
        events: list[Event] = []
        while (found := _LEGIBLE.search(self._bytes, at)) is not None:
            start = found.start()
            self.skipped += start - at
            at = self._take(start, events)
            if at == start:
                break
        else:
            at = self._tail(at)
        self._drop(at)
        return events

    def _take(self, start: int, events: list[Event]) -> int:
        """Deal with the legible header at `start`; return where to go on, `start` itself to wait for more."""
        end = self._end(start)
        if end is None:
            return start
        if end - start > self._max:
            events.append(TooLong(bytes(self._bytes[start : start + HEADER])))
        elif end > len(self._bytes):
            other = self._look_inside(start)
            if other is None:
                return start
            events.append(self._damaged(start, other))
            self.skipped += other - start
            return other
        elif self._sums_up(start, end):
            events.append(bytes(self._bytes[start:end]))
            return end
        else:
            events.append(self._damaged(start, end))
        self.skipped += 1
        return start + 1

    def _damaged(self, start: int, end: int) -> BadChecksum:
        return BadChecksum(bytes(self._bytes[start : min(end, start + HEADER + TIME)]))

    def _end(self, start: int) -> int | None:
        length = self._bytes[start + 22 : start + HEADER]
        return start + OVERHEAD + int.from_bytes(length, "big") if len(length) == 2 else None

    def _sums_up(self, start: int, end: int) -> bool:
        return self._xor[start + 2] == self._xor[end]

    def _look_inside(self, start: int) -> int | None:
        """Where a whole good frame begins within the unfinished one; each byte is looked at once."""
        at, size = max(self._looked, start + 1), len(self._bytes)
        while (found := _LEGIBLE.search(self._bytes, at)) is not None:
            at = found.start()
            end = self._end(at)
            if end is None or size < end <= at + self._max:
                break  # unfinished too: its turn comes
            if end <= size and self._sums_up(at, end) and bytes(self._bytes[end : end + 1]) in _AFTER:
                return at
            at += 1
        else:
            at = max(at, size - HEADER)
        self._looked = at
        return None

    def _tail(self, at: int) -> int:
        """Past bytes without a legible header, up to where one may have begun."""
        size = len(self._bytes)
        found = _MAY_BEGIN.search(self._bytes, max(at, size - HEADER + 3))
        keep = found.start() if found else size
        self.skipped += keep - at
        return keep

    def _drop(self, size: int) -> None:
        del self._bytes[:size]
        del self._xor[:size]
        self._looked = max(0, self._looked - size)
