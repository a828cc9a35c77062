"""onshore transfer and permit: what is shown, what comes next, and papers that are none."""

import json

import pytest
from click.testing import CliRunner

from onshore.cli.init import regulator_key
from onshore.cli.main import cli
from onshore.rules.articles import PAPERS

FILED = ("impact-assessment", "standard-contract", "export-notice", "separate-consent")


@pytest.fixture
def shell(hands):
    hands.allow(1)
    hands.drive(1)
    return Shell(hands)


class Shell:
    """The command line over a site with one car that consented, its clock where the hands are."""

    def __init__(self, hands):
        self.hands, self.folder = hands, hands.site.folder.parent

    def __call__(self, *args, code=0):
        done = CliRunner().invoke(cli, [*map(str, args), "--site", str(self.hands.site.folder)])
        assert done.exit_code == code, (args, done.output, done.exception)
        assert done.exception is None or isinstance(done.exception, SystemExit)
        return done

    def ask(self, *more, code=1):
        period = ("--from", "2020-01-01", "--until", "2100-01-01")
        what = ("--purpose", "warranty-analysis", "--category", "track", "--recipient", "stuttgart")
        return self("transfer", "ask", *what, *period, "--as", "engineer", *more, code=code)

    def paper(self, request, kind, *more, code=0):
        return self("transfer", "paper", request, kind, "--number", "7", "--as", "officer", *more, code=code)

    def completed(self):
        request = self.ask().stdout.strip()
        for kind in FILED:
            told = self.paper(request, kind).stderr
        return request, told

    def approved(self):
        request, _ = self.completed()
        for name in ("officer", "deputy"):
            told = self("transfer", "approve", request, "--as", name).stderr
        return request, told

    def grant(self, request, *more, code=0):
        limits = ("--persons", "1", "--from", "2020-01-01", "--until", "2100-01-01")
        return self("permit", "grant", request, *limits, "--as", "regulator", *more, code=code)


def test_each_answer_names_the_next_command(shell):
    refused = shell.ask()
    request = refused.stdout.strip()
    assert f"next: onshore transfer paper {request} KIND --number N --as officer" in refused.stderr
    request, told = shell.completed()
    assert f"next: onshore transfer approve {request} --as officer" in told
    told = shell("transfer", "approve", request, "--as", "officer").stderr
    assert f"next: onshore transfer approve {request} --as deputy" in told
    told = shell("transfer", "approve", request, "--as", "deputy").stderr
    assert f"next: onshore permit grant {request} --persons N --from DAY --until DAY --as regulator" in told
    assert "at most 1 person," in shell.grant(request).stderr
    assert f"next: onshore transfer ship {request} --as officer" in shell("transfer", "show", request).stdout
    shell("transfer", "ship", request, "--as", "officer")
    assert f"next: the recipient's receipt closes it: onshore transfer receipt {request}" in (
        shell("transfer", "show", request).stdout
    )
    told = shell("transfer", "suspend", request, "--as", "deputy").stderr
    assert f"next: onshore transfer resume {request} --as officer" in told
    assert "suspended" in shell("transfer", "ship", request, "--as", "officer", code=1).stderr
    shell("transfer", "resume", request, "--as", "deputy")
    told = shell("transfer", "refuse", request, "--as", "deputy").stderr
    assert f"next: onshore transfer resume {request} --as officer" in told
    assert "next: nothing: it is closed" in shell("transfer", "close", request, "--as", "deputy").stderr


def test_what_no_paper_would_help_is_said_to_be_so(shell):
    toml = shell.hands.site.folder / "site.toml"
    known = 'jurisdiction = "DE"\n'
    toml.write_text(toml.read_text().replace(f"{known}key", f'{known}status = "blocked"\nkey'))
    request = shell.ask().stdout.strip()
    for kind in FILED:
        told = shell.paper(request, kind).stderr
    assert "next: no paper would help" in told


def test_every_move_is_told_with_whose_it_was(shell):
    request, _ = shell.approved()
    shell.paper(request, FILED[0])
    shown = shell("transfer", "show", request).stdout
    asked, approved = "Z  asked, by engineer (engineer)", "Z  approved, by deputy (officer)"
    for word in (asked, approved, "lapsed 20", ": papers-changed"):
        assert word in shown
    seen = json.loads(shell("transfer", "show", request, "--json").stdout)
    assert [m["new"] for m in seen["moves"]] == ["asked", "judged", "completed", "approved", "completed"]
    assert [(a["by"], a["why"]) for a in seen["approvals"]] == [(n, "papers-changed") for n in ("officer", "deputy")]


def test_all_of_a_request_is_shown_on_stdout(shell):
    refused = shell.ask().stdout.strip()
    told = shell("transfer", "show", refused)
    assert told.stderr == ""
    for word in ("judged; route:", "article:", "what would help:", "warranty-analysis -> stuttgart: track", " of "):
        assert word in told.stdout
    request, _ = shell.approved()
    permit = shell.grant(request).stdout.strip()
    told = shell("transfer", "ship", request, "--as", "officer")
    assert "of 1 person\n" in told.stderr
    shown = shell("transfer", "show", request).stdout
    for word in (
        f"{request}  left",
        "paper standard-contract: number 7, until further notice",
        f"permit {permit}: granted",
        "1 person used, not revoked",
        f"parcel {request}-1: left, 1 person, permit {permit}, left 20",
        "all vehicles",
    ):
        assert word in shown
    seen = json.loads(shell("transfer", "show", request, "--json").stdout)
    assert (seen["state"], seen["verdict"]) == ("left", "allow")
    assert {p["kind"] for p in seen["papers"]} == set(FILED)
    assert (seen["permits"][0]["id"], seen["permits"][0]["used"]) == (permit, 1)
    assert (seen["parcels"][0]["state"], seen["parcels"][0]["persons"]) == ("left", 1)
    shell("permit", "revoke", permit, "--as", "regulator")
    assert ", revoked 20" in shell("transfer", "show", request).stdout


def test_the_list_says_what_for_and_to_whom(shell):
    request = shell.ask().stdout.strip()
    listed = json.loads(shell("transfer", "list", "--json").stdout)
    assert (listed["id"], listed["state"]) == (request, "judged")
    assert (listed["purpose"], listed["recipient"]) == ("warranty-analysis", "stuttgart")


def test_the_kinds_of_papers_are_a_closed_list_that_help_shows(shell):
    told = CliRunner().invoke(cli, ["transfer", "paper", "--help"], terminal_width=2000).stdout
    assert all(kind in told for kind in PAPERS)
    assert "standard-contract" in shell.paper("0", "letter", code=2).stderr


def test_a_permit_is_shown_as_it_was_signed(shell):
    request, _ = shell.approved()
    permit = shell.grant(request).stdout.strip()
    note = json.loads(shell("permit", "show", permit, "--json").stdout)["note"]
    shown = shell("permit", "show", permit).stdout
    assert shown.endswith("\n\n" + note)
    assert "0 of 1 person " in shown
    assert note not in shell("permit", "show").stdout


NOTES = {"junk": b"junk\n", "binary": b"\xff\xfe\0", "empty": b"", "json": b'{"onshore":"permit/2"}\n\n'}


@pytest.mark.parametrize("name", NOTES)
def test_a_note_that_is_no_permit_is_said_to_be_none(shell, name):
    path = shell.folder / name
    path.write_bytes(NOTES[name])
    assert "no permit" in shell("permit", "grant", "--note", path, "--as", "regulator", code=2).stderr


def test_a_folder_is_neither_note_nor_key(shell):
    for option in ("--note", "--key"):
        told = shell("permit", "grant", "0", option, shell.folder, "--as", "regulator", code=2).stderr
        assert "is a directory" in told


def test_a_note_on_file_is_not_taken_twice(shell):
    request, _ = shell.approved()
    permit = shell.grant(request).stdout.strip()
    path = shell.folder / "permit.note"
    path.write_text(json.loads(shell("permit", "show", permit, "--json").stdout)["note"])
    assert "permit-known" in shell("permit", "grant", "--note", path, "--as", "regulator", code=1).stderr


def test_a_key_that_is_none_or_somebody_elses_is_told_apart(shell):
    request, _ = shell.approved()
    path = shell.folder / "key"
    for junk in (b"", b"junk", b"x" * 33):
        path.write_bytes(junk)
        assert "no signing key" in shell.grant(request, "--key", path, code=2).stderr
    path.write_bytes(b"x" * 32)
    assert "wrong-key" in shell.grant(request, "--key", path, code=1).stderr
    regulator_key(shell.hands.site.folder).unlink()
    assert "--key" in shell.grant(request, code=2).stderr


def test_a_revocation_says_so_as_json_too(shell):
    request, _ = shell.approved()
    permit = shell.grant(request).stdout.strip()
    told = json.loads(shell("permit", "revoke", permit, "--as", "regulator", "--json").stdout)
    assert told == {"revoked": permit, "on_their_way": []}
