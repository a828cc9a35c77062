"""The statutory lane at a real site against a real platform that misbehaves: every frame arrives, once in effect."""

import asyncio
import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from forward_makers import PACE, Waits, entered, forwarded, sending, taken, until
from forward_platform import Platform
from onshore.gate.forward import client
from onshore.gate.forward.forwarder import Forwarder
from onshore.gate.gb32960 import reference
from onshore.gate.gb32960.protocol import Command
from onshore.vault import lanes
from onshore.vault.papers import entries, reading
from onshore.words.errors import Malformed, Refusal


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


class Later(Waits):
    """Sleeps that take no time, while the site's clock goes on by a minute."""

    def __init__(self, hands) -> None:
        super().__init__()
        self.hands = hands

    async def __call__(self, seconds: float) -> None:
        self.hands.now += 60_000
        await super().__call__(seconds)


def test_a_silent_line_is_kept_alive(hands):
    sending(hands, 1)
    platform = Platform()
    forwarded(hands, platform, enough=lambda: Command.HEARTBEAT in platform.heard)
    assert platform.heard[:2] == [Command.PLATFORM_LOGIN, Command.HEARTBEAT]


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
