"""An officer's registers from the command line: an incident with its clocks, a complaint, and a restore in between."""

import json
import re

import pytest
from click.testing import CliRunner

from backup_makers import backed_up, kept, restored
from onshore.cli.main import cli
from onshore.register import complaints, incidents, vehicles
from onshore.register.incidents import Happened
from onshore.site import open_site


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    run("init", "--jurisdiction", "CN", "--name", "s", at=folder)
    vehicles.add(open_site(folder), "LTEST000000000001", owner="Wang Wei", contact="139")
    return folder


def run(*args, at, code=0):
    done = CliRunner().invoke(cli, [*args, "--site", str(at)])
    assert done.exit_code == code, (done.output, done.exception)
    return done


def line(at, what, code=0):
    said = json.loads(run("check", "--json", at=at, code=code).stdout)
    return next((one["good"], one["says"]) for one in said if one["what"] == what)


OPEN = ("incident", "open", "--kind", "leak", "--severity", "serious", "--category", "track", "--as", "officer")


def test_an_incident_from_the_first_hour_to_its_end(site):
    done = run(*OPEN, "--concerns", "DE", "--says", "A disk of Wang Wei is gone.", at=site)
    id_ = done.stdout.strip()
    assert "to CN: in time, by 20" in done.stderr
    assert "persons not known yet" in done.stderr
    assert line(site, "incidents")[1].startswith("1 go on, 2 reports owed (2 in time); next to CN by ")
    assert "report-owed" in run("incident", "close", id_, "--says", "x", "--as", "officer", at=site, code=1).stderr
    run("incident", "amend", id_, "--persons", "1", "--severity", "grave", "--as", "deputy", at=site)
    run("incident", "report", id_, "--to", "CN", "--number", "CAC-1", "--as", "officer", at=site)
    run("incident", "report", id_, "--to", "DE", "--number", "D-1", "--as", "officer", "--json", at=site)
    listed = run("incident", "list", at=site).stdout
    assert re.search(rf"{id_}  reported  grave leak: track; 1 person, vehicles not known yet", listed)
    assert "Wang" not in listed + run("incident", "list", "--json", at=site).stdout
    shown = run("incident", "show", id_, "--as", "officer", at=site).stdout
    assert "A disk of Wang Wei is gone." in shown
    assert "number CAC-1, by officer" in shown
    run("incident", "close", id_, "--says", "Found.", "--as", "officer", at=site)
    assert "closed" in run("incident", "show", id_, "--as", "regulator", at=site).stdout
    assert run("incident", "list", at=site).stderr == "no incident goes on\n"
    assert json.loads(run("incident", "list", "--all", "--json", at=site).stdout)["state"] == "closed"
    assert line(site, "incidents") == (True, "0 go on")


def test_a_report_that_is_late_makes_the_check_bad(site):
    run(*OPEN, "--known", "2026-01-05T22:30", "--says", "It was long ago.", at=site)
    good, says = line(site, "incidents", code=1)
    assert not good
    assert "1 late" in says
    assert "by 2026-01-06T02:29:59+08:00" in says


def test_only_officers_open_them(site):
    args = [*OPEN[:-1], "engineer", "--says", "x"]
    assert "not-your-act" in run(*args, at=site, code=1).stderr


def test_a_complaint_and_its_answer(site):
    args = ("--about", "export", "--says", "Wang Wei, 139", "--vehicle", "LTEST000000000001")
    done = run("complaint", "open", *args, "--purpose", "warranty-analysis", "--as", "officer", at=site)
    id_ = done.stdout.strip()
    listed = run("complaint", "list", "--as", "officer", at=site).stdout
    assert re.search(rf"{id_}  in time +by 20.*about export, warranty-analysis, vehicle [0-9a-f]{{16}}", listed)
    assert "Wang" not in listed + run("complaint", "list", "--as", "officer", "--json", at=site).stdout
    assert line(site, "complaints")[1].startswith("1 wait (1 in time); next by 20")
    run("complaint", "answer", id_, "--says", "Nobody was sent it.", "--as", "officer", "--json", at=site)
    shown = run("complaint", "show", id_, "--as", "officer", at=site).stdout
    assert "Wang Wei, 139" in shown
    assert "Nobody was sent it." in shown
    assert json.loads(run("complaint", "show", id_, "--as", "officer", "--json", at=site).stdout)["state"] == "answered"
    assert run("complaint", "list", "--as", "officer", at=site).stderr == "no complaint waits\n"


def test_what_was_written_since_the_backup_is_there_after_a_restore(hands):
    kept(hands)
    car = hands.car()
    backed_up(hands)
    opened = incidents.open_(hands.site, Happened("loss", "grave", hands.now, "The disk died.", ("track",)), "officer")
    incidents.report(hands.site, opened.id, "CN", "officer", "CAC-1")
    asked = complaints.open_(hands.site, "other", "Where are my trips?", "officer", vehicle=car.id)
    site, _ = restored(hands)
    again = incidents.find(site, opened.id)
    assert (again.says, again.state, again.reports[0].number) == ("The disk died.", "reported", "CAC-1")
    assert complaints.find(site, asked.id).says == "Where are my trips?"
