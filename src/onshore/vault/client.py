"""The way to a site's own database: one host, which site.toml names, in the site's jurisdiction, and no other."""

import os
import pwd
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sqlalchemy import Engine, create_engine

from onshore.vault.transactions import made_strict
from onshore.words.errors import Malformed, Refusal
from onshore.words.settings import Settings

_PORT = 5432
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_SECONDS = 10  # until a host that does not answer counts as away
_WHERE = "site.toml, papers"

# What this session asks of the server, whatever its own settings say: a commit is durable before it is told, and
# nobody waits longer for the write lock than with SQLite.
_SESSION = {"synchronous_commit": "on", "lock_timeout": "10s", "client_encoding": "UTF8"}


@dataclass(frozen=True)
class Database:
    """A PostgreSQL database: by the folder of a socket on this machine, or by `host` and `port`."""

    user: str
    name: str
    folder: str = ""
    host: str = ""
    port: int = _PORT
    password: Path | None = None
    ca: Path | None = None

    @property
    def place(self) -> tuple[str, int]:
        """Where a connection goes: a host and its port, or a socket's path and 0."""
        return (self.host, self.port) if self.host else (f"{self.folder}/.s.PGSQL.{self.port}", 0)

    @property
    def called(self) -> str:
        """As a person is told of it."""
        return f"the database '{self.name}' at {self.host or self.folder}:{self.port}"


def database(settings: Settings, folder: Path) -> Database | None:
    """The database that `[papers]` names; None where the papers are a file of the site's folder.

    `postgresql://USER@HOST:PORT/NAME`, or `postgresql:///NAME?host=/run/postgresql` for a socket's folder, as
    PostgreSQL writes it (34.1.1.2 Connection URIs). Malformed where it says anything else; refused (`papers-abroad`)
    where it names a host elsewhere than at home: papers hold whom each car belongs to.
    """
    said = settings.papers
    if not said.url:
        return None
    found = named(said.url)
    if found.host and found.host not in _HERE and said.jurisdiction != settings.site.jurisdiction:
        where = said.jurisdiction or "a jurisdiction that site.toml does not name"
        raise Refusal(
            "papers-abroad",
            f"the papers' database stands in {where}; papers stay in {settings.site.jurisdiction}",
            remedy="name the host's jurisdiction in [papers], or keep the papers at the site",
        )
    password = folder / said.password if said.password else None
    return Database(
        found.user, found.name, found.folder, found.host, found.port, password, folder / said.ca if said.ca else None
    )


def named(url: str) -> Database:
    """The database that a URL names; Malformed where it names none, or says more than where that is and who asks."""
    try:
        parts = urlsplit(url)
        query = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
        port = int(query.pop("port", [""])[0] or parts.port or _PORT)
    except ValueError:
        raise Malformed("this is no URL of a database", where=f"{_WHERE}.url") from None
    if parts.password is not None:
        raise Malformed("write the password into a file, and its path into 'password'", where=f"{_WHERE}.url")
    host = query.pop("host", [""])[0] or parts.hostname or ""
    name = unquote(parts.path.removeprefix("/"))
    if parts.scheme != "postgresql" or not name or not host or query or parts.fragment:
        what = "write postgresql://USER@HOST:PORT/NAME or postgresql:///NAME?host=/run/postgresql"
        raise Malformed(what, where=f"{_WHERE}.url")
    user = unquote(parts.username or "") or pwd.getpwuid(os.geteuid()).pw_name
    return Database(user, name, *((host, "") if host.startswith("/") else ("", host)), port=port)


def opened(database: Database) -> Engine:
    """The papers in that database, reached when they are first asked; a connection that broke is replaced."""
    engine: Engine = create_engine(
        "postgresql+pg8000://",
        creator=lambda: _connect(database, engine.dialect.loaded_dbapi),
        pool_pre_ping=True,
        hide_parameters=True,
    )
    return made_strict(engine)


def _connect(database: Database, driver: Any) -> Any:
    """A connection of pg8000; what that raises where there is none, as SQLAlchemy expects it."""
    try:
        sock = _reach(database)
        try:
            connection = driver.legacy.Connection(
                database.user,
                host=database.host or None,
                database=database.name,
                password=_first_line(database.password) if database.password else None,
                sock=sock,
                ssl_context=_tls(database),
                application_name="onshore",
                startup_params=_SESSION,
            )
        except BaseException:
            sock.close()
            raise
    except OSError as failed:
        raise driver.InterfaceError(f"network error: {failed.strerror or failed}") from failed
    connection.autocommit = True  # transactions are ours: see `transactions`
    return connection


def _reach(database: Database) -> socket.socket:
    """A connected socket that notices by itself, within half a minute, when the other machine is gone."""
    if database.folder:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(database.place[0])
        except BaseException:
            sock.close()
            raise
        return sock
    sock = socket.create_connection(database.place, _SECONDS)
    sock.settimeout(None)
    for level, option, value in (
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _SECONDS),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _SECONDS // 2),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
        (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 3 * _SECONDS * 1000),
    ):
        sock.setsockopt(level, option, value)
    return sock


def _tls(database: Database) -> ssl.SSLContext | bool:
    """How to speak: in the clear inside this machine, with TLS and a certificate that holds to any other."""
    if database.folder or database.host in _HERE:
        return False
    return ssl.create_default_context(cafile=None if database.ca is None else str(database.ca))


def _first_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return lines[0] if lines else ""
