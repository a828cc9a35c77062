"""The door under fire: what is refused costs who sent it, and nobody else; what is no way round is none."""

import asyncio
import ssl as tls
from dataclasses import replace

import pytest

from door_makers import (
    NOT_DELTAS,
    NOW,
    NOW6,
    OTHER,
    QUICK,
    STRANGER,
    VIN,
    Car,
    Chip,
    certificate,
    data,
    error,
    login,
    ok,
    open_door,
)
from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.protocol import Flag, frame, reply
from onshore.gate.limits import Tries
from onshore.site import now_ms

SLOW = replace(QUICK, rate=200)


def damaged(good):
    return good[:-1] + bytes((good[-1] ^ 1,))


def forged(_minute):
    return encode.activation(OTHER, NOW, "CHIP", Chip(7).public, Chip(9).sign)


@pytest.mark.parametrize(
    "bad",
    [
        lambda minute: damaged(data(minute)),
        lambda minute: data(minute, STRANGER),
        lambda minute: frame(2, 0xFE, VIN, NOW6 + bytes((1, 2, minute))),
        lambda minute: frame(0x0C, 0xFE, VIN, bytes((minute,))),
        lambda minute: damaged(frame(2, 0xFE, VIN, bytes((minute,)))),
        lambda _minute: login(),
        forged,
    ],
    ids=["wrong sum", "another's VIN", "cut short", "unknown command", "wrong sum, strange", "logins", "activations"],
)
def test_what_costs_more_is_heard_less_often_and_in_order_all_the_same(run, bad):
    async def story():
        async with open_door(SLOW) as place:
            flood, car = await place.car(), await place.car(OTHER)
            assert await flood.ask(data(59)) == [ok(data(59))]
            asked = [bad(minute) for minute in range(50)]
            flood.send(*asked, data(58))
            for minute in range(20):
                assert await car.ask(data(minute, OTHER)) == [ok(data(minute, OTHER))]
            assert place.door.counts["slowed down"] >= 1
            place.door.limits = QUICK  # the rest is heard at once
            heard = [await flood.hear() for _ in range(len(asked) + 1)]
            assert heard[-1] == ok(data(58))
        assert place.kept.vehicles.count(17) == 2

    run(story)


def test_what_waits_when_a_slowed_down_peer_is_gone_is_neither_kept_nor_answered(run):
    async def story():
        async with open_door(replace(QUICK, rate=10)) as place:
            flood = await place.car()
            refused = encode.heartbeat(OTHER)
            flood.send(refused, refused, refused, data())
            assert await flood.hear() == error(refused)
            while not place.door.counts["slowed down"]:
                await asyncio.sleep(0)
            place.door.by_identity[17].abort()
            while place.door.connections:
                await asyncio.sleep(0)
        assert place.kept.vehicles == []

    run(story)


def test_bytes_that_come_while_it_rests_wait_behind_those_before(run):
    async def story():
        async with open_door(replace(QUICK, rate=10)) as place:
            car = await place.car()
            line, refused = place.door.by_identity[17], encode.heartbeat(OTHER)
            line.data_received(refused * 2 + data(1) + data(2))
            assert line._paused
            line.data_received(data(3))  # as a TLS layer may that had more
            place.door.limits = QUICK
            answers = [await car.hear() for _ in range(5)]
            assert answers == [error(refused)] * 2 + [ok(data(minute)) for minute in (1, 2, 3)]

    run(story)


def test_a_car_that_signs_cannot_go_back_to_the_edition_that_does_not(run):
    async def story():
        async with open_door() as place:
            chip = Chip(7)
            car = await place.stranger()
            await car.ask(login(), chip.activation())
            assert await car.ask(data(1)) == [error(data(1))]
            assert place.door.counts["signature invalid"] == 1
            signed = encode.realtime(VIN, NOW, {}, edition=2025, sign=chip.sign)
            assert await car.ask(signed) == [ok(signed)]
        assert place.kept.vehicles == [17]

    run(story)


def test_nobody_activates_a_car_with_anothers_certificate(run, tmp_path):
    async def story():
        here, _ = certificate(tmp_path)
        here.verify_mode = tls.CERT_OPTIONAL
        here.load_verify_locations(tmp_path / "pem")
        mine = tls.create_default_context(cafile=tmp_path / "pem")
        mine.load_cert_chain(tmp_path / "pem")
        der = tls.PEM_cert_to_DER_cert((tmp_path / "pem").read_text().partition("-----END PRIVATE KEY-----\n")[2])
        async with open_door(ssl=here) as place:
            place.register.certificates = {der: 18}
            link = await asyncio.open_connection("127.0.0.1", place.port, ssl=mine, server_hostname="localhost")
            thief = Car(*link)
            place.cars.append(thief)
            thief.send(Chip(7).activation())
            assert await thief.closed() == reply(Chip(7).activation(), Flag.ERROR, NOW6)
            assert place.door.counts["another's certificate"] == 1
            assert not place.register.keys

    run(story)


def test_a_paused_connection_over_tls_is_closed_when_the_door_stops(run, tmp_path):
    async def story():
        here, there = certificate(tmp_path)
        async with open_door(replace(QUICK, rate=10, linger_s=4.0), ssl=here) as place:
            link = await asyncio.open_connection("127.0.0.1", place.port, ssl=there, server_hostname="localhost")
            car = Car(*link)
            assert await car.ask(login()) == [ok(login())]
            refused = encode.heartbeat(OTHER)
            assert await car.ask(refused, refused) == [error(refused)] * 2
            line = place.door.by_identity[17]
            assert line._paused
            line.close()
            assert await car.closed() == b""
            while place.door.connections:
                await asyncio.sleep(0)

    run(story)


def test_what_was_kept_before_the_gate_was_started_is_not_stored_again(run):
    async def story():
        async with open_door() as place:
            car = await place.car()
            asked = [data(1), frame(2, 0xFE, VIN, NOW6 + bytes((1, 2, 3))), encode.realtime(VIN, NOW, {})]
            flags = [Flag.OK, Flag.ERROR, Flag.OK]
            assert await car.ask(*asked) == [reply(a, f, NOW6) for a, f in zip(asked, flags, strict=True)]
        assert len(place.kept.heard) == 2 * 8
        async with open_door(heard=place.kept.heard) as later:
            car = await later.car()
            again = [data(1)[:2] + b"\3" + data(1)[3:-1] + bytes((data(1)[-1] ^ 1,)), *asked[1:], data(2)]
            flags.append(Flag.OK)
            assert await car.ask(*again) == [reply(a, f, NOW6) for a, f in zip(again, flags, strict=True)]
        assert later.kept.vehicles == [17]

    run(story)


def platform_login(password="secret", platform=b"PLATFORM"):
    return encode.platform_login(platform, NOW, 1, "delta", password)


def test_a_platform_sends_for_no_car_but_its_own(run):
    async def story():
        async with open_door() as place:
            road = await place.stranger()
            mine, others = [platform_login(), login(), data(1)], [login(NOT_DELTAS), data(1, NOT_DELTAS)]
            assert await road.ask(*mine, *others) == [*map(ok, mine), *map(error, others)]
            told = Chip(7).activation(NOT_DELTAS)
            assert await road.ask(told) == [reply(told, Flag.VIN_UNKNOWN, NOW6)]
            assert await road.ask(platform_login(), login()) == [ok(platform_login()), ok(login())]
            assert (await road.ask(Chip(7).activation(OTHER)))[0][24:26] == b"\1\1"
        assert place.kept.vehicles == [17]

    run(story)


def test_a_platforms_car_that_is_retired_is_known_no_more_and_the_others_stay(run):
    async def story():
        async with open_door() as place:
            road = await place.stranger()
            await road.ask(platform_login(), login(), login(OTHER))
            place.register.gone = {17}
            del place.register.cars[VIN]
            place.door.recheck()
            place.register.fails = True  # whoever stays is not looked up again
            assert await road.ask(data(1, OTHER)) == [ok(data(1, OTHER))]
            place.register.fails = False
            assert await road.ask(data(1)) == [error(data(1))]

    run(story)


def test_passwords_are_not_guessed(run):
    async def story():
        async with open_door() as place:
            place.door.tries = Tries(most=3)
            for password in ("a", "b", "c", "secret"):
                road = await place.stranger()
                road.send(platform_login(password))
                assert await road.closed() == error(platform_login(password))
            other = await place.stranger("127.0.0.2")
            assert await other.ask(platform_login()) == [ok(platform_login())]

    run(story)


def test_wrong_tries_are_forgotten_with_the_minute_and_fill_no_memory():
    tries = Tries(most=2, addresses=3)
    for address in "aab":
        tries.wrong(address)
    assert [tries.allowed(address, 60_001) for address in "ab"] == [True, True]
    for address in "aabcd":
        tries.wrong(address)
    assert [tries.allowed(address, 60_002) for address in "abz"] == [False, False, False]
    assert tries.allowed("a", 120_000)


@pytest.mark.parametrize("clock", [0, -1, 4_102_444_800_000, 1 << 50])
def test_a_clock_of_another_century_harms_no_answer(run, clock):
    async def story():
        async with open_door() as place:
            place.door.clock = lambda: clock
            car = await place.stranger()
            (said,) = await car.ask(encode.heartbeat(VIN))
            assert said[3] == Flag.ERROR
            sync = encode.time_sync(VIN)
            car.send(login(), sync)
            assert (await car.hear())[3] == Flag.OK
            assert (await car.hear())[24] in {0, 99}

    run(story)


def test_the_clock_of_the_door_is_that_of_the_protocol(run):
    async def story():
        async with open_door() as place:
            place.door.clock = now_ms
            assert place.door.now6()[0] >= 25

    run(story)
