"""What tests of keys are made with: a keyring over a room of the vault, its settings in a test's hands, and a token."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import select

from databases import papers_in
from onshore.vault import papers
from onshore.vault.opening import open_papers
from onshore.vault.roots import token
from onshore.vault.roots.places import Roots
from onshore.vault.rotation import change_root, rotate, tend
from onshore.vault.wrapping import Keyring, open_keyring, wrapping_keys_in
from onshore.words.settings import Keys, Token
from vault_makers import SITE, Room, new_room

_MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/lib64/libsofthsm2.so")


class Wishes:
    """The settings of keys, turned by a test as a person turns them in site.toml."""

    def __init__(self, **said) -> None:
        self.keys = Keys(**said)

    def __call__(self) -> Keys:
        return self.keys


class Told(list):
    """What the ledger would be told, and each of it in the entries as a real site hands it in."""

    def __call__(self, conn, told) -> None:
        self.append((told.role, told.state, told.keys))
        conn.execute(papers.entries.insert().values(body=f"{told.role} {told.state} {told.which}".encode()))


def ring_of(room: Room, wishes: Wishes | None = None) -> Keyring:
    """The keyring of a room; the room wraps by it from now on."""
    wishes = wishes or Wishes()
    roots = Roots(room.folder, wishes, os.urandom)
    room.root = open_keyring(
        room.engine, roots, SITE, clock=room.clock, randomness=os.urandom, backup_days=wishes.keys.backup_days
    )
    return room.root


def ringed(folder: Path, wishes: Wishes | None = None) -> Room:
    """A new room that wraps by wrapping keys."""
    room = new_room(folder)
    ring_of(room, wishes)
    return room


def reopened(folder: Path, wishes: Wishes | None = None) -> Room:
    """The same room in another process."""
    room = Room(folder, open_papers(papers_in(folder)), None)
    ring_of(room, wishes)
    return room


def turned(room: Room, told: Told | None = None, **more) -> Told:
    """A whole rotation of the wrapping key; what it told."""
    told = Told() if told is None else told
    rotate(room.root, told, None)
    assert tend(room.root, told, None, **more)
    return told


def rooted(room: Room, told: Told | None = None, **more) -> Told:
    """A whole change of the root; what it told."""
    told = Told() if told is None else told
    change_root(room.root, told, **more)
    return told


def known(room: Room):
    """The wrapping keys, the current one last."""
    with papers.reading(room.engine) as conn:
        return wrapping_keys_in(conn)


def heads(room: Room) -> set:
    """Under which wrapping keys the keys of a room are."""
    from onshore.vault.keyed import KEYED, head_of

    with papers.reading(room.engine) as conn:
        tables = [papers.metadata.tables[keyed.table] for keyed in KEYED]
        return {head_of(wrapped) for table in tables for wrapped in conn.scalars(select(table.c.wrapped)) if wrapped}


def new_token(folder: Path, monkeypatch: pytest.MonkeyPatch | None = None) -> Wishes:
    """Wishes for a token of SoftHSM2's own in a folder; skips where that is not installed.

    The folder has to stay: the library, once it is loaded, goes on to look there.
    """
    pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed (the extra 'pkcs11')")
    module = next((path for path in _MODULES if Path(path).exists()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM2 is not installed (Debian's package softhsm2)")
    (folder / "tokens").mkdir(parents=True)
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    pin = folder / "pin"
    pin.write_text("13579\n")
    if monkeypatch is not None:
        monkeypatch.setenv("SOFTHSM2_CONF", str(config))
    said = ["softhsm2-util", "--init-token", "--free", "--label", "onshore", "--pin", "13579", "--so-pin", "24680"]
    subprocess.run(said, check=True, capture_output=True, env=os.environ | {"SOFTHSM2_CONF": str(config)})
    token.forget_sessions()
    return Wishes(provider="pkcs11", pkcs11=Token(module=module, token="onshore", key="root", pin=str(pin)))


def look_at_token(wishes: Wishes | None) -> None:
    """In a process of its own: have SoftHSM2's library look where the token of these wishes is."""
    if wishes is not None and wishes.keys.pkcs11 is not None:
        os.environ["SOFTHSM2_CONF"] = str(Path(wishes.keys.pkcs11.pin).parent / "softhsm2.conf")
