"""Headers: what every answer of the desk tells the browser, and which names of the desk it answers to."""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onshore.words.settings_desk import Desk

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
MAPS = {"worker-src": "'self'"}
"""What the page with a map needs besides: MapLibre draws in a script of its own beside the page's."""

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_HERE = ("127.0.0.1", "localhost", "[::1]")


def content_policy(more: Mapping[str, str] | None = None) -> str:
    """The Content-Security-Policy of a page."""
    return "; ".join(f"{name} {value}" for name, value in (_POLICY | dict(more or {})).items())


class Guarded:
    """The desk behind its headers; a request to a name that it is not called by goes no further (421).

    So that a page of somebody else's, whose name was made to point here (DNS rebinding), reads nothing.
    """

    def __init__(self, inner: ASGIApp, desk: Desk) -> None:
        self._inner, self._names = inner, names(desk)
        self._always = _ALWAYS | ({"Strict-Transport-Security": "max-age=31536000"} if secure(desk) else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._set(MutableHeaders(raw=message.setdefault("headers", [])))
            await send(message)

        hosts = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"]
        known = len(hosts) == 1 and _name(hosts[0]) in self._names
        inner = self._inner if known else PlainTextResponse("this is not what I am called\n", 421)
        await inner(scope, receive, sending)

    def _set(self, headers: MutableHeaders) -> None:
        for name, value in self._always.items():
            headers[name] = value
        headers.setdefault("Content-Security-Policy", content_policy())
        headers.setdefault("Cache-Control", "no-store")


def secure(desk: Desk) -> bool:
    """Whether browsers speak TLS with the desk: its own, or that of a proxy before it."""
    return bool(desk.certificate) or desk.origin.startswith("https://")


def names(desk: Desk) -> frozenset[str]:
    """The host names by which it may be asked."""
    said = desk.origin.partition("://")[2]
    return frozenset({*_HERE, _bracketed(desk.host.lower()), *([_name(said.lower())] if said else [])})


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _name(host: str) -> str:
    """A host without its port."""
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
