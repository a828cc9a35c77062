"""Papers are all or nothing, and forget what was struck from them."""

import os
import sqlite3
import time

import pytest
from sqlalchemy import create_mock_engine, delete, insert, select

from onshore.vault import papers
from vault_makers import new_room, plant


@pytest.fixture
def room(tmp_path):
    return new_room(tmp_path)


def test_a_failed_transaction_leaves_nothing(room):
    def half():
        with papers.writing(room.engine) as conn:
            conn.execute(insert(papers.meta).values(name="format", value="1"))
            raise KeyError("half-way")

    with pytest.raises(KeyError, match="half-way"):
        half()
    assert room.rows(papers.meta) == []


def test_a_look_is_consistent(room):
    asked = select(papers.meta.c.value)
    with papers.reading(room.engine) as conn:
        assert conn.execute(asked).all() == []
        with papers.writing(room.engine) as other:
            other.execute(insert(papers.meta).values(name="format", value="1"))
        assert conn.execute(asked).all() == []
    assert len(room.rows(papers.meta)) == 1


def found(folder, keys):
    held = (folder / "papers.sqlite").read_bytes() + (folder / "papers.sqlite-wal").read_bytes()
    return sum(key[8:24] in held for key in keys)


@pytest.mark.sqlite
def test_struck_keys_are_in_no_byte_of_the_files(room, tmp_path):
    keys = {f"{i:032x}": os.urandom(60) for i in range(600)}
    row = {"category": "track", "ground": "consent", "day": "2026-05-29", "bucket": 99, "pack": "ccc", "rows": 1}
    row |= {"bytes": 1, "sha256": "a" * 64, "first": 1, "last": 1, "created": 1}
    with papers.writing(room.engine) as conn:
        conn.execute(insert(papers.segments), [row | {"id": i, "wrapped": key} for i, key in keys.items()])
    gone = [i for n, i in enumerate(sorted(keys)) if n % 3]
    with papers.writing(room.engine) as conn:
        for i in gone:
            conn.execute(delete(papers.segments).where(papers.segments.c.id == i))
    assert found(tmp_path, [keys[i] for i in gone]) == 400, "the control: the log holds them all"
    assert papers.forget_freed_pages(room.engine, rebuild=True) is True
    assert (tmp_path / "papers.sqlite-wal").stat().st_size == 0
    assert found(tmp_path, [keys[i] for i in gone]) == 0
    assert found(tmp_path, keys.values()) == 200


@pytest.mark.sqlite
def test_rebuilding_drops_the_copies_that_moved_rows_left(room, tmp_path):
    needle = os.urandom(60)
    plant(room, needle)
    assert papers.forget_freed_pages(room.engine) is True
    assert found(tmp_path, [needle]) == 1, "the control: emptying the log is not enough"
    assert papers.forget_freed_pages(room.engine, rebuild=True) is True
    assert found(tmp_path, [needle]) == 0


def hinder(room, tmp_path, begin):
    with papers.writing(room.engine) as conn:
        conn.exec_driver_sql("PRAGMA busy_timeout=50")
        conn.execute(insert(papers.meta).values(name="format", value="1"))
    other = sqlite3.connect(tmp_path / "papers.sqlite", isolation_level=None)
    other.execute(begin)
    other.execute("SELECT * FROM meta").fetchall()
    return other


@pytest.mark.sqlite
def test_a_reader_in_the_way_is_told(room, tmp_path):
    other = hinder(room, tmp_path, "BEGIN")
    with papers.writing(room.engine) as conn:
        conn.execute(insert(papers.meta).values(name="rotate", value="1"))
    assert papers.forget_freed_pages(room.engine) is False
    other.close()
    assert papers.forget_freed_pages(room.engine) is True


@pytest.mark.sqlite
def test_a_writer_in_the_way_is_told(room, tmp_path):
    other = hinder(room, tmp_path, "BEGIN IMMEDIATE")
    assert papers.forget_freed_pages(room.engine, rebuild=True) is False
    other.close()
    assert papers.forget_freed_pages(room.engine, rebuild=True) is True


@pytest.mark.sqlite
def test_who_forgets_is_impatient_and_everybody_else_is_not(room, tmp_path):
    other = hinder(room, tmp_path, "BEGIN")
    with papers.writing(room.engine) as conn:
        conn.exec_driver_sql("PRAGMA busy_timeout=10000")
        conn.execute(insert(papers.meta).values(name="rotate", value="1"))
    begun = time.monotonic()
    assert papers.forget_freed_pages(room.engine, rebuild=True) is False
    assert time.monotonic() - begun < 5, "a gate that must write waits for this"
    with papers.reading(room.engine) as conn:
        assert conn.exec_driver_sql("PRAGMA busy_timeout").scalar() == 10000
    other.close()


def test_nothing_is_claimed_about_other_databases():
    assert papers.forget_freed_pages(create_mock_engine("mssql+pymssql://", lambda *_: None)) is False


@pytest.mark.sqlite
def test_the_strict_settings_hold_on_every_connection(room):
    wanted = {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}
    with papers.reading(room.engine) as one, papers.reading(room.engine) as two:
        for conn in (one, two):
            assert {k: conn.exec_driver_sql(f"PRAGMA {k}").scalar() for k in wanted} == wanted
