"""Forms: what a request carries, read within bounds and in memory; and the token that shows where it came from."""

import base64
import hmac
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field

import msgspec
from starlette.datastructures import UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import Request

from onshore.desk.asked import Sent
from onshore.site import Site
from onshore.vault.keys import mac
from onshore.words.errors import Malformed

FIELD, HEADER = "csrf", "x-csrf-token"
_FIELDS, _FILES = 500, 20


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


async def read_form(request: Request, most: int) -> Form:
    """What a POST carries, as a form or as a JSON object of texts and lists of texts; TooLarge, or Malformed."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise TooLarge
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return Form(_of_json(bytes(body)))
    if kind == "multipart/form-data":
        try:
            found = await _InMemory(
                request.headers, _once(bytes(body)), max_files=_FILES, max_fields=_FIELDS, max_part_size=most
            ).parse()
        except MultiPartException as wrong:
            raise Malformed(f"the form cannot be read: {wrong.message}") from None
    else:
        found = await FormParser(request.headers, _once(bytes(body))).parse()
    pairs = found.multi_items()
    files = {name: Sent(v.filename or "", await v.read()) for name, v in pairs if isinstance(v, UploadFile)}
    await found.close()
    return Form(tuple((name, v) for name, v in pairs[:_FIELDS] if isinstance(v, str)), files)


async def _once(body: bytes) -> AsyncGenerator[bytes]:
    yield body
    yield b""


def _of_json(body: bytes) -> tuple[tuple[str, str], ...]:
    try:
        said = msgspec.json.decode(body or b"{}", type=dict[str, str | int | bool | list[str]])
    except msgspec.MsgspecError:
        raise Malformed("it takes a JSON object of texts, numbers, and lists of texts") from None
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
