"""Which papers there are, as data: whose law asks for each, what it must contain, and how well that is known."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from onshore.reports.report import Language

KINDS = ("annual", "risk", "impact", "processing", "transfers", "rejected", "erasures")


class _Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of a form: a key that it does not know is an error."""


class Said(_Form, frozen=True):
    """A text in both languages; neither may be empty."""

    zh: str
    en: str

    def __post_init__(self) -> None:
        if not (self.zh.strip() and self.en.strip()):
            raise ValueError("a text is empty in a language")

    def in_(self, language: Language) -> str:
        """The text in a language."""
        return self.zh if language == "zh" else self.en


class Item(_Form, frozen=True):
    """What a law has a paper contain. `shows`: blocks of evidence; `asks`: what a human writes.

    `article`: none where it is ours. `mark`: as of a rule of a pack, by default the form's. `when`: "left" where it is
    asked only of a year in which something left. `sub`: it stands below the item before it.
    """

    title: Said
    article: Said | None = None
    mark: str = ""
    verify: bool = False
    shows: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    when: Literal["always", "left"] = "always"
    sub: bool = False


class Form(_Form, frozen=True):
    """A paper: `jurisdictions` whose sites owe it ("*": any), its article, the pack's clock by which it is due.

    `kind`: of the rules of a pack: LAW, INT, POLICY.
    """

    title: Said
    about: Said
    jurisdictions: tuple[str, ...]
    article: Said
    kind: str
    item: tuple[Item, ...]
    mark: str = ""
    clock: str = ""

    def for_(self, home: tuple[str, ...]) -> bool:
        """Whether a site owes it whose pack has these jurisdictions inside."""
        return "*" in self.jurisdictions or bool(set(self.jurisdictions) & set(home))


@cache
def form(kind: str) -> Form:
    """The form of a kind of paper."""
    text = resources.files("onshore.reports").joinpath(f"forms/{kind}.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Form)


@cache
def asks() -> Mapping[str, Said]:
    """What humans are asked to write, by the name under which a file of texts has it."""
    text = resources.files("onshore.reports").joinpath("forms/asks.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Said])
