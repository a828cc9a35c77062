"""Whatever bytes come: documented refusals only, from splitter, reference decoder and fast decoder alike."""

from hypothesis import given
from hypothesis import strategies as st

from onshore.gate.gb32960 import reference, signatures, sm2
from onshore.gate.gb32960.cipher import Secret, in_the_clear
from onshore.gate.gb32960.decode import decode
from onshore.gate.gb32960.protocol import MAX_FRAME, BadChecksum, Splitter, TooLong, checksum, frame, reply
from onshore.words.errors import Malformed

VIN = b"LTEST000000000017"
NOW = bytes((26, 1, 15, 8, 30, 59))
KNOWN = signatures.Key(signatures.Algorithm.SM2, sm2.G)
SECRETS = (None, Secret(aes128=bytes(16), sm4=bytes(16)), Secret(aes128=bytes(16), mode="cbc"))
kinds = st.sampled_from((*range(1, 11), 0x30, 0x31, 0x32, 0x7F, 0x80, 0xFE, 0xFF))
runs = st.one_of(st.binary(max_size=24), kinds.map(lambda k: bytes((k,))), st.sampled_from((b"\xff", b"\1", b"\0")))
framed = st.builds(
    lambda command, flag, encryption, time, body, start: frame(
        command, flag, VIN, time + b"".join(body), encryption=encryption, start=start
    ),
    st.one_of(st.integers(1, 11), st.integers(0, 255)),
    st.one_of(st.just(0xFE), st.integers(0, 255)),
    st.one_of(st.just(1), st.integers(0, 255)),
    st.one_of(st.just(NOW), st.binary(max_size=6)),
    st.lists(runs, max_size=12),
    st.sampled_from((b"##", b"$$")),
)
anything = st.one_of(st.binary(max_size=80), framed)


@given(anything)
def test_reference_decoder_decodes_or_says_malformed(data):
    try:
        said = reference.decode(data)
    except Malformed:
        return
    assert said.keys() == {"version", "command", "ack", "vin", "encryption", "body"}


@given(st.lists(anything, max_size=8), st.booleans())
def test_fast_decoder_accepts_or_rejects_each(frames, checked):
    decoded = decode(frames, list(range(len(frames))), 0, checked=checked)
    decoded.batch.validate(full=True)
    assert decoded.batch.num_rows + len(decoded.rejected) == len(frames)
    assert all(why for _, why in decoded.rejected)


@given(st.lists(anything, max_size=8), st.integers(25, MAX_FRAME))
def test_splitter_yields_frames_that_can_be_answered(reads, limit):
    splitter = Splitter(limit)
    for read in reads:
        for event in splitter.feed(read):
            assert isinstance(event, bytes | BadChecksum | TooLong)
            sent = event if isinstance(event, bytes) else event.frame
            answer = reply(sent, 2, NOW)
            assert checksum(answer[2:]) == 0
            assert answer[:3] == sent[:3]
            if isinstance(event, bytes):
                assert checksum(event[2:]) == 0
                assert len(event) <= limit


@given(framed)
def test_a_signature_is_looked_for_in_anything(sent):
    state = signatures.verify(sent, KNOWN)
    assert state in {None, signatures.State.INVALID}
    if state is None and sent[:3] == b"$$\2":
        assert decode([sent], [1], 0).rejected


@given(framed, st.sampled_from(SECRETS))
def test_opening_gives_a_frame_in_the_clear_or_says_malformed(sent, secret):
    try:
        opened = in_the_clear(sent, secret)
    except Malformed:
        return
    assert checksum(opened[2:]) == 0
    assert opened is sent or opened[21] == 1
