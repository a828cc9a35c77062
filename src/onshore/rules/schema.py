"""The JSON Schema of a pack, for editors: keys, types and the closed lists."""

from typing import Any

import msgspec

from onshore.rules.articles import KINDS, NOTICE_ITEMS, PAPERS, STATUSES
from onshore.rules.pack import Pack
from onshore.words.vocabulary import CATEGORIES, GROUNDS

_LISTS = {
    "categories": CATEGORIES,
    "papers": PAPERS,
    "unless_papers": PAPERS,
    "grounds": GROUNDS,
    "ground": GROUNDS,
    "statuses": STATUSES,
    "items": NOTICE_ITEMS,
    "kind": KINDS,
}
"""Key to what may stand there, wherever it occurs; the reader of packs refuses anything else."""

_MARK = r"^(mem-[HML]|seen: S\d\d(, S\d\d)*)$"


def pack_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `pack.toml`; what it allows the reader may still refuse, such as an id given twice."""
    found = msgspec.json.schema(Pack)
    for table in found["$defs"].values():
        table.get("properties", {}).update(
            {key: _closed(key, form) for key, form in table.get("properties", {}).items()}
        )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Onshore rule pack, format 1",
        **found,
    }


def _closed(key: str, form: dict[str, Any]) -> dict[str, Any]:
    """The form of a key's value, with its closed list where it has one."""
    if key == "mark":
        return {**form, "pattern": _MARK}
    return _among(form, list(_LISTS[key])) if key in _LISTS else form


def _among(form: dict[str, Any], allowed: list[str]) -> dict[str, Any]:
    """The same form, every string of it one of `allowed`."""
    if form.get("type") == "string":
        return {**form, "enum": allowed}
    if form.get("type") == "array":
        return {**form, "items": _among(form["items"], allowed)}
    if "anyOf" in form:
        return {**form, "anyOf": [_among(each, allowed) for each in form["anyOf"]]}
    return form
