"""What uploads may cost: rows, bytes as they unpack, bytes of a day, files begun in a minute, places in memory."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pyarrow as pa
import pytest
from sqlalchemy import select

from onshore.gate.upload.allowance import DAY, Allowance, Cost
from onshore.vault.papers import reading, upload_days, uploads
from onshore.words.errors import Refusal
from upload_files import mcap_channel, mcap_chunk, mcap_message, record
from upload_makers import CSV, SPEED, T0, Site, begun, create, csv_drive, curl, offset, opened, patch, tus
from upload_place import USUAL, Raw, listening, played, until

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
MAGIC = b"\x89MCAP0\r\n"
MCAP = {"format": "mcap", "channels": {"/gnss.speed": SPEED}}


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def noted(site):
    with reading(site.site.engine) as conn:
        return conn.execute(select(uploads)).all()


def bomb(chunks: int) -> bytes:
    """Each chunk is a few kilobytes that unpack to a megabyte of messages."""
    said = mcap_message(1, T0, {"speed": 1.5})
    return (
        MAGIC
        + mcap_channel(1, "/gnss")
        + b"".join(mcap_chunk(said * ((1 << 20) // len(said))) for _ in range(chunks))
        + record(2, bytes(20))
        + MAGIC
    )


@pytest.mark.parametrize(
    ("limits", "reason", "fate"),
    [
        (replace(USUAL, rows=30_000), "too-many-rows", "rows"),
        (replace(USUAL, unpacked=3 << 20), "unpacks-too-far", "bytes"),
    ],
)
def test_a_small_file_that_becomes_an_enormous_one_is_refused_with_its_reason(site, limits, reason, fate):
    car, data = site.allowed(), bomb(24)
    assert len(data) < 1 << 17

    async def play():
        async with listening(site, limits) as here:
            place = await begun(car, here.url, MCAP, len(data))
            status, _, body = await patch(car, place, 0, data)
            said = json.loads(body)
            assert (status, said["refused"]) == (413, reason)
            assert said["remedy"]
            assert here.door.counts[reason] == 1
            assert not here.door.live
            assert 0 < len(here.rows) <= 100_000  # of half a million
            status, _, body = await curl(car, *tus(), "-X", "PATCH", place)
            assert (status, fate in json.loads(body)["says"]) == (410, True)
            assert [row.fate for row in noted(site)] == [fate]
            assert (await create(car, here.url, MCAP, len(data)))[0] == 201  # it holds no place
        assert not list((site.site.folder / "locks" / "uploads").glob(place.rpartition("/")[2]))

    played(play)


def test_memory_stays_flat_however_much_a_file_unpacks_to(site):
    car, data = site.allowed(), bomb(24)
    most = []

    async def play():
        async with listening(site) as here:

            def keep(batch, marks=()):
                most.append(pa.total_allocated_bytes())

            here.door._keep_marked = keep
            place = await begun(car, here.url, MCAP, len(data))
            before = pa.total_allocated_bytes()
            assert (await patch(car, place, 0, data))[0] == 204
            assert len(most) >= 20
            assert max(most) - before < 32 << 20

    played(play)


def test_short_records_of_many_channels_count_as_what_is_made_of_them():
    days = SimpleNamespace(spent=lambda *_: 0, spend=lambda *_: None)
    cost = Cost(Allowance(days, lambda: 0, 1 << 20, 1), 1, most_rows=10, most_bytes=1000)
    cost.add(10)
    cost.made = 1001
    with pytest.raises(Refusal) as refused:
        cost.add(11)
    assert refused.value.reason == "unpacks-too-far"
    assert cost.told == 1001


def test_what_a_car_may_send_in_a_day_is_counted_over_restarts(site):
    car, data = site.allowed(), csv_drive(2000)
    limits = replace(USUAL, day=len(data))

    async def play():
        async with listening(site, limits) as here:
            place = await begun(car, here.url, CSV, len(data))
            assert (await patch(car, place, 0, data))[0] == 204
        async with listening(site, limits) as here:
            status, headers, body = await create(car, here.url, CSV, len(data))
            assert (status, json.loads(body)["refused"]) == (429, "too-much-today")
            assert int(headers["retry-after"]) > 0
            here.now = DAY
            place = await begun(car, here.url, CSV, len(data))
            other = await begun(car, here.url, CSV, len(data))
            assert (await patch(car, place, 0, data))[0] == 204
            status, _, body = await patch(car, other, 0, data)
            assert (status, json.loads(body)["refused"]) == (429, "too-much-today")
            assert await offset(car, other) == 0  # it goes on tomorrow
            here.now = 2 * DAY
            assert (await patch(car, other, 0, data))[0] == 204
            here.now = 9 * DAY
            await begun(car, here.url, CSV, len(data))
            with reading(site.site.engine) as conn:
                assert not conn.execute(select(upload_days)).all()

    played(play)


def test_an_upload_that_went_on_after_a_restart_is_charged_once(site):
    car, data = site.allowed(), csv_drive(2000)

    async def play():
        for piece in (data[:20_000], data[20_000:]):
            async with listening(site, replace(USUAL, rows=2000, unpacked=len(data))) as here:
                place = f"{here.url}/files/{noted(site)[0].id}" if noted(site) else None
                place = place or await begun(car, here.url, CSV, len(data))
                at = await offset(car, place)
                assert (await patch(car, place, at, data[at : at + len(piece) + 100]))[0] == 204
        with reading(site.site.engine) as conn:
            [spent] = conn.scalars(select(upload_days.c.bytes))
        assert len(data) <= spent < len(data) + 1000

    played(play)


def test_bytes_that_papers_do_not_know_yet_are_not_lost_at_midnight():
    saved, now = [], [0]

    class Days:
        def spent(self, vehicle, day):
            return 0

        def spend(self, vehicle, day, more):
            saved.append((vehicle, day, more))

    allowance = Allowance(Days(), lambda: now[0], 100 << 20, 1)
    allowance.spend(1, 5)
    allowance.spend(2, 64 << 20)
    now[0] = DAY
    allowance.check(1)
    assert saved == [(2, 0, 64 << 20), (1, 0, 5)]
    allowance.begin(1)
    with pytest.raises(Refusal) as refused:
        allowance.begin(1)
    assert refused.value.reason == "too-fast"


def test_what_is_deleted_is_forgotten_at_once_and_only_so_many_are_begun_in_a_minute(site):
    car = site.allowed()

    async def play():
        async with listening(site, replace(USUAL, begins=3)) as here:
            for _ in range(3):
                place = await begun(car, here.url, CSV, 100)
                assert (await curl(car, "-X", "DELETE", *tus(), place))[0] == 204
                assert (await curl(car, "-X", "DELETE", *tus(), place))[0] == 404
            assert noted(site) == []
            status, headers, body = await create(car, here.url, CSV, 100)
            assert (status, json.loads(body)["refused"], headers["retry-after"]) == (429, "too-fast", "60")
            here.now = 60_000
            assert (await create(car, here.url, CSV, 100))[0] == 201

    played(play)


def test_of_what_is_over_the_manifest_is_forgotten_and_so_is_all_but_the_last(site):
    car = site.allowed()

    async def play():
        async with listening(site, replace(USUAL, begins=1000)) as here:
            place = await begun(car, here.url, CSV, 20)
            long = noted(site)[0].manifest
            assert (await patch(car, place, 0, b"no header at all...."))[0] == 422
            assert len(noted(site)[0].manifest) < len(long) / 2
            shelf, vehicle = here.door.papers.shelf, noted(site)[0].vehicle
            for n in range(120):
                shelf.end(shelf.add(vehicle, b"{}", 1, here.door.until()).id, "refused", here.door.until() + n)
            assert len(noted(site)) == 100

    played(play)


async def sending(client, here, place, data):
    """A PATCH of which a little has arrived."""
    id_ = place.rpartition("/")[2]
    client.patches(place, 0, len(data), data[:20])
    await until(lambda: id_ in here.door.live and here.door.live[id_].offset == 20)
    return here.door.live[id_]


def test_who_holds_several_places_gives_one_up_to_who_holds_none(site):
    one, other, data = site.allowed(1), site.allowed(2), csv_drive(50)

    async def play():
        async with listening(site, replace(USUAL, live=2)) as here:
            first, second = [await begun(one, here.url, CSV, len(data)) for _ in range(2)]
            mine = await begun(other, here.url, CSV, len(data))
            async with Raw(one, here) as a, Raw(one, here) as b:
                slow = await sending(a, here, first, data)
                await sending(b, here, second, data)
                assert (await patch(other, mine, 0, data))[0] == 204
                assert await a.gone() == b""
                assert slow.broken
                with pytest.raises(ConnectionResetError):  # as it might be in the middle of what came
                    list(slow.eat(data[20:]))
                with pytest.raises(ConnectionResetError):
                    here.door.done(slow)
                assert here.door.counts["gave way"] == 1
                assert await offset(one, first) <= 20
                b.writer.write(data[20:])
                assert await b.hears() == 204
            at = await offset(one, first)
            assert (await patch(one, first, at, data[at:]))[0] == 204
            assert sorted(here.speeds) == sorted([n / 2 for n in range(50)] * 3)

    played(play)


def test_a_slow_sender_gives_up_its_place(site):
    cars, data = [site.allowed(n) for n in (1, 2, 3)], csv_drive(50)

    async def play():
        async with listening(site, replace(USUAL, live=2)) as here:
            places = [await begun(car, here.url, CSV, len(data)) for car in cars]
            async with Raw(cars[0], here) as a, Raw(cars[1], here) as b:
                slow, fast = await sending(a, here, places[0], data), await sending(b, here, places[1], data)
                assert (await patch(cars[2], places[2], 0, data))[0] == 503  # nobody has been seen to be slow
                since = slow._looked[0] - 11
                slow._looked, fast._looked = (since, 0), (since, 20 - (1 << 20))
                assert (await patch(cars[2], places[2], 0, data))[0] == 204
                assert (slow.broken, fast.broken) == (True, False)
                assert await a.gone() == b""
            assert here.door.counts["not kept"] == 0

    played(play)


def test_what_another_process_takes_in_is_locked(site):
    car, data = site.allowed(), csv_drive(50)

    async def play():
        async with listening(site) as here:
            place = await begun(car, here.url, CSV, len(data))
            assert (await patch(car, place, 0, data[:100]))[0] == 204
            async with listening(site) as there:
                same = place.replace(here.url, there.url)
                status, headers, body = await patch(car, same, 0, data)
                assert (status, json.loads(body)["refused"], headers["retry-after"]) == (423, "locked", "10")
                assert (await curl(car, "-X", "DELETE", *tus(), same))[0] == 423
                assert await offset(car, same) <= 100
                here.door.forget(next(iter(here.door.live.values())))
                at = await offset(car, same)
                assert (await patch(car, same, at, data[at:]))[0] == 204
                assert (await patch(car, place, len(data), b""))[0] == 204  # whole, and the other knows it
            assert len(there.speeds) + len(here.speeds) == 50

    played(play)


def test_a_connection_is_used_again(site):
    car, data = site.allowed(), csv_drive(50)

    async def play():
        async with listening(site, replace(USUAL, frame_timeout_s=0.2, of_one=2)) as here:
            place = await begun(car, here.url, CSV, len(data))
            path = place.removeprefix(here.url)
            async with Raw(car, here) as client:
                for method, at in (("HEAD", path), ("OPTIONS", "/files"), ("GET", "/v1/x/policy"), ("HEAD", path)):
                    client.says(f"{method} {at} HTTP/1.1", "Host: x", "Tus-Resumable: 1.0.0")
                    head = (await client.reader.readuntil(b"\r\n\r\n")).lower()
                    assert b"connection: close" not in head
                    if method == "GET":
                        await client.reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
                [connection] = [one for one in here.door.connections if one.idle]
                connection.look_after(connection._loop.time() + 1)  # it is idle, not slow
                async with Raw(car, here) as other:
                    await sending(other, here, place, data)
                    async with Raw(car, here) as third:  # takes the idle one's place, not the sending one's
                        third.says(f"HEAD {path} HTTP/1.1", "Host: x", "Tus-Resumable: 1.0.0")
                        assert await third.hears() == 200
                        assert await client.gone() == b""
                        other.writer.write(data[20:])
                        assert await other.hears() == 204
            assert here.door.counts["slow"] == 0

    played(play)


def test_the_settings_say_what_uploads_may_cost(tmp_path):
    site = Site(tmp_path, "rows = 100\nbegins = 2\nday = 100000\nunpacked = 50000")
    car, data = site.allowed(), csv_drive(101)

    async def play():
        async with opened(site) as url:
            place = await begun(car, url, CSV, len(data))
            status, _, body = await patch(car, place, 0, data)
            assert (status, json.loads(body)["refused"]) == (413, "too-many-rows")
            assert (await create(car, url, CSV, 0))[0] == 422
            assert (await create(car, url, CSV, 100))[0] == 429

    played(play)
