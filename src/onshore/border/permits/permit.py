"""The regulator's permit as a signed note: written, read back, and never believed without its signature."""

import json
from collections.abc import Callable
from dataclasses import MISSING
from typing import Any

import msgspec

from onshore.ledger.note import open_note
from onshore.words.errors import Broken
from onshore.words.permit import Permit

MOST = 1 << 16
"""Bytes of a note at most: it goes with each parcel, and stands in the papers."""

_FORM = "permit/1"
_FIELDS = frozenset(Permit.__dataclass_fields__)
_NEEDED = frozenset(name for name, field in Permit.__dataclass_fields__.items() if field.default is MISSING)


def text_of(permit: Permit) -> str:
    """The permit as the text that is signed: one line of canonical JSON; dates are inclusive local dates."""
    return _line({"onshore": _FORM, **msgspec.to_builtins(permit)})


def is_one(note: str) -> bool:
    """Whether a text has the shape of a permit's note, whoever signed it, each term in it once and as `text_of` has it.

    Two readers must not find two permits in one.
    """
    words = note.rpartition("\n\n")[0] + "\n"
    try:
        fields = json.loads(words) if len(note) <= MOST else None
        return isinstance(fields, dict) and fields.get("onshore") == _FORM and _line(fields) == words
    except (ValueError, RecursionError):
        return False


def read(note: str, vkey: str) -> Permit:
    """The permit inside a note; Broken unless `vkey` (a C2SP verifier key) signed exactly these words.

    Terms that an older release did not know may lack; any that this one does not know makes it none.
    """
    try:
        fields: dict[str, Any] = json.loads(open_note(note, [vkey]).text)
        if not is_one(note) or fields.pop("onshore") != _FORM or not _NEEDED <= set(fields) <= _FIELDS:
            raise Broken("this note is no permit, or not one of this release")
        return msgspec.convert(fields, Permit)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, msgspec.ValidationError) as error:
        raise Broken(f"the permit does not carry the regulator's signature over its words: {error}") from None


def signed(permit: Permit, sign: Callable[[str], str]) -> str:
    """The permit as a signed note; `sign` turns note text into a whole note with its signature line."""
    return sign(text_of(permit))


def _line(fields: dict[str, Any]) -> str:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")) + "\n"
