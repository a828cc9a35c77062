"""Policies come down to cars over MQTT and are obeyed: sent again until they are there, to nobody else."""

import pytest

from mqtt_makers import client, play
from onshore.gate.mqtt.packets import (
    Answer,
    Answers,
    Disconnect,
    Filter,
    Ping,
    Publish,
    Subscribe,
    Unsubscribe,
)
from onshore.gate.mqtt.protocol import V3, Kind, Property, Reason
from onshore.words.errors import Refusal


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
