"""Strict reading: a parsed table becomes a typed value, or an error names the key and what is allowed."""

import re
import tomllib
from collections.abc import Collection
from datetime import date, datetime, time
from math import isfinite
from typing import Any, TypeVar

import msgspec

from onshore.words.errors import Malformed
from onshore.words.lines import at_line

T = TypeVar("T")

_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_VALUE = re.compile(r"'([^']*)'")
_UNKNOWN = re.compile(r"unknown field `(?P<key>[^`]*)`")
_EXPECTED = re.compile(r"Expected `(?P<want>[^`]+)`(?:, got `(?P<got>[^`]+)`)?(?P<more>.*)", re.DOTALL)
_NATIVE = (date, datetime, time)  # what TOML tells apart from a text
_NAMES = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text in quotes",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "date": "a date",
    "datetime": "a date-time",
    "time": "a time of day",
}
_CAME = _NAMES | {"float": "a number with a point"}
_FORMS = {" matching regex '^[A-Z]{2}$'": " of two capital letters"}
_OPAQUE = re.compile(
    r'"""(?:\\.|(?!""").)*(?:"{3,5}|\Z)'
    r"|'''(?:(?!''').)*(?:'{3,5}|\Z)"
    r'|"(?:\\.|[^"\\\n])*"?'
    r"|'[^'\n]*'?"
    r"|#[^\n]*",
    re.DOTALL,
)
"""Texts and comments, each read on from where it begins to where it ends: nothing there can fail, so nothing is tried
twice, and the time grows with the text alone. (Possessive repeats of groups are wrong before Python 3.11.5.)"""
_AROUND_KEYS = re.compile(r"[=,\[\]{}]")
_DIGITS = re.compile(r"[0-9a-fA-F_]{2000}")
_STEPS = 16
_SHOWN = 60


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of a settings file: a key that it does not know is an error."""


class BadValueError(Malformed, ValueError):
    """A value outside its list. Also a ValueError, so that msgspec adds the path to the message."""


def toml(text: str, where: str) -> dict[str, Any]:
    """Parse TOML; Malformed names the line.

    Refused besides: numbers that are none (nan, inf), what is nested too deeply or has too many digits to be read,
    and keys of more steps than any of ours, whose cost grows with the square of their length.
    """
    _bounded(text, where)
    try:
        return tomllib.loads(text, parse_float=_finite)
    except BadValueError as error:
        raise Malformed(error.what, where=f"{where}, line {_line_with(error.where, text)}") from error
    except tomllib.TOMLDecodeError as error:
        raise Malformed(f"not TOML: {error}", where=where) from error
    except RecursionError:
        raise Malformed("lists and tables are nested too deeply to be read", where=where) from None
    except ValueError as error:  # int() of more digits than Python converts
        line = _DIGITS.split(_bare(text), maxsplit=1)[0].count("\n") + 1
        raise Malformed("a whole number has too many digits to be read", where=f"{where}, line {line}") from error


def read(kind: type[T], table: object, where: str, text: str = "") -> T:
    """Convert a parsed table to `kind` (a msgspec Struct that forbids unknown fields) or raise Malformed.

    `text`: the TOML behind the table; where given, the error names the line too.
    """
    try:
        return msgspec.convert(table, kind, builtin_types=_NATIVE)
    except msgspec.ValidationError as error:
        found = _PATH.search(str(error))
        path = found["path"] if found else ""
        what = _EXPECTED.sub(_needed, _PATH.sub("", str(error)))
        if isinstance(error.__cause__, BadValueError) and text:
            path, what = f"{path}.{error.__cause__.where}".lstrip("."), error.__cause__.what
        exact = path
        if unknown := _UNKNOWN.search(what):
            what = what.replace(unknown["key"], shortened(unknown["key"]))
            what += f"; allowed: {', '.join(_keys(msgspec.inspect.type_info(kind), path))}"
            exact = f"{path}.{unknown['key']}"
        value = _VALUE.search(what)
        line = at_line(where, exact, text, value[1] if value else "")
        raise Malformed(what, where=": ".join(filter(None, (line, path)))) from error


def among(key: str, values: Collection[object], allowed: Collection[str]) -> None:
    """Refuse values that are not among the allowed ones, naming all of these."""
    for value in values:
        if value not in allowed:
            raise BadValueError(f"{shortened(repr(value))} is not one of {', '.join(allowed)}", where=key)


def shortened(text: str) -> str:
    """A text as an error shows it, without what is beyond the first words."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _bounded(text: str, where: str) -> None:
    """Refuse keys of too many steps, before anybody follows them."""
    if all(line.count(".") <= _STEPS for line in text.split("\n")):
        return
    for number, line in enumerate(_bare(text).split("\n"), 1):
        if any(part.count(".") > _STEPS for part in _AROUND_KEYS.split(line)):
            raise Malformed(f"a key has more than {_STEPS} steps", where=f"{where}, line {number}")


def _bare(text: str) -> str:
    """The text, line by line, without what stands in quotes and comments."""
    return _OPAQUE.sub(lambda found: '"' + "\n" * found[0].count("\n"), text)


def _finite(number: str) -> float:
    found = float(number)
    if not isfinite(found):
        raise BadValueError(f"{shortened(number)} is no number that can be counted or measured", where=number)
    return found


def _line_with(number: str, text: str) -> int:
    """The line (from 1) on which a number stands."""
    before = re.split(rf"(?<![\w.+-]){re.escape(number)}(?![\w.+-])", _bare(text), maxsplit=1)[0]
    return before.count("\n") + 1


def _needed(found: re.Match[str]) -> str:
    """What a value must be, and what it is, in the words of TOML."""
    wanted = " or ".join(_NAMES.get(name, name) for name in found["want"].split(" | ") if name != "null")
    came = f", not {_CAME.get(found['got'], found['got'])}" if found["got"] else ""
    more = _FORMS.get(found["more"], found["more"])
    return f"{wanted}{more} is needed{came}"


def _keys(node: Any, path: str) -> list[str]:
    """Names of the fields of the struct at `path`, e.g. `collect.zone` or `source[3]`."""
    for step in re.findall(r"[^.\[\]]+|\[[^\]]*\]", path):
        node = _item(node) if step.startswith("[") else _field(_struct(node), step)
    return sorted(f.encode_name for f in _struct(node).fields)


def _item(node: Any) -> Any:
    """The type of what a list, or a table of free keys, holds."""
    return node.value_type if isinstance(node, msgspec.inspect.DictType) else node.item_type


def _field(struct: Any, name: str) -> Any:
    """The type of a struct's field, by its name as written."""
    return next(field.type for field in struct.fields if field.encode_name == name)


def _struct(node: Any) -> Any:
    """The one structured type of a union with None, else the type itself."""
    if isinstance(node, msgspec.inspect.UnionType):
        return next(n for n in node.types if isinstance(n, msgspec.inspect.StructType))
    return node
