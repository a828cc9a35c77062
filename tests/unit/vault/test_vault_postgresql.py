"""Papers in PostgreSQL: one writer, what was struck is gone from its files, and a server that goes away comes back."""

import os
import threading
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from databases import left_open_closed, server
from onshore.vault import papers
from onshore.vault.client import named
from onshore.vault.forgetting import remains
from onshore.vault.opening import open_papers
from onshore.vault.watch import Watch
from onshore.words.errors import Broken
from waiting import until

pytestmark = pytest.mark.sqlite  # needs no second database
BACKUP = "a backup of papers taken before this moment still holds the old wrapped keys"


@pytest.fixture(scope="module")
def running():
    """A server of this module's own, which it may stop, and search byte by byte."""
    here = server()
    yield here
    here.close()


@pytest.fixture
def url(running):
    name = running.new()
    with left_open_closed():
        yield running.url(name)
    running.drop(name)


@pytest.fixture
def engine(url):
    engine = open_papers(named(url))
    yield engine
    engine.dispose()


def note(engine, name, value="1"):
    with papers.writing(engine) as conn:
        conn.execute(insert(papers.meta).values(name=name, value=value))


def segments_with(engine, keys):
    row = {"category": "track", "ground": "consent", "day": "2026-05-29", "bucket": 99, "pack": "ccc", "rows": 1}
    row |= {"bytes": 1, "sha256": "a" * 64, "first": 1, "last": 1, "created": 1}
    with papers.writing(engine) as conn:
        rows = [row | {"id": f"{i:032x}", "wrapped": key} for i, key in enumerate(keys)]
        conn.execute(insert(papers.segments), rows)


def strike(engine, *numbers):
    with papers.writing(engine) as conn:
        for i in numbers:
            conn.execute(delete(papers.segments).where(papers.segments.c.id == f"{i:032x}"))


def wrapped(number: int) -> tuple[bytes, list[bytes]]:
    """Keys, and what all of them and nothing else hold."""
    mark = os.urandom(16)
    return mark, [os.urandom(12) + mark + os.urandom(32) for _ in range(number)]


def where_found(folder: Path, mark: bytes) -> dict[str, int]:
    """In which of a cluster's folders keys with that mark lie, and how often."""
    found: dict[str, int] = {}
    for path in (p for p in folder.rglob("*") if p.is_file()):
        data, part = path.read_bytes(), path.relative_to(folder).parts[0]
        found[part] = found.get(part, 0) + data.count(mark)
    return {part: number for part, number in found.items() if number}


def let(running, url):
    """Let the role do what the docs ask for."""
    running.ask("GRANT EXECUTE ON FUNCTION pg_switch_wal() TO onshore", database=named(url).name)
    running.ask("GRANT pg_checkpoint, pg_monitor TO onshore")


def test_who_writes_next_waits_and_sees_what_was_written(engine):
    """Each adds one to what it reads: with two writers at once, or one who reads too early, some would be lost."""
    note(engine, "count", "0")

    def add():
        for _ in range(20):
            with papers.writing(engine) as conn:
                stands = int(conn.execute(select(papers.meta.c.value)).scalar_one())
                conn.execute(update(papers.meta).values(value=str(stands + 1)))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with papers.reading(engine) as conn:
        assert conn.execute(select(papers.meta.c.value)).scalar_one() == "80"


def test_entries_are_numbered_in_order_of_commit(engine):
    def hand_in(body):
        for _ in range(20):
            with papers.writing(engine) as conn:
                conn.execute(insert(papers.entries).values(body=body))
                told.append(conn.execute(select(papers.entries.c.id).order_by(papers.entries.c.id.desc())).scalar())

    told: list = []
    threads = [threading.Thread(target=hand_in, args=(bytes([n]),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == sorted(told)
    assert len(set(told)) == 80


def test_a_look_cannot_write_and_a_failure_names_no_row(engine):
    with pytest.raises(DBAPIError, match="read-only transaction"), papers.reading(engine) as conn:
        conn.execute(update(papers.meta).values(value="1"))
    row = {"vin_mac": b"\xabcd" * 8, "vin_sealed": b"s", "added": 1}
    with papers.writing(engine) as conn:
        conn.execute(insert(papers.vehicles).values(id=1, **row))
    with pytest.raises(DBAPIError) as failed, papers.writing(engine) as conn:
        conn.execute(insert(papers.vehicles).values(id=2, **row))
    assert "unique constraint" in str(failed.value.orig)
    assert "abcd" not in str(failed.value.orig) + str(failed.value)


def test_a_writer_does_not_wait_for_ever(engine):
    with papers.writing(engine), engine.connect() as other:
        other.exec_driver_sql("SET lock_timeout = 20")
        other.commit()
        with pytest.raises(DBAPIError, match="lock timeout"):
            other.execution_options(writes=True).begin()


def test_struck_keys_are_in_no_byte_of_the_cluster(running, url, engine):
    let(running, url)
    (gone, struck), (stays, standing) = wrapped(150), wrapped(50)
    segments_with(engine, struck + standing)
    strike(engine, *range(150))
    running.ask("CHECKPOINT")
    assert set(where_found(running.data, gone)) == {"base", "pg_wal"}, "the control: they are there"
    assert papers.forget_freed_pages(engine, rebuild=True) is True
    assert where_found(running.data, gone) == {}
    assert where_found(running.data, stays)["base"] == 50
    assert remains(engine) == BACKUP


def test_a_role_that_may_not_touch_the_log_says_so(running, url, engine):
    running.ask("REVOKE pg_checkpoint, pg_monitor FROM onshore")
    gone, struck = wrapped(20)
    segments_with(engine, struck)
    strike(engine, *range(20))
    assert papers.forget_freed_pages(engine, rebuild=True) is True
    running.ask("CHECKPOINT")
    assert set(where_found(running.data, gone)) == {"pg_wal"}
    assert remains(engine) == BACKUP + "; so does the database's write-ahead log, until its files are written over"


def test_nothing_is_forgotten_without_being_asked_to_rebuild(engine):
    assert papers.forget_freed_pages(engine) is False


def test_a_reader_in_the_way_is_told(engine):
    """It has a look that still sees the row, though it has not touched its table."""
    keys = [os.urandom(60)]
    segments_with(engine, keys)
    with papers.reading(engine) as conn:
        conn.execute(select(papers.meta)).all()
        strike(engine, 0)
        assert papers.forget_freed_pages(engine, rebuild=True) is False
        assert conn.execute(select(papers.segments.c.wrapped)).scalars().all() == keys
    assert papers.forget_freed_pages(engine, rebuild=True) is True


def test_a_reader_of_the_table_or_a_writer_in_the_way_is_told_at_once(engine):
    with papers.reading(engine) as conn:
        conn.execute(select(papers.segments)).all()
        assert papers.forget_freed_pages(engine, rebuild=True) is False
    with papers.writing(engine):
        assert papers.forget_freed_pages(engine, rebuild=True) is False
    assert papers.forget_freed_pages(engine, rebuild=True) is True
    note(engine, "after")


def test_copies_of_the_log_are_told(running, url, engine):
    let(running, url)
    running.ask("SELECT pg_create_physical_replication_slot('standby', true)")
    try:
        said = remains(engine, archive_days=7)
    finally:
        running.ask("SELECT pg_drop_replication_slot('standby')")
    assert said.endswith("; so do archives of that log and the database's standbys, for 7 days")
    assert "until its files are written over" in said
    assert remains(engine) == BACKUP


def test_a_server_that_goes_away_and_comes_back(running, engine):
    note(engine, "before")
    watch = Watch(engine)
    assert [watch.changed(), watch.changed()] == [True, False]
    running.stop()
    for _ in range(2):
        with pytest.raises(OSError, match="do not answer"):
            watch.changed()
        with pytest.raises(DBAPIError):
            note(engine, "meanwhile")
        with pytest.raises(DBAPIError), papers.reading(engine):
            pass
    running.start()
    assert [watch.changed(), watch.changed()] == [True, False]
    note(engine, "after")
    with papers.reading(engine) as conn:
        assert set(conn.execute(select(papers.meta.c.name)).scalars()) == {"before", "after"}
    watch.close()


def test_a_connection_that_an_operator_cut_off_is_replaced(running, engine):
    note(engine, "before")
    asked = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'onshore'"
    watch = Watch(engine)
    until(lambda: running.ask(asked) == [[0]])
    with pytest.raises(OSError, match="do not answer"):
        watch.changed()
    note(engine, "after")
    assert watch.changed()
    watch.close()


def test_a_database_that_does_not_answer_says_what_to_do(running, tmp_path):
    for url in (
        f"postgresql://onshore@/none?host={tmp_path}",
        running.url("none"),
        "postgresql://onshore@127.0.0.1:1/x",
    ):
        with pytest.raises(Broken, match=r"does not answer: .*; see that PostgreSQL runs there .*\[papers\]"):
            open_papers(named(url))
