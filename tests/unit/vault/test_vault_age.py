"""Files sealed to a recipient open with its identity alone; bad keys are named as such."""

import errno
import io
import os
import stat

import pyrage
import pytest

from onshore.vault import age
from onshore.vault.age import check_recipient, new_identity, open_sealed_file, recipient_of, seal_file, seal_stream
from onshore.words.errors import Malformed


@pytest.mark.parametrize("size", [0, 1, 65_536, 200_001])
def test_round_trip(tmp_path, size):
    identity, plain = new_identity(), os.urandom(size)
    (tmp_path / "plain").write_bytes(plain)
    seal_file(tmp_path / "plain", tmp_path / "sealed", recipient_of(identity))
    assert (tmp_path / "sealed").read_bytes().startswith(b"age-encryption.org/v1\n")
    assert stat.S_IMODE((tmp_path / "sealed").stat().st_mode) == 0o600
    open_sealed_file(tmp_path / "sealed", tmp_path / "opened", identity)
    assert (tmp_path / "opened").read_bytes() == plain


def test_identity_file_with_comments_is_read():
    identity = new_identity()
    assert recipient_of(f"# created: today\n# public key: …\n{identity}\n") == recipient_of(identity)


def test_another_identity_opens_nothing(tmp_path):
    (tmp_path / "plain").write_bytes(b"rows")
    seal_file(tmp_path / "plain", tmp_path / "sealed", recipient_of(new_identity()))
    with pytest.raises(Malformed, match="another key"):
        open_sealed_file(tmp_path / "sealed", tmp_path / "opened", new_identity())
    assert not (tmp_path / "opened").exists()


def test_one_altered_byte_opens_nothing(tmp_path):
    identity = new_identity()
    (tmp_path / "plain").write_bytes(b"rows" * 100)
    seal_file(tmp_path / "plain", tmp_path / "sealed", recipient_of(identity))
    sealed = bytearray((tmp_path / "sealed").read_bytes())
    sealed[-1] ^= 1
    (tmp_path / "sealed").write_bytes(sealed)
    with pytest.raises(Malformed, match="damaged"):
        open_sealed_file(tmp_path / "sealed", tmp_path / "opened", identity)
    assert not (tmp_path / "opened").exists()


def test_an_existing_target_is_left_alone(tmp_path):
    (tmp_path / "plain").write_bytes(b"rows")
    (tmp_path / "sealed").write_bytes(b"another parcel")
    with pytest.raises(FileExistsError):
        seal_file(tmp_path / "plain", tmp_path / "sealed", recipient_of(new_identity()))
    assert (tmp_path / "sealed").read_bytes() == b"another parcel"


@pytest.mark.parametrize("key", ["", "age1", "age1qqqq", "AGE-SECRET-KEY-1QQ", "ssh-ed25519 AAAA"])
def test_bad_recipients(key):
    with pytest.raises(Malformed, match="recipient"):
        check_recipient(key)


def test_good_recipient_is_given_back():
    key = recipient_of(new_identity())
    assert check_recipient(key) == key


@pytest.mark.parametrize("text", ["", "# only a comment", "age1qqqq", f"{new_identity()}\n{new_identity()}"])
def test_bad_identities(text):
    with pytest.raises(Malformed, match="identity"):
        recipient_of(text)


class Full(io.BytesIO):
    """A file on a disk without room."""

    def write(self, data):
        raise OSError(errno.ENOSPC, "no room")


class Torn(io.BytesIO):
    """A file on a disk that cannot be read."""

    def read(self, size=-1):
        raise OSError(errno.EIO, "bad sector")


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_full_disk_is_never_silent_when_sealing(size):
    to = pyrage.x25519.Recipient.from_str(recipient_of(new_identity()))
    inside, out = age._Watched(io.BytesIO(bytes(size))), age._Watched(Full())
    with pytest.raises(OSError, match="no room"):
        age._pour(inside, out, lambda a, b: pyrage.encrypt_io(a, b, [to]), "plain")


def test_bad_disk_is_not_called_a_damaged_file():
    who = pyrage.x25519.Identity.generate()
    with pytest.raises(OSError, match="bad sector"):
        age._pour(
            age._Watched(Torn()), age._Watched(io.BytesIO()), lambda a, b: pyrage.decrypt_io(a, b, [who]), "sealed"
        )


def chunks(*sizes):
    return [bytes([i]) * size for i, size in enumerate(sizes)]


@pytest.mark.parametrize("sizes", [(), (0,), (1, 0, 2), (200_000, 3, 70_000)])
def test_a_stream_opens_to_its_chunks(tmp_path, sizes):
    identity = new_identity()
    with (tmp_path / "sealed").open("wb") as out:
        seal_stream(iter(chunks(*sizes)), out, recipient_of(identity))
    open_sealed_file(tmp_path / "sealed", tmp_path / "opened", identity)
    assert (tmp_path / "opened").read_bytes() == b"".join(chunks(*sizes))


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_full_disk_is_never_silent_when_streaming(size):
    with pytest.raises(OSError, match="no room"):
        seal_stream(chunks(size), Full(), recipient_of(new_identity()))


@pytest.mark.parametrize("stop", [Malformed("a row"), KeyError("rows"), OSError("disk")])
@pytest.mark.parametrize("before", [(), (200_000,)])
def test_what_stops_the_flow_is_told(tmp_path, stop, before):
    def flow():
        yield from chunks(*before)
        raise stop

    with (tmp_path / "sealed").open("wb") as out, pytest.raises(type(stop)) as told:
        seal_stream(flow(), out, recipient_of(new_identity()))
    assert told.value is stop
