"""The small server: bounded heads, bodies, times and connections; whoever misbehaves is cut off, others are served."""

import contextlib
import http.client
import socket

import pytest

from onshore.ledger import answering
from onshore.ledger.signer import Signer
from onshore.ledger.witness import MAX_BODY, Answer
from onshore.words.errors import Malformed
from witness_makers import Running

VKEY = Signer("example.org/log", b"s" * 32).vkey


def echo(method, path, body):
    return Answer(200, f"{method} {path} ".encode() + body, "text/plain")


@pytest.fixture
def served(tmp_path):
    """A server whose patience is short."""
    there = Running(tmp_path / "w", "w.example", VKEY, seconds=0.5, idle=0.5, connections=4, of_one=4)
    there.serve(echo)
    yield there
    there.stop()


def connected(there):
    return http.client.HTTPConnection("127.0.0.1", there.port, timeout=20)


def raw(there, said):
    with socket.create_connection(("127.0.0.1", there.port), 20) as sock:
        with contextlib.suppress(ConnectionError):
            sock.sendall(said)
        return rest(sock)


def rest(sock):
    got = b""
    with contextlib.suppress(ConnectionError):
        while data := sock.recv(1 << 16):
            got += data
    return got


def test_requests_follow_each_other_on_one_connection(served):
    client = connected(served)
    for n in range(5):
        client.request("POST", f"/p?q={n}", b"x" * n)
        answer = client.getresponse()
        assert answer.status == 200
        assert answer.read() == b"POST /p " + b"x" * n
    client.request("HEAD", "/h")
    answer = client.getresponse()
    assert (answer.status, answer.read()) == (200, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    client.close()


def test_two_requests_in_one_packet(served):
    said = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
    got = raw(served, said + said.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert got.count(b"HTTP/1.1 200") == 2


def test_who_waits_before_the_body_is_told_to_go_on(served):
    with socket.create_connection(("127.0.0.1", served.port), 20) as sock:
        sock.sendall(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 100")
        sock.sendall(b"abc")
        assert b"POST /a abc" in sock.recv(1000)


def test_a_body_that_is_too_long_413(served):
    got = raw(served, b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n" + b"x" * (MAX_BODY + 70_000))
    assert got == b"" or b" 413 " in got.split(b"\r\n")[0]  # the system may drop the answer where more was sent


def test_a_chunked_body_that_never_ends_413(served):
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    got = raw(served, b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 20)
    assert got == b"" or b" 413 " in got.split(b"\r\n")[0]


@pytest.mark.parametrize(
    "said",
    [
        b"GET /a HTTP/1.1\r\n" + b"X: y\r\n" * 5000,
        b"GET /" + b"a" * 20_000,
        b"\x16\x03\x01\x02\x00",
        b"GET /a HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
        b"",
    ],
)
def test_hostile_bytes_end_their_own_connection_alone(served, said):
    got = raw(served, said)
    assert got == b"" or got.split(b" ")[1].startswith(b"4")
    client = connected(served)
    client.request("GET", "/still")
    assert client.getresponse().read() == b"GET /still "
    client.close()


def test_a_head_that_never_comes_to_its_end(served):
    with socket.create_connection(("127.0.0.1", served.port), 20) as sock:
        sock.sendall(b"GET /a HTTP/1.1\r\n")
        assert rest(sock) == b""


def test_nobody_holds_all_connections(served):
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.create_connection(("127.0.0.1", served.port), 20)) for _ in range(6)]
        assert [rest(sock) for sock in held] == [b""] * 6  # too many, or idle for too long
    client = connected(served)
    client.request("GET", "/after")
    assert client.getresponse().status == 200
    client.close()


@pytest.mark.parametrize(
    ("one", "other"),
    [("2001:db8::1", "2001:db8::ffff:1"), ("fe80::1%eth0", "fe80::2%eth0"), ("::ffff:10.0.0.1", "10.0.0.1")],
)
def test_who_has_many_addresses_is_one_client(one, other):
    """A house has 2**64 addresses of IPv6: each counted by itself, it would hold all connections."""
    assert answering._whose(one) == answering._whose(other)
    assert len({answering._whose(a) for a in ("10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8:0:1::1", "")}) == 5


def test_a_certificate_that_is_none(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text("no PEM")
    with pytest.raises(Malformed, match="not to be used"):
        answering.tls(tmp_path / "a", tmp_path / "b")
