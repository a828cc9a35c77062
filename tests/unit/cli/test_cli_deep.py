"""What papers say, held against the ledger and the seal; and when a seal is not written."""

import os

import pytest
from click.testing import CliRunner

from onshore.cli import deep
from onshore.cli.main import cli
from onshore.vault import papers, seal


@pytest.fixture
def site(hands):
    hands.car(1)
    hands.allow(1)
    hands.drive(1)
    hands.site.write_ledger()
    assert deep.note_seal(hands.site)
    return hands.site


def altered(site, statement):
    with papers.writing(site.engine) as conn:
        conn.exec_driver_sql(statement)


def test_all_is_well(site):
    assert list(deep.damage(site)) == []
    assert list(seal.broken(site.folder, None)) == []


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE receipts SET paper = replace(paper, '2026-11', '2026-12')", "a receipt of a consent is not the one"),
        ("UPDATE receipts SET paper = 'no paper'", "a receipt of a consent is not the one"),
        ("UPDATE entries SET body = X'00' WHERE leaf = 0", "handed in to the ledger is not what the ledger holds"),
        ("UPDATE entries SET leaf = NULL WHERE leaf = (SELECT max(leaf) FROM entries)", "is not what the ledger holds"),
    ],
)
def test_papers_that_the_ledger_contradicts_are_named(site, statement, says):
    altered(site, statement)
    assert any(name == "papers.sqlite" and says in wrong for name, wrong in deep.damage(site))


def test_a_log_that_is_shorter_than_the_papers_say_is_named(site):
    altered(site, "UPDATE entries SET leaf = leaf + 1000 WHERE leaf = (SELECT max(leaf) FROM entries)")
    assert "ledger/checkpoint" in dict(deep.damage(site))


def test_what_points_to_nothing_is_named(site):
    with site.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("PRAGMA foreign_keys=OFF")
        conn.exec_driver_sql("UPDATE consents SET person = 1")
        conn.exec_driver_sql("PRAGMA foreign_keys=ON")
    said = dict(deep.damage(site))
    assert said["papers.sqlite"] == "SQLite's foreign_key_check finds 2 things wrong; restore it from a backup"


def test_nobody_seals_papers_that_somebody_reads_or_has_just_written(site, monkeypatch):
    before = (site.folder / "seal").read_bytes()
    with papers.reading(site.engine) as conn:
        conn.exec_driver_sql("SELECT * FROM meta").first()
        altered(site, "INSERT INTO meta VALUES ('more', '1')")
        assert not deep.note_seal(site)
        assert list(seal.broken(site.folder, site.key("seal"))) == [], "papers were written since"
    monkeypatch.setattr(seal, "_waiting", lambda _folder: True)
    assert not deep.note_seal(site)
    assert (site.folder / "seal").read_bytes() == before
    monkeypatch.undo()
    assert deep.note_seal(site)


def test_a_seal_of_another_key_or_that_cannot_be_read_is_named(site):
    assert dict(seal.broken(site.folder, b"another")) == {"seal": "it is not one that this site has written"}
    (site.folder / "seal").write_bytes(b"{}\n00\n")
    assert dict(seal.broken(site.folder, None)) == {"seal": "it cannot be read"}
    assert not seal.covers(site.folder, "papers.sqlite")
    (site.folder / "seal").unlink()
    assert dict(seal.broken(site.folder, None)) == {}


def test_an_edit_is_no_damage_and_a_change_that_left_the_times_is(site):
    toml = site.folder / "site.toml"
    found, text = toml.stat(), toml.read_text()
    toml.write_text(text.replace("127.0.0.1", "127.0.0.2"))
    assert "site.toml" in dict(deep.damage(site)) or toml.stat().st_mtime_ns != found.st_mtime_ns
    os.utime(toml, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert "site.toml" in dict(deep.damage(site))
    toml.write_text(text + "# edited\n")
    assert "site.toml" not in dict(deep.damage(site))


def test_fsck_says_it_to_programs_too(site):
    (site.folder / "ledger" / "notes").write_text("x")
    done = CliRunner().invoke(cli, ["ledger", "fsck", "--json", "--site", str(site.folder)])
    assert done.exit_code == 3
    assert '"ledger/notes"' in done.output


def test_uploads_whose_papers_were_altered_are_named(site):
    from onshore.gate.upload.shelf import Shelf

    upload = Shelf(site).add(site.new_id(), b"{}", 10, site.clock() + 1000)
    assert list(deep.damage(site)) == []
    altered(site, f"UPDATE uploads SET manifest = X'0011223344556677889900112233' WHERE id = '{upload.id}'")
    assert upload.id in dict(deep.damage(site))["papers.sqlite"]


def test_damaged_journals_are_given_up_in_time(site):
    assert deep.no_longer_aside(site) == 0
