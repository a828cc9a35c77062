"""Papers move into another database whole, or not at all."""

import pytest
from click.testing import CliRunner
from sqlalchemy import func, insert, select

from databases import left_open_closed, server
from onshore.cli.papers import papers as command
from onshore.site import open_site
from onshore.vault import moving, papers
from onshore.vault.client import named
from onshore.vault.lock import hold
from onshore.vault.opening import open_papers
from onshore.words.errors import Broken, Refusal

pytestmark = pytest.mark.sqlite  # what is moved from


@pytest.fixture(scope="module")
def running():
    here = server()
    yield here
    here.close()


@pytest.fixture
def url(running):
    name = running.new()
    with left_open_closed():
        yield running.url(name)
    running.drop(name)


def count(engine, table):
    with papers.reading(engine) as conn:
        return conn.execute(select(func.count()).select_from(table)).scalar_one()


def moved(folder, url):
    with (folder / "site.toml").open("a") as file:
        file.write(f'\n[papers]\nurl = "{url}"\n')
    return CliRunner().invoke(command, ["copy", "--site", str(folder)])


def test_a_site_moves_and_goes_on(hands, url):
    hands.allow(1)
    hands.drive(1, 2)
    hands.site.settle()
    folder, old = hands.site.folder, hands.site.engine
    said = moved(folder, url)
    assert said.exit_code == 0, said.output
    site = open_site(folder, clock=lambda: hands.now)
    assert site.engine.dialect.name == "postgresql"
    for table in papers.metadata.sorted_tables:
        assert count(site.engine, table) == count(old, table) + (table is papers.meta), table.name
    hands.site = site
    hands.drive(1)
    site.settle()
    with papers.reading(site.engine) as conn:
        ids = conn.execute(select(papers.entries.c.id).order_by(papers.entries.c.leaf)).scalars().all()
    assert ids == sorted(ids)
    assert len(ids) == count(old, papers.entries) + 1
    site.engine.dispose()


def test_a_site_that_runs_does_not_move(hands, url):
    hands.car(1)
    with hold(hands.site.folder / "locks" / "gate", "gate"):
        said = moved(hands.site.folder, url)
    assert said.exit_code == 1
    assert "road-taken" in said.output


def test_a_site_does_not_begin_anew_beside_its_papers(hands, url):
    with (hands.site.folder / "site.toml").open("a") as file:
        file.write(f'\n[papers]\nurl = "{url}"\n')
    for laid_out in (False, True):
        if laid_out:
            open_papers(named(url)).dispose()
        with pytest.raises(Refusal, match="is empty, and the site's papers lie in") as refused:
            open_site(hands.site.folder)
        assert "onshore papers copy" in refused.value.remedy


def test_there_must_be_something_to_copy(hands):
    said = CliRunner().invoke(command, ["copy", "--site", str(hands.site.folder)])
    assert said.exit_code == 1
    assert "nothing-to-copy" in said.output


def test_papers_are_not_mixed(hands, url):
    target = open_papers(named(url))
    with papers.writing(target) as conn:
        conn.execute(insert(papers.persons).values(id=1))
    with pytest.raises(Refusal, match="papers already"):
        moving.copy_papers(hands.site.engine, target)
    target.dispose()


def test_what_does_not_arrive_is_seen_and_nothing_stays(hands, url):
    target = open_papers(named(url))
    with papers.writing(target) as conn:  # a database that does something of its own with what it is given
        conn.exec_driver_sql(
            "CREATE FUNCTION alter() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN NEW.body := NEW.body || NEW.body; RETURN NEW; END'"
        )
        conn.exec_driver_sql("CREATE TRIGGER a BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION alter()")
    with pytest.raises(Broken, match="the table 'entries'"):
        moving.copy_papers(hands.site.engine, target)
    assert count(target, papers.entries) == count(target, papers.site_keys) == 0
    target.dispose()
