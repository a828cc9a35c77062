"""The fast decoder finds exactly what the reference decoder says, on any mix of frames, and refuses in its words."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest
from gb32960_expected import EXPECTED, EXPECTED_2025, binary
from gb32960_frames import VIN, damaged, good
from hypothesis import given
from hypothesis import strategies as st

from onshore.gate.gb32960 import reference
from onshore.gate.gb32960.decode import decode
from onshore.gate.gb32960.groups import FEW, LOOKS
from onshore.gate.gb32960.layout import CUSTOM, CUSTOM_UNITS, EDITION_2025
from onshore.gate.gb32960.protocol import MAX_UNITS, START_2016, START_2025, Command, Encryption, Flag, frame
from onshore.words.batch import BASE_NAMES
from onshore.words.errors import Malformed

N = EDITION_2025


def plainly(sent):
    """What the reference decoder says of a frame that should be real-time data, or why not."""
    try:
        head = reference.envelope(sent)
        if head.command not in {Command.REALTIME, Command.RESEND} or head.flag != Flag.COMMAND:
            return "not real-time data"
        if head.encryption != Encryption.NONE:
            return "encrypted"
        return reference.decode(sent)["body"]
    except Malformed as bad:
        return bad.what


def check(frames, decoded):
    said = [plainly(f) for f in frames]
    assert decoded.rejected == [(i, s) for i, s in enumerate(said) if isinstance(s, str)]
    kept = [i for i, s in enumerate(said) if not isinstance(s, str)]
    batch = decoded.batch
    batch.validate(full=True)
    assert batch.column("vehicle").to_pylist() == [i + 1000 for i in kept]
    assert batch.column("received").cast(pa.int64()).to_pylist() == [i + 5 for i in kept]
    assert batch.column("door").to_pylist() == ["gb32960"] * len(kept)
    times = [round(datetime.fromisoformat(said[i]["time"]).timestamp() * 1000) for i in kept]
    assert batch.column("time").cast(pa.int64()).to_pylist() == times
    rows = [by_kind(said[i]["units"], EDITION_2025 if frames[i][:1] == b"$" else 0) for i in kept]
    carried = {kind for row in rows for kind in row}
    expected = {CUSTOM_UNITS: dict([binary(CUSTOM, bytes.fromhex)])} if CUSTOM in carried else {}
    for table in (EXPECTED, EXPECTED_2025):
        for name, (kind, value) in table.items():
            if kind in carried:
                expected.setdefault(name, {})[kind] = value
    assert set(batch.schema.names) == expected.keys() | BASE_NAMES
    for name, by in expected.items():
        column = batch.column(name)
        want = [next((value(row[kind]) for kind, value in by.items() if kind in row), None) for row in rows]
        assert column.to_pylist() == want, name
        hides_nothing(column)


def by_kind(units, edition):
    row = {}
    for unit in units:
        if unit["id"] < CUSTOM:
            row.setdefault(unit["id"] | edition, []).append(unit["data"])
        else:
            row.setdefault(CUSTOM, []).append(f"{unit['id']:02x}{len(unit['data']) // 2:04x}{unit['data']}")
    return row


def hides_nothing(column):
    """Every bit under a null is zero."""
    if pa.types.is_binary(column.type) or pa.types.is_boolean(column.type) or not column.null_count:
        return
    beneath = np.frombuffer(column.buffers()[1], np.uint8).reshape(-1, column.type.byte_width)
    assert not beneath[: len(column)][column.is_null().to_numpy(zero_copy_only=False)].any()


@given(st.lists(st.one_of(good, good, damaged()), max_size=12))
def test_fast_is_reference(frames):
    ids = np.arange(len(frames), dtype=np.int64)
    check(frames, decode(frames, ids + 1000, ids + 5))


@given(st.lists(good, min_size=1, max_size=6), st.data())
def test_many_alike_and_a_few_others(shapes, data):
    order = data.draw(st.lists(st.integers(0, len(shapes) - 1), min_size=20, max_size=60))
    frames = [shapes[i] for i in order]
    ids = np.arange(len(frames), dtype=np.int64)
    check(frames, decode(frames, ids + 1000, ids + 5))


@given(st.lists(st.one_of(good, damaged()), min_size=1, max_size=4), st.integers(FEW, 2 * LOOKS))
def test_among_more_layouts_than_are_looked_for(shapes, others):
    """Whether frames are read together or one by one, the same comes out."""
    unlike = [frame(2, Flag.COMMAND, VIN, bytes((26, 1, 15, 8, 30, 59, 0x80, 0, i)) + bytes(i)) for i in range(others)]
    frames = [*unlike, *shapes, *unlike, *shapes] * (FEW // 2)
    ids = np.arange(len(frames), dtype=np.int64)
    check(frames, decode(frames, ids + 1000, ids + 5))


@given(st.lists(st.sampled_from((b"\x08\0", b"\x09\0", b"\x80\0\0", b"\x80\0", b"\x0a", b"\x04\0")), max_size=3))
def test_the_limit_of_units_is_the_same(last):
    units = [b"\x08\0"] * (MAX_UNITS - 1) + last
    frames = [frame(2, Flag.COMMAND, VIN, bytes((26, 1, 15, 8, 30, 59)) + b"".join(units))]
    check(frames, decode(frames, [1000], [5]))


@given(st.lists(good, max_size=8))
def test_a_checksum_is_not_verified_twice(frames):
    wrong = [f[:-1] + bytes((f[-1] ^ 1,)) for f in frames]
    vehicles = list(range(len(frames)))
    assert decode(wrong, vehicles, 0, checked=True).batch.equals(decode(frames, vehicles, 0).batch)
    assert decode(wrong, vehicles, 0).rejected == [(i, "bad checksum") for i in vehicles]


BODIES = {
    2: b"\1" + bytes(12),
    3: bytes(6) + b"\0\1\5" + bytes(10),
    7: bytes(5) + b"\1abcd" * 4,
    8: b"\1" + bytes(9) + b"\1\2\3",
    9: b"\1" + bytes(1) + b"\0\1\7",
    N + 2: b"\1" + bytes(10),
    N + 6: bytes(5) + b"\1abcd" * 4 + b"\1\2\3",
    N + 7: b"\1" + bytes(5) + b"\0\1\2\3",
    N + 8: b"\1" + bytes(1) + b"\0\1\7",
    N + 0x30: b"\1" + bytes(10) + b"\0\1\7",
    N + 0x31: bytes(5) + b"\0\1\2\3\0\1\7",
}
SIZES = {1: 20, 4: 5, 5: 9, 6: 14, N + 1: 18, N + 3: 12, N + 4: 2, N + 5: 10, N + 0x32: 18}


@pytest.mark.parametrize(
    ("name", "how"), [*EXPECTED.items(), *EXPECTED_2025.items()], ids=lambda x: x if isinstance(x, str) else hex(x[0])
)
def test_every_column_can_carry_a_value(name, how):
    """The generators would be worthless for a column that they leave null."""
    kind, value = how
    body = bytes((26, 1, 15, 8, 30, 59, kind & 0xFF)) + BODIES.get(kind, bytes(SIZES.get(kind, 0)))
    start = START_2025 if kind & N else START_2016
    sent = frame(Command.REALTIME, Flag.COMMAND, VIN, body, start=start)
    got = decode([sent], [1], 0).batch.column(name).to_pylist()
    assert got == [value([reference.decode(sent)["body"]["units"][0]["data"]])]
    assert got != [None]
    assert got != [b""]
