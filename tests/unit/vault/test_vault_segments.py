"""A segment opens in its own place with its own key alone, and never after a byte has changed."""

import os
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onshore.vault import papers
from onshore.vault.segments import (
    Place,
    Shelf,
    bucket_of,
    buckets_of,
    find_segment,
    fix_buckets,
    list_segment,
    open_segment,
    path_of,
    segments_where,
    unlist_segment,
    write_segment,
)
from onshore.words.errors import Broken, Refusal
from vault_makers import NOON, SITE, Clock, new_room, sieved

PLACE = Place("cn/2026-02", "track", "consent", "2026-05-29", 3)
TABLE = pa.Table.from_batches([sieved([3] * 100, range(NOON, NOON + 100)).kept])


@pytest.fixture
def room(tmp_path):
    return new_room(tmp_path)


@pytest.fixture
def shelf(room):
    return Shelf(room.root, room.vault, SITE)


def write(shelf, id_="a" * 32):
    return write_segment(TABLE, PLACE, id_, shelf, Clock(), os.urandom)


def test_round_trip_with_all_that_is_said_about_the_columns(shelf):
    segment = write(shelf)
    assert open_segment(segment, shelf).read().equals(TABLE, check_metadata=True)
    assert (segment.rows, segment.first, segment.last) == (100, NOON, NOON + 99)
    path = shelf.folder / "segments" / "track" / "2026-05-29" / "3" / ("a" * 32 + ".parquet")
    assert path.stat().st_size == segment.size
    assert path.stat().st_mode & 0o077 == 0


def test_without_the_key_it_is_noise(shelf):
    data = (shelf.folder / path_of(PLACE, write(shelf).id)).read_bytes()
    with pytest.raises(OSError, match="encrypted"):
        pq.ParquetFile(pa.BufferReader(data))
    for clear in (b"Latitude", b"vehicle", b"track", SITE.encode(), NOON.to_bytes(8, "little")):
        assert clear not in data


def test_every_altered_byte_is_broken(shelf):
    segment = write(shelf)
    path = shelf.folder / path_of(PLACE, segment.id)
    data = path.read_bytes()
    for i in range(0, len(data), 37):
        path.write_bytes(data[:i] + bytes([data[i] ^ 1]) + data[i + 1 :])
        with pytest.raises(Broken, match=f"segment {segment.id} is not what was written"):
            open_segment(segment, shelf)


@pytest.mark.parametrize(
    "other",
    [
        {"category": "vehicle-operation"},
        {"ground": "statutory"},
        {"day": "2026-05-30"},
        {"bucket": 4},
        {"pack": "cn/2026-03"},
    ],
)
def test_it_opens_in_its_own_place_alone(shelf, other):
    segment = write(shelf)
    moved = replace(segment, place=replace(PLACE, **other))
    source, target = (shelf.folder / path_of(one.place, one.id) for one in (segment, moved))
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    with pytest.raises(Broken, match=f"segment {segment.id} does not open here"):
        open_segment(moved, shelf)


def test_another_site_opens_nothing_even_with_the_key(shelf):
    with pytest.raises(Broken, match="belongs elsewhere"):
        open_segment(write(shelf), replace(shelf, site="paris"))


def test_two_segments_cannot_change_names(shelf):
    one, two = write(shelf), write(shelf, "b" * 32)
    source, target = (shelf.folder / path_of(PLACE, segment.id) for segment in (one, two))
    source.replace(target)
    with pytest.raises(Broken, match="does not open"):
        open_segment(replace(two, sha256=one.sha256, wrapped=one.wrapped), shelf)
    with pytest.raises(Broken, match="does not open"):
        open_segment(replace(two, sha256=one.sha256), shelf)


def test_a_missing_file_is_broken_or_none(shelf):
    segment = write(shelf)
    (shelf.folder / path_of(PLACE, segment.id)).unlink()
    assert find_segment(segment, shelf) is None
    with pytest.raises(Broken, match=f"segment {segment.id} is missing"):
        open_segment(segment, shelf)


def test_an_id_is_written_once(shelf):
    write(shelf)
    with pytest.raises(FileExistsError):
        write(shelf)


def test_papers_give_back_what_they_were_told(room, shelf):
    segment = write(shelf)
    with papers.writing(room.engine) as conn:
        list_segment(conn, segment)
        assert segments_where(conn) == [segment]
        assert segments_where(conn, papers.segments.c.category == "health") == []
        unlist_segment(conn, segment)
        assert segments_where(conn) == []
        with pytest.raises(Broken, match="two processes"):
            unlist_segment(conn, segment)


def test_the_wrapped_key_is_not_printed(shelf):
    assert "wrapped" not in repr(write(shelf))


def test_the_number_of_buckets_is_fixed_with_the_first_segments(room):
    with papers.writing(room.engine) as conn:
        assert buckets_of(conn, [1, 17]) == []
        fix_buckets(conn, 16)
        fix_buckets(conn, 16)
        assert buckets_of(conn, [1, 17, 34]) == [1, 2]
        with pytest.raises(Refusal, match="in 16 buckets, 8 were set") as no:
            fix_buckets(conn, 8)
    assert no.value.reason == "buckets-fixed"
    assert bucket_of(2**63 - 1, 16) == 15
