"""An offer that the law of the US refuses is reported within its days: by the real pack, from the command line."""

import json
from datetime import date, timedelta

import pytest
from click.testing import CliRunner

from onshore.cli.drives import computed
from onshore.cli.main import cli
from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.decode import decode
from onshore.gate.intake import Intake
from onshore.register import consents, vehicles
from onshore.site import now_ms, open_site
from onshore.vault.age import new_identity, recipient_of
from onshore.vault.journal import Journal

BULK = 1000
"""Located cars from which on a site that reads the rule strictly refuses (28 CFR 202.205, and the guard below it)."""

DAY = 86_400_000
VIN = b"LTEST%012d"


def run(folder, *args, code=0):
    done = CliRunner().invoke(cli, [*args, "--site", str(folder)])
    assert done.exit_code == code, (args, done.output, done.exception)
    return done


@pytest.fixture
def clock(monkeypatch):
    """The clock that commands read, in our hands."""
    now = [now_ms()]
    kept = {**open_site.__kwdefaults__, "clock": lambda: now[0]}
    monkeypatch.setattr("onshore.site.open_site.__kwdefaults__", kept)
    return now


@pytest.fixture
def detroit(tmp_path, clock):
    """A site in the US of so many cars that their tracks are bulk, each of which its owner lets go to Shanghai."""
    folder = tmp_path / "site"
    run(folder, "init", "--jurisdiction", "US", "--name", "detroit")
    with (folder / "site.toml").open("a") as file:
        file.write(f'\n[recipients.shanghai]\njurisdiction = "CN"\nkey = "{recipient_of(new_identity())}"\n')
    site = open_site(folder)
    wish = consents.Wish(("warranty-analysis",), ("track",), "2026-11", separate=True, recipients={"shanghai"})
    frames, ids = [], []
    (moment,) = computed(1, 1)
    for number in range(BULK):
        vin = VIN % number
        car = vehicles.add(site, vin.decode(), owner=f"owner {number}", contact="o@example.org")
        consents.give(site, car, wish)
        frames.append(encode.realtime(vin, clock[0] + 1000, moment.units))
        ids.append(car.id)
    clock[0] += 60_000
    batch = decode(frames, ids, clock[0]).batch
    with Journal(
        site.engine, site.root, site.vault, site=site.id, gate="0", clock=site.clock, randomness=site.randomness
    ) as journal:
        Intake(site, journal).take_in(batch)
    site.drain()
    return folder


def ask(folder, *more, code):
    what = ("--purpose", "warranty-analysis", "--category", "track", "--recipient", "shanghai")
    when = ("--from", "2020-01-01", "--until", "2100-01-01", "--as", "engineer", "--json")
    return json.loads(run(folder, "transfer", "ask", *what, *when, *more, code=code).stdout)


def waiting(folder):
    return [json.loads(line) for line in run(folder, "task", "list", "--json").stdout.splitlines()]


def test_an_offer_of_bulk_is_refused_and_its_report_is_owed_within_14_days(detroit, clock, tmp_path):
    few = [arg for n in range(3) for arg in ("--vehicle", (VIN % n).decode())]
    assert ask(detroit, *few, code=0)["verdict"] == "allow"
    assert waiting(detroit) == []
    refused = ask(detroit, code=1)
    assert "bulk-threshold" in {reason["code"] for reason in refused["reasons"]}
    (task,) = waiting(detroit)
    assert (task["what"], task["article"], task["state"]) == ("rejected-offer-report", "28 CFR 202.1104", "in time")
    reported(detroit, task, tmp_path / "rejected.json")
    began = open_site(detroit).today()
    assert date.fromisoformat(task["last_day"]) == began + timedelta(days=14)

    shown = run(detroit, "ledger", "show", "--json").stdout.splitlines()
    (entry,) = [e for line in shown if (e := json.loads(line)["entry"])["t"] == "task"]
    assert (entry["state"], entry["due"]) == ("opened", task["last_day"])

    clock[0] += 15 * DAY
    checked = CliRunner().invoke(cli, ["check", "--json", "--site", str(detroit)])
    (line,) = [one for one in json.loads(checked.stdout) if one["what"] == "tasks"]
    assert not line["good"]
    assert checked.exit_code == 1
    run(detroit, "task", "done", task["id"], "--number", "DOJ-14", "--as", "officer")
    assert waiting(detroit) == []


def reported(folder, task, to):
    """The report of what was refused writes itself, up to what a human must say."""
    run(folder, "report", "make", "rejected", "--lang", "en", "--to", str(to))
    report = json.loads(to.read_text())
    assert [section["number"] for section in report["sections"]] == ["1", "2", "2.1", "2.2", "2.3", "2.4"]
    tables = {part["title"]: part["rows"] for one in report["sections"] for part in one["parts"] if "rows" in part}
    (row,) = tables["Offers rejected whose report is owed"]
    assert row["cells"][0] == task["transfer"]
    assert row["cells"][2:6] == ["track", "file", "shanghai (CN)", task["last_day"]]
    assert any(line["cells"][2] >= BULK for line in tables["How much they were of"])
    assert [one["section"] for one in report["open"]] == ["1", "2.2", "2.3", "2.4"]
