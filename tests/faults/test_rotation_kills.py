"""Killed at every step of a rotation, of wrapping key or root: every row opens, and in the end one key stands."""

import os
import signal

import pytest

from forks import FORKS
from key_makers import Told, Wishes, heads, known, look_at_token, new_token, reopened, ringed
from onshore.vault import papers, rotation
from onshore.vault.keys import site_key
from onshore.vault.rotation import change_root, ended, rotate, tend
from onshore.words.settings import Token
from vault_makers import NOON, PACK, sieved


class Deadly:
    """A step that kills its own process the n-th time it comes by."""

    def __init__(self, at, nth):
        self.at, self.left = at, nth

    def __call__(self, step):
        if step == self.at:
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)


def killed(act, *said):
    """Whether the process that did `act` was killed at its step (else it ended by itself)."""
    child = FORKS.Process(target=act, args=said)
    child.start()
    child.join(60)
    assert child.exitcode in {0, -signal.SIGKILL}
    return child.exitcode != 0


def wrapping(folder, wishes, at, nth):
    look_at_token(wishes)
    rotation.BATCH = 2
    room = reopened(folder, wishes)
    rotate(room.root, Told(), None)
    Deadly(at, nth)("begun")
    tend(room.root, Told(), None, step=Deadly(at, nth))


def rooting(folder, wishes, at, nth):
    look_at_token(wishes)
    room = reopened(folder, wishes)
    change_root(room.root, Told(), step=Deadly(at, nth))


def lived_in(folder, wishes=None):
    """A room with segments, an open journal and a key of its own; its rows."""
    room = ringed(folder, wishes)
    room.keep(sieved([1, 17, 2], [NOON, NOON, NOON]))
    site_key(room.engine, room.root, "column", os.urandom)
    with room.journal() as journal:
        journal.append(sieved([5], [NOON]), pack=PACK)
    rows = {vehicle: room.all_of(vehicle) for vehicle in (1, 17, 2)}
    room.engine.dispose()
    return rows


def assert_whole(room, rows):
    room.root.forget()
    assert {vehicle: room.all_of(vehicle) for vehicle in rows} == rows
    assert len(site_key(room.engine, room.root, "column", os.urandom)) == 32


def assert_settled(folder, wishes, rows):
    """After the kill: all is there at once; and once somebody keeps the site, nothing is left of the old key."""
    room = reopened(folder, wishes)
    assert_whole(room, rows)
    with room.journal() as journal:
        journal.append(sieved([5], [NOON + 1]), pack=PACK)
    told = Told()
    assert tend(room.root, told, None)
    assert ended(room.root)
    assert heads(room) == {known(room)[0].id}
    assert [row.name for row in room.rows(papers.meta) if row.name.startswith("root/")] == []
    assert_whole(room, rows)
    room.drain()
    assert len(room.all_of(5)) == 6
    return room


WRAPPING = [("begun", 1), ("rewrapped", 1), ("rewrapped", 3)]
WRAPPING += [(step, 1) for step in ("struck", "forgotten", "ended", "nowhere")]


@pytest.mark.parametrize(("at", "nth"), WRAPPING)
def test_killed_while_rotating_the_wrapping_key(tmp_path, at, nth):
    rows = lived_in(tmp_path / "site")
    assert killed(wrapping, tmp_path / "site", None, at, nth) == (at != "nowhere")
    room = assert_settled(tmp_path / "site", None, rows)
    said = [row.body.decode().split()[:2] for row in room.rows(papers.entries) if row.body.startswith(b"wrapping")]
    assert said == [["wrapping", "rotated"], ["wrapping", "destroyed"]], "told once each"


ROOT = ["noted", "made", "switched", "destroyed", "settled", "nowhere"]


@pytest.mark.parametrize("at", ROOT)
def test_killed_while_changing_the_root_key(tmp_path, at):
    rows = lived_in(tmp_path / "site")
    old = (tmp_path / "site" / "keys" / "root.key").read_bytes()
    assert killed(rooting, tmp_path / "site", None, at, 1) == (at != "nowhere")
    room = assert_settled(tmp_path / "site", None, rows)
    assert [path.name for path in (tmp_path / "site" / "keys").iterdir()] == ["root.key"]
    now = (tmp_path / "site" / "keys" / "root.key").read_bytes()
    assert (now == old) == (at in {"noted", "made"})
    said = [row.body.decode().split()[1] for row in room.rows(papers.entries) if row.body.startswith(b"root")]
    assert said == ([] if now == old else ["rotated", "destroyed"]), "told once each"
    change_root(room.root, Told())
    assert_whole(reopened(tmp_path / "site"), rows)


@pytest.mark.parametrize("at", ROOT)
def test_killed_while_the_root_moves_into_a_token(tmp_path, tmp_path_factory, monkeypatch, at):
    inside = new_token(tmp_path_factory.mktemp("hsm"), monkeypatch)
    rows = lived_in(tmp_path / "site")
    assert killed(rooting, tmp_path / "site", inside, at, 1) == (at != "nowhere")
    assert_settled(tmp_path / "site", inside, rows)
    moved = at not in {"noted", "made"}
    assert (tmp_path / "site" / "keys" / "root.key").exists() != moved
    assert len(keys_in(inside.keys.pkcs11)) == moved, "no key is left in the token that nothing is under"


def keys_in(place: Token) -> list:
    from pathlib import Path

    from pkcs11 import Attribute, ObjectClass

    from onshore.vault.roots import token

    token.forget_sessions()
    session = token._session(place, Path(place.pin))
    return list(session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY}))


@pytest.mark.parametrize("at", ["begun", "rewrapped", "struck"])
def test_killed_while_rotating_over_a_root_in_a_token(tmp_path, tmp_path_factory, monkeypatch, at):
    wishes = new_token(tmp_path_factory.mktemp("hsm"), monkeypatch)
    outside = Wishes(pkcs11=wishes.keys.pkcs11)
    rows = lived_in(tmp_path / "site", outside)
    assert not killed(rooting, tmp_path / "site", wishes, "nowhere", 1)
    assert killed(wrapping, tmp_path / "site", wishes, at, 1)
    assert_settled(tmp_path / "site", wishes, rows)
