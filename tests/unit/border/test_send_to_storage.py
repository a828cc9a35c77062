"""Storage that fails, forgets or lies: a parcel is only where all its parts are, as they were cut here."""

import hashlib
import re
from types import SimpleNamespace

import pytest

from onshore.border.send import give_up, send
from onshore.border.sending.bucket import Objects
from onshore.border.sending.messages import Reading
from onshore.border.sending.sigv4 import Keys
from onshore.border.sending.tus import File
from onshore.words.errors import Malformed, Refusal
from receiving import Authority
from sending_makers import Book, Talker, answer, host_at

pytestmark = pytest.mark.sqlite  # nothing of it lies in papers

SIZE, PART = 4500, 1000
AT = "/bucket/t1-1.parcel"


class Storage:
    """As much of S3 as is spoken here; a test changes what it likes."""

    def __init__(self):
        self.parts, self.objects, self.upload, self.breaks = {}, {}, "", 0

    def __call__(self, asked):
        path, _, query = asked.path.partition("?")
        if "uploads=" in query:
            self.upload = "up & 1"
            return self.xml("<UploadId>up &amp; 1</UploadId>")
        if number := re.search("partNumber=([0-9]+)", query):
            self.breaks -= 1
            return None if self.breaks == 0 else self.put(int(number[1]), asked.body)
        if asked.method == "GET":
            return self.listed()
        if asked.method == "POST":
            return self.complete(path, asked.body)
        if asked.method == "HEAD":
            return self.head(path)
        if asked.method == "DELETE":
            self.upload = "" if query else self.upload
            self.objects.pop("" if query else path, None)
            return b"HTTP/1.1 204 X\r\n\r\n"
        self.objects[path] = asked.body
        return answer(200)

    def xml(self, text):
        return answer(200, body=text.encode())

    def put(self, number, body):
        self.parts[number] = body
        return answer(200, f'ETag: "{hashlib.md5(body).hexdigest()}"')

    def listed(self):
        found = "".join(
            f"<Part><PartNumber>{n}</PartNumber><Size>{len(b)}</Size>"
            f"<ETag>&quot;{hashlib.md5(b).hexdigest()}&quot;</ETag></Part>"
            for n, b in self.parts.items()
        )
        return self.xml(f"<ListPartsResult>{found}</ListPartsResult>") if self.upload else answer(404)

    def complete(self, path, _body):
        self.objects[path] = b"".join(self.parts[n] for n in sorted(self.parts))
        return self.xml("<CompleteMultipartUploadResult/>")

    def head(self, path):
        if path not in self.objects:
            return answer(404)
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self.objects[path])


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "ca")


@pytest.fixture
def going(authority, tmp_path):
    sealed = tmp_path / "t1-1.parcel"
    sealed.write_bytes(bytes(n % 251 for n in range(SIZE)))

    def go(says, book, act=None):
        with Talker(authority, says) as talker:
            host = host_at(talker.port, authority, part=PART, path="/bucket", keys=Keys("a", "s", "r"))
            act = act or (lambda: send(sealed, "proof", host, may_go=lambda: None, account=book))
            return act() if not isinstance(act, str) else give_up(host, book)

    return go


@pytest.fixture
def stopped(going):
    """Storage that broke off at the third part, and the account of it."""
    storage, book = Storage(), Book()
    storage.breaks = 3
    with pytest.raises(Refusal):
        going(storage, book)
    assert (book.known, book.begun_to) == (2000, 3000)
    return storage, book


def test_parts_that_are_there_are_not_put_again(going, stopped):
    storage, book = stopped
    put = []
    real = storage.put
    storage.put = lambda number, body: put.append(number) or real(number, body)
    sent = going(storage, book)
    assert sent.where.endswith(AT)
    assert put == [3, 4, 5]
    assert storage.objects[AT] == bytes(n % 251 for n in range(SIZE))
    assert (book.known, book.begun_to) == (SIZE, SIZE)
    assert book.wire == book.kernel


def test_parts_under_another_digest_are_put_again(going, stopped):
    storage, book = stopped
    storage.parts = {1: b"x" * PART, 2: storage.parts[2]}
    going(storage, book)
    assert storage.objects[AT] == bytes(n % 251 for n in range(SIZE))


def test_an_upload_that_was_forgotten_begins_anew(going, stopped):
    storage, book = stopped
    storage.upload, storage.parts = "", {}
    going(storage, book)
    assert len(storage.objects[AT]) == SIZE


def test_an_object_whose_answer_was_lost_is_not_put_again(going):
    storage, book = Storage(), Book()
    real, storage.complete = storage.complete, lambda *said: Storage.complete(storage, *said) and None
    with pytest.raises(Refusal):
        going(storage, book)
    storage.complete, storage.put = real, None
    going(storage, book)
    assert (book.known, book.begun_to) == (SIZE, SIZE)


def test_what_is_given_up_is_taken_away(going, stopped):
    storage, book = stopped
    assert going(storage, book, "give up")
    assert (storage.upload, storage.objects) == ("", {})


def test_what_was_never_begun_is_not_asked_to_be_taken_away(going):
    asked = []
    assert going(asked.append, Book(), "give up")
    assert asked == []


def test_what_storage_would_not_take_in_so_many_parts_goes_in_larger_ones():
    """S3 takes 10,000 at most."""
    storage, book, content = Storage(), Book(), bytes(n % 251 for n in range(20_000))

    def ask(request):
        asked = SimpleNamespace(method=request.method, path=request.target, body=request.body)
        return Reading(request.method).feed(storage(asked))

    parcel = File("t1-1.parcel", len(content), "", lambda start, until: content[start:until])
    assert Objects(ask, "/bucket", 1).parcel(parcel, book, lambda: None) == AT
    assert storage.objects[AT] == content
    assert max(storage.parts) == len(storage.parts) <= 10_000
    assert book.known == len(content)


ERROR = b"<?xml version='1.0'?><Error><Code>InternalError</Code></Error>"
LIES = {
    "an error that begins with 200": {"complete": lambda *_: answer(200, body=ERROR)},
    "a whole that is nowhere": {"complete": lambda *_: answer(200, body=b"<CompleteMultipartUploadResult/>")},
    "a whole of another length": {"head": lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"},
    "a whole of no length": {"head": lambda _: b"HTTP/1.1 200 OK\r\n\r\n"},
    "a part without a tag": {"put": lambda *_: answer(200)},
    "a part by a tag that breaks out": {"put": lambda *_: answer(200, 'ETag: "</ETag><x>"')},
    "a list in a language of its own": {"xml": lambda _: answer(200, "Content-Encoding: gzip", body=b"\x1f\x8b\x08")},
}


@pytest.mark.parametrize("lie", LIES)
def test_storage_that_lies_is_not_believed(going, lie):
    storage, book = Storage(), Book()
    vars(storage).update(LIES[lie])
    with pytest.raises(Malformed):
        going(storage, book)
    assert book.known <= SIZE
    assert book.wire == book.kernel


PART_THAT_IS_NOT = "<Part><PartNumber>{}</PartNumber><Size>{}</Size><ETag>x</ETag></Part>"
LISTS = {
    "more than there is": PART_THAT_IS_NOT.format(9, SIZE + 1),
    "a size that is none": PART_THAT_IS_NOT.format(1, "-1"),
    "a page that never ends": "<IsTruncated>true</IsTruncated>",
    "an object that nobody sent": None,
}


@pytest.mark.parametrize("lie", LISTS)
def test_a_list_that_lies_is_not_believed(going, stopped, lie):
    storage, book = stopped
    if LISTS[lie] is None:
        storage.objects[AT] = b"x" * SIZE
    else:
        storage.listed = lambda: storage.xml(LISTS[lie])
    with pytest.raises(Malformed):
        going(storage, book)
    assert book.known == 2000


def test_a_list_whose_pages_never_end_is_not_read_for_ever(going, stopped):
    storage, book = stopped
    pages = []
    page = "<IsTruncated>true</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker>"
    storage.listed = lambda: pages.append(1) or storage.xml(page)
    going(storage, book)
    assert len(pages) == 32
    assert storage.objects[AT] == bytes(n % 251 for n in range(SIZE)), "what no list showed was put again"
