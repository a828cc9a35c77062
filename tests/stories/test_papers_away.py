"""Papers in PostgreSQL under a whole site; and its server goes away while cars drive: nothing is lost, it goes on."""

import json

import pytest
from click.testing import CliRunner

from databases import Databases, papers_url, server
from onshore.cli.drives import computed
from onshore.cli.init import make_site
from onshore.cli.main import cli
from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.decode import decode
from onshore.gate.intake import Intake
from onshore.vault.journal import Journal
from onshore.vault.papers import reading
from onshore.vault.segments import segments_where


@pytest.fixture(scope="module")
def databases():
    """A server of this module's own, which it may stop."""
    running = server()
    yield Databases(running)
    running.close()


def frames(hands, seconds):
    sent = [encode.realtime(hands.vin(1), hands.now + m.offset, m.units) for m in computed(1, seconds)]
    hands.now += seconds * 1000
    return decode(sent, [hands.car(1).id] * len(sent), hands.now).batch


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_gate_waits_for_the_papers_and_goes_on(databases, database, hands):
    site, running = hands.site, databases.server
    first, again = frames(hands, 20), frames(hands, 20)
    with Journal(
        site.engine, site.root, site.vault, site=site.id, gate="0", clock=site.clock, randomness=site.randomness
    ) as journal:
        intake = Intake(site, journal)
        intake.take_in(first)
        running.stop()
        for act in (lambda: intake.take_in(again), lambda: intake.look_up(hands.vin(2))):
            for _ in range(2):
                with pytest.raises(OSError, match="the papers do not answer"):
                    act()
        running.start()
        intake.take_in(again)
        intake.close()
    drained = site.drain()
    assert sum(one.rows_in for one in drained) == first.num_rows + again.num_rows
    with reading(site.engine) as conn:
        assert segments_where(conn)
    hands.allow(1)
    site.settle()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_whole_story_comes_out_as_told_on_postgresql(database, tmp_path, monkeypatch):
    def make(folder, *said, **more):
        make_site(folder, *said, papers=papers_url(tmp_path / "site"), **more)

    monkeypatch.setattr("onshore.cli.story.make_site", make)
    done = CliRunner().invoke(cli, ["demo", "--once", "--site", str(tmp_path / "site")])
    assert done.exit_code == 0, done.output
    assert "NOT" not in done.stdout
    assert not list((tmp_path / "site").glob("papers.sqlite*"))
    told = CliRunner().invoke(cli, ["check", "--json", "--site", str(tmp_path / "site")])
    (papers,) = (line for line in json.loads(told.stdout) if line["what"] == "papers")
    assert papers["good"], papers
    assert "PostgreSQL" in papers["says"]
