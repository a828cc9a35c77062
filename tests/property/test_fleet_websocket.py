"""Frames of RFC 6455: whatever is written is read, in any fragments, with controls between them, split anywhere."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from onshore.gate.fleet.websocket import (
    Closed,
    Code,
    Failed,
    Frames,
    Message,
    Opcode,
    Ping,
    Pong,
    Skipped,
    closing,
    frame,
    masked,
)

MOST = 400
masks = st.binary(min_size=4, max_size=4)
sizes = st.sampled_from((0, 1, 124, 125, 126, 127, 300, MOST))
contents = st.one_of(st.binary(max_size=20), sizes.map(lambda n: (b"ab" * n)[:n]))
cuts = st.lists(st.integers(0, 3000), max_size=12)


@st.composite
def written(draw):
    """The bytes of a client, and the events that a server must see."""
    out, events = b"", []
    for _ in range(draw(st.integers(0, 5))):
        parts = draw(st.lists(contents, min_size=1, max_size=4))
        for place, part in enumerate(parts):
            opcode = Opcode.CONTINUATION if place else Opcode.BINARY
            out += frame(opcode, part, mask=draw(masks), fin=place == len(parts) - 1)
            if draw(st.booleans()) and place < len(parts) - 1:
                word = draw(st.binary(max_size=125))
                out += frame(Opcode.PING, word, mask=draw(masks))
                events.append(Ping(word))
        whole = b"".join(parts)
        events.append(Message(whole) if len(whole) <= MOST else Skipped())
    if draw(st.booleans()):
        out += frame(Opcode.PONG, draw(st.binary(max_size=125)), mask=draw(masks))
        events.append(Pong())
    if draw(st.booleans()):
        out += frame(Opcode.CLOSE, b"\x03\xe8" + b"bye", mask=draw(masks)) + draw(st.binary(max_size=9))
        events.append(Closed(1000))
    return out, events


def feed(frames, data, places):
    marks = sorted({0, *(p for p in places if p < len(data)), len(data)})
    return [e for a, b in pairwise(marks) for e in frames.feed(data[a:b])]


@given(written(), cuts)
def test_what_is_written_is_read(story, places):
    data, events = story
    frames = Frames(MOST)
    assert feed(frames, data, places) == events
    assert not frames.unfinished


@given(written())
def test_byte_by_byte(story):
    data, events = story
    frames = Frames(MOST)
    assert [e for i in range(len(data)) for e in frames.feed(data[i : i + 1])] == events


@given(contents, cuts)
def test_a_server_speaks_without_a_mask(content, places):
    frames, sent = Frames(MOST, from_client=False), frame(Opcode.BINARY, content) + closing(Code.NORMAL)
    assert feed(frames, sent, places) == [Message(content), Closed(1000)]


@given(st.binary(max_size=600), masks)
def test_a_mask_is_taken_off_as_it_was_put_on(data, mask):
    assert masked(masked(data, mask), mask) == data
    assert masked(data, mask) == bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))


@given(st.binary(max_size=60), cuts)
def test_whatever_comes_the_split_changes_nothing(data, places):
    whole, parts = Frames(MOST), Frames(MOST)
    events = whole.feed(data)
    assert feed(parts, data, places) == events
    assert parts.unfinished == whole.unfinished
    assert not any(isinstance(e, Failed | Closed) for e in events[:-1])
