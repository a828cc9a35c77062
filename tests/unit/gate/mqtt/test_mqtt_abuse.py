"""A car that costs more than it may, and what the standards say of odd clients: over real TLS, byte by byte."""

import asyncio

import pytest
from msgspec.structs import replace

from mqtt_makers import NOW, Garage, client, running, until
from onshore.gate.mqtt import door as module
from onshore.gate.mqtt.door import Item, Limits
from onshore.gate.mqtt.packets import Answer, Connack, Disconnect, Filter, Publish, Subscribe, Unsubscribe, Will
from onshore.gate.mqtt.protocol import V3, V5, Kind, Property, Reason
from onshore.words.errors import Malformed

SPEED = "Vehicle.Speed"


@pytest.fixture(scope="module")
def garage(tmp_path_factory):
    return Garage(tmp_path_factory.mktemp("garage"))


@pytest.fixture(scope="module")
def car(garage):
    return garage.car(1)


def message(speed=1, at=0):
    return b'{"time":%d,"Vehicle.Speed":%d}' % (NOW + at, speed)


def play(story, garage, limits=None):
    async def told():
        async with running(garage, limits) as here:
            await story(here)

    asyncio.run(told())


@pytest.mark.parametrize("version", [V3, V5])
def test_a_car_that_subscribes_for_ever_is_closed(garage, car, version):
    async def story(here):
        here.papers.policies[car.id] = b"policy" * 1000
        async with client(here, car, version) as wire:
            wire.say(*[Subscribe(n + 1, [Filter(car.topic("p"))]) for n in range(1000)])
            heard = await wire.rest()
            assert len([packet for packet in heard if isinstance(packet, Publish)]) <= here.door.own.asks
            assert version == V3 or heard[-1] == Disconnect(Reason.MESSAGE_RATE)
        async with client(here, car) as wire:
            wire.say(Unsubscribe(1, ["x"] * 1000))
            assert await wire.rest() == [Disconnect(Reason.MESSAGE_RATE)]
        assert here.door.counts["too many subscriptions"] == 2

    play(story, garage)


def test_of_many_check_ins_at_once_the_last_is_put_on_paper(garage, car):
    async def story(here):
        papers = here.papers
        async with client(here, car) as wire:
            wire.say(*[Publish(car.topic("c"), b'{"policy":%d}' % n, 1, n) for n in range(1, 500)])
            wire.say(Publish(car.topic("c"), b"{", 1, 500))
            heard = [await wire.hear() for _ in range(500)]
            assert [answer.reason for answer in heard] == [0] * 499 + [Reason.PAYLOAD]
        assert papers.seen[-1] == (car.id, 499)
        assert len(papers.seen) < 50

    play(story, garage, Limits(pending=1000, batch_ms=200))


def test_check_ins_that_are_all_wrong_are_not_all_looked_up(garage, car):
    looked = []

    def refuse(vehicle, version, at):
        looked.append(version)
        if version > 3:
            raise Malformed("no such version", where="check-in")

    async def story(here):
        here.papers.checked_in = refuse
        async with client(here, car) as wire:
            wire.say(*[Publish(car.topic("c"), b'{"policy":%d}' % n, 1, n + 1) for n in range(200)])
            assert {(await wire.hear()).reason for _ in range(200)} == {Reason.PAYLOAD}
            assert len(looked) < 60
            looked.clear()
            wire.say(*[Publish(car.topic("c"), b'{"policy":%d}' % n, 1, n) for n in (2, 3, 9)])
            assert [(await wire.hear()).reason for _ in range(3)] == [0, 0, Reason.PAYLOAD]
        assert looked == [9, 3]

    play(story, garage, Limits(pending=1000, batch_ms=200))


def test_a_batch_that_cannot_be_kept_at_all_comes_again(garage, car, monkeypatch):
    def broken(*_):
        raise ValueError("anything")

    async def story(here):
        async with client(here, car) as wire:
            with monkeypatch.context() as patched:
                patched.setattr(module, "decode", broken)
                wire.say(Publish(car.topic("t"), message(), 1, 1))
                assert await wire.rest() == [Disconnect(Reason.BUSY)]
        async with client(here, car) as wire:
            wire.say(Publish(car.topic("t"), message(), 1, 1, dup=True))
            assert await wire.hear() == Answer(Kind.PUBACK, 1)

    play(story, garage)


def test_what_was_kept_before_the_gate_was_started_is_not_stored_again(garage, car):
    """Not what was rejected, and not a check-in, which is news each time."""
    sent = [Publish(car.topic("t"), message(n, n), 1, n) for n in range(1, 6)]
    long = Publish(car.topic("t"), b"[%s]" % b",".join(message(n % 200, n) for n in range(900)), 1, 6)
    moved = Publish(car.topic("a"), message(1, 1), 1, 7)
    bad, check_in = Publish(car.topic("t"), b"{}", 1, 8), Publish(car.topic("c"), b'{"policy":3}', 1, 9)

    async def told():
        async with running(garage) as here, client(here, car) as wire:
            wire.say(*sent, long, bad, check_in)
            assert [(await wire.hear()).reason for _ in range(8)] == [0] * 6 + [Reason.PAYLOAD, 0]
            assert len(here.heard) == 8 * 6
        async with running(garage, heard=here.heard) as later, client(later, car) as wire:
            wire.say(*[replace(one, dup=True) for one in (*sent, long, bad, check_in)], moved)
            assert [(await wire.hear()).reason for _ in range(9)] == [0] * 6 + [Reason.PAYLOAD, 0, 0]
            assert later.door.counts["again"] == 6
            assert [row[SPEED] for row in later.rows] == [1], "of another topic, it is another message"
            assert later.papers.seen == [(car.id, 3)]

    asyncio.run(told())


def test_who_connects_again_has_spent_what_it_spent(garage, car):
    async def story(here):
        for _ in range(2):
            async with client(here, car, V3) as wire:
                wire.say(*[Publish(car.topic("t"), message(n), 0) for n in range(60)])
                wire.say(Publish(car.topic("t"), message(61), 1, 1))
                await wire.hear()
            await until(lambda: not here.door.connections)
            assert set(here.door._spent) == {car.id}
        here.door.look()
        await until(lambda: here.door.look() is None and not here.door._spent)

    play(story, garage, Limits(rate=1000))


def test_a_message_of_many_rows_costs_what_they_cost(garage, car):
    rows = b"[" + b",".join([message(n, n) for n in range(300)]) + b"]"

    async def story(here):
        async with client(here, car) as wire:
            wire.say(Publish(car.topic("t"), rows, 1, 1))
            await wire.hear()
            await until(lambda: here.door.counts["slowed down"] == 1)

    play(story, garage, Limits(rate=200))


def test_a_car_that_changes_its_names_forgets_its_own_sessions_alone(garage, car):
    other = garage.car(2)
    kept = {"clean": False, "properties": {Property.SESSION_EXPIRY: 600}}

    async def story(here):
        async with client(here, other, client_id="mine", **kept):
            pass
        for number in range(5):
            async with client(here, car, client_id=f"name {number}", **kept):
                pass
            await until(lambda: not here.door.connections)
        for name, whose, present in (("mine", other, True), ("name 4", car, True), ("name 0", car, False)):
            async with client(here, whose, client_id=name, **kept) as wire:
                assert wire.connack.present == present
            await until(lambda: not here.door.connections)
        for version in (V3, V5):
            async with client(here, car, version, client_id="x" * 257) as wire:
                assert wire.connack == Connack(Reason.CLIENT_ID)

    play(story, garage, Limits(clients=2))


def late(car, speed=66, delay=300):
    return Will(car.topic("a"), message(speed), 1, properties={Property.WILL_DELAY: delay})


def test_wills_that_wait_are_few(garage, car):
    kept = {"clean": False, "properties": {Property.SESSION_EXPIRY: 600}}

    async def story(here):
        for number in range(4):
            async with client(here, car, client_id=f"name {number}", will=late(car, number), **kept):
                pass
            await until(lambda: not here.door.connections)
        await until(lambda: len(here.rows) == 2)
        assert [row[SPEED] for row in here.rows] == [0, 1]
        assert len(here.door._wills) == 2

    play(story, garage, Limits(clients=2))


@pytest.mark.parametrize("takes_over", [False, True])
def test_a_clean_start_ends_the_session_and_tells_its_will(garage, car, takes_over):
    """5.0, 3.1.3.2.2: the will is told when the session ends, if that is sooner than its delay."""
    kept = {"clean": False, "properties": {Property.SESSION_EXPIRY: 600}}

    async def story(here):
        async with client(here, car, will=late(car), **kept) as wire:
            if not takes_over:
                await wire.close()
                await until(lambda: here.door._wills)
            async with client(here, car) as newer:
                assert newer.connack.present is False
                await until(lambda: here.rows)
            assert not here.door._wills

    play(story, garage)


def test_a_will_that_waited_is_nobodys_once_the_car_is_revoked(garage):
    car = garage.car(31)

    async def story(here):
        line = type("Line", (), {"stands": lambda _: False})()
        item = Item(None, car.id, "a", message())
        here.door.will(line, (car.id, "x"), item, 0)
        here.door.flush()
        assert here.rows == []

        def silent(_):
            raise OSError("the papers do not answer")

        type(line).stands = silent
        here.door.will(line, (car.id, "x"), item, 0)
        assert (car.id, "x") in here.door._wills

    play(story, garage)


def test_a_will_is_told_by_who_leaves_with_a_complaint(garage, car):
    """5.0, 3.14.4-3: it is discarded at reason 0x00 alone."""

    async def story(here):
        async with client(here, car, will=Will(car.topic("t"), message(67))) as wire:
            wire.say(Disconnect(Reason.UNSPECIFIED))
            await wire.rest()
        await until(lambda: here.rows)

    play(story, garage)


def test_no_answer_is_longer_than_the_client_takes(garage, car):
    """5.0, 3.4.2.2.2."""

    async def story(here):
        async with client(here, car, properties={Property.MAXIMUM_PACKET: 60}) as wire:
            wire.say(Publish(car.topic("t"), b"{", 1, 1))
            assert await wire.hear() == Answer(Kind.PUBACK, 1, Reason.PAYLOAD)

    play(story, garage)


def test_of_what_has_gone_quiet_nothing_waits(garage, car):
    """A batch that nothing is added to is kept at once, however long it might wait for more."""

    async def story(here):
        async with client(here, car) as wire:
            wire.say(*[Publish(car.topic("t"), message(n), 1, n + 1) for n in range(20)])
            assert [(await wire.hear()).packet_id for _ in range(20)] == list(range(1, 21))
        here.door.limits = Limits(batch_ms=600_000, batch_most_ms=600_000)
        async with client(here, car) as wire:
            wire.say(Publish(car.topic("t"), message(1, 1), 1, 1))
            assert await wire.hear() == Answer(Kind.PUBACK, 1)

    play(story, garage)
