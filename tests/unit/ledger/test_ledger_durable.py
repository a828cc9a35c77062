"""Files are put in place whole, with the folders they need."""

from pathlib import Path

import pytest

from onshore.ledger import durable


def test_files_and_folders_are_made(tmp_path):
    steps = []
    durable.write_all(tmp_path, {"a/b/c": b"1", "a/d": b"2"}, steps.append)
    assert (tmp_path / "a/b/c").read_bytes() == b"1"
    assert (tmp_path / "a/d").read_bytes() == b"2"
    assert steps == [
        *("c: written", "d: written", "c: synced", "d: synced"),
        *("c: in place", "d: in place", "folders synced"),
    ]
    assert not list(tmp_path.rglob("*.new"))


def test_until_it_is_in_place_the_old_file_stands(tmp_path):
    (tmp_path / "a").write_bytes(b"old")

    def stop(step):
        if step == "a: synced":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        durable.write_all(tmp_path, {"a": b"new"}, stop)
    assert (tmp_path / "a").read_bytes() == b"old"
    durable.put_in_place(tmp_path / "a", lambda _: None)
    assert (tmp_path / "a").read_bytes() == b"new"


def test_each_folder_that_changed_is_synced(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(durable, "sync_folder", synced.append)
    durable.write_all(tmp_path, {"a/b/c": b"1"}, lambda _: None)
    assert synced == [tmp_path, tmp_path / "a", tmp_path / "a/b"]


def test_each_file_is_synced_before_it_is_in_place(tmp_path, monkeypatch):
    seen = []
    sync = durable.os.fsync

    def recorded(fd):
        seen.append(str(Path(f"/proc/self/fd/{fd}").readlink()))
        sync(fd)

    monkeypatch.setattr(durable.os, "fsync", recorded)
    durable.write_all(tmp_path, {"a": b"1", "b": b"2"}, seen.append)
    assert seen.index(str(tmp_path / "b.new")) < seen.index("a: in place")
    assert seen.index(str(tmp_path / "a.new")) < seen.index("a: in place")
    assert seen.index("b: in place") < seen.index(str(tmp_path)) < seen.index("folders synced")
