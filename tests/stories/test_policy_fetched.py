"""A car fetches its policy over HTTPS with its certificate and checks in, by the door for uploads."""

import asyncio
import json

from onshore.register import policies
from upload_makers import Site, curl, opened


def test_fetch_and_check_in(tmp_path):
    site = Site(tmp_path)
    car, other = site.allowed(1), site.allowed(2)

    async def story():
        async with opened(site) as where:
            status, headers, body = await curl(car, f"{where}/v1/{car.name}/policy")
            assert status == 200
            said = json.loads(body.split(b"\n")[1])
            assert said["vehicle"] == car.name
            again = ("-H", f"If-None-Match: {headers['etag']}")
            assert (await curl(car, *again, f"{where}/v1/{car.name}/policy"))[0] == 304
            assert (await curl(other, f"{where}/v1/{car.name}/policy"))[0] == 403
            tell = ("--data-binary", "@-", f"{where}/v1/{car.name}/checkin")
            assert (await curl(car, *tell, data=b'{"policy": 99}'))[0] == 400
            done = await curl(car, *tell, data=json.dumps({"policy": said["version"]}).encode())
            assert done[0] == 204

    asyncio.run(story())
    assert policies.obeyed(site.site, car.id).version == policies.latest(site.site, car.id).version
