"""Settings of the desk: where the console listens, what it shows of itself, how long somebody stays signed in."""

from typing import Annotated

import msgspec

from onshore.words.strict import Strict


class Desk(Strict, frozen=True, kw_only=True):
    """The web console: served where this table stands in site.toml.

    `host` other than this machine itself takes `certificate` and `key` (PEM files, by paths from the site's folder).
    `origin`: how browsers call it, such as "https://desk.example", where a proxy on this machine speaks TLS for it.
    `session_minutes`: after which everybody signs in anew; `idle_minutes`: after which whoever asked for nothing does.
    `tries`: wrong passwords in a row after which a name is locked for `lock_minutes`. `requests`: a minute, of one
    address or one session, after which it waits.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8080
    certificate: str = ""
    key: str = ""
    origin: Annotated[str, msgspec.Meta(pattern=r"^(https?://[A-Za-z0-9.:\[\]-]{1,255})?$")] = ""
    session_minutes: Annotated[int, msgspec.Meta(ge=5, le=1440)] = 480
    idle_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 30
    tries: Annotated[int, msgspec.Meta(ge=3, le=100)] = 5
    lock_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 15
    requests: Annotated[int, msgspec.Meta(ge=60, le=1_000_000)] = 1200
