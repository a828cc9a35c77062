"""Wording: figures, dates and lists as people write them, and codes in the words of a letter."""

import re
import textwrap
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from onshore.rules.names import CATEGORY_WORDS, JURISDICTION_WORDS

_LABELS = {
    "says": "words",
    "remedy": "what would help",
    "mark": "how well it is known",
    "kind": "standing",
    "verify": "still to be held against the text",
    "id": "name",
    "code": "reason given",
    "valid_from": "in force from",
    "valid_until": "in force until",
    "home": "what is inside",
    "zone": "time zone",
    "ordinary_from": "persons with ordinary information, from",
    "sensitive_from": "persons with sensitive information, from",
    "lasts_years": "lasts (years)",
    "under_years": "under the age of",
    "start": "from",
    "within_m": "within (metres)",
    "to": "destinations",
    "papers": "any one of these papers",
    "also": "all of these papers as well",
    "important": "important data",
    "what": "clock",
    "since": "begins on",
    "counts_since": "these figures begin on",
    "open_ended": "a consent without an end stands",
    "draft": "a draft, never in force",
    "switch": "falls away with counsel's switch",
    "binds_recipient": "binds a recipient",
    "roll": "moves on to the next working day",
    "memo": "with a written memo",
    "critical_operator": "concerns critical operators",
    "adequate": "an adequate place will do",
    "max": "at most",
    "min": "at least",
}
"""Fields of a rule whose names alone would not say enough."""

WIDTH = 96
"""Columns of a letter."""

_ISO_DAY = re.compile(r"\b(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\b", re.ASCII)
_LENGTH = re.compile(r"(\d+)(mo|[ydhms])")
_UNITS = {"y": "year", "mo": "month", "d": "day", "h": "hour", "m": "minute", "s": "second"}

_FIGURES = {
    "ordinary_from": "from {} with ordinary information on",
    "sensitive_from": "from {} with sensitive information on",
    "more_than": "more than {}",
    "lasts_years": "it lasts {}",
    "under_years": "under the age of {}",
    "days": "{}",
    "hours": "{}",
    "months": "{}",
    "years": "{}",
    "working_days": "{}",
    "before_working_days": "{} before its end",
    "before_months": "{} before its end",
    "within_m": "within {}",
    "per_day": "{} a day at most",
    "max_seconds": "{} at most",
    "start": "from {} on",
    "max": "at most {}",
    "min": "at least {}",
    "annual": "each year on {}",
}
"""Numbers of a rule as they are told."""

_LENGTHS = frozenset({"max", "min"})
"""Of those, what is a length of time."""

_COUNTED = {
    "ordinary_from": "person",
    "sensitive_from": "person",
    "lasts_years": "year",
    "days": "day",
    "hours": "hour",
    "months": "month",
    "years": "year",
    "working_days": "working day",
    "before_working_days": "working day",
    "before_months": "month",
    "within_m": "metre",
    "max_seconds": "second",
}
"""What those numbers count, where it is one thing or many."""

_TEXT = frozenset({"id", "article", "says", "remedy", "mark", "kind", "verify", "code"})
"""Fields of every rule, which are told elsewhere."""

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def mark_words(mark: str) -> str:
    """How well a rule's article is known: seen in a source, or from memory with a confidence."""
    if mark.startswith("seen"):
        return f"seen in {mark.removeprefix('seen: ')}"
    return f"from memory, {({'H': 'high', 'M': 'medium', 'L': 'low'})[mark[-1]]} confidence"


def label(field: str) -> str:
    """What a field of a rule is called in words."""
    return _LABELS.get(field, plain(field))


def particulars(rule: msgspec.Struct) -> str:
    """What a rule says besides its sentence: numbers, lists, conditions."""
    told = []
    for field in msgspec.structs.fields(rule):
        found = getattr(rule, field.name)
        default = None if field.default is msgspec.NODEFAULT else field.default
        if field.name not in _TEXT and found not in (default, None, (), {}, ""):
            told.append(figure_told(field.name, found) or f"{label(field.name)}: {_coded(found)}")
    return "; ".join(told)


def figures(rule: msgspec.Struct) -> str:
    """The numbers of a rule, in words."""
    found = [(field.name, getattr(rule, field.name)) for field in msgspec.structs.fields(rule)]
    told = [figure_told(name, value) for name, value in found if name in _FIGURES and not isinstance(value, bool)]
    return "; ".join(filter(None, told))


def figure_told(name: str, found: Any) -> str:
    """A number, or a yes, of a rule in words; empty where it is neither or has no words."""
    if found is True:
        return label(name)
    if name not in _FIGURES or found is None or isinstance(found, bool):
        return ""
    if name in _COUNTED:
        return _FIGURES[name].format(counted(round(found), _COUNTED[name]))
    if isinstance(found, int):
        return _FIGURES[name].format(figure(found))
    if name == "annual":
        found = day_of_year(found)
    return _FIGURES[name].format(length(found) if name in _LENGTHS else found)


def length(text: str) -> str:
    """A length of time such as "9y364d" in words."""
    return listed(counted(int(number), _UNITS[unit]) for number, unit in _LENGTH.findall(text))


def plain(code: str) -> str:
    """A code that has no words of its own, without its hyphens."""
    return code.replace("-", " ").replace("_", " ")


def figure(number: int) -> str:
    """A whole number with its thousands parted."""
    return f"{number:,}"


def counted(number: int, noun: str) -> str:
    """So many of a noun."""
    return f"{figure(number)} {noun}{'' if number == 1 else 's'}"


def persons(number: int) -> str:
    """So many persons."""
    return "1 person" if number == 1 else f"{figure(number)} persons"


def day(when: date) -> str:
    """A date as a letter has it."""
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def day_of_year(text: str) -> str:
    """The day of "mm-dd" as a letter has it."""
    month, _, number = text.partition("-")
    return f"{int(number)} {_MONTHS[int(month) - 1]}"


def prose(text: str) -> str:
    """A sentence with the dates in it as a letter has them."""
    return _ISO_DAY.sub(lambda found: f"{int(found[3])} {_MONTHS[int(found[2]) - 1]} {found[1]}", text)


def wrapped(text: str, indent: str = "", first: str = "") -> list[str]:
    """A paragraph of a letter, in lines."""
    return textwrap.wrap(prose(text), WIDTH, initial_indent=first, subsequent_indent=indent)


def time_of(zone: str) -> str:
    """Whose time it is: of a place, or universal time."""
    return "universal time" if zone == "UTC" else f"{zone.rpartition('/')[2].replace('_', ' ')} time"


def hour(when: datetime) -> str:
    """An instant, local, as a letter has it."""
    return f"{day(when.date())} at {when:%H:%M}"


def listed(items: Iterable[str], last: str = "and") -> str:
    """One, two and three."""
    found = list(items)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} {last} {found[-1]}" if found else "nothing"


def categories(codes: Sequence[str]) -> str:
    """Categories of data in words."""
    return listed(CATEGORY_WORDS.get(code, plain(code)) for code in codes)


def jurisdiction(code: str) -> str:
    """The name of a jurisdiction, or its code where we have no name for it."""
    return JURISDICTION_WORDS.get(code, code)


def _coded(found: Any) -> str:
    """A value with the codes in it taken apart."""
    return found if isinstance(found, str) and "-" in found and found[0].isdigit() else plain_list(value(found))


def plain_list(text: str) -> str:
    """Codes in a list without their hyphens, as far as they are words."""
    return " ".join(plain(word) if word.replace("-", "").strip(",;:").islower() else word for word in text.split(" "))


def value(what: Any) -> str:
    """A value of a rule or fact: a number, a list, yes or no."""
    if isinstance(what, msgspec.Struct):
        return value(msgspec.structs.asdict(what))
    if isinstance(what, dict):
        return "; ".join(f"{value(key)}: {value(item)}" for key, item in what.items()) or "none"
    if isinstance(what, (tuple, list, frozenset, set)):
        return ", ".join(value(item) for item in what) or "none"
    return _single(what)


def _single(what: Any) -> str:
    if isinstance(what, bool):
        return "yes" if what else "no"
    if isinstance(what, date):
        return day(what)
    return figure(what) if isinstance(what, int) else str("none" if what is None else what) or "none"
