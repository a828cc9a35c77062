"""The statutory lane under `onshore serve`: a client for each endpoint of the settings, beside what keeps the site."""

import asyncio
import threading
from collections.abc import Iterable, Sequence

from onshore.cli import egress
from onshore.cli.common import clock_text
from onshore.gate.forward import client
from onshore.gate.forward.client import Endpoint
from onshore.gate.forward.forwarder import Forwarder
from onshore.site import Site
from onshore.vault import lanes
from onshore.vault.lock import hold

_TICK = 0.1  # seconds between looks whether to stop


def listed(site: Site) -> list[Endpoint]:
    """The endpoints that the settings list, the only places that the client may connect to from now on."""
    found = client.endpoints(site)
    egress.listed(client.__name__, [(one.host, one.port) for one in found])
    return found


def forward(site: Site, endpoints: Sequence[Endpoint], stop: threading.Event) -> None:
    """Forward to all endpoints until told to stop, then log out; refuses (`road-taken`) while another process does."""
    with hold(site.folder / "locks" / "forward", "forward"):
        asyncio.run(_until(stop, [Forwarder(site, endpoint, client.connect) for endpoint in endpoints]))


async def _until(stop: threading.Event, forwarders: Iterable[Forwarder]) -> None:
    tasks = [asyncio.create_task(forwarder.run()) for forwarder in forwarders]
    while not stop.is_set() and not any(task.done() for task in tasks):
        await asyncio.sleep(_TICK)
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended


def state(site: Site) -> str:
    """For `onshore check`: each endpoint, what waits for it, and when it acknowledged something last."""
    found = []
    for one in client.endpoints(site):
        waits = lanes.backlog(site.engine, one.name)
        last = clock_text(lanes.last_answer(site.engine, one.name))
        found.append(f"{one.name} ({one.host}:{one.port}): {waits} rows wait, last answer {last}")
    return "; ".join(found) if found else "nothing is sent on: no platform is named in [forward]"
