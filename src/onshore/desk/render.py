"""Rendering: pages as HTML, in somebody's language; the same data as JSON."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from onshore.desk import called, draw, tracks
from onshore.desk import showing as now
from onshore.desk.files import Files
from onshore.desk.page import Page
from onshore.desk.texts import LANGUAGES


class Pages:
    """The templates of the package, each compiled when it is first asked for."""

    def __init__(self, files: Files, site: str, jurisdiction: str) -> None:
        self._env = Environment(
            loader=PackageLoader("onshore.desk"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        )
        self._env.install_gettext_callables(now.text, now.counted, newstyle=True)  # type: ignore[attr-defined]
        self._env.filters |= {
            "at": now.at,
            "told": now.text,
            "clock": now.clock,
            "day": now.day,
            "span": now.span,
            "number": now.number,
            "iso": now.iso,
            "called": called.name_of,
        }
        self._env.globals |= {
            "present": now.present,
            "static": files.path,
            "languages": LANGUAGES,
            "bars": partial(draw.bars, shown=now.number),
            "sparkline": partial(draw.sparkline, shown=now.number),
            "meter": partial(draw.meter, shown=now.number),
            "tracks": tracks.tracks,
            "site_name": site,
            "jurisdiction": jurisdiction,
        }

    def html(self, page: Page, one: now.Showing) -> str:
        """A page for somebody."""
        with now.showing(one):
            return self._env.get_template(page.template).render(page.data)


def json(data: Mapping[str, Any]) -> bytes:
    """The data of a page as its twin shows it."""
    return msgspec.json.encode(data, enc_hook=str)
