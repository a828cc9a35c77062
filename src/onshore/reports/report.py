"""A report as a pure value: sections of paragraphs, tables and what a human writes, each with what it rests on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
State = Literal["draft", "final"]
Cell = str | int


@dataclass(frozen=True)
class Paragraph:
    """A sentence or some; `source`: the number of what it rests on."""

    text: str
    source: int


@dataclass(frozen=True)
class Row:
    """A line of a table; `source`: the number of what its figures rest on."""

    cells: tuple[Cell, ...]
    source: int


@dataclass(frozen=True)
class Table:
    """Figures under a head; `none` is what is said where there is no row, `source` what that rests on (else 0)."""

    title: str
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    none: str
    source: int


@dataclass(frozen=True)
class Human:
    """What a human must write, under which article; `text` is empty until somebody did."""

    id: str
    asks: str
    article: str
    text: str = ""


Part = Paragraph | Table | Human


@dataclass(frozen=True)
class Section:
    """A numbered part of a report, by the item of the law that asks for it and how well that is known."""

    number: str
    title: str
    article: str
    mark: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Source:
    """What figures rest on: entries of the ledger by their numbers, or a query of what the site keeps."""

    number: int
    says: str
    entries: tuple[int, ...] = ()


@dataclass(frozen=True)
class Open:
    """What keeps a report from being final: a section's number (empty: all of it), why, and in words."""

    section: str
    why: Literal["human", "empty", "contradiction"]
    says: str


@dataclass(frozen=True)
class Report:
    """One paper over a period, in a language; `facts` stand on its cover, `open` is what keeps it from being final."""

    kind: str
    title: str
    about: str
    jurisdiction: str
    site: str
    year: int
    period: str
    language: Language
    state: State
    made: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    sources: tuple[Source, ...]
    open: tuple[Open, ...]


def texts(report: Report) -> Iterator[str]:
    """Every text that stands in a report, for whoever looks for what must not."""
    yield from (report.title, report.about, report.site, report.period, report.made)
    yield from (text for fact in report.facts for text in fact)
    for section in report.sections:
        yield from (section.title, section.article, section.mark)
        for part in section.parts:
            yield from _of(part)
    yield from (source.says for source in report.sources)
    yield from (one.says for one in report.open)


def _of(part: Part) -> Iterator[str]:
    if isinstance(part, Paragraph):
        yield part.text
    elif isinstance(part, Human):
        yield from (part.asks, part.article, part.text)
    else:
        yield from (part.title, part.none, *part.head)
        yield from (str(cell) for row in part.rows for cell in row.cells)
