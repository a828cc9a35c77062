"""A report as DOCX, for whoever goes on writing in an office program: styles, repeated heads, page numbers."""

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from docx import Document
from docx.document import Document as Open
from docx.enum.section import WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from onshore.reports.files.html import paragraphs, written
from onshore.reports.report import Human, Paragraph, Report, Table
from onshore.reports.words import Words

_FACES = {"zh": ("Times New Roman", "SimSun", "SimHei"), "en": ("Arial", "SimSun", "SimHei")}
"""Of a language: letters, Chinese text, Chinese headings; fonts that an office has."""

_GREY, _AMBER, _GREEN = RGBColor(0x55, 0x55, 0x55), RGBColor(0xA3, 0x3B, 0x00), RGBColor(0x0B, 0x5C, 0x3B)


def docx(report: Report) -> bytes:
    """The document."""
    words = Words(report.language, "UTC")
    made = Document()
    _styles(made, report)
    _page(made, report, words)
    _cover(made, report, words)
    if report.open:
        made.add_heading(words("page.open"), 1)
        rows = [((one.section or words("dash"), one.says), "") for one in report.open]
        _grid(made, (words("page.section"), words("head.what")), rows, "")
        _turn(made)
    for section in report.sections:
        made.add_heading(f"{section.number}  {section.title}", 2 if "." in section.number else 1)
        if section.article:
            _small(made, f"{section.article} · {section.mark}")
        for part in section.parts:
            _part(made, part, words)
    made.add_paragraph()
    for name in ("company", "lead", "day"):
        made.add_paragraph(f"{words(f'seal.{name}')} ______________________").paragraph_format.left_indent = Mm(70)
    _turn(made)
    made.add_heading(words("page.sources"), 1)
    made.add_paragraph(words("page.how"))
    _grid(made, (), [((str(one.number), one.says), "") for one in report.sources], "")
    return _saved(made, report)


def _turn(made: Any) -> None:
    made.add_page_break()


def _part(made: Open, part: Any, words: Words) -> None:
    if isinstance(part, Paragraph):
        made.add_paragraph(f"{part.text} [{part.source}]")
    elif isinstance(part, Human):
        label = words("page.written" if part.text else "page.to-write")
        run = made.add_paragraph().add_run(f"{label} · {part.asks}")
        run.font.size, run.font.color.rgb = Pt(9), _GREY if part.text else _AMBER
        for text in paragraphs(part.text):
            made.add_paragraph(text).paragraph_format.left_indent = Mm(5)
    elif isinstance(part, Table):
        caption = made.add_paragraph()
        caption.paragraph_format.keep_with_next = True
        caption.add_run(part.title).bold = True
        rows = [(tuple(written(cell) for cell in row.cells), str(row.source)) for row in part.rows]
        head = part.head if rows else ()
        _grid(made, head, rows or [((part.none,), str(part.source))], words("page.source"))


def _grid(made: Open, head: tuple[str, ...], rows: Sequence[tuple[tuple[str, ...], str]], source: str) -> None:
    """A table whose head is repeated on every page; the number of the source in a last, narrow column."""
    lines = [(*cells, of) if source else cells for cells, of in rows]
    titles = (*head, source) if source else head
    table = made.add_table(rows=0, cols=len(lines[0]) if lines else len(titles))
    table.style = "Table Grid"
    table.autofit = True
    if head:
        cells = table.add_row()
        _repeat(cells)
        for cell, text in zip(cells.cells, titles, strict=True):
            _fill(cell, text, bold=True)
    for line in lines:
        row = table.add_row()
        _whole(row)
        for cell, text in zip(row.cells, line, strict=True):
            _fill(cell, text)
    made.add_paragraph().paragraph_format.space_after = Pt(2)


def _fill(cell: Any, text: str, *, bold: bool = False) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_after = Pt(0)
    run = paragraph.add_run(text)
    run.bold, run.font.size = bold, Pt(8.5)


def _small(made: Open, text: str) -> None:
    run = made.add_paragraph().add_run(text)
    run.font.size, run.font.color.rgb = Pt(8.5), _GREY


def _cover(made: Open, report: Report, words: Words) -> None:
    for _ in range(5):
        made.add_paragraph()
    title = made.add_paragraph(report.title, style="Title")
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for text, size, colour in (
        (str(report.year), 18, None),
        (words(f"page.{report.state}"), 14, _AMBER if report.state == "draft" else _GREEN),
    ):
        line = made.add_paragraph()
        line.alignment = WD_ALIGN_PARAGRAPH.CENTER
        run = line.add_run(text)
        run.bold, run.font.size = True, Pt(size)
        if colour is not None:
            run.font.color.rgb = colour
    _grid(made, (), [(fact, "") for fact in report.facts], "")
    _small(made, report.about)
    _turn(made)


def _page(made: Open, report: Report, words: Words) -> None:
    """A4, the title and state above, the number of the page below; a cover without either."""
    section = made.sections[0]
    section.start_type = WD_SECTION.NEW_PAGE
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin, section.right_margin = Mm(24), Mm(22)
    section.top_margin, section.bottom_margin = Mm(27), Mm(24)
    section.different_first_page_header_footer = True
    said = f"{report.title} · {report.year} · {report.site} · {words(f'page.{report.state}')}"
    section.header.paragraphs[0].add_run(said).font.size = Pt(8.5)
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    before, rest = words("page.number", page="\0", pages="\1").split("\0")
    between, after = rest.split("\1")
    for text, field in ((before, "PAGE"), (between, "NUMPAGES"), (after, "")):
        foot.add_run(text).font.size = Pt(8.5)
        if field:
            _field(foot, field)


def _styles(made: Open, report: Report) -> None:
    letters, text, heads = _FACES[report.language]
    for name, chinese, size in (
        ("Normal", text, 10.5),
        ("Title", heads, 24),
        ("Heading 1", heads, 14),
        ("Heading 2", heads, 12),
    ):
        style: Any = made.styles[name]
        style.font.name, style.font.size = letters, Pt(size)
        style.font.color.rgb = RGBColor(0, 0, 0)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        for which, face in (("ascii", letters), ("hAnsi", letters), ("eastAsia", chinese)):
            fonts.set(qn(f"w:{which}"), face)


def _field(paragraph: Any, name: str) -> None:
    run = paragraph.add_run()
    run.font.size = Pt(8.5)
    for kind in ("begin", None, "end"):
        if kind is None:
            code = OxmlElement("w:instrText")
            code.set(qn("xml:space"), "preserve")
            code.text = name
        else:
            code = OxmlElement("w:fldChar")
            code.set(qn("w:fldCharType"), kind)
        run._r.append(code)  # noqa: SLF001 (python-docx has no fields of its own)


def _repeat(row: Any) -> None:
    _property(row, "w:tblHeader")
    _whole(row)


def _whole(row: Any) -> None:
    _property(row, "w:cantSplit")


def _property(row: Any, name: str) -> None:
    mark = OxmlElement(name)
    mark.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(mark)  # noqa: SLF001 (nor of properties of a row)


def _saved(made: Open, report: Report) -> bytes:
    about = made.core_properties
    about.title, about.author, about.comments = f"{report.title} {report.year}", "", ""
    about.language = "zh-CN" if report.language == "zh" else "en"
    about.created = about.modified = datetime.fromisoformat(report.made).replace(tzinfo=None)
    about.last_modified_by = ""
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()
