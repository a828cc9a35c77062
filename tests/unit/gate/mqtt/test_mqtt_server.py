"""The door over real TLS, spoken to byte by byte: who may what, and what is acknowledged when."""

import pytest

from mqtt_makers import client, dialled, message, play
from onshore.gate.mqtt.packets import (
    Answer,
    Connack,
    Disconnect,
    Ping,
    Publish,
    Will,
)
from onshore.gate.mqtt.protocol import V3, V5, Kind, Property, Reason
from onshore.gate.mqtt.sessions import NEVER

SPEED = "Vehicle.Speed"
OLD_CONNECT = bytes.fromhex("101000064d5149736470030200000002636172")


def test_what_a_client_of_version_5_is_told(garage, car):
    async def story(here):
        async with client(here, car, client_id="", properties={Property.SESSION_EXPIRY: NEVER}) as wire:
            said = wire.connack.properties
            assert wire.connack.reason == Reason.SUCCESS
            assert said[Property.MAXIMUM_QOS] == 1
            assert said[Property.RECEIVE_MAXIMUM] == 1000
            assert said[Property.SERVER_KEEP_ALIVE] == 120
            assert said[Property.SESSION_EXPIRY] == 30 * 86_400
            assert said[Property.ASSIGNED_CLIENT_ID].startswith(car.name)
            wire.say(Ping())
            assert await wire.hear() == Ping(answer=True)
        async with client(here, car, keep_alive=60, properties={Property.SESSION_EXPIRY: 60}) as wire:
            assert Property.SERVER_KEEP_ALIVE not in wire.connack.properties
            assert Property.SESSION_EXPIRY not in wire.connack.properties
        async with client(here, car, V3, client_id="") as wire:
            assert wire.connack == Connack(Reason.SUCCESS)

    play(story, garage)


@pytest.mark.parametrize(
    ("version", "asked", "reason"),
    [
        (V5, {"properties": {Property.AUTH_METHOD: "x"}}, Reason.AUTHENTICATION),
        (V5, {"client_id": "OTHER"}, Reason.CLIENT_ID),
        (V3, {"client_id": "OTHER"}, Reason.CLIENT_ID),
        (V3, {"client_id": "", "clean": False}, Reason.CLIENT_ID),
        (V5, {"will": Will("MINE", b"", 2)}, Reason.QOS),
        (V5, {"will": Will("v1/0/t", b"")}, Reason.NOT_AUTHORIZED),
        (V3, {"will": Will("v1/0/t", b"")}, Reason.NOT_AUTHORIZED),
    ],
)
def test_who_is_not_let_in(garage, car, other, version, asked, reason):
    if asked.get("client_id") == "OTHER":
        asked = {"client_id": other.name}
    if "will" in asked and asked["will"].topic == "MINE":
        asked = {"will": replace_will(asked["will"], car.topic("t"))}

    async def story(here):
        async with client(here, car, version, **asked) as wire:
            assert wire.connack.reason == reason
            assert await wire.hear() is None
        assert here.door.counts["refused"] == 1

    play(story, garage)


def replace_will(will, topic):
    return Will(topic, will.payload, will.qos)


def test_a_version_that_nobody_speaks_is_told_in_words_of_3_1_1(garage, car):
    async def story(here):
        wire = await dialled(here, car, V3)
        wire.writer.write(OLD_CONNECT)
        assert await wire.rest() == [Connack(Reason.VERSION)]
        wire = await dialled(here, car, V3)
        wire.writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await wire.rest() == []

    play(story, garage)


def test_papers_that_do_not_answer_let_nobody_in(garage, car):
    async def story(here):
        def silent(_):
            raise OSError("the papers do not answer")

        here.papers.identify = silent
        async with client(here, car) as wire:
            assert wire.connack.reason == Reason.UNAVAILABLE
        here.papers.identify = lambda _: None
        async with client(here, car) as wire:
            assert wire.connack.reason == Reason.NOT_AUTHORIZED

    play(story, garage)


@pytest.mark.parametrize("version", [V3, V5])
def test_messages_are_acknowledged_in_order_once_they_are_kept(garage, car, version):
    async def story(here):
        async with client(here, car, version) as wire:
            own = [Publish(car.topic("ta"[n % 2]), message(n, n), 1, n + 1) for n in range(20)]
            wire.say(Publish(car.topic("t"), message(99)), *own)
            for n in range(20):
                assert await wire.hear() == Answer(Kind.PUBACK, n + 1)
            assert sorted(row[SPEED] for row in here.rows) == [*range(20), 99]
            assert {row["vehicle"] for row in here.rows} == {car.id}

    play(story, garage)


def test_what_comes_twice_is_kept_once(garage, car):
    async def story(here):
        async with client(here, car) as wire:
            again = [Publish(car.topic("t"), message(1), 1, n, dup=n > 1) for n in (1, 2)]
            wire.say(*again)
            assert [(await wire.hear()).packet_id for _ in again] == [1, 2]
            wire.say(Publish(car.topic("t"), message(1), 1, 3, dup=True))
            assert (await wire.hear()).packet_id == 3
            assert len(here.rows) == 1
            assert here.door.counts["again"] == 2
            bad = Publish(car.topic("t"), b"{}", 1, 4)
            wire.say(bad)
            assert (await wire.hear()).reason == Reason.PAYLOAD
            wire.say(bad)
            assert (await wire.hear()).reason == Reason.PAYLOAD

    play(story, garage)


def test_only_its_own_topics_take_a_cars_messages(garage, car, other):
    async def story(here):
        foreign = [other.topic("t"), car.topic("p"), "anything", car.topic("t") + "/x"]
        async with client(here, car) as wire:
            for n, topic in enumerate(foreign, 1):
                wire.say(Publish(car.topic("t"), message(n, n), 1, 2 * n), Publish(topic, message(), 1, 2 * n + 1))
                assert (await wire.hear()).reason == Reason.SUCCESS
                assert await wire.hear() == Answer(Kind.PUBACK, 2 * n + 1, Reason.NOT_AUTHORIZED)
            wire.say(Publish(other.topic("t"), message()))
            assert await wire.rest() == [Disconnect(Reason.NOT_AUTHORIZED)]
        async with client(here, car, V3) as wire:
            wire.say(Publish(other.topic("t"), message(), 1, 1))
            assert await wire.rest() == []
        assert len(here.rows) == 4

    play(story, garage)


@pytest.mark.parametrize("version", [V3, V5])
def test_what_is_no_message_is_rejected(garage, car, version):
    async def story(here):
        quiet = {"properties": {Property.REQUEST_PROBLEM: 0}} if version == V5 else {}
        async with client(here, car, version, **quiet) as wire:
            wire.say(Publish(car.topic("t"), b"{", 1, 1), Publish(car.topic("c"), b"{", 1, 2))
            reason = Reason.PAYLOAD if version == V5 else Reason.SUCCESS
            assert [await wire.hear() for _ in "ab"] == [Answer(Kind.PUBACK, n, reason) for n in (1, 2)]
            assert here.door.counts["rejected"] == 2
        async with client(here, car, V5) as wire:
            wire.say(Publish(car.topic("t"), b"{", 1, 1))
            assert "type and range" in (await wire.hear()).properties[Property.REASON_STRING]

    play(story, garage)


@pytest.mark.parametrize("version", [V3, V5])
def test_nothing_after_what_was_not_kept_is_acknowledged(garage, car, version):
    async def story(here):
        async with client(here, car, version) as wire:
            here.fails = True
            sent = [Publish(car.topic("t"), message(n, n), 1, n + 1) for n in range(3)]
            wire.say(*sent, Publish(car.topic("c"), b'{"policy":1}', 1, 9))
            heard = await wire.rest()
            assert [h for h in heard if isinstance(h, Answer)] in ([], [Answer(Kind.PUBACK, 9)])
            assert heard[-1:] == ([Disconnect(Reason.BUSY)] if version == V5 else heard[-1:])
            assert here.rows == []

    play(story, garage)


@pytest.mark.parametrize("version", [V3, V5])
def test_while_the_disk_is_full_who_comes_is_told_and_who_is_there_waits(garage, car, version):
    async def story(here):
        async with client(here, car, version) as wire:
            here.door.press("full")
            wire.say(Publish(car.topic("t"), message(1, 1), 1, 7))
            async with client(here, car, version, client_id="late") as late:
                assert late.connack.reason == (Reason.BUSY if version == V5 else Reason.UNAVAILABLE)
                assert await late.hear() is None
            assert here.rows == []
            assert wire.packets == []
            here.door.press("")
            assert await wire.hear() == Answer(Kind.PUBACK, 7)
            assert len(here.drive(car)) == 1

    play(story, garage)


def will(car, kind="a", **said):
    return Will(car.topic(kind), message(66), 1, properties=said.pop("properties", {}))
