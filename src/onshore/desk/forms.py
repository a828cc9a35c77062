"""Forms: what a request carries, read within bounds and in memory; and the token that shows where it came from."""

import asyncio
import base64
import hmac
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field

import msgspec
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import Request

from onshore.desk.asked import Sent
from onshore.site import Site
from onshore.vault.keys import mac
from onshore.words.errors import Malformed

FIELD, HEADER = "csrf", "x-csrf-token"
_FIELDS, _FILES = 500, 20
_WAITS = 30  # seconds for what is sent: a page's form comes at once, and whoever trickles it holds a connection
_SLOWEST = 128 << 10  # bytes a second of a large file, by a poor line; it has its time besides
_B = r"[0-9A-Za-z'()+_,./:=?-]"  # RFC 2046 §5.1.1
_BOUNDARY = re.compile(
    rf';\s*boundary=(?:"(?P<quoted>(?:{_B}| ){{1,70}})"|(?P<plain>{_B}{{1,70}}))\s*(?:;|$)', re.ASCII | re.IGNORECASE
)


class TooLarge(Exception):
    """More was sent than may be."""


class _InMemory(MultiPartParser):
    """Nothing that was sent touches a disk before it was looked at."""

    spool_max_size = 1 << 40


@dataclass(frozen=True)
class Form:
    """Fields and files of a request."""

    fields: tuple[tuple[str, str], ...] = ()
    files: Mapping[str, Sent] = field(default_factory=dict)


async def read_body(request: Request, most: int) -> bytes:
    """What a POST carries; TooLarge, or TimeoutError where it comes more slowly than anybody's line is."""
    body = bytearray()
    async with asyncio.timeout(_WAITS + most // _SLOWEST):
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise TooLarge
    return bytes(body)


def form_of(said: str, body: bytes, most: int) -> Form:
    """What a body is, by its Content-Type: a form, or a JSON object of texts and lists of texts; Malformed.

    For a worker's thread: it takes as long as the body is.
    """
    kind = said.partition(";")[0].strip().lower()
    if kind == "application/json":
        return Form(_of_json(body))
    try:
        return asyncio.run(_parsed(_boundary(said) if kind == "multipart/form-data" else "", body, most))
    except MultiPartException as wrong:
        raise Malformed(f"the form cannot be read: {wrong.message}") from None


async def _parsed(boundary: str, body: bytes, most: int) -> Form:
    if boundary:
        # Of what the sender says only this: Python knows charsets in which a text takes its length squared to read.
        headers = Headers({"content-type": f'multipart/form-data; charset=utf-8; boundary="{boundary}"'})
        found = await _InMemory(headers, _once(body), max_files=_FILES, max_fields=_FIELDS, max_part_size=most).parse()
    else:
        found = await FormParser(Headers(), _once(body), max_fields=_FIELDS, max_part_size=most).parse()
    pairs = found.multi_items()
    files = {name: Sent(v.filename or "", await v.read()) for name, v in pairs if isinstance(v, UploadFile)}
    await found.close()
    return Form(tuple((name, v) for name, v in pairs if isinstance(v, str)), files)


def _boundary(said: str) -> str:
    found = _BOUNDARY.search(said)
    if found is None:
        raise Malformed("the form cannot be read: it does not say what stands between its parts")
    return found["quoted"] or found["plain"]


async def _once(body: bytes) -> AsyncGenerator[bytes]:
    yield body
    yield b""


def _of_json(body: bytes) -> tuple[tuple[str, str], ...]:
    try:
        said = msgspec.json.decode(body or b"{}", type=dict[str, str | int | bool | list[str]])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Malformed("it takes a JSON object of texts, numbers, and lists of texts") from None
    if sum(len(value) if isinstance(value, list) else 1 for value in said.values()) > _FIELDS:
        raise Malformed(f"it takes at most {_FIELDS} texts")
    each = ((name, value if isinstance(value, list) else [value]) for name, value in said.items())
    return tuple((name, _text(one)) for name, values in each for one in values)


def _text(value: str | int | bool) -> str:
    """A value as a form has it: a box that is ticked says "on", one that is not says nothing."""
    return ("on" if value else "") if isinstance(value, bool) else str(value)


def token_for(site: Site, seed: str) -> str:
    """What the forms of one session, or of one visitor, carry; another site cannot know it (OWASP, signed token)."""
    found = mac(site.key("desk"), b"csrf/" + seed.encode())
    return base64.urlsafe_b64encode(found).decode().rstrip("=")


def is_ours(site: Site, seed: str, said: str, headers: Mapping[str, str]) -> bool:
    """Whether a form came from a page of ours: it carries the token, and the browser names no other place."""
    fetched = headers.get("sec-fetch-site", "same-origin")
    right = hmac.compare_digest(token_for(site, seed).encode(), said.encode())
    return bool(seed) and right and fetched in ("same-origin", "none")
