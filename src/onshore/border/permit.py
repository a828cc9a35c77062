"""The regulator's permit as a signed note: written, read back, and never believed without its signature."""

import json
from collections.abc import Callable
from typing import Any

import msgspec

from onshore.ledger.note import open_note
from onshore.words.errors import Broken
from onshore.words.permit import Permit

_FORM = "permit/1"
_FIELDS = frozenset(Permit.__dataclass_fields__)


def text_of(permit: Permit) -> str:
    """The permit as the text that is signed: one line of canonical JSON; dates are inclusive local dates."""
    return json.dumps({"onshore": _FORM, **msgspec.to_builtins(permit)}, sort_keys=True, separators=(",", ":")) + "\n"


def is_one(note: str) -> bool:
    """Whether a text has the shape of a permit's note, whoever signed it."""
    try:
        fields = json.loads(note.rpartition("\n\n")[0])
    except (ValueError, RecursionError):
        return False
    return isinstance(fields, dict) and fields.get("onshore") == _FORM


def read(note: str, vkey: str) -> Permit:
    """The permit inside a note; Broken unless `vkey` (a C2SP verifier key) signed exactly these words."""
    try:
        fields: dict[str, Any] = json.loads(open_note(note, [vkey]).text)
        if fields.pop("onshore") != _FORM or set(fields) != _FIELDS:
            raise Broken("this note is no permit, or not one of this release")
        return msgspec.convert(fields, Permit)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, msgspec.ValidationError) as error:
        raise Broken(f"the permit does not carry the regulator's signature over its words: {error}") from None


def signed(permit: Permit, sign: Callable[[str], str]) -> str:
    """The permit as a signed note; `sign` turns note text into a whole note with its signature line."""
    return sign(text_of(permit))
