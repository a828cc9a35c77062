"""The tus resumable upload protocol 1.0.0 (core, creation, expiration, checksum, termination): headers and answers."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from onshore.words.errors import Malformed, Refusal

VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,checksum,termination"
ALGORITHMS = ("sha256", "sha1", "sha512")
PATCH_TYPE = "application/offset+octet-stream"
CHECKSUM_MISMATCH = 460
MOST_DIGITS = 18
_STATUS = {
    "too-large": 413,
    "too-many-rows": 413,
    "unpacks-too-far": 413,
    "too-fast": 429,
    "too-much-today": 429,
    "locked": 423,
    "busy": 503,
    "gone": 410,
    "not-found": 404,
    "not-kept": 503,
    "size-differs": 400,
    "disk-full": 507,  # RFC 4918, 11.5
}
_AGAIN = {"busy": "10", "not-kept": "10", "locked": "10", "too-fast": "60", "disk-full": "60", "too-much-today": "3600"}
"""Seconds after which it may be tried again."""


@dataclass(frozen=True)
class Answer:
    """What the door says: `headers` beside Tus-Resumable and Content-Length."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def options(most: int) -> Answer:
    """What the door can do (tus, core: OPTIONS); `most`: bytes of a file."""
    return Answer(
        204,
        {
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(most),
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        },
    )


def other_version() -> Answer:
    """The client speaks another version of tus, or none."""
    return Answer(412, {"Tus-Version": VERSION})


def refused(error: Refusal | Malformed) -> Answer:
    """A refusal as a person reads it and a program too: reason, what happened, the law behind it, what would help."""
    if isinstance(error, Malformed):
        return _told(422 if error.where else 400, {"refused": "malformed", "says": str(error)})
    said = {"refused": error.reason, "says": error.says, "article": error.article, "remedy": error.remedy}
    headers = {"Retry-After": _AGAIN[error.reason]} if error.reason in _AGAIN else {}
    return _told(_STATUS.get(error.reason, 403), said, headers)


def _told(status: int, said: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, {"Content-Type": "application/json", **(headers or {})}, msgspec.json.encode(said))


def whole_number(headers: Mapping[str, str], name: str) -> int:
    """A count of bytes in a header, such as Upload-Offset; Malformed where it is none or missing."""
    text = headers.get(name.lower(), "")
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
        raise Malformed(f"{name} is missing or no number of bytes")
    return int(text)


def metadata(headers: Mapping[str, str]) -> dict[str, bytes]:
    """Upload-Metadata: keys, each with its value in base64 behind a space, separated by commas."""
    found: dict[str, bytes] = {}
    for pair in filter(None, (part.strip() for part in headers.get("upload-metadata", "").split(","))):
        key, _, value = pair.partition(" ")
        try:
            said = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise Malformed("Upload-Metadata is not in base64") from None
        if key in found:
            raise Malformed("Upload-Metadata says a key twice")
        found[key] = said
    return found


@dataclass(frozen=True)
class Checksum:
    """What a body must hash to."""

    algorithm: str
    digest: bytes

    def fits(self, body: bytes) -> bool:
        """Whether it does."""
        return hashlib.new(self.algorithm, body, usedforsecurity=False).digest() == self.digest


def checksum(headers: Mapping[str, str]) -> Checksum | None:
    """Upload-Checksum, if there is one; Malformed for an algorithm that is not offered (tus: 400)."""
    said = headers.get("upload-checksum")
    if said is None:
        return None
    algorithm, _, value = said.strip().partition(" ")
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if algorithm not in ALGORITHMS or not digest:
        raise Malformed("Upload-Checksum names no algorithm that is offered, or is not in base64")
    return Checksum(algorithm, digest)


def manifest(found: Mapping[str, bytes]) -> bytes:
    """The manifest in an upload's metadata; Malformed where it is missing."""
    said = found.get("manifest")
    if not said:
        raise Malformed("Upload-Metadata lacks 'manifest', a JSON document that says what the file holds")
    return said
