"""The bridge against a broker that does what no broker should, spoken to byte by byte."""

import asyncio
import ssl
from contextlib import asynccontextmanager

import pytest

from mqtt_makers import NOW, Garage, Running, until
from onshore.gate.mqtt import client as module
from onshore.gate.mqtt.client import Bridge, Broker, Cars, Link
from onshore.gate.mqtt.door import Limits
from onshore.gate.mqtt.packets import (
    Answer,
    Answers,
    Connack,
    Connect,
    Disconnect,
    Ping,
    Publish,
    Subscribe,
)
from onshore.gate.mqtt.protocol import V3, V5, Kind, Property, Reader, Reason, encode
from onshore.gate.mqtt.topics import pattern

CAR = 255
PATTERNS = [pattern("fleet/{vehicle}/t", "t"), pattern("{vin}/a", "a")]


@pytest.fixture(scope="module")
def garage(tmp_path_factory):
    return Garage(tmp_path_factory.mktemp("garage"))


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(module, "_PAUSES", (0.01, 0.02))


class FakeBroker:
    """Hears what the bridge says; each connection is told what `script` says next."""

    def __init__(self, version, *script):
        self.version, self.script, self.heard, self.writers = version, list(script), [], []

    async def serve(self, reader, writer):
        self.writers.append(writer)
        parts = Reader(1 << 20)
        try:
            while data := await reader.read(65536):
                for packet in parts.feed(data):
                    self.heard.append(packet)
                    self.answer(packet, writer)
        except (ConnectionError, OSError):
            pass
        finally:
            writer.close()

    def answer(self, packet, writer):
        if isinstance(packet, Connect):
            answer = self.script.pop(0) if self.script else Connack()
        elif isinstance(packet, Subscribe):
            answer = self.script.pop(0) if self.script else Answers(Kind.SUBACK, packet.packet_id, [1, 1])
        else:
            answer = Ping(answer=True) if isinstance(packet, Ping) else None
        if isinstance(answer, bytes):
            writer.write(answer)
        elif answer is not None:
            writer.write(encode(answer, self.version))

    def say(self, *packets):
        self.writers[-1].write(b"".join(encode(packet, self.version) for packet in packets))

    def of(self, kind):
        return [packet for packet in self.heard if isinstance(packet, kind)]


@asynccontextmanager
async def bridged(garage, broker, find=lambda name, _: CAR if name == "f" * 16 else None, limits=None):
    here = Running(garage, limits)
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    here.bridge = Bridge(here.door, Broker("127.0.0.1", port, broker.version, "onshore"), PATTERNS, Cars(find))
    here.bridge.start()
    try:
        yield here
    finally:
        await here.bridge.stop()
        await here.door.stop(server)


def message(number, topic="fleet/ffffffffffffffff/t", qos=1):
    payload = b'{"time":%d,"Vehicle.Speed":%d}' % (NOW + number, number)
    return Publish(topic, payload, qos, number if qos else 0)


def play(story):
    asyncio.run(story())


@pytest.mark.parametrize("version", [V3, V5])
def test_what_is_known_is_kept_and_all_is_acknowledged_in_order(garage, version):
    async def story():
        broker = FakeBroker(version)
        async with bridged(garage, broker) as here:
            await until(lambda: here.door.counts["bridge subscribed"])
            broker.say(message(1), message(2, "fleet/0/t"), message(3, "elsewhere"), message(4, qos=0), message(5))
            broker.say(message(6, "fleet/0/t", qos=0), Publish("fleet/ffffffffffffffff/t", b"{", 1, 7))
            await until(lambda: len(broker.of(Answer)) == 5)
            assert [a.packet_id for a in broker.of(Answer)] == [1, 2, 3, 5, 7]
            assert broker.of(Answer)[-1].reason == (Reason.PAYLOAD if version == V5 else 0)
            assert [row["Vehicle.Speed"] for row in here.drive(type("Car", (), {"id": CAR}))] == [1, 4, 5]
            assert here.door.counts["unknown vehicle"] == 3
            subscribed = broker.of(Subscribe)[0].filters
            assert [(f.topic, f.qos, f.retained) for f in subscribed] == [
                ("fleet/+/t", 1, 2 if version == V5 else 0),
                ("+/a", 1, 2 if version == V5 else 0),
            ]
            assert not broker.of(Connect)[0].clean
        await until(lambda: broker.of(Disconnect) == [Disconnect()])

    play(story)


@pytest.mark.parametrize(
    "script",
    [
        [Connack(Reason.NOT_AUTHORIZED)],
        [Connack(), Answers(Kind.SUBACK, 1, [1, 0x87])],
        [b"\xff\xff\xff\xff\xff"],
        [Connack(), Disconnect(Reason.TAKEN_OVER)],
        [Connack(), b"\x20"],
    ],
)
def test_a_broker_that_refuses_is_asked_again(garage, script):
    async def story():
        broker = FakeBroker(V5, *script)
        async with bridged(garage, broker) as here:
            await until(lambda: broker.writers)
            if script[-1:] == [b"\x20"]:
                await until(lambda: broker.of(Subscribe))
                broker.writers[-1].close()
            await until(lambda: here.door.counts["bridge subscribed"])
            assert len(broker.of(Connect)) == 2

    play(story)


def test_what_was_not_kept_comes_again(garage):
    async def story():
        broker = FakeBroker(V5)
        async with bridged(garage, broker) as here:
            await until(lambda: here.door.counts["bridge subscribed"] == 1)
            here.fails = True
            broker.say(message(1), message(2))
            await until(lambda: here.door.counts["bridge subscribed"] == 2)
            assert broker.of(Answer) == []
            here.fails = False
            broker.say(message(1), message(2))
            await until(lambda: len(broker.of(Answer)) == 2)

    play(story)


def test_papers_that_do_not_answer_acknowledge_nothing(garage):
    async def story():
        silent = [True]

        def find(name, by_vin):
            if silent.pop() if silent else False:
                raise OSError("the papers do not answer")
            return CAR

        broker = FakeBroker(V5)
        async with bridged(garage, broker, find) as here:
            await until(lambda: here.door.counts["bridge subscribed"] == 1)
            broker.say(message(1))
            await until(lambda: here.door.counts["bridge subscribed"] == 2)
            assert broker.of(Answer) == []
            broker.say(message(1))
            await until(lambda: broker.of(Answer))

    play(story)


def test_no_more_is_read_than_may_wait(garage):
    async def story():
        broker = FakeBroker(V3)
        async with bridged(garage, broker, limits=Limits(pending=3, batch_frames=1000)) as here:
            await until(lambda: here.door.counts["bridge subscribed"])
            for number in range(1, 51):
                broker.say(message(number))
            await until(lambda: len(broker.of(Answer)) == 50)
            link = here.bridge._link
            link.pause_writing()
            assert link._paused
            link.resume_writing()
            assert not link._paused
            link.offer(b"policy")
            assert (link.stands(), link.identity) == (True, None)

    play(story)


def test_a_broker_that_falls_silent_is_left(garage):
    async def story():
        broker = FakeBroker(V5)
        async with bridged(garage, broker) as here:
            await until(lambda: here.door.counts["bridge subscribed"] == 1)
            link, now = here.bridge._link, asyncio.get_running_loop().time()
            link.look_after(now + module.KEEP_ALIVE)
            await until(lambda: broker.of(Ping))
            here.bridge.look()
            link.look_after(now + 1000)
            await until(lambda: here.door.counts["bridge subscribed"] == 2)
            assert here.bridge._link is not link

    play(story)


def test_nobody_there_is_tried_until_somebody_is(garage, caplog):
    async def story():
        here = Running(garage)
        context = ssl.create_default_context()
        bridge = Bridge(here.door, Broker("127.0.0.1", 1, V5, "onshore", context), PATTERNS, Cars(lambda *_: None))
        bridge.start()
        await until(lambda: "cannot be reached" in caplog.text)
        bridge.look()
        await bridge.stop()
        await Bridge(here.door, Broker("127.0.0.1", 1, V5, "onshore"), PATTERNS, Cars(lambda *_: None)).stop()

    play(story)
    assert caplog.text.count("cannot be reached") == 1


def test_a_link_that_ends_twice_ends_once(garage):
    async def story():
        here = Running(garage)
        link = Link(here.door, Broker("b", 1, V5, "onshore"), PATTERNS, Cars(lambda *_: None))
        link.connection_lost(None)
        link.connection_lost(None)
        link.end("not kept")
        assert link.done.done()
        assert here.door.counts["not kept"] == 0

    play(story)


def test_a_bridge_that_only_hears_says_that_it_is_there(garage):
    """3.1.1 and 5.0, 3.1.2.10: it is what a client sends that keeps it alive, at the broker's own keep-alive."""

    async def story():
        broker = FakeBroker(V5, Connack(properties={Property.SERVER_KEEP_ALIVE: 6}))
        async with bridged(garage, broker) as here:
            await until(lambda: here.door.counts["bridge subscribed"] == 1)
            link, now = here.bridge._link, asyncio.get_running_loop().time()
            link._heard = now + 3  # messages at QoS 0, which are not answered
            link.look_after(now + 3)
            await until(lambda: broker.of(Ping))

    play(story)


@pytest.mark.parametrize("lie", [Publish("fleet/ffffffffffffffff/t", b"{}", 2, 1), Answers(Kind.SUBACK, 1, [1])])
def test_a_broker_that_says_what_it_may_not_is_left(garage, lie):
    async def story():
        broker = FakeBroker(V5)
        async with bridged(garage, broker) as here:
            await until(lambda: here.door.counts["bridge subscribed"] == 1)
            broker.say(lie)
            await until(lambda: here.door.counts["bridge refused"] == 1)
            await until(lambda: here.door.counts["bridge subscribed"] == 2)
            assert broker.of(Answer) == []

    play(story)


def test_what_lay_at_the_broker_is_not_taken_for_news(garage):
    """3.1.1, 3.3.1-8: what is retained comes with each subscription again, and so after each loss of the link."""

    async def story():
        broker = FakeBroker(V3)
        async with bridged(garage, broker) as here:
            await until(lambda: here.door.counts["bridge subscribed"] == 1)
            old = message(1)
            broker.say(Publish(old.topic, old.payload, 1, 1, retain=True), message(2))
            await until(lambda: len(broker.of(Answer)) == 2)
            assert [row["Vehicle.Speed"] for row in here.rows] == [2]
            assert here.door.counts["retained"] == 1

    play(story)
