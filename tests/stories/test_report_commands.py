"""`onshore report`: list, text, make; what blocks final is listed; a final report is in the ledger."""

import hashlib
import json
import shutil

import pytest
from click.testing import CliRunner

from onshore.cli.init import make_site
from onshore.cli.main import cli
from onshore.ledger.entry import read
from onshore.register import vehicles
from onshore.reports.draft import draft
from onshore.site import open_site
from report_makers import lived, texts
from site_makers import Hands


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return lived(Hands(tmp_path_factory.mktemp("whole") / "site"))


@pytest.fixture
def folder(whole, tmp_path, monkeypatch):
    kept = {**open_site.__kwdefaults__, "clock": lambda: whole.now}
    monkeypatch.setattr("onshore.site.open_site.__kwdefaults__", kept)
    return shutil.copytree(whole.site.folder, tmp_path / "site")


def run(folder, *args, code=0):
    done = CliRunner().invoke(cli, ["report", *map(str, args), "--site", str(folder)])
    assert done.exit_code == code, (args, done.output, done.exception)
    return done


def logged(folder):
    return [entry for body in open_site(folder).ledger.entries() if (entry := read(body))["t"] == "report"]


def test_a_site_lists_what_it_owes(folder):
    said = run(folder, "list").stdout
    assert "annual" in said
    assert "年度汽车数据安全管理情况报告" in said
    assert "GDPR" not in said
    kinds = [json.loads(line)["kind"] for line in run(folder, "list", "--json").stdout.splitlines()]
    assert kinds == ["annual", "risk", "impact", "transfers", "erasures"]


def test_an_empty_file_of_texts_is_printed_and_blocks_all_that_it_asks(folder, tmp_path):
    skeleton = tmp_path / "mine.toml"
    skeleton.write_text(run(folder, "text", "annual").stdout)
    asked = json.loads(run(folder, "text", "annual", "--json").stdout)
    done = run(folder, "make", "annual", "--text", skeleton, "--final", "--to", tmp_path / "r.html", code=1)
    assert "report-open" in done.stderr
    for one in asked.values():
        assert one["zh"] in done.stderr
    assert not (tmp_path / "r.html").exists()
    assert logged(folder) == []


def test_a_draft_is_written_over_and_is_not_in_the_ledger(folder, tmp_path):
    to = tmp_path / "r.json"
    for lang in ("zh", "en"):
        done = run(folder, "make", "erasures", "--year", 2026, "--lang", lang, "--to", to)
        assert json.loads(to.read_text())["language"] == lang
        assert json.loads(to.read_text())["state"] == "draft"
    assert "sections" in done.stderr
    assert logged(folder) == []


@pytest.mark.parametrize("ending", ["pdf", "docx", "html", "json"])
def test_a_final_report_is_in_the_ledger_by_its_digest_and_is_not_written_over(folder, tmp_path, ending):
    if ending == "pdf" and not shutil.which("pdftotext"):
        pytest.skip("poppler-utils and fonts-noto-cjk are not here")
    to = tmp_path / f"annual.{ending}"
    made = ("make", "annual", "--text", texts(tmp_path), "--final", "--to", to)
    said = json.loads(run(folder, *made, "--json").stdout)
    assert (said["state"], said["open"], said["proof"]) == ("final", 0, True)
    (entry,) = logged(folder)
    assert entry["obj"] == "sha256:" + hashlib.sha256(to.read_bytes()).hexdigest()
    assert (entry["what"], entry["year"]) == ("annual", 2027)
    key = ("--key", str(folder / "ledger" / "vkey"))
    verified = CliRunner().invoke(cli, ["verify", str(to.with_name(f"{to.name}.tlog-proof")), *key])
    assert verified.exit_code == 0, verified.output
    assert "file-there" in run(folder, *made, code=1).stderr
    assert len(logged(folder)) == 1


def test_wrong_use_is_told(folder, tmp_path):
    run(folder, "make", "annual", "--to", tmp_path / "r.odt", code=2)
    run(folder, "make", "poem", "--to", tmp_path / "r.html", code=1)
    run(folder, "text", "processing", code=1)
    run(folder, "make", "annual", "--as", "engineer", "--to", tmp_path / "r.html", code=1)


def test_a_site_in_the_union_keeps_a_record_of_processing(tmp_path):
    folder = tmp_path / "munich"
    now = 1_790_000_000_000
    make_site(folder, "DE", "munich", clock=lambda: now)
    site = open_site(folder, clock=lambda: now)
    vehicles.add(site, "WTEST000000000001", owner="owner 1")
    report = draft(site, "processing", 2026, "en", {})
    assert [section.article for section in report.sections] == [f"Art. 30(1)({letter})" for letter in "abcdefg"]
    assert {one.section for one in report.open} == {"1", "3", "4", "5", "7"}
    assert "from memory" in report.sections[0].mark
    assert json.dumps([str(one) for one in report.sections]).count("owner 1") == 0
