"""The part of a pack on words: what its jurisdiction calls the papers, the routes and what it counts."""

import msgspec

from onshore.rules.articles import PAPERS, ROUTES
from onshore.rules.names import PAPER_WORDS, ROUTE_WORDS
from onshore.rules.wording import listed
from onshore.words.strict import among


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Words of a letter, by code; what is not given is called by its plain name.

    `counts`: what `ordinary` and `sensitive` count, and each rule on volume by its id, with the window.
    """

    papers: dict[str, str] = msgspec.field(default_factory=dict)
    routes: dict[str, str] = msgspec.field(default_factory=dict)
    counts: dict[str, str] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        among("papers", sorted(self.papers), PAPERS)
        among("routes", sorted(self.routes), ROUTES)

    def paper(self, code: str) -> str:
        """A paper as this jurisdiction calls it."""
        return self.papers.get(code) or PAPER_WORDS[code]

    def on_file(self, codes: frozenset[str] | tuple[str, ...]) -> str:
        """Papers, in the order of the book; what two codes call alike is told once."""
        return listed(dict.fromkeys(self.paper(code) for code in sorted(codes, key=PAPERS.index)))

    def route(self, code: str) -> str:
        """A route as this jurisdiction calls it."""
        return self.routes.get(code) or ROUTE_WORDS[code]
