"""Connections to the fleet door: who comes, who leaves or has to, who is slowed down."""

import asyncio
import ssl

import pytest

from fleet_place import (
    CAR,
    OTHER,
    STRANGER,
    binary,
    control,
    open_place,
    record,
    speed,
    until,
)
from onshore.gate.fleet import envelope, upgrade
from onshore.gate.fleet.door import Limits
from onshore.gate.fleet.server import Connection
from onshore.gate.fleet.websocket import Closed, Code, Opcode, Ping, Pong, frame

UP = "Vehicle.Onshore.Client.IsConnected"
ACK = envelope.Envelope(b"t-1", b"V", envelope.ACK, b"", None)


def test_a_stranger_and_one_without_a_certificate_are_sent_away(run, tmp_path):
    async def story():
        async with open_place(tmp_path) as place:
            stranger = await place.connected(STRANGER)
            stranger.send(upgrade.asked("localhost", bytes(16)))
            assert (await stranger.head()).startswith(b"HTTP/1.1 403 ")
            assert await stranger.closed() == b"403 Forbidden"
            bare = ssl.create_default_context(cadata=place.authority.pem.decode())
            reader, writer = await asyncio.open_connection("localhost", place.port, ssl=bare)
            writer.write(upgrade.asked("localhost", bytes(16)))
            with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
                await reader.readuntil(b"\r\n\r\n")
            writer.close()
            assert place.kept.batches == []

    run(story)


def test_nobody_new_is_let_in_while_the_papers_do_not_answer(run, tmp_path):
    async def story():
        async with open_place(tmp_path) as place:
            car = await place.car()
            place.down = True
            other = await place.connected(OTHER)
            other.send(upgrade.asked("localhost", bytes(16)))
            assert (await other.head()).startswith(b"HTTP/1.1 503 ")
            place.door.recheck()
            car.send(binary(record()))
            assert await car.reply() == ACK

    run(story)


def test_one_whose_certificate_is_revoked_has_to_leave(run, tmp_path):
    async def story():
        async with open_place(tmp_path) as place:
            car, other = await place.car(), await place.car(OTHER)
            place.known = {der: vehicle for der, vehicle in place.known.items() if vehicle != CAR}
            place.door.recheck()
            assert await car.event() == Closed(Code.POLICY)
            assert await car.closed() == b""
            other.send(binary(record()))
            assert await other.reply() == ACK
            assert place.door.counts["revoked"] == 1

    run(story)


def test_the_newest_connection_of_a_car_counts(run, tmp_path):
    async def story():
        async with open_place(tmp_path) as place:
            old = await place.car()
            new = await place.car()
            assert await old.event() == Closed(Code.GOING_AWAY)
            assert await old.closed() == b""
            new.send(binary(record()))
            assert await new.reply() == ACK
            assert place.rows(UP) == [True, True]
        assert place.rows(UP) == [True, True, False]

    run(story)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n", b"200 "),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"426 "),
        (upgrade.asked("x", bytes(15)), b"400 "),
        (upgrade.asked("x", bytes(16)).replace(b": 13", b": 8"), b"400 "),
        (b"nonsense\r\n\r\n", b"400 "),
        (b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 3000, b"431 "),
    ],
    ids=["status", "plain", "short key", "old version", "nonsense", "long"],
)
def test_other_requests(run, tmp_path, asked, status):
    async def story():
        async with open_place(tmp_path) as place:
            car = await place.connected()
            car.send(asked)
            assert (await car.head()).startswith(b"HTTP/1.1 " + status)
            rest = await car.closed()
            assert rest == b"mtls ok" if status == b"200 " else rest
            assert not place.kept.batches

    run(story)


def test_a_car_that_says_nothing_is_asked_and_then_sent_away(run, tmp_path):
    async def story():
        limits = Limits(batch_ms=2, idle_timeout_s=0.4, frame_timeout_s=10)
        async with open_place(tmp_path, limits) as place:
            car, quick = await place.car(), await place.car(OTHER)
            assert await car.event() == Ping(b"")
            assert await quick.event() == Ping(b"")
            quick.send(control(Opcode.PONG))
            assert await car.event() == Closed(Code.GOING_AWAY)
            assert await quick.event() == Ping(b"")
            assert place.door.counts["idle"] == 1

    run(story)


def test_a_stranger_that_says_nothing_and_a_frame_that_never_ends(run, tmp_path):
    async def story():
        limits = Limits(batch_ms=2, login_timeout_s=0.3, frame_timeout_s=0.3)
        async with open_place(tmp_path, limits) as place:
            car = await place.car()
            silent = await place.connected(OTHER)
            car.send(binary(record())[:50])
            assert await car.event() == Closed(Code.PROTOCOL_ERROR)
            assert await silent.closed() == b""
            assert (place.door.counts["unfinished"], place.door.counts["idle"]) == (1, 1)

    run(story)


def test_a_car_that_sends_too_fast_is_heard_later_and_loses_nothing(run, tmp_path):
    async def story():
        async with open_place(tmp_path, Limits(batch_ms=2, rate=20, pending=4, frame_timeout_s=0.2)) as place:
            car, calm = await place.car(), await place.car(OTHER)
            for turn in range(2):
                names = [b"%d" % i for i in range(50 * turn, 50 * turn + 50)]
                car.send(*(binary(record(speed(minute=int(name)), txid=name)) for name in names))
                calm.send(binary(record()))
                assert await calm.reply() == ACK
                assert [(await car.reply()).txid for _ in names] == names
            assert place.door.counts["slowed down"] >= 1
            assert place.door.counts["unfinished"] == 0

    run(story)


def test_a_car_that_does_not_read_is_heard_no_more(run, tmp_path):
    async def story():
        async with open_place(tmp_path, Limits(batch_ms=1, rate=1 << 30, idle_timeout_s=1.0)) as place:
            car = await place.car()
            car.reader._transport.pause_reading()
            connection = next(iter(place.door.connections))
            assert isinstance(connection, Connection)
            word = control(Opcode.PING, bytes(125))
            async with asyncio.timeout(20):
                while not connection._blocked:
                    car.send(word * 1000)
                    await asyncio.sleep(0)
            await until(lambda: place.door.counts["idle"])
            await until(lambda: not place.door.connections)

    run(story)


def test_a_car_that_reads_again_is_heard_again(run, tmp_path):
    async def story():
        async with open_place(tmp_path, Limits(batch_ms=1, rate=1 << 30)) as place:
            car = await place.car()
            car.reader._transport.pause_reading()
            connection = next(iter(place.door.connections))
            async with asyncio.timeout(20):
                while not connection._blocked:
                    car.send(control(Opcode.PING, bytes(125)) * 1000)
                    await asyncio.sleep(0)
            car.reader._transport.resume_reading()
            car.send(binary(record()))
            event = await car.event()
            while event == Pong():
                event = await car.event()
            assert envelope.read(event.data) == ACK

    run(story)


def test_who_leaves_is_heard_no_more_and_leaves_once(run, tmp_path):
    async def story():
        async with open_place(tmp_path, Limits(batch_ms=200, batch_most_ms=200)) as place:
            car = await place.car()
            connection = next(iter(place.door.connections))
            car.send(binary(record()), frame(Opcode.TEXT, b"", mask=b"abcd"))
            await until(lambda: connection._leaving)
            car.send(binary(record(txid=b"t-2")))
            connection.end("revoked")
            connection.close()
            assert await car.reply() == ACK
            assert await car.event() == Closed(Code.UNSUPPORTED)
            assert await car.closed() == b""
            assert place.door.counts["revoked"] == 0

    run(story)


def test_a_stream_that_never_pauses_is_not_taken_for_an_unfinished_frame(run, tmp_path):
    async def story():
        async with open_place(tmp_path, Limits(batch_ms=2, frame_timeout_s=0.2, rate=1 << 30)) as place:
            car = await place.car()
            begun, sent, rest = asyncio.get_running_loop().time(), 0, b""
            while asyncio.get_running_loop().time() - begun < 1.0:
                data = rest + binary(record(speed(minute=sent), txid=b"t-1"))
                car.send(data[:-5])
                rest, sent = data[-5:], sent + 1
                assert sent == 1 or await car.reply() == ACK
            assert place.door.counts["unfinished"] == 0

    run(story)


@pytest.mark.parametrize(
    "flood",
    [
        control(Opcode.PONG) * 50,
        binary(b"", fin=False) + frame(Opcode.CONTINUATION, mask=b"abcd", fin=False) * 50,
        binary(bytes(50 << 10)),
    ],
    ids=["pongs", "pieces", "long"],
)
def test_whatever_a_car_floods_with_it_is_slowed_down(run, tmp_path, flood):
    async def story():
        async with open_place(tmp_path, Limits(batch_ms=2, rate=20)) as place:
            car = await place.car()
            car.send(flood)
            await until(lambda: place.door.counts["slowed down"])
            await place.car(OTHER)

    run(story)


def test_who_comes_anew_begins_no_new_count(run, tmp_path):
    async def story():
        async with open_place(tmp_path, Limits(batch_ms=2, rate=20)) as place:
            first = await place.car()
            first.send(control(Opcode.PONG) * 50)
            await until(lambda: place.door.counts["slowed down"])
            await place.car()
            [connection] = [place.door.by_identity[CAR]]
            await first.closed()
            assert connection._spent is place.door.spent(CAR)
            assert connection._spent is not place.door.spent(OTHER)

    run(story)


def test_a_frame_that_we_did_not_read_on_is_not_unfinished(run, tmp_path):
    async def story():
        async with open_place(tmp_path, Limits(batch_ms=2, rate=20, frame_timeout_s=0.2)) as place:
            car = await place.car()
            whole = binary(record())
            car.send(control(Opcode.PONG) * 50, whole[:20])
            await until(lambda: place.door.counts["slowed down"])
            car.send(whole[20:])
            assert await car.reply() == ACK
            assert place.door.counts["unfinished"] == 0

    run(story)
