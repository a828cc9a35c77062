"""Who says what at the door: the 2025 edition, signatures, encrypted bodies, platforms, certificates, resends."""

import asyncio
import ssl as tls

import pytest

from door_makers import (
    CARS,
    NOW,
    NOW6,
    OTHER,
    QUICK,
    STRANGER,
    VIN,
    Car,
    Chip,
    certificate,
    data,
    error,
    login,
    ok,
    open_door,
)
from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.cipher import Secret, sealed
from onshore.gate.gb32960.protocol import Command, Encryption, Flag, frame, header, reply, time6
from onshore.gate.gb32960.server import Limits

SECRET = Secret(aes128=bytes(range(16)), sm4=bytes(range(16, 32)))
STATE = "Vehicle.Onshore.SignatureState"


def login_2025(vin=VIN):
    return encode.login_2025(vin, NOW, 1, "89860000000000000017")


def data_2025(minute=0, vin=VIN, sign=None):
    units = {"vehicle": {"status": "started", "speed_kmh": 65.5}}
    return encode.realtime(vin, NOW - 60_000 * minute, units, edition=2025, sign=sign)


def flagged(request, flag):
    return reply(request, flag, NOW6)


def states(place):
    return [s for b in place.kept.batches if STATE in b.schema.names for s in b.column(STATE).to_pylist()]


def test_both_editions_on_one_connection(run):
    async def story():
        async with open_door() as place:
            car = await place.stranger()
            asked = [login_2025(), data_2025(3), data(2), data_2025(1), data_2025(0)]
            assert await car.ask(*asked) == [ok(a) for a in asked]
            asked = [data_2025(5), data_2025(6)]  # like the last: taken without a close look
            assert [await car.ask(a) for a in asked] == [[ok(a)] for a in asked]
        assert place.kept.vehicles == [17] * 6
        assert [s for s in states(place) if s is not None] == [3] * 5  # no key: not verifiable

    run(story)


def test_a_stranger_hears_so_in_the_words_of_its_edition(run):
    async def story():
        async with open_door() as place:
            car = await place.stranger()
            car.send(login_2025(STRANGER))
            assert await car.closed() == flagged(login_2025(STRANGER), Flag.VIN_UNKNOWN)
            bad = frame(1, 0xFE, VIN, NOW6, start=b"$$")
            assert await (await place.stranger()).ask(bad) == [flagged(bad, Flag.STRUCTURE_INVALID)]

    run(story)


def test_signatures_are_verified_once_a_car_is_activated(run):
    async def story():
        async with open_door() as place:
            chip, other = Chip(7), Chip(8)
            car = await place.stranger()
            assert await car.ask(login_2025()) == [ok(login_2025())]
            (said,) = await car.ask(chip.activation())
            assert (header(said).command, said[24:26]) == (Command.ACTIVATION_REPLY, b"\1\1")
            asked = [
                data_2025(3, sign=chip.sign),
                data_2025(2, sign=other.sign),
                data_2025(1),
                data_2025(0, sign=chip.sign),
            ]
            flags = [Flag.OK, Flag.SIGNATURE_INVALID, Flag.SIGNATURE_INVALID, Flag.OK]
            assert await car.ask(*asked) == [flagged(a, f) for a, f in zip(asked, flags, strict=True)]
            assert place.door.counts["signature invalid"] == 2
        assert states(place) == [1, 1]

    run(story)


def test_what_activations_are_refused(run):
    async def story():
        async with open_door() as place:
            chip = Chip(7)
            car = await place.stranger()
            (said,) = await car.ask(chip.activation())  # before any login, as a new car does it
            assert said[24:26] == b"\1\1"
            (said,) = await car.ask(Chip(8).activation())
            assert said[24:26] == b"\2\3"
            unknown, cut = chip.activation(STRANGER), chip.activation(OTHER)[:-3]
            cut = frame(9, 0xFE, OTHER, cut[24:], start=b"$$")
            forged = encode.activation(OTHER, NOW, "CHIP", chip.public, Chip(9).sign)
            nonsense = encode.activation(OTHER, NOW, "CHIP", b"no key", chip.sign)
            flags = [Flag.VIN_UNKNOWN, Flag.STRUCTURE_INVALID, Flag.SIGNATURE_INVALID, Flag.SIGNATURE_INVALID]
            asked = [unknown, cut, forged, nonsense]
            assert await car.ask(*asked) == [flagged(a, f) for a, f in zip(asked, flags, strict=True)]
            assert set(place.register.keys) == {17}

    run(story)


@pytest.mark.parametrize("algorithm", [Encryption.AES128, Encryption.SM4])
def test_encrypted_bodies_are_opened_where_the_site_holds_the_key(run, algorithm):
    async def story():
        async with open_door(secret=SECRET) as place:
            car = await place.stranger()
            plain = [login(), data(1), encode.heartbeat(VIN), data(0)]
            asked = [sealed(p, SECRET, algorithm) for p in plain]
            assert await car.ask(*asked) == [ok(a) for a in asked]
            assert place.kept.batches[0].column("Vehicle.Speed").to_pylist() == [65.5, 65.5]

    run(story)


def test_what_does_not_open_is_rejected_in_the_words_of_its_edition(run):
    async def story():
        async with open_door() as place:
            car = await place.car()
            asked = [sealed(data(0), SECRET, Encryption.AES128), sealed(data_2025(0), SECRET, Encryption.SM4)]
            assert await car.ask(*asked) == [flagged(asked[0], Flag.ERROR), flagged(asked[1], Flag.DECRYPTION_FAILED)]
            assert place.door.counts["not decryptable"] == 2

    run(story)


def platform_login(user="delta", password="secret", edition=2016):
    return encode.platform_login(b"PLATFORM", NOW, 1, user, password, edition=edition)


def test_a_platform_sends_for_any_registered_car(run):
    async def story():
        async with open_door() as place:
            road = await place.stranger()
            asked = [platform_login(), login(), login(OTHER), data(1), data(1, OTHER), encode.heartbeat(b"PLATFORM")]
            assert await road.ask(*asked) == [ok(a) for a in asked]
            assert await road.ask(data(0, STRANGER), login(STRANGER)) == [
                error(data(0, STRANGER)),
                error(login(STRANGER)),
            ]
            asked = [encode.logout(VIN, NOW, 1), data(0, OTHER), frame(6, 0xFE, b"PLATFORM", NOW6 + b"\0\1")]
            assert await road.ask(*asked) == [ok(a) for a in asked]
            assert await road.ask(data(2)) == [error(data(2))]
            assert place.door.by_identity["delta"].stands()
        assert place.kept.vehicles == [17, 18, 18]

    run(story)


def test_who_is_no_platform(run):
    async def story():
        async with open_door() as place:
            for bad in (platform_login(password="wrong"), platform_login(user="nobody")):
                road = await place.stranger()
                road.send(bad)
                assert await road.closed() == error(bad)
            car = await place.car()
            early = frame(6, 0xFE, b"PLATFORM", NOW6 + b"\0\1")
            assert await car.ask(early) == [error(early)]
            car.send(platform_login())
            assert await car.closed() == error(platform_login())
            assert place.door.counts["platform refused"] == 3

    run(story)


def test_a_certificate_must_be_the_cars_own(run, tmp_path):
    async def story():
        here, there = certificate(tmp_path)
        here.verify_mode = tls.CERT_OPTIONAL
        here.load_verify_locations(tmp_path / "pem")
        mine = tls.create_default_context(cafile=tmp_path / "pem")
        mine.load_cert_chain(tmp_path / "pem")
        der = tls.PEM_cert_to_DER_cert((tmp_path / "pem").read_text().partition("-----END PRIVATE KEY-----\n")[2])

        async def connect(place, context):
            link = await asyncio.open_connection("127.0.0.1", place.port, ssl=context, server_hostname="localhost")
            place.cars.append(Car(*link))
            return place.cars[-1]

        async with open_door(ssl=here) as place:
            place.register.certificates = {der: 17}
            bare = await connect(place, there)
            assert await bare.ask(login(OTHER)) == [ok(login(OTHER))]
            thief = await connect(place, mine)
            thief.send(login(OTHER))
            assert await thief.closed() == error(login(OTHER))
            car = await connect(place, mine)
            assert await car.ask(login()) == [ok(login())]
            place.register.certificates = {}  # revoked
            place.door.recheck()
            assert await car.closed() == b""
            assert await bare.ask(data(0, OTHER)) == [ok(data(0, OTHER))]

    run(story)


def test_a_car_that_is_retired_while_it_is_here_is_sent_away(run):
    async def story():
        async with open_door() as place:
            car, other = await place.car(), await place.car(OTHER)
            place.register.gone = {17}
            place.door.recheck()
            assert await car.closed() == b""
            assert await other.ask(data(0, OTHER)) == [ok(data(0, OTHER))]
            assert place.door.counts["revoked"] == 1

    run(story)


def test_papers_that_do_not_answer_let_nobody_in(run):
    async def story():
        async with open_door() as place:
            place.register.fails = True
            car = await place.stranger()
            car.send(login())
            assert await car.closed() == b""
            assert place.door.counts["no papers"] == 1

    run(story)


def test_what_comes_twice_is_stored_once_and_acknowledged_twice(run):
    async def story():
        async with open_door() as place:
            car = await place.car()
            resent = encode.realtime(VIN, NOW, {"vehicle": {"status": "started", "speed_kmh": 65.5}}, resend=True)
            for asked in ([data(0), data(0)], [data(0)], [resent], [data(1), encode.heartbeat(VIN), data(0)]):
                assert await car.ask(*asked) == [ok(a) for a in asked]
            assert place.door.counts["again"] == 4
        assert place.kept.vehicles == [17, 17]

    run(story)


def test_what_was_not_kept_is_not_taken_for_known(run):
    async def story():
        async with open_door() as place:
            car = await place.car()
            place.kept.fails = [OSError("disk full")]
            car.send(data(0), data(0))
            while not place.door.counts["not kept"]:
                await asyncio.sleep(0)
            assert await car.ask(data(0)) == [ok(data(0))]
        assert place.kept.vehicles == [17]

    run(story)


def test_what_cannot_be_read_is_rejected_each_time_it_comes(run):
    async def story():
        async with open_door() as place:
            car = await place.car()
            bad = frame(2, 0xFE, VIN, NOW6 + b"\x01\x02")
            assert await car.ask(bad, bad, data(0)) == [error(bad), error(bad), ok(data(0))]
            assert await car.ask(bad) == [error(bad)]
        assert place.kept.vehicles == [17]

    run(story)


def own(minute):
    """Data of which the carmaker's own unit is the most."""
    return frame(2, 0xFE, VIN, time6(NOW - 60_000 * minute) + b"\x80\x00\x64" + bytes(100))


def test_a_frame_like_the_last_but_damaged_costs_only_itself(run):
    async def story():
        async with open_door() as place:
            car = await place.car()
            assert await car.ask(own(9)) == [ok(own(9))]
            bad = bytearray(own(8))
            bad[40] ^= 0xFF
            inside = own(7)[:24] + NOW6 + encode.heartbeat(VIN)
            inside += bytes(len(own(7)) - len(inside))
            for wrong in (bytes(bad), inside):
                car.send(wrong)
                assert await car.hear() == error(wrong)
            assert await car.hear() == ok(encode.heartbeat(VIN))  # it was hidden in the second
            assert await car.ask(own(6)) == [ok(own(6))]
            assert place.door.counts["damaged"] == 2
        assert place.kept.vehicles == [17, 17]

    run(story)


def test_many_frames_to_a_read_and_a_read_that_ends_within_one(run):
    async def story():
        async with open_door() as place:
            car = await place.car()
            frames = [data(i) for i in range(40)]
            assert await car.ask(frames[0]) == [ok(frames[0])]
            (connection,) = place.door.connections
            stream, size = b"".join(frames[1:]), len(frames[0])
            for at in range(0, len(stream), 3 * size + 10):
                connection.data_received(stream[at : at + 3 * size + 10])
            assert [await car.hear() for _ in frames[1:]] == [ok(f) for f in frames[1:]]
            connection.data_received(frames[0][:30])
            connection.data_received(frames[0][30:] + encode.heartbeat(VIN)[:5])
            connection.data_received(encode.heartbeat(VIN)[5:])
            assert [await car.hear(), await car.hear()] == [ok(frames[0]), ok(encode.heartbeat(VIN))]

    run(story)


def test_the_rest_of_a_frame_like_the_last_must_come_in_time(run):
    async def story():
        async with open_door(Limits(batch_ms=1, frame_timeout_s=0.1)) as place:
            car = await place.car()
            assert await car.ask(data(1)) == [ok(data(1))]
            car.send(data(0)[:30])
            assert await car.closed() == b""
            assert place.door.counts["unfinished"] == 1

    run(story)


def test_a_flood_from_one_car_slows_itself_and_not_the_others(run):
    async def story():
        async with open_door(Limits(batch_ms=1, rate=50)) as place:
            flood, car = await place.car(), await place.car(OTHER)
            many = [data(i) for i in range(400)]
            flood.send(*many)
            for minute in range(20):
                assert await car.ask(data(minute, OTHER)) == [ok(data(minute, OTHER))]
            assert place.door.counts["slowed down"] >= 1
            assert [await flood.hear() for _ in many] == [ok(f) for f in many]  # nothing of it is lost

    run(story)


def test_long_frames_count_as_many(run):
    async def story():
        async with open_door(Limits(batch_ms=1, rate=50)) as place:
            car = await place.car()
            long = [frame(2, 0xFE, VIN, time6(NOW + i) + b"\x80\xea\x60" + bytes(60_000)) for i in (0, 1000)]
            assert await car.ask(long[0]) == [ok(long[0])]
            assert place.door.counts["slowed down"] == 1
            assert await car.ask(long[1]) == [ok(long[1])]

    run(story)


def test_a_wrong_answer_to_nobody(run):
    async def story():
        async with open_door(QUICK) as place:
            car = await place.car(next(iter(CARS)))
            exchange = frame(0x0B, 0xFE, VIN, bytes(20), start=b"$$")
            assert await car.ask(exchange) == [flagged(exchange, Flag.ERROR)]
            assert place.door.counts["not supported"] == 1

    run(story)
