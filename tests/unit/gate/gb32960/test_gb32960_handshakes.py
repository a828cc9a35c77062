"""TLS handshakes under way: each is a connection that counts, and the oldest goes where there are too many."""

import asyncio
import errno
from itertools import cycle

import pytest

from door_makers import NOW, QUICK, VIN, Car, certificate, login, ok, open_door
from onshore.gate import handshakes
from onshore.gate.gb32960.server import Limits
from onshore.gate.handshakes import Handshake

HELLO = b"\x16\x03\x01\x02\x00\x01"  # as TLS begins, and no more of it


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


async def silent(place, count, address="127.0.0.1"):
    """So many that begin to shake hands, each known to the door before the next one comes."""
    strangers = await place.strangers(count, address)
    for stranger in strangers:
        stranger.send(HELLO)
    return strangers


def test_handshakes_of_one_address_crowd_out_one_another_and_nobody_else(run, tmp_path):
    async def story():
        here, there = certificate(tmp_path)
        async with open_door(Limits(batch_ms=2, connections=100, strangers=3), here) as place:
            (far,) = await silent(place, 1, "127.0.0.2")
            car = Car(*await asyncio.open_connection("127.0.0.1", place.port, ssl=there, server_hostname="localhost"))
            assert await car.ask(login()) == [ok(login())]
            waiting = await silent(place, 5)
            assert [await one.closed() for one in waiting[:2]] == [b"", b""]
            assert place.door.counts["crowded out"] == 2
            assert len(place.door.connections) == 1 + 1 + 3
            assert sum(isinstance(peer, Handshake) for peer in place.door.connections) == 4
            assert place.door.room.taken == 5
            assert not far.reader.at_eof()
            car.writer.close()

    run(story)


def test_a_handshake_becomes_the_connection_and_takes_one_place(run, tmp_path):
    async def story():
        here, there = certificate(tmp_path)
        async with open_door(Limits(batch_ms=2, connections=2, strangers=1), here) as place:
            link = await asyncio.open_connection("127.0.0.1", place.port, ssl=there, server_hostname="localhost")
            car = Car(*link)
            assert await car.ask(login(VIN)) == [ok(login(VIN))]
            await until(lambda: len(place.door.connections) == 1)
            assert (place.door.room.taken, place.door.counts["crowded out"]) == (1, 0)
            assert not place.door._shaken
            (peer,) = place.door.connections
            assert peer.address == "127.0.0.1"
            car.writer.close()

    run(story)


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", b""])
def test_what_is_no_tls_is_closed_and_counted_no_longer(run, tmp_path, said):
    async def story():
        here, _ = certificate(tmp_path)
        async with open_door(QUICK, here) as place:
            (stranger,) = await place.strangers(1)
            stranger.send(said)
            stranger.writer.write_eof()
            await stranger.closed()
            await until(lambda: not place.door.connections)
            assert place.door.room.taken == 0
            assert not place.door._shaken
            assert not place.door._strangers.many("127.0.0.1")

    run(story)


def test_a_handshake_that_takes_too_long_ends(run, tmp_path):
    async def story():
        here, _ = certificate(tmp_path)
        async with open_door(Limits(frame_timeout_s=0.05), here) as place:
            (stranger,) = await silent(place, 1)
            assert await stranger.closed() == b""
            await until(lambda: not place.door.connections)
            assert place.door.counts["no tls"] == 1

    run(story)


def test_a_door_that_stops_waits_for_no_handshake(run, tmp_path):
    async def story():
        here, _ = certificate(tmp_path)
        async with open_door(Limits(linger_s=60), here) as place:
            waiting = await silent(place, 2)
            async with asyncio.timeout(5):
                await place.door.stop(place.server)
            assert [await one.closed() for one in waiting] == [b"", b""]

    run(story)


def test_a_process_that_has_no_room_shakes_no_hands(run, tmp_path):
    async def story():
        here, _ = certificate(tmp_path)
        async with open_door(QUICK, here) as place:
            place.door.room.most = 0
            (stranger,) = await place.strangers(1)
            assert await stranger.closed() == b""
            assert place.door.counts["full"] == 1

    run(story)


def test_where_no_descriptor_is_free_the_peer_goes_and_the_door_stays(run, tmp_path, monkeypatch):
    async def story():
        here, there = certificate(tmp_path)
        async with open_door(QUICK, here) as place:
            turns = cycle([OSError(errno.EMFILE, "too many open files"), None])
            dup = handshakes.os.dup

            def scarce(fd):
                if (failed := next(turns)) is not None:
                    raise failed
                return dup(fd)

            monkeypatch.setattr(handshakes.os, "dup", scarce)
            refused = await place.stranger()
            assert await refused.closed() == b""
            assert place.door.counts["no tls"] == 1
            car = Car(*await asyncio.open_connection("127.0.0.1", place.port, ssl=there, server_hostname="localhost"))
            assert await car.ask(login()) == [ok(login())]
            car.writer.close()

    run(story)


def test_a_handshake_is_a_peer_that_holds_nothing(run, tmp_path):
    async def story():
        here, _ = certificate(tmp_path)
        async with open_door(QUICK, here) as place:
            (stranger,) = await silent(place, 1)
            (peer,) = place.door.connections
            peer.settle()
            peer.look_after(NOW)
            assert peer.stands()
            assert peer.identity is None
            peer.end("revoked")
            assert await stranger.closed() == b""

    run(story)
