"""Texts of papers in their languages: keys to sentences with figures in braces, names of codes, articles of law."""

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache, cached_property
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from onshore.reports.report import Language
from onshore.words.errors import Broken

_ARTICLE = re.compile(r",?\s*Arts?\. ?(\d+)")
"""An article behind the name of its law, with what stands between them."""
_ITEM = re.compile(r"([条至])\((\d+)\)")
_ONES = "零一二三四五六七八九"
_RUN = re.compile(r"(\d+)(y|mo|d|h|m|s)")


@cache
def table(language: Language) -> Mapping[str, str]:
    """Every text of a language by its key, such as "kept.title"."""
    text = resources.files("onshore.reports").joinpath(f"texts/{language}.toml").read_text(encoding="utf-8")
    return dict(_flat(tomllib.loads(text)))


def _flat(part: Mapping[str, Any], under: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in part.items():
        found += _flat(value, f"{under}{key}.") if isinstance(value, dict) else [(under + key, str(value))]
    return found


class Words:
    """The texts of one language, and how it writes figures, days, codes and articles."""

    def __init__(self, language: Language, zone: str) -> None:
        self.language, self._zone, self._texts = language, ZoneInfo(zone), table(language)

    def __call__(self, key: str, /, **figures: str | int) -> str:
        """A text; whole numbers in it are written with their thousands apart. Broken where there is none."""
        if key not in self._texts:
            raise Broken(f"the papers have no text '{key}' in '{self.language}'")
        said = {name: f"{value:,}" if isinstance(value, int) else value for name, value in figures.items()}
        return self._texts[key].format(**said)

    def name(self, what: str, code: str) -> str:
        """What a code is called, such as a category's; the code itself where it is a site's own."""
        return self._texts.get(f"{what}.{code}", code)

    def names(self, what: str, codes: Any) -> str:
        """What some codes are called, in order."""
        return self("list.and").join(self.name(what, code) for code in codes) or self("none")

    def day(self, at: int | date) -> str:
        """A day here, of an instant (ms UTC) or a date."""
        found = at if isinstance(at, date) else datetime.fromtimestamp(at / 1000, UTC).astimezone(self._zone).date()
        return found.isoformat()

    def moment(self, at: int) -> str:
        """An instant here to the minute, with its distance from UTC."""
        here = datetime.fromtimestamp(at / 1000, UTC).astimezone(self._zone)
        return here.isoformat(sep=" ", timespec="minutes")

    def article(self, said: str) -> str:
        """An article as this language names it: its law by its own name, where the texts have it."""
        for law, own in self._laws:
            said = said.replace(law, own)
        if self.language == "en":  # packs are written in it
            return said
        said = said.replace("; ", self("list.semicolon")).replace(" to (", "至(")
        if "》" not in said:
            return _ARTICLE.sub(r" 第\1条", said).lstrip()
        said = _ARTICLE.sub(lambda found: f"第{numeral(found[1])}条", said)
        return _ITEM.sub(lambda found: found[1] + self("list.item", number=numeral(found[2])), said)

    @cached_property
    def _laws(self) -> list[tuple[str, str]]:
        laws = [(key.removeprefix("laws."), own) for key, own in self._texts.items() if key.startswith("laws.")]
        return sorted(laws, key=lambda one: -len(one[0]))

    def length(self, run: str) -> str:
        """A length of time such as 3y or 14d."""
        return self("list.space").join(self(f"length.{unit}", number=int(number)) for number, unit in _RUN.findall(run))

    def mark(self, mark: str, *, verify: bool = False) -> str:
        """How well a rule is known: read in a source, or from memory; `verify`: still to be held against the text."""
        seen = mark.startswith("seen: ")
        said = self("mark.seen", source=mark.removeprefix("seen: ")) if seen else self(f"mark.{mark}")
        return said + self("mark.verify") if verify else said


def numeral(digits: str) -> str:
    """A number below a hundred as Chinese law writes it: 三, 十三, 三十三; another as it is."""
    if len(digits) > 2 or digits.startswith("0"):
        return digits
    tens, ones = divmod(int(digits), 10)
    head = "" if not tens else "十" if tens == 1 else _ONES[tens] + "十"
    return head + (_ONES[ones] if ones else "")
