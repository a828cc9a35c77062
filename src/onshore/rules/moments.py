"""Moments of a book: its dates and date-times, with an offset, become days and milliseconds UTC."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from msgspec import inspect

from onshore.rules.local import FIRST_YEAR, INSTANT
from onshore.words.errors import Malformed

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FIRST = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, tzinfo=UTC)  # in every zone this lies within the years that Python counts
_OUTSIDE = f"it lies outside the days that are counted, {_FIRST:%Y-%m-%d} to {_LAST - timedelta(days=1):%Y-%m-%d}"

_DAY = "a date, e.g. 2026-06-15,"
_TIME = "a date-time with an offset, e.g. 2026-06-15T12:00:00+08:00,"


@dataclass(frozen=True)
class _Form:
    """What may stand under a key: a table of its own, or a moment (of these kinds), or besides `true` or `false`."""

    table: type[msgspec.Struct] | None
    day: bool
    instant: bool
    flag: bool


def moments(kind: type[msgspec.Struct], table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The table with its moments turned, by the types of `kind`; everything else stays, for a strict reader to judge.

    Malformed, with the key: a number or a text where a moment is needed, a date-time without an offset (nobody can say
    when it is), a date where the time of day decides, a year before 1900, and what has no year in every zone.
    """
    forms = _forms(kind)
    return {
        key: _turned(forms[key], value, f"{where}: {key}") if key in forms else value for key, value in table.items()
    }


def _turned(form: _Form, value: Any, where: str) -> Any:
    if form.table is not None:
        return moments(form.table, value, where) if isinstance(value, dict) else value
    if isinstance(value, bool) and form.flag:
        return value
    if isinstance(value, datetime) and form.instant:
        return _milliseconds(value, where)
    if isinstance(value, date) and not isinstance(value, datetime) and form.day:
        if value.year < FIRST_YEAR:
            raise Malformed(_OUTSIDE, where=where)
        return value
    needed = " or ".join([_DAY] * form.day + [_TIME] * form.instant + ["true or false,"] * form.flag)
    raise Malformed(f"{needed} is needed, without quotes", where=where)


def _milliseconds(value: datetime, where: str) -> int:
    if value.tzinfo is None:
        raise Malformed("a date and time needs an offset, e.g. +08:00", where=where)
    if not _FIRST <= value < _LAST:
        raise Malformed(f"{_OUTSIDE} UTC", where=where)
    return (value - _EPOCH) // _MILLISECOND


@functools.cache
def _forms(kind: type[msgspec.Struct]) -> Mapping[str, _Form]:
    """The keys of `kind` under which moments stand, or tables that may hold some."""
    struct = inspect.type_info(kind)
    assert isinstance(struct, inspect.StructType)
    found = {field.encode_name: _form(field.type) for field in struct.fields}
    return {key: form for key, form in found.items() if form.table or form.day or form.instant}


def _form(node: inspect.Type) -> _Form:
    parts = node.types if isinstance(node, inspect.UnionType) else (node,)
    return _Form(
        table=next((part.cls for part in parts if isinstance(part, inspect.StructType)), None),
        day=any(isinstance(part, inspect.DateType) for part in parts),
        instant=any(isinstance(part, inspect.Metadata) and part.extra == INSTANT.extra for part in parts),
        flag=any(isinstance(part, inspect.BoolType) for part in parts),
    )
