"""An upload by tus 1.0: made, its offset asked, its parts patched on; each answer is held against what was sent."""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from onshore.border.sending.messages import Answer, Request
from onshore.words.errors import Malformed, Refusal

Ask = Callable[[Request], Answer]
_VERSION = {"Tus-Resumable": "1.0.0"}
_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)
_PATH = re.compile(r"/[!-~]{0,2000}")
_WHERE = "the answer of the recipient's server"


class Book(Protocol):
    """What is written down, durably, as an upload goes on."""

    def remote(self) -> dict[str, str]:
        """What the other side calls the upload."""

    def most(self) -> int:
        """Bytes of the sealed file that are there, or may be."""

    def remember(self, **said: str) -> None:
        """Remember what the other side calls the upload."""

    def begun(self, until: int) -> None:
        """The sealed file is about to go up to this byte."""

    def there(self, count: int) -> None:
        """The other side says that it has so many bytes of it."""


@dataclass(frozen=True)
class File:
    """What is sent: its name there, its size, its SHA-256 in hex, and its bytes [from, until)."""

    name: str
    size: int
    sha256: str
    cut: Callable[[int, int], bytes]


@dataclass(frozen=True)
class Uploads:
    """Where uploads are made: `path` at `authority` (host and port as the Host header has them)."""

    ask: Ask
    path: str
    authority: str
    headers: Mapping[str, str]
    part: int

    def proof(self, file: File, book: Book) -> None:
        """Send the proof, all at once; a second time where it is not known to be there."""
        if not book.remote().get("proof"):
            place = self._made(file)
            self._patched(place, 0, file.cut(0, file.size))
            book.remember(proof=place)

    def parcel(self, file: File, book: Book, may_go: Callable[[], None]) -> str:
        """Send the sealed file from where the server has it on; its place there."""
        place = book.remote().get("upload")
        at = None if place is None else self._offset(place, file, book)
        if place is None or at is None:
            may_go()
            place, at = self._made(file), 0
            book.remember(upload=place)
        for start, until in _parts(at, file.size, self.part):
            may_go()
            book.begun(until)
            self._patched(place, start, file.cut(start, until))
            book.there(until)
        if self._offset(place, file, book) not in (None, file.size):  # some forget an upload once they have it all
            raise Malformed("it took every part, and then did not have the whole", where=_WHERE)
        return place

    def drop(self, book: Book) -> None:
        """Ask the server to do away with what it has of an upload (tus: termination); it may decline."""
        for name in ("upload", "proof"):
            if place := book.remote().get(name):
                self.ask(Request("DELETE", place, {**_VERSION, **self.headers}))

    def _made(self, file: File) -> str:
        said = {"filename": file.name, "filetype": "application/octet-stream", "sha256": file.sha256}
        metadata = ",".join(f"{name} {base64.b64encode(word.encode()).decode()}" for name, word in said.items())
        headers = {**_VERSION, **self.headers, "Upload-Length": str(file.size), "Upload-Metadata": metadata}
        answer = self.ask(Request("POST", self.path, headers))
        refuse_unless(answer, 201)
        return self._place(answer.headers.get("location", ""))

    def _place(self, location: str) -> str:
        """The path of an upload; refused (`redirected`) where it is at another host than the settings name."""
        path = location.removeprefix(f"https://{self.authority}")
        if not path.startswith("/") or path.startswith("//"):
            raise redirected()
        if not _PATH.fullmatch(path):
            raise Malformed("the place of the upload is no path", where=_WHERE)
        return path

    def _offset(self, place: str, file: File, book: Book) -> int | None:
        """How much the server has; None where it knows nothing of the upload any more."""
        answer = self.ask(Request("HEAD", place, {**_VERSION, **self.headers}))
        if answer.status in (404, 410):
            return None
        refuse_unless(answer, 200, 204)
        at = _number(answer, "upload-offset")
        if _number(answer, "upload-length") != file.size:
            raise Malformed("it has another length for this upload than the parcel's", where=_WHERE)
        if at > book.most():
            raise Malformed("it says that it has more of the parcel than was ever sent", where=_WHERE)
        book.there(at)
        return at

    def _patched(self, place: str, at: int, data: bytes) -> None:
        kind = {"Upload-Offset": str(at), "Content-Type": "application/offset+octet-stream"}
        answer = self.ask(Request("PATCH", place, {**_VERSION, **self.headers, **kind}, data))
        refuse_unless(answer, 204)
        if _number(answer, "upload-offset") != at + len(data):
            raise Malformed("it says another offset than the part that it took leads to", where=_WHERE)


def refuse_unless(answer: Answer, *wanted: int) -> None:
    """Refuse any answer but these: `redirected`, or `not-taken` with the number that came."""
    if 300 <= answer.status < 400:
        raise redirected()
    if answer.status not in wanted:
        raise Refusal(
            "not-taken",
            f"the recipient's server answered {answer.status}",
            remedy="ask the recipient what it wants; then ship again, which goes on where this ended",
        )


def redirected() -> Refusal:
    """The server sent us elsewhere; nobody follows."""
    return Refusal(
        "redirected",
        "the recipient's server points to another place; parcels go to the host that site.toml names and to no other",
        remedy="ask the recipient for the place itself, and name it, with its jurisdiction, in [recipients.NAME.send]",
    )


def _parts(at: int, size: int, part: int) -> Iterator[tuple[int, int]]:
    for start in range(at, size, part):
        yield start, min(start + part, size)


def _number(answer: Answer, name: str) -> int:
    said = answer.headers.get(name, "")
    if not _NUMBER.fullmatch(said):
        raise Malformed(f"it says no {name}", where=_WHERE)
    return int(said)
