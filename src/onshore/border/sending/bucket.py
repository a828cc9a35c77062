"""A multipart upload to S3-compatible storage: parts that are there already are listed and not sent again."""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape

from onshore.border.sending.messages import Answer, Request, encoded
from onshore.border.sending.tus import Book, File, refuse_unless
from onshore.words.errors import Malformed

_MOST_PARTS = 9_999  # storage takes one more
_PAGES = 32  # of a list of parts, each of 1,000 at most
_TAG = re.compile(r'"?[0-9A-Za-z-]{1,128}"?')
_WHERE = "the answer of the recipient's storage"


@dataclass(frozen=True)
class Objects:
    """A bucket below `path`; `ask` signs (Signature Version 4). `part`: bytes of a part, at least."""

    ask: Callable[[Request], Answer]
    path: str
    part: int

    def proof(self, file: File, book: Book) -> None:
        """Put the proof as an object of its own; a second time where it is not known to be there."""
        if not book.remote().get("proof"):
            refuse_unless(self.ask(Request("PUT", self._at(file), body=file.cut(0, file.size))), 200)
            book.remember(proof=self._at(file))

    def parcel(self, file: File, book: Book, may_go: Callable[[], None]) -> str:
        """Put the sealed file, part by part from what is there on; the object's path."""
        path, known = self._at(file), book.remote().get("upload")
        if known and self._whole(path, file, book):
            return path  # it was put together, and the answer to that was lost
        there = None if known is None else self._listed(path, known, file)
        if known is None or there is None:
            may_go()
            known, there = self._made(path), {}
            book.remember(upload=known)
        tags = dict(self._put(path, known, file, book, may_go, there))
        self._completed(path, known, tags)
        if not self._whole(path, file, book):
            raise Malformed("it took every part, and then did not have the whole", where=_WHERE)
        return path

    def drop(self, book: Book) -> None:
        """Have the storage do away with the parts of an upload, and with the proof."""
        said = book.remote()
        if (upload := said.get("upload")) and (path := said.get("object")):
            self.ask(Request("DELETE", path, query={"uploadId": upload}))
        if proof := said.get("proof"):
            self.ask(Request("DELETE", proof))

    def _at(self, file: File) -> str:
        return f"{self.path}/{encoded(file.name)}"

    def _made(self, path: str) -> str:
        headers = {"Content-Type": "application/octet-stream"}
        answer = self.ask(Request("POST", path, headers, query={"uploads": ""}))
        refuse_unless(answer, 200)
        return _one(_text(answer), "UploadId")

    def _put(
        self,
        path: str,
        upload: str,
        file: File,
        book: Book,
        may_go: Callable[[], None],
        there: dict[int, tuple[int, str]],
    ) -> Iterator[tuple[int, str]]:
        book.remember(object=path)
        for number, (start, until) in enumerate(self._parts(file.size), 1):
            data = file.cut(start, until)
            digest = hashlib.md5(data, usedforsecurity=False).hexdigest()  # how storage names a part, and no more
            if there.get(number, (0, ""))[0] == len(data) and there[number][1].strip('"') == digest:
                book.begun(until)
                book.there(until)
                yield number, there[number][1]
                continue
            may_go()
            book.begun(until)
            query = {"partNumber": str(number), "uploadId": upload}
            answer = self.ask(Request("PUT", path, body=data, query=query))
            refuse_unless(answer, 200)
            yield number, _tag(answer.headers.get("etag", ""))
            book.there(until)

    def _parts(self, size: int) -> Iterator[tuple[int, int]]:
        step = max(self.part, -(-size // _MOST_PARTS))
        for start in range(0, size, step):
            yield start, min(start + step, size)

    def _listed(self, path: str, upload: str, file: File) -> dict[int, tuple[int, str]] | None:
        """Size and tag of each part that is there; None where the storage knows no such upload any more."""
        found: dict[int, tuple[int, str]] = {}
        after = ""
        for _ in range(_PAGES):
            query = {"uploadId": upload} | ({"part-number-marker": after} if after else {})
            answer = self.ask(Request("GET", path, query=query))
            if answer.status == 404:
                return None
            refuse_unless(answer, 200)
            text = _text(answer)
            for part in re.findall(r"<Part>(.*?)</Part>", text, re.DOTALL):
                number, size = _count(part, "PartNumber"), _count(part, "Size")
                found[number] = size, _tag(unescape(_one(part, "ETag")))
            if "<IsTruncated>true</IsTruncated>" not in text:
                break
            after = str(_count(text, "NextPartNumberMarker"))
        if sum(size for size, _ in found.values()) > file.size:
            raise Malformed("it says that it has more of the parcel than there is", where=_WHERE)
        return found

    def _completed(self, path: str, upload: str, tags: dict[int, str]) -> None:
        """Have the parts put together; an answer may begin with 200 and still hold an error."""
        parts = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{tag}</ETag></Part>" for n, tag in tags.items())
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        answer = self.ask(Request("POST", path, {"Content-Type": "application/xml"}, body, {"uploadId": upload}))
        refuse_unless(answer, 200)
        if "<CompleteMultipartUploadResult" not in _text(answer):
            raise Malformed("it could not put the parts together", where=_WHERE)

    def _whole(self, path: str, file: File, book: Book) -> bool:
        answer = self.ask(Request("HEAD", path))
        if answer.status == 404:
            return False
        refuse_unless(answer, 200)
        if answer.headers.get("content-length") != str(file.size):
            raise Malformed("it has an object of this name with another length than the parcel's", where=_WHERE)
        if book.most() < file.size:
            raise Malformed("it has an object of this name that nobody here has sent", where=_WHERE)
        book.there(file.size)
        return True


def _text(answer: Answer) -> str:
    return answer.body.decode("utf-8", "replace")


def _one(text: str, name: str) -> str:
    found = re.search(rf"<{name}>([^<>]{{1,2000}})</{name}>", text)
    if not found:
        raise Malformed(f"it says no {name}", where=_WHERE)
    return unescape(found[1])


def _count(text: str, name: str) -> int:
    said = _one(text, name)
    if not (said.isascii() and said.isdigit() and len(said) < 16):
        raise Malformed(f"its {name} is no number", where=_WHERE)
    return int(said)


def _tag(said: str) -> str:
    if not _TAG.fullmatch(said):
        raise Malformed("it names a part by no tag", where=_WHERE)
    return said
