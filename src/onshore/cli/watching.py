"""Watching under `onshore serve`: each process answers /healthz, /readyz and /metrics where [watch] says."""

import errno
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from onshore.desk.watch.answers import Counting, Watched
from onshore.ledger.answering import Limits, listening
from onshore.site import Site
from onshore.words.errors import Malformed
from onshore.words.settings_watch import Watch

LIMITS = Limits(seconds=30, idle=120, connections=32, of_one=32)
"""Prometheus, a probe and a person; the first look reads the ledger from its start."""


def ports(settings: Watch, roads: Collection[str], gates: int) -> tuple[int, ...]:
    """Where a process of these roads may answer, the first that is free: gates are several."""
    if "keep" in roads:
        return (settings.port,)
    for road, port in (("border", settings.border), ("desk", settings.desk)):
        if road in roads:
            return (port,)
    return tuple(settings.gate + number if settings.gate else 0 for number in range(gates))


@asynccontextmanager
async def watching(site: Site, roads: Collection[str], doors: Sequence[Counting]) -> AsyncIterator[str]:
    """Answer while this lasts, if [watch] stands in site.toml; at which address, or nothing.

    Malformed where every port that the settings give it is taken.
    """
    settings = site.settings.watch
    if settings is None:
        yield ""
        return
    answer = Watched(site, roads, doors).answer
    free = ports(settings, roads, site.settings.gate.processes)
    async with AsyncExitStack() as stack:
        for port in free:
            try:
                there = await stack.enter_async_context(listening(settings.host, port, answer, LIMITS))
            except OSError as failed:
                if failed.errno == errno.EADDRINUSE and port != free[-1]:
                    continue  # another gate has it
                what = f"nobody can watch at {settings.host}:{port}: {failed.strerror}; end what holds it"
                raise Malformed(what, where="site.toml, [watch]") from failed
            break
        yield f"http://{settings.host}:{there}"
