"""Who crowds the door: strangers give way to cars, and no more connect than there are descriptors for."""

import asyncio
import resource

from door_makers import (
    CARS,
    NOW,
    NOW6,
    OTHER,
    QUICK,
    STRANGER,
    VIN,
    data,
    error,
    login,
    ok,
    open_door,
)
from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.protocol import frame
from onshore.gate.gb32960.server import Limits


def test_who_is_not_let_in(run):
    async def story():
        async with open_door() as place:
            car = await place.stranger()
            before = [data(), encode.heartbeat(VIN)]
            assert await car.ask(*before) == [error(b) for b in before]
            short = frame(1, 0xFE, VIN, NOW6)
            assert await car.ask(short) == [error(short)]
            car.send(login(STRANGER), data(0, STRANGER))
            assert await car.closed() == error(login(STRANGER))
            assert place.door.counts["unknown VIN"] == 1
        assert not place.kept.batches

    run(story)


def test_one_connection_is_one_car(run):
    async def story():
        async with open_door() as place:
            car = await place.car()
            asked = [data(0, OTHER), login(OTHER), data()]
            assert await car.ask(*asked) == [error(asked[0]), error(asked[1]), ok(asked[2])]
        assert place.kept.vehicles == [17]

    run(story)


def test_newest_connection_of_a_car_wins(run):
    async def story():
        async with open_door(Limits(batch_ms=50)) as place:
            old = await place.car()
            old.send(data(1))
            while not place.door._waiting:
                await asyncio.sleep(0)
            new = await place.car()
            assert await old.closed() == ok(data(1))
            assert await new.ask(data()) == [ok(data())]
            assert place.door.counts["replaced"] == 1
            assert set(place.door.by_identity) == {17}

    run(story)


def test_strangers_of_one_address_crowd_out_one_another_and_nobody_else(run):
    async def story():
        async with open_door(Limits(batch_ms=2, connections=100, strangers=3)) as place:
            (far,) = await place.strangers(1, "127.0.0.2")
            here = [await place.car(vin) for vin in list(CARS)[:8]]
            silent = await place.strangers(5)
            assert [await car.closed() for car in silent[:2]] == [b"", b""]
            assert place.door.counts["crowded out"] == 2
            assert len(place.door.connections) == 1 + 8 + 3
            assert await silent[2].ask(login(OTHER)) == [ok(login(OTHER))]  # still there
            assert await far.ask(login(list(CARS)[9])) == [ok(login(list(CARS)[9]))]
            for car, vin in zip(here, CARS, strict=False):
                if vin != OTHER:
                    assert await car.ask(encode.heartbeat(vin)) == [ok(encode.heartbeat(vin))]

    run(story)


def test_no_address_has_more_strangers_than_half_the_door(run):
    async def story():
        async with open_door(Limits(batch_ms=2, connections=6)) as place:
            await place.strangers(5)
            assert len(place.door.connections) == 3
            await place.strangers(3, "127.0.0.2")
            assert (len(place.door.connections), place.door.counts["crowded out"]) == (6, 2)

    run(story)


def test_a_full_door_lets_a_stranger_go_for_whoever_comes(run):
    async def story():
        async with open_door(Limits(batch_ms=2, connections=4)) as place:
            first = await place.car()
            silent = [(await place.strangers(1, f"127.0.0.{i}"))[0] for i in (2, 3, 4)]
            second = await place.car(OTHER)
            assert await silent[0].closed() == b""
            assert len(place.door.connections) == 4
            for car, vin in ((first, VIN), (second, OTHER)):
                assert await car.ask(data(0, vin)) == [ok(data(0, vin))]

    run(story)


def test_a_door_full_of_cars_lets_nobody_in(run):
    async def story():
        async with open_door(Limits(batch_ms=2, connections=2)) as place:
            cars = [await place.car(), await place.car(OTHER)]
            late = await place.stranger()
            assert await late.closed() == b""
            assert place.door.counts["full"] == 1
            assert await cars[0].ask(encode.logout(VIN, NOW, 1)) == [ok(encode.logout(VIN, NOW, 1))]
            cars[0].writer.close()
            while len(place.door.connections) > 1:
                await asyncio.sleep(0)
            assert await (await place.car()).ask(data()) == [ok(data())]

    run(story)


def test_an_older_connection_of_a_car_counts_as_a_stranger(run):
    """It may never read its last answers; else one car could hold as many as it likes."""

    async def story():
        async with open_door(Limits(batch_ms=60_000, connections=100, strangers=2)) as place:
            olds = []
            for _ in range(4):
                car = await place.car()
                car.send(data())
                while len(place.door._waiting) == len(olds):
                    await asyncio.sleep(0)
                olds.append(car)
            assert len(place.door.connections) <= 4
            await place.strangers(2)
            assert len(place.door.connections) == 3
            assert place.door.counts["replaced"] == 3

    run(story)


def test_the_number_of_connections_is_what_descriptors_leave_room_for(run, monkeypatch):
    async def story():
        monkeypatch.setattr("resource.getrlimit", lambda _: (256, 4096))
        async with open_door(QUICK) as place:
            assert place.door.room.most == 128
            await place.strangers(150)
            assert len(place.door.connections) == 64
        monkeypatch.setattr("resource.getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
        async with open_door(QUICK) as place:
            assert place.door.room.most > 1_000_000

    run(story)
