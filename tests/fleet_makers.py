"""Payloads of a car's stream, ordinary and odd, for tests that compare or harm them."""

import struct

from hypothesis import strategies as st

from onshore.gate.fleet import signals, tables
from onshore.gate.fleet.wire import put, put_varint

NOW = 1_790_000_000_123
CREATED = put(2, put(1, NOW // 1000) + put(2, 123_000_000))

KEYS = st.one_of(st.sampled_from(sorted(signals.TARGETS)), st.integers(0, 300), st.sampled_from([16_383, 16_384, -1]))
NUMERALS = st.one_of(
    st.integers(-5, 300), st.integers(-(2**63), 2**63 - 1), st.sampled_from([-(2**31), 2**31, 2**32, 2**53 + 1])
)
FLOATS = st.one_of(
    st.floats(width=32), st.floats(-500, 500), st.sampled_from([3.5e38, 1e308, -0.5, 0.5, 254.5, 255.5, 65535.6])
)
WORDS = """
55.5 -12 +3 1e3 1.5E-3 1e999 - . 12. .5 --1 1.2.3 007 0.1 1_0 123456789012345 1234567890123456 0.30000000000000004
9007199254740993 12345678901234567890123 true False P ShiftStateD D Charging DetailedChargeStateComplete Closed
WindowStateOpened DriverFront|TrunkRear DriverFront Nowhere <invalid> 上海 2025.44.25 nan inf ١٢
"""
PHRASES = ("(37.412374 S, 122.145867 E)", "(31.2 N, 121.4 W)", "(91 N, 0 E)", "(1 X, 2 E)", "(31.2 N,121.4 E)")
TEXTS = st.one_of(
    st.sampled_from((*WORDS.split(), *PHRASES, "", "x" * 130, "x" * 300, " 1", "1 ")),
    st.text(max_size=20),
    st.floats(-1e6, 1e6).map(repr),
    st.decimals(-1000, 1000, places=3).map(str),
)
SMALL = st.lists(st.tuples(st.integers(1, 11), st.integers(0, 70)), max_size=6).map(
    lambda parts: b"".join(put(n, x) for n, x in parts)
)
PLACES = st.tuples(FLOATS, FLOATS).map(lambda p: put(1, float(p[0])) + put(2, float(p[1])))
WHOLE = (tables.INT, tables.LONG, tables.BOOLEAN, tables.INVALID, *tables.ENUMS)


def usual_value():
    """The bytes of a value, as cars' encoders write them."""
    return st.one_of(
        st.builds(put, st.sampled_from(WHOLE), st.integers(0, 8)),
        st.builds(put, st.sampled_from(WHOLE), NUMERALS),
        FLOATS.map(lambda x: put(tables.DOUBLE, float(x))),
        FLOATS.map(lambda x: put(tables.FLOAT, _single(x), single=True)),
        TEXTS.filter(lambda text: len(text.encode()) < 100).map(lambda text: put(tables.STRING, text)),
        PLACES.map(lambda place: put(tables.LOCATION, place)),
        st.builds(put, st.sampled_from((tables.DOORS, tables.TIRES, tables.TIME)), SMALL),
    )


def a_value():
    """The bytes of a value, as some encoder might write them."""
    return st.one_of(
        st.builds(put, st.sampled_from(WHOLE), NUMERALS),
        st.builds(put, st.sampled_from(WHOLE), st.integers(0, 8)),
        FLOATS.map(lambda x: put(tables.DOUBLE, float(x))),
        FLOATS.map(lambda x: put(tables.FLOAT, _single(x), single=True)),
        TEXTS.map(lambda text: put(tables.STRING, text)),
        st.sampled_from([b"\xff", b"55\x80"]).map(lambda data: put(tables.STRING, data)),
        PLACES.map(lambda place: put(tables.LOCATION, place)),
        st.builds(put, st.sampled_from((tables.DOORS, tables.TIRES, tables.TIME, tables.LOCATION)), SMALL),
    )


def _single(x):
    try:
        return struct.unpack("<f", struct.pack("<f", x))[0]
    except OverflowError:
        return float("inf")


def odd_value():
    """Bytes that no encoder writes, or that are no value."""
    return st.one_of(
        st.just(b""),
        st.binary(max_size=12),
        st.tuples(a_value(), a_value()).map(b"".join),
        st.integers(0, 5).map(lambda n: put_varint(tables.INT << 3) + b"\x81" + b"\x80" * n + b"\x00"),
        st.just(put_varint(tables.INT << 3) + b"\xff" * 9 + b"\x7f"),
        st.just(put_varint(tables.INT << 3) + b"\xff" * 10 + b"\x01"),
        st.builds(put, st.sampled_from((20, 55, 63, 64, 2000)), NUMERALS),
        st.builds(put, st.sampled_from((tables.STRING, tables.FLOAT, tables.DOUBLE)), NUMERALS),
        st.builds(put, st.sampled_from(WHOLE), st.binary(max_size=4)),
    )


def a_datum():
    """A field and its value, as an encoder writes them."""
    return st.tuples(KEYS, a_value()).map(lambda one: put(1, (put(1, one[0]) if one[0] else b"") + put(2, one[1])))


def usual_datum():
    """A field that a car has, and a value of any kind."""
    key = st.one_of(st.sampled_from(sorted(signals.TARGETS)), st.integers(1, 259))
    return st.tuples(key, usual_value()).map(lambda one: put(1, put(1, one[0]) + put(2, one[1])))


def odd_datum():
    """A field that is written as none is, or is none."""
    key = KEYS.map(lambda key: put(1, key))
    value = st.one_of(a_value(), odd_value()).map(lambda value: put(2, value))
    parts = st.lists(st.one_of(key, value, st.binary(max_size=4), st.just(b"\x0b\x0c")), max_size=4)
    return parts.map(lambda parts: put(1, b"".join(parts)))


def an_instant():
    """The payload's time, as it should be and as it should not."""
    return st.one_of(
        st.just(CREATED),
        st.integers(0, 253_402_300_799).map(lambda s: put(2, put(1, s))),
        st.tuples(NUMERALS, NUMERALS).map(lambda t: put(2, put(1, t[0]) + put(2, t[1]))),
        st.binary(max_size=6).map(lambda data: put(2, data)),
        st.just(b""),
    )


REST = st.sampled_from(
    (
        b"",
        put(4, True),
        put(4, False),
        b"\x20\x80\x01",
        put(3, "LTEST000000000017"),
        put(3, b"\xc3\xa9"),
        put(3, b"\xff"),
        put(9, 5),
        b"\x22\x00",
        b"\x0a",
    )
)


def payloads():
    """Payloads of topic `V`: most of them ordinary, some odd in one place, some broken."""
    ends = st.sampled_from((CREATED, CREATED + put(4, True), CREATED + put(3, "LTEST000000000017"), b""))
    usual = st.tuples(st.lists(usual_datum(), max_size=12).map(b"".join), ends).map(b"".join)
    strange = st.tuples(st.lists(a_datum(), max_size=6).map(b"".join), st.just(CREATED), REST).map(b"".join)
    either = st.lists(st.one_of(a_datum(), a_datum(), odd_datum()), max_size=6).map(b"".join)
    odd = st.tuples(an_instant(), either, an_instant(), REST).map(b"".join)
    cut = st.tuples(usual, st.integers(0, 400)).map(lambda p: p[0][: p[1]])
    return st.one_of(usual, usual, usual, strange, odd, cut, st.binary(max_size=40))
