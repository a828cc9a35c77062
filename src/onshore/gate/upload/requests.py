"""What is asked of the door over HTTP, and what it answers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from sqlalchemy.exc import SQLAlchemyError

from onshore.gate import policy
from onshore.gate.upload import protocol
from onshore.gate.upload.allowance import FATES
from onshore.gate.upload.arrival import Arrival
from onshore.gate.upload.door import Door
from onshore.gate.upload.protocol import Answer
from onshore.gate.upload.shelf import Upload
from onshore.words.errors import Malformed, Refusal

log = logging.getLogger(__name__)
FILES = "/files"


@dataclass(frozen=True)
class Request:
    """`headers`: names in lower case; `body` gives the next bytes, None at the end; `leave` closes its connection."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Callable[[], Awaitable[bytes | None]]
    leave: Callable[[], None] = lambda: None


class Requests:
    """Answers the requests of a connection."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def answer(self, request: Request, vehicle: int | None) -> Answer:
        """The answer to one request of a car; None: nobody whose certificate stands."""
        try:
            return await self._routed(request, vehicle)
        except (Refusal, Malformed) as wrong:
            self._door.counts["refused"] += 1
            return protocol.refused(wrong)
        except (OSError, SQLAlchemyError) as failed:
            if isinstance(failed, ConnectionError):
                raise
            self._door.counts["not kept"] += 1
            log.error("an upload could not be kept: %s", type(failed).__name__)  # noqa: TRY400 - no rows in logs
            return protocol.refused(Refusal("not-kept", "this could not be kept just now", remedy="send it again"))

    async def _routed(self, request: Request, vehicle: int | None) -> Answer:
        if vehicle is None:
            raise Refusal(
                "not-known",
                "no vehicle that is registered here is known by this certificate, or it no longer stands",
                remedy="have one signed: 'onshore vehicle certify'",
            )
        if request.path == FILES or request.path.startswith(FILES + "/"):
            return await self._files(request, vehicle)
        return await self._policy(request, vehicle)

    async def _policy(self, request: Request, vehicle: int) -> Answer:
        body = b"" if request.method in ("GET", "HEAD") else await _whole(request, policy.LONGEST)
        none_match = request.headers.get("if-none-match", "")
        now, papers = self._door.clock(), self._door.papers.policies
        found = policy.answer(request.method, request.path, body, none_match, vehicle, papers, now)
        return Answer(found.status, found.headers, found.body) if found else Answer(404)

    async def _files(self, request: Request, vehicle: int) -> Answer:
        if request.method == "OPTIONS":
            return protocol.options(self._door.own.most)
        if request.headers.get("tus-resumable") != protocol.VERSION:
            return protocol.other_version()
        name = request.path[len(FILES) + 1 :]
        if not name:
            if request.method != "POST":
                return _not_allowed("POST")
            self._door.takes_in()
            return await self._create(request, vehicle)
        if request.method not in ("HEAD", "PATCH", "DELETE"):
            return _not_allowed("HEAD, PATCH, DELETE")
        return await self._one(request, self._door.find(name, vehicle))

    async def _one(self, request: Request, upload: Upload) -> Answer:
        if request.method == "HEAD":
            return self._told(200, upload, {"Upload-Length": str(upload.size)})
        if request.method == "DELETE":
            return await self._delete(upload)
        return await self._patch(request, upload)

    async def _create(self, request: Request, vehicle: int) -> Answer:
        if "upload-defer-length" in request.headers:
            raise Malformed("the length of a file must be known from the start: say Upload-Length")
        size = protocol.whole_number(request.headers, "Upload-Length")
        said = protocol.manifest(protocol.metadata(request.headers))
        await _whole(request, 0)
        upload = self._door.begin(vehicle, said, size)
        if not size:
            await self._empty(upload)
        return self._told(201, upload, {"Location": f"{FILES}/{upload.id}"})

    async def _empty(self, upload: Upload) -> None:
        arrival = self._door.arrival(upload)
        try:
            await self._done(arrival)
        except (Malformed, Refusal):  # nobody knows its name yet, so nobody could end it
            if not arrival.broken:
                self._door.over(arrival, "refused")
            raise

    async def _delete(self, upload: Upload) -> Answer:
        live = self._door.live.get(upload.id)
        if live is not None:
            live.leave()
            async with live.lock:
                self._door.end(upload)
        else:
            self._door.end(upload)
        return Answer(204)

    async def _patch(self, request: Request, upload: Upload) -> Answer:
        if request.headers.get("content-type") != protocol.PATCH_TYPE:
            return Answer(415)
        said = protocol.whole_number(request.headers, "Upload-Offset")
        checksum = protocol.checksum(request.headers)
        if upload.fate == "done":
            return self._told(204 if said == upload.size else 409, upload)
        self._door.takes_in()
        arrival = self._door.arrival(upload)
        arrival.leave()
        async with arrival.lock:
            if arrival.broken or self._door.live.get(upload.id) is not arrival or said != arrival.offset:
                return Answer(409)
            arrival.begin(request.leave)
            try:
                return await self._taken(request, arrival, checksum)
            finally:
                arrival.begin(_stay)

    async def _taken(self, request: Request, arrival: Arrival, checksum: protocol.Checksum | None) -> Answer:
        left = arrival.upload.size - arrival.offset
        length = request.headers.get("content-length", "0")
        if int(length) > left:
            return Answer(413)
        try:
            if checksum is None:
                await self._stream(request, arrival, left)
            else:
                body = await _whole(request, min(left, self._door.own.checked))
                if not checksum.fits(body):
                    return Answer(protocol.CHECKSUM_MISMATCH)
                await _run(arrival.eat(body))
            if arrival.offset == arrival.upload.size:
                await self._done(arrival)
            else:
                arrival.rest(self._door.until())
        except Malformed:
            if not arrival.broken:
                self._door.over(arrival, "refused")
            raise
        except (ConnectionError, Refusal) as why:  # all that was read is sound
            if isinstance(why, Refusal) and why.reason in FATES:
                self._door.refuse(arrival, why)
            else:
                arrival.rest(self._door.until())
            raise
        except BaseException:
            self._door.forget(arrival)
            raise
        return self._told(204, arrival.upload, offset=arrival.offset)

    async def _stream(self, request: Request, arrival: Arrival, left: int) -> None:
        while (data := await request.body()) is not None:
            left -= len(data)
            if left < 0:
                raise Refusal("too-large", "more bytes came than Upload-Length said", remedy="send the file as it was")
            self._door.takes_in()
            await _run(arrival.eat(data))

    async def _done(self, arrival: Arrival) -> None:
        await _run(arrival.finish())
        self._door.done(arrival)

    def _told(
        self, status: int, upload: Upload, more: Mapping[str, str] | None = None, *, offset: int | None = None
    ) -> Answer:
        at = self._door.offset(upload) if offset is None else offset
        headers = {"Upload-Offset": str(at), "Upload-Expires": _date(upload.until), **(more or {})}
        return Answer(status, headers)


def _stay() -> None:
    """Nobody sends."""


def _not_allowed(allowed: str) -> Answer:
    return Answer(405, {"Allow": f"OPTIONS, {allowed}"})


async def _run(steps: Iterator[None]) -> None:
    """Work step by step; others have their turn between."""
    for _ in steps:
        await asyncio.sleep(0)


async def _whole(request: Request, most: int) -> bytes:
    """A body that is read whole; refuses (`too-large`) one of more than `most` bytes."""
    whole = bytearray()  # a body in tiny chunks would cost many times its size as a list of them
    while (data := await request.body()) is not None:
        whole += data
        if len(whole) > most:
            raise Refusal("too-large", f"a body may have {most} bytes here", remedy="send it in smaller pieces")
    return bytes(whole)


def _date(at: int) -> str:
    return format_datetime(datetime.fromtimestamp(at / 1000, UTC).replace(microsecond=0), usegmt=True)
