"""Places where a site's root key may be: which one papers mean, and how another takes its place."""

import contextlib
from collections.abc import Callable
from pathlib import Path

from onshore.vault.disk import sync_folder
from onshore.vault.keys import Randomness
from onshore.vault.roots import file, token
from onshore.vault.roots.file import FileRoot, NewFile, read_root_key
from onshore.vault.roots.token import TokenRoot, new_token_root
from onshore.words.errors import Broken, Malformed
from onshore.words.settings import Keys, Token

Root = FileRoot | TokenRoot
NAME, NEW = "root.key", "root.key.new"


class Roots:
    """The places of one site: `folder` is the site's; `settings` are read anew at each look, as a person may turn them.

    Which of the keys there is the root, papers say by its fingerprint: so a change of root is one commit.
    """

    def __init__(self, folder: Path, settings: Callable[[], Keys], randomness: Randomness) -> None:
        self._folder, self._settings, self._randomness = folder, settings, randomness

    @property
    def provider(self) -> str:
        """The provider that the settings wish for."""
        return self._settings().provider

    def first(self) -> FileRoot:
        """The root of a site whose papers name none yet: the one in the file."""
        return read_root_key(self._file(NAME), self._randomness)

    def find(self, fingerprint: str) -> Root:
        """The root key of that fingerprint; Broken, with why, where it is not to be had."""
        if fingerprint.startswith(token.PREFIX):
            root = self._token(fingerprint)
            root.look()
            return root
        seen = ""
        for path in (self._file(NAME), self._file(NEW)):
            if path.exists():
                found = read_root_key(path, self._randomness)
                if found.fingerprint == fingerprint:
                    return found
                seen = seen or f"{path} holds another key ({found.fingerprint}) than the papers name ({fingerprint})"
        raise Broken(seen or f"the root key {self._file(NAME)} is missing")

    def plan(self) -> NewFile | TokenRoot:
        """A new root, where the settings wish for it."""
        if self._settings().provider == "pkcs11":
            return new_token_root(*self._asked(), self._randomness)
        return NewFile(self._file(NEW if self._file(NAME).exists() else NAME), self._randomness)

    def destroy(self, fingerprint: str) -> None:
        """Destroy the root key of that fingerprint, if it is there."""
        if fingerprint.startswith(token.PREFIX):
            return self._token(fingerprint).destroy()
        for path in (self._file(NAME), self._file(NEW)):
            with contextlib.suppress(Broken):  # none, or overwritten already
                if read_root_key(path, self._randomness).fingerprint == fingerprint:
                    file.destroy(path, self._randomness)
        return None

    def settle(self, fingerprint: str) -> None:
        """Give the file of the root key, whose fingerprint papers name, its usual name; another new one goes."""
        name, new = self._file(NAME), self._file(NEW)
        found = ""
        with contextlib.suppress(Broken):  # none, or cut short
            found = read_root_key(new, self._randomness).fingerprint
        if found == fingerprint:
            new.replace(name)
            sync_folder(name.parent)
        else:
            file.destroy(new, self._randomness)

    def _file(self, name: str) -> Path:
        return self._folder / "keys" / name

    def _asked(self) -> tuple[Token, Path]:
        asked = self._settings().pkcs11
        if asked is None:
            raise Malformed(
                "the root key is, or is to be, in a PKCS#11 token, and the settings say nothing of it: they take "
                "[keys.pkcs11] with module, token, key and pin",
                where="site.toml, keys.pkcs11",
            )
        return asked, self._folder / asked.pin

    def _token(self, fingerprint: str) -> TokenRoot:
        return TokenRoot(*self._asked(), bytes.fromhex(fingerprint.removeprefix(token.PREFIX)), self._randomness)
