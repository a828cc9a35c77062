"""What opens a WebSocket, what breaks its rules, and envelopes that are none."""

import base64

import pytest

from onshore.gate.fleet import envelope, protocol, upgrade
from onshore.gate.fleet.protocol import Answered, Conversation
from onshore.gate.fleet.upgrade import Request
from onshore.gate.fleet.websocket import Closed, Code, Failed, Frames, Message, Opcode, Ping, Skipped, closing, frame
from onshore.words.errors import Malformed

NONCE = base64.b64decode("dGhlIHNhbXBsZSBub25jZQ==")
ASKED = upgrade.asked("server.example.com", NONCE, path="/chat", headers={"X-TXID": "x"})
MASK = b"\x37\xfa\x21\x3d"


def test_the_example_of_the_standard():
    """RFC 6455, 1.3 and 5.7."""
    request = upgrade.read(ASKED.removesuffix(upgrade.END))
    assert (request.method, request.path, request.headers["x-txid"]) == ("GET", "/chat", "x")
    answer = upgrade.accepted(request.key)
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer
    assert upgrade.opens(answer, NONCE)
    assert not upgrade.opens(answer, bytes(16))
    assert not upgrade.opens(answer.replace(b"101", b"200"), NONCE)
    assert frame(Opcode.TEXT, b"Hello", mask=MASK).hex() == "818537fa213d7f9f4d5158"
    assert frame(Opcode.PING, b"Hello").hex() == "890548656c6c6f"
    assert frame(Opcode.BINARY, bytes(256))[:4].hex() == "827e0100"
    assert frame(Opcode.BINARY, bytes(65536))[:10].hex() == "827f0000000000010000"


@pytest.mark.parametrize(
    ("given", "other"),
    [
        (b"GET /chat", b"POST /chat"),
        (b"HTTP/1.1", b"HTTP/1.0"),
        (b"Host:", b"Ghost:"),
        (b"Upgrade: websocket", b"Upgrade: h2c"),
        (b"Connection: Upgrade", b"Connection: close"),
        (b"Version: 13", b"Version: 12"),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"dGhlIHNhbXBsZSBub25jZQ"),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"dGhl"),
    ],
)
def test_what_a_request_must_have(given, other):
    assert given in ASKED
    [event] = Conversation().feed(ASKED.replace(given, other))
    assert isinstance(event, Answered)
    assert event.answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"GET /",
        b"GET  HTTP/1.1",
        b"GET / HTTP/2",
        b"GET / HTTP/1.1\r\nno colon",
        b"GET / HTTP/1.1\r\n: none",
        b"GET / HTTP/1.1\r\nspaced : x",
        b"GET / HTTP/1.1\r\nx: \x00",
        b"GET / HTTP/1.1\r\nx: \x7f",
        b"GET / HTTP/1.1\r\nx: \xc3\xa9",
        b"GET / HTTP/1.1" + b"\r\nx: y" * 65,
    ],
)
def test_what_is_no_request(head):
    with pytest.raises(Malformed):
        upgrade.read(head)
    [event] = Conversation().feed(head + upgrade.END)
    assert event == Answered(protocol.refusal("400 Bad Request"))


def test_headers_given_twice_are_one():
    request = upgrade.read(b"GET / HTTP/1.1\r\nConnection: keep-alive\r\nCONNECTION:\tUpgrade")
    assert request.headers == {"connection": "keep-alive, Upgrade"}


def test_a_request_byte_by_byte_and_what_comes_behind_it():
    talk = Conversation()
    events = [e for i in range(len(ASKED)) for e in talk.feed(ASKED[i : i + 1])]
    assert [type(e) for e in events] == [Request]
    assert not talk.open
    assert talk.accept() == (upgrade.accepted(events[0].key), [])
    assert talk.open
    quick = Conversation()
    message = frame(Opcode.BINARY, b"m", mask=MASK)
    assert isinstance(quick.feed(ASKED + message)[0], Request)
    assert quick.accept()[1] == [Message(b"m")]
    assert quick.feed(message) == [Message(b"m")]
    assert not quick.unfinished
    quick.feed(message[:1])
    assert quick.unfinished


def test_status_and_a_request_without_end():
    [event] = Conversation().feed(b"GET /status HTTP/1.1\r\n\r\n")
    assert event.answer.endswith(b"\r\n\r\nmtls ok")
    [event] = Conversation().feed(b"GET /other HTTP/1.1\r\n\r\n")
    assert b"426 Upgrade Required" in event.answer
    talk = Conversation()
    assert talk.feed(b"x" * upgrade.MOST) == []
    assert talk.unfinished
    [event] = talk.feed(b"x")
    assert event == Answered(protocol.refusal("431 Request Header Fields Too Large"))


def masked(first, second=b"\x80", rest=b""):
    return bytes((first,)) + second + MASK + rest


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (masked(0xC2), Code.PROTOCOL_ERROR),  # a reserved bit
        (masked(0x83), Code.PROTOCOL_ERROR),  # a reserved opcode
        (masked(0x8B), Code.PROTOCOL_ERROR),
        (b"\x82\x00", Code.PROTOCOL_ERROR),  # not masked
        (masked(0x09), Code.PROTOCOL_ERROR),  # a control in pieces
        (masked(0x89, b"\xfe\x00\x7e"), Code.PROTOCOL_ERROR),  # a long control
        (masked(0x80), Code.PROTOCOL_ERROR),  # nothing to continue
        (masked(0x02) + masked(0x82), Code.PROTOCOL_ERROR),  # not finished
        (masked(0x82, b"\xfe\x00\x7d"), Code.PROTOCOL_ERROR),  # a length longer than need be
        (masked(0x82, b"\xff" + (65535).to_bytes(8, "big")), Code.PROTOCOL_ERROR),
        (masked(0x82, b"\xff\x80" + bytes(7)), Code.PROTOCOL_ERROR),  # a negative length
        (masked(0x81), Code.UNSUPPORTED),
        (masked(0x82, b"\xff" + (1 << 25).to_bytes(8, "big")), Code.TOO_BIG),
        (frame(Opcode.CLOSE, b"\x03", mask=MASK), Code.PROTOCOL_ERROR),
        (frame(Opcode.CLOSE, b"\x03\xed", mask=MASK), Code.PROTOCOL_ERROR),  # 1005 is never sent
        (frame(Opcode.CLOSE, b"\x03\xe8\xff", mask=MASK), Code.NOT_UTF8),
    ],
)
def test_what_breaks_the_rules(data, code):
    frames = Frames(1000)
    assert frames.feed(data) == [Failed(code)]
    assert frames.feed(masked(0x82)) == []
    assert not frames.unfinished


def test_closing_with_and_without_a_code():
    assert Frames(10, from_client=False).feed(closing(Code.ABSENT)) == [Closed(Code.ABSENT)]
    assert Frames(10, from_client=False).feed(closing(Code.POLICY)) == [Closed(Code.POLICY)]
    assert protocol.goodbye() == closing(Code.NORMAL)


def test_a_message_that_is_too_big_is_not_held():
    frames = Frames(100)
    big = frame(Opcode.BINARY, bytes(90), mask=MASK, fin=False)
    more = frame(Opcode.CONTINUATION, bytes(1000), mask=MASK, fin=False)
    last = frame(Opcode.CONTINUATION, b"", mask=MASK)
    assert frames.feed(big + more) == []
    assert frames.unfinished
    assert len(frames._rest) + len(frames._parts or b"") == 0
    assert frames.feed(frame(Opcode.PING, b"p", mask=MASK)) == [Ping(b"p")]
    assert frames.feed(last + frame(Opcode.BINARY, b"m", mask=MASK)) == [Skipped(), Message(b"m")]


STREAM = envelope.record(b"txid", b"V", envelope.Stream(5, b"s", b"p", b"k", b"d"), b"m")


@pytest.mark.parametrize("size", range(len(STREAM)))
def test_an_envelope_cut_short_never_reads_as_more_than_it_is(size):
    found = protocol.heard(STREAM[:size])
    if not isinstance(found, bytes):
        assert found.txid in {b"txid", b""}


def test_envelopes_that_are_none():
    backwards = bytearray(STREAM)
    backwards[20:24] = (1 << 30).to_bytes(4, "little")
    with pytest.raises(Malformed, match="a table without fields"):
        envelope.read(bytes(backwards))
    bare = envelope._Builder()
    bare_record = bare.finished(bare.table([(2, -1, envelope.STREAM)]))
    with pytest.raises(Malformed, match="it holds no record"):
        envelope.read(bare_record)
    assert isinstance(protocol.heard(bare_record), bytes)
    far = bytearray(STREAM)
    far[10:12] = b"\xff\xff"  # where the type is
    with pytest.raises(Malformed, match="incomplete"):
        envelope.read(bytes(far))
    assert protocol.wrong(None) == protocol.said(envelope.error(b""))
    assert protocol.wrong(envelope.read(STREAM)) == protocol.said(envelope.error(b"txid"))


def test_a_table_that_says_nothing_of_its_size_is_none():
    with pytest.raises(Malformed, match="a table without fields"):
        envelope.read(bytes(64))


def test_what_frames_cost():
    frames = Frames(4096)
    frames.feed(frame(Opcode.PONG, mask=MASK) * 5 + frame(Opcode.BINARY, b"", mask=MASK, fin=False))
    assert frames.spent == 6
    frames.feed(frame(Opcode.CONTINUATION, bytes(3000), mask=MASK)[:-1])
    assert frames.spent == 6
    frames.feed(b"\0")
    assert frames.spent == 9
    frames.feed(frame(Opcode.BINARY, bytes(10_240), mask=MASK)[:20])
    assert frames.spent == 20
    frames.feed(bytes(5000))
    assert frames.spent == 20


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 30, 36, 63, 64, 65, 300])
def test_acknowledgements_are_alike_however_they_are_made(size):
    for txid in (bytes(size), b"\xff" * size, bytes(range(size % 256))):
        for topic in (b"V", b"", b"\xff" * 8, b"t" * 65):
            assert envelope.ack(txid, topic) == envelope._acked(txid, topic)
