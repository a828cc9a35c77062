"""Real-time frames of both editions, whole and damaged, for hypothesis."""

from hypothesis import strategies as st

from onshore.gate.gb32960.protocol import START_2016, START_2025, Command, Flag, frame

VIN = b"LTEST000000000017"

octet = st.one_of(st.sampled_from((0, 1, 2, 0xFE, 0xFF)), st.integers(0, 255))


def octets(size):
    return st.lists(octet, min_size=size, max_size=size).map(bytes)


@st.composite
def counted(draw, size, most, item):
    """A count of `size` bytes, sometimes one of the codes, and its items."""
    many = draw(st.one_of(st.integers(0, most), st.sampled_from((256**size - 2, 256**size - 1))))
    items = range(many if many <= most else 0)
    return many.to_bytes(size, "big") + b"".join(draw(item) for _ in items)


def joined(*parts):
    return st.tuples(*parts).map(b"".join)


packs = joined(octets(9), counted(1, 5, octets(2)))
probes = joined(octets(1), counted(2, 5, octets(1)))
stacks = joined(octets(10), counted(2, 4, octets(1)))
UNITS = {
    1: octets(20),
    2: counted(1, 3, octets(12)),
    3: joined(octets(6), counted(2, 4, octets(1)), octets(10)),
    4: octets(5),
    5: octets(9),
    6: octets(14),
    7: joined(octets(5), *[counted(1, 2, octets(4))] * 4),
    8: counted(1, 2, packs),
    9: counted(1, 2, probes),
    0x80: counted(2, 4, octets(1)).filter(lambda b: b[:1] != b"\xff"),
    0xFE: counted(2, 4, octets(1)).filter(lambda b: b[:1] != b"\xff"),
}
OWN = {kind: UNITS[kind] for kind in (0x80, 0xFE)}
UNITS_2025 = OWN | {
    1: octets(18),
    2: counted(1, 3, st.one_of(octets(10), joined(octets(5), st.just(b"\0"), octets(4)))),
    3: octets(12),
    4: octets(2),
    5: octets(10),
    6: joined(octets(5), *[counted(1, 2, octets(4))] * 4, counted(1, 3, octets(2))),
    7: counted(1, 2, joined(octets(5), counted(2, 5, octets(2)))),
    8: UNITS[9],
    0x30: counted(1, 2, stacks),
    0x31: joined(octets(5), counted(2, 4, octets(2)), counted(2, 4, octets(1))),
    0x32: octets(18),
}
signatures = st.one_of(
    st.just(b""),
    joined(st.just(b"\xff"), octets(1), *[octets(2).map(lambda b: b"\0\2" + b) | st.just(b"\0\0")] * 2),
)
times = st.one_of(
    st.tuples(
        st.integers(0, 99),
        st.integers(1, 12),
        st.integers(1, 28),
        st.integers(0, 23),
        st.integers(0, 59),
        st.integers(0, 59),
    ).map(bytes),
    st.sampled_from([bytes((24, 2, 29, 0, 0, 0)), bytes((99, 12, 31, 23, 59, 59)), bytes((0, 1, 1, 0, 0, 0))]),
)


EDITIONS = {START_2016: (UNITS, (8, 9), st.just(b"")), START_2025: (UNITS_2025, (7, 8, 0x31), signatures)}
starts = st.sampled_from((START_2016, START_2025))


@st.composite
def bodies(draw, start):
    units, may_repeat, last = EDITIONS[start]
    kinds = draw(st.lists(st.sampled_from(sorted(units)), max_size=6, unique=True))
    kinds += draw(st.lists(st.sampled_from(may_repeat), max_size=2))
    return draw(times) + b"".join(bytes((kind,)) + draw(units[kind]) for kind in kinds) + draw(last)


@st.composite
def whole(draw, start):
    command = draw(st.sampled_from((Command.REALTIME, Command.RESEND)))
    return frame(command, Flag.COMMAND, VIN, draw(bodies(start)), start=start)


good = starts.flatmap(whole)


@st.composite
def damaged(draw):
    """A frame with a byte changed, cut or put in: in the body with a right checksum, or anywhere."""
    start = draw(starts)
    body = bytearray(draw(bodies(start)))
    at = draw(st.integers(0, len(body)))
    how = draw(st.sampled_from(("change", "cut", "put in", "twice")))
    if how == "change":
        body[at : at + 1] = bytes((draw(octet),))
    elif how == "cut":
        del body[at:]
    elif how == "put in":
        body[at:at] = draw(octets(2))
    else:
        body += body[6:]
    sent = bytearray(
        frame(
            draw(st.sampled_from((2, 2, 2, 3, 1, 0))),
            draw(st.sampled_from((0xFE, 0xFE, 0xFE, 1, 5, 9))),
            VIN,
            bytes(body),
            encryption=draw(st.sampled_from((1, 1, 1, 3, 5, 7))),
            start=start,
        )
    )
    if draw(st.booleans()):
        at = draw(st.integers(0, len(sent) - 1))
        sent[at : at + 1] = draw(st.sampled_from((b"", b"\0", b"$", b"\xff\xff")))
    return bytes(sent)
