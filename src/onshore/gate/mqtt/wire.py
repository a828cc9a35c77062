"""The data representations of MQTT (5.0, 1.5; 3.1.1, 1.5): read from bytes that may be wrong, and written."""

from enum import IntEnum

from onshore.words.errors import Malformed

MOST = 268_435_455
"""The largest variable byte integer (5.0, 1.5.5)."""


class Reason(IntEnum):
    """Reason codes (5.0, 2.4). What 3.1.1 has of them, it has under numbers of its own: see `writing`."""

    SUCCESS = 0x00
    GRANTED_1 = 0x01
    GRANTED_2 = 0x02
    WITH_WILL = 0x04
    NO_SUBSCRIPTION = 0x11
    UNSPECIFIED = 0x80
    MALFORMED_PACKET = 0x81
    PROTOCOL_ERROR = 0x82
    VERSION = 0x84
    CLIENT_ID = 0x85
    BAD_LOGIN = 0x86
    NOT_AUTHORIZED = 0x87
    UNAVAILABLE = 0x88
    BUSY = 0x89
    SHUTTING_DOWN = 0x8B
    AUTHENTICATION = 0x8C
    KEEP_ALIVE = 0x8D
    TAKEN_OVER = 0x8E
    RECEIVE_MAXIMUM = 0x93
    TOPIC_ALIAS = 0x94
    TOO_LARGE = 0x95
    MESSAGE_RATE = 0x96
    QUOTA = 0x97
    PAYLOAD = 0x99
    QOS = 0x9B
    SHARED = 0x9E
    SUBSCRIPTION_ID = 0xA1
    WILDCARD = 0xA2


class Wrong(Malformed):
    """A packet that cannot be read; `reason` says why to a client of version 5."""

    def __init__(self, what: str, reason: Reason = Reason.MALFORMED_PACKET) -> None:
        super().__init__(what, where="MQTT")
        self.reason = reason


class Cursor:
    """Reads a packet's body from its beginning; what is not there, or not as it must be, is `Wrong`.

    `most`: user properties that a packet may have (5.0, 4.13.2: a limit of ours).
    """

    __slots__ = ("_at", "_data", "_end", "most")

    def __init__(self, data: bytes, most: int = MOST) -> None:
        self._data, self._at, self._end = data, 0, len(data)
        self.most = most

    @property
    def left(self) -> int:
        """Bytes that are not read yet."""
        return self._end - self._at

    def take(self, count: int) -> bytes:
        """So many bytes."""
        begin, self._at = self._at, self._at + count
        if self._at > self._end:
            raise Wrong("a packet ends before what it says is in it")
        return self._data[begin : self._at]

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.left)

    def number(self, size: int) -> int:
        """An integer of so many bytes, big-endian (1.5.2, 1.5.3)."""
        return int.from_bytes(self.take(size), "big")

    def varint(self) -> int:
        """A variable byte integer in its shortest form (1.5.5)."""
        value = 0
        for shift in (0, 7, 14, 21):
            byte = self.number(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if shift and not byte:
                    break
                return value
        raise Wrong("a variable byte integer is not in its shortest form, or longer than four bytes")

    def binary(self) -> bytes:
        """Binary data (1.5.6)."""
        return self.take(self.number(2))

    def text(self) -> str:
        """A UTF-8 string (1.5.4): no surrogates, no U+0000."""
        try:
            found = self.binary().decode()
        except UnicodeDecodeError:
            raise Wrong("a string is no UTF-8") from None
        if "\0" in found:
            raise Wrong("a string contains U+0000")
        return found

    def end(self) -> None:
        """There must be nothing more."""
        if self.left:
            raise Wrong("a packet is longer than what is in it")


def varint(value: int) -> bytes:
    """A variable byte integer, 0 to MOST."""
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def binary(value: bytes) -> bytes:
    """Binary data of at most 65,535 bytes, behind its length."""
    return len(value).to_bytes(2, "big") + value


def text(value: str) -> bytes:
    """A UTF-8 string of at most 65,535 bytes, behind its length."""
    return binary(value.encode())
