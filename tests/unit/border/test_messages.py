"""Answers of a host that may be hostile: read whole, within limits, or refused as none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onshore.border.sending.messages import MAX_BODY, MAX_HEAD, Reading, Request
from onshore.words.errors import Malformed

OK = b"HTTP/1.1 200 OK\r\n"


def read(raw, method="GET", *, step=None, closed=True):
    reading = Reading(method)
    for start in range(0, len(raw), step or max(len(raw), 1)):
        if (answer := reading.feed(raw[start : start + (step or len(raw))])) is not None:
            return answer
    return reading.feed(b"") if closed else None


ANSWERS = [
    (OK + b"Content-Length: 3\r\n\r\nabc", "GET", 200, b"abc"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", "GET", 200, b"abcde"),
    (OK + b"\r\nuntil it closes", "GET", 200, b"until it closes"),
    (OK + b"Content-Length: 99\r\n\r\n", "HEAD", 200, b""),
    (b"HTTP/1.1 204 No Content\r\nUpload-Offset: 7\r\n\r\n", "PATCH", 204, b""),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", "POST", 201, b""),
    (b"HTTP/1.0 404\r\nContent-Length: 0\r\n\r\n", "GET", 404, b""),
]


@pytest.mark.parametrize(("raw", "method", "status", "body"), ANSWERS)
@pytest.mark.parametrize("step", [1, 2, 7, None])
def test_an_answer_is_read_however_it_arrives(raw, method, status, body, step):
    answer = read(raw, method, step=step)
    assert (answer.status, answer.body) == (status, body)


@pytest.mark.parametrize(("raw", "method", "_status", "_body"), ANSWERS)
def test_an_answer_that_breaks_off_is_none(raw, method, _status, _body):
    ends_itself = b"until it closes" in raw
    for cut in range(len(raw)):
        if ends_itself and cut >= raw.index(b"\r\n\r\n") + 4:
            continue
        with pytest.raises(Malformed, match="closed"):
            read(raw[:cut], method)


HOSTILE = {
    "its head is longer": OK + b"".join(b"X-%d: y\r\n" % n for n in range(10_000)),
    "head is longer than": OK + b"X: " + b"y" * (MAX_HEAD + 1),
    "is longer than 32768": b"HTTP/1.1 100 Continue\r\n\r\n" * 5000,
    "its body is longer": OK + b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1),
    "has no length": OK + b"Content-Length: -1\r\n\r\n",
    "or has no length": OK + b"Content-Length: 1, 1\r\n\r\n",
    "body is longer than": OK + b"\r\n" + b"x" * (MAX_BODY + 1),
    "longer than 1048576": OK + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n",
    "framed": OK + b"Transfer-Encoding: gzip\r\n\r\n",
    "nobody asked": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "chunks are not": OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "or trailers": OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n",
    "does not end": OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * (MAX_HEAD + 1),
    "not as HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "as HTTP/1.1 has": OK + b" folded\r\n\r\n",
    "twice": OK + b"Upload-Offset: 1\r\nUpload-Offset: 2\r\n\r\n",
}


@pytest.mark.parametrize("why", HOSTILE)
def test_what_is_no_answer_is_refused_before_it_fills_the_memory(why):
    with pytest.raises(Malformed, match=why):
        read(HOSTILE[why], closed=False)


def test_bytes_after_an_answer_end_the_connection():
    assert read(OK + b"Content-Length: 1\r\n\r\nab").ends
    assert read(OK + b"Connection: Close\r\nContent-Length: 1\r\n\r\na").ends
    assert not read(OK + b"Content-Length: 1\r\n\r\na").ends


@given(st.binary(max_size=300), st.integers(1, 40))
def test_anything_else_is_refused_as_malformed(raw, step):
    reading = Reading("GET")
    try:
        for start in range(0, len(raw), step):
            reading.feed(OK[: start % 20] + raw[start : start + step])
    except Malformed:
        pass


@pytest.mark.parametrize("value", ["a\r\nB: c", "\x00", "ü"])
def test_no_value_breaks_out_of_its_line(value):
    with pytest.raises(Malformed, match="printable"):
        Request("GET", "/", {"X": value}).head("host")
    with pytest.raises(Malformed, match="printable"):
        Request("GET", f"/{value}").head("host")
