"""Where a recipient's parcels go, read from the settings: a folder here, or a host in the recipient's jurisdiction."""

import re
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path

from onshore.border.sending.messages import encoded
from onshore.border.sending.sigv4 import Keys
from onshore.site import Site
from onshore.words.errors import Malformed, Refusal
from onshore.words.settings_border import Send

_URL = re.compile(
    r"https://(?P<host>[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)(:(?P<port>[0-9]{1,5}))?(?P<path>/[!-~]*)?"
)
_SECRET = re.compile(r"[!-~]{1,4096}")
_SMALLEST = 1 << 20


@dataclass(frozen=True)
class Folder:
    """The outbox of the site: somebody takes a parcel from there."""

    path: Path
    jurisdiction: str


@dataclass(frozen=True)
class Host:
    """A server that speaks HTTPS; `part`: bytes that go at once; `seconds`: until an answer has to be there.

    `token`: what uploads are let in with (RFC 6750); `keys`: of a bucket, whose objects lie below `path`.
    """

    name: str
    host: str
    port: int
    path: str
    jurisdiction: str
    tls: ssl.SSLContext
    part: int
    seconds: float
    token: str = ""
    keys: Keys | None = None

    @property
    def authority(self) -> str:
        """As the Host header has it."""
        return self.host if self.port == 443 else f"{self.host}:{self.port}"


Destination = Folder | Host


def of(site: Site, recipient: str) -> Destination:
    """Where parcels of this recipient go; refused (`destination-abroad`) where its host stands elsewhere than it does.

    Whoever guards what this program connects to hears of the one place before anything does.
    """
    jurisdiction = site.recipient(recipient).jurisdiction
    said = site.settings.recipients[recipient].send
    where = f"site.toml, recipients.{recipient}.send"
    if said.how == "folder":
        return Folder(site.folder / "outbox", jurisdiction)
    found = _URL.fullmatch(said.url)
    port = int(found["port"] or 443) if found else 0
    if not found or not 0 < port < 1 << 16:
        raise Malformed(
            "write https://HOST/PATH or https://HOST:PORT/PATH, without user and query", where=f"{where}.url"
        )
    if said.jurisdiction != jurisdiction:
        raise Refusal(
            "destination-abroad",
            f"the host to send to stands in {said.jurisdiction or 'a place not named'}, the recipient "
            f"'{recipient}' in {jurisdiction}: the parcel would pass through hands that no permit names",
            remedy=f"name a host in {jurisdiction}, with that jurisdiction, in [recipients.{recipient}.send]",
        )
    path = encoded((found["path"] or "/").rstrip("/"), slash=True) if said.how == "s3" else found["path"] or "/"
    if "?" in path or "#" in path:
        raise Malformed("a query or a fragment has no place in it", where=f"{where}.url")
    sys.audit("onshore.listed", "onshore.border.send", (found["host"], port))
    token, keys = _credentials(site.folder, said, where)
    return Host(
        recipient,
        found["host"],
        port,
        path,
        jurisdiction,
        _tls(site.folder, said.ca, where),
        max(said.part_mb << 20, _SMALLEST),
        said.seconds,
        token,
        keys,
    )


def _credentials(folder: Path, said: Send, where: str) -> tuple[str, Keys | None]:
    """The token of an upload, or the keys of a bucket, from their file."""
    if said.how == "s3":
        access, secret = _lines(folder, said.keys, 2, where)
        return "", Keys(access, secret, said.region)
    return (_lines(folder, said.keys, 1, where)[0] if said.keys else ""), None


def _lines(folder: Path, name: str, count: int, where: str) -> list[str]:
    try:
        lines = (folder / name).read_text(encoding="ascii").splitlines()[:count]
    except (OSError, UnicodeError) as failed:
        raise Malformed(f"the file cannot be read: {type(failed).__name__}", where=f"{where}.keys") from None
    if len(lines) < count or not all(_SECRET.fullmatch(line) for line in lines):
        raise Malformed("the file holds one token, or an access key and its secret, a line each", where=f"{where}.keys")
    return lines


def _tls(folder: Path, ca: str, where: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(folder / ca) if ca else None)
    except (OSError, ValueError) as failed:
        what = f"the file cannot be read: {type(failed).__name__}"
        raise Malformed(what, where=f"{where}.ca") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
