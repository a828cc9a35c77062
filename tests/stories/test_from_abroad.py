"""Somebody abroad tries every command that shows rows or persons; the catalogue and the papers are what they see."""

import json

import pytest
from click.testing import CliRunner

from onshore.cli.main import cli
from onshore.vault.age import new_identity, recipient_of


class Desk:
    def __init__(self, hands):
        self.hands, self.folder = hands, hands.site.folder
        with (self.folder / "site.toml").open("a") as file:
            file.write('\n[people.otto]\nrole = "officer"\njurisdiction = "DE"\n')
            file.write('\n[people.olga]\nrole = "operator"\nemployer = "stuttgart"\n')
            file.write('\n[people.reg]\nrole = "regulator"\nemployer_jurisdiction = "US"\n')
        hands.allow(1, categories=("track", "vehicle-operation"))
        hands.drive(1)
        self.vin = hands.vin(1).decode()

    def run(self, *args, code=0):
        done = CliRunner().invoke(cli, [*args, "--site", str(self.folder)])
        assert done.exit_code == code, (args, done.output, done.exception)
        return done

    def refused(self, *args):
        """Exit 1 as `view-is-export`, and nothing on stdout of a car or an owner."""
        done = self.run(*args, code=1)
        assert "view-is-export" in done.output, (args, done.output)
        assert "article: " in done.output
        car = self.hands.car(1)
        for told in (f"{car.id:016x}", f"{car.owner:016x}", "owner 1", "Longitude ="):
            assert told not in done.stdout

    def asked(self):
        when = ("--from", "2020-01-01", "--until", "2100-01-01")
        what = ("--purpose", "warranty-analysis", "--category", "track", "--recipient", "stuttgart")
        done = self.run("transfer", "ask", *what, *when, "--as", "engineer", "--json", code=1)
        return json.loads(done.stdout)["id"]


@pytest.fixture
def desk(hands):
    return Desk(hands)


SHOWN = {
    "vehicle show": lambda d: ("vehicle", "show", d.vin),
    "vehicle list": lambda d: ("vehicle", "list"),
    "consent show": lambda d: ("consent", "show", d.vin),
    "rights show": lambda d: ("rights", "show", d.vin),
    "rights list": lambda d: ("rights", "list"),
    "query": lambda d: ("query", "SELECT * FROM track", "--purpose", "warranty-analysis"),
    "query tables": lambda d: ("query", "--tables", "--purpose", "warranty-analysis"),
    "query explain": lambda d: ("query", "SELECT * FROM track", "--explain", "--purpose", "warranty-analysis"),
}


@pytest.mark.parametrize("name", ["otto", "olga", "engineer"])
@pytest.mark.parametrize("command", SHOWN.values(), ids=SHOWN)
def test_no_command_shows_rows_or_persons_to_somebody_abroad(desk, command, name):
    desk.refused(*command(desk), "--as", name)


def test_an_officer_abroad_does_not_see_what_only_officers_see(desk, tmp_path):
    request = desk.asked()
    (tmp_path / "scan").write_bytes(b"signed by somebody")
    filed = ("transfer", "paper", request, "assessment", "--number", "1", "--file", str(tmp_path / "scan"))
    desk.run(*filed, "--as", "officer")
    key = recipient_of(new_identity())
    for args in (
        ("rights", "access", desk.vin),
        ("rights", "access", desk.vin, "--text"),
        ("rights", "access", desk.vin, "--take", str(tmp_path / "copy"), "--to", key),
        ("transfer", "show", request, "--bundle"),
        ("transfer", "show", request, "--text"),
        ("transfer", "papers", request, "--scan", "1", "--out", str(tmp_path / "out")),
        ("court", "list"),
    ):
        desk.refused(*args, "--as", "otto")
    desk.refused("transfer", "show", request, "--bundle", "--as", "reg")
    assert not (tmp_path / "copy").exists()
    assert not (tmp_path / "out").exists()
    desk.run("transfer", "papers", request, "--scan", "1", "--out", str(tmp_path / "out"), "--as", "officer")
    assert (tmp_path / "out").read_bytes() == b"signed by somebody"


def test_the_refused_looks_are_in_the_ledger_by_role(desk):
    desk.refused("vehicle", "show", desk.vin, "--as", "otto")
    shown = desk.run("ledger", "show", "--json").stdout.splitlines()
    found = [e for line in shown if (e := json.loads(line)["entry"])["t"] == "view"]
    assert [(e["state"], e["what"], e["role"], e["dest"]) for e in found] == [
        ("refused", "vehicle-show", "officer", "DE")
    ]


def test_the_same_commands_serve_who_is_at_home_and_who_says_no_name(desk):
    for command in (("vehicle", "show", desk.vin), ("consent", "show", desk.vin), ("rights", "list")):
        assert desk.run(*command, "--as", "officer").output == desk.run(*command).output


def test_an_engineer_sees_the_catalogue_and_the_papers(desk):
    (one,) = json.loads(desk.run("catalogue", "--as", "engineer", "--category", "track", "--json").stdout)["categories"]
    assert one["category"] == "track"
    assert one["rows"] is None  # of one car nothing is counted
    way = next(way for way in one["purposes"] if way["purpose"] == "warranty-analysis")
    assert "impact-assessment" in way["papers"]
    assert way["reasons"][0]["article"]
    said = desk.run("catalogue", "--as", "engineer", "--recipient", "stuttgart")
    assert "too few vehicles to say" in said.stdout
    request = desk.asked()
    desk.run("transfer", "paper", request, "impact-assessment", "--number", "IA-1", "--as", "officer")
    assert "IA-1" in desk.run("transfer", "papers", request).stdout
    assert "IA-1" in desk.run("transfer", "show", request).stdout


def test_papers_are_filed_renewed_and_withdrawn_from_the_command_line(desk):
    request = desk.asked()
    paper = ("transfer", "paper", request)
    desk.run(*paper, "impact-assessment", "--number", "IA-1", "--until", "2026-01-01", "--as", "officer")
    desk.run(*paper, "impact-assessment", "--number", "IA-2", "--from", "2026-01-02", "--as", "officer")
    items = [part for item in ("recipient", "contact") for part in ("--item", item)]
    desk.run(*paper, "export-notice", "--number", "EN-1", *items, "--as", "officer")
    lines = [json.loads(line) for line in desk.run("transfer", "papers", request, "--json").stdout.splitlines()]
    assert [(one["number"], one["state"]) for one in lines] == [
        ("IA-1", "over"),
        ("IA-2", "counts"),
        ("EN-1", "incomplete"),
    ]
    assert lines[2]["missing_items"] == ["purpose", "method", "types", "rights"]
    desk.run("transfer", "withdraw", request, "2", "--as", "officer")
    assert "withdrawn" in desk.run("transfer", "papers", request).stdout
    assert "paper-withdrawn" in desk.run("transfer", "withdraw", request, "2", "--as", "officer", code=1).output
    said = desk.run("transfer", "dossier", request).stdout
    assert "[to be written by" in said
    assert json.loads(desk.run("transfer", "dossier", request, "--json").stdout)["transfer"] == request


def test_courts_tasks_and_what_runs_out_show_in_check(desk):
    key = recipient_of(new_identity())
    with (desk.folder / "site.toml").open("a") as file:
        file.write(f'\n[recipients.court]\njurisdiction = "US"\nkey = "{key}"\nauthority = true\n')
    asked = ("court", "ask", "--kind", "police", "--authority", "A Police", "--reference", "7", "--recipient", "court")
    what = ("--category", "track", "--from", "2020-01-01", "--until", "2100-01-01", "--as", "officer")
    court = json.loads(desk.run(*asked, *what, "--json", code=1).stdout)
    assert court["verdict"]["reasons"][0]["code"] == "authority-approval-required"
    assert "A Police" in desk.run("court", "list", "--as", "officer").stdout
    desk.run("court", "refuse", court["id"], "--says", "no treaty", "--as", "officer")
    assert (
        "court-decided" in desk.run("court", "approve", court["id"], "--number", "1", "--as", "officer", code=1).output
    )
    assert desk.run("task", "list").stdout == ""
    assert "task-unknown" in desk.run("task", "done", "x", "--number", "1", "--as", "officer", code=1).output
    assert json.loads(desk.run("task", "sweep", "--as", "operator", "--json").stdout) == {"suspended": []}
    checked = {
        one["what"]: one
        for one in json.loads(CliRunner().invoke(cli, ["check", "--json", "--site", str(desk.folder)]).stdout)
    }
    assert all(checked[what]["good"] for what in ("filed", "tasks", "courts", "blocked"))
    assert "1 requests of foreign courts" in checked["courts"]["says"]


def test_an_emergency_is_an_officers_word_and_has_its_review(desk):
    when = ("--from", "2020-01-01", "--until", "2100-01-01")
    what = ("--purpose", "warranty-analysis", "--category", "vehicle-operation", "--recipient", "stuttgart")
    ask = ("transfer", "ask", *what, *when, "--emergency")
    assert "not-your-act" in desk.run(*ask, "--as", "engineer", code=1).output
    desk.run(*ask, "--as", "officer")
    (task,) = [json.loads(line) for line in desk.run("task", "list", "--json").stdout.splitlines()]
    assert task["what"] == "emergency-review"
    done = ("task", "done", task["id"], "--number", "M-7", "--as", "deputy")
    desk.run(*done)
    assert "task-done" in desk.run(*done, code=1).output
    assert "M-7" in desk.run("task", "list", "--all").stdout


def test_an_engineer_abroad_looks_under_a_permit_to_view_and_nothing_else(desk):
    with (desk.folder / "site.toml").open("a") as file:
        file.write('\n[people.eva]\nrole = "engineer"\nemployer = "stuttgart"\njurisdiction = "DE"\n')
    what = ("--purpose", "warranty-analysis", "--category", "track", "--recipient", "stuttgart", "--method", "view")
    when = ("--from", "2020-01-01", "--until", "2100-01-01", "--as", "eva", "--json")
    request = json.loads(desk.run("transfer", "ask", *what, *when, code=1).stdout)["id"]
    for kind in ("impact-assessment", "export-notice", "separate-consent", "standard-contract"):
        filed = ("transfer", "paper", request, kind, "--number", "1", "--as", "officer")
        desk.run(*filed)
    for name in ("officer", "deputy"):
        desk.run("transfer", "approve", request, "--as", name)
    look = ("query", "SELECT count(*) AS n FROM track", "--purpose", "warranty-analysis", "--as", "eva", "--json")
    assert "permit-missing" in desk.run(*look, "--transfer", request, code=1).output
    days = ("--from", "2020-01-01", "--until", "2100-01-01")
    permit = desk.run("permit", "grant", request, "--persons", "1", *days, "--as", "regulator").stdout.strip()
    assert f"--transfer {request}" in desk.run("transfer", "show", request).output
    desk.refused(*look)
    assert json.loads(desk.run(*look, "--transfer", request).stdout) == {"n": 20}
    assert "track" in desk.run("query", "--tables", *look[2:], "--transfer", request).stdout
    assert desk.run(*look, "--transfer", request, "--explain", code=2)
    assert "not-a-parcel" in desk.run("transfer", "ship", request, "--as", "officer", code=1).output
    page = desk.run("transfer", "show", request, "--text").stdout
    assert "no file: 20 rows read for a view" in page
    desk.run("permit", "revoke", permit, "--as", "regulator")
    assert "permit-revoked" in desk.run(*look, "--transfer", request, code=1).output


def test_an_engineer_abroad_learns_of_no_car_by_asking_about_one_and_then_about_none(desk):
    """A dry run about one car and one minute after the other would tell when it drove: counts of few are not told."""
    what = ("--purpose", "warranty-analysis", "--category", "track", "--recipient", "stuttgart", "--json")
    driven, empty = ("--from", "2020-01-01", "--until", "2100-01-01"), ("--from", "2020-01-01", "--until", "2020-01-02")

    def told(*more):
        said = json.loads(desk.run("transfer", "ask", *what, "--as", "engineer", *more, code=1).stdout)
        return {name: value for name, value in said.items() if name != "id"}

    stranger = "LSVAA4182E2100000"
    for days in (driven, empty):
        seen = told("--dry-run", "--vehicle", desk.vin, *days)
        assert seen == told("--dry-run", "--vehicle", stranger, *driven), "not even whether such a car is here"
        assert not {"rows", "persons", "vehicles", "bytes", "categories", "withheld"} & seen.keys()
        assert "impact-assessment" in seen["missing"]
    assert told("--vehicle", desk.vin, *driven) == told("--vehicle", desk.vin, *empty)
    assert told("--vehicle", desk.vin, *driven)["counters"] == []
    plain = [word for word in what if word != "--json"]
    said = desk.run("transfer", "ask", *plain, "--as", "engineer", "--dry-run", *driven, code=1)
    assert "is told at the site alone" in said.output
    assert "sensitive: " not in said.output
    asked = json.loads(desk.run("transfer", "ask", *what, "--as", "engineer", *driven, code=1).stdout)["id"]
    for name, sees in (("engineer", False), ("officer", True)):
        shown = json.loads(desk.run("transfer", "show", asked, "--json", "--as", name).stdout)
        assert bool(shown["counters"]) == sees, name
    at_home = desk.run("transfer", "ask", *what, "--as", "officer", "--dry-run", *driven, code=1)
    assert json.loads(at_home.stdout)["persons"] == 1
    assert json.loads(at_home.stdout)["counters"]
