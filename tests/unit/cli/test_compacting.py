"""Compaction at a site: the ledger says what became of which file, the keeper rests, and check tells what waits."""

import json

import pytest
from click.testing import CliRunner

from onshore.cli import serve
from onshore.cli.compacting import turn
from onshore.cli.main import cli
from onshore.desk.looks.status import looks
from onshore.ledger.entry import read
from onshore.vault.compact import QUIET
from onshore.vault.papers import entries, reading
from onshore.vault.segments import segments_where
from onshore.words.errors import Broken


def waits(site):
    """What a look at the small files says."""
    return next(line.says for line in looks(site) if line.what == "segments")


@pytest.fixture
def small(hands):
    """A site with two small files of each place, which wait since nothing comes any more."""
    hands.allow()
    for _ in range(2):
        hands.drive(1, seconds=3)
    hands.now += 2 * QUIET
    return hands


def digests(site):
    with reading(site.engine) as conn:
        return [f"sha256:{segment.sha256}" for segment in segments_where(conn)]


def told(site):
    with reading(site.engine) as conn:
        said = [read(bytes(row.body)) for row in conn.execute(entries.select().order_by(entries.c.id))]
    return [entry for entry in said if entry["t"] == "compact"]


def test_a_digest_can_be_followed_from_ingest_to_now(small):
    site, old = small.site, digests(small.site)
    assert turn(site)
    assert not turn(site)
    [entry] = told(site)
    assert sorted(entry["old"]) == sorted(old)
    assert sorted(entry["new"]) == sorted(digests(site))
    assert len(entry["old"]) == 2 * len(entry["new"])
    assert entry["rows"] == 6 * len(entry["new"])


def test_check_tells_how_many_wait(small):
    site = small.site
    many = len(digests(site))
    assert waits(site) == f"{many} small files wait to be merged; whoever keeps the site does it"
    turn(site)
    assert waits(site) == "no small file waits"
    lines = json.loads(CliRunner().invoke(cli, ["check", "--json", "--site", str(site.folder)]).stdout)
    assert [line["good"] for line in lines if line["what"] == "segments"] == [True]


def test_the_keeper_takes_turns_until_nothing_waits_then_rests(small, monkeypatch):
    done = []

    def counted(site):
        done.append(turn(site))
        return done[-1]

    monkeypatch.setattr(serve, "compact_turn", counted)
    keeper = serve.Keeper(small.site, tell=lambda _: None)
    for _ in range(20):
        keeper.look()
    assert done == [True, False]


def test_a_damaged_file_is_told_once_and_the_keeper_goes_on(small, monkeypatch):
    said, asked = [], []

    def broken(_site):
        asked.append(1)
        raise Broken("segment 00 is not what was written")

    monkeypatch.setattr(serve, "compact_turn", broken)
    monkeypatch.setattr(serve, "_REST", 3)
    keeper = serve.Keeper(small.site, tell=said.append)
    for _ in range(12):
        keeper.look()
    assert len(asked) > 2
    assert len(said) == 1
    small.drive(1, seconds=2)
