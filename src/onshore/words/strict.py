"""Strict reading: a parsed table becomes a typed value, or an error names the key and what is allowed."""

import re
import tomllib
from collections.abc import Collection
from typing import Any, TypeVar

import msgspec

from onshore.words.errors import Malformed
from onshore.words.lines import at_line

T = TypeVar("T")

_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_VALUE = re.compile(r"'([^']*)'")
_UNKNOWN = re.compile(r"unknown field `(?P<key>[^`]*)`")


class BadValueError(Malformed, ValueError):
    """A value outside its list. Also a ValueError, so that msgspec adds the path to the message."""


def toml(text: str, where: str) -> dict[str, Any]:
    """Parse TOML; Malformed names the line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Malformed(f"not TOML: {error}", where=where) from error


def read(kind: type[T], table: object, where: str, text: str = "") -> T:
    """Convert a parsed table to `kind` (a msgspec Struct that forbids unknown fields) or raise Malformed.

    `text`: the TOML behind the table; where given, the error names the line too.
    """
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        found = _PATH.search(str(error))
        path = found["path"] if found else ""
        what = _PATH.sub("", str(error))
        if isinstance(error.__cause__, BadValueError) and text:
            path, what = f"{path}.{error.__cause__.where}".lstrip("."), error.__cause__.what
        exact = path
        if unknown := _UNKNOWN.search(what):
            what += f"; allowed: {', '.join(_keys(msgspec.inspect.type_info(kind), path))}"
            exact = f"{path}.{unknown['key']}"
        value = _VALUE.search(what)
        line = at_line(where, exact, text, value[1] if value else "")
        raise Malformed(what, where=": ".join(filter(None, (line, path)))) from error


def among(key: str, values: Collection[object], allowed: Collection[str]) -> None:
    """Refuse values that are not among the allowed ones, naming all of these."""
    for value in values:
        if value not in allowed:
            raise BadValueError(f"{value!r} is not one of {', '.join(allowed)}", where=key)


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
