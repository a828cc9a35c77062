"""Papers in their one spelling (RFC 8785), how an entry names them, and how an entry's fields are read."""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from onshore.ledger.note import Wrong


def canonical(value: object) -> bytes:
    """JSON in its one spelling (RFC 8785): sorted keys, no spaces, UTF-8.

    Text, whole numbers below 2**53, truth, lists and objects; ValueError for anything else (floats, null).
    """
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":")).encode()


def digest(paper: Mapping[str, Any] | str | bytes) -> str:
    """How an entry names a paper: "sha256:" and hex, over text as UTF-8, over fields as canonical JSON."""
    if isinstance(paper, str):
        return digest(paper.encode())
    raw = paper if isinstance(paper, bytes) else canonical(dict(paper))
    return f"sha256:{sha256(raw).hexdigest()}"


def read_entry(raw: bytes) -> dict[str, Any]:
    """An entry's fields; Wrong unless its bytes are canonical JSON of an object."""
    fields = read_object(raw, "entry")
    try:
        same = canonical(fields) == raw
    except (ValueError, RecursionError):
        same = False
    if not same:
        raise Wrong("it is not JSON in its one spelling (RFC 8785)", "entry")
    return fields


def must_be_same(held: object, due: object, where: str, otherwise: str) -> None:
    """Wrong, with what `otherwise` says, unless the one is the other."""
    if held != due:
        raise Wrong(otherwise, where)


def read_object(raw: bytes, where: str) -> dict[str, Any]:
    """JSON of an object without twins; Wrong, at `where`, where it is none."""
    try:
        value = json.loads(raw, object_pairs_hook=_without_twins)
    except (ValueError, RecursionError):
        raise Wrong("it is no JSON that can be read in one way only", where) from None
    if not isinstance(value, dict):
        raise Wrong("it is no JSON object", where)
    return value


def _without_twins(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    listed = list(pairs)
    if len(dict(listed)) != len(listed):
        raise ValueError
    return dict(listed)


def _plain(value: object) -> object:
    match value:
        case bool() | str():
            return value
        case int() if abs(value) < 1 << 53:
            return value
        case list() | tuple():
            return [_plain(v) for v in value]
        case dict() if all(isinstance(k, str) for k in value):
            # RFC 8785 §3.2.3: names sort by their UTF-16 code units.
            return {k: _plain(value[k]) for k in sorted(value, key=lambda k: k.encode("utf-16-be"))}
    raise ValueError(f"a {type(value).__name__} (or a number beyond 2**53) has no place in a ledger entry or receipt")
