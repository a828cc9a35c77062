"""The statutory lane at a real site against a real platform that misbehaves: every frame arrives, once in effect."""

import asyncio
import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from forward_platform import NOW6, Platform
from onshore.gate.forward import client
from onshore.gate.forward.forwarder import Forwarder, Pace
from onshore.gate.forward.talk import AGAIN_S
from onshore.gate.gb32960 import reference
from onshore.gate.gb32960.protocol import Command, Flag, Splitter, frame, header, reply
from onshore.register import consents
from onshore.site import open_site
from onshore.vault import blanks, lanes, unsent
from onshore.vault.papers import entries, reading
from onshore.vault.restrictions import Scope
from onshore.vault.segments import Shelf
from onshore.words.errors import Malformed, Refusal

PACE = Pace(window=7, patience_s=0.2, look_s=0.01, heartbeat_s=0.05)


def sending(hands, port: int, **more):
    """The site of these hands, with a platform to send on to."""
    (hands.site.folder / "platform.password").write_text("secret\n")
    said = {"host": "127.0.0.1", "jurisdiction": "CN", "code": "ONSHORE-SHANGHAI", "user": "onshore"} | more
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in said.items())
    path = hands.site.folder / "site.toml"
    text = path.read_text().split("\n[forward.")[0]
    path.write_text(f'{text}\n[forward.national]\nport = {port}\npassword = "platform.password"\n{lines}')
    hands.site = open_site(hands.site.folder, clock=lambda: hands.now)
    return hands.site


class Waits:
    """Sleeps that take no time, and are written down."""

    def __init__(self) -> None:
        self.long: list[float] = []

    async def __call__(self, seconds: float) -> None:
        if seconds >= 1:
            self.long.append(seconds)
        await asyncio.sleep(0.001)


async def until(condition) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


def forwarded(hands, platform, *, waits=None, enough=None, pace=PACE) -> None:
    """Run the client until nothing waits."""

    async def story() -> None:
        server = await platform.serve()
        site = sending(hands, platform.port)
        one = Forwarder(site, client.endpoints(site)[0], client.connect, pace=pace, sleep=waits or Waits())
        task = asyncio.create_task(one.run())
        await until(enough or (lambda: not lanes.waiting(site.engine)))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await until(lambda: Command.PLATFORM_LOGOUT in platform.heard or enough)
        server.close()

    asyncio.run(story())


def taken(platform):
    """What the platform has: VIN and second, with how often."""
    return {key: len(frames) for key, frames in platform.kept.items()}


def test_what_the_law_has_kept_arrives_once_and_in_the_clear_nowhere(hands):
    sending(hands, 1)
    hands.drive(1, 2)
    platform = Platform()
    forwarded(hands, platform)
    assert len(platform.kept) == 40
    assert set(taken(platform).values()) == {1}
    assert {vin for vin, _ in platform.kept} == {hands.vin(1), hands.vin(2)}
    assert lanes.backlog(hands.site.engine, "national") == 0
    assert list((hands.site.vault / "forward").rglob("*.lane")) == []
    assert lanes.last_answer(hands.site.engine, "national") == hands.now
    body = reference.decode(next(iter(platform.kept.values()))[0])["body"]
    assert {1, 5} <= {unit["id"] for unit in body["units"]}


def test_the_ledger_says_how_many_were_sent_on(hands):
    sending(hands, 1)
    hands.drive(1)
    platform = Platform()
    forwarded(hands, platform)
    hands.site.settle()
    with reading(hands.site.engine) as conn:
        said = [json.loads(body) for body in conn.scalars(select(entries.c.body))]
    assert [(e["to"], e["rows"], e["refused"]) for e in said if e["t"] == "forward"] == [("national", 20, 0)]


def test_what_is_queued_while_connected_is_real_time_and_what_waited_is_resent(hands):
    sending(hands, 1)
    hands.drive(1)
    hands.now += 1000
    platform = Platform()
    driven = []

    def enough() -> bool:
        if len(platform.kept) == 20 and not driven:
            driven.append(hands.drive(2))
        return len(platform.kept) == 40

    forwarded(hands, platform, enough=enough, pace=replace(PACE, patience_s=30.0))  # driving holds the loop up
    said = {(vin, frames[0][2]) for (vin, _), frames in platform.kept.items()}
    assert said == {(hands.vin(1), Command.RESEND), (hands.vin(2), Command.REALTIME)}


def test_what_a_car_had_stored_itself_is_resent(hands):
    sending(hands, 1)
    platform = Platform()
    driven = []

    def enough() -> bool:
        if Command.PLATFORM_LOGIN in platform.heard and not driven:
            driven.append(hands.drive(1, start=hands.now - 3_600_000))
        return len(platform.kept) == 20

    forwarded(hands, platform, enough=enough)
    assert {frames[0][2] for frames in platform.kept.values()} == {Command.RESEND}


@pytest.mark.parametrize(
    "trouble",
    [
        {"cut_after": [5, 0, 12, 3]},
        {"silent_after": [5, 0, 20]},
        {"cut_after": [9], "silent_after": [4, 11]},
        {"refuse_logins": 2, "cut_after": [0, 0, 6]},
    ],
)
def test_over_every_outage_nothing_is_lost_and_nothing_is_there_twice_in_effect(hands, trouble):
    sending(hands, 1)
    hands.drive(1, 2, 3)
    hands.now += 1000
    platform = Platform()
    vars(platform).update(trouble)
    forwarded(hands, platform)
    assert len(platform.kept) == 60
    for frames in platform.kept.values():
        assert len({f[6:] for f in frames}) == 1  # said again in the same words
        assert all(f[2] == Command.RESEND for f in frames[1:])


def test_a_login_that_fails_is_tried_a_minute_later_and_after_three_half_an_hour_later(hands):
    sending(hands, 1)
    hands.drive(1)
    platform, waits = Platform(), Waits()
    platform.refuse_logins = 4
    forwarded(hands, platform, waits=waits)
    assert waits.long == [60, 60, 1800, 60]
    serials = [int.from_bytes(login[30:32], "big") for login in platform.logins]
    assert serials == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("away", [OSError("refused"), UnicodeError("label empty or too long")])
def test_whatever_keeps_it_from_the_platform_the_site_goes_on_and_it_is_tried_again(hands, away):
    site, waits = sending(hands, 1), Waits()

    async def connect(_: client.Endpoint):
        raise away

    async def story() -> None:
        one = Forwarder(site, client.endpoints(site)[0], connect, pace=PACE, sleep=waits)
        task = asyncio.create_task(one.run())
        await until(lambda: len(waits.long) >= 3)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())


def test_a_platform_that_is_away_costs_nothing_but_time(hands):
    site = sending(hands, 1)
    hands.drive(1)
    waits = Waits()

    async def story() -> None:
        one = Forwarder(site, client.endpoints(site)[0], client.connect, pace=PACE, sleep=waits)
        task = asyncio.create_task(one.run())
        await until(lambda: len(waits.long) >= 3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())
    assert lanes.backlog(site.engine, "national") == 20
    assert waits.long[:3] == [60, 60, 1800]


def entered(hands):
    """Rows and refused rows, by the ledger's entries of what was sent on."""
    hands.site.settle()
    with reading(hands.site.engine) as conn:
        said = [json.loads(body) for body in conn.scalars(select(entries.c.body))]
    return [(e["rows"], e["refused"]) for e in said if e["t"] == "forward"]


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
    forwarded(hands, platform)
    assert erased == [20]
    assert set(taken(platform).values()) == {1}
    assert sum(vin == hands.vin(1) for vin, _ in platform.kept) == 20
    assert sum(vin == hands.vin(2) for vin, _ in platform.kept) <= PACE.window
    [(rows, refused)] = entered(hands)
    assert (20 <= rows <= 27, refused) == (True, 0)


def test_a_silent_line_is_kept_alive(hands):
    sending(hands, 1)
    platform = Platform()
    forwarded(hands, platform, enough=lambda: Command.HEARTBEAT in platform.heard)
    assert platform.heard[:2] == [Command.PLATFORM_LOGIN, Command.HEARTBEAT]


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


def test_an_endpoint_abroad_or_without_a_password_is_refused(hands):
    with pytest.raises(Refusal) as refused:
        client.endpoints(sending(hands, 1, jurisdiction="DE"))
    assert refused.value.reason == "endpoint-abroad"
    assert refused.value.article
    with pytest.raises(Malformed, match="ca"):
        client.endpoints(sending(hands, 1, tls=True, ca="nothing.pem"))
    site = sending(hands, 1)
    (site.folder / "platform.password").write_text("x" * 21)
    with pytest.raises(Malformed, match="password"):
        client.endpoints(site)
    (site.folder / "platform.password").unlink()
    with pytest.raises(Malformed, match="password"):
        client.endpoints(site)


def test_without_an_endpoint_nothing_is_queued(hands):
    hands.drive(1)
    assert lanes.waiting(hands.site.engine) == []
    assert not (hands.site.vault / "forward").exists()


def test_a_clock_set_back_makes_nothing_that_was_sent_new_again(hands):
    sending(hands, 1)
    hands.drive(1)
    hands.now -= 3_600_000
    platform = Platform()
    platform.silent_after = [5, 0]
    forwarded(hands, platform)
    assert len(platform.kept) == 20
    assert {frame[2] for frames in platform.kept.values() for frame in frames} == {Command.RESEND}


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


def test_a_lane_whose_end_was_not_written_down_before_a_crash_is_settled_after_it(hands):
    site = sending(hands, 1)
    hands.drive(1)
    [lane] = lanes.waiting(site.engine)
    assert lanes.acknowledged(site.engine, lane, 20, [7], hands.now).left == 0
    hands.now += 1000
    platform = Platform()
    forwarded(hands, platform, waits=Later(hands))
    assert sum(map(len, platform.kept.values())) == 1
    assert entered(hands) == [(19, 0), (1, 0)]
    assert list((site.vault / "forward").rglob("*.lane")) == []
