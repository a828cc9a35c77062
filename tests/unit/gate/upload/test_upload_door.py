"""The door upload over real TLS: who may send, what happens when keeping fails, and who has to make room."""

import json
import shutil
from dataclasses import replace

import pytest

from onshore.gate.upload.reading import Limits as Reading
from upload_makers import CAN, CSV, Site, begun, candump, create, csv_drive, curl, offset, patch, tus
from upload_place import USUAL, Raw, listening, played, until

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def test_what_could_not_be_kept_is_asked_for_again(site):
    car, data = site.allowed(), csv_drive(1000)

    async def play():
        async with listening(site) as here:
            place = await begun(car, here.url, CSV, len(data))
            here.fails = [OSError("the disk is full")]
            status, headers, body = await patch(car, place, 0, data)
            assert (status, json.loads(body)["refused"]) == (503, "not-kept")
            assert headers["retry-after"] == "10"
            assert await offset(car, place) == 0
            assert (await patch(car, place, 0, data))[0] == 204
            assert len(here.speeds) == 1000
            assert here.door.counts["not kept"] == 1

    played(play)


@pytest.mark.parametrize(("held", "status"), [("full", (507, "60")), ("slow", (503, "10"))])
def test_while_the_disk_is_full_or_slow_nothing_is_begun_or_gone_on_with(site, held, status):
    car, data = site.allowed(), csv_drive(100)

    async def play():
        async with listening(site) as here:
            place = await begun(car, here.url, CSV, len(data))
            here.door.press(held)
            for answer in (await create(car, here.url, CSV, len(data)), await patch(car, place, 0, data)):
                assert (answer[0], answer[1]["retry-after"]) == status
            assert await offset(car, place) == 0, "it may be asked"
            here.door.press("")
            assert (await patch(car, place, 0, data))[0] == 204

    played(play)


def test_what_cannot_be_kept_as_a_sender_leaves_is_asked_for_again(site):
    car, data = site.allowed(), csv_drive(9000)

    async def play():
        async with listening(site) as here:
            place = await begun(car, here.url, CSV, len(data))
            async with Raw(car, here) as client:
                client.patches(place, 0, len(data), data[:-9])
                await until(lambda: any(live.offset == len(data) - 9 for live in here.door.live.values()))
                here.fails = [OSError("the disk is full")]
            await until(lambda: not here.fails)
            at = await offset(car, place)
            assert at == (here.marks[-1].offset if here.marks else 0)
            assert (await patch(car, place, at, data[at:]))[0] == 204
            assert len(here.speeds) == 9000

    played(play)


def test_an_empty_file_that_is_none_leaves_nothing_begun(site):
    car = site.allowed()

    async def play():
        async with listening(site, replace(USUAL, of_one=1)) as here:
            for _ in range(2):
                assert (await create(car, here.url, CSV, 0))[0] == 422
            assert not here.door.live

    played(play)


def test_more_bytes_than_were_said_do_not_undo_those_before(site):
    car, data = site.allowed(), csv_drive(50)

    async def play():
        async with listening(site) as here:
            place = await begun(car, here.url, CSV, len(data))
            half = b"%x\r\n%b\r\n" % (100, data[:100])
            async with Raw(car, here) as client:
                client.patches(place, 0, None, half, "Transfer-Encoding: chunked")
                await until(lambda: any(live.offset == 100 for live in here.door.live.values()))
                client.writer.write(b"fff\r\n" + data * 3)
                assert await client.hears() == 413
            assert not next(iter(here.door.live.values())).broken
            at = await offset(car, place)
            assert (await patch(car, place, at, data[at:]))[0] == 204
            assert len(here.speeds) == 50

    played(play)


def test_a_tick_keeps_what_came_and_lets_go_of_what_it_could_not(site):
    car, data = site.allowed(), csv_drive(9000)

    async def play():
        async with listening(site) as here:
            place = await begun(car, here.url, CSV, len(data))
            async with Raw(car, here) as client:
                client.patches(place, 0, len(data), data[:-9])
                await until(lambda: any(live.offset == len(data) - 9 for live in here.door.live.values()))
                here.door.flush()
                kept = len(here.rows)
                assert 0 < kept < 9000
                live = next(iter(here.door.live.values()))
                live._rows, here.fails = list(live.reader.finish())[-1], [OSError("the disk is full")]
                here.door.flush()
                assert live.broken
                assert not here.door.live
            assert await offset(car, place) == 0

    played(play)


def test_who_comes_back_need_not_wait_for_the_connection_that_hangs(site):
    car, data = site.allowed(), csv_drive(2000)

    async def play():
        async with listening(site) as here:
            place = await begun(car, here.url, CSV, len(data))
            async with Raw(car, here) as hangs:
                hangs.patches(place, 0, len(data), data[:20_000])
                await until(lambda: any(live.offset == 20_000 for live in here.door.live.values()))
                assert await offset(car, place) == 20_000
                assert (await patch(car, place, 20_000, data[20_000:]))[0] == 204
                assert await hangs.gone() == b""
            assert here.speeds == [n % 200 / 2 for n in range(2000)]
            assert here.door.counts["replaced"] == 1

    played(play)


def test_bodies_may_come_in_chunks_and_no_more_than_was_said(site):
    car, data = site.allowed(), csv_drive(50)

    async def play():
        async with listening(site) as here:
            place = await begun(car, here.url, CSV, len(data))
            chunks = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (data[:100], data[100:]))
            async with Raw(car, here) as client:
                client.patches(place, 0, None, chunks + b"0\r\n\r\n", "Transfer-Encoding: chunked")
                assert await client.hears() == 204
            assert len(here.speeds) == 50
            place = await begun(car, here.url, CSV, len(data))
            async with Raw(car, here) as client:
                client.patches(place, 0, None, b"fff\r\n" + data * 2 + b"\r\n", "Transfer-Encoding: chunked")
                assert await client.hears() == 413

    played(play)


def test_slow_silent_and_senseless_peers_are_dropped(site):
    car, data = site.allowed(), csv_drive(50)
    quick = replace(USUAL, idle_timeout_s=0.2, frame_timeout_s=0.2, login_timeout_s=0.2)

    async def play():
        async with listening(site, quick) as here:
            async with Raw(car, here) as silent:
                assert await silent.gone() == b""
            async with Raw(car, here) as senseless:
                senseless.writer.write(b"\x16\x03\x01 no HTTP\r\n\r\n")
                assert await senseless.hears() == 400
            async with Raw(car, here) as endless:
                endless.writer.write(b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 20_000)
                assert await endless.hears() in (400, 431)
            place = await begun(car, here.url, CSV, len(data))
            async with Raw(car, here) as slow:
                slow.patches(place, 0, len(data), data[:20])
                assert await slow.gone() == b""
            assert here.door.counts["slow"] >= 1
            assert await offset(car, place) == 20

    played(play)


def test_a_car_that_is_revoked_is_cut_off_while_it_sends(site):
    car, data = site.allowed(), csv_drive(2000)

    async def play():
        async with listening(site) as here:
            place = await begun(car, here.url, CSV, len(data))
            async with Raw(car, here) as client:
                client.patches(place, 0, len(data), data[:20_000])
                await until(lambda: any(live.offset == 20_000 for live in here.door.live.values()))
                site.revoke(car)
                await until(site.standing.changed)
                here.door.recheck()
                assert await client.gone() == b""
            assert here.door.counts["revoked"] == 1

    played(play)


def test_only_so_many_are_held_and_begun(site):
    car, data = site.allowed(), csv_drive(500)

    async def play():
        async with listening(site, replace(USUAL, live=1, of_one=3)) as here:
            one, two, three = [await begun(car, here.url, CSV, len(data)) for _ in range(3)]
            status, _, body = await create(car, here.url, CSV, len(data))
            assert (status, json.loads(body)["refused"]) == (503, "busy")
            assert (await patch(car, one, 0, data[:5000]))[0] == 204
            assert (await patch(car, two, 0, data))[0] == 204
            at = await offset(car, one)
            assert 0 < at < 5000
            async with Raw(car, here) as client:
                client.patches(one, at, len(data) - at, data[at : at + 1])
                await until(lambda: any(live.offset == at + 1 for live in here.door.live.values()))
                assert (await patch(car, three, 0, data))[0] == 503
                client.writer.write(data[at + 1 :])
                assert await client.hears() == 204
            assert sorted(here.speeds) == sorted([n % 200 / 2 for n in range(500)] * 2)
            here.now = 8 * 86_400_000
            assert (await curl(car, "-I", *tus(), three))[0] == 410
            assert (await create(car, here.url, CSV, len(data)))[0] == 201
            assert (await curl(car, "-I", *tus(), three))[0] == 404

    played(play)


def test_a_file_that_is_not_what_its_digest_says_is_told_of(site):
    car, data = site.allowed(), csv_drive(5)

    async def play():
        async with listening(site) as here:
            place = await begun(car, here.url, CSV | {"sha256": "0" * 64}, len(data))
            status, _, body = await patch(car, place, 0, data)
            assert (status, "sha256" in body.decode()) == (400, True)
            assert here.door.counts["bytes that are not what the manifest says"] == 1
            status, _, _ = await create(car, here.url, CSV, 0)
            assert status == 422  # a CSV without a header

    played(play)


def test_paths_and_methods_that_are_none(site):
    car = site.allowed()

    async def play():
        async with listening(site) as here:
            assert (await curl(car, *tus(), f"{here.url}/files"))[0] == 405
            assert (await curl(car, "-X", "PUT", *tus(), f"{here.url}/files/1"))[0] == 405
            assert (await curl(car, "-X", "PATCH", *tus(), f"{here.url}/files/x"))[0] == 404
            said = tus("Upload-Defer-Length: 1")
            assert (await curl(car, "-X", "POST", *said, f"{here.url}/files"))[0] == 400
            place = await begun(car, here.url, CSV, 100)
            said = tus("X-HTTP-Method-Override: DELETE")
            assert (await curl(car, "-X", "POST", *said, place))[0] == 204
            assert (await patch(car, place, 0, b"t"))[0] == 404

    played(play)


def test_can_frames_come_with_the_sites_database_and_within_limits(site):
    car, data = site.allowed(), candump(500)
    small = replace(USUAL, reading=Reading(line=10))

    async def play():
        async with listening(site) as here:
            place = await begun(car, here.url, CAN, len(data))
            assert (await patch(car, place, 0, data))[0] == 204
            assert len(here.rows) == 500
            assert here.door.counts["files"] == 1
        (site.folder / "site" / "car.dbc").unlink()
        async with listening(site, small) as here:
            assert (await create(car, here.url, CAN, 10))[0] == 422
            place = await begun(car, here.url, CSV, 100)
            assert (await patch(car, place, 0, b"t" * 20))[0] == 422

    played(play)
