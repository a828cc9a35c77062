"""The way out of the statutory lane: a connection to an endpoint that the settings list, and to nothing else."""

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path

from onshore.gate.forward.talk import Login
from onshore.site import Site
from onshore.words.errors import Malformed, Refusal

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Endpoint:
    """A platform of the settings, by its `name` there; `tls`: None where it is spoken to in the clear."""

    name: str
    host: str
    port: int
    login: Login
    tls: ssl.SSLContext | None


def endpoints(site: Site) -> list[Endpoint]:
    """The endpoints of `[forward]`; refused (`endpoint-abroad`) where one is outside the site's jurisdiction."""
    return [_endpoint(site, name) for name in sorted(site.settings.forward)]


def _endpoint(site: Site, name: str) -> Endpoint:
    said, home = site.settings.forward[name], site.settings.site.jurisdiction
    if said.jurisdiction != home:
        ground = site.pack.grounds.statutory
        raise Refusal(
            "endpoint-abroad",
            f"the platform '{name}' stands in {said.jurisdiction}; what the law has sent on stays in {home}",
            article="" if ground is None else ground.article,
            remedy=f"take [forward.{name}] out of site.toml; what may leave goes by 'onshore transfer'",
        )
    password = _first_line(site.folder / said.password, f"forward.{name}.password")
    login = Login(said.code.encode("ascii"), said.user, password, said.edition)
    return Endpoint(name, said.host, said.port, login, _tls(site.folder, said.ca, name) if said.tls else None)


def _first_line(path: Path, where: str) -> str:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeError) as failed:
        raise Malformed(f"the file cannot be read: {type(failed).__name__}", where=f"site.toml, {where}") from None
    if not lines or not 0 < len(lines[0]) <= 20:
        raise Malformed("a password has 1 to 20 characters", where=f"site.toml, {where}")
    return lines[0]


def _tls(folder: Path, ca: str, name: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(folder / ca) if ca else None)
    except (OSError, ValueError) as failed:
        what = f"the file cannot be read: {type(failed).__name__}"
        raise Malformed(what, where=f"site.toml, forward.{name}.ca") from None


async def connect(endpoint: Endpoint) -> Streams:
    """Open a connection; OSError where nobody answers."""
    return await asyncio.open_connection(endpoint.host, endpoint.port, ssl=endpoint.tls)
