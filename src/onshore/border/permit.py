"""The regulator's permit as a signed note: written, read back, and never believed without its signature."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

from onshore.ledger.note import open_note
from onshore.words.errors import Broken
from onshore.words.permit import Permit

_DATES = ("start", "until")
_LISTS = ("categories",)


def text_of(permit: Permit) -> str:
    """The permit as the text that is signed: one line of canonical JSON; dates are inclusive local dates."""
    fields: dict[str, Any] = {name: getattr(permit, name) for name in Permit.__dataclass_fields__}
    fields |= {name: fields[name].isoformat() for name in _DATES}
    fields |= {name: list(fields[name]) for name in _LISTS}
    return json.dumps({"onshore": "permit/1", **fields}, sort_keys=True, separators=(",", ":")) + "\n"


def read(note: str, vkey: str) -> Permit:
    """The permit inside a note; Broken unless `vkey` (a C2SP verifier key) signed exactly these words."""
    try:
        fields = json.loads(open_note(note, [vkey]).text)
        if fields.pop("onshore") != "permit/1":
            raise Broken("this note is no permit")
        fields |= {name: date.fromisoformat(fields[name]) for name in _DATES}
        fields |= {name: tuple(fields[name]) for name in _LISTS}
        return Permit(**fields)
    except (ValueError, TypeError, KeyError) as error:
        raise Broken(f"the permit does not carry the regulator's signature over its words: {error}") from None


def signed(permit: Permit, sign: Callable[[str], str]) -> str:
    """The permit as a signed note; `sign` turns note text into a whole note with its signature line."""
    return sign(text_of(permit))
