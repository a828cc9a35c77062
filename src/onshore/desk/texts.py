"""Texts: what pages say in Chinese, German and English; the English is the key."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from io import BytesIO
from typing import Final

from babel import Locale
from babel.messages.pofile import read_po

from onshore.desk.who import ROLES

LANGUAGES: Final = {"zh-CN": "中文", "de": "Deutsch", "en": "English"}
"""Code of a language to what it calls itself, in the order of the switch."""

AREAS: Final = ("common", *ROLES)
_BABEL: Final = {"zh-CN": "zh_Hans_CN", "de": "de_DE", "en": "en_GB"}
LOCALES: Final = {lang: Locale.parse(name) for lang, name in _BABEL.items()}
SOURCE: Final = "en"
"""The language of the keys: it has no files."""

Found = Mapping[str, tuple[str, ...]]
"""English to what it is in a language: one form, or one for each number that the language tells apart."""


def T(text: str) -> str:  # noqa: N802 (a mark that is read past, as gettext's _ is)
    """Mark a text of Python code for translation: it is shown in the language of whoever sees it."""
    return text


@dataclass(frozen=True)
class Texts:
    """All texts of one language, by area; an area's own come before the common ones."""

    lang: str
    areas: Mapping[str, Found]

    def text(self, area: str, key: str) -> str:
        """A text of an area."""
        return self._forms(area, key)[0]

    def counted(self, area: str, key: str, keys: str, number: int) -> str:
        """A text for a number of things."""
        forms = self._forms(area, key)
        if self.lang == SOURCE:
            return key if number == 1 else keys
        return forms[min(int(number != 1), len(forms) - 1)]  # of the languages here one has two forms, one has one

    def _forms(self, area: str, key: str) -> Sequence[str]:
        return self.areas.get(area, {}).get(key) or self.areas["common"].get(key) or (key,)


def read_texts(lang: str) -> Texts:
    """The texts of a language, from locales/<language>/<area>.po."""
    return Texts(lang, {area: dict(_read(lang, area)) for area in AREAS if lang != SOURCE} or {"common": {}})


def _read(lang: str, area: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    file = resources.files("onshore.desk").joinpath("locales", lang, f"{area}.po")
    for message in read_po(BytesIO(file.read_bytes()), locale=_BABEL[lang]):
        if message.id:
            said = message.string if isinstance(message.string, tuple | list) else (message.string,)
            key = message.id[0] if isinstance(message.id, tuple | list) else message.id
            yield str(key), tuple(str(form) for form in said)


def wanted(asked: str, kept: str, accepted: str) -> str:
    """The language to answer in: the one asked for, else the one kept, else the first of Accept-Language that is ours.

    A language counts for all of its regions: "zh-TW" is answered in zh-CN, "de-AT" in de.
    """
    for said in (asked, kept):
        if said in LANGUAGES:
            return said
    mains = {lang.partition("-")[0]: lang for lang in LANGUAGES}
    ranked = sorted(enumerate(accepted.split(",")), key=lambda one: (-_weight(one[1]), one[0]))
    found = (mains.get(one.partition(";")[0].strip().partition("-")[0].lower()) for _, one in ranked if _weight(one))
    return next(filter(None, found), SOURCE)


def _weight(one: str) -> float:
    """How much somebody wants a language (RFC 9110 §12.4.2)."""
    said = one.partition(";")[2].strip().removeprefix("q=")
    try:
        return float(said) if said else 1.0
    except ValueError:
        return 0.0
