"""The pen that writes a paper: it has the words, numbers the sources, and knows what humans wrote."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from onshore.reports.evidence.gather import Gathered
from onshore.reports.evidence.logged import Entry, Logged, numbers
from onshore.reports.form import asks
from onshore.reports.human import Written
from onshore.reports.report import Cell, Human, Paragraph, Row, Source, Table
from onshore.reports.words import Words

_RUNS = 8
"""Runs of numbers that a source spells out; of more it says how many entries there are, and the first and last."""


Line = tuple[Sequence[Cell], int]
"""Cells of a row, and the number of their source."""


class Pen:
    """Writes the parts of one paper; `sources` grow as they are first named, so that they are numbered in order."""

    def __init__(self, words: Words, found: Gathered, written: Written) -> None:
        self.words, self.found, self._written = words, found, written
        self.sources: list[Source] = []
        self._numbers: dict[tuple[str, tuple[int, ...]], int] = {}

    # ---- sources ----

    def query(self, key: str, **figures: str | int) -> int:
        """The source of what the site keeps: how it is asked for again."""
        return self._source(self.words(f"query.{key}", **figures), ())

    def entries(self, *kinds: str, log: Logged | None = None) -> int:
        """The source of what the ledger says: the entries of some kinds, of this year and of the one before."""
        logs = [log] if log else [self.found.now.log, self.found.before.log]
        return self.entry(kinds, *(entry for one in logs for entry in one.of(*kinds)))

    def entry(self, kinds: Sequence[str], *entries: Entry) -> int:
        """The source that some entries of the ledger are."""
        held = tuple(sorted(numbers(entries)))
        if not held:
            return self._source(self.words("source.no-entry"), ())
        called = self.words("list.and").join(dict.fromkeys(kind.replace("/", " ") for kind in kinds))
        runs = _runs(held, self.words)
        return self._source(self.words("source.entries", kinds=called, numbers=runs, count=len(held)), held)

    def _source(self, says: str, held: tuple[int, ...]) -> int:
        if (says, held) not in self._numbers:
            self._numbers[says, held] = len(self.sources) + 1
            self.sources.append(Source(len(self.sources) + 1, says, held))
        return self._numbers[says, held]

    # ---- parts ----

    def says(self, key: str, source: int, **figures: str | int) -> Paragraph:
        """A sentence of the texts."""
        return Paragraph(self.words(key, **figures), source)

    def table(self, key: str, head: Iterable[str], rows: Iterable[Line], empty: Callable[[], int]) -> Table:
        """A table: its title is the text `key`.title, its head the texts of "head"; `empty`: the source of no row."""
        lines = tuple(Row(tuple(cells), of) for cells, of in rows)
        named = tuple(self.head(one) for one in head)
        title, none = self.words(f"{key}.title"), self.words("table.none")
        return Table(title, named, lines, none, 0 if lines else empty())

    def head(self, one: str) -> str:
        """A column's head: "now" and "before" are the periods of the paper."""
        if one not in ("now", "before"):
            return self.words(f"head.{one}")
        period = getattr(self.found, one).period
        key = "head.whole" if period.whole else "head.so-far"
        return self.words(key, year=str(period.year), last=self.words.day(period.last))

    def beside(self, now: int, before: int) -> tuple[Cell, Cell]:
        """A figure beside last year's; a dash where there was no site then."""
        return now, before if self.found.before.log.begun else self.words("dash")

    def human(self, name: str, article: str) -> Human:
        """What a human writes under a name."""
        return Human(name, asks()[name].in_(self.words.language), article, self._written.get(name, ""))


def _runs(held: Sequence[int], words: Words) -> str:
    found = list(_spans(held))
    if len(found) > _RUNS:
        return words("source.between", first=str(held[0]), last=str(held[-1]))
    return words("list.and").join(f"{first}" if first == last else f"{first}–{last}" for first, last in found)  # noqa: RUF001


def _spans(held: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of numbers without a gap."""
    start = 0
    for at in range(1, len(held) + 1):
        if at == len(held) or held[at] != held[at - 1] + 1:
            yield held[start], held[at - 1]
            start = at
