"""Clients of other makes send drives to the gate over real TLS, break off, and go on."""

import asyncio
import base64
import hashlib
import io
import json
import shutil

import pytest
from tusclient.client import TusClient

from upload_makers import CSV, LATITUDE, SPEED, Site, begun, create, csv_drive, curl, offset, opened, patch, tus

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def speeds(site):
    return [row[SPEED] for row in site.rows()]


def wanted(rows):
    return [n % 200 / 2 for n in range(rows)]


@pytest.mark.parametrize("checksum", [False, True])
def test_tuspy_sends_a_drive_breaks_off_and_goes_on(site, checksum, monkeypatch):
    car, data = site.allowed(), csv_drive(5000)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(car.ca))
    manifest = CSV | {"drive": "d-1", "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    def sends(url, place=None, stop_at=None):
        client = TusClient(f"{url}/files", client_cert=(str(car.cert), str(car.key)))
        uploader = client.uploader(
            file_stream=io.BytesIO(data),
            chunk_size=10_000,
            metadata={"manifest": json.dumps(manifest)},
            upload_checksum=checksum,
            url=place,
        )
        uploader.upload(stop_at=stop_at)
        return uploader.url

    async def play():
        async with opened(site) as url:
            place = await asyncio.to_thread(sends, url, stop_at=30_000)
            assert await offset(car, place) == 30_000
            await asyncio.to_thread(sends, url, place)
            assert await offset(car, place) == len(data)

    asyncio.run(play())
    assert speeds(site) == wanted(5000)
    assert all(LATITUDE not in row for row in site.rows())


def test_a_gate_that_starts_again_goes_on_where_it_was_durable(site):
    car, data = site.allowed(), csv_drive(3000)

    async def play():
        async with opened(site) as url:
            place = await begun(car, url, CSV, len(data))
            status, headers, _ = await patch(car, place, 0, data[:50_001])
            assert (status, headers["upload-offset"]) == (204, "50001")
        async with opened(site) as again:
            place = place.replace(url, again)
            at = await offset(car, place)
            assert 0 < at < 50_001
            assert data[at - 1 : at] == b"\n"
            assert (await patch(car, place, 50_001, data[50_001:]))[0] == 409
            assert (await patch(car, place, at, data[at:]))[0] == 204

    asyncio.run(play())
    assert speeds(site) == wanted(3000)


def test_what_tus_says_is_what_the_door_answers(site):
    car, data = site.allowed(), csv_drive(100)
    body = base64.b64encode(hashlib.sha256(data).digest()).decode()

    async def play():
        async with opened(site) as url:
            status, headers, _ = await curl(car, "-X", "OPTIONS", f"{url}/files")
            assert (status, headers["tus-version"], headers["tus-resumable"]) == (204, "1.0.0", "1.0.0")
            assert headers["tus-extension"] == "creation,expiration,checksum,termination"
            assert (await curl(car, "-I", f"{url}/files/{'0' * 32}"))[0] == 412
            assert (await curl(car, "-I", *tus(), f"{url}/files/{'0' * 32}"))[0] == 404
            place = await begun(car, url, CSV, len(data))
            assert (await curl(car, "-X", "PATCH", *tus("Upload-Offset: 0"), place))[0] == 415
            assert (await patch(car, place, 7, data))[0] == 409
            assert (await patch(car, place, 0, data + b"more"))[0] == 413
            assert (await patch(car, place, 0, data, "Upload-Checksum: crc32 AAAA"))[0] == 400
            assert (await patch(car, place, 0, data[:-1] + b"x", f"Upload-Checksum: sha256 {body}"))[0] == 460
            status, headers, _ = await patch(car, place, 0, data, f"Upload-Checksum: sha256 {body}")
            assert (status, headers["upload-offset"]) == (204, str(len(data)))
            assert "upload-expires" in headers
            assert (await patch(car, place, len(data), b""))[0] == 204
            place = await begun(car, url, CSV, len(data))
            assert (await curl(car, "-X", "DELETE", *tus(), place))[0] == 204
            assert (await curl(car, "-I", *tus(), place))[0] == 404

    asyncio.run(play())
    assert speeds(site) == wanted(100)


REFUSED = [
    ({"channels": {"lat": LATITUDE}}, 10, 403, "no-ground"),
    ({"channels": {"x": "No.Such"}}, 10, 403, "not-in-catalogue"),
    ({"vehicle": "0" * 16}, 10, 403, "another-vehicle"),
    ({}, 1 << 40, 413, "too-large"),
    ({"size": 11}, 10, 400, "size-differs"),
    ({"format": "rosbag"}, 10, 400, "malformed"),
    ({"format": "candump", "dbc": "none"}, 10, 422, "malformed"),
]


def test_a_manifest_is_refused_before_the_first_byte(site):
    car, other = site.allowed(), site.car(2)

    async def play():
        async with opened(site) as url:
            for change, size, status, reason in REFUSED:
                got, _, body = await create(car, url, CSV | change, size)
                assert (got, json.loads(body)["refused"]) == (status, reason)
            place = await begun(car, url, CSV, 10)
            assert (await curl(other, "-I", *tus(), place))[0] == 404
            site.revoke(car)
            async with asyncio.timeout(20):
                while (await curl(car, "-I", *tus(), place))[0] != 403:
                    pass

    asyncio.run(play())
    assert site.rows() == []


def test_a_file_that_is_not_what_its_manifest_says_is_over(site):
    car = site.allowed()

    async def play():
        async with opened(site) as url:
            place = await begun(car, url, CSV, 1000)
            status, _, body = await patch(car, place, 0, b"t,speed,lat,remark\nnever,1,2,3\n")
            assert (status, json.loads(body)["refused"]) == (422, "malformed")
            assert (await curl(car, "-I", *tus(), place))[0] == 410

    asyncio.run(play())
    assert site.rows() == []


def test_the_policy_of_a_car_is_fetched_at_the_same_door(site):
    car = site.allowed()

    async def play():
        async with opened(site) as url:
            status, headers, _ = await curl(car, f"{url}/v1/{car.name}/policy")
            assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
            version = headers["etag"].strip('"')
            said = json.dumps({"policy": int(version)})
            assert (await curl(car, "-d", said, f"{url}/v1/{car.name}/checkin"))[0] == 204
            assert (await curl(car, f"{url}/nothing"))[0] == 404

    asyncio.run(play())
