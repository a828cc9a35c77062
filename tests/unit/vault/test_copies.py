"""Copies of keys in backups: made of a site at rest alone, with an end before an erasure is due, and taken in again."""

import json

import pytest

from key_makers import Told, Wishes, heads, known, reopened, ring_of, ringed, turned
from onshore.ledger.packs import shipped, shipped_names
from onshore.rules.clocks import least_days
from onshore.vault import papers
from onshore.vault.copies import copies_end, export_wrapping, import_wrapping, refuse_long_copies
from onshore.vault.rotation import rotate, tend
from onshore.vault.wrapping import DAY
from onshore.words.errors import Broken, Malformed, Refusal
from onshore.words.settings import Keys
from vault_makers import NOON, new_room, sieved

FIVE = Wishes(backup_days=5)


def exported(room, now=NOON):
    with papers.reading(room.engine) as conn:
        return export_wrapping(conn, now)


def driven(room, *vehicles):
    room.keep(sieved(vehicles, [NOON + i for i in range(len(vehicles))]))


def test_a_key_part_brings_back_what_the_data_part_holds(tmp_path):
    room = ringed(tmp_path, FIVE)
    driven(room, 1, 17)
    before = room.all_of(17)
    part = exported(room)
    assert part.until == known(room)[0].made + 5 * DAY
    rows = json.loads(json.dumps(part.rows))
    with papers.writing(room.engine) as conn:
        conn.execute(papers.wrapping_keys.delete())  # the data part
    with pytest.raises(Broken, match="not the wrapping keys"):
        reopened(tmp_path, FIVE)
    with papers.writing(room.engine) as conn:
        assert import_wrapping(conn, rows) == part.until
    assert reopened(tmp_path, FIVE).all_of(17) == before
    with papers.writing(room.engine) as conn, pytest.raises(Refusal, match="already"):
        import_wrapping(conn, rows)


NO_WRAPPED = {"id": "", "month": "", "made": 0, "until": 0, "root": ""}


@pytest.mark.parametrize("rows", [[], [{}], [{"id": 1}], "x", [NO_WRAPPED]])
def test_rows_that_are_none_of_a_key_part(tmp_path, rows):
    room = new_room(tmp_path)
    with papers.writing(room.engine) as conn, pytest.raises(Malformed, match="no rows of a key part"):
        import_wrapping(conn, rows)


def test_no_copy_is_made_where_nobody_said_how_long_it_may_live(tmp_path):
    room = ringed(tmp_path)
    with pytest.raises(Refusal, match="for no copies"):
        exported(room)
    with papers.reading(room.engine) as conn:
        assert copies_end(conn) is None
    assert tend(room.root, Told(), 5), "turned on in the settings, the next look of keep makes one that may be copied"
    assert exported(room).until == known(room)[0].made + 5 * DAY


def test_no_copy_is_made_in_the_middle_of_a_rotation_or_after_its_end(tmp_path):
    room = ringed(tmp_path, FIVE)
    driven(room, 1)
    with pytest.raises(Refusal, match="overdue"):
        exported(room, now=known(room)[0].made + 5 * DAY)
    rotate(room.root, Told(), 5)
    with pytest.raises(Refusal, match="re-wrapped"):
        exported(room)
    assert tend(room.root, Told(), 5)
    exported(room)


def test_keys_that_the_root_wrapped_itself_are_in_no_backup(tmp_path):
    room = new_room(tmp_path)
    driven(room, 1)
    ring_of(room, FIVE)
    assert None in heads(room)
    with pytest.raises(Refusal, match="re-wrapped"):
        exported(room)
    assert tend(room.root, Told(), 5)
    exported(room)


def test_copies_that_may_live_rotate_the_wrapping_key_half_way(tmp_path):
    room = ringed(tmp_path, FIVE)
    first = known(room)[0]
    room.clock.now = first.made + 5 * DAY // 2 - 10
    assert tend(room.root, Told(), 5)
    assert known(room)[0].id == first.id
    room.clock.now += 10
    assert tend(room.root, Told(), 5)
    assert known(room)[0].id != first.id


def test_no_key_part_opens_what_was_erased_once_the_certificate_says_so(tmp_path):
    """Whatever key part is made, and whenever: those that open a copy of what is erased end when it was said."""
    room = ringed(tmp_path, FIVE)
    driven(room, 1)
    stale = room.rows(papers.segments)  # as a copy of the papers has them
    parts = []
    for _ in range(20):  # a copy every half day, before the erasure and after
        room.clock.now += DAY // 2
        tend(room.root, Told(), 5)
        parts.append((exported(room, room.clock()), room.clock()))
    erased_at = parts[3][1]
    with papers.reading(room.engine) as conn:
        assert copies_end(conn) == parts[-1][0].until
    said = parts[3][0].until
    assert said <= erased_at + 5 * DAY
    first = {row["id"] for part, _ in parts[:4] for row in part.rows}
    assert all(part.until <= said for part, _ in parts if {row["id"] for row in part.rows} & first)
    assert all(not {row["id"] for row in part.rows} & first for part, at in parts if at >= said)
    late = reopened(tmp_path, FIVE)
    for row in stale:
        opened = late.root.unwrap(row.wrapped, f"segment/{row.id}")
        assert len(opened) == 32, "as long as it stands, it opens by its row of now"


@pytest.mark.parametrize(
    ("name", "least"),
    [("cn/2026-02", 10), ("eu/2025-09", 28), ("gb/2026-02", 28), ("us/2026-01", 45), ("jp/2022-04", None)],
)
def test_the_shortest_erasure_of_a_pack(name, least):
    found = least_days("erasure", shipped(name).pack())
    assert (found and found[0]) == least
    if found:
        refuse_long_copies(Keys(backup_days=found[0] - 1), [shipped(name).pack()])
        with pytest.raises(Refusal) as no:
            refuse_long_copies(Keys(backup_days=found[0]), [shipped(name).pack()])
        assert no.value.reason == "key-copies-too-long"
        assert no.value.article == found[1]
        assert str(found[0] - 1) in no.value.remedy
    else:
        refuse_long_copies(Keys(backup_days=366), [shipped(name).pack()])


def test_without_copies_no_pack_is_asked():
    refuse_long_copies(Keys(), [shipped(name).pack() for name in shipped_names()])


def test_a_rotation_leaves_no_wrapped_key_behind_that_a_key_part_opens(tmp_path):
    room = ringed(tmp_path, FIVE)
    driven(room, 1)
    part = exported(room)
    turned(room)
    assert not heads(room) & {row["id"] for row in part.rows}
