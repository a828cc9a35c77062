"""Wrapping keys: made for a month, looked up for each wrap, and every key openable through every rotation."""

import os
import shutil

import pytest
from sqlalchemy import update

from key_makers import Told, Wishes, heads, known, reopened, ring_of, ringed, turned
from onshore.vault import papers
from onshore.vault.keyed import KEYED, context_of, head_of
from onshore.vault.keys import site_key
from onshore.vault.rotation import BATCH, ended, left, rotate, tend
from onshore.vault.wrapping import DAY, due_at, month_of
from onshore.words.errors import Broken
from vault_makers import NOON, PACK, new_room, sieved

KEY = b"k" * 32


def driven(room, *vehicles):
    return room.keep(sieved(vehicles, [NOON + i for i in range(len(vehicles))]))


def test_every_table_with_a_wrapped_key_is_known():
    holding = {name for name, table in papers.metadata.tables.items() if "wrapped" in table.c}
    assert {keyed.table for keyed in KEYED} == holding - {"wrapping_keys"}


def test_what_is_wrapped_names_its_wrapping_key_and_opens_in_its_place_alone(tmp_path):
    room = ringed(tmp_path)
    wrapped = room.root.wrap(KEY, "segment/1")
    assert head_of(wrapped) == known(room)[0].id
    assert room.root.unwrap(wrapped, "segment/1") == reopened(tmp_path).root.unwrap(wrapped, "segment/1") == KEY
    for altered in (wrapped[:-1] + b"x", wrapped[:20] + b"xx" + wrapped[22:]):
        with pytest.raises(Broken, match="does not open"):
            room.root.unwrap(altered, "segment/1")
    with pytest.raises(Broken, match="does not open"):
        room.root.unwrap(wrapped, "segment/2")


def test_months_and_ends(tmp_path):
    room = ringed(tmp_path)
    key = known(room)[0]
    assert key.month == month_of(NOON) == "2026-05"
    assert due_at(key, None) == 1_780_272_000_000  # 2026-06-01T00:00Z
    assert due_at(key, 9) == key.made, "no copies of it were allowed for"
    other = ringed(tmp_path / "other", Wishes(backup_days=5))
    copied = known(other)[0]
    assert copied.until == copied.made + 5 * DAY
    assert due_at(copied, 5) == copied.made + 5 * DAY // 2
    assert due_at(copied, 6) == 1_780_272_000_000, "the end of May comes before"
    assert due_at(copied, 4) == copied.made, "the settings shortened the life of its copies"


def test_a_rotation_re_wraps_every_key_and_destroys_the_old_one(tmp_path):
    room = ringed(tmp_path)
    driven(room, 1, 17, 2)
    with room.journal() as journal:
        journal.append(sieved([5], [NOON]), pack=PACK)
    lookup = site_key(room.engine, room.root, "lookup", os.urandom)
    old, before = known(room)[0], room.all_of(17)
    files = {p: p.read_bytes() for p in sorted(room.vault.rglob("*")) if p.is_file()}
    told = turned(room)
    assert told == [("wrapping", "rotated", len(files) - 1 + 1), ("wrapping", "destroyed", None)]  # less a lock
    assert heads(room) == {known(room)[0].id} != {old.id}
    assert left(room.root) == 0
    assert ended(room.root)
    assert {p: p.read_bytes() for p in sorted(room.vault.rglob("*")) if p.is_file()} == files, "no file was written"
    again = reopened(tmp_path)
    assert again.all_of(17) == before
    assert site_key(again.engine, again.root, "lookup", os.urandom) == lookup
    again.drain()
    assert len(again.all_of(5)) == 3


@pytest.mark.sqlite
def test_no_byte_of_a_destroyed_wrapping_key_stays_in_the_papers(tmp_path):
    room = ringed(tmp_path)
    driven(room, *range(1, 17))
    old = known(room)[0]
    turned(room)
    held = b"".join(path.read_bytes() for path in sorted(tmp_path.glob("papers.sqlite*")))
    assert old.wrapped[:16] not in held
    assert old.wrapped[-16:] not in held


def test_a_copy_of_old_papers_opens_nothing_by_what_stands_later(tmp_path):
    room = ringed(tmp_path)
    driven(room, 1)
    stale = [row.wrapped for row in room.rows(papers.segments)]
    context = [f"segment/{row.id}" for row in room.rows(papers.segments)]
    turned(room)
    with papers.writing(room.engine) as conn:
        conn.execute(papers.segments.delete())
    for wrapped, where in zip(stale, context, strict=True):
        with pytest.raises(Broken, match="is no more"):
            reopened(tmp_path).root.unwrap(wrapped, where)


def test_who_read_a_row_before_a_rotation_opens_it_after(tmp_path):
    room = ringed(tmp_path)
    driven(room, 1)
    other = reopened(tmp_path)
    rows = other.rows(papers.segments)
    journal = other.journal()
    journal.append(sieved([5], [NOON]), pack=PACK)
    other.root.forget()
    turned(room)
    assert all(len(other.root.unwrap(row.wrapped, f"segment/{row.id}")) == 32 for row in rows)
    journal.append(sieved([5], [NOON + 1]), pack=PACK)
    journal.close()
    other.drain()
    assert len(other.all_of(5)) == 6
    assert heads(other) == {known(room)[0].id}


def test_a_wrapping_key_leaves_memory_after_a_while(tmp_path):
    room = ringed(tmp_path)
    wrapped = room.root.wrap(KEY, "segment/1")
    with papers.writing(room.engine) as conn:
        conn.execute(update(papers.wrapping_keys).values(wrapped=b"x" * 60))
    assert room.root.unwrap(wrapped, "segment/1") == KEY
    room.clock.now += 300_001
    with pytest.raises(Broken, match="does not open"):
        room.root.unwrap(wrapped, "segment/1")


def test_keys_that_the_root_wrapped_itself_go_on_and_are_re_wrapped(tmp_path):
    room = new_room(tmp_path)
    driven(room, 1, 17)
    site_key(room.engine, room.root, "column", os.urandom)
    assert heads(room) == {None}
    before = room.all_of(17)
    ring_of(room)
    assert room.all_of(17) == before
    assert not ended(room.root)
    stale, told = room.rows(papers.segments)[0], Told()
    assert tend(room.root, told, None)
    assert told == []
    assert heads(room) == {known(room)[0].id}
    assert room.all_of(17) == before
    assert len(room.root.unwrap(stale.wrapped, f"segment/{stale.id}")) == 32
    assert tend(room.root, told, None), "nothing is left to do"


def test_the_turn_of_the_month_rotates_by_itself(tmp_path):
    room = ringed(tmp_path)
    driven(room, 1)
    told = Told()
    assert tend(room.root, told, None)
    assert told == []
    room.clock.now += 4 * DAY
    assert tend(room.root, told, None)
    assert [state for _, state, _ in told] == ["rotated", "destroyed"]
    assert known(room)[0].month == "2026-06"
    room.clock.now -= 9 * DAY
    assert tend(room.root, told, None)
    assert len(told) == 2, "a clock that was put back rotates nothing"


def test_batches_are_bounded_and_go_on_where_they_were(tmp_path):
    room = ringed(tmp_path)
    driven(room, 1)
    row = room.rows(papers.segments)[0]._asdict()
    with papers.writing(room.engine) as conn:
        more = [row | {"id": f"{i:032x}"} for i in range(BATCH + 5)]
        conn.execute(
            papers.segments.insert(),
            [one | {"wrapped": room.root.wrap(KEY, f"segment/{one['id']}")} for one in more],
        )
    rotate(room.root, Told(), None)
    total, steps = left(room.root), []
    assert not tend(room.root, Told(), None, batches=1, step=steps.append)
    assert left(room.root) == total - BATCH
    assert steps == ["rewrapped"]
    room.root.forget()
    assert tend(room.root, Told(), None, step=steps.append)
    assert steps == ["rewrapped"] * 2 + ["struck", "forgotten", "ended"]


def test_a_rotation_within_a_rotation_ends_under_the_last_key(tmp_path):
    room = ringed(tmp_path)
    driven(room, 1)
    rotate(room.root, Told(), None)
    told, steps = Told(), []

    def step(name):
        steps.append(name)
        if steps == ["rewrapped"]:
            rotate(room.root, told, None)

    while not tend(room.root, told, None, step=step):
        pass
    assert [state for _, state, _ in told] == ["rotated", "destroyed", "destroyed"]
    assert heads(room) == {known(room)[0].id}
    assert len(room.all_of(1)) == 3


def test_what_was_wrapped_meanwhile_by_the_old_key_is_found_before_that_is_struck(tmp_path):
    room = ringed(tmp_path)
    driven(room, 1)
    zero = "0" * 32
    late = room.rows(papers.segments)[0]._asdict() | {"id": zero, "wrapped": room.root.wrap(KEY, f"segment/{zero}")}
    rotate(room.root, Told(), None)

    def step(name):
        if name == "rewrapped" and all(row.id != late["id"] for row in room.rows(papers.segments)):
            with papers.writing(room.engine) as conn:
                conn.execute(papers.segments.insert().values(late))

    assert not tend(room.root, Told(), None, step=step)
    assert tend(room.root, Told(), None)
    listed = next(row for row in room.rows(papers.segments) if row.id == zero)
    assert reopened(tmp_path).root.unwrap(listed.wrapped, f"segment/{zero}") == KEY


def test_a_damaged_file_kept_aside_keeps_its_key_through_a_rotation(tmp_path):
    room = ringed(tmp_path)
    row = {"journal": "1/7", "at": 1, "read": 0, "torn": 0, "lost": "records 1 to 2"}
    with papers.writing(room.engine) as conn:
        conn.execute(papers.mishaps.insert().values(row | {"wrapped": room.root.wrap(KEY, "journal/1/7")}))
        conn.execute(papers.mishaps.insert().values(row | {"journal": "1/8", "lost": "", "wrapped": b""}))
    turned(room)
    kept = sorted(room.rows(papers.mishaps))
    assert reopened(tmp_path).root.unwrap(kept[0].wrapped, "journal/1/7") == KEY
    assert kept[1].wrapped == b""


def test_contexts_are_those_that_the_keys_were_bound_to(tmp_path):
    class Row:
        endpoint, id = "beijing", "ab"

    assert context_of(KEYED[3], Row, "shanghai") == "forward/shanghai/beijing/ab"


def test_papers_without_their_wrapping_keys_say_what_is_lost(tmp_path):
    room = ringed(tmp_path)
    driven(room, 1, 17)
    with papers.writing(room.engine) as conn:
        conn.execute(papers.wrapping_keys.delete())
    with pytest.raises(Broken, match=r"not the wrapping keys .* 3 segments with 6 rows of track, vehicle-op"):
        reopened(tmp_path)
    with pytest.raises(Broken, match="no wrapping key"):
        room.root.wrap(KEY, "segment/1")


def test_one_wrapping_key_that_is_damaged_says_what_it_covered(tmp_path):
    room = ringed(tmp_path)
    driven(room, 1)
    old = known(room)[0]
    rotate(room.root, Told(), None)
    driven(room, 2)
    with papers.writing(room.engine) as conn:
        damaged = update(papers.wrapping_keys).where(papers.wrapping_keys.c.id == old.id)
        conn.execute(damaged.values(wrapped=old.wrapped[:-1] + bytes([old.wrapped[-1] ^ 1])))
    again = reopened(tmp_path)
    assert len(again.all_of(2)) == 3, "what is under the other goes on"
    said = f"wrapping key {old.id} of 2026-05 does not open.* Lost with it: 3 segments with 3 rows of track, vehicle-op"
    with pytest.raises(Broken, match=said):
        again.all_of(1)
    with pytest.raises(Broken, match=said):
        tend(again.root, Told(), None)


def test_a_wrapping_key_of_a_copied_site_opens_nothing_here(tmp_path):
    one, two = ringed(tmp_path / "one"), ringed(tmp_path / "two")
    shutil.copy(tmp_path / "one" / "keys" / "root.key", tmp_path / "two" / "keys" / "root.key")
    del one, two
    with pytest.raises(Broken, match="holds another key"):
        reopened(tmp_path / "two")
