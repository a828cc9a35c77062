"""What a page or an act of the desk answers: data under a template, another page to go to, or a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Page:
    """A page: its template below templates/, and its data, which the `.json` twin of the same path shows as it is.

    Data is a mapping of text to what msgspec writes (dataclasses, structs, numbers, texts), in no language: codes,
    instants as milliseconds UTC, random ids as text. The template has each key of it as a name.
    """

    template: str
    data: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True)
class Moved:
    """An act is done: see the page `to` (303). `says` is told there once, a text marked with `texts.T`, with `values`.

    `data`: what a caller that speaks JSON is told.
    """

    to: str
    says: str = ""
    values: Mapping[str, str | int] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Entered:
    """Somebody signed in (`token`) or out (empty): the browser is told so, and sees the page `to`."""

    token: str
    to: str


@dataclass(frozen=True)
class Kept:
    """A choice that the browser keeps for a year, such as the theme; then the page `to` again."""

    name: str
    value: str
    to: str


@dataclass(frozen=True)
class File:
    """A file to save: its name (plain letters), media type and bytes."""

    name: str
    media: str
    body: bytes


Answer = Page | Moved | Entered | Kept | File
