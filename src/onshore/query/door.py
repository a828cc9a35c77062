"""Door: what another room lets a query see; the command joins the two."""

from collections.abc import Iterator, Mapping
from typing import Protocol

import pyarrow as pa


class Door(Protocol):
    """Rows for one query, by leave of whoever counts them. `signals`: those that may be seen, by category."""

    signals: Mapping[str, frozenset[str]]

    @property
    def purpose(self) -> str:
        """The purpose for which alone one may ask."""

    def begin(self, categories: tuple[str, ...]) -> None:
        """Count what a query over these categories may rest on, or refuse."""

    def rows(self, category: str) -> Iterator[pa.RecordBatch]:
        """The rows of a category: `vehicle`, `time` and signals."""

    def may_go(self) -> None:
        """Refuse where nothing more may be shown."""

    def end(self, *, whole: bool) -> None:
        """The query is over; `whole`: it was not stopped."""
