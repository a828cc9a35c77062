"""A report as one HTML page that stands alone: its style within it, nothing fetched, no script."""

from collections.abc import Sequence
from functools import cache
from importlib import resources

import jinja2

from onshore import __version__
from onshore.reports.report import Cell, Language, Report, Row
from onshore.reports.words import Words

_LANG = {"zh": "zh-CN", "en": "en"}
_SHORT = 18
_SHORT_CHINESE = 6
"""Characters of a cell that is not broken: a number of a request or parcel, a day, a word."""


def html(report: Report) -> bytes:
    """The page; numbers of pages are counted where it is printed."""
    words = Words(report.language, "UTC")
    page = _template().render(
        report=report, say=words, css=_css(report.language), lang=_LANG[report.language], version=__version__
    )
    return page.encode()


@cache
def _template() -> jinja2.Template:
    made = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=False, keep_trailing_newline=True
    )
    made.filters["written"] = written
    made.filters["paragraphs"] = paragraphs
    made.filters["shape"] = shape
    return made.from_string(_look("report.html"))


def written(cell: Cell) -> str:
    """A cell of a table: whole numbers with their thousands apart."""
    return f"{cell:,}" if isinstance(cell, int) else cell


def shape(rows: Sequence[Row], column: int) -> str:
    """What a column holds: figures, to stand below each other; texts too short to be broken; or others."""
    cells = [row.cells[column] for row in rows]
    if any(isinstance(cell, int) for cell in cells):
        return "figure"
    return "short" if all(_is_short(str(cell)) for cell in cells) else "text"


def _is_short(text: str) -> bool:
    """Whether a text is too short to be broken; a Chinese character is as wide as two letters."""
    return len(text) <= _SHORT if text.isascii() else len(text) <= _SHORT_CHINESE


def paragraphs(text: str) -> list[str]:
    """What a human wrote, paragraph by paragraph: an empty line divides them."""
    return [one.strip() for one in text.split("\n\n") if one.strip()]


def _css(language: Language) -> str:
    words = Words(language, "UTC")
    parts = (
        words("page.number", page="\0", pages="\1")
        .replace("\0", '" counter(page) "')
        .replace("\1", '" counter(pages) "')
    )
    return _look("report.css").replace("PAGE_NUMBER", f'"{parts}"')


@cache
def _look(name: str) -> str:
    return resources.files("onshore.reports").joinpath(f"look/{name}").read_text(encoding="utf-8")
