"""Serving the desk: uvicorn in a loop that runs already, at the place that the settings name."""

import asyncio
import ipaddress
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import uvicorn

from onshore.desk.app import app
from onshore.register.sessions import limits_of
from onshore.site import Site
from onshore.vault.lock import hold
from onshore.words.errors import Malformed
from onshore.words.settings_desk import Desk

_AT_ONCE = 256  # connections
_IDLE = 20  # seconds that one may wait for the next request
_HEAD = 16 << 10  # bytes
_TICK = 0.01  # seconds between looks whether it listens


class _Quiet(uvicorn.Server):
    """A server that leaves signals to whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: the program ends all of its roads together."""
        yield


@asynccontextmanager
async def served(site: Site) -> AsyncIterator[str]:
    """Serve the desk while this lasts; its address. Holds the desk road, so it refuses while another process does.

    Malformed where it would speak in the clear to other machines, or cannot listen where the settings say.
    """
    desk = limits_of(site)
    _refuse_clear(desk)
    with hold(site.folder / "locks" / "desk", "desk"):
        server = _Quiet(_config(site, desk))
        running = asyncio.create_task(_run(server))
        try:
            while not server.started and not running.done():
                await asyncio.sleep(_TICK)
            if running.done():
                raise _deaf(desk)
            port = server.servers[0].sockets[0].getsockname()[1]
            yield f"{'https' if desk.certificate else 'http'}://{desk.host}:{port}/"
        finally:
            server.should_exit = True
            await asyncio.gather(running, return_exceptions=True)


async def _run(server: uvicorn.Server) -> None:
    """Serve until told to stop; where it cannot begin, uvicorn has said why, and would end the program."""
    with suppress(SystemExit):
        await server.serve()


def _config(site: Site, desk: Desk) -> uvicorn.Config:
    certificate, key = (site.folder / path if path else None for path in (desk.certificate, desk.key))
    config = uvicorn.Config(
        app(site),
        host=desk.host,
        port=desk.port,
        http="h11",
        ws="none",
        lifespan="off",
        loop="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_AT_ONCE,
        timeout_keep_alive=_IDLE,
        h11_max_incomplete_event_size=_HEAD,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    try:
        config.load()
    except OSError as wrong:  # of which SSLError is one
        raise Malformed(f"certificate and key are not to be used: {wrong.strerror}", where="[desk]") from None
    return config


def _refuse_clear(desk: Desk) -> None:
    if bool(desk.certificate) != bool(desk.key):
        raise Malformed("certificate and key go together", where="[desk]")
    if not desk.certificate and not _is_here(desk.host):
        raise Malformed(
            f"{desk.host} is reached from other machines, and passwords would go there in the clear: name a "
            "certificate and its key, or listen on 127.0.0.1 behind a proxy that speaks TLS (origin)",
            where="[desk]",
        )


def _is_here(host: str) -> bool:
    """Whether only this machine reaches it there."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _deaf(desk: Desk) -> Malformed:
    return Malformed(f"cannot listen on {desk.host}:{desk.port}", where="site.toml, [desk]")
