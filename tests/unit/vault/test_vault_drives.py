"""A late word on who drove is noticed by whoever decided on rows before it; one on what follows is not in the way."""

import pytest
from sqlalchemy import insert

from onshore.vault import papers
from onshore.vault.drives import last_word, spoken_after
from vault_makers import DAY, NOON, new_room

CAR, OTHER = 17, 18


@pytest.fixture
def room(tmp_path):
    room = new_room(tmp_path)
    room.add_vehicle(CAR)
    room.add_vehicle(OTHER)
    return room


def says(room, vehicle, at):
    with papers.writing(room.engine) as conn:
        conn.execute(insert(papers.drives).values(vehicle=vehicle, at=at, driver=None))


def test_a_late_word_is_noticed_and_a_new_one_is_not(room):
    def late(*vehicles):
        with papers.reading(room.engine) as conn:
            return spoken_after(conn, last, vehicles, NOON)

    with papers.reading(room.engine) as conn:
        assert last_word(conn) == 0
    says(room, CAR, NOON - 2 * DAY)
    with papers.reading(room.engine) as conn:
        last = last_word(conn)
    assert not late(CAR, OTHER), "known already"
    says(room, CAR, NOON)
    assert not late(CAR), "of what follows"
    says(room, CAR, NOON - DAY)
    assert late(OTHER, CAR)
    assert not late(OTHER)
    assert not late()
