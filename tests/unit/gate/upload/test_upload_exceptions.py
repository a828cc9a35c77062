"""A file that says to be an exception: taken where settings and law know it, its rows apart up to the segments."""

import asyncio
import json

import pytest

from onshore.gate.upload import manifest
from onshore.vault.journal_files import closed_journals, read_journal
from onshore.vault.papers import reading
from onshore.vault.segments import segments_where
from onshore.words.batch import exception_of
from onshore.words.errors import Malformed, Refusal
from upload_makers import CSV, Site, begun, create, csv_drive, opened, patch

TEST = CSV | {"exception": "road-test"}


def test_a_manifest_knows_the_exceptions_of_the_law():
    said = manifest.read(json.dumps(TEST).encode())
    manifest.excepted(said, {"road-test"})
    with pytest.raises(Refusal) as refused:
        manifest.excepted(said, {"user-cloud"})
    assert refused.value.reason == "exception-unknown"
    manifest.excepted(manifest.read(json.dumps(CSV).encode()), ())
    with pytest.raises(Malformed):
        manifest.read(json.dumps(CSV | {"exception": "statutory-monitoring"}).encode())


def test_a_site_takes_none_unless_its_settings_say_so(tmp_path):
    site = Site(tmp_path)
    car = site.allowed()

    async def ask():
        async with opened(site) as url:
            return await create(car, url, TEST, 10)

    status, _, body = asyncio.run(ask())
    assert (status, b"exception-unknown" in body) == (403, True), body


def test_the_tag_travels_from_the_manifest_to_the_segments(tmp_path):
    site = Site(tmp_path, 'exceptions = ["road-test", "safety-clip"]')
    car = site.allowed()

    async def send():
        async with opened(site) as url:
            for said in (TEST, CSV):
                data = csv_drive(30)
                place = await begun(car, url, said, len(data))
                for at, piece in ((0, data[:400]), (400, data[400:])):
                    status, _, body = await patch(car, place, at, piece)
                    assert status == 204, body

    asyncio.run(send())
    kept = [
        exception_of(record.batch.schema)
        for closed in closed_journals(site.site.engine, site.site.vault)
        for record in read_journal(closed, site.site.root, site.site.id)
        if record.batch is not None
    ]
    assert set(kept) == {"road-test", ""}
    site.site.drain()
    with reading(site.site.engine) as conn:
        rows = {one.place.exception: one.rows for one in segments_where(conn)}
    assert rows == {"road-test": 30, "": 30}
