"""Digests of what was heard outlive the journal that they lay in, and are bounded."""

import pytest
from sqlalchemy import func, select

from onshore.vault import heard as room_of
from onshore.vault.heard import MOST, SIZE, last, note
from onshore.vault.papers import heard, reading, writing
from vault_makers import NOON, PACK, SITE, new_room, sieved


def digests(*numbers):
    return b"".join(n.to_bytes(SIZE, "big") for n in numbers)


@pytest.fixture
def room(tmp_path):
    return new_room(tmp_path)


def known(room):
    return last(room.engine, room.root, room.vault, SITE)


def test_they_are_known_before_and_after_a_drain_and_while_a_gate_writes(room):
    assert known(room) == b""
    with room.journal() as journal:
        for n in (1, 2):
            journal.append(sieved([n], [NOON]), pack=PACK, heard=digests(n))
        assert known(room) == digests(1, 2)
    room.drain()
    assert known(room) == digests(1, 2)
    with room.journal() as journal:
        journal.append(sieved([3], [NOON]), pack=PACK, heard=digests(3))
        journal.rotate()
        journal.append(sieved([4], [NOON]), pack=PACK, heard=digests(4))
    assert known(room) == digests(1, 2, 3, 4)
    room.drain()
    assert known(room) == digests(1, 2, 3, 4)


def test_a_file_that_is_gone_or_damaged_hides_no_other(room):
    with room.journal() as journal:
        for n in (1, 2, 3):
            journal.append(sieved([n], [NOON]), pack=PACK, heard=digests(n))
            journal.append(sieved([n], [NOON]), pack=PACK, heard=digests(n))
            journal.rotate()
    first, second, _ = sorted(room.vault.rglob("*.journal"))
    first.unlink()
    raw = bytearray(second.read_bytes())
    raw[40] ^= 1
    second.write_bytes(raw)
    assert known(room) == digests(3, 3)


def test_only_the_last_are_kept(room, monkeypatch):
    monkeypatch.setattr(room_of, "MOST", 5)
    for n in range(0, 12, 3):
        with writing(room.engine) as conn:
            note(conn, digests(n, n + 1, n + 2))
            note(conn, b"")
    assert known(room) == digests(7, 8, 9, 10, 11)
    with reading(room.engine) as conn:
        assert conn.scalar(select(func.count()).select_from(heard)) == 2
    with writing(room.engine) as conn:
        note(conn, digests(*range(100, 120)))
    assert known(room) == digests(*range(115, 120))
    with room.journal() as journal:
        for n in range(2):
            journal.append(sieved([1], [NOON]), pack=PACK, heard=digests(*range(n, n + 5)))
            journal.rotate()
    assert known(room) == digests(*range(1, 6))


def test_rows_are_bounded_too(room, monkeypatch):
    monkeypatch.setattr(room_of, "_ROWS", 3)
    for n in range(6):
        with writing(room.engine) as conn:
            note(conn, digests(n))
    assert known(room) == digests(3, 4, 5)
    assert MOST * SIZE == 2 << 20
