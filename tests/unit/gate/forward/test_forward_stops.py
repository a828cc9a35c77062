"""What the lane to a platform does with what it cannot send, or must not: refused, lost, erased, withdrawn, deaf."""

import asyncio
from dataclasses import replace

import pytest

from forward_makers import PACE, Waits, entered, forwarded, sending, taken, until
from forward_platform import NOW6, Platform
from onshore.gate.forward import client
from onshore.gate.forward.forwarder import Forwarder
from onshore.gate.forward.talk import AGAIN_S
from onshore.gate.gb32960.protocol import Command, Flag, Splitter, frame, header, reply
from onshore.register import consents
from onshore.vault import blanks, lanes, unsent
from onshore.vault.restrictions import Scope
from onshore.vault.segments import Shelf


class Later(Waits):
    """Sleeps that take no time, while the site's clock goes on by a minute."""

    def __init__(self, hands) -> None:
        super().__init__()
        self.hands = hands

    async def __call__(self, seconds: float) -> None:
        self.hands.now += 60_000
        await super().__call__(seconds)


def test_what_the_platform_refuses_is_tried_again_and_then_set_apart(hands):
    sending(hands, 1)
    hands.drive(1, 2)
    platform = Platform()
    platform.unwanted = {hands.vin(2)}
    engine = hands.site.engine
    forwarded(hands, platform, waits=Later(hands), enough=lambda: unsent.set_apart(engine))
    assert len(platform.kept) == 20
    assert platform.refused == 20 * (1 + len(AGAIN_S))
    assert entered(hands) == [(20, 0), (20, 20)]
    [lane] = unsent.set_apart(engine)
    assert lane.rows == 20
    assert lanes.rows_of(lane, Shelf(hands.site.root, hands.site.vault, hands.site.id)).num_rows == 20
    platform.unwanted = set()
    assert unsent.once_more(engine, "national", hands.now) == 20
    forwarded(hands, platform)
    assert len(platform.kept) == 40
    assert entered(hands)[2:] == [(20, 0)]
    assert {frames[0][2] for (vin, _), frames in platform.kept.items() if vin == hands.vin(2)} == {Command.RESEND}


def test_what_the_platform_takes_at_the_second_try_is_no_loss(hands):
    sending(hands, 1)
    hands.drive(1, 2)
    platform, tried = Platform(), []
    platform.unwanted = {hands.vin(2)}

    def enough() -> bool:
        if platform.refused == 20 and not tried:
            tried.append(len(platform.kept))
            platform.unwanted = set()
        return len(platform.kept) == 40 and not lanes.waiting(hands.site.engine)

    forwarded(hands, platform, waits=Later(hands), enough=enough)
    assert entered(hands) == [(20, 0), (20, 0)]
    assert {len(frames) for frames in platform.kept.values()} == {1}


def test_a_file_that_is_lost_holds_up_no_other_and_is_told_once(hands, caplog):
    site = sending(hands, 1)
    hands.drive(1)
    [lost] = lanes.waiting(site.engine)
    path = site.vault / lanes.path_of("national", lost.id)
    raw = path.read_bytes()
    path.unlink()
    hands.drive(2)
    platform = Platform()
    platform.silent_after = [5]
    forwarded(hands, platform, enough=lambda: len(platform.kept) == 20 and len(platform.logins) == 2)
    assert {vin for vin, _ in platform.kept} == {hands.vin(2)}
    said = [record.getMessage() for record in caplog.records if lost.id in record.getMessage()]
    assert len(said) == 1
    assert "restore" in said[0]
    path.write_bytes(raw)
    forwarded(hands, platform)
    assert {vin for vin, _ in platform.kept} == {hands.vin(1), hands.vin(2)}


def test_a_car_erased_while_its_lane_is_sent_makes_nothing_of_others_be_sent_again(hands):
    site = sending(hands, 1)
    hands.drive(1, 2)
    shelf = Shelf(site.root, site.vault, site.id)
    erased = []

    class Erasing(Platform):
        def _take(self, frame) -> Flag:
            if len(self.kept) == 3 and not erased:  # a window is on its way
                erased.append(blanks.erase(site.engine, shelf, [Scope(hands.car(2).id)], site.randomness))
            return super()._take(frame)

    platform = Erasing()
    forwarded(
        hands, platform, pace=replace(PACE, patience_s=20)
    )  # nobody loses patience: what comes twice is our doing
    assert erased == [20]
    assert set(taken(platform).values()) == {1}
    assert sum(vin == hands.vin(1) for vin, _ in platform.kept) == 20
    assert sum(vin == hands.vin(2) for vin, _ in platform.kept) <= PACE.window
    [(rows, refused)] = entered(hands)
    assert (20 <= rows <= 27, refused) == (True, 0)


def test_consent_withdrawn_stops_everything_but_this(hands):
    sending(hands, 1)
    hands.allow(1)
    consents.withdraw(hands.site, hands.car(1))
    hands.now += 1000
    hands.drive(1)
    platform = Platform()
    forwarded(hands, platform)
    assert len(platform.kept) == 20


def test_an_erased_car_is_sent_on_no_more(hands):
    site = sending(hands, 1)
    hands.drive(1, 2)
    before = {path.name for path in (site.vault / "forward").rglob("*.lane")}
    shelf = Shelf(site.root, site.vault, site.id)
    assert blanks.erase(site.engine, shelf, [Scope(hands.car(1).id)], site.randomness) == 20
    assert before.isdisjoint({path.name for path in (site.vault / "forward").rglob("*.lane")})
    assert blanks.erase(site.engine, shelf, [Scope(hands.car(1).id)], site.randomness) == 0
    platform = Platform()
    forwarded(hands, platform)
    assert {vin for vin, _ in platform.kept} == {hands.vin(2)}


class Chatty(Platform):
    """Says something else before patience ends, over and over, and at first never what is waited for."""

    def __init__(self, *deaf: int) -> None:
        super().__init__()
        self.deaf, self.talks = set(deaf), 0

    async def _talk(self, reader, writer) -> None:
        self.talks += 1
        if self.talks > 1:
            await super()._talk(reader, writer)
            return
        splitter, chat = Splitter(), asyncio.create_task(self._chat(writer))
        while data := await reader.read(1 << 16):
            for frame_ in splitter.feed(data):
                if header(frame_).command not in self.deaf:
                    writer.write(reply(frame_, Flag.OK, NOW6))
        chat.cancel()
        writer.close()

    async def _chat(self, writer) -> None:
        said = frame(Command.HEARTBEAT, Flag.OK, b"PLATFORM".ljust(17, b"\0"), b"")
        order = frame(Command.TERMINAL_CONTROL, Flag.COMMAND, b"LTEST000000000017", bytes(7))
        while True:
            writer.write(said + order)
            await asyncio.sleep(PACE.patience_s / 10)


@pytest.mark.parametrize("deaf", [Command.RESEND, Command.PLATFORM_LOGIN])
def test_a_platform_that_talks_but_does_not_answer_is_not_listened_to_for_ever(hands, deaf):
    sending(hands, 1)
    hands.drive(1)
    platform = Chatty(deaf)
    forwarded(hands, platform)
    assert platform.talks >= 2
    assert len(platform.kept) == 20


def test_a_platform_that_does_not_read_holds_no_connection_open(hands):
    async def story() -> None:
        opened, deaf = [], []

        def met(_, writer) -> None:
            writer.transport.pause_reading()
            deaf.append(writer)

        async def connect(endpoint):
            streams = await client.connect(endpoint)
            streams[1].write(bytes(1 << 25))
            opened.append(streams[1].transport)
            return streams

        gone = asyncio.Event()
        server = await asyncio.start_server(met, "127.0.0.1", 0)
        site = sending(hands, server.sockets[0].getsockname()[1])
        one = Forwarder(site, client.endpoints(site)[0], connect, pace=PACE, sleep=lambda _: gone.wait())
        task = asyncio.create_task(one.run())
        await until(lambda: opened and opened[0].is_closing() and not opened[0].get_write_buffer_size())
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for writer in deaf:
            writer.transport.abort()
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0)

    asyncio.run(story())
