"""The policy of a car over HTTPS: it fetches what it may send, and says what it obeys. Bytes in, an answer out."""

import json
import re
from dataclasses import dataclass, field
from typing import Protocol

from onshore.words.errors import Malformed

LONGEST = 4096
"""Bytes of a check-in: who mounts this need not read more of a body."""

_PATH = re.compile(r"/v1/(?P<vehicle>[0-9a-f]{16})/(?P<what>policy|checkin)", re.ASCII)
_METHODS = {"policy": ("GET", "HEAD"), "checkin": ("POST",)}


class Papers(Protocol):
    """What is asked of the register (`register.policies.Policies`)."""

    def policy(self, vehicle: int) -> bytes | None:
        """The signed policy of a vehicle that is in force, if there is one."""

    def checked_in(self, vehicle: int, version: int, at: int) -> None:
        """A vehicle said at an instant (ms UTC) which version it obeys; raises where that is not kept."""


@dataclass(frozen=True)
class Answer:
    """A response of HTTP: its status (RFC 9110), header fields and content."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def answer(
    method: str, path: str, body: bytes, none_match: str, vehicle: int, papers: Papers, now: int
) -> Answer | None:
    """The answer to a request of a car known by its certificate (`vehicle`); None where the path is not one of these.

    GET `/v1/<id>/policy`: the signed note, its version as ETag (`none_match`: the field If-None-Match, or ""). POST
    `/v1/<id>/checkin` with {"policy": version}: 204 once that is kept. 403 for the path of another car. `now`: ms UTC.
    """
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    if int(found["vehicle"], 16) != vehicle:
        return _told(403, "this is another car's; a certificate opens its own alone")
    if method not in _METHODS[found["what"]]:
        return Answer(405, {"Allow": ", ".join(_METHODS[found["what"]])})
    try:
        return _policy(papers.policy(vehicle), none_match) if method != "POST" else _heard(vehicle, body, papers, now)
    except OSError:
        return Answer(503, {"Retry-After": "30"})


def _heard(vehicle: int, body: bytes, papers: Papers, now: int) -> Answer:
    try:
        papers.checked_in(vehicle, _version(body), now)
    except Malformed as bad:
        return _told(400, bad.what)
    return Answer(204)


def _policy(note: bytes | None, none_match: str) -> Answer:
    if note is None:
        return _told(404, "there is no policy for this car")
    version = json.loads(note.split(b"\n")[1])["version"]
    tag = f'"{version}"'
    said = {"ETag": tag, "Cache-Control": "no-store"}
    if none_match and tag in {one.strip().removeprefix("W/") for one in none_match.split(",")}:
        return Answer(304, said)
    return Answer(200, said | {"Content-Type": "text/plain; charset=utf-8"}, note)


def _version(body: bytes) -> int:
    try:
        said = json.loads(body[: LONGEST + 1]) if len(body) <= LONGEST else None
    except (ValueError, RecursionError):
        said = None
    version = said.get("policy") if isinstance(said, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or not 0 < version < 1 << 31:
        raise Malformed("no JSON object with the version of a policy", where="check-in")
    return version


def _told(status: int, says: str) -> Answer:
    return Answer(status, {"Content-Type": "text/plain; charset=utf-8"}, f"{says}\n".encode())
