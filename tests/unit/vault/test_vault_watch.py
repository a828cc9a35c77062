"""A commit of anybody's is seen at the next look, once."""

import pytest
from sqlalchemy import insert

from onshore.vault.papers import meta, open_papers, sqlite_url, writing
from onshore.vault.watch import Watch


def note(engine, name):
    with writing(engine) as conn:
        conn.execute(insert(meta).values(name=name, value="1"))


def test_a_commit_of_this_process_or_another_is_seen_once(tmp_path):
    url = sqlite_url(tmp_path / "papers.sqlite")
    mine, other = open_papers(url), open_papers(url)
    watch = Watch(mine)
    assert [watch.changed(), watch.changed()] == [True, False]
    note(mine, "a")
    assert [watch.changed(), watch.changed()] == [True, False]
    note(other, "b")
    assert [watch.changed(), watch.changed()] == [True, False]
    watch.close()
    watch.close()
    assert watch.changed()  # nobody looks any more: it may have


def test_papers_that_do_not_answer(tmp_path):
    watch = Watch(open_papers(sqlite_url(tmp_path / "papers.sqlite")))
    watch._own.driver_connection.close()
    with pytest.raises(OSError, match="do not answer"):
        watch.changed()
