"""What a car may send: its consents, the rulebook and the site's purposes compiled to a list that it obeys.

Nothing else would pass the sieve, so nothing else need leave the car; everything is sieved again on arrival.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from onshore.words.catalogue import Signal
from onshore.words.consent import Consent
from onshore.words.errors import Malformed, Refusal
from onshore.words.rulebook import Rulebook

CONSENT, LAW = "consent", "statutory"
"""Grounds of a line, as the tally names them."""

_CONDITION = re.compile(r"(?P<signal>\S+) (?:<|<=|>|>=|==|!=) (?P<number>-?[0-9]+(?:\.[0-9]+)?)", re.ASCII)


@dataclass(frozen=True)
class Wanted:
    """How a purpose wants what it may have: no more often than every `period` ms, only while `condition` holds.

    `condition`: a signal of the catalogue, one of < <= > >= == !=, a number; empty: always. `precision`: by signal,
    the step where it is coarser than the catalogue's.
    """

    period: int = 1000
    condition: str = ""
    precision: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Host:
    """Where the car sends to, and in which jurisdiction that machine stands."""

    name: str
    jurisdiction: str


@dataclass(frozen=True)
class Setting:
    """What a site's cars have in common. `purposes`: the site's list, the first is the law's own.

    `pack_ends`: instant (ms UTC) from which the rules no longer hold, None where nobody said. `longest`: milliseconds
    after which a policy ends at the latest. `home`: codes of the jurisdiction. `article`: of the rule that data stay.
    """

    rulebook: Rulebook
    catalogue: Mapping[str, Signal]
    purposes: Sequence[str]
    wanted: Mapping[str, Wanted]
    host: Host
    home: Collection[str]
    pack_ends: int | None
    longest: int
    article: str = ""


@dataclass(frozen=True)
class Line:
    """Signals of a category that may be sent for one purpose on one ground, each with its precision.

    `door`: the only door by which (the law names it), empty: any.
    """

    ground: str
    purpose: str
    category: str
    door: str
    wanted: Wanted
    signals: Mapping[str, str]


@dataclass(frozen=True)
class Policy:
    """All that a car may send, from `made` until `until` (ms UTC); it replaces whatever was said before."""

    vehicle: int
    host: Host
    pack: str
    digest: str
    made: int
    until: int
    lines: tuple[Line, ...]

    @property
    def signals(self) -> frozenset[str]:
        """The signals of all lines."""
        return frozenset(name for line in self.lines for name in line.signals)

    def through(self, door: str) -> tuple[Line, ...]:
        """The lines that count at one door."""
        return tuple(line for line in self.lines if line.door in {"", door})


def compile_policy(vehicle: int, consents: Iterable[Consent], setting: Setting, now: int) -> Policy:
    """The policy of a car, as of `now` (ms UTC): exactly those signals of which the sieve would keep a row of now.

    `consents`: all ever given for the car, be it by its owner or a driver; whose a row is decides the sieve. It ends
    with the first consent in it, with the pack, or `longest` after now, so that a car that loses contact stops by
    itself. Refused: a host outside the jurisdiction (`host-abroad`). Malformed: a condition that cannot be read.
    """
    if setting.host.jurisdiction not in setting.home:
        raise Refusal(
            "host-abroad",
            f"the host that cars would send to stands in {setting.host.jurisdiction}, outside this jurisdiction",
            article=setting.article,
            remedy="name a host inside the jurisdiction: [policy] host and [policy.hosts] of site.toml",
        )
    for wanted in setting.wanted.values():
        _check(wanted.condition, setting.catalogue)
    latest = now + setting.longest
    if setting.pack_ends is not None:
        latest = min(latest, setting.pack_ends)
    standing = [consent for consent in consents if _counts(consent, setting, now)]
    until = min([latest, *(end for consent in standing for end in _ends(consent))])
    lines = [*_by_law(setting), *_by_consent(standing, setting)]
    book = setting.rulebook
    return Policy(vehicle, setting.host, book.pack, book.digest, now, until, tuple(lines))


def _counts(consent: Consent, setting: Setting, now: int) -> bool:
    """Whether the sieve would keep for it what happens now: `consent.reference.reference_sieve`, rules 4 and 5."""
    book = setting.rulebook
    permitted = book.only_for.get(consent.category, setting.purposes)
    return (
        consent.holds(now)
        and consent.purpose in setting.purposes[1:]
        and consent.purpose in permitted
        and (consent.separate or consent.category not in book.separate)
        and consent.category in book.category.values()
    )


def _ends(consent: Consent) -> list[int]:
    return [end for end in (consent.until, consent.withdrawn) if end is not None]


def _by_law(setting: Setting) -> list[Line]:
    """What the law itself has sent, by the door that it names (GB/T 32960; PIPL Art. 13(3))."""
    purpose, book = setting.purposes[0], setting.rulebook
    return [
        _line(LAW, purpose, category, door, names & _of(category, setting), setting)
        for door, names in sorted(book.statutory.items())
        for category in sorted({book.category[name] for name in names if name in book.category})
    ]


def _by_consent(standing: Sequence[Consent], setting: Setting) -> list[Line]:
    """A line for each purpose and category."""
    return [
        _line(CONSENT, purpose, category, "", _of(category, setting), setting)
        for purpose, category in sorted({(consent.purpose, consent.category) for consent in standing})
    ]


def _of(category: str, setting: Setting) -> frozenset[str]:
    return frozenset(name for name, its in setting.rulebook.category.items() if its == category)


def _line(ground: str, purpose: str, category: str, door: str, names: Collection[str], setting: Setting) -> Line:
    wanted = setting.wanted.get(purpose, Wanted())
    steps = {name: wanted.precision.get(name, _step(name, setting.catalogue)) for name in sorted(names)}
    return Line(ground, purpose, category, door, wanted, steps)


def _step(name: str, catalogue: Mapping[str, Signal]) -> str:
    return catalogue[name].precision if name in catalogue else ""


def _check(condition: str, catalogue: Mapping[str, Signal]) -> None:
    found = _CONDITION.fullmatch(condition)
    if condition and (found is None or found["signal"] not in catalogue):
        says = "a condition is a signal of the catalogue, one of < <= > >= == !=, and a number, between spaces"
        raise Malformed(says, where="site.toml, policy.wanted")


def document(policy: Policy, site: str, version: int) -> bytes:
    """A policy as a car reads it: canonical JSON (RFC 8785; docs/policy.md has its fields), the same for the same.

    `site`: the site's id; `version`: counted per car, from 1 on.
    """
    said: dict[str, Any] = {
        "v": 1,
        "kind": "policy",
        "site": site,
        "vehicle": f"{policy.vehicle:016x}",
        "version": version,
        "from": policy.made,
        "until": policy.until,
        **_content(policy),
    }
    return canonical(said)


def content(policy: Policy) -> bytes:
    """What a car must do by it, whatever its version and its times: two policies that are alike in this are one."""
    return canonical(_content(policy))


def _content(policy: Policy) -> dict[str, Any]:
    return {
        "host": {"name": policy.host.name, "jurisdiction": policy.host.jurisdiction},
        "pack": policy.pack,
        "packdigest": f"sha256:{policy.digest}",
        "collect": [_said(line) for line in policy.lines],
    }


def _said(line: Line) -> dict[str, Any]:
    said: dict[str, Any] = {
        "ground": line.ground,
        "purpose": line.purpose,
        "category": line.category,
        "period_ms": line.wanted.period,
        "signals": dict(line.signals),
    }
    return said | {key: value for key, value in (("door", line.door), ("if", line.wanted.condition)) if value}


def canonical(value: object) -> bytes:
    """JSON in its one spelling: keys sorted, no spaces, UTF-8. Text, whole numbers, lists and objects alone."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
