"""Whom the door knows: cars by the register, other platforms by the settings."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hmac import compare_digest
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from onshore.gate.gb32960.cipher import Secret
from onshore.gate.gb32960.signatures import Key
from onshore.gate.gb32960.signatures import key as read_key
from onshore.register import chips
from onshore.register.certificates import Standing
from onshore.site import Site
from onshore.words.errors import Malformed


class Known:
    """`door.Papers` of a site. Its questions raise OSError where the papers do not answer."""

    def __init__(self, site: Site, look_up: Callable[[bytes], int | None], standing: Standing) -> None:
        self._site = site
        self._standing = standing
        self._platforms = {name: _login(site, name) for name in site.settings.gate.platforms}
        self.look_up = look_up
        self.accepts = standing.accepts
        self.identify = standing.identify

    def key_of(self, vehicle: int) -> Key | None:
        """The public key that the vehicle signs with, as its activation left it."""
        with _papers():
            raw = chips.key_of(self._site, vehicle)
        return None if raw is None else read_key(raw)

    def activate(self, vehicle: int, chip: bytes, key: bytes) -> int:
        """Keep the public key of an activation: byte `info` of its answer."""
        with _papers():
            return chips.activate(self._site, vehicle, chip, key, first=self._site.settings.gate.activation == "first")

    def platform(self, user: bytes, password: bytes) -> str | None:
        """The name of the platform that logs in so; all are compared, so that time tells nothing."""
        found = [name for name, login in self._platforms.items() if compare_digest(login, user + b"\0" + password)]
        return found[0] if found else None

    def sends(self, platform: str, vin: bytes) -> bool:
        """Whether the settings let a platform send for this VIN."""
        vins = self._site.settings.gate.platforms[platform].vins
        return not vins or vin.startswith(tuple(begin.encode() for begin in vins))


@contextmanager
def _papers() -> Iterator[None]:
    try:
        yield
    except DBAPIError as failed:
        raise OSError(f"the papers do not answer: {failed.orig}") from failed


def _login(site: Site, name: str) -> bytes:
    platform = site.settings.gate.platforms[name]
    lines = _read(site.folder / platform.password, f"gate.platforms.{name}.password").splitlines()
    if not lines or not 0 < len(lines[0]) <= 20:
        raise Malformed("a password has 1 to 20 characters", where=f"site.toml, gate.platforms.{name}.password")
    return f"{platform.user}\0{lines[0]}".encode()


def secret_of(site: Site) -> Secret | None:
    """The keys that open encrypted data units, None where the site holds none; Malformed where a file has no key."""
    keys = site.settings.gate.body_keys
    if not keys.aes128 and not keys.sm4:
        return None
    return Secret(_key(site, keys.aes128, "aes128"), _key(site, keys.sm4, "sm4"), keys.mode)


def _key(site: Site, file: str, name: str) -> bytes | None:
    if not file:
        return None
    where = f"gate.body_keys.{name}"
    try:
        return bytes.fromhex(_read(site.folder / file, where))
    except ValueError:
        raise Malformed("a key is 32 hex digits", where=f"site.toml, {where}") from None


def _read(path: Path, where: str) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeError) as failed:
        raise Malformed(f"the file cannot be read: {type(failed).__name__}", where=f"site.toml, {where}") from None
