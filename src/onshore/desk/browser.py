"""Browser: what it keeps for the desk, in cookies: a session, a visitor's seed, language and theme."""

import base64
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from onshore.desk.headers import secure
from onshore.desk.texts import wanted
from onshore.words.settings_desk import Desk

_YEAR = 31_536_000  # seconds
_LONGEST = 128
KEPT = {"theme": ("", "light", "dark"), "lang": ("zh-CN", "de", "en")}
"""Choices that a browser keeps, and what each may be."""


@dataclass(frozen=True)
class Cookies:
    """The cookies of one desk: with TLS under names that no other host, and nothing without TLS, can set."""

    desk: Desk

    def name(self, plain: str) -> str:
        """What a cookie is called."""
        return f"__Host-onshore-{plain}" if secure(self.desk) else f"onshore-{plain}"

    def read(self, request: Request, plain: str) -> str:
        """A cookie that came with a request; empty where there is none, or it is too long to be ours."""
        found = request.cookies.get(self.name(plain), "")
        return found if len(found) <= _LONGEST else ""

    def kept(self, request: Request, plain: str) -> str:
        """A choice that the browser keeps, if it is one."""
        found = self.read(request, plain)
        return found if found in KEPT[plain] else ""

    def lang(self, request: Request) -> str:
        """The language to answer in."""
        asked, accepted = request.query_params.get("lang", ""), request.headers.get("accept-language", "")
        return wanted(asked, self.kept(request, "lang"), accepted)

    def set(self, response: Response, plain: str, value: str, *, lasting: bool = False) -> None:
        """Have the browser keep a value: until it ends, or for a year; an empty one is forgotten."""
        response.set_cookie(
            self.name(plain),
            value,
            max_age=(_YEAR if lasting else None) if value else 0,
            secure=secure(self.desk),
            httponly=True,
            samesite="lax",  # a link in a letter leads to its page; forms carry a token besides
        )


def seed(random: bytes) -> str:
    """What a visitor's forms are tied to before somebody signs in."""
    return base64.urlsafe_b64encode(random).decode().rstrip("=")


def local(path: str) -> str:
    """A path of this desk to go to, or its first page where it leads anywhere else."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if plain else "/"
