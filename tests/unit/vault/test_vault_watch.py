"""A commit of anybody's is seen at the next look, once."""

import pytest
from sqlalchemy import insert

from databases import papers_in
from onshore.vault.opening import open_papers
from onshore.vault.papers import meta, writing
from onshore.vault.watch import Watch


def note(engine, name):
    with writing(engine) as conn:
        conn.execute(insert(meta).values(name=name, value="1"))


def test_a_commit_of_this_process_or_another_is_seen_once(tmp_path):
    mine, other = open_papers(papers_in(tmp_path)), open_papers(papers_in(tmp_path))
    watch = Watch(mine)
    assert [watch.changed(), watch.changed()] == [True, False]
    note(mine, "a")
    assert [watch.changed(), watch.changed()] == [True, False]
    note(other, "b")
    assert [watch.changed(), watch.changed()] == [True, False]
    watch.close()
    watch.close()
    assert watch.changed()  # nobody looks any more: it may have


def test_what_is_not_committed_is_not_seen_and_then_is(tmp_path):
    mine, other = open_papers(papers_in(tmp_path)), open_papers(papers_in(tmp_path))
    watch = Watch(mine)
    watch.changed()
    with writing(other) as conn:
        conn.execute(insert(meta).values(name="a", value="1"))
        looks = [watch.changed(), watch.changed()]
    assert looks == [False, False]
    assert [watch.changed(), watch.changed()] == [True, False]


def test_papers_that_do_not_answer_are_asked_anew(tmp_path):
    watch = Watch(open_papers(papers_in(tmp_path)))
    watch.changed()
    watch._own.driver_connection.close()
    with pytest.raises(OSError, match="do not answer"):
        watch.changed()
    assert [watch.changed(), watch.changed()] == [True, False], "who looks again may have missed something"
