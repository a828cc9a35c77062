"""What humans of a site wrote: a TOML file by the names that papers ask for, in one language or in each."""

import re
from collections.abc import Mapping
from pathlib import Path

from onshore.reports.form import Form, asks
from onshore.reports.report import LANGUAGES, Language
from onshore.words.errors import Malformed
from onshore.words.strict import toml

Written = Mapping[str, str]
"""By name, what was written in the language of a paper."""

VEHICLE = re.compile(r"(?<![A-Z0-9])(?=[A-Z0-9]*[0-9])(?=[A-Z0-9]*[A-Z])[A-HJ-NPR-Z0-9]{17}(?![A-Z0-9])", re.IGNORECASE)
PLACE = re.compile(r"(?<![\d.])-?\d{1,3}\.\d{4,}\s*[,;/ ]\s*-?\d{1,3}\.\d{4,}(?![\d.])")
"""What looks like a vehicle's number, or like a place: neither stands in a paper."""


def read(path: Path, language: Language) -> Written:
    """The texts of a file: NAME = "…", or NAME = { zh = "…", en = "…" }; Malformed names a key that nobody asks for.

    Malformed too where a text names a vehicle or a place: a paper goes to people who need neither.
    """
    found = {}
    for name, said in toml(path.read_text(encoding="utf-8"), str(path)).items():
        if name not in asks():
            raise Malformed(f"no paper asks for it; known: {', '.join(asks())}", where=f"{path}, {name}")
        text = _in(said, language, f"{path}, {name}")
        if VEHICLE.search(text) or PLACE.search(text):
            raise Malformed("it names a vehicle or a place, and no paper may", where=f"{path}, {name}")
        found[name] = text.strip()
    return found


def _in(said: object, language: Language, where: str) -> str:
    if isinstance(said, str):
        return said
    if isinstance(said, dict) and set(said) <= set(LANGUAGES) and all(isinstance(one, str) for one in said.values()):
        return str(said.get(language, ""))
    raise Malformed(f"it takes a text, or one in each of {', '.join(LANGUAGES)}", where=where)


def skeleton(form: Form) -> str:
    """A file of texts for a form, empty, with what is asked beside each name."""
    articles: dict[str, list[str]] = {}
    for item in form.item:
        for name in item.asks:
            of = [f"# {item.article.en} / {item.article.zh}"] if item.article else []
            articles.setdefault(name, []).extend(of)
    return "\n".join(
        "\n".join([*under, f"# {asks()[name].en}", f"# {asks()[name].zh}", f"[{name}]", 'zh = ""', 'en = ""', ""])
        for name, under in articles.items()
    )
