"""What tests of the statutory lane are made with: a site that sends on to a platform, and sleeps without time."""

import asyncio
import json

from sqlalchemy import select

from onshore.gate.forward import client
from onshore.gate.forward.forwarder import Forwarder, Pace
from onshore.gate.gb32960.protocol import Command
from onshore.site import open_site
from onshore.vault import lanes
from onshore.vault.papers import entries, reading

PACE = Pace(window=7, patience_s=0.2, look_s=0.01, heartbeat_s=0.05)


def sending(hands, port: int, **more):
    """The site of these hands, with a platform to send on to."""
    (hands.site.folder / "platform.password").write_text("secret\n")
    said = {"host": "127.0.0.1", "jurisdiction": "CN", "code": "ONSHORE-SHANGHAI", "user": "onshore"} | more
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in said.items())
    path = hands.site.folder / "site.toml"
    text = path.read_text().split("\n[forward.")[0]
    path.write_text(f'{text}\n[forward.national]\nport = {port}\npassword = "platform.password"\n{lines}')
    hands.site = open_site(hands.site.folder, clock=lambda: hands.now)
    return hands.site


class Waits:
    """Sleeps that take no time, and are written down."""

    def __init__(self) -> None:
        self.long: list[float] = []

    async def __call__(self, seconds: float) -> None:
        if seconds >= 1:
            self.long.append(seconds)
        await asyncio.sleep(0.001)


async def until(condition) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


def forwarded(hands, platform, *, waits=None, enough=None, pace=PACE) -> None:
    """Run the client until nothing waits."""

    async def story() -> None:
        server = await platform.serve()
        site = sending(hands, platform.port)
        one = Forwarder(site, client.endpoints(site)[0], client.connect, pace=pace, sleep=waits or Waits())
        task = asyncio.create_task(one.run())
        await until(enough or (lambda: not lanes.waiting(site.engine)))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await until(lambda: Command.PLATFORM_LOGOUT in platform.heard or enough)
        server.close()

    asyncio.run(story())


def taken(platform):
    """What the platform has: VIN and second, with how often."""
    return {key: len(frames) for key, frames in platform.kept.items()}


def entered(hands):
    """Rows and refused rows, by the ledger's entries of what was sent on."""
    hands.site.settle()
    with reading(hands.site.engine) as conn:
        said = [json.loads(body) for body in conn.scalars(select(entries.c.body))]
    return [(e["rows"], e["refused"]) for e in said if e["t"] == "forward"]
