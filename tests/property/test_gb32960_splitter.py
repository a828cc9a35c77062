"""The splitter finds the same frames however the bytes are cut, and loses none to damage around it."""

from hypothesis import assume, given
from hypothesis import strategies as st

from onshore.gate.gb32960.protocol import BadChecksum, Splitter, checksum, frame

VIN = b"LTEST000000000017"
marks = st.sampled_from((b"#", b"##", b"$$", b"\0", VIN))
bodies = st.lists(st.one_of(marks, st.binary(max_size=20)), max_size=6).map(b"".join)
frames = st.builds(
    lambda command, body, start: frame(command, 0xFE, VIN, body, start=start),
    st.sampled_from((1, 2, 3, 4, 7, 8)),
    bodies,
    st.sampled_from((b"##", b"$$")),
)


def cut(stream, sizes):
    """The stream in reads of these sizes, and the rest in one."""
    at = 0
    for size in sizes:
        yield stream[at : at + size]
        at += size
    yield stream[at:]


def feed(reads):
    splitter = Splitter(max_frame=1000)
    return splitter, [event for read in reads for event in splitter.feed(read)]


@given(st.lists(frames, max_size=6), st.lists(st.integers(0, 60), max_size=30))
def test_any_cut_gives_the_frames_back(sent, sizes):
    splitter, events = feed(cut(b"".join(sent), sizes))
    assert events == sent
    assert (splitter.rest, splitter.skipped) == (b"", 0)


@given(st.lists(st.one_of(frames, st.binary(max_size=30), marks), max_size=8), st.lists(st.integers(0, 60)))
def test_every_byte_is_a_frame_or_skipped_or_left(parts, sizes):
    stream = b"".join(parts)
    splitter, events = feed(cut(stream, sizes))
    whole = sum(len(e) for e in events if isinstance(e, bytes))
    assert whole + splitter.skipped + len(splitter.rest) == len(stream)


@given(frames, st.data(), st.lists(frames, min_size=1, max_size=4), st.lists(st.integers(1, 60)))
def test_a_damaged_frame_costs_itself_alone(bad, data, others, sizes):
    """One changed byte, wherever it is: all frames before and after come out, if need be after giving up."""
    at = data.draw(st.integers(0, len(bad) - 1))
    bad = bytearray(bad)
    bad[at] ^= data.draw(st.integers(1, 255))
    claimed = (bytes(bad) + b"".join(others))[2 : 25 + int.from_bytes(bad[22:24], "big")]
    assume(checksum(claimed) != 0)  # one wrong length in 256 sums up by chance: the standard's checksum is a byte
    splitter, events = feed(cut(others[0] + bytes(bad) + b"".join(others), sizes))
    while splitter.unfinished:
        events += splitter.give_up()
    assert [e for e in events if isinstance(e, bytes)] == [others[0], *others]


@given(frames, st.lists(st.integers(1, 60)))
def test_a_wrong_sum_is_told_with_the_header(sent, sizes):
    bad = sent[:-1] + bytes((sent[-1] ^ 1,))
    splitter, events = feed(cut(bad + sent, sizes))
    assert events == [BadChecksum(bad[:30]), sent]
    assert splitter.skipped == len(bad)
