"""Verdict: what the judge answers, with every reason and the article behind it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """A reason code, the law and article behind it, what it says in a sentence, and what would help."""

    code: str
    article: str
    says: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Counter:
    """How far a count is from its next threshold: `used` so far, this act included."""

    name: str
    used: int
    threshold: int | None


@dataclass(frozen=True)
class Verdict:
    """`verdict` is a word of the scenario book (keep, withhold, mask, accept, reject, allow, refuse …)."""

    verdict: str
    reasons: tuple[Reason, ...]
    route: str | None = None
    missing: tuple[str, ...] = ()
    counters: tuple[Counter, ...] = ()

    def codes(self) -> frozenset[str]:
        """The reason codes alone."""
        return frozenset(r.code for r in self.reasons)
