"""A report as PDF: the HTML page, set by WeasyPrint with fonts of this machine and nothing from elsewhere."""

from pathlib import Path
from typing import NoReturn

import weasyprint

from onshore.reports.files.html import html
from onshore.reports.report import Report
from onshore.words.errors import Refusal

_FONTS = "NotoSansCJK*", "NotoSerifCJK*"
_FOLDERS = "/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts"


def pdf(report: Report) -> bytes:
    """The pages; refuses (`fonts-missing`) where this machine cannot write Chinese, rather than to write boxes."""
    if missing := [name for name in _FONTS if not _is_here(name)]:
        raise Refusal(
            "fonts-missing",
            f"the fonts {' and '.join(one.rstrip('*') for one in missing)} are not on this machine",
            remedy="install Debian's package fonts-noto-cjk, or write .docx or .html",
        )
    page = weasyprint.HTML(string=html(report).decode(), url_fetcher=_nothing)
    made = page.write_pdf(pdf_tags=True, custom_metadata=False)
    assert isinstance(made, bytes)
    return made


def _is_here(name: str) -> bool:
    return any(next(Path(folder).expanduser().rglob(name), None) for folder in _FOLDERS)


def _nothing(url: str) -> NoReturn:
    """Whatever a page names outside itself is not fetched."""
    raise ValueError(f"a report names nothing outside itself: {url[:40]}")
