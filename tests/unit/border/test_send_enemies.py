"""Servers that answer before they were asked in full, hang up at any byte, or say that they have what never went."""

import socket
import ssl
import threading

import pytest

from onshore.border.send import send
from onshore.words.errors import Malformed, Refusal
from receiving import Authority
from sending_makers import Book, answer, host_at

pytestmark = pytest.mark.sqlite  # nothing of it lies in papers

PROOF = "proof of the entry\n"


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "ca")


@pytest.fixture
def sealed(tmp_path):
    path = tmp_path / "t1-1.parcel"
    path.write_bytes(bytes(n % 251 for n in range(20 << 20)))
    return path


class Early:
    """Takes an upload as it should, and answers its first part of the parcel once it has read so many bytes of it."""

    def __init__(self, authority, said, *, reads=0, hangs_up=False):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*reversed(authority.server()))
        self.said, self.reads, self.hangs_up, self.over = said, reads, hangs_up, threading.Event()
        self.listening = socket.socket()
        self.listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.listening.bind(("127.0.0.1", 0))
        self.listening.listen()
        self.port = self.listening.getsockname()[1]

    def __enter__(self):
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.listening.close()

    def _run(self):
        plain, _ = self.listening.accept()
        with self.context.wrap_socket(plain, server_side=True) as sock:
            for place, offset in ((0, None), (0, len(PROOF)), (1, None)):
                self._asked(sock, 0 if offset is None else offset)
                said = f"Location: /files/{place}" if offset is None else f"Upload-Offset: {offset}"
                sock.sendall(
                    answer(201 if offset is None else 204, said)[: -len("Content-Length: 0\r\n\r\n")] + b"\r\n"
                    if offset is not None
                    else answer(201, said)
                )
            self._asked(sock, self.reads)
            sock.sendall(self.said)
            if not self.hangs_up:
                self.over.wait()

    def _asked(self, sock, length):
        raw = b""
        while b"\r\n\r\n" not in raw or len(raw.partition(b"\r\n\r\n")[2]) < length:
            raw += sock.recv(1000)


@pytest.mark.parametrize("hangs_up", [False, True], ids=["waits", "hangs up"])
@pytest.mark.parametrize("part", [200_000, 16 << 20], ids=["a part that fits the kernel", "a part that does not"])
@pytest.mark.parametrize("status", [413, 429, 503])
def test_a_refusal_is_heard_before_all_of_a_part_went_and_every_byte_counted(authority, sealed, status, part, hangs_up):
    said = answer(status, "Retry-After: 86400", body=b"no")
    with Early(authority, said, reads=100, hangs_up=hangs_up) as server:
        book = Book()
        host = host_at(server.port, authority, part=part)
        with pytest.raises(Refusal) as refused:
            send(sealed, PROOF, host, may_go=lambda: None, account=book)
    assert refused.value.reason in (("not-taken", "not-reached") if hangs_up else ("not-taken",))
    assert hangs_up or str(status) in refused.value.says
    assert book.wire == book.kernel > 0
    assert (book.known, book.begun_to) == (0, part)


def test_who_takes_a_part_that_never_went_is_not_believed(authority, sealed):
    part = 16 << 20
    with Early(authority, b"HTTP/1.1 204 X\r\nUpload-Offset: %d\r\n\r\n" % part) as server:
        book = Book()
        with pytest.raises(Malformed):
            send(sealed, PROOF, host_at(server.port, authority, part=part), may_go=lambda: None, account=book)
    assert book.wire == book.kernel < part
    assert book.known == 0
