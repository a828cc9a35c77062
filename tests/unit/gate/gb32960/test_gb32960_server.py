"""The door over real sockets: what is answered, and when."""

import asyncio
import logging
import socket

import pyarrow as pa
import pytest

from door_makers import (
    CARS,
    NOW,
    NOW6,
    OTHER,
    VIN,
    Car,
    certificate,
    data,
    error,
    login,
    ok,
    open_door,
)
from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.protocol import TooLong, frame
from onshore.gate.gb32960.server import Limits
from onshore.words.errors import Broken


def test_login_data_heartbeat_time_logout(run):
    async def story():
        async with open_door() as place:
            car = await place.car()
            asked = [data(), encode.heartbeat(VIN), encode.time_sync(VIN), encode.logout(VIN, NOW, 1)]
            answers = await car.ask(*asked)
            assert answers == [ok(a) for a in asked]
            assert answers[0][24:30] == asked[0][24:30]
            assert answers[2][24:30] == NOW6
            assert await car.ask(data()) == [error(data())]
            assert await car.ask(login()) == [ok(login())]
        assert place.kept.vehicles == [17]
        batch = place.kept.batches[0]
        assert batch.column("received").cast(pa.int64()).to_pylist() == [NOW]
        assert batch.column("Vehicle.Speed").to_pylist() == [65.5]

    run(story)


def test_answer_comes_after_durable(run):
    async def story():
        async with open_door() as place:
            car = await place.car()
            sent = []
            place.kept.on_take = lambda: sent.append(car.reader._buffer[:])
            assert await car.ask(data()) == [ok(data())]
            assert sent == [b""]

    run(story)


def test_split_joined_and_out_of_order(run):
    async def story():
        async with open_door() as place:
            car = await place.car()
            frames = [data(3), data(1), data(2), data(0)]
            stream = b"".join(frames)
            for i in range(0, len(stream), 11):
                car.send(stream[i : i + 11])
                await car.writer.drain()
                await asyncio.sleep(0)
            assert [await car.hear() for _ in frames] == [ok(f) for f in frames]
        times = [t for b in place.kept.batches for t in b.column("time").cast(pa.int64()).to_pylist()]
        assert times == [NOW - 60_000 * m for m in (3, 1, 2, 0)]

    run(story)


def test_damaged_and_undecodable_cost_only_themselves(run):
    async def story():
        async with open_door() as place:
            car = await place.car()
            bad = data(1)[:-1] + b"\0"
            cut_short = frame(2, 0xFE, VIN, NOW6 + b"\1\2\3")
            long = data(2)[:22] + b"\x10\0" + data(2)[24:]
            asked = [data(4), bad, cut_short, long, data(5)]
            answers = await car.ask(*asked)
            assert sorted(answers) == sorted([ok(data(4)), error(bad), error(cut_short), error(long[:30]), ok(data(5))])
            counts = place.door.counts
            assert (counts["kept"], counts["damaged"], counts["rejected"]) == (2, 2, 1)
        assert place.kept.vehicles == [17, 17]

    run(story)


def test_a_batch_of_nothing_but_undecodable_frames(run):
    async def story():
        async with open_door() as place:
            car = await place.car()
            assert await car.ask(frame(2, 0xFE, VIN)) == [error(frame(2, 0xFE, VIN))]
            assert not place.kept.batches

    run(story)


def test_what_is_not_supported_is_refused_in_its_own_edition(run):
    async def story():
        async with open_door() as place:
            car = await place.car()
            asked = [
                frame(2, 0xFE, VIN, bytes(16), encryption=3),
                frame(5, 0xFE, VIN, NOW6),
                frame(0x82, 0xFE, VIN),
            ]
            assert await car.ask(*asked) == [error(a) for a in asked]
            assert await car.ask(ok(data()) + encode.heartbeat(VIN)) == [ok(encode.heartbeat(VIN))]
            assert place.door.counts["answers ignored"] == 1

    run(story)


def test_too_long_closes_after_what_waits_is_answered(run):
    async def story():
        async with open_door(Limits(max_frame=200, batch_ms=2)) as place:
            car = await place.car()
            car.send(data(), frame(2, 0xFE, VIN, bytes(300)), data(1))
            assert await car.closed() == ok(data())
            assert place.door.counts["too long"] == 1

    run(story)


class Database(Exception):
    """What a database's client raises: none of ours, and with the rows in its text."""


@pytest.mark.parametrize("why", [OSError("disk full"), Broken("journal"), Database(f"row {VIN.decode()}"), KeyError(1)])
def test_nothing_is_acknowledged_that_is_not_kept(run, why, caplog):
    async def story():
        async with open_door() as place:
            car = await place.car()
            place.kept.fails = [why]
            bad = frame(2, 0xFE, VIN)
            with caplog.at_level(logging.ERROR):
                assert await car.ask(data(1) + bad) == [error(bad)]
            assert await car.ask(data(1)) == [ok(data(1))]
            assert place.door.counts["not kept"] == 1
        assert place.kept.vehicles == [17]
        assert f"1 frames could not be kept and are not acknowledged: {type(why).__name__}" in caplog.text
        assert VIN.decode() not in caplog.text

    run(story)


def test_a_batch_that_is_not_kept_while_a_car_is_heard_costs_no_connection(run):
    """A full batch is kept in the middle of a read; what goes wrong then must not end who was read."""

    async def story():
        async with open_door(Limits(batch_frames=2, batch_ms=60_000)) as place:
            one, two = await place.car(), await place.car(OTHER)
            place.kept.fails = [Database("database is locked")]
            one.send(data(1))
            while not place.door._waiting:
                await asyncio.sleep(0)
            two.send(data(1, OTHER), encode.heartbeat(OTHER))
            assert await two.hear() == ok(encode.heartbeat(OTHER))
            assert await one.ask(encode.heartbeat(VIN)) == [ok(encode.heartbeat(VIN))]
            assert place.door.counts["not kept"] == 2
            one.send(data(1))
            two.send(data(1, OTHER))
            assert [await one.hear(), await two.hear()] == [ok(data(1)), ok(data(1, OTHER))]
        assert sorted(place.kept.vehicles) == [17, 18]

    run(story)


def test_a_full_batch_does_not_wait(run):
    async def story():
        async with open_door(Limits(batch_frames=4, batch_ms=60_000)) as place:
            car = await place.car()
            frames = [data(i) for i in range(8)]
            assert await car.ask(*frames) == [ok(f) for f in frames]
            assert [b.num_rows for b in place.kept.batches] == [4, 4]
        async with open_door(Limits(batch_bytes=len(data()) + 1, batch_ms=60_000)) as place:
            car = await place.car()
            assert await car.ask(data(), data(1)) == [ok(data()), ok(data(1))]

    run(story)


def test_reading_stops_while_too_much_waits(run):
    async def story():
        async with open_door(Limits(pending=2, batch_ms=30)) as place:
            car = await place.car()
            frames = [data(i) for i in range(5)]
            assert await car.ask(*frames) == [ok(f) for f in frames]
            (connection,) = place.door.connections
            assert not connection._paused
            car.send(data(6), data(7))
            while not connection._paused:
                await asyncio.sleep(0)
            connection.look_after(1e12)  # our own pause is not the car's idleness
            assert [await car.hear(), await car.hear()] == [ok(data(6)), ok(data(7))]

    run(story)


def test_idle_and_dripping_connections_are_closed(run):
    async def story():
        limits = Limits(batch_ms=1, idle_timeout_s=0.2, login_timeout_s=0.1, frame_timeout_s=0.1)
        async with open_door(limits) as place:
            silent, idle, drips = await place.stranger(), await place.car(), await place.car(OTHER)

            async def drip() -> None:
                for byte in data(0, OTHER)[:-1]:
                    drips.send(bytes((byte,)))
                    await asyncio.sleep(0.02)  # a real peer's slowness, on the door's own clock

            task = asyncio.create_task(drip())
            assert [await c.closed() for c in (silent, idle, drips)] == [b"", b"", b""]
            task.cancel()
            assert (place.door.counts["idle"], place.door.counts["unfinished"]) == (2, 1)

    run(story)


def test_a_frame_behind_a_lie_about_length_is_found_in_time(run):
    async def story():
        async with open_door(Limits(batch_ms=1, frame_timeout_s=0.1)) as place:
            car = await place.car()
            lie = data(1)[:22] + b"\x10\0" + data(1)[24:]
            car.send(lie, data(2), b"\0")  # the zero hides that the good frame ends here
            assert await car.hear() == ok(data(2))
            assert await car.ask(data(3)) == [ok(data(3))]

    run(story)


def test_a_peer_that_has_said_all_still_gets_its_answers(run):
    async def story():
        async with open_door() as place:
            car = await place.car()
            car.send(data())
            car.writer.write_eof()
            assert await car.closed() == ok(data())
            gone = await place.car(OTHER)
            gone.writer.write_eof()
            assert await gone.closed() == b""

    run(story)


def test_tls_and_a_peer_that_hangs_up_at_once(run, tmp_path):
    async def story():
        here, there = certificate(tmp_path)
        async with open_door(Limits(batch_ms=60_000), here) as place:
            link = await asyncio.open_connection("127.0.0.1", place.port, ssl=there, server_hostname="localhost")
            car = Car(*link)
            assert await car.ask(login()) == [ok(login())]
            car.send(data())
            while not place.door._waiting:
                await asyncio.sleep(0)
            (connection,) = place.door.connections
            assert connection.eof_received() is False
            assert await car.hear() == ok(data())
            car.writer.close()
        assert place.kept.vehicles == [17]

    run(story)


def test_a_car_that_vanishes_loses_nothing(run):
    async def story():
        async with open_door(Limits(batch_ms=30)) as place:
            car = await place.car()
            car.send(data())
            while not place.door._waiting:
                await asyncio.sleep(0)
            car.writer.transport.abort()
            while place.door.connections:
                await asyncio.sleep(0)
        assert place.kept.vehicles == [17]

    run(story)


@pytest.mark.parametrize("patience", [0.3, 1000])
def test_a_peer_that_reads_no_answers_is_heard_no_more_and_then_dropped(run, patience):
    """When it has been idle for too long, or when the door stops."""

    async def story():
        limits = Limits(batch_ms=1, idle_timeout_s=patience, linger_s=0.05)
        async with open_door(limits) as place:
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that little is in flight
            sock.connect(("127.0.0.1", place.port))
            car = Car(*await asyncio.open_connection(sock=sock))
            assert await car.ask(login()) == [ok(login())]
            car.writer.transport.pause_reading()
            (connection,) = place.door.connections
            mine = connection._transport.get_extra_info("socket")
            mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            beats = encode.heartbeat(VIN) * 2000
            for _ in range(1000):
                if connection._blocked:
                    break
                car.writer.write(beats)
                await asyncio.sleep(0)
            assert connection._paused
            if patience > 1:
                await place.door.stop(place.server)
            async with asyncio.timeout(5):
                while place.door.connections:
                    await asyncio.sleep(0.01)
            car.writer.transport.abort()

    run(story)


def test_a_peer_that_reads_again_is_heard_again(run):
    async def story():
        async with open_door() as place:
            car = await place.car()
            (connection,) = place.door.connections
            connection.pause_writing()
            assert connection._paused
            connection.resume_writing()
            assert await car.ask(data()) == [ok(data())]

    run(story)


def test_many_cars_share_batches(run):
    async def story():
        async with open_door(Limits(batch_ms=20)) as place:
            vins = [v for v in CARS if v.startswith(b"LTEST1")]
            cars = [await place.car(v) for v in vins]
            for car, vin in zip(cars, vins, strict=True):
                car.send(data(1, vin), data(0, vin))
            for car, vin in zip(cars, vins, strict=True):
                assert [await car.hear(), await car.hear()] == [ok(data(1, vin)), ok(data(0, vin))]
            assert sorted(place.kept.vehicles) == sorted(2 * [CARS[v] for v in vins])
            assert len(place.kept.batches) < len(vins)

    run(story)


def test_stopping_keeps_and_answers_what_waits(run):
    async def story():
        async with open_door(Limits(batch_ms=60_000)) as place:
            car = await place.car()
            car.send(data())
            while not place.door._waiting:
                await asyncio.sleep(0)
            await place.door.stop(place.server)
            assert await car.closed() == ok(data())
        assert place.kept.vehicles == [17]

    run(story)


def test_an_event_after_the_end_is_not_heard(run):
    async def story():
        async with open_door() as place:
            await place.car()
            (connection,) = place.door.connections
            connection.close()
            connection.data_received(data())
            connection._take([TooLong(data()[:24])])
            assert not place.door._waiting
            assert not place.door.counts["too long"]

    run(story)
