"""Permits and the meter through the command line: drafted here, signed elsewhere, recorded from paper, counted."""

import json

import pytest
from click.testing import CliRunner

from onshore.cli.main import cli
from onshore.site import open_site

PAPERS = ("impact-assessment", "standard-contract", "export-notice", "separate-consent")


class Desk:
    def __init__(self, hands, folder):
        self.hands, self.site, self.beside = hands, hands.site, folder
        hands.allow(1)
        hands.drive(1)
        days = ("--from", "2026-01-01", "--until", "2027-12-31")
        what = ("--purpose", "warranty-analysis", "--category", "track", "--recipient", "stuttgart")
        self.asked = json.loads(self.run("transfer", "ask", *what, *days, "--as", "engineer", "--json", code=1))["id"]
        for kind in PAPERS:
            self.run("transfer", "paper", self.asked, kind, "--number", "1", "--as", "officer", code=None)
        for name in ("officer", "deputy"):
            self.run("transfer", "approve", self.asked, "--as", name)
        self.limits = ("--persons", "5", "--from", "2026-01-01", "--until", "2099-12-31", "--rows", "100")

    def run(self, *args, code=0, at=True):
        done = CliRunner().invoke(cli, [*args, *(("--site", str(self.site.folder)) if at else ())])
        assert code is None or done.exit_code == code, (args, done.output, done.exception)
        self.talk = done.stderr
        return done.stdout

    def key(self, name):
        """A key of somebody's own, and its line in site.toml."""
        vkey = self.run("rules", "key", str(self.beside / name), "--name", f"shanghai/{name}", at=False).strip()
        path = self.site.folder / "site.toml"
        lines = [line for line in path.read_text().splitlines() if not (name == "regulator" and "vkey =" in line)]
        at = lines.index(f"[people.{name}]") + 2
        path.write_text("\n".join([*lines[:at], f'vkey = "{vkey}"', *lines[at:], ""]))
        self.site = open_site(self.site.folder, clock=lambda: self.hands.now)
        return str(self.beside / name)


@pytest.fixture
def desk(hands, tmp_path):
    return Desk(hands, tmp_path)


def test_a_permit_is_drafted_here_signed_elsewhere_and_taken_in(desk, tmp_path):
    key = desk.key("regulator")
    words = desk.run("permit", "draft", desk.asked, *desk.limits, "--transform", "space:500", "--as", "officer")
    (tmp_path / "draft").write_text(words)
    note = desk.run("permit", "sign", str(tmp_path / "draft"), "--key", key, at=False)
    (tmp_path / "note").write_text(note)
    granted = desk.run("permit", "grant", "--note", str(tmp_path / "note"), "--as", "regulator").strip()
    shown = desk.run("permit", "show", granted)
    assert "signed by the regulator 'regulator'" in shown
    assert "0 rows of 100 rows" in shown.replace("0 of 100 rows", "0 rows of 100 rows")
    assert "space:500" in shown
    desk.run("transfer", "ship", desk.asked, "--as", "officer")
    said = json.loads(desk.run("permit", "show", granted, "--json"))
    assert (said["used"], said["rows"], said["signed_by"]) == (1, 20, "regulator")
    counted = json.loads(desk.run("meter", "show", "--json"))
    assert {c["name"]: c["used"] for c in counted["counts"]} == {"sensitive": 1, "ordinary": 0}


def test_what_is_not_a_permit_is_not_signed(desk, tmp_path):
    key = desk.key("regulator")
    (tmp_path / "draft").write_text("pay me\n")
    desk.run("permit", "sign", str(tmp_path / "draft"), "--key", key, at=False, code=2)
    (tmp_path / "key").write_text("no key")
    words = desk.run("permit", "draft", desk.asked, *desk.limits, "--as", "officer")
    (tmp_path / "draft").write_text(words)
    desk.run("permit", "sign", str(tmp_path / "draft"), "--key", str(tmp_path / "key"), at=False, code=2)


def test_an_officer_records_a_permit_on_paper_and_it_is_said_that_no_regulator_signed(desk, tmp_path):
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF a permit")
    key = desk.key("officer")
    said = ("permit", "record", desk.asked, *desk.limits, "--number", "CAC-7", "--file", str(scan), "--key", key)
    desk.run(*said, "--as", "officer", code=1)
    assert "recorded-permit" in desk.talk
    with (desk.site.folder / "site.toml").open("a") as file:
        file.write("\n[permits]\nrecorded = true\n")
    desk.run(*said, "--as", "deputy", code=1)
    assert "wrong-key" in desk.talk
    granted = desk.run(*said, "--as", "officer").strip()
    shown = desk.run("permit", "show", granted, "--scan", str(tmp_path / "again.pdf"))
    assert "NO REGULATOR SIGNED THIS: the officer 'officer' recorded it from paper number CAC-7" in shown
    assert (tmp_path / "again.pdf").read_bytes() == scan.read_bytes()
    assert "recorded from paper" in desk.run("permit", "show")
    assert json.loads(desk.run("permit", "show", granted, "--json"))["signed_by"] == "officer"


def test_what_a_sister_declares_is_shown_with_its_paper(desk):
    said = ("--by", "beijing motors", "--year", "2026", "--sensitive", "10", "--ordinary", "20", "--paper", "D-1")
    desk.run("meter", "declare", *said, "--as", "engineer", code=1)
    desk.run("meter", "declare", *said, "--as", "officer")
    shown = desk.run("meter", "show", "--year", "2026")
    assert "beijing motors: 10 sensitive, 20 ordinary; to any for any purpose; paper D-1" in shown
    assert "sensitive: 0; from " in shown
    assert "Art." in shown
