"""Root in a PKCS#11 token: an AES key that never leaves it, so that wrapping and unwrapping happen inside."""

import contextlib
import importlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from onshore.vault.keys import KEY_BYTES, NONCE_BYTES, Randomness
from onshore.words.errors import Broken, Refusal
from onshore.words.settings import Token

PREFIX = "pkcs11:"
_ID_BYTES = 16
_TAG_BITS = 128
_GONE = frozenset(
    {
        "CryptokiNotInitialized",
        "DeviceRemoved",
        "KeyHandleInvalid",
        "ObjectHandleInvalid",
        "SessionClosed",
        "SessionHandleInvalid",
        "TokenNotPresent",
        "UserNotLoggedIn",
    }
)
"""What a token says that was away for a while."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Place:
    module: str
    token: str


_keys: dict[tuple[_Place, str, bytes], Any] = {}  # by label and id: a search is dearer than what is asked of a key
_sessions: dict[_Place, Any] = {}  # a process logs in to a token once, whoever asks (PKCS#11 2.40, 5.6)
_turn = threading.RLock()  # and a session does one thing at a time


class TokenRoot:
    """A root key in a token, known by its CKA_ID. AES-256-GCM, the context as additional data."""

    def __init__(self, place: Token, pin: Path, id_: bytes, randomness: Randomness) -> None:
        self._place, self._pin, self._id, self._randomness = place, pin, id_, randomness

    @property
    def fingerprint(self) -> str:
        """What tells it from others: its random CKA_ID, which says nothing of the key."""
        return PREFIX + self._id.hex()

    def wrap(self, key: bytes, context: str) -> bytes:
        """As `keys.seal`, inside the token."""
        nonce = self._randomness(NONCE_BYTES)
        return nonce + self._asked(lambda root: root.encrypt(key, **_gcm(nonce, context)))

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        """As `keys.open_sealed`, inside the token; Broken as there, and where the token does not answer."""
        nonce, sealed = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        return self._asked(lambda root: root.decrypt(sealed, **_gcm(nonce, context)), context)

    def look(self) -> None:
        """Nothing where the token holds the key; Broken where it does not."""
        self._asked(lambda _root: b"")

    def make(self) -> "TokenRoot":
        """Make the key in the token: it can be neither read nor copied out of it."""
        p = _library()
        about = {
            "id": self._id,
            "label": self._place.key,
            "store": True,
            "capabilities": p.MechanismFlag.ENCRYPT | p.MechanismFlag.DECRYPT,
            "template": {p.Attribute.EXTRACTABLE: False, p.Attribute.SENSITIVE: True},
        }
        _within(
            lambda: _session(self._place, self._pin).generate_key(p.KeyType.AES, KEY_BYTES * 8, **about), self._place
        )
        return self

    def destroy(self) -> None:
        """Destroy the key in the token, if it is there."""

        def gone() -> None:
            for key in _found(self._place, self._pin, self._id):
                key.destroy()
            _keys.pop(_known(self._place, self._id), None)

        _within(gone, self._place)

    def _asked(self, act: Callable[[Any], bytes], context: str = "") -> bytes:
        return _within(lambda: act(self._key()), self._place, context)

    def _key(self) -> Any:
        here = _known(self._place, self._id)
        if here in _keys:
            return _keys[here]
        for key in _found(self._place, self._pin, self._id):
            return _keys.setdefault(here, key)
        raise Broken(
            f"the token '{self._place.token}' holds no key '{self._place.key}' with the id {self._id.hex()}: "
            "restore the token from its backup"
        )


def new_token_root(place: Token, pin: Path, randomness: Randomness) -> TokenRoot:
    """A root that is chosen and not in the token yet; `make` makes it there."""
    return TokenRoot(place, pin, randomness(_ID_BYTES), randomness)


def forget_sessions() -> None:
    """Leave every token, as after it was changed under a running process."""
    with _turn:
        for place in list(_sessions):
            _leave(place)


def _gcm(nonce: bytes, context: str) -> dict[str, Any]:
    p = _library()
    parameters = p.mechanisms.GCMParams(nonce, context.encode(), _TAG_BITS)
    return {"mechanism": p.Mechanism.AES_GCM, "mechanism_param": parameters}


def _known(place: Token, id_: bytes) -> tuple[_Place, str, bytes]:
    return _Place(place.module, place.token), place.key, id_


def _found(place: Token, pin: Path, id_: bytes) -> list[Any]:
    a, kinds = _library().Attribute, _library().ObjectClass
    return list(_session(place, pin).get_objects({a.CLASS: kinds.SECRET_KEY, a.LABEL: place.key, a.ID: id_}))


def _session(place: Token, pin: Path) -> Any:
    p, here = _library(), _Place(place.module, place.token)
    if here not in _sessions:
        token = p.lib(place.module).get_token(token_label=place.token)
        try:
            _sessions[here] = token.open(rw=True, user_pin=_first_line(pin))
        except p.exceptions.UserAlreadyLoggedIn:
            _sessions[here] = token.open(rw=True)
    return _sessions[here]


def _leave(here: _Place) -> None:
    session = _sessions.pop(here)
    for known in [known for known in _keys if known[0] == here]:
        del _keys[known]
    with contextlib.suppress(RuntimeError):  # it may be gone already
        session.close()
    _library().unload(here.module)


def _library() -> Any:
    try:
        return importlib.import_module("pkcs11")
    except ImportError:
        raise Refusal(
            "pkcs11-absent",
            "site.toml keeps the root key in a PKCS#11 token, and the library that speaks with it is not installed",
            remedy="pip install 'onshore[pkcs11]'",
        ) from None


def _within(act: Callable[[], T], place: Token, context: str = "") -> T:
    """Do something with the token, once more where it was away; Broken with what it says."""
    with _turn:
        try:
            return act()
        except RuntimeError as said:  # PKCS11Error is one, and so is a library that does not load
            if type(said).__name__ not in _GONE:
                raise _told(said, place, context) from said
        here = _Place(place.module, place.token)
        if here in _sessions:
            _leave(here)
        try:
            return act()
        except RuntimeError as said:
            raise _told(said, place, context) from said


def _told(said: Exception, place: Token, context: str) -> Broken:
    name = type(said).__name__
    if context and name in {"DataInvalid", "EncryptedDataInvalid", "EncryptedDataLenRange", "GeneralError"}:
        return Broken(
            f"{context} does not open in the token '{place.token}' ({name}): it was altered, moved, or sealed under "
            "another key; restore a backup"
        )
    return Broken(
        f"the token '{place.token}' ({place.module}) does not answer: {name or said}; see that it is there, that its "
        "label and PIN are those of site.toml, and that this account may use it"
    )


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").split("\n", 1)[0].strip()
    except OSError as why:
        raise Broken(f"the file of the token's PIN does not open: {path}: {why.strerror}") from None
