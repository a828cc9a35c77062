"""Sending to a host that may be down, slow, or lie: what it may not do, and what is known afterwards."""

import itertools
import socket
import threading

import pytest

from onshore.border import send as sending
from onshore.border.send import give_up, send
from onshore.border.sending.destinations import Folder
from onshore.words.errors import Malformed, Refusal
from receiving import Authority
from sending_makers import Book, Honest, Talker, answer, host_at

pytestmark = pytest.mark.sqlite  # nothing of it lies in papers

SIZE = 4500
PROOF = "proof of the entry\n"


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "ca")


@pytest.fixture
def sealed(tmp_path):
    path = tmp_path / "t1-1.parcel"
    path.write_bytes(bytes(n % 251 for n in range(SIZE)))
    return path


@pytest.fixture
def going(authority, sealed):
    """Sends the parcel to a server that says what it is told to; what was heard, with its account."""

    def go(says, book=None, may_go=lambda: None, **change):
        book = book or Book()
        with Talker(authority, says) as talker:
            host = host_at(talker.port, authority, **change)
            try:
                return send(sealed, PROOF, host, may_go=may_go, account=book), talker, book
            finally:
                go.talker, go.book = talker, book

    return go


def refused(reason, act):
    with pytest.raises(Refusal) as caught:
        act()
    assert caught.value.reason == reason
    assert caught.value.remedy
    return caught.value


def bytes_of(sealed):
    return sealed.read_bytes()


def test_the_proof_goes_first_then_the_parcel_in_parts(going, sealed):
    honest = Honest()
    sent, talker, book = going(honest)
    assert list(honest.files.values()) == [PROOF.encode(), bytes_of(sealed)]
    assert sent.where == f"https://localhost:{talker.port}/files/1"
    assert [len(asked.body) for asked in talker.heard if asked.method == "PATCH"] == [19, 1000, 1000, 1000, 1000, 500]
    assert (book.known, book.begun_to) == (SIZE, SIZE)


def test_every_byte_that_the_kernel_took_is_counted(going):
    *_, book = going(Honest())
    assert book.wire == book.kernel > SIZE + len(PROOF)


class Quiet:
    """A TCP socket of a kernel before Linux 4.19, which says less of it."""

    def getsockopt(self, _level, _option, size):
        return bytes(size - 8)


def test_where_the_kernel_does_not_say_what_it_took_what_was_counted_here_counts(going, monkeypatch):
    one, other = socket.socketpair()
    with one, other:
        assert sending._kernel(one) is None, "it is no TCP socket"
    monkeypatch.setattr(sending, "_kernel", lambda _, real=sending._kernel: real(Quiet()))
    *_, book = going(Honest())
    assert book.wire == book.kernel > SIZE + len(PROOF)


def test_nobody_is_asked_to_do_away_with_what_lies_in_the_outbox(tmp_path):
    book = Book()
    assert not give_up(Folder(tmp_path, "DE"), book)
    assert book.due == book.wire == 0


def test_a_token_is_shown_and_nothing_of_it_is_kept(going):
    _, talker, book = going(Honest(), token="secret-token")
    assert all(asked.headers["authorization"] == "Bearer secret-token" for asked in talker.heard)
    assert "secret-token" not in str(book.said)


class Breaks(Honest):
    """Closes the connection at the n-th part, before or after it took it."""

    def __init__(self, at, *, takes):
        super().__init__()
        self.left, self.takes = at, takes

    def patch(self, asked):
        self.left -= 1
        if self.left == 0 and not self.takes:
            return None
        said = super().patch(asked)
        return None if self.left == 0 else said


@pytest.mark.parametrize("takes", [False, True])
@pytest.mark.parametrize("at", [1, 2, 4, 6])
def test_after_a_break_the_rest_follows_and_nothing_twice(going, sealed, at, takes):
    says, book = Breaks(at, takes=takes), Book()
    refused("not-reached", lambda: going(says, book))
    assert book.begun_to >= book.known
    there = len(says.files.get("/files/1", b""))
    assert book.begun_to >= there, "what may have arrived is never told to be less than what did"
    going(says, book)
    assert says.files["/files/1" if at > 1 else [*says.files][-1]] == bytes_of(sealed)
    parts = [a for a in going.talker.heard if a.method == "PATCH" and a.path != "/files/0" and "Proof" not in a.path]
    assert sum(len(a.body) for a in parts if len(a.body) != len(PROOF)) == SIZE - there
    assert book.wire == book.kernel


def test_what_is_revoked_between_two_parts_stops_at_the_next(going):
    says, asked = Honest(), []

    def may_go():
        asked.append(1)
        if len(asked) == 5:
            raise Refusal("permit-revoked", "the regulator revoked this permit", remedy="ask for a new one")

    refused("permit-revoked", lambda: going(says, may_go=may_go))
    assert len(says.files["/files/1"]) == 2000
    assert (going.book.known, going.book.begun_to) == (2000, 2000)


def test_what_is_given_up_is_deleted_where_the_host_lets_us(authority, going):
    says, book = Breaks(3, takes=True), Book()
    refused("not-reached", lambda: going(says, book))
    with Talker(authority, says) as talker:
        assert give_up(host_at(talker.port, authority), book)
        assert [asked.method for asked in talker.heard] == ["DELETE", "DELETE"]
    assert not says.files
    assert not give_up(host_at(1, authority), book), "nobody is there to be asked"
    assert book.begun_to == 2000, "what it has read, it has read"


def changed(method, said):
    class Liar(Honest):
        pass

    setattr(Liar, method, lambda self, asked: said(self, asked) if callable(said) else said)
    return Liar()


OFFSET = "HTTP/1.1 {} X\r\nUpload-Offset: {}\r\nUpload-Length: {}\r\n\r\n"
LIES = {
    "takes too little": ("patch", OFFSET.format(204, 1, SIZE).encode()),
    "takes too much": ("patch", OFFSET.format(204, 10**9, SIZE).encode()),
    "says no offset": ("patch", b"HTTP/1.1 204 X\r\n\r\n"),
    "says an offset that is none": ("patch", b"HTTP/1.1 204 X\r\nUpload-Offset: -1\r\n\r\n"),
    "has less at the end": ("head", OFFSET.format(200, 7, SIZE).encode()),
    "has more at the end": ("head", OFFSET.format(200, SIZE + 1, SIZE).encode()),
    "has another length": ("head", OFFSET.format(200, SIZE, SIZE + 1).encode()),
    "answers no HTTP": ("post", b"hello\r\n\r\n"),
    "never ends its head": ("post", b"HTTP/1.1 201 X\r\n" + b"X: y\r\n" * 20_000),
    "sends a huge body": ("post", b"HTTP/1.1 201 X\r\nContent-Length: 99999999999\r\n\r\n"),
    "sends interim answers alone": ("post", b"HTTP/1.1 100 X\r\n\r\n" * 20_000),
    "names a place that is none": ("post", answer(201, "Location: /ä b")),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_host_that_lies_or_floods_is_not_believed(going, lie):
    method, said = LIES[lie]
    with pytest.raises(Malformed):
        going(changed(method, said))
    assert going.book.known <= SIZE
    assert going.book.wire == going.book.kernel, "a failure is counted like anything else"


ELSEWHERE = {
    "a redirect of the upload": ("post", answer(307, "Location: https://elsewhere.example/files")),
    "a redirect of a part": ("patch", answer(308, "Location: https://elsewhere.example/files/1")),
    "an upload at another host": ("post", answer(201, "Location: https://elsewhere.example/files/1")),
    "an upload at another port": ("post", answer(201, "Location: https://localhost:1/files/1")),
    "an upload without a scheme": ("post", answer(201, "Location: //elsewhere.example/files/1")),
    "an upload in the clear": ("post", answer(201, "Location: http://localhost/files/1")),
    "an upload nowhere": ("post", answer(201)),
}


@pytest.mark.parametrize("where", ELSEWHERE)
def test_nobody_follows_to_another_place(going, where):
    refused("redirected", lambda: going(changed(*ELSEWHERE[where])))
    assert going.book.begun_to == 0, "nothing of the parcel went anywhere"


@pytest.mark.parametrize("status", [200, 400, 403, 404, 413, 423, 500, 507])
def test_any_other_answer_is_refused_with_its_number(going, status):
    assert str(status) in refused("not-taken", lambda: going(changed("patch", answer(status)))).says


def test_a_host_that_answers_byte_by_byte_is_not_waited_for_for_ever(going):
    never = threading.Event()

    def trickle(_self, _asked):
        for byte in itertools.cycle(b"HTTP/1.1 201 X\r\n" + b"X: y\r\n" * 100):
            yield bytes([byte])
            never.wait(0.01)

    refused("not-reached", lambda: going(changed("post", trickle), seconds=0.3))


def test_a_host_that_says_nothing_is_not_waited_for_for_ever(going):
    refused("not-reached", lambda: going(changed("post", b""), seconds=0.3))


def test_an_answer_that_is_cut_off_is_not_believed(going):
    """A body that ends with the connection is whole only where TLS says that it ends."""
    refused("not-reached", lambda: going(changed("post", [b"HTTP/1.1 201 X\r\nLocation: /files/1\r\n\r\n", None])))


@pytest.mark.parametrize("swapped", ["another authority", "another name"])
def test_a_host_that_is_not_the_one_hears_nothing(tmp_path, authority, sealed, swapped):
    """DNS that moves leads to a machine without the certificate: not one byte of a request reaches it."""
    other, name = (
        (Authority(tmp_path / "other"), "localhost") if "authority" in swapped else (authority, "elsewhere.example")
    )
    book = Book()
    with Talker(other, Honest(), name) as talker:
        host = host_at(talker.port, authority)
        why = refused("not-reached", lambda: send(sealed, PROOF, host, may_go=lambda: None, account=book))
        assert "certificate does not hold" in why.says
        assert talker.heard == []
    assert book.begun_to == 0
    assert book.wire == book.kernel > 0


def test_an_upload_that_the_host_forgot_begins_anew(going, sealed):
    says, book = Breaks(3, takes=True), Book()
    refused("not-reached", lambda: going(says, book))
    del says.files["/files/1"]
    going(says, book)
    assert bytes_of(sealed) in says.files.values()
    assert book.begun_to == SIZE


def test_a_host_without_tls_at_all_hears_nothing(sealed, authority):
    with socket.create_server(("127.0.0.1", 0)) as plain:
        heard = []

        def once():
            sock, _ = plain.accept()
            with sock:
                heard.append(sock.recv(1 << 16))
                sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        thread = threading.Thread(target=once)
        thread.start()
        host = host_at(plain.getsockname()[1], authority)
        refused("not-reached", lambda: send(sealed, PROOF, host, may_go=lambda: None, account=Book()))
        thread.join()
    assert b"POST" not in heard[0]
