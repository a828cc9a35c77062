"""One line of what another pack would do to a site, and how days, lengths and reasons are told in it."""

from dataclasses import dataclass
from datetime import date

from msgspec.structs import replace

from onshore.rules import wording as w
from onshore.rules.articles import Rule
from onshore.rules.local import local_day
from onshore.rules.pack import Pack
from onshore.rules.recital import instant
from onshore.words.verdict import Verdict

NO_EVIDENCE = "no evidence kept"


@dataclass(frozen=True)
class Row:
    """Of which part, what it is about, how it came out here, and under the other pack.

    `changed`: whether, by what is on record, the other pack is harder on it; `why`: its reasons, with articles.
    `evidence`: whether the site holds what it takes to say so.
    """

    part: str
    what: str
    here: str
    there: str
    changed: bool = False
    why: tuple[str, ...] = ()
    evidence: bool = True


def reasons(*verdicts: Verdict) -> tuple[str, ...]:
    """Each reason once, with its article."""
    return tuple(dict.fromkeys(cited(r.says, r.article) for verdict in verdicts for r in verdict.reasons))


def whenever(pack: Pack) -> Pack:
    """A pack without its first and last day; its rules still begin when they begin."""
    return replace(pack, valid_from=date.min, valid_until=None)


def rule_told(rule: Rule) -> str:
    """What a rule says, with its article."""
    return cited(rule.says, rule.article)


def cited(says: str, article: str) -> str:
    """A sentence with its article."""
    return f"{says} ({article})"


def late(verdict: Verdict, done: int, zone: str) -> bool:
    """Whether something done at an instant (milliseconds UTC) came after its last day, or last instant, in a zone."""
    due = _due(verdict)
    if due is None:
        return False
    return local_day(done, zone) > due if isinstance(due, date) else done > due


def due_told(verdict: Verdict, zone: str) -> str:
    """When something is due, local to a zone; where the calendar does not reach, the day that is safe."""
    due = _due(verdict)
    if due is None:
        return "no such clock"
    told = f"due {w.day(due) if isinstance(due, date) else instant(due, zone)}"
    return told if verdict.due is not None else f"{told} to be safe: the calendar of working days ends before"


def _due(verdict: Verdict) -> "int | date | None":
    return verdict.due if verdict.due is not None else verdict.earlier
