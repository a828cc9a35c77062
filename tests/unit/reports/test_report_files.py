"""The files: every word of a report stands in each, typeset with repeated heads and numbered pages, by themselves."""

import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bytescan import Needles
from onshore.cli.drives import computed
from onshore.reports.draft import draft
from onshore.reports.files.html import html
from onshore.reports.files.plain import plain
from onshore.reports.human import read
from onshore.reports.making import made
from onshore.reports.report import Human, Paragraph, Row, Section, Table
from onshore.words.errors import Malformed, Refusal
from report_makers import texts
from unpack import views

pytest.importorskip("jinja2", reason="the extra 'reports' is not installed")
NOTO = any(Path("/usr/share/fonts").rglob("NotoSerifCJK*"))
prints = pytest.mark.skipif(not NOTO, reason="the fonts of fonts-noto-cjk are not on this machine")


@pytest.fixture(scope="session", params=["zh", "en"])
def report(life, request):
    return draft(life.site, "annual", 2027, request.param, {})


@pytest.fixture(scope="session")
def final(life, written):
    return draft(life.site, "annual", 2027, "en", read(written, "en"), state="final")


def said(report):
    """The words of a report that a reader must find in each file."""
    for section in report.sections:
        yield section.title
        for part in section.parts:
            if isinstance(part, Table):
                yield part.title
                yield from (str(cell) for row in part.rows for cell in row.cells if isinstance(cell, str))
            elif isinstance(part, Paragraph):
                yield part.text
            else:
                assert isinstance(part, Human)
                yield from (part.asks, *filter(None, part.text.split("\n")))


def squeezed(text):
    return re.sub(r"[\s\u00ad]+", "", text)


def test_a_page_stands_alone_and_says_all(report):
    import html as entities

    page = html(report).decode()
    plain_text = squeezed(entities.unescape(re.sub(r"<[^>]+>", " ", page)))
    for one in said(report):
        assert squeezed(one) in plain_text
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#)""", page)
    assert "url(" not in page
    assert f'lang="{"zh-CN" if report.language == "zh" else "en"}"' in page


def test_what_a_human_wrote_is_text_and_no_markup(life, tmp_path):
    path = texts(tmp_path, but=("other",))
    path.write_text(path.read_text() + '\nother = "<b>a & b</b>\\n\\nsecond"\n'.replace("other", "[other]\nen", 1))
    page = html(draft(life.site, "annual", 2027, "en", read(path, "en"))).decode()
    assert "<p>&lt;b&gt;a &amp; b&lt;/b&gt;</p>\n<p>second</p>" in page


def test_json_is_the_same_value(report):
    found = json.loads(plain(report))
    assert found["year"] == 2027
    assert [one["number"] for one in found["sections"]] == [section.number for section in report.sections]
    assert found["open"][0]["why"] == "human"


def test_an_ending_that_nobody_writes_is_malformed(report):
    with pytest.raises(Malformed, match=r"\.docx"):
        made(report, ".odt")


def test_a_document_has_styles_heads_that_repeat_and_numbered_pages(report):
    docx = pytest.importorskip("docx", reason="python-docx is not installed")
    done = docx.Document(io.BytesIO(made(report, ".docx")))
    whole = squeezed("".join(t.text or "" for t in done.element.body.iter() if t.tag.endswith("}t")))
    for one in said(report):
        assert squeezed(one) in whole
    levels = [p.style.name for p in done.paragraphs if p.style.name.startswith("Heading")]
    assert levels.count("Heading 2") == 5
    assert levels.count("Heading 1") == 10  # eight, what is open, the sources
    heads = [t for t in done.tables if t.rows[0]._tr.xpath("./w:trPr/w:tblHeader")]
    assert len(heads) > 10
    assert all(row._tr.xpath("./w:trPr/w:cantSplit") for row in heads[0].rows)
    footer = done.sections[0].footer._element.xml
    assert "PAGE" in footer
    assert "NUMPAGES" in footer
    assert 'w:eastAsia="SimSun"' in done.styles.element.xml
    assert done.core_properties.author == ""


@prints
def test_pages_say_all_in_their_fonts_and_are_numbered(report, tmp_path):
    pytest.importorskip("weasyprint", reason="WeasyPrint is not installed")
    data = made(report, ".pdf")
    assert data.startswith(b"%PDF-")
    if not shutil.which("pdftotext"):
        pytest.skip("poppler-utils is not installed: what the pages say is not read")
    (tmp_path / "r.pdf").write_bytes(data)
    run = lambda *args: subprocess.run([*args], capture_output=True, text=True, check=True).stdout  # noqa: E731
    pages = run("pdftotext", "-layout", str(tmp_path / "r.pdf"), "-").split("\f")[:-1]
    fonts = run("pdffonts", str(tmp_path / "r.pdf"))
    assert "Noto" in fonts
    assert all(line.split()[-5:-2] == ["yes", "yes", "yes"] for line in fonts.splitlines()[2:] if "Noto" in line)
    assert squeezed(report.title) in squeezed(pages[0])
    for number, page in enumerate(pages[1:], 2):
        line = f"第{number}页，共{len(pages)}页" if report.language == "zh" else f"Page{number}of{len(pages)}"
        assert line in squeezed(page)
    whole = squeezed("".join(run("pdftotext", "-raw", str(tmp_path / "r.pdf"), "-").split("\f")))
    for section in report.sections:
        assert squeezed(section.title) in whole
    mark = "草稿" if report.language == "zh" else "DRAFT"
    assert all(mark in squeezed(page) for page in pages)


@prints
def test_a_long_table_has_its_head_on_every_page(final, tmp_path):
    pytest.importorskip("weasyprint", reason="WeasyPrint is not installed")
    if not shutil.which("pdftotext"):
        pytest.skip("poppler-utils is not installed: what the pages say is not read")
    rows = tuple(Row((f"line {n}", n), 1) for n in range(150))
    section = Section("1", "Long", "Art. 1", "seen", (Table("Lines", ("What it is", "Figure"), rows, "none", 0),))
    (tmp_path / "r.pdf").write_bytes(made(replace(final, sections=(section,)), ".pdf"))
    told = ["pdftotext", "-layout", str(tmp_path / "r.pdf"), "-"]
    pages = subprocess.run(told, capture_output=True, text=True, check=True).stdout.split("\f")
    long = [page for page in pages if re.search(r"line \d", page)]
    assert len(long) > 2
    assert all("What it is" in page for page in long)


@prints
def test_no_vehicle_no_person_and_no_place_is_in_the_bytes(life, final, tmp_path):
    positions = [moment.units["position"] for number in range(1, 6) for moment in computed(number, 20)]
    vins = [life.vin(number).decode() for number in range(1, 6)]
    needles = Needles(vins, [(one["longitude"], one["latitude"]) for one in positions])
    planted = f"{vins[0]} {positions[0]['longitude']:.6f}".encode()
    assert {kind for kind, _ in needles.search(planted)} >= {"vin utf-8", "coordinate text"}  # it would be found
    for ending in (".pdf", ".docx", ".html", ".json"):
        path = tmp_path / f"r{ending}"
        path.write_bytes(made(final, ending))
        seen = [data for _, data in views(path)]
        if ending == ".pdf" and shutil.which("pdftotext"):  # whose pages are of glyphs, not of letters
            seen.append(subprocess.run(["pdftotext", str(path), "-"], capture_output=True, check=True).stdout)
        for data in seen:
            assert list(needles.search(data)) == []
            assert not any(f"owner {n}".encode() in data for n in range(1, 6))


@prints
def test_the_same_report_makes_the_same_pages(final):
    assert made(final, ".pdf") == made(final, ".pdf")
    assert html(final) == html(final)


def test_a_machine_without_the_fonts_refuses_rather_than_to_print_boxes(final, monkeypatch, tmp_path):
    pytest.importorskip("weasyprint", reason="WeasyPrint is not installed")
    monkeypatch.setattr("onshore.reports.files.pdf._FOLDERS", (str(tmp_path),))
    with pytest.raises(Refusal) as refused:
        made(final, ".pdf")
    assert refused.value.reason == "fonts-missing"
    assert "fonts-noto-cjk" in refused.value.remedy


def test_nothing_outside_a_page_is_fetched():
    pytest.importorskip("weasyprint", reason="WeasyPrint is not installed")
    from onshore.reports.files.pdf import _nothing

    with pytest.raises(ValueError, match="nothing outside"):
        _nothing("https://example.org/a.png")


def test_without_the_extra_it_says_what_to_install(final, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onshore.reports.files.docx", None)
    with pytest.raises(Refusal) as refused:
        made(final, ".docx")
    assert refused.value.reason == "extra-missing"
    assert "onshore[reports]" in refused.value.remedy
