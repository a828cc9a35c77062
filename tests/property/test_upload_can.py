"""CAN frames: bits as a slow reader sees them, and no frame that carries a vehicle's number gets through."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onshore.gate.upload.dbc import Layout
from onshore.gate.upload.frames import Frames, frames_of, raw_bits, values
from onshore.gate.upload.scrub import PATIENCE, Scrub

CHARACTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
vins = st.text(CHARACTERS, min_size=17, max_size=17).map(str.encode)


@st.composite
def layouts(draw, width=8):
    length, little = draw(st.integers(1, 64)), draw(st.booleans())
    layout = Layout(draw(st.integers(0, 8 * width - 1)), length, little, draw(st.booleans()), 1.0, 0.0)
    return layout if layout.end <= width else Layout(0 if little else 7, length, little, layout.signed, 1.0, 0.0)


def slowly(data: bytes, layout: Layout) -> int:
    """Bit by bit, as the DBC's text has it."""
    at, bits = layout.start, []
    for _ in range(layout.length):
        bits.append(data[at // 8] >> at % 8 & 1)
        at = at + 1 if layout.little else at - 1 if at % 8 else at + 15
    if not layout.little:
        bits.reverse()
    raw = sum(bit << n for n, bit in enumerate(bits))
    return raw - (1 << layout.length) if layout.signed and bits[-1] else raw


@pytest.mark.parametrize("width", [8, 64])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_bits_are_those_that_a_slow_reader_sees(width, data):
    layout = data.draw(layouts(width))
    rows = data.draw(st.lists(st.binary(min_size=width, max_size=width), min_size=1, max_size=3))
    matrix = np.frombuffer(b"".join(rows), np.uint8).reshape(-1, width)
    assert values(matrix, layout).tolist() == [float(slowly(row, layout)) for row in rows]
    assert raw_bits(matrix, layout).tolist() == [slowly(row, layout) % (1 << layout.length) for row in rows]


def on_the_bus(vin: bytes, way: str, id_: int) -> list[tuple[int, bytes]]:
    """The frames in which a vehicle's number comes."""
    if way == "toyota":
        return [(0x580 + n, bytes([n]) + vin[7 * n : 7 * n + 7].ljust(7, b"\0")) for n in range(3)]
    if way == "uds":
        payload = b"\x62\xf1\x90" + vin
    elif way == "obd":
        payload = b"\x49\x02\x01" + vin
    elif way == "uds-second":
        payload = b"\x62\xf1\x8c" + b"\x01\x02\x03\x04" + b"\xf1\x90" + vin
    elif way == "plain":
        return [(id_, vin[n : n + 8]) for n in (0, 8, 16)]
    elif way == "fd":
        return [(id_, b"\1\2\3\4\5" + vin + b"\0" * 10)]
    else:
        head = {"counted": 1, "two": 2}[way]
        return [
            (id_, bytes([0xC1, n][-head:]) + vin[(8 - head) * n : (8 - head) * (n + 1)])
            for n in range(-(-17 // (8 - head)))
        ]
    frames = [bytes([0x10, len(payload)]) + payload[:6]]
    frames += [bytes([0x20 + n]) + payload[7 * n - 1 : 7 * n + 6] for n in range(1, 1 + -(-(len(payload) - 6) // 7))]
    return [(id_, frame) for frame in frames]


WAYS = ["toyota", "uds", "obd", "uds-second", "plain", "fd", "counted", "two"]


def cleaned(traffic: list[tuple[int, bytes]], cuts=()) -> list[tuple[int, int, bytes]]:
    """What gets through: (ordinal, id, bytes), in the order of ordinals."""
    scrub, out = Scrub(), []
    edges = [0, *sorted(cuts), len(traffic)]
    for begin, end in pairwise(edges):
        part = traffic[begin:end]
        made = frames_of(list(range(begin, end)), [0] * len(part), [i for i, _ in part], [d.hex() for _, d in part])
        out.append(scrub.clean(made))
    out.append(scrub.finish())
    return sorted(
        (int(f.time[n]), int(f.id[n]), bytes(f.data[n, : int(f.length[n])])) for f in out for n in range(len(f))
    )


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=60, deadline=None)
@given(vin=vins, seed=st.integers(0, 1 << 32), data=st.data())
def test_no_frame_with_a_vehicles_number_gets_through(way, vin, seed, data):
    rng = np.random.default_rng(seed)
    traffic = [(int(rng.integers(0, 0x400)), rng.bytes(8)) for _ in range(data.draw(st.integers(0, 120)))]
    number = on_the_bus(vin, way, data.draw(st.integers(0x600, 0x7FF)))
    places = sorted(data.draw(st.lists(st.integers(0, len(traffic)), min_size=len(number), max_size=len(number))))
    for place, frame in reversed(list(zip(places, number, strict=True))):
        traffic.insert(place, frame)
    carries = {frame for frame in number if sum(c in CHARACTERS.encode() for c in frame[1]) >= 3}
    cuts = data.draw(st.lists(st.integers(0, len(traffic)), max_size=4))
    through = cleaned(traffic, cuts)
    assert through == cleaned(traffic)
    assert not [frame for _, *frame in through if tuple(frame) in carries]
    assert len(traffic) - len(through) <= len(number) + 2  # nearly nothing else goes


def test_a_number_that_takes_its_time_goes_too_as_far_as_it_is_half_of_one():
    quiet = [(1, b"\0" * 8)] * (PATIENCE + 10)
    short, half = (0x700, b"\0\0\0\0\0ABC"), (0x701, b"12345678")
    assert [i for _, i, _ in cleaned([short, half, *quiet, short, half]) if i != 1] == [0x700, 0x700]


def test_what_ends_like_a_number_and_is_none_comes_late_but_comes():
    frames = [(0x700, b"\0\0\0ABCDE"), (1, b"\0"), (0x700, b"\0" * 8), (2, b"")]
    assert [i for _, i, _ in cleaned(frames)] == [0x700, 1, 0x700, 2]
    assert [i for _, i, _ in cleaned(frames, range(5))] == [0x700, 1, 0x700, 2]


def test_other_makers_messages_that_are_known_for_it():
    assert cleaned([(0x514, b"G1ABCDEF"), (0x4E1, b"12345678"), (0x40A, b"\xc1\0ABCDEF")]) == []
    assert len(cleaned([(0x514, b"\0" * 8)])) == 1


def test_frames_are_read_from_hex_digits_alone():
    with pytest.raises(ValueError):
        frames_of([1], [0], [1], ["0 0 "])
    with pytest.raises(ValueError):
        frames_of([1], [0], [1], ["0" * 130])
    assert isinstance(frames_of([], [], [], []), Frames)
