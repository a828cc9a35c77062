"""The statutory lane under `onshore serve`: a client for each endpoint of the settings, beside what keeps the site."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection

from onshore.cli import egress
from onshore.gate.forward import client
from onshore.gate.forward.client import Endpoint
from onshore.gate.forward.forwarder import Forwarder
from onshore.site import Site
from onshore.vault import lanes, unsent
from onshore.vault.lanes import Lane
from onshore.vault.lock import hold
from onshore.vault.papers import forget_freed_pages
from onshore.vault.segments import Shelf
from onshore.words.errors import Refusal

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


def drop(site: Site, endpoint: str, why: str) -> int:
    """Give up rows that wait for an endpoint, with an entry in the ledger; how many those were.

    `why`: "unlisted", all of an endpoint that the settings do not name; "refused", what is set apart; "lost", what
    lies in files that are gone or do not open. Refuses `still-listed`, and `nothing-waits` where there is none.
    """
    if why == "unlisted" and endpoint in site.settings.forward:
        raise Refusal(
            "still-listed",
            f"[forward.{endpoint}] names this platform, so the law has these rows sent on to it",
            remedy="take it out of site.toml first, or give up only what it refused (--refused) or what is --lost",
        )
    shelf = Shelf(site.root, site.vault, site.id)
    ways: dict[str, Callable[[], Iterable[Lane]]] = {
        "unlisted": lambda: lanes.waiting(site.engine, endpoint),
        "refused": lambda: unsent.set_apart(site.engine, endpoint),
        "lost": lambda: unsent.lost(site.engine, shelf, endpoint, deep=True),
    }

    def entry(conn: Connection, rows: int) -> None:
        site.hand_in(conn, site.entry("unsent", to=endpoint, rows=rows, why=why))

    found = list(ways[why]())
    if not found:
        raise Refusal("nothing-waits", "no such rows wait for a platform of this name", remedy="see 'onshore check'")
    rows = unsent.drop(site.engine, shelf, found, entry)
    forget_freed_pages(site.engine)
    return rows
