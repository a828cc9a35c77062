"""At the desk: a person sees, takes along, restricts and erases by the command line, and the queue is seen."""

import json
import re

import pytest
from click.testing import CliRunner

from onshore import site as sites
from onshore.cli.main import cli
from onshore.register import persons
from onshore.rights import cases, clocks
from onshore.vault.age import new_identity, open_sealed_file, recipient_of
from rights_makers import agreed, floored, said

AS = ("--as", "officer")


@pytest.fixture
def run(hands):
    hands.allow(1)
    hands.drive(1, 2)

    def run(*args, code=0):
        done = CliRunner().invoke(cli, [*args, "--site", str(hands.site.folder)])
        assert done.exit_code == code, (args, done.output, done.exception)
        return done

    return run


def vin(hands, number=1):
    return hands.vin(number).decode()


def verified(run, hands, path):
    key = str(hands.site.folder / "ledger" / "vkey")
    return CliRunner().invoke(cli, ["verify", str(path), "--key", key]).stdout.splitlines()[-1] == "verified"


def test_a_page_tells_it_in_words(run, hands):
    text = run("rights", "access", vin(hands), "--text", *AS).stdout
    assert "What is held about owner 1" in text
    assert "track, on the ground: consent" in text
    assert re.search(r"kept until 2026-10-\d\d \d\d:\d\d \(TC260-001 \(2021\)\)", text)
    assert "no article ends it by itself" in text
    assert "track for warranty-analysis, to stuttgart" in text
    assert "WHO RECEIVED IT\n  nobody" in text
    run("rights", "restrict", vin(hands), "--identity-checked", "id-card", *AS)
    again = run("rights", "access", vin(hands), "--text", *AS).stdout
    assert "all of it is restricted" in again
    assert "(checked: id-card)" in again


def test_what_is_seen_is_json_without_a_word_between(run, hands):
    seen = json.loads(run("rights", "access", vin(hands), *AS).stdout)
    assert seen["keeper"]["vin"] == vin(hands)
    assert [len(c["receipts"]) for c in seen["consents"]] == [1, 1]
    assert (seen["drives"], seen["certificates"], seen["chip"]) == ({"said": 0, "first": None, "last": None}, [], False)
    assert "desk" in run("rights", "access", vin(hands), *AS).stderr
    assert "desk" not in run("rights", "access", vin(hands), "--identity-checked", "id-card", *AS).stderr
    run("rights", "access", vin(hands), "--identity-checked", "D 123456789", *AS, code=2)
    run("rights", "access", vin(hands), "--category", "track", *AS, code=2)


def test_a_copy_is_taken_along(run, hands, tmp_path):
    identity = new_identity()
    to = ("--take", str(tmp_path / "anna"), "--to", recipient_of(identity))
    done = json.loads(run("rights", "access", vin(hands), *to, "--category", "track", *AS).stdout)
    assert done["rows"] == 40
    assert verified(run, hands, done["receipt"])
    open_sealed_file(tmp_path / "anna" / f"{done['case']}.tar.age", tmp_path / "plain.tar", identity)
    run("rights", "access", vin(hands), *to[:2], *AS, code=2)


def test_one_driver_is_erased_and_the_certificate_is_theirs_alone(run, hands, tmp_path):
    cleo = persons.add_driver(hands.site, hands.car().id, name="Cleo", mark="card 7")
    agreed(hands, hands.car(), driver=cleo)
    said(hands, (77.5, "card 7"))
    paper = tmp_path / "certificate.json"
    who = ("--person", f"{cleo:016x}")
    done = run("rights", "erase", vin(hands), *who, "--out", str(paper), *AS)
    assert "erased 1 rows" in done.stderr
    assert verified(run, hands, paper)
    shown = [json.loads(line) for line in run("rights", "show", vin(hands), "--json").stdout.splitlines()]
    assert shown[-1]["certificate"]["proof"] is None
    assert json.loads(run("rights", "access", vin(hands), *who, *AS).stdout)["held"] == []
    assert len(json.loads(run("rights", "access", vin(hands), *AS).stdout)["held"]) == 5
    assert "certificates" not in json.loads(run("rights", "access", vin(hands), *who, *AS).stdout)


def test_a_certificate_is_handed_out_later(run, hands, tmp_path):
    case = run("rights", "erase", vin(hands), "--category", "track", *AS).stdout.strip()
    run("rights", "certificate", case, "--out", str(tmp_path / "c.json"), *AS)
    assert verified(run, hands, tmp_path / "c.json")
    assert cases.find(hands.site, case).entry is None
    run("rights", "certificate", "0" * 16, "--out", str(tmp_path / "d.json"), *AS, code=1)


def test_some_days_are_erased_and_it_is_said_that_consents_stand(run, hands):
    days = ("--from", "2026-09-01", "--until", "2026-09-30")
    assert "consents stand" in run("rights", "erase", vin(hands), *days, *AS).stderr
    run("rights", "erase", vin(hands), "--from", "yesterday", *AS, code=2)
    run("rights", "erase", vin(hands), "--category", "gossip", *AS, code=2)


def test_a_category_is_restricted_and_that_alone_is_lifted(run, hands):
    only = ("--category", "track")
    assert json.loads(run("rights", "restrict", vin(hands), *only, "--json", *AS).stdout)["kind"] == "restrict"
    run("rights", "restrict", vin(hands), "--lift", "--category", "vehicle-operation", *AS, code=1)
    run("rights", "restrict", vin(hands), "--lift", *only, *AS)


def test_the_queue_is_seen_and_taken_up(run, hands, monkeypatch):
    assert "nothing waits" in run("rights", "list").stderr
    asked = cases.opened(hands.site, hands.car(), "erase", "anna")
    (one,) = json.loads(run("rights", "list", "--json").stdout)
    assert (one["case"], one["kind"], one["state"]) == (asked.id, "erase", "asked")
    assert one["article"] == "Automotive Data Provisions (Trial), Art. 9(5)"
    assert one["due"] > one["warn"][:10]
    assert "2026-10-12" in run("rights", "list").stdout
    report = CliRunner().invoke(cli, ["check", "--json", "--site", str(hands.site.folder)])
    (line,) = [line for line in json.loads(report.stdout) if line["what"] == "rights"]
    assert "1 cases open" in line["says"]
    with monkeypatch.context() as patched:
        patched.setattr("onshore.rights.erase.erase_scopes", lambda *_, **__: (_ for _ in ()).throw(OSError("full")))
        failed = run("rights", "resume", "--json", *AS, code=1)
        assert json.loads(failed.stdout) == {"failed": [asked.id], "open": [asked.id]}
    assert "0 cases are open" in run("rights", "resume", *AS).stderr
    assert clocks.queue(hands.site) == []


def test_what_the_law_has_kept_is_told_with_its_article(run, hands, monkeypatch):
    real = sites.open_site

    def with_floor(folder, **more):
        hands.site = real(folder, **more)
        floored(hands, "9y")
        return hands.site

    monkeypatch.setattr(sites, "open_site", with_floor)
    done = run("rights", "erase", vin(hands), *AS)
    kept = r"kept, restricted, until 20\d\d-\d\d-\d\dT.*: 20 rows \(Test Act, Art. 1: It is kept.\)"
    assert re.search(kept, done.stderr)
    assert "held" in run("rights", "list").stdout
    text = run("rights", "access", vin(hands), "--text", *AS).stdout
    assert re.search(r"must be kept until .* \(Test Act, Art. 1\)", text)


def test_a_car_is_sold_with_what_the_old_owner_chose(run, hands, tmp_path):
    identity = new_identity()
    run("vehicle", "sell", vin(hands), "--owner", "Bo", "--take", str(tmp_path), *AS, code=2)
    along = ("--take", str(tmp_path / "old"), "--to", recipient_of(identity))
    sold = json.loads(run("vehicle", "sell", vin(hands), "--owner", "Bo", "--erase", *along, "--json", *AS).stdout)
    assert sold["state"] == "done"
    receipt = tmp_path / "sale.json"
    receipt.write_text(json.dumps(sold["receipt"]))
    assert verified(run, hands, receipt)
    seen = json.loads(run("rights", "access", vin(hands), *AS).stdout)
    assert (seen["held"], seen["consents"], seen["requests"], seen["keeper"]["name"]) == ([], [], [], "Bo")
    told = run("vehicle", "sell", vin(hands, 2), "--owner", "Cy", *AS).stderr
    assert "kept, restricted, until its retention ends" in told
