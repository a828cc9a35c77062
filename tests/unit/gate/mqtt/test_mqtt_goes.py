"""How connections to the MQTT door end: wills, the newest of a client, who is silent or says too much."""

import asyncio

import pytest

from mqtt_makers import client, dialled, message, play, until
from onshore.gate.mqtt.door import Limits
from onshore.gate.mqtt.packets import (
    Answer,
    Auth,
    Connect,
    Disconnect,
    Filter,
    Ping,
    Publish,
    Subscribe,
    Will,
)
from onshore.gate.mqtt.protocol import V3, V5, Kind, Property, Reason, encode

SPEED = "Vehicle.Speed"
QUICK = Limits(login_timeout_s=0.4, frame_timeout_s=0.4, idle_timeout_s=0.4)


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (Publish("t", b"", 2, 1), Reason.QOS),
        (Publish("t", b"", properties={Property.SUBSCRIPTION_ID: [1]}), Reason.PROTOCOL_ERROR),
        (Subscribe(1, [Filter("t")], {Property.SUBSCRIPTION_ID: 1}), Reason.SUBSCRIPTION_ID),
        (Answer(Kind.PUBREC, 1), Reason.PROTOCOL_ERROR),
        (Disconnect(properties={Property.SESSION_EXPIRY: 5}), Reason.PROTOCOL_ERROR),
        (Auth(), Reason.PROTOCOL_ERROR),
        (Connect(V5, "again"), Reason.PROTOCOL_ERROR),
    ],
)
def test_what_ends_a_connection(garage, car, packet, reason):
    async def story(here):
        async with client(here, car) as wire:
            wire.say(packet, Ping())
            assert await wire.rest() == [Disconnect(reason)]

    play(story, garage)


def test_a_client_may_say_how_long_it_is_remembered_as_it_goes(garage, car):
    async def story(here):
        lasting = {"clean": False, "properties": {Property.SESSION_EXPIRY: 600}}
        async with client(here, car, **lasting) as wire:
            wire.say(Disconnect(properties={Property.SESSION_EXPIRY: 0}))
            assert await wire.rest() == []
            await until(lambda: not here.door.connections)
        async with client(here, car, **lasting) as wire:
            assert not wire.connack.present

    play(story, garage)


def test_the_newest_connection_of_a_client_wins(garage, car):
    async def story(here):
        async with client(here, car) as first, client(here, car) as second:
            assert await first.rest() == [Disconnect(Reason.TAKEN_OVER)]
            second.say(Ping())
            assert await second.hear() == Ping(answer=True)
        limits = here.door.own.clients
        wires = [await dialled(here, car) for _ in range(limits + 1)]
        for number, wire in enumerate(wires):
            wire.say(Connect(V5, f"client {number}"))
            assert (await wire.hear()).reason == 0
        assert await wires[0].rest() == [Disconnect(Reason.QUOTA)]
        await asyncio.gather(*(wire.close() for wire in wires))
        await until(lambda: not here.door.cars)

    play(story, garage)


def will(car, kind="a", **said):
    return Will(car.topic(kind), message(66), 1, properties=said.pop("properties", {}))


def test_a_will_is_kept_when_a_car_is_lost_and_not_when_it_leaves(garage, car):
    async def story(here):
        async with client(here, car, will=will(car)) as wire:
            wire.say(Disconnect())
            await wire.rest()
        await until(lambda: not here.door.connections)
        async with client(here, car, V3, will=will(car)):
            pass
        await until(lambda: here.rows)
        assert [row[SPEED] for row in here.rows] == [66]
        async with client(here, car, will=Will(car.topic("t"), message(67))) as wire:
            wire.say(Disconnect(Reason.WITH_WILL))
            await wire.rest()
        await until(lambda: len(here.rows) == 2)

    play(story, garage)


def test_a_will_waits_for_the_client_to_come_again(garage, car):
    delayed = {"clean": False, "properties": {Property.SESSION_EXPIRY: 600}}
    late = will(car, properties={Property.WILL_DELAY: 300})

    async def story(here):
        async with client(here, car, will=late, **delayed):
            pass
        await until(lambda: here.door._wills)
        async with client(here, car, will=late, **delayed):
            assert not here.door._wills
            async with client(here, car, **delayed) as newer:
                newer.say(Ping())
                await newer.hear()
                await until(lambda: len(here.door.connections) == 1)
            assert not here.door._wills
        assert here.rows == []
        async with client(here, car, client_id="last", will=late, **delayed):
            pass
        await until(lambda: here.door._wills)

    play(story, garage)


def test_a_will_of_a_revoked_car_is_nobodys(garage):
    car = garage.car(30)

    async def story(here):
        async with client(here, car, will=will(car)) as wire:
            garage.revoke(car)
            await until(lambda: here.papers.identify(car_der(car)) is None)
            here.door.recheck()
            assert await wire.rest() == [Disconnect(Reason.NOT_AUTHORIZED)]
        await until(lambda: not here.door.connections)
        here.door.flush()
        assert here.rows == []

    play(story, garage)


def car_der(car):
    import ssl

    return ssl.PEM_cert_to_DER_cert(
        car.cert.read_text().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----"
    )


def test_the_gate_says_so_when_it_stops(garage, car):
    async def story(here):
        async with client(here, car, will=will(car)) as wire:
            wire.say(Publish(car.topic("t"), message(5), 1, 1))
            assert (await wire.hear()).reason == 0
            await here.door.stop()
            assert await wire.rest() == [Disconnect(Reason.SHUTTING_DOWN)]
            assert [row[SPEED] for row in here.rows] == [5]

    play(story, garage)


def test_who_is_silent_or_drips_is_closed(garage, car):
    async def story(here):
        stranger = await dialled(here, car)
        silent = await dialled(here, car)
        silent.say(Connect(V5, "silent", keep_alive=1))
        dripping = await dialled(here, car)
        dripping.say(Connect(V5, "dripping"))
        assert (await dripping.hear()).reason == 0
        dripping.writer.write(b"\x30\x80")
        assert await dripping.rest() == [Disconnect(Reason.MALFORMED_PACKET)]
        assert await stranger.rest() == []
        assert (await silent.rest())[1:] == [Disconnect(Reason.KEEP_ALIVE)]
        assert (here.door.counts["idle"], here.door.counts["unfinished"]) == (2, 1)

    play(story, garage, QUICK)


def test_too_much_at_once_waits_or_ends(garage, car):
    limits = Limits(pending=5, rate=50, batch_frames=1000)

    async def story(here):
        async with client(here, car, V3) as wire:
            wire.say(*[Publish(car.topic("t"), message(n, n), 1, n + 1) for n in range(60)])
            assert [(await wire.hear()).packet_id for _ in range(60)] == list(range(1, 61))
            assert here.door.counts["slowed down"] >= 1
        async with client(here, car, V5) as wire:
            wire.say(*[Publish(car.topic("t"), message(n, n), 1, n + 1) for n in range(8)])
            heard = await wire.rest()
            assert heard[-1] == Disconnect(Reason.RECEIVE_MAXIMUM)

    play(story, garage, limits)


def test_of_what_comes_in_one_read_no_more_is_heard_than_a_car_may_say_in_a_second(garage, car):
    pings = encode(Ping(), V3) * 9000

    async def story(here):
        async with client(here, car, V3) as wire:
            (line,) = here.door.connections
            heard, hear = [], line._talk.hear
            line._talk.hear = lambda packet: heard.append(packet) or hear(packet)
            line.data_received(pings)
            assert 50 < len(heard) == 1 << 13 < 9000
            assert line._heard
            wire.reader._transport.pause_reading()
            await until(lambda: len(heard) == 9000)
            assert not line._heard
            assert here.door.counts["slowed down"] == 2

    play(story, garage, Limits(rate=50))


def test_who_does_not_read_is_not_read_and_then_closed(garage, car):
    async def story(here):
        async with client(here, car) as wire:
            wire.reader._transport.pause_reading()
            line = next(iter(here.door.connections))
            line.pause_writing()
            assert line._paused
            line.resume_writing()
            assert not line._paused
            line.pause_writing()
            line.look_after(asyncio.get_running_loop().time() + 1e6)
            await until(lambda: not here.door.connections)

    play(story, garage)
