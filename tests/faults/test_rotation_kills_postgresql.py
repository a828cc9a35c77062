"""Killed at steps of a rotation whose papers lie in PostgreSQL: every row opens, and no byte holds an old key."""

import pytest
from sqlalchemy import select
from test_rotation_kills import assert_settled, killed, lived_in, rooting, wrapping

from databases import held, let
from key_makers import reopened
from onshore.vault import papers


@pytest.fixture
def folder(tmp_path, databases):
    with databases.used():
        yield tmp_path / "site"


def wrapped(folder):
    """What the keys of segments and the site's own look like, wrapped."""
    room = reopened(folder)
    rows = [*room.rows(papers.segments), *room.rows(papers.site_keys)]
    room.engine.dispose()
    return [bytes(row.wrapped) for row in rows]


@pytest.mark.parametrize(("at", "nth"), [("begun", 1), ("rewrapped", 3), ("struck", 1), ("forgotten", 1)])
def test_killed_while_rotating_the_wrapping_key_there(folder, at, nth):
    rows = lived_in(folder)
    old = wrapped(folder)
    before = held(folder)
    assert all(key[12:28] in before for key in old), "the control: they are there"
    let(folder)
    assert killed(wrapping, folder, None, at, nth)
    room = assert_settled(folder, None, rows)
    assert room.engine.dialect.name == "postgresql"
    left = held(folder)
    assert not any(key[12:28] in left for key in old)


@pytest.mark.parametrize("at", ["switched", "destroyed"])
def test_killed_while_changing_the_root_key_there(folder, at):
    rows = lived_in(folder)
    assert killed(rooting, folder, None, at, 1)
    room = assert_settled(folder, None, rows)
    with papers.reading(room.engine) as conn:
        assert conn.scalar(select(papers.segments.c.id).limit(1))
