"""The way to a log that is read over HTTP: GET alone, answers bounded in bytes and in time, no redirect followed."""

import http.client
import time
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from onshore.words.errors import Malformed

_BLOCK = 64 << 10


class Line:
    """A connection to what serves a log, kept open from file to file; `seconds`: how long an answer may take.

    `url`: the prefix, http or https: what is served is signed, so plain http can hide files, never alter them.
    """

    def __init__(self, url: str, seconds: float) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or "@" in url:
            raise Malformed(f"'{url}' is no http(s)://HOST[:PORT][/PATH]", where="the log's address")
        self._prefix, self._seconds = parts.path.rstrip("/"), seconds
        self.place = parts.hostname, port or (443 if parts.scheme == "https" else 80)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._line = kind(*self.place, timeout=seconds)

    def __enter__(self) -> Self:
        """Nothing is connected before the first file is asked for."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _why: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Hang up."""
        self._line.close()

    def get(self, path: str, most: int) -> bytes | None:
        """A file of at most so many bytes; None where there is none (404). ConnectionError for another answer."""
        until = time.monotonic() + self._seconds
        try:
            try:
                return self._got(path, most, until)
            except (http.client.RemoteDisconnected, BrokenPipeError):  # it was kept open for too long
                self._line.close()
                return self._got(path, most, until)
        except (http.client.HTTPException, OSError) as error:
            self._line.close()
            why = str(error) if isinstance(error, OSError) else "what answers there serves no log"
            raise ConnectionError(why) from None

    def _got(self, path: str, most: int, until: float) -> bytes | None:
        self._line.request("GET", self._prefix + path, headers={"User-Agent": "onshore"})
        answer = self._line.getresponse()
        found = bytearray()
        while block := answer.read1(_BLOCK):
            found += block
            if len(found) > most:
                raise ConnectionError(f"{path}: the answer is longer than such a file is")
            if time.monotonic() > until:
                raise TimeoutError(f"{path}: the answer did not come in time")
        answer.close()  # of its own it stays open, its length once read
        if answer.status not in {200, 404}:
            raise ConnectionError(f"{path}: it answers {answer.status}; ask again later")
        return bytes(found) if answer.status == 200 else None
