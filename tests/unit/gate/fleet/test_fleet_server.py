"""The fleet door over real sockets and real TLS: what is answered, and when."""

import pytest

from door_makers import NOW, Kept
from fleet_place import (
    CAR,
    OTHER,
    QUICK,
    binary,
    control,
    open_place,
    record,
    speed,
    until,
)
from onshore.gate.fleet import encode, envelope, upgrade
from onshore.gate.fleet.door import Limits
from onshore.gate.fleet.websocket import Closed, Code, Opcode, Pong, frame

SPEED, UP = "Vehicle.Speed", "Vehicle.Onshore.Client.IsConnected"
ACK = envelope.Envelope(b"t-1", b"V", envelope.ACK, b"", None)


def test_a_record_is_acknowledged_once_it_is_kept(run, tmp_path):
    async def story():
        async with open_place(tmp_path) as place:
            car = await place.car(X_Network_Interface="Cellular")
            heard = []
            await until(lambda: place.rows(UP))
            place.kept.on_take = lambda: heard.append(bytes(car.reader._buffer))
            car.send(binary(record()))
            assert await car.reply() == ACK
            assert heard == [b""]
        assert place.rows(SPEED) == [pytest.approx(88.51392)]
        assert set(place.kept.vehicles) == {CAR}
        assert place.rows("Vehicle.Onshore.Client.NetworkInterface") == ["cellular"] * 2
        assert place.rows(UP) == [True, False]
        assert set(place.times()) == {NOW}

    run(story)


def test_what_is_not_kept_is_not_acknowledged_and_comes_again(run, tmp_path):
    async def story():
        async with open_place(tmp_path) as place:
            car = await place.car()
            await until(lambda: place.rows(UP))
            place.kept.fails.append(OSError("full"))
            car.send(binary(record(txid=b"lost")))
            await until(lambda: place.door.counts["not kept"])
            car.send(binary(record(speed(is_resend=True))))
            assert await car.reply() == ACK
            assert place.rows(SPEED) == [pytest.approx(88.51392)]

    run(story)


def test_a_record_that_comes_again_is_stored_once(run, tmp_path):
    async def story():
        async with open_place(tmp_path) as place:
            car, other = await place.car(), await place.car(OTHER)
            car.send(binary(record()), binary(record()), binary(record(speed(is_resend=True))))
            assert [await car.reply() for _ in range(3)] == [ACK] * 3
            car.send(binary(record()))
            other.send(binary(record()))
            assert (await car.reply(), await other.reply()) == (ACK, ACK)
            assert place.rows(SPEED) == [pytest.approx(88.51392)] * 2
            assert place.door.counts["again"] == 3

    run(story)


def test_what_was_kept_before_the_gate_was_started_is_not_stored_again(run, tmp_path):
    async def story():
        async with open_place(tmp_path) as place:
            car = await place.car()
            car.send(binary(record()), binary(record(b"\xff")), binary(record(speed(60.0))))
            assert [(await car.reply()).type for _ in range(3)] == [envelope.ACK, envelope.STREAM, envelope.ACK]
        async with open_place(tmp_path, heard=place.kept.heard) as later:
            car, other = await later.car(), await later.car(OTHER)
            car.send(binary(record(speed(is_resend=True))), binary(record(speed(61.0))))
            other.send(binary(record()))
            assert [await car.reply() for _ in range(2)] + [await other.reply()] == [ACK] * 3
            assert len(later.rows(SPEED)) == 2
            assert later.door.counts["again"] == 1
            assert len(later.kept.heard) == 2 * 8, "what the gate itself has to say is none of it"

    run(story)


def test_records_that_do_not_say_when_are_told_apart_by_their_envelopes(run, tmp_path):
    async def story():
        untimed = encode.payload({"data": [{"key": "VehicleSpeed", "value": {"double_value": 1.0}}]})
        async with open_place(tmp_path) as place:
            car = await place.car()
            for created in (1_700_000_000, 1_700_000_001, 1_700_000_001, 0):
                car.send(binary(record(untimed, created=created)))
                assert await car.reply() == ACK
            assert place.times()[1:] == [1_700_000_000_000, 1_700_000_001_000, NOW]

    run(story)


def test_what_cannot_be_read_is_an_error(run, tmp_path):
    async def story():
        async with open_place(tmp_path, Limits(batch_ms=2, rate=1 << 20)) as place:
            car = await place.car()
            car.send(binary(b""), binary(record(b"\xff")), binary(record()))
            first, second, third = [await car.reply() for _ in range(3)]
            assert (first.txid, first.stream.payload) == (b"", envelope.WRONG)
            assert (second.txid, second.topic, second.stream.payload) == (b"t-1", b"", envelope.WRONG)
            assert third == ACK
            car.send(binary(bytes(1_000_001)), binary(record(txid=b"t-2")))
            assert (await car.reply()).stream.payload == envelope.WRONG
            assert (await car.reply()).txid == b"t-2"
            assert place.door.counts["rejected"] == 2
            assert place.door.counts["too long"] == 1

    run(story)


def test_what_nobody_knows_is_acknowledged_once_and_dropped(run, tmp_path):
    async def story():
        async with open_place(tmp_path) as place:
            car = await place.car()
            await until(lambda: place.rows(UP))
            unknown = bytearray(record())
            unknown[35] = 9  # the type of the envelope's message
            car.send(binary(bytes(unknown)), binary(record(topic=b"connectivity")), binary(record(topic=b"video")))
            assert [(await car.reply()).topic for _ in range(3)] == [b"V", b"connectivity", b"video"]
            car.send(control(Opcode.PING, b"more?"))
            assert await car.event() == Pong()
            assert place.kept.vehicles == [CAR]
            assert place.door.counts["of no known kind"] == 3

    run(story)


def test_nothing_a_car_says_of_itself_is_believed(run, tmp_path):
    async def story():
        async with open_place(tmp_path) as place:
            car = await place.car(OTHER)
            car.send(binary(record(speed(vin="LTEST000000000017"))))
            assert await car.reply() == ACK
            assert set(place.kept.vehicles) == {OTHER}
            columns = {name for batch in place.kept.batches for name in batch.schema.names}
            assert "Vehicle.VehicleIdentification.VIN" not in columns

    run(story)


def test_while_the_disk_is_full_nobody_new_is_let_in_and_cars_wait(run, tmp_path):
    async def story():
        async with open_place(tmp_path) as place:
            car = await place.car()
            await until(lambda: place.rows(UP))
            place.door.press("full")
            car.send(binary(record()))
            other = await place.connected(OTHER)
            other.send(upgrade.asked("localhost", bytes(16)))
            assert (await other.head()).startswith(b"HTTP/1.1 503 ")
            assert not place.rows(SPEED)
            place.door.press("")
            assert await car.reply() == ACK
            assert place.rows(SPEED)

    run(story)


def test_ping_pong_close_and_any_path(run, tmp_path):
    async def story():
        async with open_place(tmp_path) as place:
            car = await place.connected()
            car.send(upgrade.asked("localhost", bytes(16), path="/any/path?at=all"), control(Opcode.PING, b"early"))
            assert upgrade.opens(await car.head(), bytes(16))
            assert await car.event() == Pong()
            car.send(
                control(Opcode.PONG), control(Opcode.PING, b"you?"), binary(record()), control(Opcode.CLOSE, b"\3\xe8")
            )
            assert await car.event() == Pong()
            assert await car.reply() == ACK
            assert await car.event() == Closed(Code.NORMAL)
            assert await car.closed() == b""

    run(story)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(Opcode.TEXT, b"{}", mask=b"abcd"), Code.UNSUPPORTED),
        (frame(Opcode.BINARY, b"{}"), Code.PROTOCOL_ERROR),
        (frame(Opcode.CLOSE, b"\0", mask=b"abcd"), Code.PROTOCOL_ERROR),
        (b"\x82\xff" + (1 << 40).to_bytes(8, "big") + bytes(4), Code.TOO_BIG),
    ],
    ids=["text", "no mask", "bad close", "endless"],
)
def test_who_breaks_the_rules_has_to_leave_once_the_rest_is_answered(run, tmp_path, sent, code):
    async def story():
        async with open_place(tmp_path) as place:
            car = await place.car()
            car.send(binary(record()), sent, binary(record(txid=b"t-2")))
            assert await car.reply() == ACK
            assert await car.event() == Closed(code)
            assert await car.closed() == b""
            assert place.door.counts["violations"] == 1

    run(story)


def test_a_record_in_pieces(run, tmp_path):
    async def story():
        async with open_place(tmp_path) as place:
            car, sent = await place.car(), record()
            parts = [sent[:7], sent[7:7], sent[7:100], sent[100:]]
            for place_, part in enumerate(parts):
                opcode = Opcode.CONTINUATION if place_ else Opcode.BINARY
                data = frame(opcode, part, mask=b"abcd", fin=place_ == len(parts) - 1)
                for i in range(0, len(data), 5):
                    car.send(data[i : i + 5])
                    await car.writer.drain()
            assert await car.reply() == ACK

    run(story)


def test_stopping_answers_what_waits(run, tmp_path):
    async def story():
        kept = Kept()
        async with open_place(tmp_path, Limits(batch_ms=1000, batch_most_ms=1000), kept) as place:
            car = await place.car()
            car.send(binary(record()))
            await until(lambda: len(place.door._waiting) == 2)
            await place.door.stop()
            assert await car.reply() == ACK
            assert await car.event() == Closed(Code.GOING_AWAY)
        assert place.rows(UP) == [True, False]

    run(story)


def test_who_leaves_in_the_middle_is_kept_all_the_same(run, tmp_path):
    async def story():
        async with open_place(tmp_path, QUICK) as place:
            car = await place.car()
            car.send(binary(record()))
            car.writer.close()
            await until(lambda: place.rows(UP)[-1:] == [False])
            assert place.rows(SPEED) == [pytest.approx(88.51392)]

    run(story)
