"""Keys open where they belong and nowhere else; a root key that others can read is refused."""

import os
import stat

import pytest

from onshore.vault.keys import mac, open_sealed, seal, site_key
from onshore.vault.roots.file import FileRoot, make_root_key, read_root_key
from onshore.words.errors import Broken, Refusal
from vault_makers import new_room


def test_root_key_is_made_once_and_private(tmp_path):
    path = tmp_path / "keys" / "root.key"
    made = make_root_key(path, os.urandom)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_size == 32
    wrapped = made.wrap(b"k" * 32, "segment/1")
    assert read_root_key(path, os.urandom).unwrap(wrapped, "segment/1") == b"k" * 32
    with pytest.raises(Refusal, match="exists already") as no:
        make_root_key(path, os.urandom)
    assert no.value.reason == "root-key-exists"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_root_key_that_others_reach_is_refused(tmp_path, mode):
    path = tmp_path / "root.key"
    make_root_key(path, os.urandom)
    path.chmod(mode)
    with pytest.raises(Refusal) as no:
        read_root_key(path, os.urandom)
    assert no.value.reason == "root-key-readable"
    assert "chmod 600" in no.value.remedy


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_root_key_of_the_wrong_length_is_broken(tmp_path, content):
    path = tmp_path / "root.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(Broken, match="not 32 bytes"):
        read_root_key(path, os.urandom)


def test_missing_root_key_is_broken(tmp_path):
    with pytest.raises(Broken, match="is missing"):
        read_root_key(tmp_path / "root.key", os.urandom)


def test_wrapped_key_opens_under_its_context_and_root_alone():
    root, other = FileRoot(b"a" * 32, os.urandom), FileRoot(b"b" * 32, os.urandom)
    wrapped = root.wrap(b"k" * 32, "segment/1")
    for opener, context in ((root, "segment/2"), (root, "journal/1"), (other, "segment/1")):
        with pytest.raises(Broken, match="does not open"):
            opener.unwrap(wrapped, context)
    assert wrapped != root.wrap(b"k" * 32, "segment/1"), "each wrapping has a nonce of its own"


def test_every_flipped_bit_is_noticed():
    sealed = seal(b"k" * 32, b"a name", "person/7", os.urandom)
    assert open_sealed(b"k" * 32, sealed, "person/7") == b"a name"
    for i in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[i // 8] ^= 1 << i % 8
        with pytest.raises(Broken):
            open_sealed(b"k" * 32, bytes(altered), "person/7")


@pytest.mark.parametrize("short", [b"", b"x" * 11, b"x" * 12, b"x" * 27])
def test_short_ciphertext_is_broken(short):
    with pytest.raises(Broken):
        open_sealed(b"k" * 32, short, "person/7")


def test_mac_is_hmac_sha256():
    # RFC 4231, test case 2
    assert mac(b"Jefe", b"what do ya want for nothing?").hex() == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


@pytest.mark.sqlite
@pytest.mark.sqlite
def test_site_keys_are_made_once_each_and_differ(tmp_path):
    room = new_room(tmp_path)
    names = ("lookup", "column", "commitment", "ledger")
    first = {name: site_key(room.engine, room.root, name, os.urandom) for name in names}
    assert len(set(first.values())) == 4
    assert {len(key) for key in first.values()} == {32}
    assert {name: site_key(room.engine, room.root, name, os.urandom) for name in names} == first
    held = (tmp_path / "papers.sqlite").read_bytes() + (tmp_path / "papers.sqlite-wal").read_bytes()
    assert not any(key in held for key in first.values())


def test_site_key_made_by_another_process_meanwhile_is_taken(tmp_path):
    room = new_room(tmp_path)
    made = []

    class Racing:
        """An engine whose first look sees no key, and by whose second look another process has made one."""

        def __getattr__(self, name):
            return getattr(room.engine, name)

        def connect(self):
            if len(made) == 1:
                made.append(site_key(room.engine, room.root, "column", os.urandom))
            made.append(b"")
            return room.engine.connect()

    assert site_key(Racing(), room.root, "column", os.urandom) == made[1]
