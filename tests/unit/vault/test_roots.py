"""Roots: one of a file or of a token is the root, as the papers say, and a change of it is one commit."""

import os
import stat
import sys

import pytest

from key_makers import Told, Wishes, heads, known, new_token, reopened, ringed, rooted, turned
from onshore.vault import papers
from onshore.vault.roots import token
from onshore.vault.roots.file import FileRoot, destroy, make_root_key
from onshore.vault.roots.places import Roots
from onshore.vault.rotation import tend
from onshore.vault.wrapping import note
from onshore.words.errors import Broken, Malformed, Refusal
from vault_makers import NOON, sieved

KEY = b"k" * 32


def driven(room):
    return room.keep(sieved([1, 17], [NOON, NOON + 1]))


def root_key(room):
    return room.folder / "keys" / "root.key"


def files_of(room):
    return sorted(path.name for path in (room.folder / "keys").iterdir())


def test_a_fingerprint_tells_roots_apart_and_does_not_tell_the_key():
    one, two = FileRoot(b"a" * 32, os.urandom), FileRoot(b"b" * 32, os.urandom)
    assert one.fingerprint == FileRoot(b"a" * 32, os.urandom).fingerprint != two.fingerprint
    assert (b"a" * 4).hex() not in one.fingerprint


def test_a_destroyed_file_is_overwritten_first(tmp_path):
    path = tmp_path / "root.key"
    make_root_key(path, os.urandom)
    other = tmp_path / "link"
    other.hardlink_to(path)
    before = other.read_bytes()
    destroy(path, os.urandom)
    assert not path.exists()
    assert other.read_bytes() != before
    destroy(path, os.urandom)


def test_a_new_root_takes_the_place_of_the_old_one(tmp_path):
    room = ringed(tmp_path)
    driven(room)
    other, old, before = reopened(tmp_path), root_key(room).read_bytes(), room.all_of(17)
    wrapping = known(room)[0]
    told = rooted(room)
    assert told == [("root", "rotated", 1), ("root", "destroyed", None)]
    assert files_of(room) == ["root.key"]
    assert stat.S_IMODE(root_key(room).stat().st_mode) == 0o600
    assert root_key(room).read_bytes() != old
    assert known(room)[0].id == wrapping.id, "what the wrapping keys wrap stays as it was"
    assert known(room)[0].wrapped != wrapping.wrapped
    assert reopened(tmp_path).all_of(17) == before
    turned(room)
    assert other.all_of(17) == before, "a process that opened before finds the root anew"
    with pytest.raises(Broken):
        FileRoot(old, os.urandom).unwrap(known(room)[0].wrapped, "any")


def test_a_process_with_the_old_root_makes_no_wrapping_key_under_it(tmp_path):
    room = ringed(tmp_path)
    other = reopened(tmp_path)
    rooted(room)
    turned(other)
    assert known(room)[0].root == room.root.root.fingerprint
    assert other.root.root.fingerprint == room.root.root.fingerprint
    assert reopened(tmp_path).root.unwrap(other.root.wrap(KEY, "segment/1"), "segment/1") == KEY


def test_a_lost_root_says_what_is_lost(tmp_path):
    room = ringed(tmp_path)
    driven(room)
    root_key(room).rename(tmp_path / "elsewhere")
    wrong = reopened_without(tmp_path)
    assert "is missing" in wrong
    for told in ("3 segments with 6 rows of track, vehicle-operation, 2026-05-29 to 2026-05-29", "onshore verify"):
        assert told in wrong
    make_root_key(root_key(room), os.urandom)
    assert "holds another key" in reopened_without(tmp_path)
    root_key(room).write_bytes(b"short")
    assert "not 32 bytes" in reopened_without(tmp_path)
    root_key(room).unlink()
    (tmp_path / "elsewhere").rename(root_key(room))
    assert len(reopened(tmp_path).all_of(1)) == 3


def reopened_without(folder):
    with pytest.raises(Broken, match="does not open") as lost:
        reopened(folder)
    return str(lost.value)


def test_a_root_that_others_can_read_is_refused(tmp_path):
    room = ringed(tmp_path)
    root_key(room).chmod(0o644)
    with pytest.raises(Refusal, match="mode 644"):
        reopened(tmp_path)


def test_a_new_root_that_a_crash_cut_short_is_cleared_away(tmp_path):
    room = ringed(tmp_path)
    (tmp_path / "keys" / "root.key.new").write_bytes(b"half")
    (tmp_path / "keys" / "root.key.new").chmod(0o600)
    with papers.writing(room.engine) as conn:
        note(conn, "root/next", "file:" + "0" * 32)
    assert tend(room.root, Told(), None)
    assert files_of(room) == ["root.key"]
    rooted(room)
    assert len(files_of(room)) == 1


def test_a_note_that_would_destroy_the_root_is_not_obeyed(tmp_path):
    room = ringed(tmp_path)
    with papers.writing(room.engine) as conn:
        note(conn, "root/old", room.root.root.fingerprint)
    with pytest.raises(Broken, match="and it is the root"):
        tend(room.root, Told(), None)
    assert root_key(room).exists()


def test_a_token_that_the_settings_do_not_describe(tmp_path):
    roots = Roots(tmp_path, Wishes(provider="pkcs11"), os.urandom)
    with pytest.raises(Malformed, match=r"keys.pkcs11"):
        roots.plan()


def test_without_the_library_a_token_is_refused(tmp_path, tmp_path_factory, monkeypatch):
    wishes = new_token(tmp_path_factory.mktemp("hsm"), monkeypatch)
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(Refusal, match="not installed") as no:
        Roots(tmp_path, wishes, os.urandom).plan().make()
    assert no.value.remedy == "pip install 'onshore[pkcs11]'"


def test_a_root_moves_from_a_file_into_a_token_and_back(tmp_path, tmp_path_factory, monkeypatch):
    wishes = Wishes()
    room = ringed(tmp_path / "site", wishes)
    driven(room)
    before, other = room.all_of(17), reopened(tmp_path / "site", wishes)
    wishes.keys = new_token(tmp_path_factory.mktemp("hsm"), monkeypatch).keys
    assert reopened(tmp_path / "site", wishes).all_of(17) == before, "until it is rotated the file is the root"
    told = rooted(room)
    assert told == [("root", "rotated", 1), ("root", "destroyed", None)]
    assert files_of(room) == []
    assert known(room)[0].root.startswith("pkcs11:")
    assert reopened(tmp_path / "site", wishes).all_of(17) == before
    turned(room)
    assert other.all_of(17) == before
    inside = known(room)[0].root
    rooted(room)
    assert known(room)[0].root.startswith("pkcs11:")
    assert known(room)[0].root != inside
    with pytest.raises(Broken, match="holds no key"):
        Roots(room.folder, wishes, os.urandom).find(inside)
    wishes.keys = Wishes(pkcs11=wishes.keys.pkcs11).keys
    rooted(room)
    assert files_of(room) == ["root.key"]
    assert reopened(tmp_path / "site").all_of(17) == before, "and the token is not needed any more"
    assert heads(room) == {known(room)[0].id}


@pytest.fixture
def inside(tmp_path, tmp_path_factory, monkeypatch):
    wishes = new_token(tmp_path_factory.mktemp("hsm"), monkeypatch)
    return wishes, Roots(tmp_path, wishes, os.urandom).plan().make()


def test_a_token_binds_the_context_and_notices_every_change(inside):
    _, root = inside
    wrapped = root.wrap(KEY, "segment/1")
    assert root.unwrap(wrapped, "segment/1") == KEY
    assert wrapped != root.wrap(KEY, "segment/1")
    root.look()
    with pytest.raises(Broken, match="does not open in the token"):
        root.unwrap(wrapped, "segment/2")
    for at in (0, 20, len(wrapped) - 1):
        altered = wrapped[:at] + bytes([wrapped[at] ^ 1]) + wrapped[at + 1 :]
        with pytest.raises(Broken, match="does not open in the token"):
            root.unwrap(altered, "segment/1")
    with pytest.raises(Broken):
        root.unwrap(b"", "segment/1")


def test_a_key_in_a_token_cannot_be_read(inside):
    from pkcs11 import Attribute
    from pkcs11.exceptions import AttributeSensitive

    key = inside[1]._key()
    assert key[Attribute.NEVER_EXTRACTABLE]
    assert key[Attribute.ALWAYS_SENSITIVE]
    with pytest.raises(AttributeSensitive):
        key[Attribute.VALUE]


def test_a_token_that_was_away_is_asked_again(inside):
    _, root = inside
    wrapped = root.wrap(KEY, "segment/1")
    for session in token._sessions.values():
        session.close()
    assert root.unwrap(wrapped, "segment/1") == KEY


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda wishes, pin: pin.write_text("99999"), "PinIncorrect"),
        (lambda wishes, pin: pin.unlink(), "PIN does not open"),
        (lambda wishes, pin: pin.write_bytes(b""), "does not answer"),
    ],
)
def test_a_token_that_does_not_let_us_in_says_so(inside, change, says):
    wishes, root = inside
    token.forget_sessions()
    change(wishes, root._pin)
    with pytest.raises(Broken, match=says):
        root.look()
    token.forget_sessions()


def test_a_token_or_a_library_that_is_not_there(inside, tmp_path):
    import msgspec

    wishes, root = inside
    for field, wrong, says in (
        ("token", "other", "NoSuchToken"),
        ("module", "/usr/lib/none.so", "does not answer"),
        ("key", "other", "holds no key"),
    ):
        wishes.keys = msgspec.structs.replace(
            wishes.keys, pkcs11=msgspec.structs.replace(inside[1]._place, **{field: wrong})
        )
        with pytest.raises(Broken, match=says):
            Roots(tmp_path, wishes, os.urandom).find(root.fingerprint)
