"""Forwards the lane of one endpoint: logs in, sends, and strikes a row once the platform has answered for it."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection

from onshore.gate.forward.client import Endpoint, Streams
from onshore.gate.forward.talk import Answer, Ear, Window, again_after, pause
from onshore.gate.gb32960.again import frames_of
from onshore.gate.gb32960.protocol import Command, Flag
from onshore.register import vehicles
from onshore.site import Site
from onshore.vault import lanes, unsent
from onshore.vault.lanes import Lane
from onshore.vault.segments import Shelf
from onshore.words.errors import Broken

log = logging.getLogger(__name__)

_DAY, _BEIJING = 86_400_000, 28_800_000  # milliseconds
_LATE = 60_000
"""A row that reached the gate so long (ms) after its time was stored and sent again by its car; real time is 30 s."""


@dataclass(frozen=True)
class Pace:
    """How many frames are under way at most; seconds: for an answer, between looks at the lane, until a heartbeat."""

    window: int = 500
    patience_s: float = 30.0
    look_s: float = 1.0
    heartbeat_s: float = 30.0


class LoginRefusedError(OSError):
    """The platform would not let this one in."""


class Forwarder:
    """One endpoint's client. What fails is tried again, as the standard says when; nothing of it is lost."""

    def __init__(
        self,
        site: Site,
        endpoint: Endpoint,
        connect: Callable[[Endpoint], Awaitable[Streams]],
        *,
        pace: Pace | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._site = site
        self._endpoint = endpoint
        self._connect = connect
        self._pace = pace or Pace()
        self._sleep = sleep
        self._shelf = Shelf(site.root, site.vault, site.id)
        self._vins: dict[int, bytes] = {}
        self._failures = 0
        self._lost: set[str] = set()
        self._told: set[str] = set()

    async def run(self) -> None:
        """Forward until cancelled; then log out."""
        while True:
            try:
                await self._session()
            except Exception as failed:  # noqa: BLE001 - whatever it is, the site goes on and this is tried again
                self._failures += 1
                told = "login refused" if isinstance(failed, LoginRefusedError) else type(failed).__name__
                log.warning("forward %s: %s; tried again", self._endpoint.name, told)
            await self._sleep(pause(self._failures) if self._failures else self._pace.look_s)

    async def _session(self) -> None:
        async with asyncio.timeout(self._pace.patience_s):
            reader, writer = await self._connect(self._endpoint)
        line = _Line(reader, writer, self._pace.patience_s)
        try:
            serial = await self._log_in(line)
            try:
                await self._forward(line)
            finally:
                line.say(self._endpoint.login.leave(self._site.clock(), serial))
        finally:
            await line.close()

    async def _log_in(self, line: "_Line") -> int:
        now = self._site.clock()
        serial = lanes.serial(self._site.engine, self._endpoint.name, (now + _BEIJING) // _DAY)
        line.say(self._endpoint.login.say(now, serial))
        answers: list[Answer] = []

        def heard(answer: Answer) -> bool:
            answers.extend([answer] if answer.command == Command.PLATFORM_LOGIN else [])
            return bool(answers)

        await line.hear_for(heard)
        if answers[0].flag != Flag.OK:
            raise LoginRefusedError
        return serial

    async def _forward(self, line: "_Line") -> None:
        waited = {lane.first for lane in lanes.waiting(self._site.engine, self._endpoint.name)}  # a clock may go back
        quiet = 0.0
        self._lost.clear()  # it may have been restored
        while True:
            lane = lanes.first(self._site.engine, self._endpoint.name, self._site.clock(), self._lost)
            if lane is not None:
                with self._passing_over(lane):
                    await self._send(line, lane, again=lane.first in waited or lane.tries > 0)
                quiet = 0.0
                continue
            await self._sleep(self._pace.look_s)
            quiet += self._pace.look_s
            if quiet >= self._pace.heartbeat_s:
                line.say(self._endpoint.login.alive())
                await line.hear()
                quiet = 0.0
                self._lost.clear()

    @contextlib.contextmanager
    def _passing_over(self, lane: Lane) -> Iterator[None]:
        """A lane whose file is gone or was altered holds up no other; it is tried again now and then, and told once."""
        try:
            yield
        except Broken as broken:
            self._lost.add(lane.id)
            if lane.id not in self._told:
                self._told.add(lane.id)
                log.error("forward %s: %s", self._endpoint.name, broken)  # noqa: TRY400 - the text says it all

    async def _send(self, line: "_Line", lane: Lane, *, again: bool) -> None:
        """Send what is left of a lane, a window at a time; `again`: it waited for a connection, so it is resent."""
        table = lanes.rows_of(lane, self._shelf)
        left: Lane | None = lane
        for begin in range(0, table.num_rows, self._pace.window):
            if left is None or left.id != lane.id:
                return  # struck meanwhile, or written anew without an erased car: look again
            window = Window(self._frames(line, table.slice(begin, self._pace.window), again=again))
            try:
                while not window.done:
                    await line.hear_for(window.heard)
            finally:
                left = self._note(left, window)
        if left is not None and not left.left:
            self._settle(left)

    def _frames(self, line: "_Line", rows: pa.Table, *, again: bool) -> list[bytes]:
        """The frames of some rows, sent; none for a row that was erased."""
        for vehicle in set(rows.column("vehicle").to_pylist()) - self._vins.keys() - {None}:
            self._vins[vehicle] = vehicles.vin_of(self._site, vehicle).encode("ascii")
        received, time = (rows.column(name).cast(pa.int64()).fill_null(0).to_numpy() for name in ("received", "time"))
        late = np.asarray(received - time > _LATE) | again
        frames = frames_of(rows, self._vins, resend=late.tolist())
        line.say(b"".join(frames))
        return frames

    def _note(self, lane: Lane, window: Window) -> Lane | None:
        """Write down how far the platform has answered, and what it would not have."""
        if not window.answered:
            return lane
        self._failures = 0
        refused = [lane.sent + place for place in window.refused]
        return lanes.acknowledged(self._site.engine, lane, lane.sent + window.answered, refused, self._site.clock())

    def _settle(self, lane: Lane) -> None:
        """A lane that is done goes, and the ledger says so; what was refused is tried again later, or set apart."""
        site = self._site
        after = again_after(lane.tries)
        due = None if after is None else site.clock() + after * 1000

        def entry(conn: Connection, rows: int, refused: int) -> None:
            site.hand_in(conn, site.entry("forward", to=self._endpoint.name, rows=rows, refused=refused))

        apart = unsent.settle(site.engine, self._shelf, lane, due, entry, site.randomness)
        lanes.clear(site.engine, site.vault, lane)
        if apart is not None and due is None:
            log.warning("forward %s: %d rows were refused too often and are set apart", self._endpoint.name, apart.rows)


class _Line:
    """A connection that is listened to no longer than patience lasts."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, patience: float) -> None:
        self._reader, self._writer, self._patience = reader, writer, patience
        self._ear = Ear()

    def say(self, data: bytes) -> None:
        self._writer.write(data)

    async def hear(self) -> list[Answer]:
        """The answers in one read; OSError where none comes in time, or never will."""
        async with asyncio.timeout(self._patience):
            data = await self._reader.read(1 << 16)
        if not data:
            raise ConnectionResetError
        return self._ear.hear(data)

    async def hear_for(self, heard: Callable[[Answer], bool]) -> None:
        """Listen until an answer counts; OSError where none does in time, whatever else the platform says meanwhile."""
        async with asyncio.timeout(self._patience):
            while not sum(heard(answer) for answer in await self.hear()):  # each of a read is heard
                pass

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self._writer.wait_closed()
        self._writer.transport.abort()  # one who does not read would have it open, frames and all, for ever
