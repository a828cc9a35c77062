"""The scenario book (format 1): cases read strictly, judged, and held against what they expect."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import msgspec

from onshore.rules.acts import Act, Code, Facts, Instant
from onshore.rules.expected import ACTS, Expected, expected
from onshore.rules.judge import judge
from onshore.rules.local import local_day
from onshore.rules.moments import moments
from onshore.rules.pack import Pack
from onshore.rules.standing import is_draft
from onshore.words.errors import Malformed
from onshore.words.strict import read, shortened, toml
from onshore.words.verdict import Verdict

FORMAT = 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    title: str
    basis: str
    jurisdiction: Code
    at: Instant
    expect: dict[str, Any]
    given: dict[str, Any] = {}
    collect: dict[str, Any] | None = None
    consent: dict[str, Any] | None = None
    store: dict[str, Any] | None = None
    transfer: dict[str, Any] | None = None
    deadline: dict[str, Any] | None = None


@dataclass(frozen=True)
class Case:
    """One case, read."""

    id: str
    title: str
    basis: str
    jurisdiction: str
    act: Act
    facts: Facts
    expect: Expected


@dataclass(frozen=True)
class Outcome:
    """A case and the verdict that came."""

    case: Case
    came: Verdict

    @property
    def passed(self) -> bool:
        """Whether everything that is expected came."""
        want, came = self.case.expect, self.came
        return (
            (want.verdict is None or want.verdict == came.verdict)
            and (want.reason is None or want.reason in came.codes())
            and (want.route is None or want.route == came.route)
            and (want.due is None or want.due == came.due)
            and (want.warning is None or want.warning in came.warnings)
        )

    def line(self) -> str:
        """What was expected, what came, and the rules that fired with their articles."""
        want, came = self.case.expect, self.came
        fired = "; ".join(f"{reason.code} ({reason.article})" for reason in came.reasons) or "no rule fired"
        hoped = _listed(want.verdict, want.reason, want.route, _told(want.due), want.warning)
        found = _listed(came.verdict, came.route, _told(came.due), *came.warnings)
        return f"{self.case.id}: expected {hoped}; came {found}: {fired}"


def tables(text: str, where: str) -> list[dict[str, Any]]:
    """The cases of a book as they stand, not yet read. Malformed where the file is no book of format 1."""
    book = toml(text, where)
    if extra := sorted(set(book) - {"format", "scenario"}):
        raise Malformed(f"unknown key {shortened(', '.join(extra))}; allowed: format, scenario", where=where)
    written = book.get("format")
    if type(written) is not int or written != FORMAT:
        raise Malformed(f"format {shortened(str(written))} is not known; allowed: {FORMAT}", where=where)
    cases = book.get("scenario", [])
    if not isinstance(cases, list) or not all(isinstance(case, dict) for case in cases):
        raise Malformed("cases are tables [[scenario]]", where=where)
    return cases


def read_case(table: Mapping[str, Any], where: str) -> Case:
    """Read one case. Malformed names the file (`where`), the case and the key; nothing is skipped."""
    here = f"{where}: {_name(table) or 'case without id'}"
    raw = read(_Case, moments(_Case, table, here), here)
    if not raw.id.isprintable():
        raise Malformed("signs that cannot be printed stand in it", where=f"{here}: id")
    acts = [name for name in ACTS if getattr(raw, name) is not None]
    if len(acts) != 1:
        raise Malformed(f"a case has exactly one act of {', '.join(ACTS)}", where=here)
    if "at" in raw.given:
        raise Malformed("unknown key at; the clock is the case's own", where=f"{here}: given")
    return Case(
        id=raw.id,
        title=raw.title,
        basis=raw.basis,
        jurisdiction=raw.jurisdiction,
        act=_read(ACTS[acts[0]], getattr(raw, acts[0]), f"{here}: {acts[0]}"),
        facts=read(Facts, {**moments(Facts, raw.given, f"{here}: given"), "at": raw.at}, f"{here}: given"),
        expect=expected(raw.expect, acts[0], f"{here}: expect"),
    )


def check(text: str, packs: Iterable[Pack], where: str) -> list[Outcome]:
    """Read a book and judge every case by the pack that is in force there and then."""
    known = tuple(packs)
    cases = [read_case(table, _numbered(n, table, where)) for n, table in enumerate(tables(text, where), 1)]
    if twice := [name for name, times in Counter(case.id for case in cases).items() if times > 1]:
        raise Malformed("the id is given to more than one case", where=f"{where}: {shortened(twice[0])}")
    return [Outcome(case, judge(case.act, case.facts, in_force(case, known), known)) for case in cases]


def in_force(case: Case, packs: Iterable[Pack]) -> Pack | None:
    """The newest pack of the jurisdiction that has begun; where none has, the oldest, which then is stale.

    A draft is chosen only where nothing but drafts was named for the jurisdiction.
    """
    theirs = [pack for pack in packs if case.jurisdiction in {pack.jurisdiction, *pack.home}]
    law = [pack for pack in theirs if not is_draft(pack)] or theirs
    own = sorted(law, key=lambda p: p.valid_from)
    begun = [p for p in own if p.valid_from <= local_day(case.facts.at, p.zone)]
    return begun[-1] if begun else next(iter(own), None)


def _listed(*words: str | None) -> str:
    return ", ".join(word for word in words if word)


def _told(due: int | date | None) -> str | None:
    """A due date or instant for people."""
    if due is None:
        return None
    return due.isoformat() if isinstance(due, date) else (_EPOCH + timedelta(milliseconds=due)).isoformat()


def _read(kind: type[Act], table: Mapping[str, Any], where: str) -> Act:
    return read(kind, moments(kind, table, where), where)


def _numbered(number: int, table: Mapping[str, Any], where: str) -> str:
    """Where a case stands: by its number too where it has no id to be named by."""
    return where if _name(table) else f"{where}: number {number}"


def _name(table: Mapping[str, Any]) -> str:
    """What a case calls itself, printable and not too long to be read."""
    named = table.get("id")
    return shortened(named if named.isprintable() else ascii(named)) if isinstance(named, str) else ""
