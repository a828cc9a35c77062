"""Protobuf on the wire, read and written plainly: a message is a sequence of numbered fields."""

import struct
from collections.abc import Iterator

from onshore.words.errors import Malformed

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types; groups (3, 4) died with proto2 and are refused."""

_MASK = (1 << 64) - 1

Field = tuple[int, int, int, bytes]
"""Number, wire type, the value where it is a varint, the bytes where it is anything else."""


def bad(what: str) -> Malformed:
    """What every reader of the payload refuses with."""
    return Malformed(f"bad protobuf: {what}")


def varint(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned number of 64 bits and where it ends; what lies beyond them is dropped. Malformed past 10 bytes."""
    number = shift = 0
    while True:
        if at >= len(data):
            raise bad("incomplete")
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & _MASK, at
        shift += 7
        if shift == 70:
            raise bad("a number of more than 10 bytes")


def fields(data: bytes) -> Iterator[Field]:
    """The fields of a message in order, known or not."""
    at, end = 0, len(data)
    while at < end:
        tag, at = varint(data, at)
        number, kind = tag >> 3, tag & 7
        if not 0 < number < 1 << 29:
            raise bad("no field has this number")
        if kind == VARINT:
            value, at = varint(data, at)
            yield number, kind, value, b""
            continue
        size = {FIXED64: 8, FIXED32: 4}.get(kind)
        if size is None:
            if kind != BYTES:
                raise bad("groups are not read")
            size, at = varint(data, at)
        if size > end - at:
            raise bad("incomplete")
        yield number, kind, 0, data[at : at + size]
        at += size


def signed(value: int, bits: int = 64) -> int:
    """The two's complement of a varint's lowest bits (int32, int64, enumerations)."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def text(data: bytes) -> str:
    """A string; proto3 has it be UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise bad("a text is not UTF-8") from None


def put_varint(value: int) -> bytes:
    """A number of 64 bits, negative ones as their two's complement."""
    value &= _MASK
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def put(number: int, value: float | str | bytes, *, single: bool = False) -> bytes:
    """One field: bool and int as a varint, float as a double (or `single`), text and bytes with their length."""
    if isinstance(value, int):
        return put_varint(number << 3) + put_varint(value)
    if isinstance(value, float):
        kind, form = (FIXED32, "<f") if single else (FIXED64, "<d")
        return put_varint(number << 3 | kind) + struct.pack(form, value)
    data = value.encode() if isinstance(value, str) else value
    return put_varint(number << 3 | BYTES) + put_varint(len(data)) + data
