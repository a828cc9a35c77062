"""Files that pages need: style, script, signs; each under a name with its digest, so that browsers keep it for ever."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response

_MEDIA = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
_FOR_EVER = "public, max-age=31536000, immutable"
_DIGITS = 16  # of the digest, in hex


@dataclass(frozen=True)
class Static:
    """A file: its bytes, the same gzipped, and what kind it is."""

    raw: bytes
    packed: bytes
    media: str


@dataclass(frozen=True)
class Files:
    """All files, by the name with a digest; `named`: plain name to that."""

    by_name: Mapping[str, Static]
    named: Mapping[str, str]

    def path(self, name: str) -> str:
        """Where a page finds a file: "onshore.css" to "/static/onshore.<digest>.css"."""
        return f"/static/{self.named[name]}"

    def answer(self, request: Request) -> Response:
        """The file of a request; 404 for any other name, an older digest's too."""
        found = self.by_name.get(request.path_params["name"])
        if found is None:
            return Response(status_code=404)
        zips = "gzip" in request.headers.get("accept-encoding", "")
        headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
        headers |= {"Content-Encoding": "gzip"} if zips else {}
        return Response(found.packed if zips else found.raw, media_type=found.media, headers=headers)


def read_files() -> Files:
    """The files of the package."""
    by_name, named = {}, {}
    for file in resources.files("onshore.desk").joinpath("static").iterdir():
        stem, _, kind = file.name.rpartition(".")
        if kind in _MEDIA:
            raw = file.read_bytes()
            name = f"{stem}.{hashlib.sha256(raw).hexdigest()[:_DIGITS]}.{kind}"
            by_name[name] = Static(raw, gzip.compress(raw, 9, mtime=0), _MEDIA[kind])
            named[file.name] = name
    return Files(by_name, named)
