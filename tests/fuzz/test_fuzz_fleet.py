"""Whatever bytes come: documented refusals only, from request to row."""

from hypothesis import given
from hypothesis import strategies as st

from fleet_makers import payloads
from onshore.gate.fleet import envelope, protocol, said, upgrade
from onshore.gate.fleet.decode import Record, decode
from onshore.gate.fleet.envelope import Envelope, Stream
from onshore.gate.fleet.observed import observe
from onshore.gate.fleet.protocol import Answered, Conversation
from onshore.gate.fleet.upgrade import Request
from onshore.gate.fleet.websocket import Opcode, frame
from onshore.words.errors import Malformed

TOPICS = ("V", "alerts", "errors", "connectivity", "other")
GOOD = envelope.record(b"5f1c2ad9-0001", b"V", Stream(1767225600, b"s", b"\x0a\x00", b"k", b"d"), b"m")
ASKED = upgrade.asked("localhost", bytes(16))


def harmed(good):
    """Bytes of something good, with some replaced, cut short or made longer."""
    spots = st.lists(st.tuples(st.integers(0, len(good) - 1), st.integers(0, 255)), max_size=6)

    def harm(parts):
        spoiled = bytearray(good)
        for at, byte in parts[0]:
            spoiled[at] = byte
        return bytes(spoiled[: parts[1]]) + parts[2]

    return st.tuples(spots, st.integers(0, len(good)), st.binary(max_size=8)).map(harm)


@given(st.one_of(st.binary(max_size=80), harmed(GOOD)))
def test_an_envelope_is_read_or_malformed(data):
    found = protocol.heard(data)
    if isinstance(found, Envelope):
        assert found.type != envelope.STREAM or found.stream is not None
        assert envelope.read(envelope.ack(found.txid, found.topic)).txid == found.txid
    else:
        assert envelope.error(envelope.txid_of(data)) in found


@given(st.sampled_from(TOPICS), st.one_of(payloads(), st.binary(max_size=60)))
def test_a_payload_is_read_or_malformed(topic, data):
    try:
        told = said.payload(topic, data)
    except Malformed:
        return
    assert (told is None) == (topic == "other")


@given(st.sampled_from(TOPICS), st.binary(max_size=60))
def test_rows_or_malformed(topic, data):
    try:
        why = "" if observe(topic, data, 0).rows else "none"
    except Malformed as bad:
        why = bad.what
    assert why in {"", "none"} or why.startswith("bad protobuf: ")


@given(st.lists(st.tuples(st.sampled_from(TOPICS), st.one_of(payloads(), st.binary(max_size=60))), max_size=8))
def test_a_batch_comes_whole_whatever_is_in_it(sent):
    decoded = decode([Record(topic, data, 0) for topic, data in sent], list(range(len(sent))), 0)
    decoded.batch.validate(full=True)
    assert not {i for i, _ in decoded.rejected} & set(decoded.origin.tolist())


@given(st.lists(st.one_of(st.binary(max_size=40), st.just(ASKED), harmed(ASKED)), max_size=4))
def test_a_conversation_opens_is_refused_or_waits(reads):
    talk = Conversation()
    for read in reads:
        for event in talk.feed(read):
            assert isinstance(event, Request | Answered)
            if isinstance(event, Answered):
                assert event.answer.startswith(b"HTTP/1.1 ")
                return
            answer, _ = talk.accept()
            assert answer.startswith(b"HTTP/1.1 101 ")
            assert talk.open
            return


anything = st.one_of(
    st.binary(max_size=40), st.binary(max_size=40).map(lambda d: frame(Opcode.BINARY, d, mask=b"abcd"))
)


@given(st.lists(anything, max_size=5))
def test_an_open_one_takes_anything(reads):
    talk = Conversation(100)
    assert isinstance(talk.feed(ASKED)[0], Request)
    talk.accept()
    for read in reads:
        talk.feed(read)
