"""The door over real TLS, spoken to byte by byte: who may what, what is acknowledged when, what ends a connection."""

import asyncio

import pytest

from mqtt_makers import NOW, Garage, client, dialled, running, until
from onshore.gate.mqtt.door import Limits
from onshore.gate.mqtt.packets import (
    Answer,
    Answers,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Filter,
    Ping,
    Publish,
    Subscribe,
    Unsubscribe,
    Will,
)
from onshore.gate.mqtt.protocol import V3, V5, Kind, Property, Reason, encode
from onshore.gate.mqtt.sessions import NEVER
from onshore.words.errors import Refusal

SPEED = "Vehicle.Speed"
OLD_CONNECT = bytes.fromhex("101000064d5149736470030200000002636172")
QUICK = Limits(login_timeout_s=0.4, frame_timeout_s=0.4, idle_timeout_s=0.4)


@pytest.fixture(scope="module")
def garage(tmp_path_factory):
    return Garage(tmp_path_factory.mktemp("garage"))


@pytest.fixture(scope="module")
def car(garage):
    return garage.car(1)


@pytest.fixture(scope="module")
def other(garage):
    return garage.car(2)


def message(speed=1, at=0):
    return b'{"time":%d,"Vehicle.Speed":%d}' % (NOW + at, speed)


def play(story, garage, limits=None):
    async def told():
        async with running(garage, limits) as here:
            await story(here)

    asyncio.run(told())


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


def test_a_check_in_is_kept_or_comes_again(garage, car):
    async def story(here):
        async with client(here, car) as wire:
            said = Publish(car.topic("c"), b'{"policy":3}', 1, 1)
            for _ in "ab":
                wire.say(said)
                assert (await wire.hear()).reason == 0
            assert here.papers.seen == [(car.id, 3)] * 2
            here.papers.fails = OSError("the papers do not answer")
            wire.say(said)
            assert await wire.rest() == [Disconnect(Reason.BUSY)]

    play(story, garage)


def test_a_policy_comes_down_and_is_sent_again_until_it_is_there(garage, car):
    async def story(here):
        lasting = {"clean": False, "properties": {Property.SESSION_EXPIRY: 600}}
        here.papers.policies[car.id] = b"one"
        async with client(here, car, **lasting) as wire:
            wire.say(Subscribe(5, [Filter(car.topic("p"), 2)]))
            assert await wire.hear() == Answers(Kind.SUBACK, 5, [1])
            first = await wire.hear()
            assert (first.payload, first.retain, first.qos, first.dup) == (b"one", True, 1, False)
            here.papers.policies[car.id] = b"two"
            here.door.publish(car.id, b"two")  # waits for the first to be acknowledged
        async with client(here, car, **lasting) as wire:
            assert wire.connack.present
            again = await wire.hear()
            assert (again.payload, again.packet_id, again.dup) == (b"one", first.packet_id, True)
            wire.say(Answer(Kind.PUBACK, 999), Answer(Kind.PUBACK, again.packet_id))
            second = await wire.hear()
            assert (second.payload, second.retain, second.dup) == (b"two", False, False)
            wire.say(Answer(Kind.PUBACK, second.packet_id), Unsubscribe(6, [car.topic("p"), "other"]))
            assert await wire.hear() == Answers(Kind.UNSUBACK, 6, [Reason.SUCCESS, Reason.NO_SUBSCRIPTION])
            here.papers.policies[car.id] = b"three"
            here.door.publish(car.id, b"three")
            wire.say(Ping())
            assert await wire.hear() == Ping(answer=True)
        async with client(here, car, clean=True) as wire:
            assert not wire.connack.present

    play(story, garage)


def test_a_new_policy_is_pushed_at_the_gates_tick(garage, car, other):
    async def story(here):
        async with client(here, car) as wire:
            wire.say(Subscribe(1, [Filter(car.topic("p"), 0)]))
            assert (await wire.hear()).reasons == [0]
            here.papers.news = [(other.id, b"not here"), (car.id, b"new")]
            here.door.look()
            heard = await wire.hear()
            assert (heard.topic, heard.payload, heard.qos, heard.retain) == (car.topic("p"), b"new", 0, False)

    play(story, garage)


@pytest.mark.parametrize(("retained", "twice"), [(0, True), (1, False), (2, False)])
def test_retain_as_the_client_wants_it(garage, car, retained, twice):
    async def story(here):
        here.papers.policies[car.id] = b"policy"
        async with client(here, car) as wire:
            wanted = Subscribe(1, [Filter(car.topic("p"), 0, retained=retained, as_published=True)])
            wire.say(wanted, wanted, Ping())
            heard = [await wire.hear()]
            while not isinstance(heard[-1], Ping):
                heard.append(await wire.hear())
            policies = [h for h in heard if isinstance(h, Publish)]
            assert len(policies) == (0 if retained == 2 else 1 + twice)
            assert all(p.retain for p in policies)
            here.door.publish(car.id, b"next")
            assert (await wire.hear()).retain  # as it was published

    play(story, garage)


def test_a_policy_that_cannot_be_told_now_is_told_later(garage, car):
    async def story(here):
        here.papers.fails = Refusal("host-abroad", "the host stands elsewhere")
        async with client(here, car) as wire:
            wire.say(Subscribe(1, [Filter(car.topic("p"), 1, retained=2)]))
            assert (await wire.hear()).reasons == [1]
            here.door.publish(car.id, b"at last")
            assert (await wire.hear()).payload == b"at last"

    play(story, garage)


def test_a_policy_too_large_for_a_client_is_not_sent(garage, car):
    async def story(here):
        here.papers.policies[car.id] = b"x" * 100
        async with client(here, car, properties={Property.MAXIMUM_PACKET: 50}) as wire:
            wire.say(Subscribe(1, [Filter(car.topic("p"), 0)]), Ping())
            assert [type(await wire.hear()) for _ in "ab"] == [Answers, Ping]
            assert here.door.counts["policy too large"] == 1

    play(story, garage)


def test_nobody_subscribes_to_anything_else(garage, car, other):
    async def story(here):
        wanted = [other.topic("p"), car.topic("t"), "#", "v1/+/p", f"$share/g/{car.topic('p')}"]
        reasons = [Reason.NOT_AUTHORIZED, Reason.NOT_AUTHORIZED, Reason.WILDCARD, Reason.WILDCARD, Reason.SHARED]
        async with client(here, car) as wire:
            wire.say(Subscribe(1, [Filter(topic) for topic in wanted]))
            assert (await wire.hear()).reasons == reasons
        async with client(here, car, V3) as wire:
            wire.say(Subscribe(1, [Filter(topic) for topic in wanted]))
            assert (await wire.hear()).reasons == [0x80] * 5

    play(story, garage)


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
