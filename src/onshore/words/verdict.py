"""Verdict: what the judge answers, with every reason and the article behind it."""

from dataclasses import dataclass
from datetime import date


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
    """`verdict` is a word of the scenario book (keep, withhold, mask, accept, reject, purge, allow, refuse).

    Of a clock it is `due` or, where nobody can say, `unknown`. `due`: a local date, or milliseconds UTC where hours
    run. `earlier`: what to go by where the calendar does not reach. `warnings`: codes such as `calendar-missing`.
    `duties`: clocks that this very refusal starts (28 CFR 202.1104).
    """

    verdict: str
    reasons: tuple[Reason, ...]
    route: str | None = None
    missing: tuple[str, ...] = ()
    counters: tuple[Counter, ...] = ()
    due: int | date | None = None
    earlier: date | None = None
    warnings: tuple[str, ...] = ()
    duties: tuple[str, ...] = ()

    def codes(self) -> frozenset[str]:
        """The reason codes alone."""
        return frozenset(r.code for r in self.reasons)
